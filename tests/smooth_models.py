"""Fitted models of every family, for the tests of smooth scores and of what is built on them."""

from functools import cache
from itertools import product

import numpy as np
from sklearn.datasets import make_blobs, make_moons
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, Matern, WhiteKernel
from sklearn.linear_model import (
    LogisticRegression,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC, NuSVC

MOONS = make_moons(80, noise=0.15, random_state=0)
BLOBS = make_blobs(90, n_features=3, centers=3, cluster_std=2.0, random_state=0)
BLOBS_OF_TWO = make_blobs(70, n_features=4, centers=2, cluster_std=4.0, random_state=1)


def mlp(*sizes, activation="tanh"):
    return MLPClassifier(
        sizes, activation=activation, alpha=0.3, solver="lbfgs", max_iter=3000, random_state=0
    )


def make_models():
    """Models for two classes in the plane, for two in four dimensions, and for three classes."""
    two = {
        "svc rbf": SVC(gamma=2.0),
        "nu-svc rbf": NuSVC(gamma=1.0),
        "svc linear": SVC(kernel="linear"),
        "svc poly 2": SVC(kernel="poly", degree=2, coef0=1.0),
        "svc poly 3": SVC(kernel="poly", degree=3, coef0=0.5),
        "svc sigmoid": SVC(kernel="sigmoid", gamma=0.5),
        "gpc rbf": GaussianProcessClassifier(3.0 * RBF([0.7, 0.9]), optimizer=None),
        "gpc matern 3/2": GaussianProcessClassifier(2.0 * Matern(0.8, nu=1.5), optimizer=None),
        "gpc matern 5/2": GaussianProcessClassifier(
            Matern(0.8, nu=2.5) + WhiteKernel(0.1), optimizer=None
        ),
        "mlp tanh": mlp(8),
        "mlp logistic 2": mlp(6, 5, activation="logistic"),
        "mlp tanh 3": mlp(5, 4, 3),
        "pipeline svc": make_pipeline(StandardScaler(), PCA(2), SVC(gamma=1.0)),
        "pipeline poly": make_pipeline(RobustScaler(), SVC(kernel="poly", coef0=1.0)),
        "pipeline mlp": make_pipeline(MinMaxScaler(), mlp(6)),
        "frozen": FrozenEstimator(SVC(gamma=0.5).fit(*MOONS)),
    }
    four = {
        "logistic": LogisticRegression(),
        "perceptron": Perceptron(),
        "ridge": RidgeClassifier(),
        "ridge cv": RidgeClassifierCV(),
        "sgd": SGDClassifier(random_state=0),
        "linear svc": LinearSVC(random_state=0),
        "lda": LinearDiscriminantAnalysis(),
        "qda": QuadraticDiscriminantAnalysis(),
        "naive bayes": GaussianNB(),
        "mlp identity": mlp(3, 2, activation="identity"),
        "pipeline pca": make_pipeline(MaxAbsScaler(), PCA(2), QuadraticDiscriminantAnalysis()),
        "pipeline gpc": make_pipeline(
            StandardScaler(), GaussianProcessClassifier(RBF(1.5), optimizer=None)
        ),
    }
    three = {
        "logistic 3": LogisticRegression(),
        "qda 3": QuadraticDiscriminantAnalysis(),
        "naive bayes 3": GaussianNB(),
        "mlp 3": mlp(6),
        "ovr svc": OneVsRestClassifier(SVC(gamma=0.3)),
        "ovr pipelines": OneVsRestClassifier(make_pipeline(StandardScaler(), SVC(gamma=0.3))),
        "gpc 3": GaussianProcessClassifier(RBF(2.0), optimizer=None),
        "pipeline nb 3": make_pipeline(StandardScaler(), PCA(), GaussianNB()),
    }
    groups = ((two, MOONS), (four, BLOBS_OF_TWO), (three, BLOBS))
    return {name: (model, data) for models, data in groups for name, model in models.items()}


def torch_modules(seed=0):
    """Modules with smooth activations, for two inputs."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    normed = nn.Sequential(
        nn.Linear(2, 6), nn.BatchNorm1d(6), nn.Softplus(beta=2.0), nn.Dropout(), nn.Linear(6, 2)
    )
    normed(torch.randn(64, 2) * 2)  # running statistics
    return {
        "softplus": normed,
        "elu, one logit": nn.Sequential(nn.Linear(2, 5), nn.ELU(), nn.Linear(5, 1), nn.Sigmoid()),
        "gelu, three classes": nn.Sequential(
            nn.Flatten(), nn.Linear(2, 5), nn.GELU(), nn.Linear(5, 3), nn.Softmax(dim=1)
        ),
        "silu and tanh": nn.Sequential(
            nn.Sequential(nn.Linear(2, 5), nn.SiLU()), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)
        ),
    }


@cache
def trained_modules():
    """Return modules for two inputs that were trained for a while, with their data."""
    import torch

    data = {2: MOONS, 3: make_blobs(90, centers=3, cluster_std=2.0, random_state=0)}
    modules = {}
    for name, module in torch_modules().items():
        X, y = data[2 if name in ("softplus", "elu, one logit") else 3]
        inputs, labels = torch.as_tensor(X, dtype=torch.float32), torch.as_tensor(y)
        layers = [layer for layer in module.eval() if not isinstance(layer, torch.nn.Sigmoid)]
        logits = torch.nn.Sequential(*layers)
        optimizer = torch.optim.LBFGS(module.parameters(), max_iter=40)

        def step(logits=logits, optimizer=optimizer, inputs=inputs, labels=labels):
            optimizer.zero_grad()
            outputs = logits(inputs)
            if outputs.shape[1] == 1:
                outputs = torch.cat([torch.zeros_like(outputs), outputs], dim=1)
            size = sum((weights**2).sum() for weights in logits.parameters())
            loss = torch.nn.functional.cross_entropy(outputs, labels) + 1e-2 * size
            loss.backward()
            return loss

        optimizer.step(step)
        modules[name] = module, X, y
    return modules


def rows_like(X, n, seed=0, spread=1.5):
    """Random rows around and beyond those of X."""
    rng = np.random.default_rng(seed)
    return X.mean(axis=0) + spread * X.std(axis=0) * rng.normal(size=(n, X.shape[1]))


@cache
def fitted(name):
    """Return a fitted model by its name, and the data that it was fitted to."""
    model, (X, y) = make_models()[name]
    return model.fit(X, y), X, y


def largest_curvature(score, weights, X, norm, step=1e-5):
    """Norm of the Hessian of a margin at every row, by differences of the gradient."""
    hessians = np.stack(
        [
            np.einsum("s,msd->md", weights, score.gradient(X + e) - score.gradient(X - e))
            for e in step * np.eye(X.shape[1])
        ],
        axis=1,
    ) / (2 * step)
    hessians = (hessians + hessians.transpose(0, 2, 1)) / 2
    if norm == 1:
        return np.abs(hessians).max(axis=(1, 2))
    if norm == 2:
        return np.abs(np.linalg.eigvalsh(hessians)).max(axis=1)
    signs = np.array(list(product([-1, 1], repeat=X.shape[1])))
    return np.abs(signs @ hessians).sum(axis=2).max(axis=1)


def climb(objective, X, rng, *, scale, steps, keep=lambda X: X):
    """Raise an objective by random steps from the rows of X; return the values reached."""
    best, X = objective(X), X.copy()
    for _ in range(steps):
        size = 10.0 ** rng.uniform(-2, 0, size=(len(X), 1))
        Y = keep(X + size * scale * rng.normal(size=X.shape))
        value = objective(Y)
        better = value > best
        X[better], best[better] = Y[better], value[better]
    return best
