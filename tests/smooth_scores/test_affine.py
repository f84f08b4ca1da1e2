"""Scores behind affine maps: what the rounding of a huge offset does to a certificate."""

from dataclasses import dataclass

import numpy as np
import pytest

from sksmooth.certifiers.local_bias._bias import LocalBias
from sksmooth.certifiers.local_bias._neighbor_radii import ReferencePoints
from sksmooth.smooth_scores import SmoothScore
from sksmooth.smooth_scores._affine import AffineInput, after_affine
from sksmooth.smooth_scores._kernels import GAUSSIAN, KernelScore
from sksmooth.smooth_scores._norms import EPS
from sksmooth.smooth_scores._user import GivenLipschitz


@dataclass(frozen=True)
class Bowl(SmoothScore):
    """Score ``top - (z - center)^2 / 2``, whose constant 1 may not be known."""

    top: float
    center: float
    constant: float | None = None

    def value(self, X):
        return self.top - (X - self.center) ** 2 / 2

    def gradient(self, X):
        return -(X - self.center)[:, None, :]

    def rounding(self, X):
        return 8 * EPS * (abs(self.top) + (X - self.center) ** 2)

    def gradient_rounding(self, X):
        return 4 * EPS * np.abs(X - self.center)

    def lipschitz(self, weights, norm):
        if self.constant is None:
            raise ValueError("not known")
        return self.constant


def is_broken(score, x):
    """Whether an input within the certified radius has another class; None: nothing certified."""
    reference = ReferencePoints(np.array([[x], [x + 1e6]]), np.array([1, 0]), 2)
    bias = LocalBias(score, reference, 0.0, 2, "nearest", is_local=False)
    winner, radius = bias.certify(np.array([[x]]))
    if winner[0] != 1 or radius[0] <= 0:
        return None
    moved = x + radius[0] * np.linspace(-1, 1, 41) * (1 - 1e-12)
    moved = moved[np.abs(moved - x) < radius[0]][:, None]
    return bool((bias.decide(moved).argmax(axis=1) != 1).any())


@pytest.mark.parametrize("exponent", [10, 11, 12, 13])
def test_what_is_quadratic_in_the_rounding_of_the_input_counts(exponent):
    """At the top of a kernel the gradient passes nothing on, and the curvature does."""
    rng, n_certified = np.random.default_rng(0), 0
    for _ in range(200):
        offset = 10.0**exponent * rng.uniform(1, 3)
        step = np.spacing(offset)
        margin = step**2 * 10 ** rng.uniform(-2, 1)
        kernel = KernelScore(
            GAUSSIAN, np.array([[offset]]), np.ones((1, 1)), np.array([margin - 1.0]), 1.0
        )
        score = after_affine(kernel, np.ones(1), np.array([offset]))
        broken = is_broken(score, step * rng.uniform(-0.5, 0.5))
        assert broken is not True
        n_certified += broken is False
    assert n_certified == 0  # such margins are within the rounding


def test_a_given_constant_accounts_for_the_rounding_of_the_input():
    rng, n_certified = np.random.default_rng(0), 0
    for _ in range(400):
        offset, scale = -(10 ** rng.uniform(0, 12)), 10 ** rng.uniform(-3, 3)
        center = rng.choice([0.0, rng.normal(), -offset * rng.uniform(0, 2)])
        away = rng.normal() * 10 ** rng.uniform(-8, 0)
        top = away**2 / 2 + 10 ** rng.uniform(-16, 0)
        inner = AffineInput(Bowl(top, center), np.array([scale]), np.array([offset]))
        broken = is_broken(GivenLipschitz(inner, scale**2), (center + away - offset) / scale)
        assert broken is not True
        n_certified += broken is False
    assert n_certified > 100


def test_nothing_is_certified_where_no_constant_holds_for_all_of_space():
    score = AffineInput(Bowl(1.0, 0.0, np.inf), np.ones(1), np.array([1e6]))
    assert is_broken(score, -1e6 + 0.5) is None
    given = GivenLipschitz(AffineInput(Bowl(1.0, 0.0), np.ones(1), np.array([1e6])), 1.0)
    assert is_broken(given, -1e6 + 0.5) is False


def test_errors_that_no_movement_explains_are_infinite():
    matrix = np.array([[1.0, 0.0], [1.0, 0.0]])  # both features are copies of one
    score = AffineInput(Bowl(1.0, 0.0), matrix, np.ones(2))
    assert np.isinf(score.input_rounding(np.ones((1, 2)))).all()
    scaled = AffineInput(Bowl(1.0, 0.0), np.array([2.0, 0.0]), np.ones(2))
    assert np.isfinite(scaled.input_rounding(np.ones((1, 2)))).all()
