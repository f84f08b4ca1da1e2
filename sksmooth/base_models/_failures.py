"""Errors of base models, with what to do where it is known why they fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import singledispatch
from typing import Any

from sklearn.frozen import FrozenEstimator

from sksmooth.base_models._registry import is_known


@singledispatch
def explain(model: Any, error: Exception, X: Any, y: Any) -> None:
    """Raise an error that says what to do, where it is known why a model failed on X and y.

    Register a function for a class of models; y is None where none was given.
    """


@contextmanager
def explained(model: Any, X: Any, y: Any = None) -> Iterator[None]:
    """Replace an error of a base model by one that says what to do, where that is known."""
    try:
        yield
    except Exception as error:
        while isinstance(model, FrozenEstimator):
            model = model.estimator
        if is_known(model, explain):
            explain(model, error, X, y)
        raise
