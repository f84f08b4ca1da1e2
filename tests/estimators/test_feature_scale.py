"""A scale for each column: the smoother outside of scalers, and what it says about columns."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from sksmooth import (
    CenterSmoothedRegressor,
    MedianSmoothedRegressor,
    SmoothedClassifier,
    make_certified_scorer,
)
from sksmooth.exceptions import NoiseCollapseWarning

X, Y = load_breast_cancer(return_X_y=True)
X = X[:, [0, 3, 4, 13, 20, 27]]  # spreads from 0.01 to 500
SCALE = X.std(axis=0)
FIXED = np.where(np.arange(6) % 3 == 1, 0, SCALE)
OPTIONS = {"sigma": 0.5, "n_estimation": 1000, "n_augment": 2, "random_state": 0}
TREE = DecisionTreeClassifier(max_depth=4, random_state=0)


def times(values, scale):
    return values * scale


def outside(model, scale, **options):
    """The same model behind its scale, for inputs that were divided by it before."""
    inner = make_pipeline(FunctionTransformer(times, kw_args={"scale": scale}), model)
    return SmoothedClassifier(inner, **OPTIONS | options)


@pytest.mark.parametrize("noise", ["gaussian", "laplace", "uniform"])
@pytest.mark.parametrize("model", [TREE, GaussianNB()], ids=lambda m: type(m).__name__)
def test_equals_a_scaler_outside_vote_for_vote(model, noise):
    options = OPTIONS | {"structure": "off"}
    ours = SmoothedClassifier(model, noise=noise, feature_scale="std", **options).fit(X, Y)
    theirs = outside(model, ours.feature_scale_, noise=noise).fit(X / ours.feature_scale_, Y)
    mine, other = ours.certify(X[:50]), theirs.certify(X[:50] / ours.feature_scale_)
    assert (mine.counts == other.counts).all()
    assert (mine.radius <= other.radius).all()  # the quotients are rounded
    np.testing.assert_allclose(mine.radius, other.radius, rtol=1e-12, atol=1e-13)
    assert (ours.predict(X[:50]) == theirs.predict(X[:50] / ours.feature_scale_)).all()


def test_differs_from_a_scaler_inside():
    ours = SmoothedClassifier(TREE, feature_scale="std", **OPTIONS).fit(X, Y)
    inside = make_pipeline(StandardScaler(), TREE)
    inside = SmoothedClassifier(inside, **OPTIONS).fit(X, Y)
    assert (ours.certify(X[:50]).radius != inside.certify(X[:50]).radius).any()


FAST = [
    GaussianNB,  # a black box
    lambda: SVC(gamma=0.1),
    lambda: MLPClassifier([8], max_iter=60, random_state=0),
    lambda: LogisticRegression(max_iter=2000),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("scale", ["std", FIXED], ids=["std", "fixed"])
@pytest.mark.parametrize("make", FAST, ids=["bayes", "svc", "mlp", "linear"])
def test_fast_votes_are_those_of_the_model_under_scaled_noise(make, scale):
    y = np.digitize(X[:, 0], np.quantile(X[:, 0], [0.3, 0.6]))  # three classes: votes are taken
    model = make_pipeline(StandardScaler(), make())
    fast = SmoothedClassifier(model, feature_scale=scale, noise="laplace", **OPTIONS).fit(X, y)
    slow = SmoothedClassifier(
        FrozenEstimator(fast.estimator_),
        feature_scale=fast.feature_scale_,
        noise="laplace",
        structure="off",
        **OPTIONS,
    ).fit(X, y)
    assert fast.fast_votes_ == (make is not GaussianNB)
    assert (fast.certify(X[:40]).counts == slow.certify(X[:40]).counts).all()


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_gaussian_votes_behind_a_matrix_leave_fixed_columns_alone():
    y = np.digitize(X[:, 1], np.quantile(X[:, 1], [0.3, 0.6]))  # decided by a column that is fixed
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    options = OPTIONS | {"n_estimation": 4000, "sigma": 3.0}
    fast = SmoothedClassifier(model, feature_scale=FIXED, **options).fit(X, y)
    slow = SmoothedClassifier(
        FrozenEstimator(fast.estimator_), feature_scale=FIXED, structure="off", **options
    ).fit(X, y)
    a, b = (clf.certify(X[:40]).counts / 4000 for clf in (fast, slow))
    assert fast.fast_votes_
    np.testing.assert_allclose(a, b, atol=5 * np.sqrt(0.5 / 4000))
    all_noisy = SmoothedClassifier(
        FrozenEstimator(fast.estimator_), feature_scale=SCALE, **options
    ).fit(X, y)
    assert np.abs(all_noisy.certify(X[:40]).counts / 4000 - b).max() > 0.2


@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_a_linear_model_is_exact_in_scaled_units(norm):
    model = make_pipeline(StandardScaler(), LogisticRegression())
    clf = SmoothedClassifier(model, feature_scale=FIXED, norm=norm, **OPTIONS).fit(X, Y)
    certificate = clf.certify(X[:20])
    assert certificate.alpha is None
    scaler, linear = clf.estimator_
    dual = {1: np.inf, 2: 2, np.inf: 1}[norm]
    coef = linear.coef_[0] / scaler.scale_ * FIXED
    wanted = np.abs(clf.estimator_.decision_function(X[:20])) / np.linalg.norm(coef, dual)
    np.testing.assert_allclose(certificate.radius, wanted, rtol=1e-9)
    # moved by a little more along the worst direction, without touching fixed columns, it changes
    if norm == 2:
        side = np.sign(clf.estimator_.decision_function(X[:20]))
        step = certificate.radius[:, None] * FIXED * coef / np.linalg.norm(coef)
        for factor, same in ((0.999, True), (1.001, False)):
            moved = X[:20] - side[:, None] * factor * step
            assert ((clf.predict(moved) == certificate.prediction) == same).all()


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers what it was asked about."""

    def fit(self, X, y):
        self.classes_, self.seen_ = np.unique(y), [X]
        return self

    def predict(self, X):
        self.seen_.append(X)
        return np.zeros(len(X), int)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_columns_of_scale_zero_bear_no_noise_and_frames_stay_frames():
    frame = pd.DataFrame(X[:40], columns=list("abcdef"))
    clf = SmoothedClassifier(Recorder(), feature_scale=FIXED, **OPTIONS).fit(frame, Y[:40])
    clf.certify(frame[:3])
    for seen in clf.estimator_.seen_:
        assert list(seen.columns) == list("abcdef")
        for column in "be":
            assert np.isin(seen[column], frame[column]).all()
    noisy = clf.estimator_.seen_[0]
    assert not np.isin(noisy["a"], frame["a"]).any()
    spread = (noisy["d"].to_numpy().reshape(2, 40) - frame["d"].to_numpy()).std()
    assert spread == pytest.approx(0.5 * SCALE[3], rel=0.25)


