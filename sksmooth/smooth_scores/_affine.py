"""Scores of an affine function of the input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sksmooth.smooth_scores._base import LocalLipschitzBound, SmoothScore
from sksmooth.smooth_scores._norms import EPS, Floats, compose, norm_to_euclidean, times


@dataclass(frozen=True)
class AffineInput(SmoothScore):
    """Scores of ``matrix @ x + offset``: by the chain rule, with constants in the l2 norm.

    Attributes
    ----------
    score : SmoothScore
        Of the transformed input.
    matrix : ndarray of shape (n_transformed, n_features) or (n_features,)
        A vector stands for a diagonal matrix.
    offset : ndarray of shape (n_transformed,)
        Added after it.
    """

    score: SmoothScore
    matrix: Floats
    offset: Floats

    def _input(self, X: Floats) -> Floats:
        return times(self.matrix, X) + self.offset

    def value(self, X: Floats) -> Floats:
        """Scores."""
        return self.score.value(self._input(X))

    def gradient(self, X: Floats) -> Floats:
        """Gradients, by the chain rule."""
        return self._chain(self.score.gradient(self._input(X)))

    def _chain(self, inner: Floats) -> Floats:
        return inner * self.matrix if self.matrix.ndim == 1 else inner @ self.matrix

    def rounding(self, X: Floats) -> Floats:
        """Error of the transformed input, as the gradient passes it on, and that of the score.

        Twice, for what is quadratic in the error is far below the rounding of the score.
        """
        Z = self._input(X)
        gradients = np.abs(self.score.gradient(Z))
        passed_on = np.einsum("msd,md->ms", gradients, self._error_of_input(X))
        return 2 * (self.score.rounding(Z) + passed_on)

    def _error_of_input(self, X: Floats) -> Floats:
        size = times(np.abs(self.matrix), np.abs(X)) + np.abs(self.offset)
        return EPS * (X.shape[1] + 4) * size

    def gradient_rounding(self, X: Floats) -> Floats:
        """Error of the gradient of the score, passed on, and of the product with the matrix.

        And what the gradient turns by for the error of the transformed input, which is far larger
        than it where an offset is.
        """
        Z = self._input(X)
        sizes = np.abs(self.matrix) if self.matrix.ndim == 1 else np.abs(self.matrix).sum(axis=1)
        inner = self.score.gradient_rounding(Z)
        product = EPS * (Z.shape[1] + 4) * (np.abs(self.score.gradient(Z)) @ sizes)
        turned = np.linalg.norm(self._error_of_input(X), axis=1)[:, None] * self._known_constants()
        return np.asarray(2 * (inner * sizes.max() + product + turned * np.linalg.norm(sizes)))

    def _known_constants(self) -> Floats:
        """Constants of the scores one by one; 0 where none is known for all of space."""
        n_scores = self.score.value(np.zeros((1, len(self.offset)))).shape[1]
        try:
            constants = [self.score.lipschitz(each, 2) for each in np.eye(n_scores)]
        except ValueError:  # the constant will be the user's
            return np.zeros(n_scores)
        return np.nan_to_num(constants, posinf=0.0)

    @property
    def follows_predict(self) -> bool:
        """Whether the scores do."""
        return self.score.follows_predict

    def lipschitz(self, weights: Floats, norm: float) -> float:
        """Constant of the scores times the squared norm of the matrix."""
        return self.score.lipschitz(weights, 2) * norm_to_euclidean(self.matrix, norm) ** 2

    def local_bound(self, X: Floats) -> LocalLipschitzBound | None:
        """Return that of the scores, around the transformed rows."""
        inner = self.score.local_bound(self._input(X))
        return None if inner is None else _AffineBound(inner, self.matrix)

    def after(self, matrix: Floats, offset: Floats) -> SmoothScore:
        """Join both maps."""
        return AffineInput(
            self.score, compose(self.matrix, matrix), times(self.matrix, offset) + self.offset
        )


@dataclass(frozen=True)
class _AffineBound(LocalLipschitzBound):
    inner: LocalLipschitzBound
    matrix: Floats

    def lipschitz(self, weights: Floats, norm: float, radius: Floats) -> Floats:
        stretch = norm_to_euclidean(self.matrix, norm)
        return stretch**2 * self.inner.lipschitz(weights, 2, stretch * radius)


def after_affine(score: SmoothScore, matrix: Floats, offset: Floats) -> SmoothScore:
    """Scores as a function of x, where `score` is of ``matrix @ x + offset``.

    A vector stands for a diagonal matrix.
    """
    return score.after(matrix, offset) or AffineInput(score, matrix, offset)
