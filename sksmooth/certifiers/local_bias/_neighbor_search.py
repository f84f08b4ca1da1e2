"""How far an input has to move until some points are nearer to it than others.

Before x is at least as near to a point ``x_j`` as to another one ``x_i``, it has to leave a
half-space, whose border is their bisector. In the norm of the certificate it is away by

    ``(x_i - x_j) @ (2 x - x_i - x_j) / (2 ||x_i - x_j||_*)``,

and a little less where the two distances, as they are computed, cannot be distinguished.

One such i gives a bound for each j, several give a better one, and all of them together, the cell
of ``x_j``, the exact distance. The search is done in single precision, with a bound of the errors;
what is returned is computed in double precision by differences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certifiers.local_bias._polyhedra import least_distance, linear_program
from sksmooth.certifiers.local_bias._screening import ScreeningPoints, Singles
from sksmooth.smooth_scores._norms import dual_norm, squared_norms

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Stage = tuple[int, Callable[[Codes], Floats]]

_EPS = float(np.finfo(np.float64).eps)

# Sums of squares below it may have underflowed.
_TINY = 1e-290

# Points that each point of another label is compared with; with these begins the search for a cell,
# which takes so many more bisectors at most.
_N_COMPETITORS, _MOST_BISECTORS = 32, 12

# Entries of a block of differences.
ENTRIES_AT_ONCE = 2**17


@dataclass(frozen=True)
class NeighborSearch:
    """One input, among points with labels.

    Attributes
    ----------
    points : ndarray of shape (n_points, n_features)
        Points, in the order of their labels.
    screening : ScreeningPoints
        The same in single precision.
    x : ndarray of shape (n_features,)
        Input.
    label, nearest : int
        Its label, and the place of the nearest point of that label.
    squares : ndarray of float32 of shape (n_points,)
        Approximate squared distances to all points.
    squares_from_nearest : ndarray of float32 of shape (n_points,) or None
        Those of the nearest point, where they are of use.
    error : float
        Bound of the error of both.
    """

    points: Floats
    screening: ScreeningPoints
    x: Floats
    label: int
    nearest: int
    squares: Singles
    squares_from_nearest: Singles | None
    error: float

    def to_label(self, place: slice, norm: float, method: str) -> float:
        """Bound of the distance to inputs whose nearest point is among those of another label.

        Parameters
        ----------
        place : slice
            Points of the other label.
        norm : {1, 2, inf}
            Of the distance.
        method : {"nearest", "pairwise", "exact"}
            Compare these points with the nearest one, with several, or compute the exact distance.

        Returns
        -------
        distance : float
            Infinite if there are no such points.
        """
        competitors = np.array([self.nearest])
        if method != "nearest":
            among = np.delete(np.arange(len(self.points)), place)
            competitors = np.union1d(self._nearest_of(among, _N_COMPETITORS), competitors)
        stages = self._screening_stages(norm)
        stages.append((self._at_once, lambda js: self._best_of(np.array([self.nearest]), js, norm)))
        if method != "nearest":
            some = max(2, self._at_once // len(competitors))
            stages.append((some, lambda js: self._best_of(competitors, js, norm)))
        if method == "exact":
            stages.append((1, lambda js: self._to_cells(competitors, js, norm, place)))
        smallest = _Smallest(1, stages)
        smallest.visit(np.arange(place.start, place.stop), self._lower_bounds(place, norm))
        return max(smallest.bound, 0.0)

    def passing(
        self,
        places: Codes,
        n_passing: int,
        among: Codes,
        n_spared: int,
        norm: float,
        several: bool,
    ) -> float:
        """Bound of the distance to inputs that some points are nearer to than others are.

        Parameters
        ----------
        places : ndarray of int
            Points of which some are nearer.
        n_passing : int
            How many of them.
        among : ndarray of int
            Points that they are nearer than.
        n_spared : int
            All but so many of these.
        norm : {1, 2, inf}
            Of the distance.
        several : bool
            Look at more of them than needed, for a larger bound.

        Returns
        -------
        distance : float
            The `n_passing` smallest over `places` of the ``n_spared + 1`` largest over `among` of
            the distances to bisectors; infinite where there are no such inputs.
        """
        if len(places) < n_passing:
            return np.inf
        if len(among) <= n_spared:
            return 0.0
        n_competitors = max(n_spared + 1, _N_COMPETITORS) if several else n_spared + 1
        competitors = self._nearest_of(among, n_competitors)
        some = max(2, self._at_once // len(competitors))
        stage = (some, lambda js: self._best_of(competitors, js, norm, n_spared + 1))
        smallest = _Smallest(n_passing, [stage])
        smallest.visit(places, self._lower_bounds_by_distances(places, competitors, n_spared, norm))
        return max(smallest.bound, 0.0)

    @property
    def _at_once(self) -> int:
        return max(16, ENTRIES_AT_ONCE // len(self.x))

    def _nearest_of(self, places: Codes, n: int) -> Codes:
        """Return some n of the points, about the nearest; any of them are valid."""
        if len(places) <= n:
            return places
        return places[np.argpartition(self.squares[places], n - 1)[:n]]

    def _is_searchable(self) -> bool:
        """Whether approximate distances say anything."""
        return bool(np.isfinite(self.error) and self.error < 1e30)

    @property
    def _unit(self) -> float:
        """Unit of approximate distances, less what is lost in a few operations with these."""
        return self.screening.unit * (1 - 1e-5)

    def _stretch(self, norm: float) -> float:
        """Of dual norms to the l2 norm."""
        return len(self.x) ** 0.5 if norm == np.inf else 1.0

    def _lower_bounds(self, place: slice, norm: float) -> Singles:
        """Bounds from approximate distances, for the nearest point and all of another label."""
        if not self._is_searchable():
            return np.zeros(place.stop - place.start, dtype=np.float32)
        size: Any = np.inf
        if self.squares_from_nearest is not None:
            apart = np.maximum(self.squares_from_nearest[place], 0) + np.float32(self.error)
            size = np.sqrt(apart) * np.float32(self._stretch(norm))
        if norm != 2:
            sizes = self.screening.dual_sizes(norm)
            size = np.minimum(size, sizes[place] + sizes[self.nearest])
        return np.asarray(self._gains(self.squares[place]) * np.float32(self._unit / 2) / size)

    def _lower_bounds_by_distances(
        self, places: Codes, competitors: Codes, n_spared: int, norm: float
    ) -> Floats:
        """Half the difference of two distances is a bound too (triangle inequality)."""
        if not self._is_searchable():
            return np.zeros(len(places))
        near = np.sort(squared_norms(self.points[competitors] - self.x))
        deciding = np.sqrt(near[n_spared]) / self.screening.unit
        away = np.sqrt(np.maximum(self.squares[places] - self.error, 0))
        lead = away * (1 - 1e-5) - deciding * (1 + 1e-5)
        return np.asarray(lead * self._unit / 2 / self._stretch(norm))

    def _gains(self, squares: Singles) -> Singles:
        """How much farther away some points are than the nearest one, at least, in squares."""
        return np.asarray(squares - np.float32(self.squares[self.nearest] + 2 * self.error))

    def _screening_stages(self, norm: float) -> list[Stage]:
        """Bounds in single precision, from the dual norm itself: of some features, and of all."""
        if norm == 2 or not self._is_searchable():
            return []
        n_features = len(self.x)
        widths = [n_features]
        if norm == np.inf and self.screening.n_front < n_features:
            widths.insert(0, self.screening.n_front)
        return [
            (
                2 * max(16, ENTRIES_AT_ONCE // width),
                partial(self._screening_bounds, norm=norm, n_front=width),
            )
            for width in widths
        ]

    def _screening_bounds(self, places: Codes, norm: float, n_front: int) -> Floats:
        size = self.screening.dual_distances(self.nearest, places, norm, n_front)
        gains = self._gains(self.squares[places]).astype(float)
        return _ratio(gains * (self._unit / 2), size.astype(float))

    def _best_of(self, competitors: Codes, places: Codes, norm: float, rank: int = 1) -> Floats:
        """Largest distance to the bisector with any competitor, or one of a lower rank."""
        own, others = self.points[competitors], self.points[places]
        from_own, from_others = self.x - own, self.x - others
        apart = own - others[:, None, :]
        sums = from_own + from_others[:, None, :]
        gain, size = np.einsum("jid,jid->ji", apart, sums), 2 * dual_norm(apart, norm)
        reach = np.maximum(_ratio(gain, size), 0.0) * self._stretch(norm)
        lost = self._undecided(np.sqrt(squared_norms(from_own)) + reach)
        bounds = _ratio(gain - lost, size)
        return np.asarray(np.partition(bounds, -rank, axis=1)[:, -rank])

    def _undecided(self, away: Floats) -> Floats:
        """Difference of squared distances within which rounding may order two points otherwise.

        Whoever compares such distances, by sums of squares or by trees, is right beyond it. It
        matters for points that are much nearer to each other than to the input.

        Parameters
        ----------
        away : ndarray
            Distance to the nearer one, from wherever the input may move to.
        """
        return (len(self.x) + 64) * _EPS * away**2 + _TINY

    def _to_cells(self, competitors: Codes, places: Codes, norm: float, label: slice) -> Floats:
        return np.array([self._to_cell(competitors, place, norm, label) for place in places])

    def _to_cell(self, competitors: Codes, place: int, norm: float, label: slice) -> float:
        """Distance to the cell of one point of a label, with bisectors until no other matters."""
        best = 0.0
        for _ in range(_MOST_BISECTORS):
            value, step = self._to_intersection(competitors, place, norm)
            best = max(best, value)
            missed = None if step is None else self._nearest_at(self.x + step, place, label)
            if missed is None or missed in competitors:
                break
            competitors = np.append(competitors, missed)
        return best

    def _nearest_at(self, y: Floats, place: int, label: slice) -> int | None:
        """Point of another label that is nearer to y than the one at `place`."""
        squares = squared_norms(self.points - y)
        mine = squares[place]
        squares[label] = np.inf
        nearest = int(squares.argmin())
        return nearest if squares[nearest] < mine * (1 - 1e-12) else None

    def _to_intersection(
        self, competitors: Codes, place: int, norm: float
    ) -> tuple[float, Floats | None]:
        """Distance to an intersection of half-spaces, and the way there."""
        own, point = self.points[competitors], self.points[place]
        apart, sums = own - point, (self.x - own) + (self.x - point)
        gains = np.einsum("id,id->i", apart, sums)
        reach = self._stretch(norm) * np.linalg.norm(self.x - point, norm)
        lost = self._undecided(np.sqrt(squared_norms(self.x - own)) + reach)
        lengths = np.sqrt(squared_norms(apart))
        keep = lengths > 0
        rows = -apart[keep] / lengths[keep, None]
        bounds = gains[keep] / (2 * lengths[keep])
        solve = least_distance if norm == 2 else linear_program
        solution = solve(rows, bounds, norm)
        if solution is None:
            return 0.0, None
        duals, step = solution
        errors = (len(point) + 16) * _EPS * np.sqrt(squared_norms(sums[keep]))
        errors += lost[keep] / (2 * lengths[keep])
        proven = duals @ bounds - duals @ (errors + 64 * _EPS * np.abs(bounds))
        size = dual_norm(duals @ rows, norm)
        size = size + (len(point) + len(rows)) * _EPS * dual_norm(duals @ np.abs(rows), norm)
        return (float(proven / size) if size > 0 else 0.0), step


@dataclass
class _Smallest:
    """The n-th smallest of values that are expensive to compute and have cheap lower bounds.

    Attributes
    ----------
    n : int
        Which one is looked for.
    stages : sequence of (int, callable)
        How many places to look at at once, and a function of places to bounds. Each stage is
        tighter and more expensive than the one before, and the last gives the values.
    """

    n: int
    stages: Sequence[Stage]

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


def _ratio(gain: Floats, size: Floats) -> Floats:
    """Quotient; 0 where two points coincide, which proves nothing."""
    return np.divide(gain, size, out=np.zeros_like(gain), where=size > 0)
