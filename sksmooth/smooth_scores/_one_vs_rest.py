"""One score per class, each from a model of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.multiclass import OneVsRestClassifier

from sksmooth.smooth_scores._affine import after_affine
from sksmooth.smooth_scores._base import LocalLipschitzBound, SmoothScore
from sksmooth.smooth_scores._norms import Floats
from sksmooth.smooth_scores._registry import smooth_score


@dataclass(frozen=True)
class OneVsRestScore(SmoothScore):
    """The scores of several models, each of which has one.

    Attributes
    ----------
    parts : sequence of SmoothScore
        One per class.
    follows_predict : bool
        Whether `predict` of the model compares these scores, and not probabilities.
    """

    parts: Sequence[SmoothScore]
    follows_predict: bool = True

    def value(self, X: Floats) -> Floats:
        """Scores."""
        return np.hstack([part.value(X) for part in self.parts])

    def gradient(self, X: Floats) -> Floats:
        """Gradients."""
        return np.concatenate([part.gradient(X) for part in self.parts], axis=1)

    def rounding(self, X: Floats) -> Floats:
        """Bound of the rounding error of each score."""
        return np.hstack([part.rounding(X) for part in self.parts])

    def gradient_rounding(self, X: Floats) -> Floats:
        """Bound of the rounding error of each gradient."""
        return np.hstack([part.gradient_rounding(X) for part in self.parts])

    def input_rounding(self, X: Floats) -> Floats:
        """Infinite, unless there is none: the errors of several parts are no single movement."""
        movement = np.max([part.input_rounding(X) for part in self.parts], axis=0)
        return np.where(movement > 0, np.inf, 0.0)

    def lipschitz(self, weights: Floats, norm: float) -> float:
        """Sum over the parts (triangle inequality)."""
        constants = [
            part.lipschitz(np.array([weight]), norm)
            for part, weight in zip(self.parts, weights, strict=True)
            if weight
        ]
        return float(np.sum(constants))

    def local_bound(self, X: Floats) -> LocalLipschitzBound | None:
        """Sum over the parts."""
        parts = [part.local_bound(X) for part in self.parts]
        if all(part is None for part in parts):
            return None
        return _SumOfBounds(self, parts)

    def after(self, matrix: Floats, offset: Floats) -> SmoothScore:
        """Each part of the transformed input."""
        moved = [after_affine(part, matrix, offset) for part in self.parts]
        return OneVsRestScore(moved, self.follows_predict)


@dataclass(frozen=True)
class _SumOfBounds(LocalLipschitzBound):
    score: OneVsRestScore
    parts: Sequence[LocalLipschitzBound | None]

    def lipschitz(self, weights: Floats, norm: float, radius: Floats) -> Floats:
        total = np.zeros(len(radius))
        for part, local, weight in zip(self.score.parts, self.parts, weights, strict=True):
            if weight:
                each = np.array([weight])
                total += (
                    part.lipschitz(each, norm)
                    if local is None
                    else local.lipschitz(each, norm, radius)
                )
        return total


@smooth_score.register
def _(model: OneVsRestClassifier) -> SmoothScore:
    if model.multilabel_:
        raise ValueError(
            "OneVsRestClassifier was fitted to several labels per row; one class per row is needed."
        )
    parts = [smooth_score(each) for each in model.estimators_]
    compares_scores = all(hasattr(each, "decision_function") for each in model.estimators_)
    return parts[0] if len(parts) == 1 else OneVsRestScore(parts, compares_scores)
