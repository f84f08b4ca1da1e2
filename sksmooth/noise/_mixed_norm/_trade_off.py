"""Trade-off function of the mixed-norm noise, shifted by r in every coordinate, by transforms.

With ``H(m) = E[min(L, m)]`` of the likelihood ratio L, and ``M(u) = E[L^(1/2 + iu)]``, which is
real because the noise is symmetric,

    H(m) = sqrt(m) / pi * integral over u > 0 of cos(u log m) M(u) / (1/4 + u^2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy import special
from scipy.optimize import elementwise

from sksmooth.noise._mixed_norm._transform import MixedTransform, range_of_size
from sksmooth.noise._radii._table import Extent, RadiusTable
from sksmooth.noise._radii._trade_off import Array, TradeOff

# Frequencies end where nothing is left of the transform, in units of the inverse size of the shift;
# so many are taken per unit. Up to the slow phase the usual nodes resolve the waves.
_ENDS, _NEGLIGIBLE = np.array([9.0 * 1.25**i for i in range(14)]), 1e-15
_FREQUENCIES, _SLOW_PHASE = 2.9, 30.0

# The best threshold is a maximum: an error of its quantile enters squared.
_TOLERANCES = {"fatol": 1e-8, "xrtol": 1e-12}

# Error of the transform to allow for, relative to its value at frequency 0.
_SLACK, _ACCURATE, _FINEST = 2e-13, 3e-13, 1
_SHIFTS = 0.02, 0.2, 1.0, 3.0, 7.0

# Outside of this range the quadrature is not known to be accurate, or takes minutes. The tilt is
# the slope of log L in the sign of the largest coordinate, over that of its normal part.
SMALLEST_DIMENSION, _LARGEST_PART_OF_D, _LARGEST_TILT = 32, 1 / 3, 12.0


def is_computable(d: int, k: float) -> bool:
    """Whether the trade-off function in d dimensions can be computed to enough digits."""
    if d < SMALLEST_DIMENSION or k > _LARGEST_PART_OF_D * d:
        return False
    largest = np.exp(range_of_size(d, k)[1])
    return bool(k <= _LARGEST_TILT * largest * np.sqrt(d))


def largest_k(d: int) -> int:
    """Largest whole k for which the trade-off function is computed."""
    low, high = 0, int(_LARGEST_PART_OF_D * d) + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_computable(d, middle) else (low, middle)
    return low


@dataclass(frozen=True)
class Spectrum:
    """Transform of L, less that of the normal law with the same mean of sqrt(L).

    Attributes
    ----------
    x : float
        Shift of the normal law, in standard deviations.
    u, waves : ndarray
        Frequencies, and what they contribute to ``H(m) / sqrt(m)`` for m = 1.
    """

    x: float
    u: Array
    waves: Array

    @classmethod
    def of(cls, d: int, k: float, r: float, grow: float) -> Spectrum:
        """Evaluate the transform at a shift of r, with nodes multiplied by `grow`."""
        transform = MixedTransform.of(d, k, r, grow)
        x = float(np.sqrt(-8.0 * np.log(transform.at(np.zeros(1))[0])))
        ends = _ENDS / x
        small = np.abs(transform.at(ends)) <= _NEGLIGIBLE
        end = ends[int(small.argmax())] if small.any() else ends[-1]
        if end * x > _SLOW_PHASE:
            transform = MixedTransform.of(d, k, r, grow, end * x / _SLOW_PHASE)
        n = int(np.ceil(end * x * _FREQUENCIES * grow))
        # the middles of steps: the integrand is even and falls off, and 1 / u^2 is large at 0
        u, weights = end * (np.arange(n) + 0.5) / n, end / n
        excess = transform.at(u) - np.exp(-x * x * (0.25 + u * u) / 2)
        return cls(x, u, weights * excess / (0.25 + u * u) / np.pi)

    def capped_mean(self, log_m: Array) -> Array:
        """``H(m)``."""
        m, x = np.exp(log_m), self.x
        normal = special.ndtr(log_m / x - x / 2) + m * special.ndtr(-log_m / x - x / 2)
        return normal + np.sqrt(m) * (np.cos(self.u * log_m[:, None]) @ self.waves)

    def probability_above(self, log_m: Array) -> Array:
        """``P(L > m)``, the slope of ``H(m)``."""
        phase = self.u * log_m[:, None]
        part = (np.cos(phase) / 2 - self.u * np.sin(phase)) @ self.waves
        normal = special.ndtr(-log_m / self.x - self.x / 2)
        return normal + np.exp(np.minimum(-log_m / 2, 700.0)) * part

    def error(self, log_m: Array, slack: float) -> Array:
        """Error of ``H(m)``, where that of the transform is `slack` relative to its largest."""
        return slack * np.exp(log_m / 2 - self.x * self.x / 8)


@dataclass(frozen=True)
class MixedNormTradeOff(TradeOff):
    """Mixed-norm noise of unit scale, linf norm (Zhang et al. 2020, Theorem 5).

    Attributes
    ----------
    d : int
        Number of features.
    k : float
        In [0, d).
    level : int
        Each level takes half as many nodes again, in each direction.
    """

    d: int
    k: float
    level: int = 0

    search_width: ClassVar[float] = 1e-9  # each point of a search takes a transform

    @property
    def typical_radius(self) -> float:
        return float(np.sqrt(self.d - self.k) / self.d)

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        shape = np.broadcast(tail, r).shape
        tail, r = (np.broadcast_to(x, shape).ravel() for x in (tail, r))
        least = np.where(tail <= 0.0, 1.0, 1.0 - tail)
        for size in np.unique(r[r > 0]):
            here = np.flatnonzero((r == size) & (tail > 0) & (tail < 1))
            if len(here):
                least[here] = self._worst_case(tail[here], float(size))
        return np.maximum(least, 0.0).reshape(shape)

    def _worst_case(self, tail: Array, r: float) -> Array:
        trade_off, slack = settled(self)
        spectrum = trade_off.spectrum(r)
        log_m = _threshold(spectrum, special.ndtri(tail))
        return spectrum.capped_mean(log_m) - spectrum.error(log_m, slack) - np.exp(log_m) * tail

    def largest_tail(self, r: Array) -> Array:
        """Largest tail ``1 - p`` for which a probability of p proves the radius r, rounded down."""
        half = np.array([0.5])
        return np.array([self._worst_case(half, float(size))[0] for size in r])

    def one_sided(self, tail: Array) -> Array:
        return _table(self).radius(tail)

    def spectrum(self, r: float) -> Spectrum:
        """Spectrum at a shift of r, cached."""
        return _spectrum(self.d, self.k, r, self.level)


def _threshold(spectrum: Spectrum, wanted: Array) -> Array:
    """Solve for the logarithm of m at which the normal quantile of ``P(L > m)`` is as wanted."""
    x = spectrum.x

    def excess(log_m: Array, rows: Any) -> Array:
        above = np.clip(spectrum.probability_above(log_m), 1e-300, 1 - 1e-16)
        return special.ndtri(above) - wanted[rows]

    rows, guess = np.arange(len(wanted)), -x * wanted - x * x / 2
    ends = elementwise.bracket_root(excess, guess - x, guess + x, args=(rows,)).bracket
    found = elementwise.find_root(excess, ends, args=(rows,), tolerances=_TOLERANCES)
    return found.x


@lru_cache(maxsize=16)
def _table(trade_off: MixedNormTradeOff) -> RadiusTable:
    return RadiusTable.of(
        trade_off.largest_tail, Extent(0.01, 6.8, trade_off.typical_radius, 1e-11)
    )


@lru_cache(maxsize=64)
def settled(trade_off: MixedNormTradeOff) -> tuple[MixedNormTradeOff, float]:
    """Refine the quadrature until it agrees with a finer one; return it and its error."""
    typical = trade_off.typical_radius
    shifts = typical / trade_off.spectrum(typical).x * np.array(_SHIFTS)
    for level in range(_FINEST + 1):
        now, finer = (replace(trade_off, level=level + more) for more in (0, 1))
        error = max(_disagreement(now.spectrum(r), finer.spectrum(r)) for r in shifts)
        if error <= _ACCURATE:
            break
    return replace(trade_off, level=level), max(_SLACK, 10.0 * error)


def _disagreement(one: Spectrum, two: Spectrum) -> float:
    """Largest difference of ``H(m)`` in two spectra, in the unit of `Spectrum.error`."""
    log_m = one.x * np.linspace(-8.0, 8.0, 33)
    gap = np.abs(one.capped_mean(log_m) - two.capped_mean(log_m))
    return float((gap / one.error(log_m, 1.0)).max())


@lru_cache(maxsize=256)
def _spectrum(d: int, k: float, r: float, level: int) -> Spectrum:
    return Spectrum.of(d, k, r, 1.5**level)
