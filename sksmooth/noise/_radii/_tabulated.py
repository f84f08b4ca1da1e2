"""Overlap of a noise from the law of its density ratio, by quadrature and from tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special
from scipy.interpolate import PchipInterpolator

from sksmooth.noise._radii._likelihood_ratio import Ratio
from sksmooth.noise._radii._quadrature import Array
from sksmooth.noise._radii._table import Extent, FailureTable
from sksmooth.noise._radii._trade_off import Overlap, narrowed

# The quadrature is refined until it agrees with a finer one to a tenth of the slack allowed for.
_FINEST = 6

# The best threshold is a maximum: an error of its quantile enters squared.
_QUANTILE_TOLERANCE, _THRESHOLD_WIDTH = 1e-8, 1e-14
_MOST_DOUBLINGS = 200

# In tables, thresholds are solved for at every eighth radius, and near those in between.
_EVERY, _FEWEST_KNOWN, _NEAR = 8, 6, 0.01


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

    def _kept(self, missing: Array, r: Array, near: Array | None = None) -> Array:
        ratio, slack = settled(self.ratio)
        t, below = threshold(ratio, missing, r, near)
        gain = ratio.below(-t, r) * (1.0 - slack)
        with np.errstate(over="ignore"):
            return gain + np.exp(-t) * (below * (1.0 - slack) - missing)

    def failure(self, r: Array) -> Array:
        """Largest ``1 - p`` for which a share of p proves the radius r, rounded down."""
        share = np.full(len(r), 0.5)
        known = np.unique(r)[::_EVERY]
        if len(known) < _FEWEST_KNOWN:
            return self._kept(share, r)
        t, _ = threshold(settled(self.ratio)[0], share[: len(known)], known)
        slope = PchipInterpolator(np.log(known), t / known)(np.log(r))
        return self._kept(share, r, slope * r)

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


def threshold(
    ratio: Ratio, share: Array, r: Array, near: Array | None = None
) -> tuple[Array, Array]:
    """Solve ``P(-log L < t) = share`` for t, with an error that does not matter.

    Parameters
    ----------
    ratio : Ratio
        Law of -log L.
    share, r : ndarray of shape (m,)
        In (0, 1), and positive.
    near : ndarray of shape (m,), optional
        Where to begin the search.

    Returns
    -------
    t, below : ndarray of shape (m,)
        Threshold, and the probability there.
    """
    wanted = special.ndtri(share)
    t, below = np.empty_like(r), np.empty_like(r)  # the last ones tried; they are the best

    def excess(at: Array, rows: Any) -> Array:
        t[rows], below[rows] = at, ratio.below(at, r[rows])
        return wanted[rows] - special.ndtri(np.clip(below[rows], 1e-300, 1.0 - 1e-16))

    if near is None:
        ends, values = _around(excess, -r, r)
    else:
        step = _NEAR * np.abs(near) + 1e-12 * r
        ends, values = _around(excess, near - step, near + step)
    width = _THRESHOLD_WIDTH * np.abs(ends).max(axis=0)
    narrowed(excess, ends[0], ends[1], width, _QUANTILE_TOLERANCE, values)
    return t, below


def _around(excess: Any, low: Array, high: Array) -> tuple[Array, Array]:
    """Intervals around thresholds, by doubling, and the values of a function at their ends."""
    every = np.arange(len(low))
    ends = np.array([low, high])
    values = np.array([excess(end, every) for end in ends])
    for moving, other, sign in ((1, 0, 1.0), (0, 1, -1.0)):
        step = high - low
        for _ in range(_MOST_DOUBLINGS):
            rows = np.flatnonzero(sign * values[moving] > 0)
            if not len(rows):
                break
            ends[other, rows], values[other, rows] = ends[moving, rows], values[moving, rows]
            ends[moving, rows] += sign * step[rows]
            values[moving, rows] = excess(ends[moving, rows], rows)
            step[rows] *= 2.0
    return ends, values
