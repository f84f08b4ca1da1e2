"""Certificates from all shifts of the cuts: how many steps change nothing is read off the votes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates import ClassificationCertificate
from sksmooth.certifiers.splits._radii import StepRadii, safe_steps
from sksmooth.certifiers.splits._shifts import Splits
from sksmooth.engine._counting import VoteCounter
from sksmooth.engine._streams import Purpose

Counts = NDArray[np.int64]

# Where the answer may be known early, it is looked for when this part of the shifts is done.
_LOOKS = (1 / 8, 1 / 4, 1 / 2, 3 / 4, 1)

# Differences in the last bits between calls of different size may reach this many units of a
# probability sum, for each shift.
_UNITS_OF_ROUNDING = 2


@dataclass(frozen=True)
class SplitCertifier:
    """Certifies the class with the most votes among all shifts of an input.

    Attributes
    ----------
    counter : VoteCounter
        Voter, inputs as levels, and the streams of their shifts.
    classes : ndarray of shape (n_classes,)
        Labels.
    unit : int, default=1
        What the counter counts for one vote. More than 1: probabilities, in such units, which are
        known up to their rounding.
    """

    counter: VoteCounter
    classes: NDArray[Any]
    unit: int = 1

    @property
    def splits(self) -> Splits:
        """What the base model sees of an input under each shift."""
        splits: Splits = self.counter.streams.splits
        return splits

    def predict(self) -> NDArray[Any]:
        """Class of every input; it takes no more shifts than decide that."""
        counts, _ = self._count(np.zeros(len(self.counter.inputs), np.int64))
        return self.classes[counts.argmax(axis=1)]

    def probabilities(self) -> NDArray[np.float64]:
        """Proportions of the votes of all shifts, of shape (m, n_classes)."""
        counts, _ = self._count()
        proportions: NDArray[np.float64] = counts / (self.unit * self.splits.n_shifts)
        return proportions

    def certify(
        self, radii: StepRadii, target: NDArray[np.float64] | None
    ) -> ClassificationCertificate:
        """How far every input can move, or whether that is as far as asked for.

        Parameters
        ----------
        radii : StepRadii
            What numbers of steps mean.
        target : ndarray of shape (m,) or None
            Radius to decide on: an input takes no more shifts once it is decided.

        Returns
        -------
        certificate : ClassificationCertificate
        """
        n_shifts = self.splits.n_shifts
        counts, n_done = self._count(None if target is None else radii.steps_for(target))
        winner = counts.argmax(axis=1)
        least, _ = self._safe_steps(counts, winner, n_shifts - n_done)
        votes = np.take_along_axis(counts, winner[:, None], axis=1)[:, 0] / self.unit
        proportion = np.clip(np.nextafter(votes / n_shifts, 0.0), 0.0, 1.0)
        counted: Any = counts if self.unit == 1 else counts / self.unit
        return ClassificationCertificate(
            prediction=self.classes[winner],
            radius=radii.radius(np.maximum(least, 0)),
            p_lower=proportion,
            p_upper=1.0 - proportion,
            counts=counted,
            n_draws=n_done,
            classes=self.classes,
            norm=1,
            budget=None,
            noise=self.splits.law,
            n_features=self.counter.inputs.n_features,
            target_radius=target,
            perturbed=radii.perturbation,
        )

    def _count(self, wanted: NDArray[np.int64] | None = None) -> tuple[Counts, Counts]:
        """Votes of the shifts of each input, and their number.

        With `wanted`, an input stops when its class is known, and whether so many steps are safe.
        """
        m, n_shifts = len(self.counter.inputs), self.splits.n_shifts
        stops = [n_shifts] if wanted is None else sorted({math.ceil(s * n_shifts) for s in _LOOKS})
        counts, done = np.zeros((m, len(self.classes)), np.int64), np.zeros(m, np.int64)
        still_open, start = np.arange(m), 0
        for stop in stops:
            counts[still_open] += self.counter.count(
                Purpose.ESTIMATION,
                stop - start,
                first_draw=start,
                positions=still_open,
                label="splitting",
            )
            done[still_open], start = stop, stop
            if wanted is not None and stop < n_shifts:
                known = self._is_known(counts[still_open], wanted[still_open], n_shifts - stop)
                still_open = still_open[~known]
            if not len(still_open):
                break
        return counts, done

    def _is_known(self, counts: Counts, wanted: Counts, n_open: int) -> NDArray[np.bool_]:
        """Whether open votes can change neither the class nor the answer."""
        least, most = self._safe_steps(counts, counts.argmax(axis=1), n_open)
        known: NDArray[np.bool_] = (least >= 0) & ((least >= wanted) | (most < wanted))
        return known

    def _safe_steps(
        self, counts: Counts, winner: NDArray[np.intp], n_open: Any
    ) -> tuple[Counts, Counts]:
        """Return steps that change nothing, with room for the rounding of sums of probabilities."""
        if self.unit == 1:
            return safe_steps(counts, winner, n_open)
        counts = counts.copy()
        counts[np.arange(len(counts)), winner] -= 2 * _UNITS_OF_ROUNDING * self.splits.n_shifts
        least, most = safe_steps(counts, winner, n_open, self.unit)
        return np.where(n_open == 0, np.maximum(least, 0), least), most
