"""Borders of thresholds in single precision, and votes that go by them."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.base_models._borders import borders_of


def test_a_border_is_the_last_number_that_is_rounded_to_one_below():
    rng = np.random.default_rng(0)
    sizes = rng.normal(size=300) * 10.0 ** rng.integers(-30, 30, 300)
    singles = sizes.astype(np.float32).astype(float)
    ties = (singles + np.nextafter(singles.astype(np.float32), np.float32(np.inf))) / 2
    t = np.r_[sizes, singles, ties, 0.0, -0.0, 1.7e9 + 128]
    border = borders_of(t)
    assert (border.astype(np.float32) <= t).all()
    assert (np.nextafter(border, np.inf).astype(np.float32) > t).all()
    assert_array_equal(borders_of([-np.inf, np.inf]), [-np.inf, np.inf])


@pytest.mark.parametrize("offset", [1e6, 1.7e9])
@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=2, random_state=0),
        RandomForestClassifier(3, max_leaf_nodes=4, random_state=0),
        GradientBoostingClassifier(max_depth=1, n_estimators=5, random_state=0),
        AdaBoostClassifier(n_estimators=5, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_far_from_zero_votes_are_those_of_the_model(model, offset):
    """Numbers of single precision are one sigma apart: thresholds would be off by as much."""
    spacing = float(np.spacing(np.float32(offset)))
    rng = np.random.default_rng(0)
    X = offset + spacing * rng.integers(-3, 4, (60, 2))
    y = (X.sum(axis=1) > 2 * offset).astype(int)
    clf = SmoothedClassifier(model, sigma=spacing, n_augment=1, random_state=0).fit(X, y)
    assert clf.certify(X[:1]).alpha is None
    rows, n = X[:6] + 0.3 * spacing, 40_000
    exact = clf.predict_proba(rows)[:, 1]
    noise = spacing * np.random.default_rng(1).normal(size=(n, 2))
    votes = [clf.estimator_.predict(row + noise).mean() for row in rows]
    np.testing.assert_allclose(exact, votes, atol=5 * 0.5 / np.sqrt(n))


def test_sums_that_are_rounded_to_single_precision_are_asked_of_the_model():
    """The scaler then works on numbers that are as far apart as the noise is large."""
    rng = np.random.default_rng(0)
    X = (2e6 + rng.normal(size=(200, 2))).astype(np.float32)
    y = (X[:, 0] > 2e6).astype(int)
    model = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=2))
    options = {"sigma": 0.25, "n_augment": 1, "n_estimation": 500, "random_state": 0}
    assert SmoothedClassifier(model, **options).fit(X, y).certify(X[:2]).alpha is not None
    near = X - np.float32(2e6)
    assert SmoothedClassifier(model, **options).fit(near, y).certify(near[:2]).alpha is None


def test_a_split_on_missing_values_alone_leaves_others_on_one_side():
    X, y = np.array([[0.0], [1.0], [np.nan], [np.nan]] * 5), np.array([1, 1, 0, 0] * 5)
    tree = DecisionTreeClassifier(random_state=0).fit(X, y)
    assert np.isinf(tree.tree_.threshold[0])
    forest = RandomForestClassifier(2, bootstrap=False, random_state=0).fit(X, y)
    for model in (tree, forest):
        for noise in ("gaussian", "laplace", "uniform"):
            clf = SmoothedClassifier(FrozenEstimator(model), noise=noise).fit()
            assert_array_equal(clf.predict_proba([[0.0], [1.0]]), [[0, 1], [0, 1]])
            assert_array_equal(clf.certify([[0.0], [1.0]]).prediction, [1, 1])
