"""The contract of a smooth score, and what all families share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
EPS = float(np.finfo(np.float64).eps)

# Numbers below it may have underflowed on the way.
TINY = 1e-280


class SmoothScore(ABC):
    """Scores of a classifier, with what a certificate needs to know of their gradients.

    With two classes there is one score, positive where the second class wins. With more there is
    one per class, and the largest wins. A *margin* is a combination ``weights @ value(x)``: of
    one class over another, usually. Inputs are float64 arrays of shape (m, n_features).
    """

    @abstractmethod
    def value(self, X: Floats) -> Floats:
        """Scores, of shape (m, n_scores)."""

    @abstractmethod
    def gradient(self, X: Floats) -> Floats:
        """Gradients of the scores, of shape (m, n_scores, n_features)."""

    @abstractmethod
    def rounding(self, X: Floats) -> Floats:
        """Bound of the rounding error of `value`, of shape (m, n_scores)."""

    @abstractmethod
    def gradient_rounding(self, X: Floats) -> Floats:
        """Bound of the l1 norm of the rounding error of `gradient`, of shape (m, n_scores)."""

    @abstractmethod
    def lipschitz(self, weights: Floats, norm: float) -> float:
        """Lipschitz constant of the gradient of a margin.

        Parameters
        ----------
        weights : ndarray of shape (n_scores,)
            The margin is ``weights @ value(x)``.
        norm : {1, 2, inf}
            Norm in which inputs are measured; gradients are measured in its dual.

        Returns
        -------
        constant : float
            Not below the smallest such constant; infinite if none is known for all of space.

        Raises
        ------
        ValueError
            If the scores are not smooth, or nothing is known about them.
        """

    def around(self, X: Floats) -> Vicinity | None:
        """Lipschitz constants that hold near each row; None where the family has none."""
        return None

    def for_inputs(self, shape: tuple[int, ...]) -> SmoothScore:
        """Scores for inputs that the model takes in some shape and that are flat here."""
        return self

    @property
    def follows_predict(self) -> bool:
        """Whether the model's own `predict` gives the class of the largest score."""
        return True

    def after(self, matrix: Floats, offset: Floats) -> SmoothScore:
        """Scores as a function of x, where these are of ``matrix @ x + offset``.

        A vector stands for a diagonal matrix.
        """
        return AffineInput(self, matrix, offset)


class Vicinity(ABC):
    """Lipschitz constants of gradients in balls around some rows."""

    @abstractmethod
    def lipschitz(self, weights: Floats, norm: float, radius: Floats) -> Floats:
        """Lipschitz constant of the gradient of a margin within a ball around each row.

        Parameters
        ----------
        weights : ndarray of shape (n_scores,)
            The margin is ``weights @ value(x)``.
        norm : {1, 2, inf}
            Norm of the ball, and in which inputs are measured.
        radius : ndarray of shape (m,)
            Radius of the ball of each row.

        Returns
        -------
        constants : ndarray of shape (m,)
            Not decreasing in `radius`.
        """


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
    from sksmooth.smooth_scores._torch import is_torch, score_of_module  # it imports from here

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


def dual_norm(vectors: Floats, norm: float) -> Floats:
    """Norm dual to l`norm`, along the last axis."""
    sizes = np.abs(vectors)
    if norm == 1:
        return np.asarray(sizes.max(axis=-1))
    if norm == np.inf:
        return np.asarray(sizes.sum(axis=-1))
    unit = sizes.max(axis=-1, keepdims=True)
    unit = np.where(
        (unit > 0) & np.isfinite(unit), unit, 1.0
    )  # squares neither over- nor underflow
    return np.asarray(np.sqrt(((vectors / unit) ** 2).sum(axis=-1)) * unit[..., 0])


