"""Upper bounds of the probability that a sum of independent terms lies in an interval.

A trigonometric polynomial that is 1 or more on an arc of a circle, and nowhere negative, has a mean
under any law of at least the probability of the arc. Its mean under the law of a sum is known from
the characteristic functions of the terms, whose values need not lie on any grid. Selberg's
polynomial of degree N exceeds the indicator of the arc by 1 / (N + 1) of the circle in all,
whatever the number of terms is; rounding every term to a grid of N points costs half a step for
each term. Far from the arc it falls off with the square of the distance only, so that it is of no
use for small probabilities.

References
----------
.. [1] Vaaler, J. D. (1985). Some extremal functions in Fourier analysis. Bulletin of the AMS 12,
   183-216. Graham, S. W. and Kolesnik, G. (1991). Van der Corput's method of exponential sums,
   Theorem A.6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Frequencies that are held at a time.
_FREQUENCIES_AT_ONCE = 256

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Arc:
    """Arc of the circle of length 1.

    Attributes
    ----------
    start, stop : float
        Ends.
    """

    start: float
    stop: float

    def coefficients(self, n: Array, degree: int) -> NDArray[np.complex128]:
        """Fourier coefficients, at positive frequencies, of Selberg's majorant of the arc."""
        t = n / (degree + 1)
        smooth = np.pi * t * (1 - t) / np.tan(np.pi * t) + t
        start, stop = _turned(-n * self.start), _turned(-n * self.stop)
        sawtooth = smooth / (2j * np.pi * n) * (start - stop)
        coefficients: NDArray[np.complex128] = sawtooth + (1 - t) / (2 * degree + 2) * (
            start + stop
        )
        return coefficients


def _turned(angle: Array) -> NDArray[np.complex128]:
    """Points on the unit circle, for angles in turns."""
    turned: NDArray[np.complex128] = np.exp(2j * np.pi * (angle - np.rint(angle)))
    return turned


def arc_probabilities(
    places: Sequence[Array], masses: Sequence[Array], arcs: Sequence[Arc], degree: int
) -> list[Array]:
    """Upper bounds of the probability that a sum lies on arcs.

    Parameters
    ----------
    places : sequence of ndarray of shape (n_values,)
        Values of each term of the sum, on the circle of length 1.
    masses : sequence of ndarray of shape (n_values, m)
        Their probabilities, for each of m rows.
    arcs : sequence of Arc
        What the sum is to lie on.
    degree : int
        Number of frequencies.

    Returns
    -------
    bounds : list of ndarray of shape (m,)
        For each arc; rounded up, not above 1 but for rounding.
    """
    bounds = [np.full(masses[0].shape[1], arc.stop - arc.start + 1 / (degree + 1)) for arc in arcs]
    for first in range(1, degree + 1, _FREQUENCIES_AT_ONCE):
        n = np.arange(first, min(first + _FREQUENCIES_AT_ONCE, degree + 1), dtype=float)
        characteristic = np.ones((len(n), masses[0].shape[1]), complex)
        for place, mass in zip(places, masses, strict=True):
            phases = _turned(n[:, None] * place)
            factor = np.empty_like(characteristic)
            factor.real, factor.imag = phases.real @ mass, phases.imag @ mass
            characteristic *= factor
        for bound, arc in zip(bounds, arcs, strict=True):
            bound += 2 * (arc.coefficients(n, degree) @ characteristic).real
    # A product of n and a place is off by half a unit in its last place, at most, and so on.
    error = 32 * _EPS * (len(places) + 4) * degree * (2 + math.log(degree))
    return [bound + error for bound in bounds]
