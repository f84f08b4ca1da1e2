"""Overlap of the mixed-norm noise with its copy shifted by r in every coordinate, by transforms.

With ``M(u) = E[L^(1/2 + iu)]``, which is real because the noise is symmetric,

    H(m) = sqrt(m) / pi * integral over u > 0 of cos(u log m) M(u) / (1/4 + u^2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy import special

from sksmooth.noise._mixed_norm._mixed_transform import MixedTransform, range_of_size
from sksmooth.noise._radii._table import Extent, FailureTable
from sksmooth.noise._radii._trade_off import Array, Overlap, narrowed

# Frequencies end where nothing is left of the transform, in units of the inverse size of the shift;
# so many are taken per unit. Up to the slow phase the usual nodes resolve the waves.
_ENDS, _NEGLIGIBLE = np.array([9.0 * 1.25**i for i in range(14)]), 1e-15
_FREQUENCIES, _SLOW_PHASE = 2.9, 30.0

# Error of the transform to allow for, relative to its value at frequency 0.
_SLACK, _ACCURATE, _FINEST = 2e-13, 3e-13, 1
_SHIFTS = 0.02, 0.2, 1.0, 3.0, 7.0

# Outside of this range the quadrature is not known to be accurate, or takes minutes. The tilt is
# the slope of log L in the sign of the largest coordinate, over that of its normal part.
SMALLEST_DIMENSION, _LARGEST_PART, _LARGEST_TILT = 32, 1 / 3, 12.0


def is_computable(d: int, k: float) -> bool:
    """Whether the overlap in d dimensions can be computed to enough digits."""
    if d < SMALLEST_DIMENSION or k > _LARGEST_PART * d:
        return False
    largest = np.exp(range_of_size(d, k)[1])
    return bool(k <= _LARGEST_TILT * largest * np.sqrt(d))


def largest_k(d: int) -> int:
    """Largest whole k for which the overlap is computed."""
    low, high = 0, int(_LARGEST_PART * d) + 1
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

    def overlap(self, log_m: Array) -> Array:
        """``H(m)``."""
        m, x = np.exp(log_m), self.x
        normal = special.ndtr(log_m / x - x / 2) + m * special.ndtr(-log_m / x - x / 2)
        return normal + np.sqrt(m) * (np.cos(self.u * log_m[:, None]) @ self.waves)

    def share_above(self, log_m: Array) -> Array:
        """``P(L > m)``, the slope of the overlap."""
        phase = self.u * log_m[:, None]
        part = (np.cos(phase) / 2 - self.u * np.sin(phase)) @ self.waves
        normal = special.ndtr(-log_m / self.x - self.x / 2)
        return normal + np.exp(np.minimum(-log_m / 2, 700.0)) * part

    def error(self, log_m: Array, slack: float) -> Array:
        """Error of the overlap, where that of the transform is `slack` relative to its largest."""
        return slack * np.exp(log_m / 2 - self.x * self.x / 8)


@dataclass(frozen=True)
class MixedOverlap(Overlap):
    """Overlap of the mixed-norm noise of unit scale, linf norm (Zhang et al. 2020, Theorem 5).

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

    def kept(self, missing: Array, r: Array) -> Array:
        shape = np.broadcast(missing, r).shape
        missing, r = (np.broadcast_to(x, shape).ravel() for x in (missing, r))
        kept = np.where(missing <= 0.0, 1.0, 1.0 - missing)
        for size in np.unique(r[r > 0]):
            here = np.flatnonzero((r == size) & (missing > 0) & (missing < 1))
            if len(here):
                kept[here] = self._kept(missing[here], float(size))
        return np.maximum(kept, 0.0).reshape(shape)

    def _kept(self, missing: Array, r: float) -> Array:
        overlap, slack = settled(self)
        spectrum = overlap.spectrum(r)
        log_m = _threshold(spectrum, special.ndtri(missing))
        return spectrum.overlap(log_m) - spectrum.error(log_m, slack) - np.exp(log_m) * missing

    def failure(self, r: Array) -> Array:
        """Largest ``1 - p`` for which a share of p proves the radius r, rounded down."""
        half = np.array([0.5])
        return np.array([self._kept(half, float(size))[0] for size in r])

    def one_sided(self, missing: Array) -> Array:
        return _table(self).radius(missing)

    def spectrum(self, r: float) -> Spectrum:
        """Spectrum at a shift of r, kept for the next time."""
        return _spectrum(self.d, self.k, r, self.level)


def _threshold(spectrum: Spectrum, wanted: Array) -> Array:
    """Solve for the logarithm of m at which the normal quantile of ``P(L > m)`` is as wanted."""
    x = spectrum.x

    def excess(log_m: Array, rows: Any) -> Array:
        share = np.clip(spectrum.share_above(log_m), 1e-300, 1 - 1e-16)
        return special.ndtri(share) - wanted[rows]

    guess, spread = -x * wanted - x * x / 2, np.full(len(wanted), x)
    low, high = guess - spread, guess + spread
    for _ in range(40):
        below, above = excess(low, slice(None)) <= 0, excess(high, slice(None)) > 0
        if not (below | above).any():
            break
        low, high = np.where(below, low - spread, low), np.where(above, high + spread, high)
        spread = np.where(below | above, 2 * spread, spread)
    low, high = narrowed(excess, low, high, np.full(len(low), 1e-12 * x), 1e-8)
    return (low + high) / 2


@lru_cache(maxsize=16)
def _table(overlap: MixedOverlap) -> FailureTable:
    scale = float(np.sqrt(overlap.d - overlap.k) / overlap.d)
    return FailureTable.of(overlap.failure, Extent(0.01, 6.8, scale, 1e-11))


@lru_cache(maxsize=64)
def settled(overlap: MixedOverlap) -> tuple[MixedOverlap, float]:
    """Refine the quadrature until it agrees with a finer one; return it and its error."""
    scale = np.sqrt(overlap.d - overlap.k) / overlap.d
    shifts = scale / overlap.spectrum(scale).x * np.array(_SHIFTS)
    for level in range(_FINEST + 1):
        now, finer = (replace(overlap, level=level + more) for more in (0, 1))
        error = max(_disagreement(now.spectrum(r), finer.spectrum(r)) for r in shifts)
        if error <= _ACCURATE:
            break
    return replace(overlap, level=level), max(_SLACK, 10.0 * error)


def _disagreement(one: Spectrum, two: Spectrum) -> float:
    """Largest difference of two overlaps, in the unit of `Spectrum.error`."""
    log_m = one.x * np.linspace(-8.0, 8.0, 33)
    gap = np.abs(one.overlap(log_m) - two.overlap(log_m))
    return float((gap / one.error(log_m, 1.0)).max())


@lru_cache(maxsize=256)
def _spectrum(d: int, k: float, r: float, level: int) -> Spectrum:
    return Spectrum.of(d, k, r, 1.5**level)
