"""Gaussian noise: the law of its draws and its closed-form certificate."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, special, stats

from sksmooth.noise import GaussianNoise

# n_features, sigma, norm, p_lower, radius: 25-digit arithmetic, rounded to doubles
GOLDEN = [
    (64, 0.25, 1, 0.51, 0.0062672270646777645),
    (64, 0.25, 3, 0.51, 0.0031336135323388823),
    (64, 0.5, np.inf, 0.51, 0.0015668067661694411),
    (784, 0.25, np.inf, 0.51, 0.00022382953802420588),
    (784, 0.5, 3, 0.51, 0.0041278073013658992),
    (None, 1.0, 2, 0.9993094630025899, 3.1985775147383316),
    (None, 1.0, 2, 0.9999309248330094, 3.8114565633899519),
    (None, 1.0, 2, 0.9999970042722136, 4.5266906186505677),
]
# p_lower, p_upper, radius for sigma = 1
GOLDEN_BILATERAL = [
    (0.7, 0.1, 0.90297603912632055),
    (0.9, 0.05, 1.4632025962480366),
    (0.6, 0.4, 0.25334710313579974),
    (0.6, 0.3, 0.38887380792192028),
]


@pytest.mark.parametrize(("n_features", "sigma", "norm", "p", "radius"), GOLDEN)
def test_golden_values(n_features, sigma, norm, p, radius):
    got = GaussianNoise(sigma).radius(p, n_features=n_features, norm=norm)
    assert_allclose(got, radius, rtol=1e-12)
    assert got <= radius


@pytest.mark.parametrize(("p_lower", "p_upper", "radius"), GOLDEN_BILATERAL)
def test_golden_bilateral_values(p_lower, p_upper, radius):
    got = GaussianNoise(1.0).radius(p_lower, p_upper)
    assert_allclose(got, radius, rtol=1e-12)
    assert got <= radius


def test_never_above_the_exact_radius():
    """Going back from the radius to the probability that it needs never asks for more."""
    q = 10.0 ** np.linspace(-15, np.log10(0.4), 500)
    p = 1 - q
    radius = GaussianNoise(1.0).radius(p)
    assert (special.ndtr(-radius) >= (1 - p)).all()


def test_never_above_the_exact_radius_where_the_quantiles_nearly_cancel():
    p = np.linspace(0.3, 0.49, 41)
    radius = GaussianNoise(1.0).radius(p, p - 1e-15)
    density = np.exp(-(special.ndtri(p) ** 2) / 2) / np.sqrt(2 * np.pi)
    assert (radius <= (p - (p - 1e-15)) / density / 2 * 1.01).all()


@pytest.mark.parametrize("sigma", [0.7, 0.1, 0.25, 1 / 3])
def test_noise_is_at_least_as_wide_as_stated_in_every_dtype(sigma):
    unit = GaussianNoise(1.0).draw(100, (3,), np.random.default_rng(0), np.float32)
    draws = GaussianNoise(sigma).draw(100, (3,), np.random.default_rng(0), np.float32)
    widths = np.abs(draws.astype(float)) / np.abs(unit.astype(float))
    assert widths.mean() >= sigma * (1 - 1e-8)


def test_parameters_of_narrow_types_lose_nothing():
    wide = GaussianNoise(float(np.float16(0.1))).radius(0.99, n_features=150528, norm=np.inf)
    narrow = GaussianNoise(np.float16(0.1)).radius(0.99, n_features=150528, norm=np.inf)
    assert narrow == wide


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws_are_normal(dtype):
    draws = GaussianNoise(2.0).draw(50_000, (2,), np.random.default_rng(0), dtype)
    assert stats.kstest(draws[:, 0].astype(float) / 2, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(draws.T)[0, 1]) < 4 / np.sqrt(50_000)
    # negative control: the test notices another law of the same variance
    uniform = np.random.default_rng(0).uniform(-np.sqrt(3), np.sqrt(3), 50_000)
    assert stats.kstest(uniform, "norm").pvalue < 1e-6


@pytest.mark.parametrize("norm", [1, 1.5, 2, 3, 8, np.inf])
def test_converted_ball_is_the_largest_inscribed_one(norm):
    """The farthest point of the lp ball, in l2, lies on the certified sphere."""
    n_features = 7
    noise = GaussianNoise(0.5)
    converted = noise.radius(0.9, n_features=n_features, norm=norm)
    corners = np.array([np.eye(n_features)[0], np.ones(n_features)])
    corners = corners / np.linalg.norm(corners, ord=norm, axis=1)[:, None]
    farthest = converted * np.linalg.norm(corners, axis=1).max()
    assert_allclose(farthest, noise.radius(0.9), rtol=1e-12)


def test_linear_classifier_attains_the_radius():
    """Cohen's bound is tight: a half-space of probability p changes its vote at the radius."""
    noise = GaussianNoise(0.5)
    for p in (0.6, 0.9, 0.999):
        margin = optimize.brentq(lambda m, p=p: special.ndtr(m / 0.5) - p, 0, 10)
        radius = noise.radius(p)
        assert special.ndtr((margin - radius) / 0.5) >= 0.5  # still the majority
        assert special.ndtr((margin - 1.001 * radius) / 0.5) < 0.5


def test_radius_needs_the_dimension_only_where_it_matters():
    noise = GaussianNoise(0.5)
    assert noise.radius(0.9, norm=1) == noise.radius(0.9)
    with pytest.raises(ValueError, match="norm=inf needs n_features"):
        noise.radius(0.9, norm=np.inf)
    with pytest.raises(ValueError, match=r"norm must be a number p in \[1, inf\]"):
        noise.radius(0.9, norm=0.5)
