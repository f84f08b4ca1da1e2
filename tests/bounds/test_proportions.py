"""Confidence bounds: golden values, and coverage by exact enumeration."""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sksmooth.bounds import (
    clopper_pearson_lower,
    clopper_pearson_upper,
    min_draws_to_certify,
    runner_up_upper_bound,
)

# successes, draws, alpha, lower bound (25-digit arithmetic), one minus it, upper bound
GOLDEN = [
    (0, 10, 0.05, 0.0, 1.0, 0.2588655508930523),
    (6, 10, 0.05, 0.30353721256404204, 0.6964627874359577, 0.84997175919332),
    (6, 10, 0.0005, 0.12455123316906172, 0.8754487668309383, 0.9586955032659588),
    (51, 100, 0.0005, 0.34485454868217025, 0.6551454513178299, 0.6736285845511012),
    (1000, 10000, 0.05, 0.09510201345758411, 0.9048979865424159, 0.10507111658723023),
    (50001, 100000, 0.05, 0.49740428204658327, 0.5025957179534168, 0.502615717524976),
]


@pytest.mark.parametrize(("k", "n", "alpha", "lower", "one_minus_lower", "upper"), GOLDEN)
def test_golden_values(k, n, alpha, lower, one_minus_lower, upper):
    bound = clopper_pearson_lower(k, n, alpha)
    assert_allclose(bound, lower, rtol=1e-11)
    assert bound <= lower
    assert_allclose(1 - bound, one_minus_lower, rtol=1e-11)
    assert_allclose(clopper_pearson_upper(k, n, alpha), upper, rtol=1e-11)
    assert clopper_pearson_upper(k, n, alpha) >= upper * (1 - 1e-15)


@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize("n", [1, 7, 10_000])
def test_exact_at_the_ends(n, alpha):
    assert clopper_pearson_lower(0, n, alpha) == 0
    assert clopper_pearson_upper(n, n, alpha) == 1
    assert_allclose(clopper_pearson_lower(n, n, alpha), alpha ** (1 / n), rtol=1e-11)
    assert_allclose(clopper_pearson_upper(0, n, alpha), -np.expm1(np.log(alpha) / n), rtol=1e-11)


def worst_error(lower, n):
    """Largest probability, over every true proportion p, that the bound lies above p.

    The bounds increase with the count, so the bound is above p when the count is at least some
    k, and p can come as close to the bound of k from below as it likes: the supremum is attained
    at the bounds themselves.
    """
    k = np.arange(1, n + 1)
    return stats.binom.sf(k - 1, n, lower[1:]).max()


@pytest.mark.parametrize("alpha", [0.2, 0.05, 0.001])
def test_coverage_for_every_proportion_and_every_n_up_to_200(alpha):
    for n in range(1, 201):
        counts = np.arange(n + 1)
        lower = clopper_pearson_lower(counts, n, alpha)
        assert (np.diff(lower) > 0).all()
        assert worst_error(lower, n) <= alpha
        assert worst_error(lower, n) >= alpha * (1 - 1e-9)  # and no part of the error is wasted
        upper = clopper_pearson_upper(counts, n, alpha)
        assert worst_error((1 - upper)[::-1], n) <= alpha


def test_coverage_check_catches_a_bound_that_is_too_large():
    n, alpha = 100, 0.05
    counts = np.arange(n + 1)
    observed = counts / n
    wald = observed - stats.norm.isf(alpha) * np.sqrt(observed * (1 - observed) / n)
    assert worst_error(np.maximum(wald, 0), n) > alpha
    assert worst_error(clopper_pearson_lower(counts, n, alpha * 1.001), n) > alpha


@pytest.mark.parametrize("n", [1, 2, 5, 20, 60])
def test_coverage_in_exact_arithmetic(n):
    alpha = 0.001
    for k in range(1, n + 1):
        p = Fraction(float(clopper_pearson_lower(k, n, alpha)))
        tail = sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))
        assert tail <= Fraction(alpha)


@pytest.mark.parametrize(("k", "n", "alpha"), [(7, 10**7, 0.001), (2, 10**8, 0.05)])
def test_upper_bound_for_many_draws(k, n, alpha):
    """Few terms of the binomial law, to sixty digits."""

    def tail(p):
        return sum(Decimal(comb(n, j)) * p**j * (1 - p) ** (n - j) for j in range(k + 1))

    bound = Decimal(float(clopper_pearson_upper(k, n, alpha)))
    with localcontext() as context:
        context.prec = 60
        assert tail(bound) <= Decimal(alpha) < tail(bound * (1 - Decimal("1e-7")))


def test_a_million_bounds_equal_single_ones():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 1001, 1_000_000)
    bounds = clopper_pearson_lower(counts, 1000, 0.001)
    for i in rng.integers(0, len(counts), 20):
        assert bounds[i] == clopper_pearson_lower(counts[i], 1000, 0.001)


def test_broadcasts():
    bounds = clopper_pearson_lower([[5], [9]], [10, 20], 0.05)
    assert bounds.shape == (2, 2)
    assert bounds[1, 1] == clopper_pearson_lower(9, 20, 0.05)
    assert clopper_pearson_lower([], 10, 0.05).shape == (0,)


def runner_up_error(probabilities, n, alpha):
    """Exact probability that some class but the first is more probable than the bound."""
    counts = np.array([(n - b - c, b, c) for b in range(n + 1) for c in range(n + 1 - b)])
    bound = runner_up_upper_bound(counts, np.zeros(len(counts), int), n, alpha)
    mass = stats.multinomial.pmf(counts, n, probabilities)
    return mass[bound < max(probabilities[1:])].sum()


PROBABILITIES = [(1 - b - c, b, c) for b in np.arange(0.02, 0.7, 0.04) for c in (0.01, b / 2, b)]


@pytest.mark.parametrize("alpha", [0.1, 0.01])
def test_runner_up_bound_covers_every_other_class_whatever_the_probabilities(alpha):
    errors = [runner_up_error(p, 40, alpha) for p in PROBABILITIES if min(p) > 0]
    assert max(errors) <= alpha
    too_bold = [runner_up_error(p, 40, 2 * alpha) for p in PROBABILITIES if min(p) > 0]
    assert max(too_bold) > alpha  # the check notices a level that is too large


def test_runner_up_ignores_the_top_class():
    counts = np.array([[90, 4, 6], [4, 90, 6]])
    bound = runner_up_upper_bound(counts, np.array([0, 1]), 100, 0.05)
    assert bound[0] == bound[1] == clopper_pearson_upper(6, 100, 0.05)


@pytest.mark.parametrize("alpha", [0.25, 0.125, 0.05, 0.001, 1e-9])
def test_min_draws_is_the_smallest(alpha):
    n = min_draws_to_certify(alpha)
    assert clopper_pearson_lower(n, n, alpha) > 0.5
    assert n == 1 or clopper_pearson_lower(n - 1, n - 1, alpha) <= 0.5
