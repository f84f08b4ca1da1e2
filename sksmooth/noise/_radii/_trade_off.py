"""Trade-off functions of a noise, and the radii that they certify.

Let L be the likelihood ratio of the noise around a shifted input to the noise around the input, for
the worst shift of size r, and ``H_r(m) = E[min(L, m)]``. By the lemma of Neyman and Pearson, a
class with a probability of at least p here has at least

    T_r(1 - p) = sup over m of H_r(m) - m (1 - p)

there, whatever the model is, and no other bound is larger: T_r, the least type II error of a test
of given size, is the trade-off function of the two laws. Everything that is certified follows from
it. It is a function of the tail, ``1 - p``, which keeps its relative precision near p = 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import elementwise

Array = NDArray[np.float64]

# Closed forms are a few roundings; the normal quantile of scipy is within 4e-16 (relative).
_ROUNDING, _QUANTILE_ROUNDING = 1e-14, 1e-15

_MOST_DOUBLINGS = 64

_NOT_ZERO = 1e-200


class TradeOff(ABC):
    """Trade-off function of a noise of unit scale, in one norm.

    Attributes
    ----------
    search_width : float
        Relative width at which the search for a radius stops; its lower end, which is proven, is
        taken.
    """

    search_width: ClassVar[float] = 1e-12

    @property
    def typical_radius(self) -> float:
        """A radius of about the size that is usual: where searches begin."""
        return 1.0

    @abstractmethod
    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        """Least probability, at distance r, of a class whose probability here is ``1 - tail``.

        Parameters
        ----------
        tail, r : ndarray
            Of one shape; `r` positive and finite.

        Returns
        -------
        probability : ndarray
            Rounded down; decreasing in both.
        """

    @abstractmethod
    def one_sided(self, tail: Array) -> Array:
        """Radius at which a class with probability ``1 - tail`` still has one half.

        Parameters
        ----------
        tail : ndarray
            In [0, 1].

        Returns
        -------
        radius : ndarray
            Rounded down; 0 from one half on; may be infinite.
        """

    def radius(self, tail: Array, runner_up: Array) -> Array:
        """Radius within which a class stays ahead of every other.

        Parameters
        ----------
        tail, runner_up : ndarray of shape (m,)
            One minus the probability of the class, and the largest probability of any other, at
            most `tail`.

        Returns
        -------
        radius : ndarray of shape (m,)
        """
        radius = self.one_sided(tail)
        ahead = (runner_up < tail) & (tail < 1.0 - runner_up)
        if ahead.any():
            columns = np.column_stack([tail, runner_up, radius])[ahead]
            distinct, inverse = np.unique(columns, axis=0, return_inverse=True)
            radius[ahead] = self._two_sided(*distinct.T)[inverse.ravel()]
        return radius

    def _two_sided(self, tail: Array, runner_up: Array, at_least: Array) -> Array:
        """Search for the radius at which the runner-up may catch up."""

        def lead(r: Array, rows: Any) -> Array:
            least = self.worst_case_probability(tail[rows], r)
            most = 1.0 - self.worst_case_probability(runner_up[rows], r)
            return least - most - _ROUNDING

        return last_proven(lead, at_least, self.one_sided(runner_up), self.search_width)

    def top_radius(self, tail: Array, others: Array) -> Array:
        """Radius within which a class stays among those with the most votes.

        Parameters
        ----------
        tail : ndarray of shape (m,)
            One minus the probability of the class.
        others : ndarray of shape (m, n_top)
            Bounds of the joint probabilities of the weakest 1, 2, ... n_top of the strongest n_top
            competitors.

        Returns
        -------
        radius : ndarray of shape (m,)
        """
        columns = np.column_stack([tail, others])
        distinct, inverse = np.unique(columns, axis=0, return_inverse=True)
        return self._top_radius(distinct[:, 0], distinct[:, 1:])[inverse.ravel()]

    def _top_radius(self, tail: Array, others: Array) -> Array:
        sizes = np.arange(1, others.shape[1] + 1)

        def lead(r: Array, rows: Any) -> Array:
            joint = others[rows]
            least = self.worst_case_probability(tail[rows], r)
            most = 1.0 - self.worst_case_probability(
                joint, np.broadcast_to(r[:, None], joint.shape)
            )
            weakest = (most / sizes).min(axis=1)
            return least - weakest * (1.0 + _ROUNDING) - _ROUNDING

        radius = np.zeros(len(tail))
        ahead = lead(radius, slice(None)) > 0
        tail, others = tail[ahead], others[ahead]
        first, rows = self.typical_radius / 16.0, np.arange(len(tail))
        low, high = elementwise.bracket_root(
            lead, 0.0, first, xmin=0.0, args=(rows,), maxiter=_MOST_DOUBLINGS
        ).bracket
        radius[ahead] = last_proven(lead, low, high, self.search_width)
        return radius


def last_proven(
    lead: Callable[[Array, Any], Array], low: Array, high: Array, width: float
) -> Array:
    """Largest r found at which a decreasing function of r is positive.

    Parameters
    ----------
    lead : callable
        Takes r and the positions of the rows that they belong to.
    low, high : ndarray of shape (m,)
        Proven (or 0) and not known to be.
    width : float
        Width at which the search stops, relative to `high`.

    Returns
    -------
    r : ndarray of shape (m,)
        `low`, or a point at which `lead` was evaluated and found positive; infinite where `high`
        is.
    """
    proven = np.where(np.isfinite(high), low, np.inf)
    rows = np.flatnonzero(np.isfinite(high) & (low < high))

    def lead_at(part: Array, rows: Any) -> Array:  # r as a part of its upper end
        value = lead(part * high[rows], rows)
        # the search would stop at a zero, and zero proves nothing
        return np.where(value == 0.0, -_NOT_ZERO, value)

    ends = low[rows] / high[rows], np.ones(len(rows))
    stop = {"xatol": width, "xrtol": 0.0}
    found = elementwise.find_root(lead_at, ends, args=(rows,), tolerances=stop)
    for end, value in zip(found.bracket, found.f_bracket, strict=True):
        better = value > 0
        proven[rows[better]] = end[better] * high[rows[better]]
    return proven


@dataclass(frozen=True)
class NormalTradeOff(TradeOff):
    """Independent standard normal noise, l2 norm (Cohen, Rosenfeld and Kolter 2019)."""

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        return special.ndtr(-_normal_quantile(tail, 1) - r) * (1.0 - _ROUNDING * (1.0 + r * r))

    def one_sided(self, tail: Array) -> Array:
        return self.radius(tail, tail)

    def radius(self, tail: Array, runner_up: Array) -> Array:
        with np.errstate(invalid="ignore"):  # both quantiles infinite: nothing is proven
            radius = (-_normal_quantile(tail, 1) - _normal_quantile(runner_up, 1)) / 2
        return np.where(1.0 - tail > runner_up, radius * (1.0 - _ROUNDING), 0.0)


@dataclass(frozen=True)
class LaplaceTradeOff(TradeOff):
    """Independent Laplace noise, l1 norm (Teng, Lee and Yuan 2020; their bound made tight).

    L takes the values ``exp(-r)``, with probability one half, to ``exp(r)``.
    """

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        p, fall = 1.0 - tail, np.exp(-r)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            middle, high = fall / (4.0 * tail), 1.0 - tail * np.exp(r)
        least = np.where(p <= 0.5, p * fall, np.where(tail <= fall / 2, high, middle))
        return least * (1.0 - _ROUNDING * (1.0 + r))

    def one_sided(self, tail: Array) -> Array:
        return self.radius(tail, tail)

    def radius(self, tail: Array, runner_up: Array) -> Array:
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            # one quotient of numbers near each other, two logarithms of those that are far
            behind, ahead = np.log((1.0 - tail) / runner_up), -np.log(4.0 * tail)
            lead = np.where(tail >= 0.5, behind, ahead - np.log(runner_up))
            radius = lead / 2 * (1.0 - _ROUNDING) - 6e-16
        return np.where(1.0 - tail > runner_up, np.maximum(radius, 0.0), 0.0)


@dataclass(frozen=True)
class LipschitzTradeOff(TradeOff):
    """Probabilities that change by half the l1 distance at most: uniform and splitting noise."""

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        return 1.0 - tail - r / 2 - _ROUNDING

    def one_sided(self, tail: Array) -> Array:
        return self.radius(tail, tail)

    def radius(self, tail: Array, runner_up: Array) -> Array:
        return np.maximum((1.0 - tail) - runner_up, 0.0) * (1.0 - _ROUNDING)


@dataclass(frozen=True)
class CubeTradeOff(TradeOff):
    """Uniform noise on ``[-1, 1] ** n_features``, linf norm: the volume that two cubes share."""

    n_features: int

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        shared = np.exp(self.n_features * np.log1p(-np.minimum(r, 2.0 - 1e-15) / 2))
        return shared - tail - _ROUNDING

    def one_sided(self, tail: Array) -> Array:
        return self.radius(tail, tail)

    def radius(self, tail: Array, runner_up: Array) -> Array:
        lead = np.maximum((1.0 - tail) - runner_up, 0.0)
        radius = -2.0 * np.expm1(np.log1p(-lead / 2) / self.n_features)
        return radius * (1.0 - _ROUNDING)


def _normal_quantile(p: Array, side: int) -> Array:
    """Quantile rounded up (side 1) or down (side -1)."""
    quantile = special.ndtri(p)
    return quantile * (1.0 + side * np.sign(quantile) * _QUANTILE_ROUNDING)
