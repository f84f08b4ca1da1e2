"""Odd inputs of every estimator: taken for what they are, or refused with a remedy."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge

from sksmooth import (
    CenterSmoothedRegressor,
    DSSNClassifier,
    LocallyBiasedSmoother,
    MedianSmoothedRegressor,
    SmoothedClassifier,
)

X = np.random.default_rng(0).integers(-3, 4, size=(60, 3)).astype(float)
LABELS, TARGETS = (X[:, 0] > 0).astype(int), X[:, 0]
DRAWS = {"n_estimation": 400, "random_state": 0}


def fitted():
    yield SmoothedClassifier(LogisticRegression(), **DRAWS).fit(X, LABELS)
    yield SmoothedClassifier(LogisticRegression(), structure="off", **DRAWS).fit(X, LABELS)
    yield DSSNClassifier(sigma=0.5, n_steps=6, feature_range=(-3, 3)).fit(X, LABELS)
    yield LocallyBiasedSmoother(random_state=0).fit(X, LABELS)
    yield CenterSmoothedRegressor(Ridge(), n_center=30, **DRAWS).fit(X, TARGETS)
    yield MedianSmoothedRegressor(Ridge(), n_prediction=20, **DRAWS).fit(X, TARGETS)


SMOOTHERS = list(fitted())
NAMES = [f"{type(s).__name__}-{i}" for i, s in enumerate(SMOOTHERS)]
MASKED = np.ma.array(X, mask=X == 2)

# What is refused: X, a part of the message, and what the message says to pass in its place.
REFUSED = {
    "masked": (MASKED, "X has masked values", MASKED.filled(0.0)),
    "none": (None, "got NoneType", X),
    "dictionary": ({"a": [1.0]}, "got dict. Make a list of an iterator, or a pandas.Data", X),
    "iterator": (iter(X), "got .*. Make a list of an iterator", list(X)),
    "number": (3.0, "got float", X),
    "text": ("abc", "got str", X),
    "ragged": ([[1.0, 2.0], [3.0]], "X is ragged", X),
    "complex": (X + 1j, "Complex data not supported.*Pass X.real", (X + 1j).real),
    "None in a list": ([[1.0, None, 2.0]], "X contains NaN at row 0, column 1", X),
    "NaN": ([[1.0, np.nan, 2.0]], "X contains NaN at row 0, column 1", X),
    "infinity": ([[1.0, 0.0, np.inf]], "X contains infinity at row 0, column 2", X),
    "texts": ([["a", "b", "c"]], "are not numeric: 0, 1, 2", X),
    "dates": (np.zeros((2, 3), "M8[s]"), "are not numeric: 0, 1, 2", X),
    "sparse": (sparse.csr_matrix(X), r"Pass X.toarray\(\)", sparse.csr_matrix(X).toarray()),
    "one row": (X[0], "Reshape your data", X[0].reshape(1, -1)),
    "no rows": (X[:0], "Found array with 0 sample", X),
    "too few columns": (X[:, :2], "features", X),
    "too many columns": (np.hstack([X, X]), "features", X),
}

# What is taken for the numbers that it holds.
TAKEN = {
    "Decimal": [[Decimal(str(v)) for v in row] for row in X[:3]],
    "Fraction": [[Fraction(v) for v in row] for row in X[:3]],
    "object": X[:3].astype(object),
    "lists": X[:3].tolist(),
    "int8": X[:3].astype(np.int8),
    "no mask": np.ma.array(X[:3], mask=False),
    "fortran": np.asfortranarray(X[:3]),
    "read only": np.frombuffer(X[:3].tobytes()).reshape(3, 3),
    "strided": np.repeat(X[:3], 2, axis=0)[::2],
    "big endian": X[:3].astype(">f8"),
}


def certified(smoother, rows):
    if isinstance(smoother, (CenterSmoothedRegressor, MedianSmoothedRegressor)):
        return smoother.certify(rows, radius=0.05)
    return smoother.certify(rows)


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("smoother", SMOOTHERS, ids=NAMES)
def test_what_is_no_table_of_numbers_is_refused(smoother, case):
    bad, message, remedy = REFUSED[case]
    for call in (smoother.predict, lambda rows: certified(smoother, rows)):
        with pytest.raises((TypeError, ValueError), match=f"(?s){message}"):
            call(bad)
    assert len(smoother.predict(remedy)) == len(remedy)


@pytest.mark.parametrize("case", TAKEN)
@pytest.mark.parametrize("smoother", SMOOTHERS, ids=NAMES)
def test_numbers_in_any_container_are_taken(smoother, case):
    expected = certified(smoother, X[:3])
    assert certified(smoother, TAKEN[case]) == expected
    assert_array_equal(smoother.predict(TAKEN[case]), smoother.predict(X[:3]))


@pytest.mark.parametrize("smoother", SMOOTHERS, ids=NAMES)
def test_masks_are_not_dropped_at_fit(smoother):
    regressor = isinstance(smoother, (CenterSmoothedRegressor, MedianSmoothedRegressor))
    y = TARGETS if regressor else LABELS
    with pytest.raises(ValueError, match=r"X has masked values, .*values.filled\(...\)"):
        smoother.fit(MASKED, y)
    with pytest.raises(ValueError, match=r"y has masked values, .* leave their rows out"):
        smoother.fit(X, np.ma.array(y, mask=X[:, 0] == 2))
    there = ~MASKED.mask.any(axis=1)
    smoother.fit(X[there], y[there])
    smoother.fit(X, y)


@pytest.mark.parametrize("smoother", SMOOTHERS[:2], ids=NAMES[:2])
@pytest.mark.parametrize(
    "radius",
    [
        "abc",
        "0.1",
        True,
        1j,
        np.nan,
        -1.0,
        np.inf,
        [0.1, 0.2],
        np.ma.array([0.1] * 3, mask=[1, 0, 0]),
    ],
    ids=repr,
)
def test_radii_that_are_none_are_refused(smoother, radius):
    with pytest.raises((TypeError, ValueError), match=r"^radius (must|has masked)"):
        smoother.certify(X[:3], radius=radius)
    assert len(smoother.certify(X[:3], radius=0.1)) == 3
