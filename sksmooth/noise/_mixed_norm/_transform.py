"""Transform of the likelihood ratio of the mixed-norm noise, for a shift of r in every coordinate.

The density p is ``||z||_inf^-k exp(-||z||_2^2 / 2)``. Seen from halfway of the shift, with
``z = r / 2 + v``, the product ``p(z)^(1/2 - iu) p(z - r)^(1/2 + iu)`` is the density of
independent normal coordinates with phases ``exp(iurv)``, times powers of the sizes ``||z||_inf``
and ``||z - r||_inf``. These depend on the largest coordinate s and the smallest, -t, alone:

    s + r/2 and t + r/2    where |s - t| <= r,
    s + r/2 and s - r/2    where s - t > r, whatever t is,

and the other way round where ``t - s > r``. Phases integrate to ``G(s, t)^d`` below s and above
-t, where G is the integral of one normal coordinate with its phase, so that the transform is an
integral over the half width ``h = (s + t) / 2`` and, in the band, over ``s - t``. Exchanging s and
t conjugates it, so that one half of the band is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from sksmooth.noise._radii._quadrature import Array

# Nodes for the half width, across the band, and above a coordinate.
_WIDTH_NODES, _BAND_NODES, _TAIL_NODES = 48, 16, 64
_SIZE_NODES = 400

# Points where the modulus of the integrand has fallen by exp(-44) are left out. It is largest at
# frequency 0, so that this holds for all frequencies.
_TAIL = 44.0
_WIDEST = 40.0  # half widths above have no mass, in any dimension
_LOG_ROOT = 0.5 * np.log(2.0 * np.pi)
_NO_PHASE = -1.0 + 1e-15  # the modulus is largest without phases; rounding must not tell otherwise
_FARTHEST = 10.0  # normal mass beyond is none


@dataclass(frozen=True)
class MixedTransform:
    """``E[L^(1/2 + iu)]`` as a sum over points (h, s - t).

    Attributes
    ----------
    r : float
        Shift in every coordinate.
    largest, smallest : ndarray of shape (n,)
        Largest coordinate, and the smallest with its sign changed, seen from halfway.
    inside : ndarray of shape (n,)
        Normal mass between them.
    turn : ndarray of shape (n,)
        Phase of each point per unit of frequency, apart from that of the other coordinates.
    power : ndarray of shape (n,)
        Number of the other coordinates.
    size : ndarray of shape (n,)
        Logarithm of the value of each point at frequency 0.
    """

    r: float
    largest: Array
    smallest: Array
    inside: Array
    turn: Array
    power: Array
    size: Array

    @classmethod
    def of(
        cls, d: int, k: float, r: float, grow: float = 1.0, faster: float = 1.0
    ) -> MixedTransform:
        """Choose points.

        Parameters
        ----------
        d : int
            Number of features.
        k : float
            In [0, d).
        r : float
            Shift in every coordinate.
        grow : float
            Factor for the number of nodes in each direction.
        faster : float
            Another one for those across the band, where phases turn fast.
        """
        band = _Band.of(d, k, r, int(_BAND_NODES * grow * faster))
        low, high = band.extent()
        log_h = np.linspace(low, high, int(_WIDTH_NODES * grow))[:, None]
        step = (high - low) / (len(log_h) - 1)
        size = band.log_modulus(log_h)
        felt = size > size.max() - _TAIL
        h, skew, power = (
            np.broadcast_to(x, size.shape)[felt] for x in (np.exp(log_h), band.skew, band.power)
        )
        largest, smallest = h + skew / 2, h - skew / 2
        lag = np.where(skew < r, skew, largest)  # at the edge the smallest was integrated over
        turn = r * lag + k * np.log1p(skew / (h + (r - skew) / 2))
        size = size[felt] + np.log(step) - log_norm(d, k)
        inside = np.exp(log_inside(largest, smallest))
        return cls(r, largest, smallest, inside, turn, power, size)

    def at(self, u: Array) -> Array:
        """Value at frequencies u, which is real."""
        phase = u * self.r
        one, two = (lost_above(x, phase) for x in (self.largest, self.smallest))
        inside = self.inside[:, None]
        real = (np.expm1(-phase * phase / 2) + (one[0] + two[0])) / inside
        imaginary = (two[1] - one[1]) / inside
        power = self.power[:, None]
        square = np.clip(real * (2.0 + real) + imaginary * imaginary, _NO_PHASE, 0.0)
        log_modulus = power / 2 * np.log1p(square)
        turned = power * np.arctan2(imaginary, 1.0 + real) + self.turn[:, None] * u
        total: Array = (np.exp(self.size[:, None] + log_modulus) * np.cos(turned)).sum(axis=0)
        return total


@dataclass(frozen=True)
class _Band:
    """Modulus of the integrand, at nodes across the band and on its edge.

    Attributes
    ----------
    d : int
        Number of features.
    k : float
        In [0, d).
    r : float
        Shift in every coordinate.
    skew : ndarray of shape (n,)
        ``s - t``, from 0 to r.
    power : ndarray of shape (n,)
        Number of the other coordinates.
    log_weight : ndarray of shape (n,)
        Of the nodes, with all constants.
    """

    d: int
    k: float
    r: float
    skew: Array
    power: Array
    log_weight: Array

    @classmethod
    def of(cls, d: int, k: float, r: float, n: int) -> _Band:
        x, weight = np.polynomial.legendre.leggauss(n)
        skew = np.append(r * (x + 1) / 2, r)
        power = np.append(np.full(n, d - 2.0), d - 1.0)
        inner = np.log(r * weight / 2 * max(d - 1.0, 1e-300)) - _LOG_ROOT
        log_weight = np.append(inner, 0.0) + np.log(2.0 * d) - _LOG_ROOT - d * r * r / 8
        return cls(d, k, r, skew, power, log_weight)

    def log_modulus(self, log_h: Array) -> Array:
        """Logarithm of the integrand in log h at frequency 0, for a column of log h."""
        h = np.exp(log_h)
        s, t = h + self.skew / 2, h - self.skew / 2
        square = s * s + np.where(self.power < self.d - 1, t * t, 0.0)
        sizes = np.log(h + (self.r + self.skew) / 2) + np.log(h + (self.r - self.skew) / 2)
        inside = self.power * log_inside(s, t)
        return self.log_weight + inside - square / 2 - self.k / 2 * sizes + log_h

    def extent(self) -> tuple[float, float]:
        """Range of log h where the integrand has not fallen by far."""
        low, high = -80.0, float(np.log(_WIDEST))
        for _ in range(4):
            log_h = np.linspace(low, high, 65)
            size = self.log_modulus(log_h[:, None]).max(axis=1)
            near = np.flatnonzero(size > size.max() - _TAIL)
            low, high = log_h[max(near[0] - 1, 0)], log_h[min(near[-1] + 1, 64)]
        return float(low), float(high)


def log_inside(s: Array, t: Array) -> Array:
    """Logarithm of the normal mass between -t and s."""
    inside = (special.erf(s / np.sqrt(2)) + special.erf(t / np.sqrt(2))) / 2
    outside = special.ndtr(-s) + special.ndtr(-t)
    near = np.log1p(-np.minimum(outside, 0.75))
    log_mass: Array = np.where(outside < 0.5, near, np.log(np.maximum(inside, 1e-300)))
    return log_mass


def lost_above(s: Array, phase: Array) -> tuple[Array, Array]:
    """Integral over v > s of the normal density times ``1 - cos(phase v)``, and ``sin(phase v)``.

    The sine and cosine of a sum are split, so that no small difference of large terms is left.
    """
    x, weight = _tail_nodes()
    falling = np.exp(-s[:, None] * x - x * x / 2) * weight
    density = np.exp(-s * s / 2 - _LOG_ROOT)[:, None]
    inner, outer = np.outer(x, phase), np.outer(s, phase)
    total = falling.sum(axis=1)[:, None]
    versed, sine = falling @ (2.0 * np.sin(inner / 2) ** 2), falling @ np.sin(inner)
    cosine_out, sine_out = np.cos(outer), np.sin(outer)
    lost = 2.0 * np.sin(outer / 2) ** 2 * total + cosine_out * versed + sine_out * sine
    turned = sine_out * (total - versed) + cosine_out * sine
    return density * lost, density * turned


@lru_cache(maxsize=1)
def _tail_nodes() -> tuple[Array, Array]:
    x, weight = np.polynomial.legendre.leggauss(_TAIL_NODES)
    return _FARTHEST * (x + 1) / 2, _FARTHEST * weight / 2


def log_density_of_size(x: Array, d: int, k: float) -> Array:
    """Logarithm, up to a constant, of the density of ``log ||z||_inf``; it is concave."""
    a = np.exp(x)
    return (1.0 - k) * x - a * a / 2 + (d - 1) * log_inside(a, a)


@lru_cache(maxsize=64)
def range_of_size(d: int, k: float, tail: float = 45.0) -> tuple[float, float, float]:
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


@lru_cache(maxsize=64)
def log_norm(d: int, k: float) -> float:
    """Logarithm of the mass of the density, next to that of d independent normal values."""
    low, _, high = range_of_size(d, k, _TAIL)
    x = np.linspace(low, high, _SIZE_NODES)  # the density is smooth, and falls off at both ends
    log_density = log_density_of_size(x, d, k) + np.log(2.0 * d) - _LOG_ROOT
    return float(special.logsumexp(log_density) + np.log(x[1] - x[0]))
