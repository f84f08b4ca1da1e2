"""Centres on the line, exactly, and in a few dimensions, by branch and bound."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certifiers.center._best_sample import PAIRS_AT_ONCE
from sksmooth.distances import Distance

# Branch and bound: its tolerance, its largest dimension, and when it gives up.
TOLERANCE, MOST_DIMENSIONS, _MOST_CELLS = 0.05, 4, 200_000
_ROUNDING = 1e-12


def shorth(outputs: NDArray[Any], h: int) -> tuple[NDArray[Any], float]:
    """Centre of the shortest interval that holds h of n numbers: the best one on the line.

    Parameters
    ----------
    outputs : ndarray of shape (n, ...)
        Outputs of one number each.
    h : int
        Rank.

    Returns
    -------
    output : ndarray of shape (...)
        The centre.
    radius : float
        Its h-th smallest distance, half the length of the interval but for rounding.
    """
    values = np.sort(outputs.reshape(-1).astype(float))
    values = values[np.isfinite(values)]
    if len(values) < h:
        return outputs[0], np.inf
    low, high = values[: len(values) - h + 1], values[h - 1 :]
    centers = _between(low, high)
    # Of the centres that are floats: the middle of the shortest interval may be none.
    center = centers[np.maximum(centers - low, high - centers).argmin()]
    with np.errstate(over="ignore"):
        radius = np.partition(np.abs(values - center), h - 1)[h - 1]
    return np.full(outputs.shape[1:], center), float(radius)


def _between(low: NDArray[Any], high: NDArray[Any]) -> NDArray[Any]:
    """Midpoints of intervals, also of those whose length is no float."""
    with np.errstate(over="ignore"):
        halves = (high - low) / 2
    return low + np.where(np.isfinite(halves), halves, high / 2 - low / 2)


def branch_and_bound(
    points: NDArray[Any], h: int, distance: Distance, center: NDArray[Any], radius: float
) -> tuple[NDArray[Any], float, bool]:
    """Find a centre within 5 % of the best one, in few dimensions.

    The radius is a 1-Lipschitz function of the centre. So a cell is left out once the ball around
    its middle that would have to hold h points, were there a centre in the cell that is better by
    more than the tolerance, does not hold them. Midpoints of cells are rounded, at every split;
    what a cell has lost by that is added to it.

    Parameters
    ----------
    points : ndarray of shape (n, n_dimensions)
        Finite points.
    h : int
        Rank.
    distance : Distance
        Norm of the difference of two points.
    center : ndarray of shape (n_dimensions,)
        A centre to start from.
    radius : float
        Its h-th smallest distance.

    Returns
    -------
    center : ndarray of shape (n_dimensions,)
        The centre.
    radius : float
        Its h-th smallest distance.
    finished : bool
        Whether the search was finished.
    """
    # A ball of this radius that holds h points reaches the h-th point from either side.
    ordered, largest = np.sort(points, axis=0), np.finfo(float).max
    low = np.maximum(ordered[h - 1] - radius, -largest)
    high = np.minimum(ordered[len(points) - h] + radius, largest)
    spacing = float(np.spacing(np.maximum(abs(low), abs(high))).max()) * points.shape[1]
    cells, half = _between(low, high)[None], (high / 2 - low / 2) * (1 + _ROUNDING)
    seen, lost = 0, spacing
    while len(cells) and radius > 0:
        seen, lost = seen + len(cells), lost + spacing
        if seen > _MOST_CELLS:
            return center, radius, False
        inside = np.zeros(len(cells), np.intp)
        step = max(1, PAIRS_AT_ONCE // len(points))
        reach = float(distance.between(half[None], np.zeros((1, len(half))))[0, 0]) + lost
        for first in range(0, len(cells), step):
            some = cells[first : first + step]
            distances = distance.between(some, points)
            limit = (radius / (1 + TOLERANCE) + reach) * (1 + _ROUNDING)
            counts = np.count_nonzero(distances <= limit, axis=1)
            inside[first : first + step] = counts
            most = counts.argmax()
            here = float(np.partition(distances[most], h - 1)[h - 1])
            if here < radius:
                center, radius = some[most], here
        cells, half = _split(cells[inside >= h], half)
    return center, radius, True


def _split(cells: NDArray[Any], half: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Halve cells along their longer sides: long thin ones say little."""
    shift = np.where(half > half.max() / 2, half / 2, 0.0)
    sides = [(-s, s) if s > 0 else (0.0,) for s in shift]
    corners = np.array(list(itertools.product(*sides)))
    smaller = (half - shift) * (1 + _ROUNDING)
    return (cells[:, None] + corners).reshape(-1, len(half)), smaller
