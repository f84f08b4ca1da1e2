"""The mixed-norm family: a Gaussian tail, denser where no coordinate is large."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import special

from sksmooth.noise._base import Noise, inscribed_ball, rounded_up
from sksmooth.noise._mixed_norm._trade_off import (
    SMALLEST_DIMENSION,
    MixedNormTradeOff,
    is_computable,
    largest_k,
)
from sksmooth.noise._mixed_norm._transform import log_density_of_size, range_of_size
from sksmooth.noise._radii._trade_off import Array, NormalTradeOff, TradeOff
from sksmooth.noise._sup_norm import only_in_linf

_TANGENTS = 80


class MixedNormNoise(Noise):
    """Noise with density ``||z||_inf^-k exp(-||z||_2^2 / (2 s^2))``.

    At equal class probabilities its radii are smaller than those of :class:`GaussianNoise` in the
    same norm; see the user guide.

    Parameters
    ----------
    sigma : float, default=0.25
        Root mean square per feature, in the units of the input; s is larger by a factor
        ``sqrt(n_features / (n_features - k))``.
    k : float, default=0
        How much denser the centre is, from 0 (independent normal noise on every feature) to half
        a unit below the number of features.

    Attributes
    ----------
    norm : float
        ``numpy.inf``, the only norm in which there is a certificate. Balls of the same radius in
        any other norm lie inside.

    Notes
    -----
    The first radius for a number of features takes seconds, for a table; later ones take
    microseconds, but bilateral and top-k radii a fraction of a second for each pair of class
    probabilities. With ``k > 0`` class probabilities below 0.504 prove nothing.

    With ``k > 0`` there are certificates from 32 features on, for k up to a third of their number
    and, in many dimensions, up to about ``25 * sqrt(n_features)`` (784 features: 261; 3,072:
    1,024; 150,528: 11,889). Other k are refused: there the integral behind the table is not known
    to be accurate. The table takes one or two seconds, and some tens of them near the largest k.

    References
    ----------
    .. [1] Zhang, D. et al. (2020). Black-box certification with randomized smoothing: a
       functional optimization based framework. NeurIPS 2020, Theorems 5 and 6.

    Examples
    --------
    >>> from sksmooth.noise import MixedNormNoise
    >>> round(float(MixedNormNoise(sigma=0.5).radius(0.99, n_features=64)), 4)
    0.1454
    """

    norm: ClassVar[float] = np.inf

    def __init__(self, sigma: float = 0.25, k: float = 0) -> None:
        self.sigma = sigma
        self.k = k

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw the largest coordinate, then the others below it; see :meth:`Noise.draw`."""
        self.check_parameters()
        d = math.prod(shape)
        kind: Any = np.dtype(dtype)
        k = self.check_k(d)
        if not k:
            draws: NDArray[Any] = rng.standard_normal((n, *shape), dtype=kind)
            draws *= rounded_up(self._scale(d), kind)
            return draws
        draws = draw_unit(n, d, k, rng, kind)
        draws *= rounded_up(self._scale(d), kind)
        return draws.reshape(n, *shape)

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function of the law of unit scale; see :meth:`Noise.trade_off`."""
        d = only_in_linf(self, n_features, norm)
        k = self.check_k(d)
        if not k:
            return NormalTradeOff(), self._scale(d) * inscribed_ball(np.inf, 2, d)
        if not is_computable(d, k):
            raise ValueError(self._no_certificate(d))
        return MixedNormTradeOff(d, k), self._scale(d)

    def reach(self, n_features: int | None = None) -> float:
        """Quantile of a normal coordinate; see :meth:`Noise.reach`.

        The factor ``||z||_inf^-k`` makes large coordinates rarer than the normal law does.
        """
        if n_features is None:
            return super().reach()
        return 9.3 * self._scale(n_features)

    def _no_certificate(self, d: int) -> str:
        if d < SMALLEST_DIMENSION:
            where, smaller = f"from {SMALLEST_DIMENSION} features on", "k=0"
        else:
            where = f"for this number of features up to k={largest_k(d)}"
            smaller = "a smaller k"
        return (
            f"MixedNormNoise with k={self.k!r} has no certificate for {d} features: its radii are "
            f"computed {where}. Use {smaller}, or noise=GaussianNoise(sigma={float(self.sigma)}, "
            f"k={float(self.k)}), which certifies in the norm inf for any number of features."
        )

    def _scale(self, d: int) -> float:
        return float(self.sigma) * math.sqrt(d / (d - float(self.k)))


def draw_unit(
    n: int, d: int, k: float, rng: np.random.Generator, dtype: Any = np.float64
) -> NDArray[Any]:
    """Draw noise of unit scale, in rows."""
    largest = np.exp(draw_log_size(n, d, k, rng)).astype(dtype)
    values = truncated_normal(largest, d, rng)
    signs = rng.choice([-1.0, 1.0], size=n).astype(dtype)
    values[np.arange(n), rng.integers(d, size=n)] = largest * signs
    return values


def truncated_normal(largest: NDArray[Any], d: int, rng: np.random.Generator) -> NDArray[Any]:
    """Rows of d independent normal values, each no larger than the bound of its row."""
    n, kind = len(largest), largest.dtype
    inside = special.erf(largest.min(initial=np.inf).astype(float) / math.sqrt(2))
    if inside < 0.5:  # few normal values are small enough: invert the distribution function
        uniform = 2 * rng.random((n, d), dtype=kind) - 1
        bound = special.erf(largest / kind.type(math.sqrt(2)))[:, None]
        values: NDArray[Any] = special.erfinv(uniform * bound) * kind.type(math.sqrt(2))
        return np.clip(values, -largest[:, None], largest[:, None])
    values = rng.standard_normal((n, d), dtype=kind)
    rows, columns = np.nonzero(np.abs(values) > largest[:, None])
    while len(rows):
        again = rng.standard_normal(len(rows), dtype=kind)
        values[rows, columns] = again
        still = np.abs(again) > largest[rows]
        rows, columns = rows[still], columns[still]
    return values


@dataclass(frozen=True)
class _Envelope:
    """Tangents of the logarithm of the density of ``log ||z||_inf``, which is concave.

    Attributes
    ----------
    points, heights, slopes : ndarray of shape (n,)
        Where they touch, their values there and their slopes.
    ends : ndarray of shape (n + 1,)
        Where one takes over from the one before; infinite at both ends.
    probability : ndarray of shape (n,)
        Part of the mass that is below each.
    """

    points: Array
    heights: Array
    slopes: Array
    ends: Array
    probability: Array

    def at(self, i: NDArray[np.intp], x: Array) -> Array:
        """Height of tangents number i at x."""
        return self.heights[i] + self.slopes[i] * (x - self.points[i])

    def draw(self, n: int, rng: np.random.Generator) -> tuple[NDArray[np.intp], Array]:
        """Draw tangents, and points from the exponential law below each."""
        i = rng.choice(len(self.points), size=n, p=self.probability)
        left, right, slope = self.ends[i], self.ends[i + 1], self.slopes[i]
        # from the end where the exponential is larger
        start = np.where(slope > 0, right, left)
        decay = np.exp(-np.abs(slope) * (right - left))
        step = -np.log1p(-rng.random(n) * (1.0 - decay)) / np.abs(slope)
        return i, start - np.sign(slope) * step


@lru_cache(maxsize=32)
def _envelope(d: int, k: float) -> _Envelope:
    low, _, high = range_of_size(d, k)
    points = np.linspace(low, high, _TANGENTS)
    a = np.exp(points)
    density = np.sqrt(2 / np.pi) * np.exp(-a * a / 2) / special.erf(a / np.sqrt(2))
    slopes = (1.0 - k) - a * a + (d - 1) * a * density
    slopes = np.where(np.abs(slopes) < 1e-9, 1e-9, slopes)
    heights = log_density_of_size(points, d, k)
    heights -= heights.max()
    with np.errstate(divide="ignore", invalid="ignore"):
        meet = -np.diff(heights - slopes * points) / np.diff(slopes)
    meet = np.where(np.isfinite(meet), meet, points[1:])  # the same line twice
    ends = np.concatenate([[-np.inf], np.clip(meet, points[:-1], points[1:]), [np.inf]])
    top = np.maximum(
        heights + slopes * (ends[:-1] - points), heights + slopes * (ends[1:] - points)
    )
    mass = np.exp(top) * -np.expm1(-np.abs(slopes) * np.diff(ends)) / np.abs(slopes)
    return _Envelope(points, heights, slopes, ends, mass / mass.sum())


def draw_log_size(n: int, d: int, k: float, rng: np.random.Generator) -> Array:
    """Draw ``log ||z||_inf`` for z of unit scale, by rejection below tangents."""
    envelope = _envelope(d, k)
    reference = log_density_of_size(envelope.points, d, k).max()
    x, rows = np.empty(n), np.arange(n)
    while len(rows):
        i, proposed = envelope.draw(len(rows), rng)
        log_ratio = log_density_of_size(proposed, d, k) - reference - envelope.at(i, proposed)
        accepted = np.log1p(-rng.random(len(rows))) <= log_ratio
        x[rows[accepted]] = proposed[accepted]
        rows = rows[~accepted]
    return x
