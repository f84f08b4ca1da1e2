"""Probabilities of intervals against many digits, far out and in thin slices."""

import numpy as np
import pytest
from marginal_reference import interval_probability
from numpy.testing import assert_allclose, assert_array_equal

from sksmooth.noise import GaussianNoise, LaplaceNoise, SplittingNoise, SupNormNoise, UniformNoise
from sksmooth.noise._marginals import marginal_of

FAMILIES = {"gaussian": GaussianNoise, "laplace": LaplaceNoise, "uniform": UniformNoise}


def intervals(n=400):
    """Values, and intervals of all sizes near and far from them, some without an end."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    low = x + 0.5 * rng.choice([-1, 1], n) * rng.uniform(0, 30, n) * rng.choice([0.05, 1], n)
    high = low + 10.0 ** rng.uniform(-12, 1.5, n)
    low[::9], high[4::9] = -np.inf, np.inf
    return x, low, high


@pytest.mark.parametrize("family", FAMILIES)
def test_probabilities_keep_their_relative_precision(family):
    marginal = marginal_of(FAMILIES[family](0.5))
    x, low, high = intervals()
    found = marginal.probability(x, low, high)
    expected = [interval_probability(family, 0.5, *map(float, row)) for row in zip(x, low, high)]
    expected = np.array([float(p) for p in expected])
    seen = expected > 1e-300
    assert seen.sum() > 100
    assert expected[seen].min() < (1e-11 if family == "uniform" else 1e-25)
    assert_allclose(found[~seen], 0, atol=1e-300)
    error = np.abs(found - expected)[seen]
    assert (error <= marginal.rounding * expected[seen] + marginal.slack).all()


def test_a_difference_of_distribution_functions_would_not_do():
    """The control: what the test above has to catch."""
    from scipy import stats

    x, low, high = intervals()
    naive = stats.norm.cdf(high, x, 0.5) - stats.norm.cdf(low, x, 0.5)
    good = marginal_of(GaussianNoise(0.5)).probability(x, low, high)
    assert (np.abs(naive - good) > 1e-6 * good)[good > 1e-300].sum() > 50


@pytest.mark.parametrize("family", FAMILIES)
def test_intervals_that_tile_the_line_have_all_probability(family):
    marginal = marginal_of(FAMILIES[family](0.3))
    ends = np.r_[-np.inf, np.sort(np.random.default_rng(1).normal(size=50)), np.inf]
    x = np.linspace(-3, 3, 40)[:, None]
    assert_allclose(marginal.probability(x, ends[:-1], ends[1:]).sum(axis=1), 1, rtol=1e-13)


def test_empty_intervals_have_none():
    for family in FAMILIES.values():
        marginal = marginal_of(family(0.3))
        nothing = marginal.probability(np.zeros(2), np.array([1.0, 0.0]), np.array([0.5, 0.0]))
        assert_array_equal(nothing, 0)


@pytest.mark.parametrize(
    "noise", [GaussianNoise(0.2, k=1), LaplaceNoise(0.2, k=1), SplittingNoise(), SupNormNoise()]
)
def test_features_that_are_not_independent_have_no_marginal(noise):
    assert marginal_of(noise) is None
