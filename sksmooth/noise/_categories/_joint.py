"""Changed categories and moved numbers together.

The likelihood ratio of both is the product of two independent ratios. What is worst among changes
of categories, and among shifts of numbers, is so for every threshold of the likelihood ratio, so
that both worst cases may be combined:

    H(m) = sum over atoms of the changes of ``after * H_r(m * before / after)``,

where H and H_r are ``E[min(L, m)]`` with and without the changes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special
from scipy.optimize import elementwise

from sksmooth.noise._base import Noise
from sksmooth.noise._categories._law import Array, ChangeLaw
from sksmooth.noise._gaussian import GaussianNoise
from sksmooth.noise._laplace import LaplaceNoise
from sksmooth.noise._radii._trade_off import (
    CubeTradeOff,
    LaplaceTradeOff,
    LipschitzTradeOff,
    NormalTradeOff,
    TradeOff,
    last_proven,
)
from sksmooth.noise._uniform import UniformNoise

# Relative rounding error of sums of probabilities to allow for, at distance 0.
_ROUNDING = 3e-13

# Thresholds are solved for so well that the bound, a maximum, loses nothing that counts.
_TOLERANCE, _WIDTH, _MOST_DOUBLINGS = 1e-8, 1e-13, 64

_VALUES_AT_ONCE = 2**20


def joint_trade_off(
    noise: Noise, n_features: int | None = None, norm: float | None = None
) -> tuple[TradeOff, float]:
    """Return the trade-off function of noise on numbers that can be combined with changes.

    Parameters
    ----------
    noise : Noise
        Noise on the numbers.
    n_features : int, optional
        Number of numeric features.
    norm : float, optional
        Norm of the radius.

    Returns
    -------
    trade_off : TradeOff
        For :class:`JointTradeOff`.
    unit : float
        Length of one unit of its radii.

    Raises
    ------
    ValueError
        If no joint certificate is known for the noise.
    """
    has_k = bool(noise.get_params().get("k", 0))
    if type(noise) not in (GaussianNoise, LaplaceNoise, UniformNoise) or has_k:
        raise ValueError(
            f"No certificate of changed categories and moved numbers together is known for "
            f"{noise!r}. Use GaussianNoise or LaplaceNoise with k=0, or UniformNoise."
        )
    return noise.trade_off(n_features, norm)


@dataclass(frozen=True, eq=False)
class JointTradeOff(TradeOff):
    """Trade-off function of numeric noise, after some changes of categories.

    Attributes
    ----------
    law : ChangeLaw
        Of the changes.
    numeric : TradeOff
        Of :func:`joint_trade_off`.
    """

    law: ChangeLaw
    numeric: TradeOff

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        shape = np.broadcast(tail, r).shape
        tail, r = (np.broadcast_to(x, shape).ravel() for x in (tail, r))
        least = self.law.worst_case_probability(tail)
        moved = np.flatnonzero((r > 0.0) & (least > 0.0))
        least[moved] = self._worst_case(tail[moved], r[moved])
        return least.reshape(shape)

    def _worst_case(self, tail: Array, r: Array) -> Array:
        if isinstance(self.numeric, NormalTradeOff):
            return _shifted(self.law, _NormalShift(), tail, r)
        if isinstance(self.numeric, LaplaceTradeOff):
            return _shifted(self.law, _LaplaceShift(), tail, r)
        assert isinstance(self.numeric, LipschitzTradeOff | CubeTradeOff)
        return self._overlapping(tail, r)

    def _overlapping(self, tail: Array, r: Array) -> Array:
        """Uniform noise: outcomes are as probable as before, or have become impossible."""
        shared = self.numeric.worst_case_probability(np.zeros_like(r), r)
        some = shared > 0.0
        least = np.zeros_like(r)
        left = self.law.worst_case_probability(np.minimum(tail[some] / shared[some], 1.0))
        least[some] = shared[some] * left * (1.0 - _ROUNDING) - _ROUNDING * tail[some]
        return np.maximum(least, 0.0)

    def one_sided(self, tail: Array) -> Array:
        half = np.full_like(tail, 0.5)

        def lead(r: Array, rows: Any) -> Array:
            return self.worst_case_probability(tail[rows], r) - half[rows] * (1.0 + 4e-16)

        return _searched(lead, self.numeric.one_sided(tail), self.search_width)

    def _two_sided(self, tail: Array, runner_up: Array, at_least: Array) -> Array:
        def lead(r: Array, rows: Any) -> Array:
            least = self.worst_case_probability(tail[rows], r)
            most = 1.0 - self.worst_case_probability(runner_up[rows], r)
            return least - most - 4e-16

        found = _searched(lead, self.numeric.radius(tail, runner_up), self.search_width)
        return np.maximum(found, at_least)


def _searched(lead: Any, highest: Array, width: float) -> Array:
    """Largest r found at which a lead is positive; without changes it is `highest`."""
    unbounded = np.flatnonzero(~np.isfinite(highest))
    low, high = np.zeros_like(highest), highest.copy()
    if len(unbounded):
        found = elementwise.bracket_root(
            lead, 0.0, 1.0, xmin=0.0, args=(unbounded,), maxiter=_MOST_DOUBLINGS
        )
        low[unbounded], high[unbounded] = found.bracket
    return last_proven(lead, low, high, width)


class _Shift(ABC):
    """Law of the logarithm T of the likelihood ratio of a shift."""

    @abstractmethod
    def beyond(self, t: Array, r: Array) -> Array:
        """Probability of ``T > t`` before the shift."""

    @abstractmethod
    def up_to(self, t: Array, r: Array) -> Array:
        """Probability of ``T <= t`` after the shift."""

    @abstractmethod
    def quantile(self, tail: Array, r: Array) -> Array:
        """Find t beyond which there is a probability of `tail`, in (0, 1), before the shift."""


class _NormalShift(_Shift):
    def beyond(self, t: Array, r: Array) -> Array:
        return special.ndtr(-t / r - r / 2)

    def up_to(self, t: Array, r: Array) -> Array:
        return special.ndtr(t / r - r / 2)

    def quantile(self, tail: Array, r: Array) -> Array:
        return -r * (special.ndtri(tail) + r / 2)


class _LaplaceShift(_Shift):
    """T is -r with probability one half, r with probability ``exp(-r) / 2``, or between."""

    def beyond(self, t: Array, r: Array) -> Array:
        between = np.exp(-(np.clip(t, -r, r) + r) / 2) / 2
        return np.where(t < -r, 1.0, np.where(t < r, between, 0.0))

    def up_to(self, t: Array, r: Array) -> Array:
        between = np.exp((np.clip(t, -r, r) - r) / 2) / 2
        return np.where(t < -r, 0.0, np.where(t < r, between, 1.0))

    def quantile(self, tail: Array, r: Array) -> Array:
        return np.clip(-2.0 * np.log(2.0 * tail) - r, -r, r)


def _shifted(law: ChangeLaw, shift: _Shift, tail: Array, r: Array) -> Array:
    """Worst-case probabilities after changes and a shift, row by row."""
    step = max(1, _VALUES_AT_ONCE // len(law.before))
    parts = [
        _shifted_rows(law, shift, tail[i : i + step], r[i : i + step])
        for i in range(0, len(tail), step)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _shifted_rows(law: ChangeLaw, shift: _Shift, tail: Array, r: Array) -> Array:
    """Maximise ``H(m) - m tail``; every m gives a valid bound."""
    slack = law.slack + _ROUNDING * (1.0 + r * r)
    least = law.after.sum() * (1.0 - slack)
    some = np.flatnonzero(tail > 0.0)
    if not len(some):
        return least
    tail, r, slack = tail[some], r[some], slack[some]
    log_ratio = law.log_ratio

    def excess(t: Array, rows: Any) -> Array:
        before = shift.beyond(t[:, None] - log_ratio, r[rows, None]) @ law.before
        return before / tail[rows] - 1.0

    def bound(t: Array) -> Array:
        below = shift.up_to(t[:, None] - log_ratio, r[:, None]) @ law.after
        with np.errstate(over="ignore", invalid="ignore"):
            rest = np.exp(t) * ((excess(t, slice(None)) + 1.0) * (1.0 - slack) - 1.0) * tail
            value = below * (1.0 - slack) + rest
        return np.where(np.isfinite(value), value, 0.0)

    middle = shift.quantile(np.minimum(tail / law.before.sum(), 1.0 - 1e-16), r)
    ends = [middle + log_ratio[i] + side * _WIDTH * (1.0 + r) for i, side in ((0, -1), (-1, 1))]
    stop = {"xatol": _WIDTH, "xrtol": _WIDTH, "fatol": _TOLERANCE, "frtol": 0.0}
    found = elementwise.find_root(excess, ends, args=(np.arange(len(tail)),), tolerances=stop)
    least[some] = np.maximum.reduce([bound(t) for t in (*found.bracket, middle)])
    return np.maximum(least, 0.0)
