"""Scores of the user's own, from callables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sksmooth.smooth_scores._base import SmoothScore
from sksmooth.smooth_scores._norms import EPS, TINY, Floats, dual_norm


@dataclass(frozen=True)
class CallableScore(SmoothScore):
    """Scores and gradients as two functions return them.

    Attributes
    ----------
    decision : callable
        X to scores, of shape (m,) or (m, n_scores).
    gradients : callable
        X to gradients, of shape (m, ...) for one score, (m, n_scores, ...) for several.
    shape : tuple of int
        Shape of one input, as the functions take it.
    """

    decision: Callable[[Any], Any]
    gradients: Callable[[Any], Any]
    shape: tuple[int, ...]

    def _as_taken(self, X: Floats) -> Floats:
        return X.reshape(len(X), *self.shape)

    def value(self, X: Floats) -> Floats:
        """Scores."""
        values = np.asarray(self.decision(self._as_taken(X)), dtype=float)
        return values.reshape(len(X), -1) if values.size else values.reshape(len(X), 1)

    def gradient(self, X: Floats) -> Floats:
        """Gradients."""
        gradients = np.asarray(self.gradients(self._as_taken(X)), dtype=float)
        if gradients.size % X.size if X.size else gradients.size:
            raise ValueError(
                f"gradient has to return one gradient per row and score, of shape {X.shape} for "
                f"one score, got shape {gradients.shape}."
            )
        return gradients.reshape(len(X), -1, X.shape[1])

    def rounding(self, X: Floats) -> Floats:
        """Bound for functions that are exact to a few thousand units in the last place.

        How they compute is not known: the size of the scores, and of the change that a
        rounding of the inputs makes, is all there is to go by.
        """
        through_inputs = (np.abs(self.gradient(X)) * np.abs(X)[:, None, :]).sum(axis=2)
        return 4096 * EPS * (np.abs(self.value(X)) + through_inputs) + TINY

    def gradient_rounding(self, X: Floats) -> Floats:
        """Bound for gradients that are exact to a few thousand units in the last place."""
        return np.asarray(4096 * EPS * np.abs(self.gradient(X)).sum(axis=2) + TINY)

    def lipschitz(self, weights: Floats, norm: float) -> float:
        """Unknown."""
        raise ValueError(
            "The Lipschitz constant of the gradient of this model is not known. Pass it as "
            "gradient_lipschitz=, in the norm of the certificate."
        )


def refuse_contradiction(
    score: GivenLipschitz, X: Floats, norm: float, rng: np.random.Generator
) -> None:
    """Refuse a constant, or a gradient, that some pair of points contradicts.

    Parameters
    ----------
    score : GivenLipschitz
        With the constant of the user.
    X : ndarray of shape (m, n_features)
        Points to look near and between.
    norm : {1, 2, inf}
        Of inputs.
    rng : Generator
        Chooses pairs.

    Raises
    ------
    ValueError
        If the gradient changes faster than the constant allows, or the scores change in another
        way than the gradient says; the points are shown.
    """
    others = X[rng.permutation(len(X))]
    share = 10.0 ** rng.uniform(-4, 0, size=(len(X), 1))
    Y = X + share * (others - X)
    apart = np.linalg.norm(Y - X, norm, axis=1)
    margins = _margins(score.value(X).shape[1])
    gradients = np.einsum("ks,msd->mkd", margins, score.gradient(X))
    there = np.einsum("ks,msd->mkd", margins, score.gradient(Y))
    change = dual_norm(there - gradients, norm).max(axis=1)
    unit = dual_norm(gradients, norm).max(axis=1)
    excess = change - score.constant * apart - 1e-6 * unit
    _show(excess, change, apart, X, Y, score.constant)
    values, moved = score.value(X) @ margins.T, score.value(Y) @ margins.T
    straight = np.einsum("msd,md->ms", gradients, Y - X)
    error = np.abs(moved - values - straight).max(axis=1)
    allowed = score.constant * apart**2 / 2 + 1e-6 * (
        np.abs(moved - values).max(axis=1) + unit * apart
    )
    slack = 2 * (score.rounding(X) + score.rounding(Y)).max(axis=1)
    bad = np.argmax(error - allowed - slack)
    if error[bad] > allowed[bad] + slack[bad]:
        raise ValueError(
            f"gradient and gradient_lipschitz={score.constant:g} are contradicted by the scores: "
            f"between {X[bad]} and {Y[bad]} they change by {moved[bad] - values[bad]}, and by "
            f"{straight[bad]} along the gradient, which differ by more than {allowed[bad]:.4g}. "
            "Check the gradient, or pass a larger constant."
        )


def _margins(n_scores: int) -> Floats:
    """Return the combinations that decide: a single score, or each over each other."""
    if n_scores == 1:
        return np.ones((1, 1))
    first, second = np.triu_indices(n_scores, 1)
    eye = np.eye(n_scores)
    return np.asarray(eye[first] - eye[second])


def _show(
    excess: Floats, change: Floats, apart: Floats, X: Floats, Y: Floats, constant: float
) -> None:
    bad = np.argmax(excess)
    if excess[bad] > 0:
        raise ValueError(
            f"gradient_lipschitz={constant:g} is contradicted by two points: between {X[bad]} and "
            f"{Y[bad]}, {apart[bad]:.4g} apart, the gradient changes by {change[bad]:.4g}, so the "
            f"constant is {change[bad] / apart[bad]:.4g} at least."
        )


@dataclass(frozen=True)
class GivenLipschitz(SmoothScore):
    """Scores whose Lipschitz constant the user knows.

    Attributes
    ----------
    score : SmoothScore
        Value and gradient.
    constant : float
        For every margin, in the norm that is used.
    """

    score: SmoothScore
    constant: float

    def value(self, X: Floats) -> Floats:
        """Scores."""
        return self.score.value(X)

    def gradient(self, X: Floats) -> Floats:
        """Gradients."""
        return self.score.gradient(X)

    def rounding(self, X: Floats) -> Floats:
        """Bound of the rounding error of the scores."""
        movement = self.score.input_rounding(X)[:, None]
        return self.score.rounding(X) + self._turned(movement) * movement

    def gradient_rounding(self, X: Floats) -> Floats:
        """Bound of the rounding error of the gradients."""
        movement = self.score.input_rounding(X)[:, None]
        return self.score.gradient_rounding(X) + 2 * self._turned(movement)

    def _turned(self, movement: Floats) -> Floats:
        """Bound of the change of the gradient by a movement of x."""
        return self.constant * movement if self.constant else np.zeros_like(movement)

    @property
    def follows_predict(self) -> bool:
        """Whether the scores do."""
        return self.score.follows_predict

    def lipschitz(self, weights: Floats, norm: float) -> float:
        """Constant as given."""
        return self.constant
