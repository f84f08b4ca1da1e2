"""Scores of an affine function of the input."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

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
        """Error of the transformed input, as the score passes it on, and that of the score.

        Twice, for the score is computed at the row, and wherever it may move to.
        """
        Z, error = self._input(X), self._error_of_input(X)
        passed_on = np.einsum("msd,md->ms", np.abs(self.score.gradient(Z)), error)
        turned = self._turned(error) * np.linalg.norm(error, axis=1)[:, None]
        return 2 * (self.score.rounding(Z) + passed_on + turned / 2)

    def _error_of_input(self, X: Floats) -> Floats:
        """Bound of the rounding error of each transformed feature; a factor of 0 makes none."""
        sizes = np.abs(self.matrix)
        offset = np.where(sizes if sizes.ndim == 1 else sizes.any(axis=1), self.offset, 0.0)
        return EPS * (X.shape[1] + 4) * (times(sizes, np.abs(X)) + np.abs(offset))

    def gradient_rounding(self, X: Floats) -> Floats:
        """Error of the gradient of the score, passed on, and of the product with the matrix.

        And what the gradient turns by for the error of the transformed input, which is far larger
        than it where an offset is. Twice, as for the score.
        """
        Z = self._input(X)
        sizes = np.abs(self.matrix) if self.matrix.ndim == 1 else np.abs(self.matrix).sum(axis=1)
        inner = self.score.gradient_rounding(Z)
        product = EPS * (Z.shape[1] + 4) * (np.abs(self.score.gradient(Z)) @ sizes)
        turned = self._turned(self._error_of_input(X)) * np.linalg.norm(sizes)
        return np.asarray(2 * (inner * sizes.max() + product + turned))

    @cached_property
    def _constants(self) -> Floats | None:
        """Constants of the scores one by one, infinite where none holds for all of space.

        None: they are not known at all.
        """
        n_scores = self.score.value(np.zeros((1, len(self.offset)))).shape[1]
        try:
            return np.array([self.score.lipschitz(each, 2) for each in np.eye(n_scores)])
        except ValueError:  # the user gives one, which accounts for `input_rounding`
            return None

    def _turned(self, error: Floats) -> Any:
        """Bound of the change of each gradient of the score by an error of its input."""
        if self._constants is None:
            return 0.0
        size = np.linalg.norm(error, axis=1)[:, None]
        with np.errstate(invalid="ignore"):
            return np.where(size > 0, size * self._constants, 0.0)

    def input_rounding(self, X: Floats) -> Floats:
        """Movement of x that has the effect of the error of the transformed input."""
        if self._constants is not None:
            return np.zeros(len(X))
        error = self._error_of_input(X)
        with np.errstate(invalid="ignore"):
            movement: Floats = np.where(error > 0, 2 * error * self._inverse, 0.0).sum(axis=1)
        return movement

    @cached_property
    def _inverse(self) -> Floats:
        """How far x moves, in l1, for each transformed feature; infinite where it cannot follow."""
        if self.matrix.ndim == 1:
            with np.errstate(divide="ignore"):
                return 1 / np.abs(self.matrix)
        used = self.matrix.any(axis=1)
        inverse = np.full(len(self.matrix), np.inf)
        if np.linalg.matrix_rank(self.matrix) == np.count_nonzero(used):
            inverse[used] = np.abs(np.linalg.pinv(self.matrix[used])).sum(axis=0)
        return inverse

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
