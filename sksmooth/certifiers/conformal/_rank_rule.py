"""The rank rule: one score for the noisy copies of a row, and thresholds from calibration rows.

Rows of calibration and the test row are exchangeable, and each has noise of its own, so sampling
error is part of a score that is exchangeable, and no confidence bound is needed. What a
perturbation can do to the probability that a copy misses is known from the noise alone
(:func:`sksmooth.bounds.calibration_level`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.bounds._calibration_ranks import CopyRanks, calibration_rank, rows_needed


@dataclass(frozen=True)
class RankRule:
    """Ranks and levels, and what the guarantee is to cover besides.

    Attributes
    ----------
    levels : tuple of CopyRanks
        One for each confidence level.
    pac_delta : float or None
        Probability that the calibration rows at hand are misleading. None: coverage is meant on
        average over calibration rows.
    n_poisoned : int
        Number of calibration rows that may have been replaced by anything.
    """

    levels: tuple[CopyRanks, ...]
    pac_delta: float | None = None
    n_poisoned: int = 0

    def clean_scores(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores of calibration rows: one for each level, from those of copies along axis 1."""
        return ranked(scores, [level.clean for level in self.levels])

    def test_scores(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores of test rows: one for each level, from those of copies along axis 1."""
        return ranked(scores, [level.test for level in self.levels])

    def thresholds(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Thresholds from the scores of calibration rows.

        Parameters
        ----------
        scores : ndarray of shape (n, n_levels)
            Of :meth:`clean_scores`.

        Returns
        -------
        thresholds : ndarray of shape (n_levels,)
            Minus infinity where there are too few rows for any other.
        """
        found = np.full(len(self.levels), -np.inf)
        for i, ranks in enumerate(self.levels):
            rank = calibration_rank(len(scores), ranks.level, pac_delta=self.pac_delta)
            if rank > self.n_poisoned:
                place = rank - self.n_poisoned - 1
                found[i] = np.partition(scores[:, i], place)[place]
        return found

    def rows_needed(self) -> list[int | None]:
        """Numbers of calibration rows below which sets hold everything; None: they always do."""
        return [
            rows_needed(ranks.level, pac_delta=self.pac_delta, n_poisoned=self.n_poisoned)
            for ranks in self.levels
        ]


def ranked(scores: NDArray[Any], ranks: list[int]) -> NDArray[Any]:
    """Return scores of some ranks, from the largest, along axis 1, which becomes that of ranks."""
    n = scores.shape[1]
    places = [n - rank for rank in ranks]
    return np.asarray(np.partition(scores, sorted(set(places)), axis=1)[:, places])
