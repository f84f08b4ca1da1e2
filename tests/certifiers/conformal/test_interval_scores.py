"""Scores of numbers by intervals that grow, and the intervals that they stand for."""

import numpy as np
import pytest

from sksmooth.certifiers.conformal._interval_scores import (
    IntervalOutputs,
    Intervals,
    around_output,
    between_quantiles,
)


class Model:
    """Returns what it was made with."""

    def __init__(self, answers):
        self.answers = answers

    def predict(self, X):
        return self.answers


def test_scores():
    intervals = Intervals(np.array([1.0, 1.0, np.nan]), np.array([2.0, 2.0, 3.0]), np.ones(3))
    np.testing.assert_array_equal(intervals.scores(np.array([1.25, 4, 2])), [0.25, -2, -np.inf])
    wide = intervals._replace(scale=np.full(3, 4.0))
    np.testing.assert_array_equal(wide.scores(np.array([1.25, 4, 2])), [0.0625, -0.5, -np.inf])


@pytest.mark.parametrize("seed", range(5))
def test_what_scores_enough_lies_inside(seed):
    """In the last bit: numbers at the very ends are held by the intervals."""
    rng = np.random.default_rng(seed)
    size = 10.0 ** rng.uniform(-8, 8, 2000)
    lower = rng.normal(size=2000) * size
    upper = lower + rng.uniform(-1, 2, 2000) * size
    intervals = Intervals(lower, upper, 10.0 ** rng.uniform(-3, 3, 2000))
    t = float(rng.uniform(-1, 3)) * float(np.median(size))
    low, high = intervals.grown(t)
    for y in (lower - t * intervals.scale, upper + t * intervals.scale):
        for _ in range(8):
            fits = intervals.scores(y) >= -t
            assert ((low <= y) & (y <= high))[fits].all()
            y = np.nextafter(y, np.where(y < lower, -np.inf, np.inf))
    assert np.isinf(low[lower - t * intervals.scale > upper + t * intervals.scale]).mean() > 0.9


def test_outputs_become_intervals():
    absolute = IntervalOutputs(Model(np.array([[1.0], [2.0]])), around_output)(None, 2)
    np.testing.assert_array_equal(absolute, [[1, 1, 1], [2, 2, 1]])
    two = IntervalOutputs(Model(np.array([[1.0, 3.0]])), between_quantiles)(None, 1)
    np.testing.assert_array_equal(two, [[1, 3, 1]])
    scaled = IntervalOutputs(Model(np.array([[5.0, 2.0]])), lambda a: (a[:, 0], a[:, 0], a[:, 1]))
    np.testing.assert_array_equal(scaled(None, 1), [[5, 5, 2]])


@pytest.mark.parametrize(
    ("answers", "intervals", "message"),
    [
        (
            np.zeros((2, 2)),
            around_output,
            r"one number .* shape \(2,\). Use conformity_score='cqr'",
        ),
        (np.zeros(2), between_quantiles, r"two numbers .* shape \(\). Use .*='absolute'"),
        (np.zeros(2), lambda a: (a,), r"must return lower ends, .* got shapes \(2,\)"),
        (np.zeros(2), lambda a: (a, a[:1]), r"got shapes \(2,\), \(1,\)"),
        (np.zeros(2), lambda a: (a, a, a), "a scale of 0: scales are positive"),
        (np.zeros(3), around_output, r"returned an array of shape \(3,\) for 2 rows"),
    ],
)
def test_wrong_outputs(answers, intervals, message):
    with pytest.raises(ValueError, match=message):
        IntervalOutputs(Model(answers), intervals)(None, 2)
