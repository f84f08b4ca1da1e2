"""What a base model holds out of its training is not what it learns from, or a warning says so."""

import warnings

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.feature_selection import RFECV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, Ridge, RidgeCV
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    GroupKFold,
    StratifiedGroupKFold,
    TunedThresholdClassifierCV,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import CenterSmoothedRegressor, MedianSmoothedRegressor, SmoothedClassifier
from sksmooth.estimators._inner_validation import warn_of_copies_on_both_sides

RNG = np.random.default_rng(0)
X, COIN = RNG.normal(size=(100, 5)), RNG.integers(0, 2, 100)
OPTIONS = {"sigma": 0.01, "random_state": 0, "n_estimation": 200}
TREE = DecisionTreeClassifier(random_state=0)
WARNED = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")

HOLD_OUT = {
    "cv of a search": (GridSearchCV(TREE, {"max_depth": [2]}), "cv"),
    "cv of a calibration": (CalibratedClassifierCV(TREE), "cv"),
    "cv of a threshold": (TunedThresholdClassifierCV(TREE), "cv"),
    "cv of a stack": (StackingClassifier([("tree", TREE)]), "cv"),
    "cv of a model": (LogisticRegressionCV(), "cv"),
    "cv of a step": (make_pipeline(RFECV(LogisticRegression()), LogisticRegression()), "cv"),
    "bags": (RandomForestClassifier(oob_score=True), "oob_score"),
    "bags in a pipeline": (
        make_pipeline(StandardScaler(), RandomForestClassifier(oob_score=True)),
        "oob_score",
    ),
    "stopping": (MLPClassifier(early_stopping=True), "early_stopping"),
    "stopping of boosting": (GradientBoostingClassifier(n_iter_no_change=3), "n_iter_no_change"),
    "stopping of histograms": (
        HistGradientBoostingClassifier(early_stopping=True),
        "early_stopping",
    ),
    "splits by a number": (GridSearchCV(TREE, {"max_depth": [2]}, cv=3), "cv"),
}

NOTHING_HELD_OUT = [
    TREE,
    RandomForestClassifier(),
    MLPClassifier(),
    GradientBoostingClassifier(),
    HistGradientBoostingClassifier(),
    make_pipeline(StandardScaler(), LogisticRegression()),
    FixedThresholdClassifier(TREE),
    FrozenEstimator(GridSearchCV(TREE, {"max_depth": [2]})),
    CalibratedClassifierCV(FrozenEstimator(TREE)),
    StackingClassifier([("tree", TREE)], cv="prefit"),
    GridSearchCV(TREE, {"max_depth": [2]}, cv=StratifiedGroupKFold(3)),
    GridSearchCV(TREE, {"max_depth": [2]}, cv=GroupKFold(3)),
]


@pytest.mark.parametrize("case", HOLD_OUT)
def test_the_parameter_is_named(case):
    model, parameter = HOLD_OUT[case]
    message = rf"holds rows out of its training \({parameter}=.*Use n_augment=1"
    with pytest.warns(UserWarning, match=message) as warned:
        warn_of_copies_on_both_sides(model, 10, 100, stacklevel=1)
    assert len(warned) == 1
    names_groups = "StratifiedGroupKFold" in str(warned[0].message)
    assert names_groups == isinstance(model, GridSearchCV)


@pytest.mark.parametrize("model", NOTHING_HELD_OUT, ids=lambda model: type(model).__name__)
def test_nothing_is_said_where_no_copy_is_held_out(model):
    warn_of_copies_on_both_sides(model, 10, 100, stacklevel=1)


@pytest.mark.parametrize("case", HOLD_OUT)
def test_one_copy_is_on_one_side(case):
    warn_of_copies_on_both_sides(HOLD_OUT[case][0], 1, 100, stacklevel=1)


def test_histograms_stop_early_by_themselves_from_ten_thousand_copies_on():
    model = HistGradientBoostingClassifier()
    warn_of_copies_on_both_sides(model, 10, 1000, stacklevel=1)
    with pytest.warns(UserWarning, match="early_stopping='auto'"):
        warn_of_copies_on_both_sides(model, 10, 1001, stacklevel=1)


@WARNED
def test_copies_of_coins_are_not_told_from_their_rows():
    """Labels that are coins cannot be told; with copies on both sides they seem to be."""
    nearest = KNeighborsClassifier(1)
    grid = {"n_neighbors": [1]}
    fair = GridSearchCV(nearest, grid, cv=StratifiedGroupKFold(5))
    model = SmoothedClassifier(fair, **OPTIONS).fit(X, COIN).estimator_
    assert 0.3 < model.best_score_ < 0.7
    with pytest.warns(UserWarning, match="holds rows out"):
        model = SmoothedClassifier(GridSearchCV(nearest, grid), **OPTIONS).fit(X, COIN).estimator_
    assert model.best_score_ > 0.95
    once = SmoothedClassifier(GridSearchCV(nearest, grid), n_augment=1, **OPTIONS)
    assert 0.3 < once.fit(X, COIN).estimator_.best_score_ < 0.7


@WARNED
def test_groups_of_the_user_stay():
    search = GridSearchCV(TREE, {"max_depth": [2]}, cv=GroupKFold(2))
    groups = np.arange(len(X)) % 2
    smoother = SmoothedClassifier(search, **OPTIONS).fit(X, COIN, groups=groups)
    assert smoother.estimator_.n_splits_ == 2
    with pytest.raises(ValueError, match="number of splits"):
        SmoothedClassifier(search, **OPTIONS).fit(X, COIN, groups=np.zeros(len(X)))


@pytest.mark.parametrize("kind", [CenterSmoothedRegressor, MedianSmoothedRegressor])
def test_in_regressors(kind):
    y = X[:, 0]
    with pytest.warns(UserWarning, match=r"RidgeCV holds rows out.*n_augment=1"):
        kind(RidgeCV(), n_estimation=1000, random_state=0).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind(Ridge(), n_estimation=1000, random_state=0).fit(X, y)
        kind(RidgeCV(), n_estimation=1000, n_augment=1, random_state=0).fit(X, y)
