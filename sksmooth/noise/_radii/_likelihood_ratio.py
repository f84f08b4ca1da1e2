"""Laws of the likelihood ratio L of a noise and its copy, moved by the worst shift of size r.

Each is described by the probability that ``-log L`` is below t. Together with the symmetry of
the noise this gives ``E[min(L, exp(-t))] = P(-log L < -t) + exp(-t) P(-log L < t)``, and so the
trade-off function.
All noise is of unit scale.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sksmooth.noise._radii._quadrature import (
    Array,
    bisect_log,
    gauss_panels,
    log_gamma_density,
    log_gamma_range,
    shifted_size,
    tanh_sinh,
    trapezoid,
)

# From this dimension on the caps of a sphere are smooth enough for the trapezoidal rule.
_SMOOTH_FROM = 28

# Pairs of t and r that are integrated at once.
_VALUES_PER_BLOCK = 2**15


@dataclass(frozen=True)
class LikelihoodRatioLaw(ABC):
    """Law of ``-log L``.

    Attributes
    ----------
    d : int
        Number of features.
    k : float
        How much denser the centre of the noise is, in [0, d).
    level : int
        Each level doubles the number of nodes of the quadrature.
    """

    d: int
    k: float
    level: int = 0

    @property
    def scale(self) -> float:
        """Root mean square of the noise per feature, or nearly so."""
        return float(np.sqrt((self.d - self.k) / self.d))

    @property
    def resolution(self) -> float:
        """Normal quantile of the smallest probability that is told from one half.

        For d - k below 1 the density is so sharp that radii fall like a power 1 / (d - k) of it.
        """
        return float(10.0 ** (-6.0 * min(1.0, self.d - self.k)))

    @property
    def slack(self) -> float:
        """Relative error of probabilities to allow for; what is observed is a tenth of it."""
        return 2e-13

    def normal_threshold(self, z: Array, r: Array) -> tuple[Array, Array]:
        """Where the normal quantile z of ``-log L`` would be if it were normal, and its spread."""
        x = r / self.scale
        return x * x / 2.0 + x * z, x

    @abstractmethod
    def _below(self, t: Array, r: Array) -> Array:
        """Probability for columns t and r."""

    @property
    @abstractmethod
    def _n_nodes(self) -> int:
        """Nodes per pair of t and r."""

    def below(self, t: Array, r: Array) -> Array:
        """Probability that ``-log L`` is below t, for shifts of size r.

        Parameters
        ----------
        t, r : ndarray of shape (m,)
            `r` positive.

        Returns
        -------
        probability : ndarray of shape (m,)
            To full relative precision in the lower tail.
        """
        step = max(1, _VALUES_PER_BLOCK // self._n_nodes)
        parts = [
            self._below(t[i : i + step, None], r[i : i + step, None])
            for i in range(0, len(t), step)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def finer(self) -> Any:
        """Return the same law with twice as many nodes."""
        return replace(self, level=self.level + 1)


class RadialLaw(LikelihoodRatioLaw):
    """Noise with density ``||z||^-k exp(-||z||^2 / 2)`` in the l2 or the linf norm.

    With ``y = ||w||^2``, which is chi-squared with d - k degrees of freedom, and
    ``v = ||w - shift||^2 - y``, it is ``-2 log L = v + k log(1 + v / y)``, which increases in v.
    """

    @abstractmethod
    def _closer(self, y: Array, v: Array, r: Array) -> Array:
        """Probability of ``||w - shift||^2 - y < v`` given y, where it is not 0 or 1."""

    def _pieces(self, t: Array, r: Array) -> tuple[NDArray[np.intp], Array, Array]:
        """Pieces of sizes, cut where the probability given the size becomes 0 or 1.

        Returns
        -------
        rows : ndarray of int of shape (n_pieces,)
            Position of the t and r that each piece is for.
        y, weight : ndarray of shape (n_pieces, n_nodes)
            Squared sizes, and their weights.
        """
        shape = (self.d - self.k) / 2
        low, high = (0.5 * (x + np.log(2 * shape)) for x in log_gamma_range(shape))
        bottom, top = np.full_like(t, low), np.full_like(t, high)
        kinks = self._kinks(2.0 * t, r, bottom, top)
        cuts = np.sort(np.concatenate([bottom, kinks, top], axis=1), axis=1)
        rows, pieces = np.nonzero(np.diff(cuts, axis=1) > 0)
        start = cuts[rows, pieces, None]
        width = cuts[rows, pieces + 1, None] - start
        nodes, weights = tanh_sinh(self.level)
        log_size = start + width * nodes
        density = log_gamma_density(2.0 * log_size - np.log(2 * shape), shape)
        return rows, np.exp(2.0 * log_size), 2.0 * density * width * weights

    def _kinks(self, tau: Array, r: Array, bottom: Array, top: Array) -> Array:
        """Logarithms of the sizes at which the nearest or farthest shifted size meets v.

        Shifted towards the centre, a size of a becomes ``|a - r|``, and -2 log L falls, rises and
        falls with a; shifted away it becomes ``a + r``, and -2 log L falls and rises.
        """
        k, root = self.k, np.sqrt(r * r + 4.0 * self.k)
        with np.errstate(divide="ignore"):
            dip = np.clip(np.log(2.0 * k / (r + root)), bottom, top)
        at_r = np.clip(np.log(r), bottom, top)
        peak = np.clip(np.log((r + root) / 2.0), bottom, top)
        away = np.array([-1.0, -1.0, -1.0, 1.0, 1.0])
        falls = np.array([1.0, -1.0, 1.0, 1.0, -1.0])

        def excess(x: Array) -> Array:
            part = np.exp(np.log(r) - x)
            with np.errstate(divide="ignore"):
                beyond = np.log(np.maximum(part - 1.0, 0.0))
                grown = np.log1p(np.where(away < 0, -np.minimum(part, 1.0), part))
            grown = np.maximum(np.where((away < 0) & (part > 1.0), beyond, grown), -1e300)
            value = r * r + 2.0 * away * r * np.exp(x) + (2.0 * k * grown if k else 0.0) - tau
            return falls * value

        return bisect_log(
            excess,
            np.concatenate([bottom, at_r, peak, bottom, dip], axis=1),
            np.concatenate([at_r, peak, top, dip, top], axis=1),
        )

    def _in_pieces(self, t: Array, r: Array) -> Array:
        rows, y, weight = self._pieces(t, r)
        given = self._closer(y, shifted_size(2.0 * t[rows], y, self.k), r[rows])
        below: Any = np.bincount(rows, (weight * given).sum(axis=1), minlength=len(t))
        return np.asarray(below, dtype=float)

    @property
    def _n_nodes(self) -> int:
        return 6 * len(tanh_sinh(self.level)[0])


class SphereLaw(RadialLaw):
    """l2 norm: given the size of the noise, its direction is uniform (Zhang et al. 2020)."""

    @property
    def resolution(self) -> float:
        return super().resolution if self.d > 1 else 0.02

    @property
    def slack(self) -> float:
        return 2e-13 if self.d > 1 else 2e-12

    def _below(self, t: Array, r: Array) -> Array:
        if self.d < _SMOOTH_FROM:
            return self._in_pieces(t, r)
        shape = (self.d - self.k) / 2
        x, weight = trapezoid(shape, self.level)
        y = np.exp(x) * (2 * shape)
        return self._closer(y, shifted_size(2.0 * t, y, self.k), r) @ weight

    @property
    def _n_nodes(self) -> int:
        if self.d < _SMOOTH_FROM:
            return super()._n_nodes
        return len(trapezoid((self.d - self.k) / 2, self.level)[0])

    def _closer(self, y: Array, v: Array, r: Array) -> Array:
        """Mass of the cap ``cos(angle) <= c``."""
        c = (v - r * r) / (2.0 * r * np.sqrt(y))
        inside = np.abs(c) < 1.0
        x = np.where(inside, c, 0.0)
        if self.d == 1:
            cap = np.full_like(x, 0.5)
        elif self.d == 2:
            cap = np.arccos(-x) / np.pi
        else:
            n = self.d - 1.0
            cap = special.stdtr(n, x * np.sqrt(n / ((1.0 - x) * (1.0 + x))))
        return np.where(inside, cap, c >= 1.0)


class CubeLaw(RadialLaw):
    """linf norm: given its size the noise is uniform on the surface of a cube.

    The worst shift is r in every coordinate. The coordinate that attains the size moves away
    from the shifted centre or towards it, each with probability one half.
    """

    @property
    def resolution(self) -> float:
        return 0.02  # where the size jumps out of reach, the median of L is ill conditioned

    @property
    def slack(self) -> float:
        return 2e-12

    def _below(self, t: Array, r: Array) -> Array:
        return self._in_pieces(t, r)

    def _closer(self, y: Array, v: Array, r: Array) -> Array:
        size = np.sqrt(y)
        with np.errstate(invalid="ignore"):
            grown = v / (np.sqrt(np.maximum(y + v, 0.0)) + size)  # reach - size
        missed = (r - grown) / (2.0 * size)
        within = np.exp(special.xlog1py(self.d - 1.0, -np.clip(missed, 0.0, 1.0)))
        within = 0.5 * (within if self.d > 1 else (missed < 1.0).astype(float))
        return np.where(grown > r, 1.0, np.where(grown + r > 0, within, 0.0) * (missed < 1.0))


class SimplexLaw(LikelihoodRatioLaw):
    """l1 norm: noise with density ``||z||_1^-k exp(-||z||_1)``, shifted along one axis.

    With s = ||w||_1, which has the gamma law of shape d - k, and ``D = ||w - shift||_1 - s``, it is
    ``-log L = D + k log(1 + D / s)``. D is r with probability one half, and else ``r - 2 w_1`` but
    not below -r, where ``w_1 / s`` has the beta law of parameters 1 and d - 1.
    """

    def _below(self, t: Array, r: Array) -> Array:
        shape, k = self.d - self.k, self.k
        low, high = (x + np.log(shape) for x in log_gamma_range(shape))

        def edge(x: Array) -> Array:
            """-log L where all of s lies on the shifted axis."""
            with np.errstate(divide="ignore"):
                gap = np.log(np.maximum(np.expm1(np.log(r) - x), 0.0))
            return r - 2.0 * np.exp(x) + k * np.maximum(gap, -1e300) - t

        first = bisect_log(edge, np.full_like(r, low), np.clip(np.log(r), low, high))
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            all_above = np.where(t > r, r / np.expm1((t - r) / k), np.inf)
            none_above = np.where(t < -r, r / -np.expm1((t + r) / k), np.inf)
            last = np.log(np.minimum(all_above, none_above))
        last = np.clip(last, low, high)
        width = np.maximum(last - first, 0.0)
        nodes, weights = gauss_panels(shape, self.level)
        x = first + width * nodes
        s = np.exp(x)
        lost = (r - shifted_size(t, s, k)) / (2.0 * s)
        given = 0.5 * np.exp(special.xlog1py(self.d - 1.0, -np.clip(lost, 0.0, 1.0))) * (lost < 1.0)
        inside = (log_gamma_density(x - np.log(shape), shape) * given) @ weights
        certain = special.gammaincc(shape, np.minimum(all_above, 1e300))
        return inside * width[:, 0] + certain[:, 0]

    @property
    def _n_nodes(self) -> int:
        return len(gauss_panels(self.d - self.k, self.level)[0])
