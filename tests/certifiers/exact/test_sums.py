"""Bounds of the probability of small sums, against all outcomes in many digits."""

import itertools

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksmooth.certifiers.exact._sums import IndependentSum

BOUNDS = {
    "rounded_down": lambda sums, limit: sums.rounded_down(limit, 256),
    "rounded_to_nearest": lambda sums, limit: sums.rounded_to_nearest(limit, 256),
    "by_majorants": lambda sums, limit: sums.by_majorants(limit, 256)[0],
    "enumerated": lambda sums, limit: sums.enumerated(limit),
}


def random_sum(rng, n_terms=5, n_rows=4, tiny=False):
    values = [rng.normal(size=rng.integers(1, 5)) for _ in range(n_terms)]
    values[0] = rng.normal(size=3)
    power = 60 if tiny else 1
    masses = [rng.dirichlet(np.full(len(v), 0.5), n_rows).T ** power for v in values]
    masses = [m / m.sum(axis=0) for m in masses]
    return IndependentSum(float(rng.normal()), values, masses)


def exact_probabilities(sums, limit):
    found = [mpmath.mpf(0)] * sums.masses[0].shape[1]
    for outcome in itertools.product(*(range(len(v)) for v in sums.values)):
        total = mpmath.mpf(sums.constant)
        total += mpmath.fsum(float(v[j]) for v, j in zip(sums.values, outcome))
        if total <= limit:
            for row in range(len(found)):
                product = mpmath.mpf(1)
                for masses, j in zip(sums.masses, outcome):
                    product *= float(masses[j, row])
                found[row] += product
    return found


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("tiny", [False, True], ids=["", "tiny"])
def test_bounds_are_above_the_exact_probability(name, tiny):
    rng = np.random.default_rng(0)
    for _ in range(12):
        sums = random_sum(rng, tiny=tiny)
        exact = exact_probabilities(sums, 0.0)
        for p, bound in zip(exact, BOUNDS[name](sums, 0.0)):
            assert bound >= p * (1 - mpmath.mpf(10) ** -13)
            if name == "enumerated":
                assert abs(bound - p) <= 1e-13 * p


def test_small_probabilities_are_bounded_by_small_numbers():
    rng = np.random.default_rng(0)
    n_small = n_near = 0
    for _ in range(60):
        sums = random_sum(rng, n_rows=50, tiny=True)
        exact = sums.enumerated(0.0)
        bound = sums.rounded_down(0.0, 4096)
        small = (exact > 1e-200) & (exact < 1e-15)
        n_small += small.sum()
        n_near += (bound[small] <= 1.01 * exact[small]).sum()
    assert n_near > 0.5 * n_small > 50


@pytest.mark.parametrize("name", [name for name in BOUNDS if name != "enumerated"])
def test_twenty_thousand_bounds_are_on_one_side(name):
    rng = np.random.default_rng(1)
    n_above = n_seen = 0
    widths = []
    for _ in range(100):
        sums = random_sum(rng, n_rows=200)
        exact, bound = sums.enumerated(0.0), BOUNDS[name](sums, 0.0)
        n_above += int((bound < exact * (1 - 1e-12)).sum())
        n_seen += len(exact)
        widths.append(np.mean(bound - exact))
    assert (n_seen, n_above) == (20_000, 0)
    assert np.mean(widths) < 0.1


def test_rounding_to_the_nearest_alone_is_caught():
    """The control: what published code does is wrong on one side in many rows."""
    rng = np.random.default_rng(1)
    n_above = 0
    for _ in range(100):
        sums = random_sum(rng, n_rows=200)
        step = sums.span / 256
        near = [np.rint(v / step) * step for v in sums.values]
        rounded = IndependentSum(np.rint(sums.constant / step) * step, near, sums.masses)
        n_above += int((rounded.enumerated(0.0) < sums.enumerated(0.0) * (1 - 1e-12)).sum())
    assert n_above > 500


def test_the_opposite_sum_is_bounded_too():
    sums = random_sum(np.random.default_rng(3), n_rows=50)
    low, high = sums.by_majorants(1e-12, 2048)
    assert_allclose(sums.negated().enumerated(1e-12) + sums.enumerated(-1e-12), 1)
    assert (high >= sums.negated().enumerated(0.0)).all()
    assert (low >= sums.enumerated(0.0)).all()
    assert (high + low < 1.2).all()


def test_many_terms_favour_the_nearest_point_and_the_majorant():
    rng = np.random.default_rng(0)
    values = [rng.normal(size=3) for _ in range(300)]
    masses = [rng.dirichlet(np.ones(3), 5).T for _ in values]
    sums = IndependentSum(0.0, values, masses)
    middle = float(np.mean([v @ m for v, m in zip(values, masses)]) * len(values))
    down = sums.rounded_down(middle - 20, 4096).mean()
    nearest = sums.rounded_to_nearest(middle - 20, 4096).mean()
    shifted = IndependentSum(20 - middle, values, masses)
    majorant = shifted.by_majorants(0.0, 4096)[0].mean()
    assert down > nearest > majorant
