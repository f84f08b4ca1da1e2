"""How far an input can move before its nearest reference points change class.

An input x has the label of its nearest reference point, in the l2 norm, or the one that most of
its k nearest have; of equally frequent ones the first. Labels change where points become nearer
than others: ``_neighbor_search.py`` says how far away that is, this module which of it decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sksmooth.certifiers.local_bias._neighbor_search import NeighborSearch
from sksmooth.certifiers.local_bias._screening import ScreeningPoints, Singles
from sksmooth.smooth_scores._norms import squared_norms

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_EPS = float(np.finfo(np.float64).eps)
_SMALLEST = float(np.finfo(np.float64).smallest_subnormal)

# Entries of a block of distances.
ENTRIES_AT_ONCE = 2**23

# Points are taken in units of their spread where its square would be far from 1 (powers of 2), and
# inputs at most so many units away, which moves none of two farther apart.
_ORDINARY_SPREAD, _FARTHEST = 64, 1e100

# Up to here trees find the nearest points of each class faster than matrix products.
MOST_FEATURES_FOR_TREES = 8


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
        Points with different labels have to differ. The attribute of this name holds them in the
        order of their labels, in `unit`.
    labels : ndarray of int of shape (n_points,)
        In ``range(n_classes)``.
    n_classes : int
        Number of labels there could be.
    n_neighbors : int, default=1
        Odd, and not more than there are points. The label is the most frequent one of so many
        nearest points, the first of equally frequent ones.
    """

    def __init__(self, points: Floats, labels: Codes, n_classes: int, n_neighbors: int = 1):
        order = np.argsort(labels, kind="stable")
        self.unit = _unit_of(points)
        self.points = np.ascontiguousarray(points[order] / self.unit, dtype=float)
        self.n_neighbors = n_neighbors
        starts = np.searchsorted(labels[order], np.arange(n_classes + 1)).tolist()
        self.places = [slice(a, b) for a, b in pairwise(starts)]
        self.screening = ScreeningPoints(self.points)
        self._trees: list[cKDTree] | None = None
        if self.points.shape[1] <= MOST_FEATURES_FOR_TREES:
            self._trees = [cKDTree(self.points[place]) for place in self.places]

    def support(self, X: Floats) -> Floats:
        """Measure the support of each class among the neighbours.

        Parameters
        ----------
        X : ndarray of shape (m, n_features)
            Inputs.

        Returns
        -------
        support : ndarray of shape (m, n_classes)
            The first of the largest is the label. With one neighbour, or two classes, minus the
            distance to the nearest, or t-th nearest, point of each, where t is a majority, in
            `unit`; else the number of votes.
        """
        X = self._in_units(X)
        support = np.empty((len(X), len(self.places)))
        for part in self._blocks(X):
            squares = None if self._trees else self._approximate_squares(X[part])
            support[part] = self._support(self._nearest(X[part], squares)[0])
        return support

    def radii(self, X: Floats, norm: float, method: str) -> NeighborRadii:
        """Return how far each row can move before its neighbours give it each other label.

        Parameters
        ----------
        X : ndarray of shape (m, n_features)
            Inputs.
        norm : {1, 2, inf}
            Norm of the movement. Neighbours are always those in the l2 norm.
        method : {"nearest", "pairwise", "exact"}
            Compare the points of another label with as few near points as needed, with one
            neighbour the nearest only, as [1]_ do; with the best of several for each; or compute
            the distance to their cells (one neighbour only).

        Returns
        -------
        radii : NeighborRadii

        References
        ----------
        .. [1] Anderson, B. G. and Sojoudi, S. (2022). Certified robustness via locally biased
           randomized smoothing. L4DC 2022.
        """
        X = self._in_units(X)
        labels, radius = np.empty(len(X), np.intp), np.empty((len(X), len(self.places)))
        for part in self._blocks(X):
            for i, search in enumerate(self._searches(X[part], norm), part.start):
                labels[i] = search.label
                if self.n_neighbors == 1:
                    radius[i] = self._radii_of_one(search, norm, method)
                else:
                    radius[i] = self._radii_of_votes(search, norm, method)
        rounding = self._rounding(X, norm) * self.unit + 2 * _SMALLEST
        return NeighborRadii(labels, radius * self.unit, rounding)

    def _in_units(self, X: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.clip(X / self.unit, -_FARTHEST, _FARTHEST)

    def _radii_of_one(self, search: NeighborSearch, norm: float, method: str) -> Floats:
        radii = np.zeros(len(self.places))
        for label in np.delete(np.arange(len(radii)), search.label):
            radii[label] = search.to_label(self.places[label], norm, method)
        return radii

    def _radii_of_votes(self, search: NeighborSearch, norm: float, method: str) -> Floats:
        """Distances to inputs where another label has more votes, or as many and comes first.

        Where the own label has at most a of the k votes and another one s or more, k - a points
        that are not of the own label are nearer than all but a of those that are; s points of the
        other label are nearer than all but k - s of those that are not; and nearer than all
        but a of the own label. Each is away by a distance that can be bounded, the largest counts,
        and the smallest over a and s that are possible.
        """
        k, own, n_labels = self.n_neighbors, search.label, len(self.places)
        everything, several = np.arange(len(self.points)), method != "nearest"
        mine, foreign = everything[self.places[own]], np.delete(everything, self.places[own])

        @cache
        def has_lost(a: int) -> float:
            return search.passing(foreign, k - a, mine, a, norm, several)

        radii = np.zeros(n_labels)
        for label in np.delete(np.arange(n_labels), own):
            others, rest = everything[self.places[label]], np.delete(everything, self.places[label])
            radii[label] = min(
                max(
                    has_lost(a),
                    search.passing(others, s, rest, k - s, norm, several),
                    search.passing(others, s, mine, a, norm, several),
                )
                for a, s in ways_to_lose(k, n_labels, wins_ties=bool(label < own))
            )
        return radii

    def _rounding(self, X: Floats, norm: float) -> Floats:
        """Of the distances to bisectors, from the longest distances that can occur in them."""
        n_features = X.shape[1]
        ratio = np.sqrt(n_features) if norm == 1 else 1.0  # of l2 norms to dual norms
        away = np.sqrt(squared_norms(X - self.screening.center)) + self.screening.size
        return np.asarray((n_features + 16) * _EPS * away * ratio)

    def _blocks(self, X: Floats) -> Iterator[slice]:
        step = max(1, ENTRIES_AT_ONCE // len(self.points))
        for start in range(0, len(X), step):
            yield slice(start, min(start + step, len(X)))

    def _approximate_squares(self, X: Floats) -> Singles:
        return self.screening.squared_distances(self.screening.rounded(X))

    def _support(self, distances: Floats) -> Floats:
        """From the distances to the nearest points of each class."""
        if len(self.places) == 2 or self.n_neighbors == 1:
            return -distances[:, :, -1]
        m, n_classes, _ = distances.shape
        flat = distances.reshape(m, -1)
        voters = np.argsort(flat, axis=1, kind="stable")[:, : self.n_neighbors]
        labels = voters // self.n_neighbors
        return np.stack([(labels == label).sum(axis=1) for label in range(n_classes)], axis=1)

    def _nearest(self, X: Floats, squares: Singles | None) -> tuple[Floats, Codes]:
        """Distances to the nearest points of each class, and the place of the first.

        As many as decide: a majority where there are two classes, else as many as vote.
        """
        n = (self.n_neighbors + 1) // 2 if len(self.places) == 2 else self.n_neighbors
        distances = np.full((len(X), len(self.places), n), np.inf)
        first = np.zeros((len(X), len(self.places)), dtype=np.intp)
        errors = self.screening.errors(X)
        for label, place in enumerate(self.places):
            found = min(n, place.stop - place.start)
            if self._trees is not None and found:
                near, which = self._trees[label].query(X, k=list(range(1, found + 1)))
                distances[:, label, :found], first[:, label] = near, which[:, 0] + place.start
            elif squares is not None and found:
                for i, row in enumerate(squares[:, place]):
                    near, first[i, label] = self._nearest_of(X[i], row, place, errors[i], found)
                    distances[i, label, :found] = near
        return distances, first

    def _nearest_of(
        self, x: Floats, squares: Singles, place: slice, error: float, n: int
    ) -> tuple[Floats, int]:
        """Distances to the n nearest and place of the first, among those that may be one."""
        threshold = squares.min() if n == 1 else np.partition(squares, n - 1)[n - 1]
        candidates = np.flatnonzero(squares <= threshold + 2 * error) + place.start
        exact = squared_norms(self.points[candidates] - x)
        order = np.argsort(exact, kind="stable")[:n]
        return np.sqrt(exact[order]), int(candidates[order[0]])

    def _searches(self, X: Floats, norm: float) -> Iterator[NeighborSearch]:
        squares = self._approximate_squares(X)
        distances, first = self._nearest(X, squares)
        labels = self._support(distances).argmax(axis=1)
        own = first[np.arange(len(X)), labels]
        from_own = None
        if self.n_neighbors == 1 and (norm == 2 or not self.screening.sizes_are_better(norm)):
            from_own = self.screening.squared_distances(self.screening.points[own])
        errors = np.maximum(self.screening.errors(X), self.screening.errors(self.points[own]))
        for i, x in enumerate(X):
            yield NeighborSearch(
                self.points,
                self.screening,
                x,
                int(labels[i]),
                int(own[i]),
                squares[i],
                None if from_own is None else from_own[i],
                float(errors[i]),
            )


def _unit_of(points: Floats) -> float:
    """1, or a power of 2 about as large as the spread where squares might under- or overflow."""
    spread = float((points.max(axis=0) / 2 - points.min(axis=0) / 2).max())
    exponent = int(np.frexp(max(spread, float(np.abs(points).max()) * 2.0**-300))[1])
    if spread == 0 or abs(exponent) <= _ORDINARY_SPREAD:
        return 1.0
    return float(2.0 ** np.clip(exponent, -1022, 1023))


def ways_to_lose(n_neighbors: int, n_classes: int, *, wins_ties: bool) -> list[tuple[int, int]]:
    """Votes with which a label can lose, and those that another one needs then.

    Parameters
    ----------
    n_neighbors, n_classes : int
        Numbers of votes and of labels.
    wins_ties : bool
        Whether the other one comes first, so that as many votes are enough.

    Returns
    -------
    ways : list of (int, int)
        At most so many votes of the own label, at least so many of the other one: it wins only
        if one of these holds. Those that imply another are left out.
    """
    ways: list[tuple[int, int]] = []
    for own in range(n_neighbors // 2, -1, -1):
        # with fewer than the mean of what is left, it would not be the most frequent
        fair = -(-(n_neighbors - own) // (n_classes - 1))
        other = max(fair, own if wins_ties else own + 1)
        if own + other <= n_neighbors and (not ways or other < ways[-1][1]):
            ways.append((own, other))
    return ways
