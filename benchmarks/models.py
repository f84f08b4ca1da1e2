"""Data and base models of the comparisons, trained on noisy copies."""

import os
from functools import cache
from pathlib import Path

import numpy as np
import skorch
import torch
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from torch import nn

from benchmarks.resnet import ResNet20

SIGMA, N_TRAIN = 0.25, 1000


@cache
def data(name):
    """Return inputs in [0, 1] as float32, one row per image, and labels."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return (X / 16).astype(np.float32), y
    folder = Path(os.environ["SKSMOOTH_DATA"]) / "images"
    file = {"MNIST": "mnist_train.npz", "CIFAR-10": "cifar10_test.npz"}[name]
    with np.load(folder / file) as archive:
        X, y = archive["X"][:3000], archive["y"][:3000]
    if X.ndim == 4:
        X = np.moveaxis(X, 3, 1)  # channels first, as nets of torch take them
    return X.reshape(len(X), -1).astype(np.float32) / 255, y.astype(np.int64)


def small_cnn(side, n_channels=1):
    """Two convolutions and a pooling, skorch around them."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Unflatten(1, (n_channels, side, side)),
        nn.Conv2d(n_channels, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * (side // 2) ** 2, 10),
    )
    return skorch.NeuralNetClassifier(
        module,
        criterion=nn.CrossEntropyLoss,
        max_epochs=15,
        lr=0.1,
        batch_size=64,
        verbose=0,
        train_split=None,
        iterator_valid__batch_size=512,
    )


def resnet20():
    """Return the ResNet-20 of CIFAR-10 with its published weights, for images in one row each."""
    path = Path(os.environ["SKSMOOTH_DATA"]) / "weights" / "cifar10_resnet20.npz"
    net = skorch.NeuralNetClassifier(
        nn.Sequential(nn.Unflatten(1, (3, 32, 32)), ResNet20.from_file(path)),
        criterion=nn.CrossEntropyLoss,
        classes=list(range(10)),
        train_split=None,
        verbose=0,
        iterator_valid__batch_size=64,
    )
    return net.initialize()


MAKERS = {
    "logistic regression": lambda data_name: LogisticRegression(max_iter=100),
    "MLP(100)": lambda data_name: MLPClassifier(max_iter=20, random_state=0),
    "random forest": lambda data_name: RandomForestClassifier(random_state=0),
    "HistGradientBoosting": lambda data_name: HistGradientBoostingClassifier(random_state=0),
    "SVC rbf": lambda data_name: SVC(),
    "CNN": lambda data_name: small_cnn({"digits": 8, "MNIST": 28}[data_name]),
    "ResNet-20": lambda data_name: resnet20(),
}


@cache
def trained(model_name, data_name):
    """Fit a base model on noisy copies of 1,000 rows, unless it comes with its weights."""
    model = MAKERS[model_name](data_name)
    if model_name == "ResNet-20":
        return model
    X, y = data(data_name)
    n_copies = 10 if model_name == "CNN" else 3
    X, y = np.tile(X[:N_TRAIN], (n_copies, 1)), np.tile(y[:N_TRAIN], n_copies)
    noise = np.random.default_rng(0).normal(scale=SIGMA, size=X.shape)
    return model.fit(X + noise.astype(np.float32), y)


def unseen_rows(data_name, n_rows):
    """Rows that no model was trained on."""
    X, _ = data(data_name)
    return X[N_TRAIN : N_TRAIN + n_rows]
