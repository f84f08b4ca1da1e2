"""Intervals of numbers that cover under perturbations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sksmooth.certifiers.conformal._interval_scores import Intervals
from sksmooth.certifiers.conformal._rank_rule import RankRule
from sksmooth.engine._copies import CopySampler

Array = NDArray[np.float64]


@dataclass(frozen=True)
class NumberIntervals:
    """Calibrates thresholds, and predicts intervals.

    Attributes
    ----------
    sampler : CopySampler
        Of intervals: lower end, upper end and scale.
    rule : RankRule
        Ranks and levels.
    """

    sampler: CopySampler
    rule: RankRule

    def calibrate(self, y: Array) -> Array:
        """Return thresholds, of shape (n_levels,), from inputs with their numbers y."""
        scores = self.sampler.by_position(partial(_of_number, self.rule), y)
        return self.rule.thresholds(np.concatenate(scores))

    def predict(self, thresholds: Array) -> tuple[Array, Array]:
        """Return middles, and intervals.

        Parameters
        ----------
        thresholds : ndarray of shape (n_levels,)
            Of :meth:`calibrate`.

        Returns
        -------
        middles : ndarray of shape (m,)
            Medians of the middles of the intervals of all copies.
        intervals : ndarray of shape (m, 2, n_levels)
            NaN where they are empty.
        """
        parts = self.sampler.by_content(partial(_interval_of, self.rule, thresholds))
        middles, intervals = (np.concatenate(some) for some in zip(*parts, strict=True))
        return middles, intervals

    def middles(self) -> Array:
        """Medians of the middles of the intervals of all copies."""
        return np.concatenate(self.sampler.by_content(_middles))


def _of_number(rule: RankRule, outputs: Array, y: Array) -> Array:
    """Scores of the true numbers, one for each level."""
    return rule.clean_scores(Intervals(*np.moveaxis(outputs, 2, 0)).scores(y[:, None]))


def _middles(outputs: Array) -> Array:
    return np.asarray(np.median(outputs[:, :, 0] / 2 + outputs[:, :, 1] / 2, axis=1))


def _interval_of(rule: RankRule, thresholds: Array, outputs: Array) -> tuple[Array, Array]:
    of_copies = Intervals(*np.moveaxis(outputs, 2, 0))
    found = np.empty((len(outputs), 2, len(thresholds)))
    for i, (ranks, threshold) in enumerate(zip(rule.levels, thresholds.tolist(), strict=True)):
        if threshold == -np.inf:
            found[:, :, i] = -np.inf, np.inf
        else:
            found[:, :, i] = shared_by(ranks.test, *of_copies.grown(-threshold))
    return _middles(outputs), found


def shared_by(n: int, low: Array, high: Array) -> Array:
    """Return the hull of the points that lie in at least n of some closed intervals.

    Parameters
    ----------
    n : int
        At least 1.
    low, high : ndarray of shape (m, n_intervals)
        Ends; an interval whose lower end is above the other one is empty.

    Returns
    -------
    hull : ndarray of shape (m, 2)
        NaN where there is no such point.
    """
    ends = np.concatenate([low, high], axis=1)
    is_one = (low <= high).astype(int)
    steps = np.concatenate([is_one, -is_one], axis=1)
    order = np.argsort(ends, axis=1, kind="stable")  # of equal ends, intervals begin first
    ends, steps = (np.take_along_axis(some, order, axis=1) for some in (ends, steps))
    count = steps.cumsum(axis=1)
    begins, ceases = count >= n, (count - steps >= n) & (steps < 0)
    rows, last = np.arange(len(ends)), ends.shape[1] - 1
    hull = np.column_stack(
        [ends[rows, begins.argmax(axis=1)], ends[rows, last - ceases[:, ::-1].argmax(axis=1)]]
    )
    return np.where(begins.any(axis=1, keepdims=True), hull, np.nan)
