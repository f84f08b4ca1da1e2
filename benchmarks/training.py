"""What does robust training buy? A LeNet on MNIST, beside the published runs of the same net.

Every method trains the same LeNet on the same images for the same number of epochs, and all are
certified on the same test images. The published runs (Jeong and Shin 2020: 90 epochs on 60,000
images, certified with 100,000 draws; MIT licence, copyright Jongheon Jeong 2020) are read for these
images from the folder that SKSMOOTH_DATA names.

    python -m benchmarks.training
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks._tables import as_text, write_for_docs
from sksmooth import SmoothedClassifier, average_certified_radius, certified_accuracy_score
from sksmooth.training import RobustNetClassifier

SIGMA, RADII = 0.5, (0.5, 1.0, 1.5)
METHODS = {
    "gaussian": ("cohen", {}),
    "stability": ("stab", {}),
    "consistency": ("consistency", {}),
    "macer": ("macer", {"method__n_noise": 4, "method__weight": 16.0}),
    "smoothadv": ("smoothadv", {"method__n_noise": 2, "method__n_steps": 4}),
    "smoothmix": (None, {"method__n_steps": 4, "method__warmup_epochs": 2}),
}


class LeNet(nn.Sequential):
    """Two convolutions with pooling and two linear layers, as in the published runs."""

    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 20, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(20, 50, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(800, 500),
            nn.ReLU(),
            nn.Linear(500, 10),
        )


def images(folder, part, n):
    """Return the first n images of a part, in [0, 1], and their labels."""
    with np.load(folder / "images" / f"mnist_{part}.npz") as arrays:
        X = arrays["X"][:n, None].astype(np.float32) / 255
        return X, arrays["y"][:n].astype(np.int64)


def certified(method, params, train, test, options):
    """Average radius, certified accuracies, and seconds of training."""
    torch.manual_seed(0)
    net = RobustNetClassifier(
        LeNet,
        method=method,
        lr=0.02,
        optimizer__momentum=0.9,
        max_epochs=options.epochs,
        batch_size=128,
        train_split=None,
        verbose=0,
        **params,
    )
    clf = SmoothedClassifier(net, sigma=SIGMA, n_estimation=options.draws, random_state=0)
    start = time.perf_counter()
    clf.fit(*train)
    seconds = time.perf_counter() - start
    certificate = clf.certify(test[0])
    accuracies = [certified_accuracy_score(test[1], certificate, radius=r) for r in RADII]
    return [average_certified_radius(test[1], certificate), *accuracies], seconds


def published(folder, name, n):
    """Return the same figures of a published run on the first n test images."""
    with np.load(folder / "published" / f"jeong2020_mnist_{name}_sigma0.50.npz") as run:
        chosen = run["idx"] < n
        radius = np.where(run["correct"][chosen] == 1, run["radius"][chosen], 0.0)
        right = run["correct"][chosen] == 1
        return [radius.mean(), *((right & (radius >= r)).mean() for r in RADII)]


def main():
    """Train, certify, print and write the table of the guide."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--train", type=int, default=10_000)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--draws", type=int, default=10_000)
    options = parser.parse_args()
    folder = Path(os.environ["SKSMOOTH_DATA"])
    train, test = images(folder, "train", options.train), images(folder, "test", options.test)
    rows = []
    for method in options.methods:
        name, params = METHODS[method]
        figures, seconds = certified(method, params, train, test, options)
        theirs = published(folder, name, options.test) if name else [None] * 4
        cells = [
            f"{ours:.3f} ({'-' if other is None else f'{other:.3f}'})"
            for ours, other in zip(figures, theirs, strict=True)
        ]
        changed = ", ".join(f"{key[8:]}={value:g}" for key, value in params.items()) or "-"
        rows.append([method, *cells, changed])
        print(as_text(["method"], [[*rows[-1], f"{seconds:.0f} s"]]), flush=True)
    header = [
        "method",
        "average radius",
        *(f"certified at {r}" for r in RADII),
        "other than published",
    ]
    print(as_text(header, rows))
    write_for_docs("robust_training", header, rows)


if __name__ == "__main__":
    main()
