"""Centres of samples of outputs: the middle of a small ball that holds half of them.

The radius of an output is its h-th smallest distance to n sampled outputs, with h = ceil(n / 2).
A rule finds an output whose radius is at most beta times the smallest there is; the certificate
of center smoothing depends on beta and on nothing else of the rule.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from sksmooth.distances import Discrete, Distance

METHODS = ("branch_and_bound", "finite", "sample", "shorth")

# Pairs of points in memory at once, and candidates looked at before the others are pruned.
_PAIRS, _FIRST_CANDIDATES = 1_000_000, 32
_ROUNDS_OF_REFINEMENT = 3

# Branch and bound: its tolerance, its largest dimension, and when it gives up.
_TOLERANCE, _MOST_DIMENSIONS, _MOST_CELLS = 0.05, 4, 200_000
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Center:
    """The middle of a sample of outputs.

    Attributes
    ----------
    output : ndarray
        An output: one of the sample, or close to it.
    radius : float
        Its h-th smallest distance to the sample, in the metric that is certified.
    holds : bool
        Whether the radius is known to be within beta of the smallest one.
    """

    output: Any
    radius: float
    holds: bool


@dataclass(frozen=True)
class CenterRule:
    """How a centre is found, and what is known of it.

    Attributes
    ----------
    distance : Distance
        Its metric is what is meant by "radius".
    method : str
        One of ``METHODS``.
    beta : float
        Bound of the radius over the smallest one.
    is_promise : bool
        Whether beta has to be verified for each sample, and may fail.
    n_candidates : int or None
        Sampled outputs that are tried; None: all.
    """

    distance: Distance
    method: str
    beta: float
    is_promise: bool = False
    n_candidates: int | None = None

    def find(self, outputs: NDArray[Any], extra: NDArray[Any] | None = None) -> Center:
        """Find the centre of a sample.

        Parameters
        ----------
        outputs : ndarray of shape (n, ...)
            Sampled outputs.
        extra : ndarray of shape (k, ...), optional
            Further candidates.

        Returns
        -------
        center : Center
        """
        search = _Search(self.distance, outputs)
        if self.method == "shorth":
            return Center(*shorth(outputs, search.h), True)
        if self.method == "branch_and_bound":
            return self._branch_and_bound(search)
        search.try_sample(self.n_candidates)
        if self.distance.space is not None:
            search.try_outputs(np.asarray(self.distance.space))
        metric_bound = search.radius / (2 * self.distance.gamma)
        if extra is not None and len(extra):
            search.try_outputs(extra)
        search.refine()
        holds = not self.is_promise or search.radius <= self.beta * max(
            metric_bound if self.n_candidates is None else 0.0, lower_bound(search)
        )
        return Center(search.output, search.radius, bool(holds))

    def _branch_and_bound(self, search: _Search) -> Center:
        search.try_sample(_FIRST_CANDIDATES)
        search.refine()
        points, norm = search.points, self.distance.norm
        finite = np.isfinite(points).all(axis=1)
        if not np.isfinite(search.radius):
            return Center(search.output, search.radius, True)  # no ball of finite radius exists
        assert norm is not None
        middle, radius, holds = branch_and_bound(
            points[finite], search.h, norm, search.output.ravel(), search.radius
        )
        return Center(middle.reshape(search.output.shape), radius, holds)


def choose_rule(
    distance: Distance,
    shape: tuple[int, ...],
    method: str,
    beta: float | None,
    n_candidates: int | None,
) -> CenterRule:
    """Choose how to find centres, or say why the wanted way is not possible.

    Parameters
    ----------
    distance : Distance
        Between outputs.
    shape : tuple of int
        Shape of one output.
    method : str
        One of ``METHODS``, or "auto".
    beta : float or None
        Promise that each sample has to keep; None: what the method guarantees.
    n_candidates : int or None
        Sampled outputs that are tried.

    Returns
    -------
    rule : CenterRule
    """
    size = math.prod(shape)
    able = {
        "shorth": distance.norm is not None and size == 1,
        "branch_and_bound": distance.norm is not None and size <= _MOST_DIMENSIONS,
        "finite": isinstance(distance, Discrete) or distance.space is not None,
        "sample": True,
    }
    order = ("finite", "shorth", "branch_and_bound", "sample")
    if method == "auto":
        method = "sample" if beta is not None else next(m for m in order if able[m])
    if not able[method]:
        raise ValueError(
            f"center={method!r} is not possible for outputs of shape {shape} with {distance!r}: "
            '"shorth" needs one number, "branch_and_bound" at most four, both with l1, l2 or '
            'linf, and "finite" the distance "discrete" or one with a space. Use center="auto".'
        )
    if beta is not None and method != "sample":
        raise ValueError(f'beta is a promise for center="sample" only, got center={method!r}.')
    if method == "sample":
        known = 2 * distance.gamma
        promise = beta is not None and beta < known
        value = known if beta is None or not promise else beta
        return CenterRule(distance, method, value, promise, n_candidates)
    guaranteed = 1 + _TOLERANCE if method == "branch_and_bound" else 1.0
    return CenterRule(distance, method, guaranteed)


class _Search:
    """The best candidate so far for one sample."""

    def __init__(self, distance: Distance, outputs: NDArray[Any]) -> None:
        self.distance = distance
        self.outputs = outputs
        self.points = distance.points(outputs)
        self.h = (len(outputs) + 1) // 2
        self.output, self.radius = outputs[0], np.inf

    def try_sample(self, n_candidates: int | None) -> None:
        """Try sampled outputs: the first ones, or all."""
        candidates = self.points[:n_candidates]
        best, radius = best_sample_point(
            self.points, candidates, self.distance, self.h, are_sampled=True
        )
        if radius < self.radius:
            self.output, self.radius = self.outputs[best], radius

    def try_outputs(self, outputs: NDArray[Any]) -> bool:
        """Try outputs that need not be in the sample; tell whether one is better."""
        candidates = self.distance.points(outputs)
        best, radius = best_sample_point(self.points, candidates, self.distance, self.h)
        if not radius < self.radius:
            return False
        self.output, self.radius = outputs[best], radius
        return True

    def refine(self) -> None:
        """Try middles of all outputs and of the half around the best candidate, in turn."""
        if not np.isfinite(self.radius) or self.radius == 0:
            return
        half = self._nearest(len(self.outputs))
        for _ in range(_ROUNDS_OF_REFINEMENT):
            middles = self.distance.middles(self.outputs[half])
            if not len(middles):
                return
            self.try_outputs(middles)
            half = self._nearest(self.h)

    def _nearest(self, n: int) -> NDArray[np.intp]:
        """Find the outputs nearest to the best candidate, at a finite distance."""
        one = self.distance.points(np.asarray(self.output)[None])
        distances = self.distance.between(self.points, one)[:, 0]
        n = min(n, int(np.isfinite(distances).sum()))
        return np.argpartition(distances, n - 1)[:n]


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
    best, radius = 0, np.inf
    step = max(1, _PAIRS // len(points))
    at_least = np.zeros(len(candidates))
    size = min(step, _FIRST_CANDIDATES)
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
            reach = radii[known][:, None] / distance.gamma - distances[known][:, left]
            at_least[left] = np.maximum(at_least[left], reach.max(axis=0))
            left = left[at_least[left] * (1 - _ROUNDING) < radius]
        size = step
    return best, radius


def _best_by_products(
    points: NDArray[Any], candidates: NDArray[Any], distance: Distance, h: int
) -> tuple[int, float]:
    """Prune by counts from matrix products in single precision; measure the rest exactly."""
    kept = np.flatnonzero(np.isfinite(points).all(axis=1))
    usable = np.flatnonzero(np.isfinite(candidates).all(axis=1))
    if len(kept) < h or not len(usable):
        return 0, np.inf
    points = points[kept]
    middle = np.median(points[:: max(1, len(points) // 1000)], axis=0)
    order = usable[np.argsort(cdist(candidates[usable], middle[None])[:, 0], kind="stable")]
    best, radius = _measure(points, candidates, order[:_FIRST_CANDIDATES], distance, h, 0, np.inf)
    order = order[_FIRST_CANDIDATES:]
    products = _SquaredDistances(points, middle)
    step = max(1, _PAIRS // len(points))
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


class _SquaredDistances:
    """Counts of points within a radius, never too few, by one matrix product per block.

    ``|c - p|^2 = (-2 c, |c|^2, 1) . (p, 1, |p|^2)``. Every rounding of the product is covered by
    a margin, so a count is at least the true one.
    """

    def __init__(self, points: NDArray[Any], middle: NDArray[Any]) -> None:
        centred = points - middle
        self.middle = middle
        with np.errstate(over="ignore"):  # an infinite margin prunes nothing
            squares = np.square(centred).sum(axis=1)
            right = np.column_stack([centred, np.ones(len(points)), squares])
            self.right = right.astype(np.float32)
        self.reach = math.sqrt(squares.max())
        self.error = (self.right.shape[1] + 8) * 2.0**-24

    def count_within(self, candidates: NDArray[Any], radius: float) -> NDArray[np.intp]:
        """Count the points within a radius of each candidate, or somewhat more."""
        squares, margin = self._squares(candidates)
        with np.errstate(over="ignore", invalid="ignore"):
            limit = (np.square(radius) + margin) * (1 + 1e-6)
            found = squares > limit.astype(np.float32)[:, None]
        return len(self.right) - np.count_nonzero(found, axis=1)

    def at_least(self, candidates: NDArray[Any]) -> NDArray[Any]:
        """Bound squared distances from below, by less than the rounding of the product."""
        squares, margin = self._squares(candidates)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.nan_to_num(squares - (margin * (1 + 1e-6)).astype(np.float32)[:, None])

    def _squares(self, candidates: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Squared distances in single precision, and a bound of their error per candidate."""
        centred = candidates - self.middle
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.square(centred).sum(axis=1)
            left = np.column_stack([-2 * centred, squares, np.ones(len(candidates))])
            margin = self.error * np.square(np.sqrt(squares) + self.reach)
            return left.astype(np.float32) @ self.right.T, margin


