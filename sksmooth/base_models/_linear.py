"""Linear classifiers: which there are, and what their scores are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.svm import LinearSVC

LINEAR_CLASSIFIERS = (
    LinearDiscriminantAnalysis,
    LinearSVC,
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)


def dense(values: Any) -> NDArray[np.float64]:
    """Return numbers that a model holds as an array in float64, before any arithmetic.

    Models hold sparse matrices, or float32 where they were fitted in float32.
    """
    return np.asarray(values.toarray() if sparse.issparse(values) else values, dtype=float)


def coef_and_intercept(
    coef: Any, intercept: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a matrix and an offset of scores ``coef @ x + intercept``, as a model holds them.

    A model with a single score may hold one vector, and one number for all scores.
    """
    matrix = np.atleast_2d(dense(coef))
    return matrix, np.broadcast_to(dense(intercept), len(matrix))
