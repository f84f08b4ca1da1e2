"""Tails and bounds of many trials against 30-digit arithmetic."""

import mpmath
import numpy as np
import pytest
from binomial_reference import exact_bound, tail
from scipy import special

from sksmooth.bounds import _binomial, clopper_pearson_lower, clopper_pearson_upper

# scipy's inverse beta functions are wrong around a parameter of 1000.
CASES = [*range(6), 10, 38, 39, 40, 41, 100, 997, 998, 999, 1000, 1001, 1002, 2500, 5000]


def distances(counts, n, alpha, outwards, bounds):
    """Relative distances of bounds from the exact ones, positive on the safe side."""
    for k, bound in zip(counts, bounds):
        exact = exact_bound(int(k), n, alpha, outwards, bound)
        yield float(outwards * (mpmath.mpf(bound) - exact) / exact)


def assert_proven_and_tight(counts, n, alpha):
    """No bound is on the wrong side, nor further from the exact one than it is said to be."""
    counts = np.array(counts)
    upper = clopper_pearson_upper(counts, n, alpha)
    too_large = np.array([*distances(counts, n, alpha, 1, upper)])
    assert (too_large >= 0).all()
    assert (too_large <= 1e-11 + 4e-16 / upper).all()
    counts = counts[counts > 0]
    lower = clopper_pearson_lower(counts, n, alpha)
    too_small = np.array([*distances(counts, n, alpha, -1, lower)])
    assert (too_small >= 0).all()
    assert (too_small <= 1e-11).all()


@pytest.mark.parametrize("alpha", [0.05, 1e-4, 1e-20])
@pytest.mark.parametrize("n", [10**6, 10**8, 10**9])
def test_bounds_of_many_trials(n, alpha):
    assert_proven_and_tight(CASES, n, alpha)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.05, 1e-4, 1e-8, 1e-20])
@pytest.mark.parametrize("n", [10**6, 10**8, 10**9])
def test_bounds_of_many_trials_one_by_one(n, alpha):
    assert_proven_and_tight(range(5001), n, alpha)


@pytest.mark.parametrize("outwards", [1, -1])
def test_the_inverse_alone_is_caught(outwards):
    k, n, alpha = np.arange(1, 40), 10**6, 0.05
    inverse = special.betainccinv if outwards > 0 else special.betaincinv
    parameters = (k + 1, n - k) if outwards > 0 else (k, n - k + 1)
    assert min(distances(k, n, alpha, outwards, inverse(*parameters, alpha))) < 0


@pytest.mark.parametrize("wrong", [0.0, np.nan, 1e-9, 0.5, 0.99, 1 + 1e-9, 1.1, 3.0])
def test_bounds_do_not_depend_on_the_inverse(monkeypatch, wrong):
    k, n, alpha = np.array([1, 7, 999, 1000, 5000]), 10**6, 0.001
    betaincinv, betainccinv = special.betaincinv, special.betainccinv
    monkeypatch.setattr(special, "betaincinv", lambda *args: wrong * betaincinv(*args))
    monkeypatch.setattr(special, "betainccinv", lambda *args: wrong * betainccinv(*args))
    assert_proven_and_tight(k, n, alpha)


@pytest.mark.parametrize("n", [1000, 10**5, 10**6, 10**9, 10**12])
@pytest.mark.parametrize("alpha", [0.5, 0.05, 1e-8, 1e-99])
def test_tails_are_as_exact_as_they_are_said_to_be(n, alpha):
    counts = {k for k in (*CASES, 20_000, n // 3, n // 2 - 1) if 0 < k < min(n / 2, 4e5)}
    for k in sorted(counts):
        p = 1 - (1 - float(clopper_pearson_upper(k, n, alpha)))
        exact = tail(k, n, p, 1).mass
        allowed = 1e-12 + 2e-16 * k
        assert abs(_binomial.at_most(k, n, 1 - p) / exact - 1) < allowed
        p = float(clopper_pearson_lower(k, n, alpha))
        exact = tail(k, n, p, -1).mass
        assert abs(_binomial.at_least(k, n, p) / exact - 1) < allowed
