"""Scores to votes: the first of equals wins."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksmooth.voters._votes import count_largest, count_pairs

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


def test_first_of_equals_wins():
    scores = np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 3.0], [1.0, 1.0, 3.0]])
    assert count_largest(scores).tolist() == [2, 1, 0]


def test_nan_and_equals_in_one_call():
    """The NaN is the largest for numpy and torch; here there are as many winners as draws."""
    scores = np.array([[1.0, 1.0, 0.0], [2.0, np.nan, 0.0], [2.0, 3.0, 5.0]])
    assert count_largest(scores).tolist() == [0, 2, 1]


@pytest.mark.parametrize("n_classes", [3, 4, 10])
def test_pairs_are_counted_as_in_a_loop(n_classes):
    first, second = np.triu_indices(n_classes, 1)
    scores = np.random.default_rng(0).normal(size=(len(first), 500))
    wins = np.zeros((n_classes, 500), int)
    for row, i, j in zip(scores, first, second):
        wins[i] += row > 0
        wins[j] += row <= 0
    expected = np.bincount(wins.argmax(axis=0), minlength=n_classes)
    assert_array_equal(count_pairs(scores, n_classes), expected)
    assert (np.sort(wins, axis=0)[-1] == np.sort(wins, axis=0)[-2]).any()
