"""Overlap of a noise from the law of its density ratio, by quadrature and from tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special

from sksmooth.noise._overlap import Overlap, narrowed
from sksmooth.noise._quadrature import Array
from sksmooth.noise._ratio import Ratio
from sksmooth.noise._table import Extent, FailureTable

# The quadrature is refined until it agrees with a finer one to a tenth of the slack allowed for.
_FINEST = 6

# The best threshold is a maximum: an error of its quantile enters squared.
_QUANTILE_TOLERANCE, _THRESHOLD_WIDTH = 1e-8, 1e-14


@dataclass(frozen=True)
class RatioOverlap(Overlap):
    """Overlap for which the law of -log L is known.

    Attributes
    ----------
    ratio : Ratio
        Law of -log L.
    """

    ratio: Ratio

    def kept(self, missing: Array, r: Array) -> Array:
        shape = np.broadcast(missing, r).shape
        missing, r = (np.broadcast_to(x, shape).ravel() for x in (missing, r))
        kept = np.where(missing <= 0.0, 1.0, 0.0)
        some = np.flatnonzero((missing > 0.0) & (missing < 1.0) & (r > 0.0))
        kept[some] = self._kept(missing[some], r[some])
        at_zero = r <= 0.0
        kept[at_zero] = 1.0 - missing[at_zero]
        return np.maximum(kept, 0.0).reshape(shape)

    def _kept(self, missing: Array, r: Array) -> Array:
        ratio, slack = settled(self.ratio)
        t, below = threshold(ratio, missing, r)
        gain = ratio.below(-t, r) * (1.0 - slack)
        with np.errstate(over="ignore"):
            return gain + np.exp(-t) * (below * (1.0 - slack) - missing)

    def failure(self, r: Array) -> Array:
        """Largest ``1 - p`` for which a share of p proves the radius r, rounded down."""
        return self._kept(np.full(len(r), 0.5), r)

    def one_sided(self, missing: Array) -> Array:
        return table_of(self).radius(missing)


@lru_cache(maxsize=32)
def table_of(overlap: RatioOverlap) -> FailureTable:
    """Table of an overlap, made when it is first needed."""
    ratio = overlap.ratio
    scale = float(np.sqrt((ratio.d - ratio.k) / ratio.d))
    return FailureTable.of(overlap.failure, Extent(ratio.resolution, start=scale))


@lru_cache(maxsize=64)
def settled(ratio: Ratio) -> tuple[Ratio, float]:
    """Refine the quadrature until it agrees with a finer one; return it and its error.

    Returns
    -------
    ratio : Ratio
        On enough nodes.
    slack : float
        Relative error of its probabilities to allow for.
    """
    scale = np.sqrt((ratio.d - ratio.k) / ratio.d)
    r = scale * np.array([max(0.01, ratio.resolution), 0.1, 0.3, 1.0, 2.0, 4.0, 6.0])
    t, _ = threshold(ratio, np.full(len(r), 0.5), r)
    t, r = np.concatenate([t, -t]), np.concatenate([r, r])
    now = ratio.below(t, r)
    while True:
        finer = ratio.finer()
        then = finer.below(t, r)
        error = float(np.max(np.abs(then - now) / np.maximum(then, 1e-20)))
        if error <= ratio.slack / 10.0 or ratio.level == _FINEST:
            return ratio, max(ratio.slack, 10.0 * error)
        ratio, now = finer, then


def threshold(ratio: Ratio, share: Array, r: Array) -> tuple[Array, Array]:
    """Solve ``P(-log L < t) = share`` for t, with an error that does not matter.

    Parameters
    ----------
    ratio : Ratio
        Law of -log L.
    share, r : ndarray of shape (m,)
        In (0, 1), and positive.

    Returns
    -------
    t, below : ndarray of shape (m,)
        Threshold, and the probability there.
    """
    wanted = special.ndtri(share)

    def excess(t: Array, rows: Any) -> Array:
        below = np.clip(ratio.below(t, r[rows]), 1e-300, 1.0 - 1e-16)
        return wanted[rows] - special.ndtri(below)

    low, high = _around(excess, r)
    width = _THRESHOLD_WIDTH * np.maximum(np.abs(low), np.abs(high))
    low, high = narrowed(excess, low, high, width, _QUANTILE_TOLERANCE)
    t = (low + high) / 2
    return t, ratio.below(t, r)


def _around(excess: Any, r: Array) -> tuple[Array, Array]:
    """Interval around a threshold, by doubling."""
    low, high, step = -r, r.copy(), 2.0 * r
    for _ in range(200):
        rows = np.flatnonzero(excess(high, slice(None)) > 0)
        if not len(rows):
            break
        low[rows] = high[rows]
        high[rows] += step[rows]
        step[rows] *= 2.0
    step = 2.0 * r
    for _ in range(200):
        rows = np.flatnonzero(excess(low, slice(None)) <= 0)
        if not len(rows):
            break
        high[rows] = low[rows]
        low[rows] -= step[rows]
        step[rows] *= 2.0
    return low, high
