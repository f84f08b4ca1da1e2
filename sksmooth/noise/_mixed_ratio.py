"""Overlap of the mixed-norm noise with its copy shifted by r in every coordinate, by transforms.

The density is ``||z||_inf^-k exp(-||z||_2^2 / 2)``. With
``M(u) = E[L^(1/2 + iu)]``, which is real because the noise is symmetric,

    H(m) = sqrt(m) / pi * integral over u > 0 of cos(u log m) M(u) / (1/4 + u^2).

Given the largest coordinate (in size) and, where it is positive, the smallest, the others are
independent normal values on an interval, so M is an integral over two variables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy import special

from sksmooth.noise._overlap import Array, Overlap, narrowed
from sksmooth.noise._table import Extent, FailureTable

# Nodes for the largest coordinate, for each panel of the smallest, and for the frequency.
_SIZE_NODES, _PANEL_NODES, _FREQUENCY_NODES = 48, 12, 48
_PANELS = np.array([0.0, 1.5, 5.0, 12.0, 45.0])
_TAIL, _NEGLIGIBLE = 45.0, 1e-15

# Outside of this range the quadrature is not known to be accurate.
_SMALLEST_DIMENSION, _LARGEST_SHARE = 64, 1 / 3
_SLACK, _FINEST = 5e-12, 3


def is_deterministic(d: int, k: float) -> bool:
    """Whether the overlap in d dimensions is computed by quadrature."""
    return d >= _SMALLEST_DIMENSION and k <= _LARGEST_SHARE * d


def log_density_of_size(x: Array, d: int, k: float) -> Array:
    """Logarithm, up to a constant, of the density of ``log ||z||_inf``; it is concave."""
    a = np.exp(x)
    inside = special.erf(a / np.sqrt(2))
    with np.errstate(divide="ignore"):
        far = np.log(inside)
        near = np.where(inside > 0.5, np.log1p(-special.erfc(a / np.sqrt(2))), far)
    return (1.0 - k) * x - a * a / 2 + (d - 1) * near


@lru_cache(maxsize=64)
def range_of_size(d: int, k: float, tail: float = _TAIL) -> tuple[float, float, float]:
    """Lower end, mode and upper end of ``log ||z||_inf``, where its density has fallen far."""
    low, high = -700.0, 5.0
    for _ in range(200):  # golden section of a concave function
        first, second = low + 0.382 * (high - low), low + 0.618 * (high - low)
        one, two = log_density_of_size(np.array([first, second]), d, k)
        low, high = (low, second) if one >= two else (first, high)
    mode = (low + high) / 2
    top = float(log_density_of_size(np.array([mode]), d, k)[0])
    ends = []
    for direction in (-1.0, 1.0):
        step = 1e-3
        while float(log_density_of_size(np.array([mode + direction * step]), d, k)[0]) > top - tail:
            step *= 1.3
        ends.append(mode + direction * step)
    return ends[0], mode, ends[1]


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
        Each level takes half as many nodes again.
    """

    d: int
    k: float
    level: int = 0

    search_width: ClassVar[float] = 1e-5  # each point of a search takes a transform

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
        x, u, excess = transform(overlap.d, overlap.k, r, overlap.level)

        def slope(log_m: Array) -> Array:
            """``P(L > m)`` as a normal quantile."""
            waves = u * log_m[:, None]
            part = np.exp(-log_m / 2) * ((np.cos(waves) / 2 - u * np.sin(waves)) @ excess)
            share = special.ndtr(-log_m / x - x / 2) + part
            return special.ndtri(np.clip(share, 1e-300, 1 - 1e-16))

        log_m = _threshold(slope, special.ndtri(missing), x)
        waves = np.cos(u * log_m[:, None]) @ excess
        m = np.exp(log_m)
        below = special.ndtr(log_m / x - x / 2) + m * special.ndtr(-log_m / x - x / 2)
        return (below + np.sqrt(m) * waves) * (1.0 - slack) - m * missing

    def failure(self, r: Array) -> Array:
        """Largest ``1 - p`` for which a share of p proves the radius r, rounded down."""
        half = np.array([0.5])
        return np.array([self._kept(half, float(size))[0] for size in r])

    def one_sided(self, missing: Array) -> Array:
        return _table(self).radius(missing)


def _threshold(slope: Callable[[Array], Array], wanted: Array, x: float) -> Array:
    """Solve for the logarithm of m at which ``P(L > m)`` is as wanted."""

    def excess(log_m: Array, rows: Any) -> Array:
        return slope(log_m) - wanted[rows]

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
    return FailureTable.of(overlap.failure, Extent(0.02, 6.8, scale, 1e-11))


@lru_cache(maxsize=64)
def settled(overlap: MixedOverlap) -> tuple[MixedOverlap, float]:
    """Refine the quadrature until it agrees with a finer one; return it and its error."""
    scale = np.sqrt((overlap.d - overlap.k) / overlap.d / overlap.d)
    for level in range(_FINEST + 1):
        error = 0.0
        for r in scale * np.array([0.1, 1.0, 4.0]):
            _, rough, rough_waves = transform(overlap.d, overlap.k, float(r), level)
            _, fine, fine_waves = transform(overlap.d, overlap.k, float(r), level + 1)
            for log_m in (-8.0 * r / scale, -r / scale, 0.0):
                one = np.cos(rough * log_m) @ rough_waves
                two = np.cos(fine * log_m) @ fine_waves
                error = max(error, float(abs(one - two)))
        if error <= _SLACK / 10:
            break
    return replace(overlap, level=level), max(_SLACK, 10.0 * error)


