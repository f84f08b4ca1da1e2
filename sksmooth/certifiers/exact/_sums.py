"""Sums of independent terms with few values each: bounds of the probability of small sums.

Every bound is at least the probability, and made of positive numbers only, so that small
probabilities keep their relative precision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sksmooth.certifiers.exact._majorant import Arc, arc_probabilities

Array = NDArray[np.float64]

# Quotients are taken for whole numbers within this distance, on the safe side.
_WHOLE = 1e-9

# Length of a circle that the values of a sum are wound on, in units of their range.
_CIRCLE = 1.25

# Probability of an error of rounding beyond its bound, which is added to the result.
_ETA = 1e-13


@dataclass(frozen=True)
class IndependentSum:
    """Sums of a constant and independent terms, one for each of m rows.

    Attributes
    ----------
    constant : float
        Added to the terms.
    values : sequence of ndarray of shape (n_values,)
        Values of each term, the same for all rows. There is at least one term.
    masses : sequence of ndarray of shape (n_values, m)
        Their probabilities.
    """

    constant: float
    values: Sequence[Array]
    masses: Sequence[Array]

    def negated(self) -> IndependentSum:
        """Return the sums with the opposite sign."""
        return IndependentSum(-self.constant, [-v for v in self.values], self.masses)

    @property
    def n_outcomes(self) -> int:
        """Number of ways to choose a value for every term of the larger of two halves."""
        return max(math.prod(len(self.values[i]) for i in half) for half in self._halves())

    @property
    def lowest(self) -> float:
        """Least possible sum."""
        return self.constant + float(np.sum([v.min() for v in self.values]))

    @property
    def span(self) -> float:
        """Range of possible sums."""
        return float(np.sum([np.ptp(v) for v in self.values]))

    def enumerated(self, limit: float) -> Array:
        """Probability of a sum of at most `limit`, by all outcomes.

        Those of either half of the terms are listed: for each of one half the other has to be
        small enough.
        """
        (first, of_first), (second, of_second) = map(self._outcomes, self._halves())
        order = np.argsort(second)
        below = np.vstack([np.zeros(of_second.shape[1]), of_second[order].cumsum(axis=0)])
        n_below = np.searchsorted(second[order], limit - self.constant - first, side="right")
        return np.asarray(np.einsum("im,im->m", of_first, below[n_below]))

    def _halves(self) -> tuple[list[int], list[int]]:
        """Split the terms into two parts with about as many outcomes."""
        parts: tuple[list[int], list[int]] = ([], [])
        sizes = [1, 1]
        for i in np.argsort([-len(v) for v in self.values]):
            smaller = int(sizes[1] < sizes[0])
            parts[smaller].append(int(i))
            sizes[smaller] *= len(self.values[i])
        return parts

    def _outcomes(self, terms: Sequence[int]) -> tuple[Array, Array]:
        """All sums of some terms, and their probabilities in each row."""
        sums, products = np.zeros(1), np.ones((1, self.masses[0].shape[1]))
        for i in terms:
            sums = np.add.outer(sums, self.values[i]).ravel()
            products = (products[:, None] * self.masses[i]).reshape(len(sums), -1)
        return sums, products

    def rounded_down(self, limit: float, n_points: int) -> Array:
        """Bound the probability of a sum of at most `limit`, with terms rounded down to a grid."""
        step, room = self._grid(limit, n_points)
        if room < 0:
            return np.zeros(self.masses[0].shape[1])
        steps = [np.maximum(np.floor(q - _WHOLE), 0).astype(np.intp) for q in self._quotients(step)]
        return _law_of_sum(steps, self.masses, math.floor(room) + 1).sum(axis=0)

    def rounded_to_nearest(self, limit: float, n_points: int) -> Array:
        """Bound the probability of a sum of at most `limit`, with terms rounded to a grid.

        By Hoeffding's inequality the sum of the errors is below its mean by more than `reach` with
        a probability of at most `_ETA`. Narrower than to round down where there are many terms.
        """
        step, room = self._grid(limit, n_points)
        quotients = self._quotients(step)
        steps = [np.rint(q).astype(np.intp) for q in quotients]
        errors = [q - k for q, k in zip(quotients, steps, strict=True)]
        reach = math.sqrt(sum(float(np.ptp(e)) ** 2 for e in errors) * math.log(1 / _ETA) / 2)
        mean = np.sum([e @ mass for e, mass in zip(errors, self.masses, strict=True)], axis=0)
        points = np.floor(room + reach - mean + _WHOLE).astype(np.intp)
        law = _law_of_sum(steps, self.masses, max(int(points.max()) + 1, 1))
        found = law.cumsum(axis=0)[np.maximum(points, 0), np.arange(len(points))]
        return np.where(points >= 0, found, 0.0) + _ETA

    def by_majorants(self, slack: float, degree: int) -> tuple[Array, Array]:
        """Bound the probabilities of a sum of at most `slack`, and of at least minus it.

        Narrow whatever the number of terms is, but of no use where they are small.
        """
        unit, gap = self.span * _CIRCLE, (_CIRCLE - 1) * self.span / 2
        most = max(self.lowest + self.span + gap, -slack)
        ends = [(min(self.lowest - gap, slack), slack), (-slack, most)]
        arcs = [Arc(start / unit, stop / unit) for start, stop in ends]
        places = [v / unit for v in self.values]
        places[0] = places[0] + self.constant / unit
        low, high = arc_probabilities(places, self.masses, arcs, degree)
        return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)

    def _grid(self, limit: float, n_points: int) -> tuple[float, float]:
        """Width of a grid, and how many steps a sum can gain before it is beyond the limit."""
        step = self.span / n_points
        return step, (limit - self.lowest) / step + _WHOLE

    def _quotients(self, step: float) -> list[Array]:
        """Values above the least of each term, in steps."""
        return [(v - v.min()) / step for v in self.values]


def _law_of_sum(steps: Sequence[NDArray[np.intp]], masses: Sequence[Array], n_points: int) -> Array:
    """Probability that a sum of independent whole numbers is 0, 1, ... `n_points` - 1.

    Parameters
    ----------
    steps : sequence of ndarray of int of shape (n_values,)
        Values of each summand, not negative.
    masses : sequence of ndarray of shape (n_values, m)
        Their probabilities, for each of m rows.
    n_points : int
        Larger sums are left out, and larger partial sums forgotten.

    Returns
    -------
    law : ndarray of shape (n_points, m)
    """
    law = np.zeros((n_points, masses[0].shape[1]))
    law[0], length = 1.0, 1  # from `length` on all is 0
    for i in np.argsort([values.max() for values in steps]):
        distinct, place = np.unique(steps[i], return_inverse=True)
        together = np.zeros((len(distinct), law.shape[1]))
        np.add.at(together, place, masses[i])
        convolved = np.zeros_like(law)
        for k, mass in zip(distinct.tolist(), together, strict=True):
            moved = min(length, n_points - k)
            if moved > 0:
                convolved[k : k + moved] += law[:moved] * mass
        law, length = convolved, min(n_points, length + int(distinct[-1]))
    return law
