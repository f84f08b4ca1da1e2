"""Center certificates of outputs at the ends of the range of floats, in rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.frozen import FrozenEstimator

from sksmooth import CenterSmoothedRegressor
from sksmooth.distances import TotalVariation

RADIUS = 0.5
X = np.random.default_rng(0).normal(size=(30, 1))


class Function(RegressorMixin, BaseEstimator):
    """A function as a fitted model."""

    def __init__(self, function):
        self.function = function

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return self.function(X)


def rise(x, low, high):
    """Rise from one output to another with x, through all between."""
    share = 1 / (1 + np.exp(-3 * x))
    return (1 - share) * np.asarray(low) + share * np.asarray(high)


def tiny_boxes(x):
    left = np.where(x > 0, 5e-170, 0.0)
    return np.c_[left, left, left + 1e-170, left + 1e-170]


def last_bin(x):
    return np.c_[np.ones_like(x), np.ones_like(x), np.where(x > 0, np.inf, 1.0)]


def squared(a, b):
    return sum((Fraction(p) - Fraction(q)) ** 2 for p, q in zip(a.tolist(), b.tolist()))


def is_farther(name, a, b, bound):
    """Whether outputs are farther from each other than a bound says."""
    if np.isinf(bound):
        return False
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return True
    if name == "squared_euclidean":
        return squared(a, b) > Fraction(bound)
    if name == "variation":  # one change of two channels
        return squared(a[2:] - a[:2], b[2:] - b[:2]) > Fraction(bound) ** 2
    if name == "euclidean":
        return squared(a, b) > Fraction(bound) ** 2
    if name == "jaccard_boxes":
        return (a != b).any() and bound < 1  # boxes are equal or disjoint
    p, q = ([Fraction(v) for v in one] for one in (a.tolist(), b.tolist()))
    if name == "weighted_jaccard":
        return 1 - Fraction(sum(map(min, p, q)), sum(map(max, p, q))) > Fraction(bound)
    below = [sum(p[:i]) / sum(p) - sum(q[:i]) / sum(q) for i in range(1, len(p))]
    return sum(map(abs, below)) > Fraction(bound)


CASES = {
    "euclidean": lambda X: 1e-170 * X,
    "squared_euclidean": lambda X: 1e-170 * X,
    "variation": lambda X: np.c_[np.zeros_like(X), np.zeros_like(X), 3e-170 * X, 4e-170 * X],
    "jaccard_boxes": tiny_boxes,
    "weighted_jaccard": lambda X: rise(X, [1.7e308, 1.7e308], [1.7e308, 0.0]),
    "earth_mover": lambda X: rise(X, [1.7e308, 1.7e308, 0.0], [0.0, 1.7e308, 1.7e308]),
    "earth_mover with an infinite mass": last_bin,
}
VARIATION = TotalVariation((2, 2), channel_axis=-1, channel_norm=2)


@pytest.mark.parametrize("case", CASES)
def test_no_output_moves_farther_than_certified(case):
    name = case.split()[0]
    smoother = CenterSmoothedRegressor(
        FrozenEstimator(Function(CASES[case])),
        distance=VARIATION if name == "variation" else name,
        sigma=1.0,
        n_center=101,
        n_estimation=300,
        alpha=0.05,
        random_state=0,
    ).fit(X)
    certificate, moved = smoother.certify(X, radius=RADIUS), smoother.predict(X + RADIUS)
    pairs = zip(certificate.prediction, moved, certificate.output_radius)
    assert not sum(is_farther(name, a, b, bound) for a, b, bound in pairs)
    assert any(is_farther(name, a, b, 0.0) for a, b in zip(certificate.prediction, moved))
