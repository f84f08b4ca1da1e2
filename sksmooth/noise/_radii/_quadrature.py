"""Numerical integration over the size of the noise."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]

# Mass beyond the range of integration, in units of the exponent: it is left out, which is on the
# safe side. The lower end of the size is kept above the smallest double.
_TAIL, _SMALLEST_LOG = 62.0, -640.0

_HALLEY_STEPS, _BISECTIONS = 12, 56
_GAUSS_NODES, _PANEL = 24, 1.5
_TANH_SINH_STEP, _TANH_SINH_END = 0.0725, 3.3


def shifted_size(tau: Array, y: Array, k: float) -> Array:
    """Solve ``v + k log(1 + v / y) = tau`` for v > -y.

    Halley's method for ``m = log(1 + v / y)``, from the right of the root: the equation is convex
    and increasing in m, so that nothing overflows or cancels.
    """
    if k == 0:
        return tau + 0.0 * y
    with np.errstate(over="ignore"):
        positive = np.log1p(np.maximum(tau, 0.0) / y)
    m = np.minimum(tau / (y + k), np.where(tau < 0, (tau + y) / k, positive))
    for _ in range(_HALLEY_STEPS):
        e = y * np.expm1(m)
        curved = e + y
        slope = curved + k
        step = (e + k * m - tau) / slope
        step /= 1.0 - step * curved / (2.0 * slope)
        m = m - step
        if (np.abs(step) <= 1e-5 * np.abs(m)).all():  # the error is of the order of its cube
            break
    return y * np.expm1(m)


def log_gamma_constant(shape: float) -> float:
    """Return ``shape log(shape) - shape - log Gamma(shape)``, without cancellation."""
    if shape < 12:
        return float(shape * np.log(shape) - shape - special.gammaln(shape))
    x = 1.0 / (shape * shape)
    series = (1 / 12 - x * (1 / 360 - x * (1 / 1260 - x * (1 / 1680 - x / 1188)))) / shape
    return float(0.5 * np.log(shape / (2 * np.pi)) - series)


def log_gamma_density(x: Array, shape: float) -> Array:
    """Density of ``log(g / shape)`` where g has the gamma law."""
    return np.exp(shape * (x - np.expm1(x)) + log_gamma_constant(shape))


@lru_cache(maxsize=256)
def log_gamma_range(shape: float) -> tuple[float, float]:
    """Range of ``log(g / shape)`` outside which the gamma law has no mass to speak of."""

    def excess(x: float) -> float:
        return shape * (np.expm1(x) - x) - _TAIL

    low, high = -1.0, 1.0
    while excess(low) < 0 and low > _SMALLEST_LOG:
        low *= 1.5
    while excess(high) < 0:
        high *= 1.5
    ends = []
    for inside, outside in ((0.0, max(low, _SMALLEST_LOG)), (0.0, high)):
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if excess(middle) < 0 else (inside, middle)
        ends.append(outside)
    return ends[0], ends[1]


@lru_cache(maxsize=64)
def trapezoid(shape: float, level: int) -> tuple[Array, Array]:
    """Nodes and weights of the law of ``log(g / shape)``; the sum of the weights is one."""
    low, high = log_gamma_range(shape)
    spread = float(np.sqrt(special.polygamma(1, shape)))
    n = int(np.ceil((high - low) / (spread / 4))) * 2**level + 1
    x = np.linspace(low, high, n)
    weight = log_gamma_density(x, shape)
    return x, weight / weight.sum()


@lru_cache(maxsize=8)
def tanh_sinh(level: int) -> tuple[Array, Array]:
    """Nodes in (0, 1) and weights that integrate functions with kinks at the ends."""
    step = _TANH_SINH_STEP / 2**level
    n = int(_TANH_SINH_END / step)
    t = step * np.arange(-n, n + 1)
    inner = np.pi / 2 * np.sinh(t)
    nodes = special.expit(2 * inner)
    weights = step * np.pi / 4 * np.cosh(t) / np.cosh(inner) ** 2
    return nodes, weights / weights.sum()


@lru_cache(maxsize=64)
def gauss_panels(shape: float, level: int) -> tuple[Array, Array]:
    """Nodes in (0, 1) and weights of enough panels for the range of the law of log(g)."""
    low, high = log_gamma_range(shape)
    spread = float(np.sqrt(special.polygamma(1, shape)))
    n = int(np.ceil(min((high - low) / (spread * _PANEL), 40.0))) * 2**level
    x, w = np.polynomial.legendre.leggauss(_GAUSS_NODES)
    nodes = (np.arange(n)[:, None] + (x + 1) / 2).ravel() / n
    return nodes, np.tile(w / 2 / n, n)


def bisect_log(function: object, low: Array, high: Array) -> Array:
    """Point of [low, high], bisected, where a decreasing function crosses zero."""
    low, high = low.copy(), high.copy()
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        up = function(middle) > 0  # type: ignore[operator]
        low = np.where(up, middle, low)
        high = np.where(up, high, middle)
    return (low + high) / 2