@pytest.mark.parametrize("noise", ["gaussian", "laplace"])
def test_exact_votes_of_trees_are_those_under_scaled_noise(noise):
    exact = SmoothedClassifier(TREE, noise=noise, feature_scale="std", **OPTIONS).fit(X, Y)
    n = 4000
    drawn = SmoothedClassifier(
        FrozenEstimator(exact.estimator_),
        noise=noise,
        feature_scale=exact.feature_scale_,
        structure="off",
        **OPTIONS | {"n_estimation": n},
    ).fit(X, Y)
    certificate = exact.certify(X[:40])
    assert certificate.alpha is None
    assert "in scaled units" in repr(certificate)
    share = drawn.certify(X[:40]).counts / n
    np.testing.assert_allclose(exact.predict_proba(X[:40]), share, atol=5 * np.sqrt(0.25 / n))
    fixed = SmoothedClassifier(TREE, noise=noise, feature_scale=FIXED, **OPTIONS).fit(X, Y)
    assert fixed.certify(X[:2]).alpha is not None  # noise in some columns only: votes are drawn


def test_fixed_columns_do_not_count_as_features():
    options = OPTIONS | {"norm": np.inf}
    clf = SmoothedClassifier(TREE, feature_scale=FIXED, **options).fit(X, Y)
    certificate = clf.certify(X[:5])
    assert certificate.n_features == 4
    l2 = SmoothedClassifier(TREE, feature_scale=FIXED, **OPTIONS).fit(X, Y).certify(X[:5])
    np.testing.assert_allclose(certificate.radius, l2.radius / 2, rtol=1e-4)


