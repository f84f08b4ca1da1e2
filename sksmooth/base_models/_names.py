"""Names of models, for messages."""

from __future__ import annotations

from typing import Any

from sklearn.frozen import FrozenEstimator


def name_of(model: Any) -> str:
    """Class name of a model as the user knows it, for messages."""
    while isinstance(model, FrozenEstimator):
        model = model.estimator
    return type(model).__name__
