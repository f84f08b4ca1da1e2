"""Families of classifiers whose smooth scores are known."""

from __future__ import annotations

from typing import Any

from sksmooth.base_models._registry import Registry
from sksmooth.smooth_scores._base import SmoothScore


@Registry
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

    A registration is for that very class: a subclass may answer in another way.
    """
    raise ValueError(
        f"{type(model).__name__} {smooth_score.why_unknown(model)}, so that its gradient is not "
        "known. Pass gradient= (a function that returns the gradient of its decision_function) "
        "and gradient_lipschitz= (a number), register it with "
        "sksmooth.smooth_scores.smooth_score, or certify it by SmoothedClassifier, which needs no "
        "gradient."
    )
