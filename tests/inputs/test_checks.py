"""Columns of whole numbers are named before noise makes others of them."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sksmooth import MedianSmoothedRegressor, SmoothedClassifier

RNG = np.random.default_rng(0)
N = 200
TABLE = pd.DataFrame(
    {
        "size": RNG.normal(size=N),
        "code": RNG.integers(0, 3, N),
        "flag": RNG.random(N) < 0.5,
        "grade": RNG.integers(1, 6, N).astype(float),
        "count": RNG.integers(0, 500, N),
        "constant": 1,
    }
)
Y = (TABLE["size"] + TABLE["flag"] > 0.4).astype(int).to_numpy()
OPTIONS = {"sigma": 0.2, "n_augment": 1, "random_state": 0, "n_estimation": 500}


def fitted(X, **options):
    return SmoothedClassifier(LogisticRegression(max_iter=5000), **OPTIONS | options).fit(X, Y)


def test_columns_of_few_whole_numbers_are_named():
    with pytest.warns(UserWarning, match="makes others of them: code, flag, grade. ") as seen:
        fitted(TABLE.astype(float))
    assert seen[0].filename == __file__
    with pytest.warns(UserWarning, match="code, flag, grade"):
        fitted(pl.DataFrame({name: TABLE[name].astype(float).tolist() for name in TABLE}))
    with pytest.warns(UserWarning, match="code, flag, grade"):
        MedianSmoothedRegressor(Ridge(), sigma=0.1, n_augment=1).fit(TABLE.astype(float), Y)


def test_the_remedy_is_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scale = {"code": 0, "flag": 0, "grade": 0, "constant": 0}
        clf = fitted(TABLE.astype(float), feature_scale=scale)
        fitted(TABLE[["size", "count"]])
        fitted(TABLE.to_numpy(dtype=float))  # arrays may be images
    assert clf.certify(TABLE.astype(float)[:2]).n_features == 2


def test_scaled_columns_are_named_too():
    frame = TABLE.drop(columns="constant").astype(float)
    with pytest.warns(UserWarning, match="code, flag, grade. "):
        fitted(frame, feature_scale="std")


def test_an_encoder_sees_codes_that_it_knows_once_they_bear_no_noise():
    """Where noise reaches the encoder it sees nothing it knows, which was certified in silence."""
    encoder = OneHotEncoder(handle_unknown="ignore")
    model = make_pipeline(
        ColumnTransformer([("codes", encoder, ["code", "flag"])], remainder="passthrough"),
        LogisticRegression(max_iter=5000),
    )
    frame = TABLE[["size", "code", "flag"]].astype(float)
    clf = SmoothedClassifier(model, feature_scale={"code": 0, "flag": 0}, **OPTIONS).fit(frame, Y)
    certificate = clf.certify(frame[:50])
    assert (certificate.prediction == Y[:50]).mean() > 0.8
    assert (certificate.column_budget()[:, 1:] == 0).all()
