"""Affine maps that are read off transformers are what these do."""

import numpy as np
import pytest
from case_names import name_of_case
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    StandardScaler,
)
from voter_cases import AFFINE

from sksmooth.base_models._affine import InputMap, affine_map
from sksmooth.inputs._containers import read_inputs

X = np.random.default_rng(0).normal(2.0, 3.0, size=(50, 4))


@pytest.mark.parametrize("transformer", AFFINE, ids=name_of_case)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_maps_are_what_transformers_do(transformer, dtype):
    fitted = clone(transformer).fit(X.astype(dtype))
    for model in (fitted, FrozenEstimator(fitted)):
        matrix, offset = affine_map(model)
        assert np.asarray(matrix).dtype == np.asarray(offset).dtype == float
        mapped = InputMap.identity(len(offset)).after(matrix, offset).of_inputs(X)
        assert_allclose(mapped, fitted.transform(X), rtol=1e-5, atol=1e-5)


class Clipping(StandardScaler):
    """Inherits the scale and does more."""


@pytest.mark.parametrize(
    "transformer",
    [
        Clipping(),
        PCA(2, whiten=True),
        MinMaxScaler(clip=True),
        PolynomialFeatures(2),
        SimpleImputer(add_indicator=True),
        SimpleImputer(missing_values=0.0),
    ],
    ids=name_of_case,
)
def test_others_are_not_known(transformer):
    assert affine_map(transformer.fit(X)) is None


def test_transform_that_is_replaced_is_not_known():
    scaler = StandardScaler().fit(X)
    assert affine_map(scaler) is not None
    scaler.transform = lambda Z: Z
    assert affine_map(scaler) is None


def test_maps_of_single_precision_are_computed_in_double():
    scaler = MaxAbsScaler().fit((X * 1e4).astype(np.float32))
    scale, _ = affine_map(scaler)
    assert scale.dtype == np.float64
    assert_array_equal(scale, 1 / scaler.scale_.astype(float))


def test_maps_of_inputs_and_of_what_is_added_to_them():
    matrix, scale = np.random.default_rng(1).normal(size=(2, 4)), np.array([1.0, 2.0])
    both = InputMap.identity(2).after(scale, np.ones(2)).after(matrix, np.arange(2.0))
    assert both.suits(read_inputs(X, owner=None))
    assert not both.suits(read_inputs(X[:, :2], owner=None))
    Z = X[::-1] / 7
    assert_allclose(both.of_inputs(X), (X @ matrix.T + [0, 1]) * scale + 1)
    assert_allclose(both.of_inputs(X + Z), both.of_inputs(X) + both.of_draws(Z))
