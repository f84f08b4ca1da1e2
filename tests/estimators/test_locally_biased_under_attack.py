"""Certificates of the locally biased smoother under gradient descent, in 64 dimensions."""

from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC

from sksmooth import LocallyBiasedSmoother
from sksmooth.attacks import project, projected_gradient, towards_points
from sksmooth.smooth_scores import smooth_score

NORMS = [1, 2, np.inf]
SIZE = {1: 0.6, 2: 0.3, np.inf: 0.05}


@cache
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16, y


def softplus_net(X, y):
    import torch

    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(64, 12), torch.nn.Softplus(), torch.nn.Linear(12, len(np.unique(y)))
    )
    inputs, labels = torch.as_tensor(X, dtype=torch.float32), torch.as_tensor(y)
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        size = sum((weights**2).sum() for weights in net.parameters())
        value = torch.nn.functional.cross_entropy(net(inputs), labels) + 1e-3 * size
        value.backward()
        return value

    optimizer.step(loss)
    return net.eval()


def tanh_network(X, y):
    model = MLPClassifier((12,), activation="tanh", alpha=1.0, solver="lbfgs", max_iter=400)
    return model.set_params(random_state=0).fit(X, y)


MAKERS = {
    "linear": lambda X, y: LogisticRegression(max_iter=500).fit(X, y),
    "rbf": lambda X, y: OneVsRestClassifier(SVC(gamma=0.05)).fit(X, y),
    "mlp": tanh_network,
    "torch softplus": softplus_net,
}


@cache
def base(name, n_classes):
    """Base model, and labels: the digits, or whether they are 5 or more."""
    X, y = digits()
    y = y if n_classes == 10 else (y >= 5).astype(int)
    return MAKERS[name](X[:600], y[:600]), y


def margin_gradient(score, X, winner, n_classes):
    """Gradient of the winner over its runner-up at X, as a function."""
    if n_classes == 2:
        signs = np.where(winner == 1, 1, -1)[:, None]
        return lambda rows: score.gradient(rows)[:, 0] * signs
    rows_of, values = np.arange(len(X)), score.value(X)
    values[rows_of, winner] = -np.inf
    runner_up = values.argmax(axis=1)

    def gradient(rows):
        slopes = score.gradient(rows)
        return slopes[rows_of, winner] - slopes[rows_of, runner_up]

    return gradient


def share_kept(clf, X, certificate, inflation):
    """Share of rows that keep their class under all attacks within inflated radii."""
    radius = inflation * certificate.radius[:, None]
    winner = np.searchsorted(clf.classes_, certificate.prediction)
    descent = margin_gradient(smooth_score(clf.estimator_), X, winner, len(clf.classes_))
    down = projected_gradient(descent, X, np.ones(len(X)), radius=radius, norm=clf.norm, n_steps=25)
    kept = clf.predict(down) == certificate.prediction
    for towards in towards_points(
        X,
        clf.reference_points_,
        certificate.prediction,
        clf.reference_labels_,
        radius=radius,
        norm=clf.norm,
        n_points=3,
    ):
        kept &= clf.predict(towards) == certificate.prediction
        between = X + project((towards - X) + (down - X), radius, clf.norm)
        kept &= clf.predict(between) == certificate.prediction
    return kept.mean()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("name", list(MAKERS))
def test_gradient_descent_breaks_no_certificate(name, n_classes, norm):
    model, y = base(name, n_classes)
    X, rows = digits()[0], digits()[0][1200:1220]
    for alpha, n_neighbors in ((0.0, 1), (SIZE[norm], 1), (0.3 * SIZE[norm], 3)):
        clf = LocallyBiasedSmoother(
            FrozenEstimator(model), alpha=alpha, norm=norm, n_neighbors=n_neighbors
        )
        certificate = clf.fit(X[600:900], y[600:900]).certify(rows)
        assert (certificate.radius > 0).mean() > 0.8
        assert share_kept(clf, rows, certificate, 1.0) == 1
        if alpha == 0:  # the control
            assert share_kept(clf, rows, certificate, 4.0) < 0.5
