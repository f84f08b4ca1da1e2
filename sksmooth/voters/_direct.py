"""Models with the answers of a fitted one that are faster to ask."""

from __future__ import annotations

from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sksmooth.base_models._registry import Registry


@Registry
def directly(model: Any) -> Any:
    """Return a model with the answers of a fitted one that is faster to ask; or the model itself.

    For models that are asked for every vote. A registration is for that very class, as in
    :func:`voter_of`.
    """
    return model


@directly.register
def _(model: FrozenEstimator) -> Any:
    return directly(model.estimator)


@directly.register
def _(model: Pipeline) -> Any:
    *steps, (name, last) = model.steps
    direct = directly(last)
    return model if direct is last else Pipeline([*steps, (name, direct)])