def test_the_scale_is_that_of_the_training_data():
    clf = SmoothedClassifier(TREE, feature_scale="std", **OPTIONS).fit(X, Y)
    before = clf.feature_scale_.copy()
    one, all_rows = clf.certify(X[:1]), clf.certify(X[:30])
    assert (one.radius == all_rows.radius[:1]).all()
    assert (clf.feature_scale_ == before).all()
    assert (one.feature_scale == before).all()


def test_budgets_are_in_the_units_of_each_column():
    clf = SmoothedClassifier(TREE, feature_scale={1: 0}, **OPTIONS).fit(X, Y)
    certificate = clf.certify(X[:5])
    budget = certificate.column_budget()
    assert budget.shape == (5, 6)
    assert (budget[:, 1] == 0).all()
    np.testing.assert_allclose(budget[:, 3], certificate.radius * SCALE[3])


@pytest.mark.parametrize("smoother", [MedianSmoothedRegressor, CenterSmoothedRegressor])
def test_regressors_equal_a_scaler_outside(smoother):
    y = X[:, 3] / 100 + X[:, 0]
    options = {"sigma": 0.3, "n_estimation": 500, "n_augment": 1, "random_state": 0}
    size = {"n_prediction": 500} if smoother is MedianSmoothedRegressor else {"n_center": 500}
    tree = DecisionTreeRegressor(max_depth=4, random_state=0)
    ours = smoother(tree, feature_scale="std", **options, **size).fit(X, y)
    scale = ours.feature_scale_
    inner = make_pipeline(FunctionTransformer(times, kw_args={"scale": scale}), tree)
    theirs = smoother(inner, **options, **size).fit(X / scale, y)
    mine, other = ours.certify(X[:8], radius=0.05), theirs.certify(X[:8] / scale, radius=0.05)
    assert (mine.prediction == other.prediction).all()
    if mine.lower is not None:
        assert (mine.lower == other.lower).all()
    else:
        assert (mine.output_radius == other.output_radius).all()
    assert "in scaled units" in repr(mine)
    np.testing.assert_allclose(mine.column_budget(), np.tile(0.05 * scale, (8, 1)))
    np.testing.assert_allclose(mine.raw_radius(2), 0.05 * scale.min())
    with pytest.raises(ValueError, match="feature_scale of the estimator"):
        other.column_budget()
    (curve,) = ours.certify_curve(X[:8], [0.05])
    assert (curve.feature_scale == scale).all()


def test_a_regressor_with_ridge_by_default():
    y = X @ np.arange(6)
    assert MedianSmoothedRegressor(Ridge(), feature_scale="iqr", sigma=0.1, random_state=0).fit(
        X, y
    ).feature_scale_.shape == (6,)


def test_without_data_the_scale_has_to_be_given():
    model = FrozenEstimator(clone(TREE).fit(X, Y))
    with pytest.raises(ValueError, match="one number for each column"):
        SmoothedClassifier(model, feature_scale="std").fit()
    clf = SmoothedClassifier(model, feature_scale=SCALE, **OPTIONS).fit()
    assert clf.certify(X[:3]).feature_scale is not None


def test_noise_that_replaces_cannot_leave_columns_alone():
    with pytest.raises(ValueError, match="replaces what it finds in every column"):
        SmoothedClassifier(TREE, noise="splitting", feature_scale=FIXED, **OPTIONS).fit(X, Y)
    SmoothedClassifier(TREE, noise="laplace", feature_scale=FIXED, **OPTIONS).fit(X, Y)


