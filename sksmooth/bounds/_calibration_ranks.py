"""Ranks of noisy copies, and of calibration rows, for prediction sets that cover under attack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sksmooth.bounds._calibration import Worst, level_of_ranks
from sksmooth.bounds._order_statistics import lower_quantile_rank

# Clean ranks that are looked at, and the smallest of them as a part of the number of copies.
_TRIED, _LOWEST_PART = 20, 0.3

# The level of calibration as a part of alpha: ranks that keep nearly all of it are the best, and
# where perturbations are large, no ranks do.
_PARTS = (0.95, 0.9, 0.8, 0.65, 0.5, 0.35, 0.2, 0.1, 0.05, 0.02)

# Ranks are chosen by the curve at so many points, interpolated between some; their level is
# computed with proof afterwards.
_POINTS, _KNOWN, _FAR = 600, 100, 5.5


@dataclass(frozen=True)
class CopyRanks:
    """How scores of noisy copies are made one score for a row, and the level of calibration.

    Attributes
    ----------
    n_copies : int
        Noisy copies of each row.
    clean : int
        Rank, from the largest, of the score of a calibration row.
    test : int
        Rank, from the largest, of the scores of a test row.
    level : float
        Of :func:`calibration_level`; 0: only sets of everything cover.
    """

    n_copies: int
    clean: int
    test: int
    level: float


def choose_copy_ranks(
    alpha: float, n_copies: int, worst: Worst, *, clean: int | None = None
) -> CopyRanks:
    """Choose ranks that lose little of alpha and of what scores tell, by the noise alone.

    Parameters
    ----------
    alpha : float
        Largest probability of a miss under attack.
    n_copies : int
        Noisy copies of each row.
    worst : callable
        From the probability of a miss to the largest at a perturbed input.
    clean : int, default=None
        Rank of calibration rows; None: chosen.

    Returns
    -------
    ranks : CopyRanks
    """
    sketch = _Sketch(alpha, n_copies, worst)
    tried = _ranks_to_try(n_copies) if clean is None else [clean]
    for part in _PARTS:
        pairs = [(k, sketch.largest_test_rank(k, part)) for k in tried]
        found = [(k, test) for k, test in pairs if test]
        if found:
            best = min(found, key=lambda pair: sketch.gap(*pair))
            break
    else:
        best = (n_copies if clean is None else clean), 1
    level = level_of_ranks(alpha, n_copies, best[0], n_copies, best[1], worst)
    return CopyRanks(n_copies, best[0], best[1], level)


def _ranks_to_try(n_copies: int) -> list[int]:
    lowest = max(1, math.ceil(_LOWEST_PART * n_copies))
    return np.unique(np.linspace(lowest, n_copies, _TRIED).round().astype(int)).tolist()


class _Sketch:
    """The curve of clean and attacked misses at some points, for choices that prove nothing."""

    def __init__(self, alpha: float, n_copies: int, worst: Worst) -> None:
        self._alpha, self._m = alpha, n_copies
        z, known = np.linspace(-_FAR, _FAR, _POINTS), np.linspace(-_FAR, _FAR, _KNOWN)
        moved = special.ndtri(np.clip(worst(special.ndtr(known)), 1e-300, 1.0 - 1e-16))
        self._z, self._moved = z, np.interp(z, known, moved)
        self._q, self._attacked = special.ndtr(z), special.ndtr(self._moved)

    def largest_test_rank(self, clean: int, part: float) -> int:
        """Return the largest rank of test rows that keeps a part of alpha; 0: none does."""
        low, high = 0, self._m + 1
        while high - low > 1:
            middle = (low + high) // 2
            keeps = self._level(clean, middle) >= part * self._alpha
            low, high = (middle, high) if keeps else (low, middle)
        return low

    def gap(self, clean: int, test: int) -> float:
        """Return how much less certain of a label a test row has to be than it is at the worst.

        In normal quantiles of the proportion of copies that score as high as the threshold.
        """
        typical, needed = (special.betaincinv(k, self._m - k + 1, 0.5) for k in (clean, test))
        moved = np.interp(-special.ndtri(typical), self._z, self._moved)
        return float(-moved - special.ndtri(needed))

    def _level(self, clean: int, test: int) -> float:
        """Approximate level of calibration."""
        g = special.betainc(self._m - clean + 1, clean, self._q)
        attacked = special.betainc(self._m - test + 1, test, self._attacked)
        return _hull_at(attacked, g, self._alpha)


def _hull_at(x: NDArray[np.float64], y: NDArray[np.float64], at: float) -> float:
    """Lower convex hull of the points (x, y), both increasing, at some abscissa; at least 0."""
    below, above = x <= at, x > at
    if not below.any():
        return 0.0
    if not above.any():
        return float(y[-1])
    # the chord through a point on either side that is lowest at the abscissa
    left, right = np.flatnonzero(below), np.flatnonzero(above)
    xl, yl, xr, yr = x[left][:, None], y[left][:, None], x[right], y[right]
    chords = yl + (at - xl) * (yr - yl) / (xr - xl)
    return max(float(chords.min()), 0.0)


def calibration_rank(n: int, level: float, *, pac_delta: float | None = None) -> int:
    """Rank of the score, from the smallest, of n exchangeable rows that is the threshold.

    Parameters
    ----------
    n : int
        Number of calibration rows.
    level : float
        Largest probability that a further row scores below the threshold.
    pac_delta : float, default=None
        Probability that the calibration rows at hand make it larger, for independent rows. None:
        it is meant on average over calibration rows.

    Returns
    -------
    rank : int
        0: even the smallest score is too large a threshold.
    """
    if level <= 0.0 or n < 1:
        return 0
    if pac_delta is not None:
        return lower_quantile_rank(n, level, pac_delta) or 0
    return min(n, math.floor(Fraction(level) * (n + 1)))  # exact


def rows_needed(level: float, *, pac_delta: float | None = None, n_poisoned: int = 0) -> int | None:
    """Smallest number of calibration rows with a threshold, at a level; None: there is none."""
    if level <= 0.0:
        return None

    def suffices(n: int) -> bool:
        return calibration_rank(n, level, pac_delta=pac_delta) > n_poisoned

    high = 1
    while not suffices(high):
        high *= 2
        if high > 10**12:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high