@lru_cache(maxsize=256)
def transform(d: int, k: float, r: float, level: int) -> tuple[float, Array, Array]:
    """Transform of L, less that of the normal law with the same mean of sqrt(L).

    Returns
    -------
    x : float
        Shift of the normal law, in standard deviations.
    u, waves : ndarray
        Frequencies, and what they contribute to ``H(m) / sqrt(m)`` for m = 1.
    """
    grow = 1.5**level
    at_zero = float(_mellin(d, k, r, np.zeros(1), grow)[0])
    x = float(np.sqrt(-8.0 * np.log(at_zero)))
    end = 9.0 / x
    while abs(_mellin(d, k, r, np.array([end]), grow)[0]) > _NEGLIGIBLE:
        end *= 1.25
    nodes, weights = np.polynomial.legendre.leggauss(int(_FREQUENCY_NODES * grow))
    u, weights = end * (nodes + 1) / 2, end * weights / 2
    excess = _mellin(d, k, r, u, grow) - np.exp(-x * x * (0.25 + u * u) / 2)
    return x, u, weights * excess / (0.25 + u * u) / np.pi


def _mellin(d: int, k: float, r: float, u: Array, grow: float) -> Array:
    """``E[L^(1/2 + iu)]``, for shifts of r in every coordinate."""
    a, weight = _sizes(d, k, int(_SIZE_NODES * grow))
    c = 0.5 + 1j * u[:, None]
    tail = special.erfc((a - c * r) / np.sqrt(2)) / 2  # mass above a of the tilted normal law
    plain = special.erfc(a / np.sqrt(2)) / 2
    moment = c * (c - 1.0) * r * r / 2 * d  # of d normal values, and the constant of L
    away = special.erfc((a + c * r) / np.sqrt(2)) / 2
    # the largest is negative, and moves away
    log_power = (d - 1) * (np.log1p(-tail - away) - np.log1p(-2 * plain))
    total = np.exp(log_power - c * r * a - c * c * r * r / 2 - k * c * np.log1p(r / a))
    # it is positive: integrate over the smallest, through E = -log P(smallest > m | a)
    inside = 1.0 - 2.0 * plain
    limit = np.clip(2 * r - a, -a, a)  # a smaller one is the farthest after the shift
    at_limit = special.ndtr(limit) - plain
    with np.errstate(divide="ignore"):
        last = np.minimum(-(d - 1) * np.log1p(-np.minimum(at_limit / inside, 1.0)), _PANELS[-1])
    nodes, weights = _panels(int(_PANEL_NODES * grow))
    for e, w in zip(nodes.T, weights.T, strict=True):
        total += _smallest_at(np.minimum(e, 1.0) * last, w * last, a, plain, tail, c, r, d, k)
    clear = (a > r) & (last < _PANELS[-1])
    lower, far = limit[clear], a[clear]
    mass = 1.0 - plain[clear] - special.ndtr(lower)
    cut = special.erfc((c * r - lower) / np.sqrt(2)) / 2
    log_power = (d - 1) * (np.log1p(-tail[:, clear] - cut) - np.log(mass))
    stay = log_power + c * r * far - c * c * r * r / 2 - k * c * np.log1p(-r / far) - last[clear]
    total[:, clear] += np.exp(stay)
    return np.real(np.exp(moment) * total @ weight) / 2


def _smallest_at(
    e: Array, w: Array, a: Array, plain: Array, tail: Any, c: Any, r: float, d: int, k: float
) -> Any:
    """Contribution of one value of the smallest coordinate, for each largest one."""
    below = plain - (1.0 - 2.0 * plain) * np.expm1(-e / (d - 1))
    m = special.ndtri(below)
    cut = special.erfc((c * r - m) / np.sqrt(2)) / 2
    log_power = (d - 2) * (np.log1p(-tail - cut) - np.log1p(-plain - below))
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = k * c * np.log((r - m) / a) if k else 0.0
    return w * np.exp(log_power + c * r * (a + m) - c * c * r * r - moved - e)


@lru_cache(maxsize=16)
def _panels(n: int) -> tuple[Array, Array]:
    """Nodes and weights on (0, 1) for an integrand that falls like ``exp(-45 t)``."""
    x, w = np.polynomial.legendre.leggauss(n)
    cuts = _PANELS / _PANELS[-1]
    width = np.diff(cuts)[:, None]
    nodes = cuts[:-1, None] + width * (x + 1) / 2
    return nodes.reshape(1, -1), (width * w / 2).reshape(1, -1)


@lru_cache(maxsize=16)
def _sizes(d: int, k: float, n: int) -> tuple[Array, Array]:
    """Nodes and weights of the law of ``||z||_inf``; the sum of the weights is one."""
    low, _, high = range_of_size(d, k)
    x, w = np.polynomial.legendre.leggauss(n)
    x = low + (high - low) * (x + 1) / 2
    log_density = log_density_of_size(x, d, k)
    weight = w * np.exp(log_density - log_density.max())
    return np.exp(x), weight / weight.sum()
