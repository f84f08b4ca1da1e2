"""Bounds of norms of a matrix whose rows and columns are scaled in many ways."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sksmooth.smooth_scores._norms import EPS, Floats, norm_to_euclidean

# Up to so many entries the norm of each scaled matrix is computed itself.
MOST_ENTRIES = 2**17


class ScaledNorms:
    """Bounds of ``||diag(left) W diag(right) x||_2`` over ``||x||_p <= 1``.

    Parameters
    ----------
    weights : ndarray of shape (n_outputs, n_inputs)
        W. Where it is small, bounds are those of
        :func:`~sksmooth.smooth_scores._base.norm_to_euclidean`. Else they come from the norm of W
        and from sums of entries, in a few products for many scalings at once.
    """

    def __init__(self, weights: Floats):
        self.weights = weights

    @property
    def is_small(self) -> bool:
        """Whether each scaled matrix is looked at itself."""
        return self.weights.size <= MOST_ENTRIES

    @cached_property
    def _gram(self) -> Floats:
        wide = self.weights.shape[0] < self.weights.shape[1]
        return self.weights @ self.weights.T if wide else self.weights.T @ self.weights

    @cached_property
    def _spectral(self) -> float:
        """Largest singular value of W, from the smaller of its Gram matrices.

        Entries of that are sums, whose errors the squared Frobenius norm bounds.
        """
        rounding = 4 * max(self.weights.shape) * EPS * float(np.sum(self.weights**2))
        return float(np.sqrt(max(np.linalg.eigvalsh(self._gram)[-1], 0.0) + rounding))

    @cached_property
    def _from_supremum(self) -> float:
        """Bound of the norm of W from l-infinity to l2."""
        bounds = [self.weights.shape[1] ** 0.5 * self._spectral]
        bounds.append(float(np.linalg.norm(self._sizes.sum(axis=1))))
        if len(self._gram) == self.weights.shape[1]:
            bounds.append(float(np.sqrt(np.abs(self._gram).sum())) * (1 + 1e-10))
        return min(bounds)

    def bound(self, left: Floats, right: Floats | None, norm: float) -> Floats:
        """Bound for each pair of scalings.

        Parameters
        ----------
        left : ndarray of shape (m, n_outputs)
            Not negative.
        right : ndarray of shape (m, n_inputs) or None
            Not negative; None: ones.
        norm : {1, 2, inf}
            Of inputs.

        Returns
        -------
        bound : ndarray of shape (m,)
        """
        if self.is_small:
            return self._one_by_one(left, right, norm)
        right = np.ones((len(left), self.weights.shape[1])) if right is None else right
        if norm == 1:
            return np.asarray((np.sqrt(left**2 @ self._squares) * right).max(axis=1))
        euclidean = self._euclidean(left, right)
        if norm == 2:
            return euclidean
        by_rows = np.linalg.norm(left * (right @ self._sizes.T), axis=1)
        by_norm = left.max(axis=1) * self._from_supremum * right.max(axis=1)
        by_length = np.linalg.norm(right, axis=1) * left.max(axis=1) * self._spectral
        return np.minimum.reduce([by_rows, by_norm, by_length])

    def plain(self, right: Floats | None, norm: float, m: int) -> Floats:
        """Bound without scaling of outputs, for m rows."""
        if right is not None:
            return self.bound(np.ones((m, len(self.weights))), right, norm)
        return np.broadcast_to(self.bound(np.ones((1, len(self.weights))), None, norm), m)

    def _one_by_one(self, left: Floats, right: Floats | None, norm: float) -> Floats:
        bounds = np.empty(len(left))
        for i, scale in enumerate(left):
            scaled = scale[:, None] * self.weights
            bounds[i] = norm_to_euclidean(scaled if right is None else scaled * right[i], norm)
        return bounds

    def _euclidean(self, left: Floats, right: Floats) -> Floats:
        """Least of three: by the norm of W, by its entries squared, and by sums of them.

        The last is Schur's test: the product of the largest sums of rows and of columns.
        """
        by_norm = left.max(axis=1) * self._spectral * right.max(axis=1)
        by_squares = np.sqrt(((left**2 @ self._squares) * right**2).sum(axis=1))
        of_rows = (left * (right @ self._sizes.T)).max(axis=1)
        of_columns = (right * (left @ self._sizes)).max(axis=1)
        return np.minimum.reduce([by_norm, by_squares, np.sqrt(of_rows * of_columns)])

    @cached_property
    def _sizes(self) -> Floats:
        return np.abs(self.weights)

    @cached_property
    def _squares(self) -> Floats:
        return self.weights**2
