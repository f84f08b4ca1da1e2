"""Linear classifiers: the gradient is constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sksmooth.base_models._linear import LINEAR_CLASSIFIERS, coef_and_intercept
from sksmooth.smooth_scores._base import SmoothScore
from sksmooth.smooth_scores._norms import EPS, Floats, times
from sksmooth.smooth_scores._registry import smooth_score


@dataclass(frozen=True)
class LinearScore(SmoothScore):
    """Scores ``coef @ x + intercept``.

    Attributes
    ----------
    coef : ndarray of shape (n_scores, n_features)
        Gradients.
    intercept : ndarray of shape (n_scores,)
        Scores at 0.
    """

    coef: Floats
    intercept: Floats

    @classmethod
    def of(cls, coef: Any, intercept: Any) -> LinearScore:
        """Scores as a model holds them."""
        return cls(*coef_and_intercept(coef, intercept))

    def value(self, X: Floats) -> Floats:
        """Scores."""
        return X @ self.coef.T + self.intercept

    def gradient(self, X: Floats) -> Floats:
        """Gradients, the same for every row."""
        return np.broadcast_to(self.coef, (len(X), *self.coef.shape))

    def rounding(self, X: Floats) -> Floats:
        """Bound of the rounding error of a sum of products."""
        size = np.abs(X) @ np.abs(self.coef).T + np.abs(self.intercept)
        return EPS * (X.shape[1] + 4) * size

    def gradient_rounding(self, X: Floats) -> Floats:
        """Zero: the coefficients are what they are."""
        return np.zeros((len(X), len(self.coef)))

    def lipschitz(self, weights: Floats, norm: float) -> float:
        """Zero."""
        return 0.0

    def after(self, matrix: Floats, offset: Floats) -> LinearScore:
        """Linear again."""
        coef = self.coef * matrix if matrix.ndim == 1 else self.coef @ matrix
        return LinearScore(coef, self.intercept + times(self.coef, offset[None])[0])


def _of_linear_classifier(model: Any) -> SmoothScore:
    return LinearScore.of(model.coef_, model.intercept_)


for _kind in LINEAR_CLASSIFIERS:
    smooth_score.register(_kind, _of_linear_classifier)
