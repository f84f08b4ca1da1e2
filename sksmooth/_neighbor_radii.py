"""How far an input can move before its nearest reference points change class.

An input x has the label of its nearest reference point, in the l2 norm, or of the majority of its
k nearest. Before it can get the label of a point ``x_j``, it has to be at least as near to it as to
a point ``x_i`` of another label, that is, to leave a half-space. In the norm of the certificate
the border of that is away by

    ``(x_i - x_j) @ (2 x - x_i - x_j) / (2 ||x_i - x_j||_*)``.

One such i gives a bound for each j, several give a better one, and all of them together, the cell
of ``x_j``, the exact distance. The search is done in single precision by matrix products, with a
bound of their error; what is reported is computed in double precision by differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sksmooth._half_spaces import least_distance, linear_program

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_EPS = float(np.finfo(np.float64).eps)
_EPS_SINGLE = float(np.finfo(np.float32).eps)

# Points that each point of another label is compared with; a cell is first cut by these.
_N_RIVALS, _MOST_CUTS = 32, 12

# Entries of a block of distances, and of a block of differences.
_ENTRIES_OF_SEARCH, _ENTRIES_OF_DIFFERENCES = 2**23, 2**17

# Up to here trees find the nearest points of each class faster than matrix products.
_MOST_FEATURES_FOR_TREES = 8


@dataclass(frozen=True)
class NeighborRadii:
    """Distances within which the neighbours keep their label.

    Attributes
    ----------
    label : ndarray of int of shape (m,)
        Label that the neighbours give.
    radius : ndarray of shape (m, n_classes)
        Bound of the distance to an input with each label: 0 for `label` itself, infinite for
        labels that no neighbours can give.
    rounding : ndarray of shape (m,)
        Bound of the rounding error of the radii of a row.
    """

    label: Codes
    radius: Floats
    rounding: Floats

    def certified(self) -> Floats:
        """Radii less the bound of their rounding error."""
        return np.maximum(self.radius - self.rounding[:, None], 0.0)


class ReferencePoints:
    """Labelled points that vote on the label of an input.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_features)
        Points with different labels have to differ.
    labels : ndarray of int of shape (n_points,)
        In ``range(n_classes)``.
    n_classes : int
        Number of labels there could be.
    n_neighbors : int, default=1
        Odd. The label is that of the majority of so many nearest points; more than one only for
        two classes.
    """

    def __init__(self, points: Floats, labels: Codes, n_classes: int, n_neighbors: int = 1):
        order = np.argsort(labels, kind="stable")
        self.points = np.ascontiguousarray(points[order], dtype=float)
        self.n_needed = (n_neighbors + 1) // 2
        starts = np.searchsorted(labels[order], np.arange(n_classes + 1)).tolist()
        self.places = [slice(a, b) for a, b in pairwise(starts)]
        self.center = self.points.mean(axis=0)
        centered = self.points - self.center
        self.unit = float(np.abs(centered).max()) or 1.0
        self.size = float(np.sqrt(_squared_norms(centered).max()))
        self._single = np.asarray(centered / self.unit, dtype=np.float32)
        self._squares = np.einsum("ij,ij->i", self._single, self._single)
        self._dual_sizes: dict[float, NDArray[np.float32]] = {}
        self._trees: list[cKDTree] | None = None
        if self.points.shape[1] <= _MOST_FEATURES_FOR_TREES:
            self._trees = [cKDTree(self.points[place]) for place in self.places]

    def gaps(self, X: Floats) -> Floats:
        """Distances that decide: to the nearest point of each class, or the t-th nearest of it.

        Parameters
        ----------
        X : ndarray of shape (m, n_features)
            Inputs.

        Returns
        -------
        gaps : ndarray of shape (m, n_classes)
            The smallest is that of the label. t is a majority of the neighbours.
        """
        gaps = np.empty((len(X), len(self.places)))
        for part in self._blocks(X):
            single = None if self._trees else self._squared_distances(self._in_single(X[part]))
            gaps[part] = self._deciding(X[part], single)[0]
        return gaps

    def radii(self, X: Floats, norm: float, method: str) -> NeighborRadii:
        """Return how far each row can move before its neighbours give it each other label.

        Parameters
        ----------
        X : ndarray of shape (m, n_features)
            Inputs.
        norm : {1, 2, inf}
            Norm of the movement. Neighbours are always those in the l2 norm.
        method : {"nearest", "pairwise", "exact"}
            Compare the points of another label with the nearest point only, as [1]_ do; with the
            best of several for each; or compute the distance to their cells (one neighbour only).

        Returns
        -------
        radii : NeighborRadii

        References
        ----------
        .. [1] Anderson, B. G. and Sojoudi, S. (2022). Certified robustness via locally biased
           randomized smoothing. L4DC 2022.
        """
        n_classes = len(self.places)
        labels, radius = np.empty(len(X), np.intp), np.full((len(X), n_classes), np.inf)
        for part in self._blocks(X):
            for i, search in enumerate(self._searches(X[part]), part.start):
                labels[i] = search.label
                radius[i, search.label] = 0.0
                for other in range(n_classes):
                    if other != search.label and self._n_points(other) >= self.n_needed:
                        radius[i, other] = search.radius_to(other, norm, method)
        return NeighborRadii(labels, radius, self._rounding(X, norm))

    def dual_sizes(self, norm: float) -> NDArray[np.float32]:
        """Dual norms of the points from some middle; two of them bound that of a difference.

        In units of the set, rounded up.
        """
        if norm not in self._dual_sizes:
            some = self._single[:: max(1, len(self._single) // 1000)]
            if norm == 1:
                middle = (self._single.min(axis=0) + self._single.max(axis=0)) / 2
            else:
                middle = np.median(some, axis=0).astype(np.float32)
            sizes = np.empty(len(self._single), dtype=np.float32)
            for start in range(0, len(sizes), 4096):
                apart = np.abs(self._single[start : start + 4096] - middle)
                sizes[start : start + 4096] = apart.max(1) if norm == 1 else apart.sum(1)
            sizes += np.float32(_EPS_SINGLE) * (np.float32(len(middle)) * (1 + sizes))
            self._dual_sizes[norm] = sizes
        return self._dual_sizes[norm]

    def _n_points(self, label: int) -> int:
        return int(self.places[label].stop - self.places[label].start)

    def _rounding(self, X: Floats, norm: float) -> Floats:
        """Of the quotient above, from the longest distances that can occur in it."""
        n_features = X.shape[1]
        ratio = np.sqrt(n_features) if norm == 1 else 1.0  # of l2 norms to dual norms
        away = np.sqrt(_squared_norms(X - self.center)) + self.size
        return np.asarray((n_features + 16) * _EPS * away * ratio)

    def _blocks(self, X: Floats) -> Iterator[slice]:
        step = max(1, _ENTRIES_OF_SEARCH // len(self.points))
        for start in range(0, len(X), step):
            yield slice(start, min(start + step, len(X)))

    def _in_single(self, X: Floats) -> NDArray[np.float32]:
        queries = np.clip((X - self.center) / self.unit, -1e15, 1e15)
        return np.asarray(queries, dtype=np.float32)

    def _squared_distances(self, single: NDArray[np.float32]) -> NDArray[np.float32]:
        """Squared distances to all points, in units of the set."""
        squares = (-2 * single) @ self._single.T
        squares += self._squares
        squares += np.einsum("ij,ij->i", single, single)[:, None]
        return squares

    def _errors(self, X: Floats) -> Floats:
        """Bound of the error of squared distances, for any order of summation.

        It covers inner products, norms, and the rounding of the points themselves: half an
        epsilon for each of the terms and of the few operations beside them.
        """
        sizes = (np.sqrt(_squared_norms(X - self.center)) + self.size) / self.unit
        return np.asarray(0.55 * (X.shape[1] + 32) * _EPS_SINGLE * sizes**2)

    def _deciding(
        self, X: Floats, squares: NDArray[np.float32] | None
    ) -> tuple[Floats, NDArray[np.intp]]:
        """Deciding distance of each class, and its nearest point."""
        n = self.n_needed
        gaps = np.full((len(X), len(self.places)), np.inf)
        nearest = np.zeros(gaps.shape, dtype=np.intp)
        errors = self._errors(X)
        for label, place in enumerate(self.places):
            if self._n_points(label) < n:
                continue
            if self._trees is not None:
                distances, which = self._trees[label].query(X, k=list(range(1, n + 1)))
                gaps[:, label], nearest[:, label] = distances[:, -1], which[:, 0] + place.start
                continue
            assert squares is not None
            for i, row in enumerate(squares[:, place]):
                found = self._nearest_of(X[i], row, place.start, 2 * errors[i])
                gaps[i, label], nearest[i, label] = found
        return gaps, nearest

    def _nearest_of(
        self, x: Floats, squares: NDArray[np.float32], start: int, error: float
    ) -> tuple[float, int]:
        """Distance to the t-th nearest and place of the nearest, among those that may be it."""
        n = self.n_needed
        threshold = squares.min() if n == 1 else np.partition(squares, n - 1)[n - 1]
        candidates = np.flatnonzero(squares <= threshold + error) + start
        exact = _squared_norms(self.points[candidates] - x)
        order = np.argsort(exact, kind="stable")
        return float(np.sqrt(exact[order[n - 1]])), int(candidates[order[0]])

    def _searches(self, X: Floats) -> Iterator[_Search]:
        single = self._in_single(X)
        squares = self._squared_distances(single)
        gaps, nearest = self._deciding(X, squares)
        labels = gaps.argmin(axis=1)
        own = nearest[np.arange(len(X)), labels]
        from_own = self._squared_distances(self._single[own]) if self.n_needed == 1 else squares
        errors = self._errors(X)
        for i, x in enumerate(X):
            yield _Search(self, x, int(labels[i]), int(own[i]), squares[i], from_own[i], errors[i])


@dataclass(frozen=True)
class _Search:
    """One input: its label, its nearest point, and approximate squared distances to all points."""

    reference: ReferencePoints
    x: Floats
    label: int
    nearest: int
    squares: NDArray[np.float32]
    squares_from_nearest: NDArray[np.float32]
    error: float

    def radius_to(self, other: int, norm: float, method: str) -> float:
        """Bound of the distance to an input with another label."""
        place, n = self.reference.places[other], self.reference.n_needed
        at_once = max(16, _ENTRIES_OF_DIFFERENCES // len(self.x))
        rivals = self._rivals(other, n if method == "nearest" else _N_RIVALS)
        stages: list[tuple[int, Callable[[Codes], Floats]]] = []
        if n == 1 and norm != 2 and self._is_searchable():
            stages.append((2 * at_once, lambda places: self._single_bounds(places, norm)))
        if n == 1:
            stages.append((at_once, lambda places: self._distances(self.nearest, places, norm)))
        if method != "nearest" or n > 1:
            some = max(2, at_once // len(rivals))
            stages.append((some, lambda places: self._best_of(rivals, places, norm)))
        if method == "exact":
            stages.append((1, lambda places: self._to_cells(rivals, places, norm, other)))
        smallest = _Smallest(n, stages)
        smallest.visit(np.arange(place.start, place.stop), self._lower_bounds(place, rivals, norm))
        return max(smallest.bound, 0.0)

    def _rivals(self, other: int, n: int) -> Codes:
        """Points not of the other label, the nearest ones first of all; any of them are valid.

        With a vote they have to be of the own label, so that there are two labels only.
        """
        if n == 1:
            return np.array([self.nearest])
        place = self.reference.places[other]
        squares = np.concatenate([self.squares[: place.start], self.squares[place.stop :]])
        if len(squares) > n:
            rivals = np.argpartition(squares, n - 1)[:n]
        else:
            rivals = np.arange(len(squares))
        rivals = np.where(rivals >= place.start, rivals + place.stop - place.start, rivals)
        return np.union1d(rivals, [self.nearest]) if self.reference.n_needed == 1 else rivals

    def _is_searchable(self) -> bool:
        """Whether approximate distances say anything."""
        return bool(np.isfinite(self.error) and self.error < 1e30)

    def _lower_bounds(self, place: slice, rivals: Codes, norm: float) -> NDArray[np.float32]:
        """Bounds from approximate distances, for all points of the other label."""
        reference = self.reference
        squares = self.squares[place]
        stretch = len(self.x) ** 0.5 if norm == np.inf else 1.0  # of dual norms to the l2 norm
        unit = reference.unit * (1 - 1e-5)
        if not self._is_searchable():
            return np.zeros(len(squares), dtype=np.float32)
        if reference.n_needed == 1:
            apart = np.maximum(self.squares_from_nearest[place], 0) + np.float32(self.error)
            size = np.sqrt(apart) * np.float32(stretch)
            if norm != 2:
                sizes = reference.dual_sizes(norm)
                np.minimum(size, sizes[place] + sizes[self.nearest], out=size)
            lower = self._gains(squares) * np.float32(unit / 2) / size
        else:  # half the difference of two distances is a bound too (triangle inequality)
            own = np.sort(_squared_norms(reference.points[rivals] - self.x))
            deciding = np.sqrt(own[reference.n_needed - 1]) / reference.unit
            away = np.sqrt(np.maximum(squares - np.float32(self.error), 0))
            lower = (away - np.float32(deciding * (1 + 1e-5))) * np.float32(unit / 2 / stretch)
        return np.asarray(lower)

    def _gains(self, squares: NDArray[np.float32]) -> NDArray[np.float32]:
        """How much farther away some points are than the nearest one, at least, in squares."""
        return np.asarray(squares - np.float32(self.squares[self.nearest] + 2 * self.error))

    def _single_bounds(self, places: Codes, norm: float) -> Floats:
        """Bounds from approximate distances, but from the dual norm itself."""
        reference = self.reference
        points = reference._single
        apart = points[places]
        apart -= points[self.nearest]
        np.abs(apart, out=apart)
        size = apart.max(axis=1) if norm == 1 else apart.sum(axis=1)
        size *= np.float32(1 + len(self.x) * _EPS_SINGLE)  # the sum was rounded
        size += np.float32(2 * len(self.x) * _EPS_SINGLE)  # the points were; none is beyond 1
        unit = reference.unit * (1 - 1e-5)
        return np.asarray(
            _ratio(self._gains(self.squares[places]).astype(float) * (unit / 2), size.astype(float))
        )

    def _distances(self, i: int, places: Codes, norm: float) -> Floats:
        """Distance to the border between the point i and each of several others."""
        return self._best_of(np.array([i]), places, norm, n_needed=1)

    def _best_of(
        self, rivals: Codes, places: Codes, norm: float, n_needed: int | None = None
    ) -> Floats:
        """Largest distance to the border with any rival, or the t-th largest for a vote."""
        n = self.reference.n_needed if n_needed is None else n_needed
        own, others = self.reference.points[rivals], self.reference.points[places]
        from_own, from_others = self.x - own, self.x - others
        apart = own - others[:, None, :]
        sums = from_own + from_others[:, None, :]
        gain = np.einsum("jid,jid->ji", apart, sums)
        bounds = _ratio(gain, 2 * _dual_norm(apart, norm))
        return np.asarray(np.partition(bounds, -n, axis=1)[:, -n])

    def _to_cells(self, rivals: Codes, places: Codes, norm: float, other: int) -> Floats:
        return np.array([self._to_cell(rivals, place, norm, other) for place in places])

    def _to_cell(self, rivals: Codes, place: int, norm: float, other: int) -> float:
        """Distance to the cell of one point: cut by rivals until no further one matters."""
        best = 0.0
        for _ in range(_MOST_CUTS):
            value, step = self._to_intersection(rivals, place, norm)
            best = max(best, value)
            missed = None if step is None else self._nearest_at(self.x + step, place, other)
            if missed is None or missed in rivals:
                break
            rivals = np.append(rivals, missed)
        return best

    def _nearest_at(self, y: Floats, place: int, other: int) -> int | None:
        """Point of another label that is nearer to y than the one at `place`."""
        points, cut = self.reference.points, self.reference.places[other]
        squares = _squared_norms(points - y)
        mine = squares[place]
        squares[cut] = np.inf
        nearest = int(squares.argmin())
        return nearest if squares[nearest] < mine * (1 - 1e-12) else None

    def _to_intersection(
        self, rivals: Codes, place: int, norm: float
    ) -> tuple[float, Floats | None]:
        """Distance to an intersection of half-spaces, and the way there."""
        own, point = self.reference.points[rivals], self.reference.points[place]
        apart, sums = own - point, (self.x - own) + (self.x - point)
        gains = np.einsum("id,id->i", apart, sums)
        lengths = np.sqrt(_squared_norms(apart))
        keep = lengths > 0
        rows = -apart[keep] / lengths[keep, None]
        bounds = gains[keep] / (2 * lengths[keep])
        solve = least_distance if norm == 2 else linear_program
        solution = solve(rows, bounds, norm)
        if solution is None:
            return 0.0, None
        duals, step = solution
        errors = (len(point) + 16) * _EPS * np.sqrt(_squared_norms(sums[keep]))
        proven = duals @ bounds - duals @ (errors + 64 * _EPS * np.abs(bounds))
        size = _dual_norm(duals @ rows, norm)
        size = size + (len(point) + len(rows)) * _EPS * _dual_norm(duals @ np.abs(rows), norm)
        return (float(proven / size) if size > 0 else 0.0), step


@dataclass
class _Smallest:
    """The n-th smallest of values that are dear to compute and have cheap lower bounds.

    Attributes
    ----------
    n : int
        Which one is looked for.
    stages : sequence of (int, callable)
        How many places to look at at once, and a function of places to bounds. Each stage is
        better and dearer than the one before, and the last gives the values.
    """

    n: int
    stages: Sequence[tuple[int, Callable[[Codes], Floats]]]

    def __post_init__(self) -> None:
        self._found: Floats = np.full(self.n, np.inf)

    @property
    def bound(self) -> float:
        """Value found so far."""
        return float(self._found[-1])

    def visit(self, places: Codes, lower: NDArray[Any], stage: int = 0) -> None:
        """Look at the places in the order of their bounds, until these are too large."""
        size = min(self.stages[stage][0], self.n)  # a few first, since they settle most
        while len(places):
            order = _smallest_first(lower, size)
            head, rest = order[:size], order[size:]
            self._look(places[head], lower[head], stage)
            rest = rest[lower[rest] < self.bound]
            places, lower = places[rest], lower[rest]
            size = self.stages[stage][0]

    def _look(self, places: Codes, lower: NDArray[Any], stage: int) -> None:
        better = np.maximum(self.stages[stage][1](places), lower)
        if stage + 1 < len(self.stages):
            open_ = better < self.bound
            self.visit(places[open_], better[open_], stage + 1)
        else:
            self._found = np.sort(np.concatenate([self._found, better]))[: self.n]


def _smallest_first(values: NDArray[Any], n: int) -> Codes:
    """Positions, with those of the n smallest values in front."""
    if len(values) <= n:
        return np.arange(len(values))
    if n > 1:
        return np.argpartition(values, n)
    order = np.arange(len(values))
    smallest = int(values.argmin())
    order[0], order[smallest] = smallest, 0
    return order


def _squared_norms(rows: Floats) -> Floats:
    return np.asarray(np.einsum("...d,...d->...", rows, rows))


def _dual_norm(rows: Floats, norm: float) -> Floats:
    if norm == 2:
        return np.asarray(np.sqrt(_squared_norms(rows)))
    sizes = np.abs(rows)
    return np.asarray(sizes.max(axis=-1) if norm == 1 else sizes.sum(axis=-1))


def _ratio(gain: Floats, size: Floats) -> Floats:
    """Quotient; 0 where two points coincide, which proves nothing."""
    return np.divide(gain, size, out=np.zeros_like(gain), where=size > 0)
