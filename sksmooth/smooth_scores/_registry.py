"""Families of classifiers whose smooth scores are known."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from sksmooth.smooth_scores._base import SmoothScore


@singledispatch
def smooth_score(model: Any) -> SmoothScore:
    """Return the smooth scores of a fitted classifier.

    Parameters
    ----------
    model : fitted classifier
        One of a family that is known.

    Returns
    -------
    score : SmoothScore

    Raises
    ------
    ValueError
        If the model has no smooth score, or none that is known; the message says what to do.

    Notes
    -----
    Teach it a classifier of your own with a function that returns a :class:`SmoothScore`::

        @smooth_score.register
        def _(model: YourClassifier) -> SmoothScore:
            return YourScore(model.weights_)
    """
    from sksmooth.smooth_scores._modules import is_torch, score_of_module  # it imports from here

    if is_torch(model):
        return score_of_module(model)
    raise _unknown(model, "is not among the models whose gradient is known")


def score_of(model: Any) -> SmoothScore:
    """Smooth scores of a model whose very class is known, and which answers as its class does."""
    own = {"predict", "decision_function", "predict_proba"} & set(vars(model))
    if own:
        raise _unknown(model, f"has a {min(own)} of its own, so that its gradient is not known")
    handler = smooth_score.dispatch(type(model))
    if handler is smooth_score.dispatch(object) or type(model) in smooth_score.registry:
        return smooth_score(model)
    raise _unknown(
        model, "is a subclass, which may answer in another way, so that its gradient is not known"
    )


def _unknown(model: Any, why: str) -> ValueError:
    return ValueError(
        f"{type(model).__name__} {why}. Pass gradient= (a function that returns the gradient of "
        "its decision_function) and gradient_lipschitz= (a number), register it with "
        "sksmooth.smooth_scores.smooth_score, or certify it by SmoothedClassifier, which needs no "
        "gradient."
    )