def norm_to_euclidean(matrix: Floats, norm: float) -> float:
    """Bound of ``||A x||_2`` over ``||x||_p <= 1``; exact for p = 1, 2, and for diagonal A.

    A vector stands for a diagonal matrix.
    """
    if matrix.ndim == 1:
        return float(np.linalg.norm(matrix) if norm == np.inf else np.abs(matrix).max())
    if norm == 1:
        return float(np.linalg.norm(matrix, axis=0).max())
    spectral = float(np.linalg.norm(matrix, 2))
    if norm == 2:
        return spectral
    gram = np.abs(matrix.T @ matrix).sum() if matrix.shape[1] <= 4096 else np.inf
    return float(min(np.sqrt(matrix.shape[1]) * spectral, np.sqrt(gram)))


def hessian_norm(hessian: Floats, norm: float) -> float:
    """Bound of ``||H x||_*`` over ``||x||_p <= 1`` for a symmetric matrix; exact for p = 1, 2."""
    if norm == 1:
        return float(np.abs(hessian).max())
    spectral = float(np.abs(np.linalg.eigvalsh(hessian)).max())
    if norm == 2:
        return spectral
    return float(min(len(hessian) * spectral, np.abs(hessian).sum()))


def times(matrix: Floats, X: Floats) -> Floats:
    """Return ``matrix @ x`` for every row x; a vector stands for a diagonal matrix."""
    return X * matrix if matrix.ndim == 1 else X @ matrix.T


def compose(outer: Floats, inner: Floats) -> Floats:
    """Product of two matrices; vectors stand for diagonal ones."""
    if outer.ndim == 1:
        return outer * inner if inner.ndim == 1 else outer[:, None] * inner
    return outer * inner if inner.ndim == 1 else outer @ inner


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
        slopes = np.abs(self.score.gradient(Z))
        passed_on = np.einsum("msd,md->ms", slopes, self._error_of_input(X))
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
        turned = np.linalg.norm(self._error_of_input(X), axis=1)[:, None] * self._known_bends()
        return np.asarray(2 * (inner * sizes.max() + product + turned * np.linalg.norm(sizes)))

    def _known_bends(self) -> Floats:
        """Constants of the scores one by one; 0 where none is known for all of space."""
        n_scores = self.score.value(np.zeros((1, len(self.offset)))).shape[1]
        try:
            bends = [self.score.lipschitz(each, 2) for each in np.eye(n_scores)]
        except ValueError:  # the constant will be the user's
            return np.zeros(n_scores)
        return np.nan_to_num(bends, posinf=0.0)

    @property
    def follows_predict(self) -> bool:
        """Whether the scores do."""
        return self.score.follows_predict

    def lipschitz(self, weights: Floats, norm: float) -> float:
        """Constant of the scores times the squared norm of the matrix."""
        return self.score.lipschitz(weights, 2) * norm_to_euclidean(self.matrix, norm) ** 2

    def around(self, X: Floats) -> Vicinity | None:
        """Vicinity of the transformed rows."""
        inner = self.score.around(self._input(X))
        return None if inner is None else _AffineVicinity(inner, self.matrix)

    def after(self, matrix: Floats, offset: Floats) -> SmoothScore:
        """Join both maps."""
        return AffineInput(
            self.score, compose(self.matrix, matrix), times(self.matrix, offset) + self.offset
        )


@dataclass(frozen=True)
class _AffineVicinity(Vicinity):
    inner: Vicinity
    matrix: Floats

    def lipschitz(self, weights: Floats, norm: float, radius: Floats) -> Floats:
        stretch = norm_to_euclidean(self.matrix, norm)
        return stretch**2 * self.inner.lipschitz(weights, 2, stretch * radius)


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
        return self.score.rounding(X)

    def gradient_rounding(self, X: Floats) -> Floats:
        """Bound of the rounding error of the gradients."""
        return self.score.gradient_rounding(X)

    @property
    def follows_predict(self) -> bool:
        """Whether the scores do."""
        return self.score.follows_predict

    def lipschitz(self, weights: Floats, norm: float) -> float:
        """Constant as given."""
        return self.constant
