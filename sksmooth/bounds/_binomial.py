"""Tails of the binomial distribution, and the probabilities at which they reach a level.

The inverse beta functions of scipy are wrong by up to a sixth where 999 of 10^9 trials fail. So
what they return is a guess here, and a probability is returned only where the tail proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

# Relative errors of the tails below against 50-digit arithmetic, up to 10^12 trials and levels from
# 0.5 to 1e-99: below 1e-12, and below 2e-16 for each success or failure, whichever are fewer.
_TAIL_ERROR, _TAIL_ERROR_PER_CASE = 4e-12, 4e-16

# Probabilities are found to this relative distance, and upper ones to the distance of floats that
# are differences from 1.
_STEP, _GRID = 4e-12, 2.0**-53


def at_most(k: Any, n: Any, q: Any) -> Any:
    """Return the probability of at most k < n successes among n trials that fail with q."""
    return special.betainc(n - k, k + 1.0, q)


def at_least(k: Any, n: Any, p: Any) -> Any:
    """Return the probability of at least k > 0 successes among n trials that succeed with p."""
    return special.betainc(k, n - k + 1.0, p)


def proven_level(k: Any, n: Any, alpha: Any) -> Any:
    """Level that a computed tail has to keep so that the exact one keeps alpha."""
    return alpha * (1.0 - (_TAIL_ERROR + _TAIL_ERROR_PER_CASE * np.minimum(k, n - k)))


def smallest_upper(k: NDArray[Any], n: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Smallest p, from above, with ``at_most(k, n, 1 - p) <= alpha``, for 0 <= k < n."""
    level = proven_level(k, n, alpha)
    bounds = _Bounds(lambda k, n, p: at_most(k, n, 1.0 - p), k, n, level, 1, _GRID)
    return bounds.near(special.betainccinv(k + 1.0, n - k, level))


def largest_lower(k: NDArray[Any], n: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Largest p, from below, with ``at_least(k, n, p) <= alpha``, for 0 < k <= n."""
    level = proven_level(k, n, alpha)
    bounds = _Bounds(at_least, k, n, level, -1, 0.0)
    return bounds.near(special.betaincinv(k, n - k + 1.0, level))


@dataclass(frozen=True)
class _Bounds:
    """Probabilities, upwards (1) or downwards (-1) of which tails keep their levels."""

    tail: Callable[[Any, Any, Any], Any]
    k: NDArray[Any]
    n: NDArray[Any]
    level: NDArray[Any]
    outwards: int
    grid: float

    def near(self, guess: NDArray[Any]) -> NDArray[Any]:
        """Return bounds that are proven, but no longer two steps further inwards.

        Nearly all guesses lie within one step of their bounds. Whether a tail exceeds its level two
        steps inwards is known from its largest term: the logarithm of the tail has the larger
        derivative, and that of the term has ``(k - n p) / (p (1 - p))``.
        """
        guess = np.where((guess > 0) & (guess < 1), guess, (self.k + 0.5) / (self.n + 1.0))
        reach = self.outwards * self._step(guess)
        bound = self._rounded(guess + reach)
        mass = self.tail(self.k, self.n, bound)
        growth = 2.0 * np.abs(reach * (self.n - self.k / guess)) / (1.0 - guess)
        far = np.flatnonzero((mass > self.level) | (mass * (1.0 + growth) <= self.level))
        if len(far):
            self._search(guess, reach, bound, far)
        return bound

    def _search(
        self, guess: NDArray[Any], reach: NDArray[Any], outer: NDArray[Any], far: NDArray[np.intp]
    ) -> None:
        """Double some steps until two of them enclose the bound, and halve what is between."""
        inner, at = self._rounded(guess - reach), far
        while len(at := at[~self._is_proven(outer[at], at)]):
            reach[at] *= 2
            inner[at], outer[at] = outer[at], self._rounded(guess[at] + reach[at])
        at = far
        while len(at := at[self._is_proven(inner[at], at)]):
            reach[at] *= 2
            inner[at], outer[at] = self._rounded(guess[at] - reach[at]), inner[at]
        at = far
        while len(at := at[np.abs(outer[at] - inner[at]) > 2 * self._step(outer[at])]):
            middle = self._rounded((inner[at] + outer[at]) / 2)
            proven = self._is_proven(middle, at)
            outer[at[proven]], inner[at[~proven]] = middle[proven], middle[~proven]

    def _is_proven(self, p: NDArray[Any], at: NDArray[np.intp]) -> Any:
        return self.tail(self.k[at], self.n[at], p) <= self.level[at]

    def _step(self, p: NDArray[Any]) -> Any:
        return np.maximum(_STEP * p, self.grid)

    def _rounded(self, p: NDArray[Any]) -> Any:
        p = np.minimum(np.maximum(p, 0.0), 1.0)
        return 1.0 - (1.0 - p) if self.grid else p
