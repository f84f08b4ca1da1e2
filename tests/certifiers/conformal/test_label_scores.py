"""Scores of labels, and what models lack for them."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.svm import SVC, LinearSVC

from sksmooth.certifiers.conformal._label_scores import (
    LabelScores,
    adaptive,
    least_ambiguous,
    method_for_scores,
)

P = np.array([[0.5, 0.2, 0.3], [0.1, 0.1, 0.8]])


def test_adaptive_scores_sum_what_is_above():
    np.testing.assert_allclose(adaptive(P), [[0, -0.8, -0.5], [-0.8, -0.9, 0]])
    assert least_ambiguous(P) is P


def test_what_is_asked():
    assert method_for_scores(LogisticRegression(), "aps") == "predict_proba"
    assert method_for_scores(LinearSVC(), "lac") == "decision_function"
    assert method_for_scores(SVC(), lambda values: values) == "decision_function"
    with pytest.raises(
        ValueError, match=r"'aps' needs a base model with predict_proba, .*Calibrated"
    ):
        method_for_scores(Perceptron(), "aps")
    with pytest.raises(ValueError, match="predict_proba or decision_function, which object"):
        method_for_scores(object(), "lac")


def test_scores_in_the_order_of_the_classes():
    X, y = load_iris(return_X_y=True)
    names = np.array(["c", "a", "b"])[y]
    model = LogisticRegression(max_iter=1000).fit(X, names)
    scores = LabelScores(model, model.classes_, least_ambiguous, "predict_proba")(X, 150)
    np.testing.assert_array_equal(scores, model.predict_proba(X))
    two = LinearSVC(dual=False).fit(X[:100], y[:100])
    values = LabelScores(two, two.classes_, least_ambiguous, "decision_function")(X, 150)
    np.testing.assert_array_equal(values[:, 1], two.decision_function(X))
    np.testing.assert_array_equal(values[:, 0], -two.decision_function(X))


def test_nan_is_the_worst_score_and_another_shape_is_refused():
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=1000).fit(X, y)
    odd = LabelScores(
        model, model.classes_, lambda p: np.where(p > 0.5, np.nan, p), "predict_proba"
    )
    assert np.isneginf(odd(X, 150)).sum() > 100
    flat = LabelScores(model, model.classes_, lambda p: p[:, 0], "predict_proba")
    with pytest.raises(ValueError, match=r"shape \(150,\) for 150 rows and 3 classes"):
        flat(X, 150)
