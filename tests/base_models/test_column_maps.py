"""Thresholds that go back through steps that map each column by itself."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
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

from sksmooth.base_models._column_maps import column_map

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
    for j, t, x in zip(outputs, thresholds, pulled):
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
