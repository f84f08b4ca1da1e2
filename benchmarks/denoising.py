"""What does a denoiser buy a net that was trained without noise?

A small convolutional net for MNIST, trained by others without noise (weights of the folder that
SKSMOOTH_DATA names), is certified as it is, and behind denoisers that learn from 10,000 images.

    python -m benchmarks.denoising
"""

import argparse
import os
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetRegressor
from torch import nn

from benchmarks._tables import as_text, write_for_docs
from benchmarks.training import images
from sksmooth import SmoothedClassifier, average_certified_radius, certified_accuracy_score
from sksmooth.exceptions import NoiseCollapseWarning
from sksmooth.modules import as_classifier
from sksmooth.training import Denoiser

RADII = (0.25, 0.5, 1.0)


class Standardized(nn.Module):
    """Shift and scale of the inputs."""

    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, X):
        return (X - self.mean) / self.std


def naive_net(folder):
    """Return the published net, for images in [0, 1]."""
    layers = nn.Sequential(
        nn.Conv2d(1, 16, 4, 2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 4, 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(800, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )
    with np.load(folder / "weights" / "mnist_convsmall_nat.npz") as arrays:
        mean, std = float(arrays["input_mean"][0]), float(arrays["input_std"][0])
        layers.load_state_dict(
            {name: torch.as_tensor(arrays[name]) for name in layers.state_dict()}
        )
    return nn.Sequential(Standardized(mean, std), *layers).eval()


def net_of_pixels():
    """Return a denoiser with one hidden layer."""
    torch.manual_seed(0)
    return NeuralNetRegressor(
        nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 512),
            nn.ReLU(),
            nn.Linear(512, 784),
            nn.Unflatten(1, (1, 28, 28)),
        ),
        optimizer=torch.optim.Adam,
        lr=0.001,
        batch_size=128,
        max_epochs=10,
        train_split=None,
        verbose=0,
    )


def main():
    """Certify with every denoiser, print and write the table of the guide."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sigma", type=float, default=1.0)
    parser.add_argument("--train", type=int, default=10_000)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    folder = Path(os.environ["SKSMOOTH_DATA"])
    X, y = images(folder, "train", options.train)
    X_test, y_test = images(folder, "test", options.test)
    module = naive_net(folder)
    net = as_classifier(module, classes=range(10))
    common = {"n_augment": 2, "random_state": 0, "clip": (0, 1)}
    models = {
        "none": net,
        "ridge": make_pipeline(Denoiser(Ridge(), flatten=True, **common), net),
        "net, pixels": make_pipeline(Denoiser(net_of_pixels(), **common), net),
        "net, pixels and answers": make_pipeline(
            Denoiser(net_of_pixels(), loss="mse+stability", classifier=module, **common), net
        ),
    }
    rows = []
    for name, model in models.items():
        clf = SmoothedClassifier(
            model, sigma=options.sigma, n_estimation=options.draws, random_state=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoiseCollapseWarning)
            certificate = clf.fit(X, y).certify(X_test)
        accuracies = [certified_accuracy_score(y_test, certificate, radius=r) for r in RADII]
        figures = [average_certified_radius(y_test, certificate), *accuracies]
        rows.append([name, *(f"{figure:.3f}" for figure in figures)])
        print(*rows[-1], sep="  ", flush=True)
    header = ["denoiser", "average radius", *(f"certified at {r}" for r in RADII)]
    print(as_text(header, rows))
    write_for_docs("denoised_smoothing", header, rows)


if __name__ == "__main__":
    main()
