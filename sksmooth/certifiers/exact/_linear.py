"""Linear classifiers with two classes: the smoothed classifier is the classifier itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sksmooth.certifiers.exact._base import Array, ExactVote, Proven
from sksmooth.voters._linear import LinearScores

_EPS = np.finfo(np.float64).eps


@dataclass(frozen=True)
class LinearVote(ExactVote):
    """Distance to the hyperplane of a linear classifier with two classes, under Gaussian noise.

    Attributes
    ----------
    scores : LinearScores
        With one score.
    sigma : float
        Standard deviation of the noise.
    noisy : ndarray of bool, or None
        Columns that bear noise; the others do not change. None: all do.
    """

    scores: LinearScores
    sigma: float
    noisy: NDArray[np.bool_] | None = None

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes."""
        return 2

    @property
    def values_per_row(self) -> int:
        """Numbers that are held for each row, about."""
        return 2 * self.scores.coef.shape[1] + 8

    def suits(self, shape: tuple[int, ...]) -> bool:
        """Whether inputs have the shape that the model takes."""
        return shape == self.scores.coef.shape[1:]

    def classify(self, values: Array) -> NDArray[np.intp]:
        """Positions of the classes that the model gives to inputs without noise."""
        return _side(self.scores, values)[0].astype(np.intp)

    def probabilities(self, values: Array) -> Array:
        """Class probabilities under noise; the larger is that of the class of `classify`."""
        second, score, _ = _side(self.scores, values)
        distance = self._distance(np.abs(score), 2)
        probability = special.ndtr(np.abs(distance / self.sigma))
        winner = np.where(probability > 0.5, probability, np.nextafter(0.5, 1.0))
        return np.where(second[:, None] == [False, True], winner[:, None], 1.0 - winner[:, None])

    def prove(self, values: Array, norm: float, top_k: int) -> Proven:
        """Return predictions of inputs, and their distances to the hyperplane.

        By Hoelder's inequality the distance is ``|w @ x + b|`` over the dual norm of w. It is
        rounded down by more than the rounding of the scores.
        """
        second, score, uncertain = _side(self.scores, values)
        margin = np.maximum(np.abs(score) - uncertain, 0.0)
        p_lower = special.ndtr(self._distance(margin, 2) / self.sigma)
        p_lower = np.maximum(np.nextafter(p_lower, 0.0), 0.5)
        radius = self._distance(margin, norm)
        return Proven(second.astype(np.intp)[:, None], p_lower, 1.0 - p_lower, radius[:, None])

    def _distance(self, margin: Array, norm: float) -> Array:
        """Distance to the hyperplane, rounded down.

        Margins are in units of the largest coefficient. It is infinite where the model
        ignores all that may change and the margin is not 0.
        """
        scores, rounding = self.scores, _rounding(self.scores)
        unit = _scale(scores)
        noisy: Any = slice(None) if self.noisy is None else self.noisy
        dual = np.inf if norm == 1 else 1.0 / (1.0 - 1.0 / norm)
        length = np.linalg.norm(scores.coef[0, noisy] / unit, dual)
        length += rounding * np.linalg.norm(scores.coef_size[0, noisy] / unit, dual)
        if length == 0:
            return np.where(margin == 0, 0.0, np.inf)
        return margin / length * (1 - rounding)


def _scale(scores: LinearScores) -> float:
    """Largest coefficient: in its units no score or norm over- or underflows."""
    return float(np.abs(scores.coef[0]).max()) or 1.0


def _side(
    scores: LinearScores, values: Array
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Rows of the second class, their scores, and a bound of the rounding error of these.

    The scores are in units of the largest coefficient; one that is not finite is 0 and proves
    nothing.
    """
    unit = _scale(scores)
    with np.errstate(over="ignore", invalid="ignore"):
        score = values @ (scores.coef[0] / unit) + scores.intercept[0] / unit
        size = np.abs(values) @ (scores.coef_size[0] / unit) + scores.intercept_size[0] / unit
    known = np.isfinite(score) & np.isfinite(size)
    score, size = np.where(known, score, 0.0), np.where(known, size, 0.0)
    return score > 0, score, _rounding(scores) * size


def _rounding(scores: LinearScores) -> float:
    """Relative rounding error of a score, with room to spare."""
    return float(8 * (scores.coef.shape[1] + 8) * _EPS)
