"""The sampled output with the smallest ball that holds half of the sample."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from sksmooth.distances import Distance

# Pairs of points in memory at once, and candidates looked at before the others are pruned.
PAIRS_AT_ONCE, FIRST_CANDIDATES = 1_000_000, 32


def rounding(n_values: int) -> float:
    """More than the relative error of a distance between points of so many numbers."""
    return 1e-12 + 2.0**-51 * n_values


def best_sample_point(
    points: NDArray[Any],
    candidates: NDArray[Any],
    distance: Distance,
    h: int,
    *,
    are_sampled: bool = False,
) -> tuple[int, float]:
    """Candidate whose h-th smallest distance to the points is least.

    Parameters
    ----------
    points : ndarray of shape (n, ...)
        Points of the sample.
    candidates : ndarray of shape (k, ...)
        Points to choose from.
    distance : Distance
        Metric between them.
    h : int
        Rank.
    are_sampled : bool, default=False
        Whether the candidates are the first k points.

    Returns
    -------
    best : int
        Its index.
    radius : float
        Its h-th smallest distance; infinite where every candidate's is.
    """
    if distance.is_hilbert:
        return _best_by_products(points, candidates, distance, h)
    return _best_by_triangles(points, candidates, distance, h, are_sampled)


def _best_by_triangles(
    points: NDArray[Any], candidates: NDArray[Any], distance: Distance, h: int, are_sampled: bool
) -> tuple[int, float]:
    """Skip candidates too near to a bad one: the radius changes by no more than the distance."""
    best, radius, error = 0, np.inf, rounding(math.prod(points.shape[1:]))
    step = max(1, PAIRS_AT_ONCE // len(points))
    at_least = np.zeros(len(candidates))
    size = min(step, FIRST_CANDIDATES)
    left = np.arange(len(candidates))
    while len(left):
        chosen, left = left[:size], left[size:]
        distances = distance.between(candidates[chosen], points)
        radii = np.full(len(chosen), np.inf)
        near = np.count_nonzero(distances < radius, axis=1) >= h
        if near.any():
            radii[near] = np.partition(distances[near], h - 1, axis=1)[:, h - 1]
            if radii.min() < radius:
                best, radius = int(chosen[radii.argmin()]), float(radii.min())
        if radius == 0:
            break
        known = near & np.isfinite(radii)
        if len(left) and known.any() and are_sampled:
            reach = radii[known][:, None] / distance.gamma * (1 - error)
            reach = reach - distances[known][:, left] * (1 + error)
            at_least[left] = np.maximum(at_least[left], reach.max(axis=0))
            left = left[at_least[left] * (1 - error) < radius]
        size = step
    return best, radius


def _best_by_products(
    points: NDArray[Any], candidates: NDArray[Any], distance: Distance, h: int
) -> tuple[int, float]:
    """Prune by counts from matrix products in single precision; measure the rest exactly."""
    points, usable = finite_rows(points), np.isfinite(candidates).all(axis=1)
    if len(points) < h or not usable.any():
        return 0, np.inf
    origin = origin_of(points[:: max(1, len(points) // 1000)])
    order = np.argsort(cdist(candidates, origin[None])[:, 0], kind="stable")
    order = order[usable[order]]
    best, radius = _measure(points, candidates, order[:FIRST_CANDIDATES], distance, h, 0, np.inf)
    order = order[FIRST_CANDIDATES:]
    products = SquaredDistances(points, origin)
    step = max(1, PAIRS_AT_ONCE // len(points))
    for first in range(0, len(order), step):
        if radius == 0:
            break
        chosen = order[first : first + step]
        near = products.count_within(candidates[chosen], radius) >= h
        best, radius = _measure(points, candidates, chosen[near], distance, h, best, radius)
    return best, radius


def _measure(
    points: NDArray[Any],
    candidates: NDArray[Any],
    chosen: NDArray[Any],
    distance: Distance,
    h: int,
    best: int,
    radius: float,
) -> tuple[int, float]:
    """Compare the best candidate so far with some others, exactly."""
    for first in range(0, len(chosen), 32):
        some = chosen[first : first + 32]
        distances = distance.between(candidates[some], points)
        radii = np.partition(distances, h - 1, axis=1)[:, h - 1]
        if radii.min() < radius:
            best, radius = int(some[radii.argmin()]), float(radii.min())
    return best, radius


def finite_rows(points: NDArray[Any]) -> NDArray[Any]:
    """Leave out points with NaN or infinity; no copy where there are none."""
    finite = np.isfinite(points).all(axis=1)
    return points if finite.all() else points[finite]


def origin_of(points: NDArray[Any]) -> NDArray[Any]:
    """Choose a point amidst finite points: any does, but near ones lose less to rounding."""
    with np.errstate(over="ignore"):
        origin = np.median(points, axis=0)
    return origin if np.isfinite(origin).all() else points[0]


class SquaredDistances:
    """Counts of points within a radius, never too few, by one matrix product per block.

    ``|c - p|^2 = (-2 c, |c|^2, 1) . (p, 1, |p|^2)``. Every rounding of the product is covered by
    a margin, so a count is at least the true one. Points are measured in a unit, a power of two,
    of the size of the largest, so that what leaves the range of floats is less than the margin.

    Parameters
    ----------
    points : ndarray of shape (n, n_dimensions)
        Finite points.
    origin : ndarray of shape (n_dimensions,)
        A point amidst them.
    """

    def __init__(self, points: NDArray[Any], origin: NDArray[Any]) -> None:
        self.origin, self.halving, self.exponent = origin, 0, 0
        size = self._largest(points)
        if np.isinf(size):  # the difference of two floats may be none, that of their halves is
            self.halving = self.exponent = 1
            size = self._largest(points)
        self.exponent = int(np.frexp(size)[1]) + self.halving
        n, d = points.shape
        self.right, self.reach = np.ones((n, d + 2), np.float32), 0.0
        for some in _parts(points):
            centred = self._centred(points[some])
            squares = np.square(centred).sum(axis=1)
            self.right[some, :d], self.right[some, d + 1] = centred, squares
            self.reach = max(self.reach, math.sqrt(squares.max()))
        self.error = (d + 10) * 2.0**-24

    def _largest(self, points: NDArray[Any]) -> Any:
        return max(np.abs(self._centred(points[some])).max() for some in _parts(points))

    def _centred(self, points: NDArray[Any]) -> NDArray[Any]:
        with np.errstate(over="ignore"):
            gaps = points / 2 - self.origin / 2 if self.halving else points - self.origin
            return np.ldexp(gaps, self.halving - self.exponent)

    def count_within(self, candidates: NDArray[Any], radius: float) -> NDArray[np.intp]:
        """Count the points within a radius of each candidate, or somewhat more."""
        squares, margin = self._squares(candidates)
        with np.errstate(over="ignore", invalid="ignore"):
            small = np.ldexp(radius, -self.exponent)
            limit = (np.square(small) + margin) * (1 + 1e-6)
            found = squares > limit.astype(np.float32)[:, None]
        return len(self.right) - np.count_nonzero(found, axis=1)

    def at_least(self, candidates: NDArray[Any]) -> NDArray[Any]:
        """Bound squared distances, in squared units, from below."""
        squares, margin = self._squares(candidates)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.nan_to_num(squares - (margin * (1 + 1e-6)).astype(np.float32)[:, None])

    def _squares(self, candidates: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Squared distances in single precision, and a bound of their error per candidate."""
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite margin prunes nothing
            centred = self._centred(candidates)
            squares = np.square(centred).sum(axis=1)
            left = np.column_stack([-2 * centred, squares, np.ones(len(candidates))])
            margin = self.error * np.square(np.sqrt(squares) + self.reach)
            return left.astype(np.float32) @ self.right.T, margin


def _parts(points: NDArray[Any]) -> Iterator[slice]:
    """Cut points into parts whose numbers are few enough for copies of them."""
    step = max(1, PAIRS_AT_ONCE // max(1, points.shape[1]))
    return (slice(first, first + step) for first in range(0, len(points), step))
