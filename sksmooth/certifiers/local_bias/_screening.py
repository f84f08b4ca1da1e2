"""Points in single precision, whose distances are matrix products, with bounds of their error.

They show which of many points matter; what is used of those is computed elsewhere, in double
precision and by differences. Points are centred, and in units of the largest of their entries.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Codes = NDArray[np.intp]

_EPS = float(np.finfo(np.float32).eps)

# Rows of a block, and of the sample that shows how features spread.
_ROWS_AT_ONCE, _ROWS_OF_SAMPLE = 4096, 1000

# Features in front hold so much of the l1 distances; no use if they are more than half of all.
_SHARE_IN_FRONT, _MOST_IN_FRONT = 0.88, 0.5


class ScreeningPoints:
    """Points in single precision, features with the largest spread first.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_features)
        Points.
    """

    def __init__(self, points: Floats):
        self.center = points.mean(axis=0)
        centered = points - self.center
        self.size = float(np.sqrt(np.einsum("ij,ij->i", centered, centered).max()))
        self.unit = max(float(centered.max()), -float(centered.min())) or 1.0
        sample = centered[:: max(1, len(points) // _ROWS_OF_SAMPLE)]
        spread = np.abs(sample - np.median(sample, axis=0)).mean(axis=0)
        self.order = np.argsort(-spread, kind="stable")
        self.n_front = _n_in_front(spread[self.order])
        self.points = np.empty(points.shape, dtype=np.float32)
        for part in self._parts():
            self.points[part] = centered[part][:, self.order] / self.unit
        self.squares = np.einsum("ij,ij->i", self.points, self.points)
        self._dual_sizes: dict[tuple[float, int], Singles] = {}
        self._sizes_are_better: dict[float, bool] = {}

    def rounded(self, X: Floats) -> Singles:
        """Return inputs in the same units and order."""
        queries = np.clip((X - self.center) / self.unit, -1e15, 1e15)
        return np.asarray(queries[:, self.order], dtype=np.float32)

    def squared_distances(self, queries: Singles) -> Singles:
        """Squared distances from rows in these units to all points."""
        squares = (-2 * queries) @ self.points.T
        squares += self.squares
        squares += np.einsum("ij,ij->i", queries, queries)[:, None]
        return squares

    def errors(self, X: Floats) -> Floats:
        """Bound of the error of squared distances from inputs, for any order of summation.

        It covers inner products, norms, and the rounding of the points themselves: half an
        epsilon for each of the terms and of the few operations beside them.
        """
        away = X - self.center
        sizes = (np.sqrt(np.einsum("ij,ij->i", away, away)) + self.size) / self.unit
        return np.asarray(0.55 * (X.shape[1] + 32) * _EPS * sizes**2)

    def dual_sizes(self, norm: float, start: int = 0) -> Singles:
        """Dual norms of the points from some centre; two of them bound that of a difference.

        Of the features from `start` on. Rounded up.
        """
        if (norm, start) not in self._dual_sizes:
            rows = self.points[:, start:]
            sizes = np.empty(len(rows), dtype=np.float32)
            center = self._center_of(norm)[start:]
            for part in self._parts():
                apart = np.abs(rows[part] - center)
                sizes[part] = apart.max(axis=1) if norm == 1 else apart.sum(axis=1)
            sizes += np.float32(_EPS) * (np.float32(len(center)) * (1 + sizes))
            self._dual_sizes[norm, start] = sizes
        return self._dual_sizes[norm, start]

    def dual_distances(self, place: int, places: Codes, norm: float, n_front: int) -> Singles:
        """Dual norms of the differences of a point and several, rounded up; not for l2.

        From the differences themselves in the `n_front` features in front, and from the sizes of
        the points in the others.
        """
        n_features = len(self.order)
        apart = self.points[places, :n_front]
        apart -= self.points[place, :n_front]
        np.abs(apart, out=apart)
        size = apart.max(axis=1) if norm == 1 else apart @ np.ones(n_front, dtype=np.float32)
        size *= np.float32(1 + n_features * _EPS)  # the sum was rounded
        size += np.float32(2 * n_features * _EPS)  # the points were; none is beyond 1
        if n_front < n_features:
            rest = self.dual_sizes(norm, n_front)
            beyond = rest[places] + rest[place]
            size = np.maximum(size, beyond) if norm == 1 else size + beyond
        return np.asarray(size)

    def sizes_are_better(self, norm: float) -> bool:
        """Whether sizes bound dual norms of most differences better than l2 norms of these do."""
        if norm not in self._sizes_are_better:
            self._sizes_are_better[norm] = self._compare_sizes(norm)
        return self._sizes_are_better[norm]

    def _compare_sizes(self, norm: float) -> bool:
        sample = np.arange(0, len(self.points), max(1, len(self.points) // _ROWS_OF_SAMPLE))
        apart = self.points[sample] - self.points[np.roll(sample, len(sample) // 2)]
        stretch = len(self.order) ** 0.5 if norm == np.inf else 1.0
        by_norms = stretch * np.sqrt(np.einsum("ij,ij->i", apart, apart))
        sizes = self.dual_sizes(norm)[sample]
        by_sizes = sizes + np.roll(sizes, len(sample) // 2)
        return bool(np.mean(by_sizes < by_norms) > 0.5)

    def _center_of(self, norm: float) -> Singles:
        if norm == 1:
            return np.asarray((self.points.min(axis=0) + self.points.max(axis=0)) / 2)
        sample = self.points[:: max(1, len(self.points) // _ROWS_OF_SAMPLE)]
        return np.median(sample, axis=0).astype(np.float32)

    def _parts(self) -> list[slice]:
        starts = range(0, len(self.points), _ROWS_AT_ONCE)
        return [slice(start, start + _ROWS_AT_ONCE) for start in starts]


def _n_in_front(spread: Floats) -> int:
    """How many features, of decreasing spread, are looked at first."""
    total = np.cumsum(spread)
    n = int(np.searchsorted(total, _SHARE_IN_FRONT * total[-1])) + 1
    return n if n <= _MOST_IN_FRONT * len(spread) else len(spread)