def test_a_grid_over_sigma_means_the_same_for_all_columns():
    clf = SmoothedClassifier(TREE, feature_scale="std", **OPTIONS | {"n_estimation": 200})
    search = GridSearchCV(clf, {"sigma": [0.1, 0.5]}, scoring=make_certified_scorer(0.1), cv=2)
    search.fit(X, Y)
    assert search.best_estimator_.feature_scale_.shape == (6,)


def test_a_change_of_the_scale_after_fit_is_refused():
    clf = SmoothedClassifier(TREE, feature_scale="std", **OPTIONS).fit(X, Y)
    clf.set_params(feature_scale="iqr")
    with pytest.raises(ValueError, match="feature_scale was changed"):
        clf.predict(X[:1])


def test_decisions_go_on_in_scaled_units():
    clf = SmoothedClassifier(
        RandomForestClassifier(5, random_state=0), feature_scale="std", **OPTIONS
    ).fit(X, Y)
    first = clf.certify(X[:10], radius=0.2)
    again = clf.certify(X[:10], radius=0.25, start=first)
    assert (again.feature_scale == clf.feature_scale_).all()
    assert (again.n_draws >= first.n_draws).all()


def test_axes_tell_scaled_units_from_others():
    from sksmooth.plotting import CertifiedAccuracyDisplay, CertifiedRadiusDisplay

    scaled, raw = (
        SmoothedClassifier(TREE, feature_scale=scale, **OPTIONS).fit(X, Y).certify(X[:20])
        for scale in ("std", None)
    )
    display = CertifiedAccuracyDisplay.from_certificate(Y[:20], scaled)
    assert "scaled units" in display.ax_.get_xlabel()
    with pytest.raises(ValueError, match="axes of its own"):
        CertifiedAccuracyDisplay.from_certificate(Y[:20], raw, ax=display.ax_)
    plt.close(display.figure_)
    display = CertifiedRadiusDisplay.from_certificate(scaled)
    assert "scaled units" in display.ax_.get_xlabel()
    plt.close(display.figure_)


def test_unlike_units_are_told_how_to_be_scaled():
    unlike = np.random.default_rng(0).normal(size=(200, 3)) * [0.01, 20, 500]
    y = unlike[:, 0] > 0
    options = OPTIONS | {"n_augment": 0}
    with pytest.warns(NoiseCollapseWarning, match="feature_scale='std'"):
        SmoothedClassifier(TREE, **options).fit(unlike, y)
    SmoothedClassifier(TREE, feature_scale="std", **options | {"sigma": 0.1}).fit(unlike, y)


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        ([1.0, -1.0], "not negative; got -1 for column 1"),
        ([1.0, np.nan], "finite numbers that are not negative; got nan for column 1"),
        ([0.0, 0.0], "0 for all columns"),
        (["a", "b"], "feature_scale must be a number"),
        ([[1.0, 2.0]], r"feature_scale has shape \(1, 2\)"),
        ({0: 1.0}, "is read off training data"),
    ],
)
def test_scales_are_checked_without_data_too(scale, message):
    model = FrozenEstimator(LogisticRegression().fit(X[:, :2], Y))
    with pytest.raises((ValueError, TypeError), match=message):
        SmoothedClassifier(model, feature_scale=scale).fit()
    clf = SmoothedClassifier(model, feature_scale=[1.0, 2.0], random_state=0).fit()
    with_data = SmoothedClassifier(model, feature_scale=[1.0, 2.0], random_state=0)
    expected = with_data.fit(X[:, :2], Y).certify(X[:5, :2])
    assert (clf.certify(X[:5, :2]).radius == expected.radius).all()


def test_a_scale_of_other_columns_than_those_of_X_is_refused():
    model = FrozenEstimator(LogisticRegression().fit(X[:, :2], Y))
    clf = SmoothedClassifier(model, feature_scale=[2.0]).fit()
    with pytest.raises(ValueError, match="feature_scale is one of 1 columns"):
        clf.certify(X[:5, :2])
