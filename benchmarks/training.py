"""What does robust training buy?

Every method trains the same net on the same rows for the same number of epochs, and all are
certified on the same test rows. By default a net with one hidden layer, on the digits of
scikit-learn, for a few seconds; with --mnist a LeNet, beside the published runs of the same net
(Jeong and Shin 2020: 60,000 images, certified with 100,000 draws; MIT licence, copyright Jongheon
Jeong 2020), which are read for the same test images from the folder that SKSMOOTH_DATA names.

    python -m benchmarks.training [--mnist]
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from torch import nn

from benchmarks._tables import as_text, write_for_docs
from sksmooth import SmoothedClassifier, average_certified_radius, certified_accuracy_score
from sksmooth.exceptions import NoiseCollapseWarning
from sksmooth.training import RobustNetClassifier

SIGMA = 0.5

# What a short training on small images wants other than published; None: training without noise.
DIGITS = {
    "none": None,
    "gaussian": {},
    "stability": {},
    "consistency": {"weight": 3.0},
    "macer": {"weight": 3.0, "n_noise": 8},
    "smoothadv": {"n_noise": 2, "n_steps": 3, "radius": 0.5},
    "smoothmix": {"n_steps": 3, "step": 0.3},
}
MNIST = {"gaussian": {}, "stability": {}, "consistency": {}, "macer": {"weight": 16.0}}
MNIST |= {"smoothadv": {}, "smoothmix": {}}
PUBLISHED = {"gaussian": "cohen", "stability": "stab", "smoothmix": None}


def small_net():
    """Return a net with one hidden layer."""
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def lenet():
    """Two convolutions with pooling and two linear layers, as in the published runs."""
    first = [nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*first, *second, nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


def digits(n_test):
    """Return training and test rows of the digits, in [0, 1]."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    return (X[:-n_test], y[:-n_test]), (X[-n_test:], y[-n_test:])


def images(folder, part, n):
    """Return the first n images of a part, in [0, 1], and their labels."""
    with np.load(folder / "images" / f"mnist_{part}.npz") as arrays:
        X = arrays["X"][:n, None].astype(np.float32) / 255
        return X, arrays["y"][:n].astype(np.int64)


def smoothed(module, method, params, train, options):
    """Return the smoothed net after training."""
    torch.manual_seed(0)
    net = RobustNetClassifier(
        module(),
        method=method if params is not None else "gaussian",
        sigma=SIGMA if params is not None else 1e-4,
        lr=options.lr,
        optimizer__momentum=0.9,
        max_epochs=options.epochs,
        batch_size=64,
        train_split=None,
        verbose=0,
        random_state=0,
        **{f"method__{name}": value for name, value in (params or {}).items()},
    )
    if params is None:
        net = FrozenEstimator(net.fit(*train))
    clf = SmoothedClassifier(net, sigma=SIGMA, n_estimation=options.draws, random_state=0)
    return clf.fit(*train)


def figures_of(y, certificate, radii):
    """Average radius and certified accuracies."""
    accuracies = [certified_accuracy_score(y, certificate, radius=r) for r in radii]
    return [average_certified_radius(y, certificate), *accuracies]


def published(folder, name, n, radii):
    """Return the same figures of a published run on the first n test images."""
    with np.load(folder / "published" / f"jeong2020_mnist_{name}_sigma0.50.npz") as run:
        chosen = run["idx"] < n
        right, radius = run["correct"][chosen] == 1, run["radius"][chosen]
    return [(radius * right).mean(), *((right & (radius >= r)).mean() for r in radii)]


def main():
    """Train, certify, print and write the table of the guide."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mnist", action="store_true")
    parser.add_argument("--train", type=int, default=10_000, help="images (MNIST)")
    parser.add_argument("--test", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--draws", type=int, default=10_000)
    options = parser.parse_args()
    module, methods, radii = small_net, DIGITS, (0.25, 0.5, 0.75)
    if options.mnist:
        folder = Path(os.environ["SKSMOOTH_DATA"])
        module, methods, radii = lenet, MNIST, (0.5, 1.0, 1.5)
        train, test = images(folder, "train", options.train), images(folder, "test", options.test)
    else:
        train, test = digits(options.test)
    rows = []
    for method, params in methods.items():
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoiseCollapseWarning)
            clf = smoothed(module, method, params, train, options)
        seconds = time.perf_counter() - start
        cells = [f"{value:.3f}" for value in figures_of(test[1], clf.certify(test[0]), radii)]
        name = PUBLISHED.get(method, method)
        if options.mnist and name:
            theirs = published(folder, name, options.test, radii)
            cells = [f"{own} ({other:.3f})" for own, other in zip(cells, theirs, strict=True)]
        changed = ", ".join(f"{key}={value:g}" for key, value in (params or {}).items()) or "-"
        rows.append([method, *cells, changed])
        print(*rows[-1], f"{seconds:.0f} s", sep="  ", flush=True)
    header = ["method", "average radius", *(f"certified at {r}" for r in radii)]
    header.append("other than the defaults")
    print(as_text(header, rows))
    write_for_docs(f"robust_training{'_mnist' if options.mnist else ''}", header, rows)


if __name__ == "__main__":
    main()
