"""What does a denoiser buy a net that was trained without noise?

A ResNet-20 for CIFAR-10, trained by others without noise, is certified as it is, and behind
denoisers that learn from two noisy copies of 10,000 training images: small U-nets, which learn the
pixels, the answers of the net, or first one and then the other. Images and weights are read from
the folder that SKSMOOTH_DATA names.

    python -m benchmarks.denoising
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetRegressor
from skorch.callbacks import LRScheduler
from torch import nn

from benchmarks._tables import as_text, write_for_docs
from benchmarks.resnet import ResNet20
from sksmooth import SmoothedClassifier, average_certified_radius, certified_accuracy_score
from sksmooth.exceptions import NoiseCollapseWarning
from sksmooth.modules import as_classifier
from sksmooth.training import Denoiser

RADII = (0.25, 0.5)
LOSSES = {"none": None, "pixels": "mse", "answers": "stability", "both": "mse+stability"}


def images(folder, parts, every=1, n=None):
    """Return images of shape (3, 32, 32) in [0, 1], and their labels."""
    X, y = [], []
    for part in parts:
        with np.load(folder / "images" / f"cifar10_{part}.npz") as arrays:
            X.append(arrays["X"])
            y.append(arrays["y"])
    X, y = np.concatenate(X)[:n:every], np.concatenate(y)[:n:every]
    return X.transpose(0, 3, 1, 2).astype(np.float32, order="C") / 255, y.astype(np.int64)


def convolution(n_in, n_out, stride=1):
    """Return a convolution with what follows it."""
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, stride, 1), nn.ReLU())


class UNet(nn.Module):
    """Denoiser of images of shape (3, 32, 32): estimates the noise at three resolutions."""

    def __init__(self, n=16):
        super().__init__()
        self.fine = convolution(3, n)
        self.middle = nn.Sequential(convolution(n, 2 * n, 2), convolution(2 * n, 2 * n))
        self.coarse = nn.Sequential(convolution(2 * n, 4 * n, 2), convolution(4 * n, 4 * n))
        self.to_middle = nn.ConvTranspose2d(4 * n, 2 * n, 2, 2)
        self.at_middle = convolution(4 * n, 2 * n)
        self.to_fine = nn.ConvTranspose2d(2 * n, n, 2, 2)
        self.at_fine = nn.Sequential(convolution(2 * n, n), nn.Conv2d(n, 3, 3, 1, 1))

    def forward(self, X):
        fine = self.fine(X)
        middle = self.middle(fine)
        middle = self.at_middle(torch.cat([self.to_middle(self.coarse(middle)), middle], dim=1))
        noise = self.at_fine(torch.cat([self.to_fine(middle), fine], dim=1))
        return X - noise


def regressor(n_epochs):
    """Return a denoiser to be trained."""
    torch.manual_seed(0)
    return NeuralNetRegressor(
        UNet().to(memory_format=torch.channels_last),
        optimizer=torch.optim.Adam,
        lr=0.001,
        batch_size=64,
        max_epochs=n_epochs,
        callbacks=[LRScheduler("CosineAnnealingLR", T_max=n_epochs)],
        train_split=None,
    )


def main():
    """Certify with every denoiser, print and write the table of the guide."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sigma", type=float, default=0.25)
    parser.add_argument("--train", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--every", type=int, default=200, help="test images: every so manieth")
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    folder = Path(os.environ["SKSMOOTH_DATA"])
    X, y = images(folder, ["train_1", "train_2"], n=options.train)
    X_test, y_test = images(folder, ["test"], every=options.every)
    module = ResNet20.from_file(folder / "weights" / "cifar10_resnet20.npz")
    net, rows = as_classifier(module, classes=range(10)), []
    header = ["denoiser learns", "average radius", *(f"certified at {r}" for r in RADII)]
    for name, loss in LOSSES.items():
        start, model = time.process_time(), net
        if loss is not None:
            torch.manual_seed(0)
            denoiser = Denoiser(
                regressor(options.epochs), loss=loss, classifier=module, n_augment=2, random_state=0
            )
            model = make_pipeline(denoiser, net)
        clf = SmoothedClassifier(
            model, sigma=options.sigma, n_estimation=options.draws, random_state=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoiseCollapseWarning)
            certificate = clf.fit(X, y).certify(X_test)
        accuracies = [certified_accuracy_score(y_test, certificate, radius=r) for r in RADII]
        figures = [average_certified_radius(y_test, certificate), *accuracies]
        rows.append([name, *(f"{figure:.3f}" for figure in figures)])
        print(*rows[-1], f"{time.process_time() - start:.0f} s", sep="  ", flush=True)
        write_for_docs("denoised_smoothing", header, rows)
    print(as_text(header, rows))


if __name__ == "__main__":
    main()
