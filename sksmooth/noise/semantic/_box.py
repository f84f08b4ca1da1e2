"""Least probability after a change of contrast and brightness, by quadrature, and boxes of them.

Inputs become ``exp(K) x + B`` with normal K and B. After an attack, ``exp(k) x + b``, the pair is
``(K', B')`` with ``K' ~ N(k, s^2)`` and, given K', ``B' ~ N(exp(K' - k) b, t^2)``. With u for
``K' / s``, the logarithm of the likelihood ratio is, given u, that of a normal shift by
``exp(s u - k) |b| / t``, and its law follows by one integral over u.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sksmooth.noise._radii._trade_off import NormalTradeOff, TradeOff, last_proven

Array = NDArray[np.float64]

# The trapezoid rule converges faster than any power for these integrals: nodes where the integrand
# is as smooth as in a box, where it may turn a corner, and where only a threshold is chosen.
_END, _NODES, _MANY_NODES, _FEW_NODES, _SECANTS = 9.5, 1001, 4001, 121, 4

# Below this many standard deviations of brightness the integrand turns a corner: more is assumed.
_LEAST_SHIFT = 0.01

# What is taken from probabilities for the error of the quadrature, beside twice the difference to
# that by every other node.
_ERROR = 4e-13

# Largest standard deviation of contrast, a logarithm, that boxes are found for.
LARGEST_SPREAD = 1.0

# Cells of the contrast that the corners of a box are looked at in.
_CELLS = 24

# Points that are integrated at a time.
_AT_ONCE = 256


def least_probability(tail: Array, contrast: Array, brightness: Array, spread: float) -> Array:
    """Bound the probability of a class after ``exp(k) x + b``, of one that is ``1 - tail`` before.

    Parameters
    ----------
    tail, contrast, brightness : ndarray of shape (m,)
        One minus the probability; k and b in standard deviations of their noise, b not negative.
    spread : float
        Standard deviation of the noise of k.

    Returns
    -------
    least : ndarray of shape (m,)
        Rounded down.
    """
    least = np.empty_like(tail)
    alone = brightness == 0
    least[alone] = NormalTradeOff().worst_case_probability(tail[alone], np.abs(contrast[alone]))
    rows = np.flatnonzero(~alone)
    for first in range(0, len(rows), _AT_ONCE):
        some = rows[first : first + _AT_ONCE]
        shift = np.maximum(brightness[some], _LEAST_SHIFT)
        least[some] = _by_quadrature(tail[some], contrast[some], shift, spread)
    return np.asarray(least)


def _by_quadrature(tail: Array, h: Array, shift: Array, spread: float) -> Array:
    """Bound probabilities by the integrals at a threshold that is nearly the best one."""
    threshold = _best_threshold(tail, h, shift, spread)
    smooth = spread <= 0.5 and bool((shift >= np.abs(h) / 2).all())
    n_nodes = _NODES if smooth else _MANY_NODES
    here, error = _before(threshold, h, shift, spread, n_nodes)
    there, error_there = _after(threshold, h, shift, spread, n_nodes)
    with np.errstate(over="ignore", invalid="ignore"):
        m = np.exp(threshold)
        error = 2.0 * (error_there + m * error) + _ERROR * (1.0 + m * (here + tail))
        least = 1.0 - there + m * (here - tail) - error
    return np.where(np.isfinite(least), least, 0.0)


def _best_threshold(tail: Array, h: Array, shift: Array, spread: float) -> Array:
    """Log likelihood ratio that is exceeded with about the probability `tail` before the attack.

    Its normal quantile is nearly linear in the threshold, so that a few secants find it. A bound
    at any threshold is one, and a poor one is only smaller.
    """
    wanted = -special.ndtri(np.clip(tail, 1e-300, 1.0 - 1e-16))

    def quantile(t: Array) -> Array:
        above, _ = _before(t, h, shift, spread, _FEW_NODES)
        return -special.ndtri(np.clip(above, 1e-300, 1.0 - 1e-16))

    square = h * h + (shift * np.exp(spread * (spread - h))) ** 2
    last = np.sqrt(square) * wanted - square / 2
    found = quantile(last)
    t = last + np.sqrt(square) * (wanted - found)
    for _ in range(_SECANTS):
        now = quantile(t)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = (wanted - now) * (t - last) / (now - found)
        last, found = t, now
        t = np.where(np.isfinite(step), t + np.clip(step, -10.0, 10.0), t)
    return t


def _before(
    threshold: Array, h: Array, shift: Array, spread: float, n_nodes: int
) -> tuple[Array, Array]:
    """Probability, before the attack, of a log likelihood ratio above one; how sure it is."""
    u = np.linspace(-_END, _END, n_nodes)
    above, _ = _normal_threshold(u, threshold, h, shift, spread)
    return _expectation(u, special.ndtr(-above))


def _after(
    threshold: Array, h: Array, shift: Array, spread: float, n_nodes: int
) -> tuple[Array, Array]:
    """Return the same after the attack."""
    u = np.linspace(-_END, _END, n_nodes)
    above, s = _normal_threshold(u + h[:, None], threshold, h, shift, spread)
    return _expectation(u, special.ndtr(s - above))


def _normal_threshold(
    u: Array, threshold: Array, h: Array, shift: Array, spread: float
) -> tuple[Array, Array]:
    """Return what the noise of brightness has to exceed, given u, and its shift."""
    t, h, shift = threshold[:, None], h[:, None], shift[:, None]
    s = np.exp(spread * (u - h)) * shift
    with np.errstate(over="ignore", under="ignore"):
        return (t - h * u + h * h / 2) / s + s / 2, s


def _expectation(u: Array, values: Array) -> tuple[Array, Array]:
    """Mean of values at nodes under the normal law, and its difference to that by half of them."""
    weights = np.exp(-u * u / 2) * ((u[1] - u[0]) / math.sqrt(2 * math.pi))
    mean = values @ weights
    return mean, np.abs(mean - 2.0 * (values[:, ::2] @ weights[::2]))


@dataclass(frozen=True)
class BoxTradeOff(TradeOff):
    """Contrast and brightness in a box, of r standard deviations of their noise to every side.

    Along the curves that contrast alone moves a point on, the normal quantile of a probability
    falls by no more than the change of contrast. So the corners of a few cells prove a box.

    Attributes
    ----------
    spread : float
        Standard deviation of the noise of contrast.
    every_cell : bool
        Whether all cells are looked at: a proof. Else the first and the last, which are mostly the
        worst: an estimate.
    """

    spread: float
    every_cell: bool = True

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        flat = box_probability(
            np.ravel(tail), np.ravel(r), np.ravel(r), self.spread, self.every_cell
        )
        return flat.reshape(np.shape(tail))

    def one_sided(self, tail: Array) -> Array:
        def lead(r: Array, rows: NDArray[np.intp]) -> Array:
            return self.worst_case_probability(tail[rows], r) - 0.5

        high = np.maximum(-special.ndtri(tail), 0.0)
        return last_proven(lead, np.zeros_like(high), np.minimum(high, 40.0), 1e-6)

    def radius(self, tail: Array, runner_up: Array) -> Array:
        if not self.every_cell:
            return super().radius(tail, runner_up)
        columns = np.column_stack([tail, runner_up])
        distinct, inverse = np.unique(columns, axis=0, return_inverse=True)
        return self._proven(*distinct.T)[inverse.ravel()]

    def _proven(self, tail: Array, runner_up: Array) -> Array:
        """Estimate radii, prove them, and search for those that fail by proofs alone."""
        radius = replace(self, every_cell=False).radius(tail, runner_up) * (1.0 - 1e-7)
        some = np.flatnonzero(radius > 0)
        least = self.worst_case_probability(tail[some], radius[some])
        most = 1.0 - self.worst_case_probability(runner_up[some], radius[some])
        failed = some[least <= most]
        radius[failed] = super().radius(tail[failed], runner_up[failed])
        return radius


def box_probability(
    tail: Array, contrast: Array, brightness: Array, spread: float, every_cell: bool = True
) -> Array:
    """Bound the probability of a class in boxes, of half-widths in standard deviations."""
    width = 2.0 * contrast / _CELLS
    cells = np.arange(_CELLS) if every_cell else np.array([0, _CELLS - 1])
    middles = (cells + 0.5) * width[:, None] - contrast[:, None]
    corner = brightness * np.exp(spread * width / 2) * (1.0 + 1e-15)
    shape = middles.shape
    least = least_probability(
        np.broadcast_to(tail[:, None], shape).ravel(),
        middles.ravel(),
        np.broadcast_to(corner[:, None], shape).ravel(),
        spread,
    ).reshape(shape)
    quantile = special.ndtri(np.clip(least.min(axis=1), 0.0, 1.0)) - width / 2
    return np.asarray(special.ndtr(quantile - 1e-14 * (1.0 + np.abs(quantile))) * (1.0 - 1e-14))
