"""From the votes of all shifts to steps that change nothing, and from steps to radii."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certifiers.splits._grid import Grid
from sksmooth.inputs._containers import Inputs

# Positions of values are quotients of a few numbers of the size of the range.
_POSITION_ROUNDING = 16 * float(np.finfo(np.float64).eps)


def safe_steps(
    counts: NDArray[Any], winner: NDArray[np.intp], n_open: Any = 0, unit: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many steps cannot change the class, from the votes of shifts.

    Parameters
    ----------
    counts : ndarray of int of shape (m, n_classes)
        Votes, in units of which `unit` make one vote.
    winner : ndarray of int of shape (m,)
        Class of each row.
    n_open : int or ndarray of int of shape (m,), default=0
        Number of shifts whose votes are not in yet.
    unit : int, default=1
        Size of one vote.

    Returns
    -------
    least, most : ndarray of int of shape (m,)
        Of the number of steps D that is known in the end, whatever the open votes are. Negative
        where the winner may still lose.

    Notes
    -----
    One step changes the vote of one shift, so that the lead over a class B shrinks by two at
    most, and ties go to the first class (Levine and Feizi 2021, Theorem 2):
    ``D = min_B floor((n_A - n_B - [B < A]) / 2)``.
    """
    n_classes = counts.shape[1]
    if n_classes == 1:
        endless = np.full(len(counts), np.iinfo(np.int64).max)
        return endless, endless
    lead = np.take_along_axis(counts, winner[:, None], axis=1) - counts
    lead = lead - (np.arange(n_classes) < winner[:, None])
    np.put_along_axis(lead, winner[:, None], np.iinfo(np.int64).max, axis=1)
    least = lead.min(axis=1)
    return (least - n_open * unit) // (2 * unit), (least + n_open * unit) // (2 * unit)


class StepRadii:
    """From numbers of steps that change nothing to radii.

    Parameters
    ----------
    grid : Grid
        Levels.
    rows : Inputs of length m
        Inputs, before they were rounded to levels.
    perturbation : {"grid", "real"}
        What may be made of them.
    most : int
        Largest number of steps.
    in_ranges : bool, default=False
        Whether radii are sums of parts of the range of each feature, instead of lengths in the
        units of X, in which a step counts as the shortest of all.

    Attributes
    ----------
    perturbation : str
        As given.
    """

    def __init__(
        self, grid: Grid, rows: Inputs, perturbation: str, most: int, *, in_ranges: bool = False
    ) -> None:
        self.perturbation = perturbation
        self._real = perturbation == "real"
        if not (self._real or grid.is_level(rows.values, rows.dtype).all()):
            raise ValueError(
                "Some values of X are not levels, so no perturbation of these rows stays on the "
                "grid. Ask for perturbation='real'."
            )
        measured = Grid(np.array(0.0), np.array(1.0), grid.n_steps) if in_ranges else grid
        self._lengths = measured.steps_within(most + 1)
        self._to_border = _half_steps(grid, rows)

    def radius(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Radius, never rounded up, of rows with so many safe steps."""
        steps = np.minimum(steps, len(self._lengths) - 2)
        if not self._real:
            return self._lengths[steps]
        last = self._to_border.shape[1] - 1
        near = np.take_along_axis(self._to_border, np.minimum(steps, last)[:, None], axis=1)
        total = near[:, 0] + np.maximum(steps - last, 0)
        return np.maximum(total * self._lengths[1] * (1 - 1e-12), 0.0)

    def steps_for(self, radius: NDArray[np.float64]) -> NDArray[np.int64]:
        """Fewest safe steps that prove a radius, if only 0; one more than there are if none do."""
        m, most = len(radius), len(self._lengths) - 2
        low, high = np.zeros(m, int), np.full(m, most + 1)
        while (low < high).any():
            middle = (low + high) // 2
            proven = self.radius(np.minimum(middle, most))
            enough = (middle > most) | ((proven >= radius) & (proven > 0))
            high = np.where((low < high) & enough, middle, high)
            low = np.where((low < high) & ~enough, middle + 1, low)
        return low


def _half_steps(grid: Grid, rows: Inputs) -> NDArray[np.float64]:
    """Sum up the shortest ways of so many features to another level, in steps, rounded down.

    A feature moves to another level after half a step, or less where it is not quite on a level.
    """
    position = grid.position(rows.values).reshape(len(rows), -1)
    away = 0.5 - np.abs(position - np.rint(position))
    outside = np.maximum(-position, position - grid.n_steps)
    away = np.where(outside > 0, outside + 0.5, away) - _POSITION_ROUNDING * grid.n_steps
    away = np.sort(away, axis=1)
    away[:, 1:] = np.minimum(away[:, 1:], 1.0)  # or one more step of the first
    return np.cumsum(away, axis=1)
