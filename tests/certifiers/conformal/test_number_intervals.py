"""Intervals against all points of a grid, and coverage under the strongest attack."""

import numpy as np
import pytest

from sksmooth.bounds import calibration_level
from sksmooth.bounds._calibration_ranks import CopyRanks
from sksmooth.certifiers.conformal._number_intervals import NumberIntervals, shared_by
from sksmooth.certifiers.conformal._rank_rule import RankRule
from sksmooth.engine._copies import CopySampler
from sksmooth.engine._streams import Streams
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise

NOISE, RADIUS, ALPHA = GaussianNoise(1.0), 0.5, 0.1


@pytest.mark.parametrize("seed", range(4))
def test_hull_against_a_grid(seed):
    """Whole numbers, so that ends coincide; some intervals are empty."""
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 12, (400, 7)).astype(float)
    high = low + rng.integers(-1, 6, (400, 7))
    points = np.arange(-1, 20, 0.5)
    inside = (low[:, :, None] <= points) & (points <= high[:, :, None])
    for n in (1, 2, 4, 7):
        hull = shared_by(n, low, high)
        for found, enough in zip(hull, inside.sum(axis=1) >= n):
            expected = (
                (points[enough].min(), points[enough].max()) if enough.any() else [np.nan] * 2
            )
            np.testing.assert_array_equal(found, expected)


def first_feature(X, n_rows):
    return np.column_stack([X[:, 0], X[:, 0], np.ones(len(X))])


def sampler(X, seed, m):
    return CopySampler(first_feature, read_inputs(X, owner=None), Streams(NOISE, seed), m)


def rule_for(m, k, k_test, level=None):
    level = level or calibration_level(ALPHA, m=m, k=k, k_test=k_test, noise=NOISE, radius=RADIUS)
    return RankRule((CopyRanks(m, k, k_test, level),))


def miss(rule, attack, residual):
    """Proportion of true numbers outside the intervals of rows that are moved away from them."""
    m, missed = rule.levels[0].n_copies, []
    for repeat in range(120):
        rng = np.random.default_rng(repeat)
        X, X_test = rng.normal(size=(149, 2)), rng.normal(size=(50, 2))
        y, y_test = X[:, 0] + residual(rng, 149), X_test[:, 0] + residual(rng, 50)
        limits = NumberIntervals(sampler(X, 2 * repeat, m), rule).calibrate(y)
        X_test[:, 0] -= attack * np.sign(y_test - X_test[:, 0])
        _, found = NumberIntervals(sampler(X_test, 2 * repeat + 1, m), rule).predict(limits)
        missed.append(1 - ((found[:, 0, 0] <= y_test) & (y_test <= found[:, 1, 0])).mean())
    return float(np.mean(missed))


@pytest.mark.parametrize("spread", [0.1, 1.0])
@pytest.mark.parametrize("ranks", [(1, 1, 1), (10, 6, 4)])
def test_coverage_under_attack(ranks, spread):
    """The standard error is below 0.005."""

    def residual(rng, n):
        return spread * rng.normal(size=n)

    assert miss(rule_for(*ranks), RADIUS, residual) <= ALPHA + 0.015


def test_controls_miss_too_often():
    def residual(rng, n):
        return 3.0 + 0.1 * rng.normal(size=n)

    plain = rule_for(10, 6, 6, ALPHA)
    assert miss(plain, 0.0, residual) == pytest.approx(ALPHA, abs=0.015)
    assert miss(plain, RADIUS, residual) > ALPHA + 0.1
    assert miss(rule_for(10, 6, 6, rule_for(10, 6, 4).levels[0].level), RADIUS, residual) > 0.15
    assert miss(rule_for(10, 6, 4), RADIUS, residual) <= ALPHA + 0.015


def test_levels_without_a_threshold_give_the_whole_line():
    X = np.zeros((4, 2))
    rule = RankRule((CopyRanks(5, 3, 2, 0.0), CopyRanks(5, 3, 2, 0.4)))
    intervals = NumberIntervals(sampler(X, 0, 5), rule)
    middles, found = intervals.predict(intervals.calibrate(np.zeros(4)))
    np.testing.assert_array_equal(found[:, :, 0], [[-np.inf, np.inf]] * 4)
    assert np.isfinite(found[:, :, 1]).all()
    np.testing.assert_array_equal(middles, intervals.middles())


def test_intervals_may_be_empty():
    rule = RankRule((CopyRanks(5, 3, 5, 0.4),))
    _, found = NumberIntervals(sampler(np.zeros((3, 2)), 0, 5), rule).predict(np.array([-1e-9]))
    assert np.isnan(found).all()
