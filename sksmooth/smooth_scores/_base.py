"""The contract of a smooth score, and what all families share."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from sksmooth.smooth_scores._norms import Floats


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

    def input_rounding(self, X: Floats) -> Floats:
        """Bound of the rounding error of what scores are computed of, as a movement of each row.

        Returns
        -------
        movement : ndarray of shape (m,)
            Its l1 norm. Scores for which `lipschitz` gives a constant account for it themselves.
        """
        return np.zeros(len(X))

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

    def local_bound(self, X: Floats) -> LocalLipschitzBound | None:
        """Lipschitz constants that hold near each row; None where the family has none."""
        return None

    def for_inputs(self, shape: tuple[int, ...]) -> SmoothScore:
        """Scores for inputs that the model takes in some shape and that are flat here."""
        return self

    @property
    def follows_predict(self) -> bool:
        """Whether the model's own `predict` gives the class of the largest score."""
        return True

    def after(self, matrix: Floats, offset: Floats) -> SmoothScore | None:
        """Scores as a function of x, where these are of ``matrix @ x + offset``.

        A vector stands for a diagonal matrix. None: the family has no simpler form of them than
        `AffineInput`, which proves nothing where `lipschitz` is infinite.
        """
        return None


class LocalLipschitzBound(ABC):
    """Lipschitz constants of gradients within balls around some rows."""

    def input_rounding(self, X: Floats) -> Floats:
        """Bound of the rounding error of what scores are computed of, as a movement of each row.

        Returns
        -------
        movement : ndarray of shape (m,)
            Its l1 norm. Scores for which `lipschitz` gives a constant account for it themselves.
        """
        return np.zeros(len(X))

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
