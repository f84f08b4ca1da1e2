"""Scores that are read off additive models."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from sksmooth.base_models._additive import additive_score, asked_score, within_steps

X, Y = load_breast_cancer(return_X_y=True)

ADDITIVE = [
    GradientBoostingClassifier(max_depth=1, random_state=0),
    GradientBoostingClassifier(max_leaf_nodes=2, init="zero", loss="exponential", random_state=0),
    HistGradientBoostingClassifier(max_depth=1),
    HistGradientBoostingClassifier(interaction_cst="no_interactions", max_leaf_nodes=8),
    AdaBoostClassifier(n_estimators=60, random_state=0),
]


@pytest.mark.parametrize("model", ADDITIVE, ids=str)
def test_sums_are_the_scores_of_the_model(model):
    model.fit(X, Y)
    score = additive_score(model)
    noisy = X + X.std(axis=0) * np.random.default_rng(0).normal(size=X.shape)
    for rows in (X, noisy.astype(np.float32).astype(float)):
        expected = model.decision_function(rows)
        assert_allclose(score.of(rows), expected, atol=max(score.rounding, 1e-14))
        assert_array_equal(model.classes_[score.classify(rows)], model.predict(rows))
    assert score.rounding < 1e-9


@pytest.mark.parametrize(
    "model",
    [
        GradientBoostingClassifier(max_depth=2, n_estimators=5),
        GradientBoostingClassifier(max_depth=1, n_estimators=5, init=LogisticRegression(C=1e-9)),
        HistGradientBoostingClassifier(max_iter=5),
        HistGradientBoostingClassifier(max_depth=1, categorical_features=[0]),
        AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=5),
        AdaBoostClassifier(LogisticRegression(C=1e-9), n_estimators=2),
    ],
    ids=str,
)
def test_other_models_are_not_taken_for_additive(model):
    few = np.round(X[:, :4] / X[:, :4].std(axis=0))
    few = few - few.min(axis=0)
    assert additive_score(model.fit(few, Y)) is None


def test_several_classes_are_no_single_score():
    model = GradientBoostingClassifier(max_depth=1, n_estimators=3).fit(*load_iris(return_X_y=True))
    assert additive_score(model) is None


class _Product:
    """A score that is no sum, whatever its ends are said to be."""

    def decision_function(self, rows):
        return (rows[:, 0] > 0) * (rows[:, 1] > 0.0)


def test_scores_that_are_no_sum_are_found_out():
    assert asked_score(_Product(), [{0.0}, {0.0}], np.float64) is None
    assert asked_score(_Product(), [{0.0}, set()], np.float64) is not None


def test_steps_that_the_precision_of_a_model_cannot_tell_are_one():
    ends = np.array([1.0, 1.0 + 1e-12, 2.0])
    points = within_steps(ends, np.dtype(np.float64))
    assert_array_equal(points, [*ends, 9.0])

    class Steps:
        def decision_function(self, rows):
            x = rows[:, 0].astype(np.float32)
            return (x > 1.0) * 1.0 + (x > 1.0 + 1e-12) * 2.0 + (x > 2.0) * 4.0

    score = asked_score(Steps(), [set(ends)], np.float32)
    assert_array_equal(score.functions[0].ends, [1.0, 2.0])
    assert_array_equal(score.functions[0].values, [0.0, 3.0, 7.0])