def shorth(outputs: NDArray[Any], h: int) -> tuple[NDArray[Any], float]:
    """Middle of the shortest interval that holds h of n numbers: the exact centre on the line.

    Parameters
    ----------
    outputs : ndarray of shape (n, ...)
        Outputs of one number each.
    h : int
        Rank.

    Returns
    -------
    output : ndarray of shape (...)
        The middle.
    radius : float
        Its h-th smallest distance, half the length of the interval but for rounding.
    """
    values = np.sort(outputs.reshape(-1).astype(float))
    values = values[np.isfinite(values)]
    if len(values) < h:
        return outputs[0], np.inf
    lengths = values[h - 1 :] - values[: len(values) - h + 1]
    start = int(lengths.argmin())
    middle = values[start] + lengths[start] / 2
    radius = np.partition(np.abs(values - middle), h - 1)[h - 1]
    return np.full(outputs.shape[1:], middle), float(radius)


def branch_and_bound(
    points: NDArray[Any], h: int, norm: float, middle: NDArray[Any], radius: float
) -> tuple[NDArray[Any], float, bool]:
    """Find a centre within 5 % of the best one, in few dimensions.

    The radius is a 1-Lipschitz function of the centre. So a cell is left out once the ball around
    its middle that would have to hold h points, were there a centre in the cell that is better by
    more than the tolerance, does not hold them.

    Parameters
    ----------
    points : ndarray of shape (n, n_dimensions)
        Finite points.
    h : int
        Rank.
    norm : float
        p of the lp norm.
    middle : ndarray of shape (n_dimensions,)
        A centre to start from.
    radius : float
        Its h-th smallest distance.

    Returns
    -------
    middle : ndarray of shape (n_dimensions,)
        The centre.
    radius : float
        Its h-th smallest distance.
    holds : bool
        Whether the search was finished.
    """
    name = {1: "cityblock", 2: "euclidean", math.inf: "chebyshev"}[norm]
    # A ball of this radius that holds h points reaches the h-th point from either side.
    ordered = np.sort(points, axis=0)
    low, high = ordered[h - 1] - radius, ordered[len(points) - h] + radius
    cells, half, seen = ((low + high) / 2)[None], (high - low) / 2, 0
    half *= 1 + _ROUNDING
    while len(cells) and radius > 0:
        seen += len(cells)
        if seen > _MOST_CELLS:
            return middle, radius, False
        kept = np.zeros(len(cells), np.intp)
        step = max(1, _PAIRS // len(points))
        for first in range(0, len(cells), step):
            some = cells[first : first + step]
            distances = cdist(some, points, name)
            reach = float(np.linalg.norm(half, ord=norm))
            limit = (radius / (1 + _TOLERANCE) + reach) * (1 + _ROUNDING)
            counts = np.count_nonzero(distances <= limit, axis=1)
            kept[first : first + step] = counts
            most = counts.argmax()
            here = float(np.partition(distances[most], h - 1)[h - 1])
            if here < radius:
                middle, radius = some[most], here
        cells, half = _split(cells[kept >= h], half)
    return middle, radius, True


def _split(cells: NDArray[Any], half: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Halve cells along their longer sides: long thin ones say little."""
    shift = np.where(half > half.max() / 2, half / 2, 0.0)
    sides = [(-s, s) if s > 0 else (0.0,) for s in shift]
    corners = np.array(list(itertools.product(*sides)))
    smaller = (half - shift) * (1 + _ROUNDING)
    return (cells[:, None] + corners).reshape(-1, len(half)), smaller


def lower_bound(search: _Search) -> float:
    """Bound, from below, on the smallest radius of any centre of a sample.

    In a Hilbert space, the h points of the best ball have a mean squared distance of at most
    twice its squared radius; so has one of them to the others, and its h nearest are not
    farther. Under the maximum norm, each coordinate alone is a bound.
    """
    points, h = search.points, search.h
    if search.distance.norm == math.inf:
        columns = points.reshape(len(points), -1).T
        return max(shorth(column, h)[1] for column in columns)
    if not search.distance.is_hilbert or np.isfinite(points).all(axis=1).sum() < h:
        return 0.0
    points = points[np.isfinite(points).all(axis=1)]
    products = _SquaredDistances(points, np.median(points, axis=0))
    least, step = np.inf, max(1, _PAIRS // len(points))
    for first in range(0, len(points), step):
        distances = products.at_least(points[first : first + step])
        nearest = np.partition(distances, h - 1, axis=1)[:, :h]
        least = min(least, float(nearest.mean(axis=1, dtype=float).min()))
    return math.sqrt(max(least, 0.0) / 2) * (1 - _ROUNDING)
