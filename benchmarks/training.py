"""What does robust training buy?

Every method trains the same LeNet on the same images of MNIST for the same number of epochs, and
all are certified on the same test images, beside the published runs of this net (Jeong and Shin
2020: 60,000 images, 90 epochs, 100,000 draws; MIT licence, copyright Jongheon Jeong 2020), whose
votes are thinned to as many draws as ours. Images and runs are read from the folder that
SKSMOOTH_DATA names. Parameters of the methods are the published ones; nothing was chosen by
looking at certificates.

    python -m benchmarks.training
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from skorch.callbacks import LRScheduler
from torch import nn

from benchmarks._tables import as_text, write_for_docs
from sksmooth import (
    ClassificationCertificate,
    SmoothedClassifier,
    average_certified_radius,
    certified_accuracy_score,
)
from sksmooth.exceptions import NoiseCollapseWarning
from sksmooth.noise import GaussianNoise
from sksmooth.training import RobustNetClassifier

SIGMA = 0.5
RADII = (0.5, 1.0, 1.5)
PUBLISHED = {
    "gaussian": "cohen",
    "stability": "stab",
    "consistency": "consistency",
    "macer": "macer",
    "smoothadv": "smoothadv",
}


def epoch_of_drop(n_epochs):
    """After how many epochs the learning rate falls to a tenth."""
    return -(-2 * n_epochs // 3)


def methods(n_epochs):
    """Parameters of every method that are not its defaults, published for MNIST at this sigma.

    Epochs, of which the published runs have ninety, are scaled: attacks grow over the first ninth
    (rounded up), MACER leaves the radius out until the learning rate has fallen.
    """
    growth, pixels = -(-n_epochs // 9) + 1, {"bounds": (0.0, 1.0)}  # full in the epoch after
    return {
        "gaussian": {},
        "stability": {},
        "consistency": {"weight": 5.0},
        "macer": {"weight": 16.0, "deferred_epochs": epoch_of_drop(n_epochs)},
        "smoothadv": {"n_noise": 4, "radius": 255 / 256, "warmup_epochs": growth, **pixels},
        "smoothmix": {"n_noise": 4, "n_steps": 4, "warmup_epochs": growth, **pixels},
    }


def lenet():
    """Two convolutions with pooling and two linear layers, as in the published runs."""
    first = [nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    net = nn.Sequential(*first, *second, nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))
    return net.to(memory_format=torch.channels_last)  # twice as fast on a processor


def images(folder, part, n=None, every=1):
    """Return images of a part, in [0, 1], and their labels."""
    with np.load(folder / "images" / f"mnist_{part}.npz") as arrays:
        X = arrays["X"][:n:every, None].astype(np.float32) / 255
        return X, arrays["y"][:n:every].astype(np.int64)


def trained(method, params, train, options):
    """Return the smoothed net after training."""
    torch.manual_seed(0)
    drop = LRScheduler("MultiStepLR", milestones=[epoch_of_drop(options.epochs)], gamma=0.1)
    net = RobustNetClassifier(
        lenet(),
        method=method,
        lr=0.01,
        optimizer__momentum=0.9,
        optimizer__weight_decay=1e-4,
        max_epochs=options.epochs,
        batch_size=options.batch,
        callbacks=[drop],
        train_split=None,
        random_state=0,
        **{f"method__{name}": value for name, value in params.items()},
    )
    clf = SmoothedClassifier(net, sigma=SIGMA, n_estimation=options.draws, random_state=0)
    return clf.fit(*train)


def figures(y, certificate):
    """Average radius and certified accuracies."""
    accuracies = [certified_accuracy_score(y, certificate, radius=radius) for radius in RADII]
    return [average_certified_radius(y, certificate), *accuracies]


def published(folder, name, every, n_draws=None):
    """Figures of a published run on the same test images, from votes thinned to some draws."""
    with np.load(folder / "published" / f"jeong2020_mnist_{name}_sigma0.50.npz") as run:
        assert (run["idx"] == np.arange(10_000)).all()
        assert run["sigma"] == SIGMA
        votes, n = run["count_min"][::every].astype(np.int64), int(run["n"])
        right, alpha = run["correct"][::every] == 1, float(run["alpha"])
    if n_draws is not None:
        votes = np.random.default_rng(0).hypergeometric(votes, n - votes, n_draws)
        n = n_draws
    certificate = ClassificationCertificate.from_counts(
        np.zeros(len(votes), int),
        np.stack([votes, n - votes], axis=1),
        classes=np.array([0, 1]),
        noise=GaussianNoise(SIGMA),
        alpha=alpha,
        n_features=784,
    )
    return figures(np.where(right, 0, 1), certificate)


def _short(value):
    """Write a parameter."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def main():
    """Train, certify, print and write the table of the guide, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=int, default=15_000, help="first images to train on")
    parser.add_argument("--every", type=int, default=40, help="test images: every so manieth")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--methods", nargs="+", choices=list(methods(6)), default=list(methods(6)))
    options = parser.parse_args()
    folder = Path(os.environ["SKSMOOTH_DATA"])
    train = images(folder, "train", options.train)
    X_test, y_test = images(folder, "test", every=options.every)
    header = ["method", "average radius", *(f"certified at {radius}" for radius in RADII)]
    header += ["published, all draws: average radius", "parameters"]
    rows = []
    for method in options.methods:
        params = methods(options.epochs)[method]
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoiseCollapseWarning)
            clf = trained(method, params, train, options)
        seconds = time.process_time() - start
        cells, name = figures(y_test, clf.certify(X_test)), PUBLISHED.get(method)
        cells, full = [f"{value:.3f}" for value in cells], "-"
        if name is not None:
            theirs = published(folder, name, options.every, options.draws)
            cells = [f"{own} ({other:.3f})" for own, other in zip(cells, theirs, strict=True)]
            full = f"{published(folder, name, options.every)[0]:.3f}"
        changed = ", ".join(f"{key}={_short(value)}" for key, value in params.items()) or "-"
        rows.append([method, *cells, full, changed])
        print(*rows[-1], f"{seconds:.0f} s", sep="  ", flush=True)
        write_for_docs("robust_training", header, rows)
    print(as_text(header, rows))


if __name__ == "__main__":
    main()
