"""Errors of base models, with what to do where it is known why they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.frozen import FrozenEstimator

from sksmooth.base_models._registry import Registry

Explain = Callable[[Exception, Any, Any], None]


@Registry
def explanation_of(model: Any) -> Explain | None:
    """Return what raises an error that says what to do, given one of a model, its X and its y.

    It does nothing where it does not know why the model failed; y is None where none was given.
    """
    return None


@explanation_of.register
def _(model: FrozenEstimator) -> Explain | None:
    return explanation_of(model.estimator)


@contextmanager
def explained(model: Any, X: Any, y: Any = None) -> Iterator[None]:
    """Replace an error of a base model by one that says what to do, where that is known."""
    try:
        yield
    except Exception as error:
        explain = explanation_of(model)
        if explain is not None:
            explain(error, X, y)
        raise
