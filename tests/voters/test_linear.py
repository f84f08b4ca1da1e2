"""Linear classifiers: the short way to the largest score loses no vote."""

import numpy as np
import pytest
from case_names import name_of_case
from numpy.testing import assert_array_equal
from sklearn.base import clone
from voter_cases import LINEAR, votes_on_the_same_noise

from sksmooth.inputs._containers import Inputs
from sksmooth.voters import LinearScores

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


@pytest.mark.parametrize("model", LINEAR, ids=name_of_case)
def test_votes_of_linear_classifiers(model, iris):
    X, y = iris
    ours, theirs = votes_on_the_same_noise(clone(model).fit(X, y), X[::5], np.unique(y))
    assert_array_equal(ours, theirs)
    assert (theirs > 0).any(axis=0).all()


def exact(scores):
    """Rows as embedded, without rounding errors."""
    values = np.column_stack([scores, np.zeros(len(scores))])
    return Inputs(values, values.dtype, lambda X: X)


def of_scores(n_classes):
    """Voter of a classifier whose inputs are its scores."""
    return LinearScores.of(np.eye(n_classes), np.zeros(n_classes))


@pytest.mark.parametrize("n_classes", [3, 10, 50])
def test_pruning_loses_no_vote(n_classes):
    rng = np.random.default_rng(0)
    scores = rng.normal(scale=3, size=(40, n_classes))
    draws = rng.normal(size=(500, n_classes)) * rng.uniform(0.2, 2, n_classes)
    rows = exact(scores)
    brute = (scores[:, None] + draws).argmax(axis=2)
    expected = np.stack([np.bincount(row, minlength=n_classes) for row in brute])
    assert_array_equal(of_scores(n_classes).count_votes(rows, None, draws), expected)


@pytest.mark.parametrize("factor", [1e-60, 1e60])
def test_pruning_in_single_precision_loses_no_vote(factor):
    rng = np.random.default_rng(0)
    scores = rng.normal(scale=3 * factor, size=(20, 4))
    rows = exact(scores)
    draws = rng.normal(size=(500, 4)) * factor
    brute = (scores[:, None] + draws).argmax(axis=2)
    expected = np.stack([np.bincount(row, minlength=4) for row in brute])
    assert_array_equal(of_scores(4).count_votes(rows, None, draws), expected)


def test_ties_go_to_the_first_class():
    rows = exact(np.zeros((2, 3)))
    votes = of_scores(3).count_votes(rows, None, np.zeros((5, 3)))
    assert votes.tolist() == [[5, 0, 0], [5, 0, 0]]


def test_votes_of_any_scores_and_noise():
    """The short way to the largest score, against all scores, with ties and far scales."""
    rng = np.random.default_rng(0)
    scores = LinearScores.of(np.ones((5, 2)), np.arange(5))
    for i in range(300):
        scale = 10.0 ** rng.integers(-100, 100)
        noise = rng.normal(size=(200, 5)) * 10.0 ** rng.integers(-8, 1, size=(200, 1))
        offsets = rng.normal(size=(3, 5)) * 10.0 ** rng.integers(-6, 3)
        if i % 3 == 0:
            noise, offsets = np.round(2 * noise), np.round(2 * offsets)
        if i % 20 == 0:
            noise = np.zeros_like(noise)
        noise, offsets = noise * scale, offsets * scale
        votes = scores.count_votes(exact(offsets), None, noise)
        winners = (offsets[:, None] + noise).argmax(axis=2)
        assert_array_equal(votes, [np.bincount(row, minlength=5) for row in winners])
