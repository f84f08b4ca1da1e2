"""Encoders inside a base model: they know the values that they were fitted to, and no others."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing


class UnknownValues(NamedTuple):
    """Values that an encoder does not know.

    Attributes
    ----------
    encoder : str
        Name of its class.
    proportion : float
        Of the entries that it is given.
    """

    encoder: str
    proportion: float


def unknown_values(model: Any, X: Any) -> UnknownValues | None:
    """Find the encoder of a base model that knows the fewest of the values in X.

    Parameters
    ----------
    model : object
        Fitted base model; looked at through Pipelines, ColumnTransformers and FrozenEstimators.
    X : array-like or DataFrame of shape (m, n_features)
        Its inputs.

    Returns
    -------
    unknown : UnknownValues or None
        None: all values are known, or there is no encoder.
    """
    found = [f for f in _walk(model, X) if f.proportion > 0]
    return max(found, key=lambda f: f.proportion, default=None)


def _walk(model: Any, X: Any) -> list[UnknownValues]:
    if isinstance(model, FrozenEstimator):
        return _walk(model.estimator, X)
    if isinstance(model, Pipeline):
        found = []
        for _, step in model.steps:
            if step in (None, "passthrough"):
                continue
            found += _walk(step, X)
            if hasattr(step, "transform"):
                X = step.transform(X)
        return found
    if isinstance(model, ColumnTransformer):
        return [
            unknown
            for _, step, columns in model.transformers_
            if not isinstance(step, str) and np.size(columns)
            for unknown in _walk(step, _safe_indexing(X, columns, axis=1))
        ]
    categories = getattr(model, "categories_", None)
    if categories is None or not hasattr(model, "transform"):
        return []
    values = np.asarray(X)
    if values.ndim != 2 or values.shape[1] != len(categories):
        return []
    known = [np.isin(values[:, j], known).mean() for j, known in enumerate(categories)]
    return [UnknownValues(type(model).__name__, 1.0 - float(np.mean(known)))]
