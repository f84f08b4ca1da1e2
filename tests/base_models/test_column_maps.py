"""Thresholds that go back through steps that map each column by itself."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from sksmooth.base_models._additive import additive_score
from sksmooth.base_models._column_maps import column_map
from sksmooth.base_models._trees import boxes_of

X = load_breast_cancer().data[:, :6]

STEPS = [
    StandardScaler(),
    MinMaxScaler((-1, 2), clip=True),
    MaxAbsScaler(),
    RobustScaler(),
    QuantileTransformer(n_quantiles=50),
    QuantileTransformer(n_quantiles=50, output_distribution="normal"),
    PowerTransformer(),
    KBinsDiscretizer(8, encode="ordinal", quantile_method="averaged_inverted_cdf"),
    SimpleImputer(),
    make_pipeline(RobustScaler(), "passthrough", PowerTransformer()),
    ColumnTransformer(
        [
            ("scale", StandardScaler(), [4, 1]),
            ("keep", "passthrough", [0]),
            ("drop", "drop", [2]),
            ("rank", QuantileTransformer(n_quantiles=50), slice(5, 6)),
        ],
        remainder=MinMaxScaler(),
    ),
]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_outputs_are_at_most_a_threshold_up_to_the_input_that_is_found(step):
    step.fit(X)
    found = column_map(FrozenEstimator(step))
    rng = np.random.default_rng(0)
    outputs = rng.integers(0, len(found.sources), 200)
    inside = step.transform(X)[rng.integers(0, len(X), 200), outputs]
    thresholds = inside + rng.choice([-1e-3, 0, 1e-3, 10, -10], 200)
    pulled = found.pull_back(outputs, thresholds)
    noisy = X + 0.3 * X.std(axis=0) * rng.normal(size=X.shape)
    there = step.transform(noisy)
    known = ~np.isnan(pulled)
    assert known.all() or isinstance(step, (PowerTransformer, Pipeline))
    assert known.mean() > 0.5
    for j, t, x in zip(outputs[known], thresholds[known], pulled[known]):
        assert_array_equal(there[:, j] <= t, noisy[:, found.sources[j]] <= x)
    finite = np.isfinite(pulled)
    assert finite.any()
    rows = np.zeros((finite.sum(), 6))
    for shift, expected in ((0, True), (1, False)):
        x = pulled[finite] if not shift else np.nextafter(pulled[finite], np.inf)
        rows[np.arange(len(x)), found.sources[outputs[finite]]] = x
        at = step.transform(rows)[np.arange(len(x)), outputs[finite]]
        assert ((at <= thresholds[finite]) == expected).all()


def test_frames_choose_columns_by_name():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    step = ColumnTransformer(
        [("s", StandardScaler(), ["e", "b"]), ("m", MinMaxScaler(), slice("c", "d"))]
    ).fit(frame)
    assert_array_equal(column_map(step).sources, [4, 1, 2, 3])


@pytest.mark.parametrize(
    "step",
    [
        PCA(2),
        OneHotEncoder(),
        KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"),
        PowerTransformer(method="box-cox"),
        make_pipeline(StandardScaler(), PCA(2)),
        SimpleImputer(add_indicator=True),
        ColumnTransformer([("pca", PCA(1), [0, 1])]),
    ],
    ids=str,
)
def test_other_steps_are_not_known(step):
    assert column_map(step.fit(X + 1)) is None


def test_each_column_is_searched_as_far_as_its_own_powers_go():
    steep = PowerTransformer(standardize=False).fit(X[:, :2])
    steep.lambdas_ = np.array([-40.0, 1.0])
    found = column_map(steep)
    assert_allclose(found.pull_back(np.array([1]), np.array([1e8])), [1e8], rtol=1e-12)
    assert np.isnan(found.pull_back(np.array([0]), np.array([1.0]))).all()  # it is below 1 / 40
    tree = DecisionTreeClassifier(max_depth=1).fit(np.c_[np.zeros(20), np.arange(20)], [0, 1] * 10)
    assert boxes_of(tree).behind(found) is not None


@pytest.mark.parametrize("step", [StandardScaler(), MinMaxScaler(), MaxAbsScaler(), RobustScaler()])
@pytest.mark.parametrize("size", [1e-200, 1e90, 1e140])
def test_thresholds_of_huge_and_tiny_columns_are_found(step, size):
    columns = X * size
    found = column_map(step.fit(columns))
    outputs = np.arange(6)
    thresholds = step.transform(columns)[7]
    assert_allclose(found.pull_back(outputs, thresholds), columns[7], rtol=1e-9)


def test_a_rule_whose_ends_are_not_known_is_none():
    steep = PowerTransformer(standardize=False).fit(X[:, :2])
    steep.lambdas_ = np.array([-40.0, 1.0])
    far = np.c_[np.linspace(0, 5, 20), np.zeros(20)]
    tree = DecisionTreeClassifier(max_depth=1).fit(far, far[:, 0] > 2)
    assert boxes_of(tree).behind(column_map(steep)) is None
    stumps = GradientBoostingClassifier(max_depth=1, n_estimators=2).fit(far, far[:, 0] > 2)
    assert additive_score(stumps).behind(column_map(steep)) is None
