"""Boxes of small forests."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.preprocessing import StandardScaler

from sksmooth import SmoothedClassifier
from sksmooth.base_models._rules import rule_of

FORESTS = [
    RandomForestClassifier(5, max_leaf_nodes=6, random_state=0),
    RandomForestClassifier(4, max_depth=3, random_state=1),
    ExtraTreesClassifier(3, max_leaf_nodes=8, random_state=0),
]


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
@pytest.mark.parametrize("model", FORESTS, ids=str)
def test_boxes_give_the_classes_of_the_forest(model, load):
    X, y = load(return_X_y=True)
    model.fit(X, y)
    boxes = rule_of(model, model.classes_)
    noise = 0.5 * X.std(axis=0) * np.random.default_rng(0).normal(size=(5, *X.shape))
    rows = (X + noise).reshape(-1, X.shape[1]).astype(np.float32).astype(float)
    assert_array_equal(model.classes_[boxes.classify(rows)], model.predict(rows))
    assert_array_equal(boxes.products(boxes.in_intervals(rows)).sum(axis=1), 1)


def test_missing_values_go_the_way_of_the_trees():
    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32).astype(float)
    X[::4, 2], X[1::5, 3] = np.nan, np.nan
    model = RandomForestClassifier(4, max_leaf_nodes=6, random_state=0).fit(X, y)
    boxes = rule_of(model, model.classes_)
    assert_array_equal(model.classes_[boxes.classify(X)], model.predict(X))


def test_large_forests_have_too_many_boxes():
    X, y = load_breast_cancer(return_X_y=True)
    model = RandomForestClassifier(30, random_state=0).fit(X, y)
    assert rule_of(model, model.classes_) is None
    two = RandomForestClassifier(2, max_depth=2).fit(X, np.c_[y, y])
    assert rule_of(two, np.array([0, 1])) is None


@pytest.mark.parametrize("load", [load_iris, load_breast_cancer])
def test_small_forests_are_certified_as_they_vote(load):
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    options = {"sigma": 0.5, "n_augment": 3, "random_state": 0, "n_selection": 5000}
    forest = RandomForestClassifier(4, max_leaf_nodes=5, random_state=0)
    clf = SmoothedClassifier(forest, n_estimation=20_000, **options).fit(X, y)
    exact, p = clf.certify(X[::8]), clf.predict_proba(X[::8])
    assert exact.alpha is None
    sampled = clf.set_params(structure="off").certify(X[::8])
    error = np.sqrt(np.maximum(p * (1 - p), 1e-5) / 20_000)
    assert (np.abs(sampled.counts / 20_000 - p) < 4.5 * error).all()
    same = exact.prediction == sampled.prediction
    assert same.mean() > 0.95
    assert (exact.radius > sampled.radius - 0.01)[same].all()  # all rows share their draws
    assert (exact.radius >= sampled.radius)[same].mean() > 0.85
    assert_allclose(p.sum(axis=1), 1)
