"""Tails of the binomial distribution, and the probabilities at which they reach a level.

The inverse beta functions of scipy are wrong by up to a sixth where 999 of 10^9 trials fail. So
what they return is a guess here, and a probability is returned only where the tail proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Tail = Callable[[Any, Any, Any], Any]

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
    guess = _inside(special.betainccinv(k + 1.0, n - k, level), k, n)

    def is_proven(p: Any, at: Any) -> Any:
        return at_most(k[at], n[at], 1.0 - p) <= level[at]

    return _proven(is_proven, guess, 1, _GRID)


def largest_lower(k: NDArray[Any], n: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Largest p, from below, with ``at_least(k, n, p) <= alpha``, for 0 < k <= n."""
    level = proven_level(k, n, alpha)
    guess = _inside(special.betaincinv(k, n - k + 1.0, level), k, n)

    def is_proven(p: Any, at: Any) -> Any:
        return at_least(k[at], n[at], p) <= level[at]

    return _proven(is_proven, guess, -1, 0.0)


def _inside(guess: NDArray[Any], k: NDArray[Any], n: NDArray[Any]) -> NDArray[Any]:
    return np.where((guess > 0) & (guess < 1), guess, (k + 0.5) / (n + 1.0))


def _proven(
    is_proven: Callable[[Any, Any], Any], guess: NDArray[Any], outwards: int, grid: float
) -> NDArray[Any]:
    """Move guesses to where they are proven, but no two steps further.

    Nearly all guesses lie within one step of where the tail crosses its level. From the others the
    steps are doubled until two of them enclose it; then the distance between these is halved.
    """

    def step(p: NDArray[Any]) -> Any:
        return np.maximum(_STEP * p, grid)

    def rounded(p: NDArray[Any]) -> Any:
        p = np.minimum(np.maximum(p, 0.0), 1.0)
        return 1.0 - (1.0 - p) if grid else p

    reach = outwards * step(guess)
    inner, outer = rounded(guess - reach), rounded(guess + reach)
    near = is_proven(outer, slice(None)) & ~is_proven(inner, slice(None))
    at = far = np.flatnonzero(~near)
    while len(at := at[~is_proven(outer[at], at)]):
        reach[at] *= 2
        inner[at], outer[at] = outer[at], rounded(guess[at] + reach[at])
    at = far
    while len(at := at[is_proven(inner[at], at)]):
        reach[at] *= 2
        inner[at], outer[at] = rounded(guess[at] - reach[at]), inner[at]
    at = far
    while len(at := at[np.abs(outer[at] - inner[at]) > 2 * step(outer[at])]):
        middle = rounded((inner[at] + outer[at]) / 2)
        proven = is_proven(middle, at)
        outer[at[proven]], inner[at[~proven]] = middle[proven], middle[~proven]
    return outer
