"""What does a denoiser buy a net that was trained without noise?

Nets that others trained without noise are certified as they are, and behind denoisers that learn
from two noisy copies of training images: small U-nets, which learn the pixels, the answers of the
net, or first one and then the other. Images and weights are read from the folder that SKSMOOTH_DATA
names: a small convolutional net for MNIST under much noise, a ResNet-20 for CIFAR-10 under less.

    python -m benchmarks.denoising [mnist cifar10]
"""

import argparse
import os
import time
import warnings
from dataclasses import dataclass
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
from sksmooth.nets import as_classifier
from sksmooth.training import Denoiser

LOSSES = {"none": None, "pixels": "mse", "answers": "stability", "both": "mse+stability"}


class Standardized(nn.Module):
    """Shift and scale of the inputs."""

    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, X):
        return (X - self.mean) / self.std


def conv_small(path):
    """Return the net for MNIST, for images in [0, 1]."""
    first = [nn.Conv2d(1, 16, 4, 2), nn.ReLU(), nn.Conv2d(16, 32, 4, 2), nn.ReLU(), nn.Flatten()]
    layers = nn.Sequential(*first, nn.Linear(800, 100), nn.ReLU(), nn.Linear(100, 10))
    with np.load(path) as arrays:
        mean, std = float(arrays["input_mean"][0]), float(arrays["input_std"][0])
        state = {name: torch.as_tensor(arrays[name]) for name in layers.state_dict()}
    layers.load_state_dict(state)
    return nn.Sequential(Standardized(mean, std), *layers).eval()


@dataclass(frozen=True)
class Case:
    """A net, its images, and the size of what is tried."""

    load: object
    weights: str
    parts: tuple
    sigma: float
    n_channels: int
    n_train: int
    n_epochs: int
    every: int
    radii: tuple


CASES = {
    "mnist": Case(
        conv_small, "mnist_convsmall_nat", ("train",), 1.0, 1, 20_000, 4, 40, (0.25, 0.5, 1.0)
    ),
    "cifar10": Case(
        ResNet20.from_file,
        "cifar10_resnet20",
        ("train_1", "train_2"),
        0.25,
        3,
        10_000,
        3,
        200,
        (0.25, 0.5),
    ),
}


def images(folder, data, parts, every=1, n=None):
    """Return images of shape (channels, height, width) in [0, 1], and their labels."""
    X, y = [], []
    for part in parts:
        with np.load(folder / "images" / f"{data}_{part}.npz") as arrays:
            X.append(arrays["X"])
            y.append(arrays["y"])
    X, y = np.concatenate(X)[:n:every], np.concatenate(y)[:n:every].astype(np.int64)
    X = X[:, None] if X.ndim == 3 else X.transpose(0, 3, 1, 2)
    return X.astype(np.float32, order="C") / 255, y


def convolution(n_in, n_out, stride=1):
    """Return a convolution with what follows it."""
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, stride, 1), nn.ReLU())


class UNet(nn.Module):
    """Denoiser of images: estimates the noise at three resolutions."""

    def __init__(self, n_channels, n=16):
        super().__init__()
        self.fine = convolution(n_channels, n)
        self.middle = nn.Sequential(convolution(n, 2 * n, 2), convolution(2 * n, 2 * n))
        self.coarse = nn.Sequential(convolution(2 * n, 4 * n, 2), convolution(4 * n, 4 * n))
        self.to_middle = nn.ConvTranspose2d(4 * n, 2 * n, 2, 2)
        self.at_middle = convolution(4 * n, 2 * n)
        self.to_fine = nn.ConvTranspose2d(2 * n, n, 2, 2)
        self.at_fine = nn.Sequential(convolution(2 * n, n), nn.Conv2d(n, n_channels, 3, 1, 1))

    def forward(self, X):
        fine = self.fine(X)
        middle = self.middle(fine)
        middle = self.at_middle(torch.cat([self.to_middle(self.coarse(middle)), middle], dim=1))
        return X - self.at_fine(torch.cat([self.to_fine(middle), fine], dim=1))


def regressor(case):
    """Return a denoiser to be trained."""
    torch.manual_seed(0)
    return NeuralNetRegressor(
        UNet(case.n_channels).to(memory_format=torch.channels_last),
        optimizer=torch.optim.Adam,
        lr=0.001,
        batch_size=64,
        max_epochs=case.n_epochs,
        callbacks=[LRScheduler("CosineAnnealingLR", T_max=case.n_epochs)],
        train_split=None,
    )


def certified(case, module, loss, train, X_test, draws):
    """Certificate of a net behind a denoiser that has learned by a loss; None: without."""
    model = as_classifier(module, classes=range(10))
    if loss is not None:
        denoiser = Denoiser(
            regressor(case), loss=loss, classifier=module, n_augment=2, random_state=0
        )
        model = make_pipeline(denoiser, model)
    clf = SmoothedClassifier(model, sigma=case.sigma, n_estimation=draws, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoiseCollapseWarning)
        return clf.fit(*train).certify(X_test)


def main():
    """Certify with every denoiser, print and write the tables of the guide."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="*", default=list(CASES))
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    folder = Path(os.environ["SKSMOOTH_DATA"])
    for data in options.data:
        case, rows = CASES[data], []
        train = images(folder, data, case.parts, n=case.n_train)
        X_test, y_test = images(folder, data, ["test"], every=case.every)
        module = case.load(folder / "weights" / f"{case.weights}.npz")
        header = ["denoiser learns", "average radius", *(f"certified at {r}" for r in case.radii)]
        for name, loss in LOSSES.items():
            start = time.process_time()
            certificate = certified(case, module, loss, train, X_test, options.draws)
            scores = [certified_accuracy_score(y_test, certificate, radius=r) for r in case.radii]
            figures = [average_certified_radius(y_test, certificate), *scores]
            rows.append([name, *(f"{figure:.3f}" for figure in figures)])
            print(*rows[-1], f"{time.process_time() - start:.0f} s", sep="  ", flush=True)
            write_for_docs(f"denoised_smoothing_{data}", header, rows)
        print(as_text(header, rows))


if __name__ == "__main__":
    main()
