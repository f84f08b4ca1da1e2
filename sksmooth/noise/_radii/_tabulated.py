"""Trade-off functions from laws of likelihood ratios, by quadrature and from tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import special
from scipy.interpolate import PchipInterpolator
from scipy.optimize import elementwise

from sksmooth.noise._radii._likelihood_ratio import LikelihoodRatioLaw
from sksmooth.noise._radii._quadrature import Array
from sksmooth.noise._radii._table import Extent, RadiusTable
from sksmooth.noise._radii._trade_off import TradeOff

# The quadrature is refined until it agrees with a finer one to a tenth of the slack allowed for.
_FINEST = 6

# The best threshold is a maximum: an error of its quantile enters squared.
_TOLERANCES = {"fatol": 1e-8, "xatol": 1e-14, "xrtol": 0.0}
_FIRST_REACH, _NO_BRACKET = 2.0, -1  # the latter is a status of a root search

# In tables, thresholds are solved for at every eighth radius, and near those in between.
_EVERY, _FEWEST_KNOWN, _NEAR = 8, 6, 0.01


@dataclass(frozen=True)
class TabulatedTradeOff(TradeOff):
    """Noise for which the law of -log L is known.

    Attributes
    ----------
    law : LikelihoodRatioLaw
        Law of -log L.
    """

    law: LikelihoodRatioLaw

    @property
    def typical_radius(self) -> float:
        return self.law.scale

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        shape = np.broadcast(tail, r).shape
        tail, r = (np.broadcast_to(x, shape).ravel() for x in (tail, r))
        least = np.where(tail <= 0.0, 1.0, 0.0)
        some = np.flatnonzero((tail > 0.0) & (tail < 1.0) & (r > 0.0))
        least[some] = self._worst_case(tail[some], r[some])
        at_zero = r <= 0.0
        least[at_zero] = 1.0 - tail[at_zero]
        return np.maximum(least, 0.0).reshape(shape)

    def _worst_case(self, tail: Array, r: Array, near: Array | None = None) -> Array:
        law, slack = settled(self.law)
        t, below = threshold(law, tail, r, near)
        gain = law.below(-t, r) * (1.0 - slack)
        with np.errstate(over="ignore"):
            return gain + np.exp(-t) * (below * (1.0 - slack) - tail)

    def largest_tail(self, r: Array) -> Array:
        """Largest tail ``1 - p`` for which a probability of p proves the radius r, rounded down."""
        half = np.full(len(r), 0.5)
        known = np.unique(r)[::_EVERY]
        if len(known) < _FEWEST_KNOWN:
            return self._worst_case(half, r)
        t, _ = threshold(settled(self.law)[0], half[: len(known)], known)
        slope = PchipInterpolator(np.log(known), t / known)(np.log(r))
        return self._worst_case(half, r, slope * r)

    def one_sided(self, tail: Array) -> Array:
        return table_of(self).radius(tail)


@lru_cache(maxsize=32)
def table_of(trade_off: TabulatedTradeOff) -> RadiusTable:
    """Table of a trade-off function, made when it is first needed."""
    extent = Extent(trade_off.law.resolution, start=trade_off.typical_radius)
    return RadiusTable.of(trade_off.largest_tail, extent)


@lru_cache(maxsize=64)
def settled(law: LikelihoodRatioLaw) -> tuple[LikelihoodRatioLaw, float]:
    """Refine the quadrature until it agrees with a finer one; return it and its error.

    Returns
    -------
    law : LikelihoodRatioLaw
        On enough nodes.
    slack : float
        Relative error of its probabilities to allow for.
    """
    r = law.scale * np.array([max(0.01, law.resolution), 0.1, 0.3, 1.0, 2.0, 4.0, 6.0])
    t, _ = threshold(law, np.full(len(r), 0.5), r)
    t, r = np.concatenate([t, -t]), np.concatenate([r, r])
    now = law.below(t, r)
    while True:
        finer = law.finer()
        then = finer.below(t, r)
        error = float(np.max(np.abs(then - now) / np.maximum(then, 1e-20)))
        if error <= law.slack / 10.0 or law.level == _FINEST:
            return law, max(law.slack, 10.0 * error)
        law, now = finer, then


def threshold(
    law: LikelihoodRatioLaw, probability: Array, r: Array, near: Array | None = None
) -> tuple[Array, Array]:
    """Solve ``P(-log L < t) = probability`` for t, with an error that does not matter.

    Parameters
    ----------
    law : LikelihoodRatioLaw
        Law of -log L.
    probability, r : ndarray of shape (m,)
        In (0, 1), and positive.
    near : ndarray of shape (m,), optional
        Where to begin the search.

    Returns
    -------
    t, below : ndarray of shape (m,)
        Threshold, and the probability there.
    """
    wanted = special.ndtri(probability)
    t, below = np.empty_like(r), np.empty_like(r)  # the last ones tried, which belong together
    centre, spread = law.normal_threshold(wanted, r)
    if near is not None:
        centre, spread = near, _NEAR * np.abs(near) + 1e-12 * r

    def excess(x: Array, rows: Any) -> Array:
        at = centre[rows] + x * spread[rows]
        p = law.below(at, r[rows])
        t[rows], below[rows] = at, p
        return wanted[rows] - special.ndtri(np.clip(p, 1e-300, 1.0 - 1e-16))

    rows = np.arange(len(r))
    ends = np.full(len(r), -_FIRST_REACH), np.full(len(r), _FIRST_REACH)
    found = elementwise.find_root(excess, ends, args=(rows,), tolerances=_TOLERANCES)
    rows = np.flatnonzero(found.status == _NO_BRACKET)
    if len(rows):
        wider = elementwise.bracket_root(excess, ends[0][rows], ends[1][rows], args=(rows,)).bracket
        elementwise.find_root(excess, wider, args=(rows,), tolerances=_TOLERANCES)
    return t, below
