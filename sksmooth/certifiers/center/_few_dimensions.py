"""Centres on the line, exactly, and in a few dimensions, by branch and bound."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from sksmooth.certifiers.center._best_sample import PAIRS_AT_ONCE, ROUNDING

# Branch and bound: its tolerance, its largest dimension, and when it gives up.
TOLERANCE, MOST_DIMENSIONS, _MOST_CELLS = 0.05, 4, 200_000


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
    lengths = values[h - 1 :] - values[: len(values) - h + 1]
    start = int(lengths.argmin())
    center = values[start] + lengths[start] / 2
    radius = np.partition(np.abs(values - center), h - 1)[h - 1]
    return np.full(outputs.shape[1:], center), float(radius)


def branch_and_bound(
    points: NDArray[Any], h: int, norm: float, center: NDArray[Any], radius: float
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
    name = {1: "cityblock", 2: "euclidean", math.inf: "chebyshev"}[norm]
    # A ball of this radius that holds h points reaches the h-th point from either side.
    ordered = np.sort(points, axis=0)
    low, high = ordered[h - 1] - radius, ordered[len(points) - h] + radius
    cells, half, seen = ((low + high) / 2)[None], (high - low) / 2, 0
    half *= 1 + ROUNDING
    while len(cells) and radius > 0:
        seen += len(cells)
        if seen > _MOST_CELLS:
            return center, radius, False
        inside = np.zeros(len(cells), np.intp)
        step = max(1, PAIRS_AT_ONCE // len(points))
        for first in range(0, len(cells), step):
            some = cells[first : first + step]
            distances = cdist(some, points, name)
            reach = float(np.linalg.norm(half, ord=norm))
            limit = (radius / (1 + TOLERANCE) + reach) * (1 + ROUNDING)
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
    smaller = (half - shift) * (1 + ROUNDING)
    return (cells[:, None] + corners).reshape(-1, len(half)), smaller
