"""The scale of columns: spreads of training data, numbers, and what is refused."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import RobustScaler, StandardScaler

from sksmooth.inputs._containers import read_inputs
from sksmooth.inputs._layout import Layout
from sksmooth.inputs._scale import scale_of_columns

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4)) * [0.01, 1, 5, 1000] + [3, -2, 0, 1e5]
FRAME = pd.DataFrame(X, columns=["a", "b", "c", "d"])


def scale_of(given, X=X):
    return scale_of_columns(given, read_inputs(X, owner=None))


def test_spreads_are_those_of_the_scalers_of_scikit_learn():
    np.testing.assert_allclose(scale_of("std"), StandardScaler().fit(X).scale_, rtol=1e-9)
    np.testing.assert_allclose(scale_of("iqr"), RobustScaler().fit(X).scale_, rtol=1e-9)


def test_an_interquartile_range_of_zero_gives_way_to_the_deviation():
    values = X.copy()
    values[:, 1] = 0
    values[::10, 1] = 7
    assert scale_of("iqr", values)[1] == pytest.approx(values[:, 1].std())
    assert scale_of("iqr", values)[0] == scale_of("iqr")[0]


def test_numbers_are_taken_as_they_are():
    assert scale_of([1, 2, 0, 4]).tolist() == [1, 2, 0, 4]


def test_a_dictionary_is_for_some_columns():
    std = scale_of("std")
    assert scale_of({"b": 0, "d": "iqr"}, FRAME).tolist() == [std[0], 0, std[2], scale_of("iqr")[3]]
    assert scale_of({1: 0, 3: 2.5}).tolist() == [std[0], 0, std[2], 2.5]
    assert scale_of(dict.fromkeys("abcd", 2), FRAME).tolist() == [2] * 4


def test_columns_without_spread_are_named_and_never_taken_for_immutable():
    frame = FRAME.assign(b=0.1, c=1e9)
    for spread in ("std", "iqr"):
        with pytest.raises(ValueError, match=r"no spread: b, c\. .*pass feature_scale={'b': 0, "):
            scale_of(spread, frame)
    std = scale_of("std", FRAME)
    assert scale_of({"b": 0, "c": 1.5}, frame).tolist() == [std[0], 0, 1.5, std[3]]
    scale_of("std", frame.drop(columns=["b", "c"]))


@pytest.mark.parametrize(
    ("given", "message", "remedy"),
    [
        ([1, 2, 3], "shape .3,., and X has 4 columns", [1, 2, 3, 4]),
        ([1, 2, 3, -1], "not negative; got -1 for column 3", [1, 2, 3, 1]),
        ([1, 2, 3, np.inf], "finite", [1, 2, 3, 1]),
        ([0, 0, 0, 0], "0 for all columns", [0, 0, 0, 1]),
        ({"z": 1}, "names the column 'z'; X has a, b, c, d", {"a": 1}),
        ({"a": "range"}, "'std' and 'iqr', got 'range'", {"a": "iqr"}),
    ],
)
def test_what_is_no_scale_is_refused(given, message, remedy):
    with pytest.raises(ValueError, match=message):
        scale_of(given, FRAME)
    assert (scale_of(remedy, FRAME) >= 0).all()


def test_inputs_without_columns_are_refused():
    with pytest.raises(ValueError, match="needs inputs with columns"):
        scale_of("std", X.reshape(200, 2, 2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inputs_are_scaled_and_the_model_gets_the_units_of_x(dtype):
    frame = FRAME.astype(dtype)
    inputs = read_inputs(frame, owner=None)
    layout = Layout(np.array([0.01, 1, 0, 1000]))
    arranged = inputs.arranged(layout)
    assert arranged.dtype == dtype
    assert arranged.values.dtype == np.float64  # noise is added to what is rounded once
    assert arranged.n_features == 3
    assert arranged.columns == ("a", "b", "c", "d")
    np.testing.assert_allclose(arranged.values[:, 3], X[:, 3] / 1000, rtol=1e-5)
    assert (arranged.values[:, 2] == frame["c"]).all()
    back = arranged.to_container(arranged.values.astype(dtype))
    assert isinstance(back, pd.DataFrame)
    assert (back.dtypes == dtype).all()
    np.testing.assert_allclose(back, frame, rtol=1e-6)
    assert (back["c"].to_numpy() == frame["c"].to_numpy()).all()


def test_parts_of_inputs_keep_their_layout():
    layout = Layout(np.array([0.01, 1, 0, 1000]))
    inputs = read_inputs(X, owner=None).arranged(layout)
    for part in (inputs[3:5], inputs.choose(np.array([3, 4])), inputs.with_values(inputs.values)):
        assert part.layout is layout
        assert part.noisy.tolist() == [True, True, False, True]
    assert read_inputs(X, owner=None).arranged(None).scale is None
    assert read_inputs(X, owner=None).arranged(Layout(np.ones(4))).noisy is None


def test_quotients_are_as_near_as_the_bound_says():
    """Against rational arithmetic: the quotient, and that of a row nearby, differ by no more."""
    layout = Layout(np.array([0.01, 1 / 3, 0, 1000]))
    inputs = read_inputs(X[:20], owner=None).arranged(layout)
    exact = [
        [
            Fraction(float(x)) / Fraction(float(s))
            for x, s in zip(row[[0, 1, 3]], layout.scale[[0, 1, 3]])
        ]
        for row in X[:20]
    ]
    off = np.array(
        [
            [float(abs(Fraction(float(u)) - e)) for u, e in zip(row, wanted)]
            for row, wanted in zip(inputs.under_noise, exact)
        ]
    )
    for norm in (1, 2, np.inf):
        distance = np.linalg.norm(off, norm, axis=1)
        assert (2 * distance <= inputs.blur(norm)).all()
        assert (distance > 0).any()
    assert (read_inputs(X, owner=None).blur(2) == 0).all()
