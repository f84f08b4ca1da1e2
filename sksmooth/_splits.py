"""All splits of features on levels: smoothing without chance.

Everything is computed in whole steps. Feature values are the levels 0 to q, cuts lie halfway
between two of them, ``n_shifts`` steps apart, and a shift moves the cuts of all features by one
step at a time. No rounding can move a split.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth._levels import Grid
from sksmooth._rows import Rows


def count_shifts(sigma: float, n_steps: int) -> int:
    """Distance of two cuts in steps, or an error where it is less than one step."""
    n_shifts = math.floor(2 * sigma * math.sqrt(3) * n_steps)
    if n_shifts < 1:
        least = 1 / (2 * math.sqrt(3) * n_steps)
        raise ValueError(
            f"sigma={sigma!r} is less than one of n_steps={n_steps} steps, and certifies nothing. "
            f"Use sigma >= {least * 1.001:.4g}, which is in units of the feature range."
        )
    return n_shifts


# Positions of values are quotients of a few numbers of the size of the range.
_POSITION_ROUNDING = 16 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Splits:
    """Inputs as a base model sees them when every feature is cut at some shift.

    Shift number j cuts feature i at ``g ((j + offset_i) mod L)`` steps and a half, and again every
    L steps, where g is about ``0.62 L`` so that neighbouring shifts differ much. A feature that
    moves by one step meets exactly one of the L cuts.

    Attributes
    ----------
    grid : Grid
        Levels of the features.
    n_shifts : int
        Number L of shifts, the distance of two cuts in steps.
    offsets : ndarray of int of the shape of one input
        One for each feature, in [0, L).
    dtype : dtype
        Dtype of the base model's inputs.
    """

    grid: Grid
    n_shifts: int
    offsets: NDArray[np.int32]
    dtype: np.dtype[Any]

    @cached_property
    def _pieces(self) -> NDArray[Any]:
        """Value of each level (rows) under each shift of a feature with offset 0, twice over.

        In units of the range of the grid, or of X where all features have one range.
        """
        q, length = self.grid.n_steps, self.n_shifts
        shifts = np.arange(length) * stride(length) % length
        cut = 2 * shifts + 1  # in half steps
        number = -((cut - 2 * np.arange(q + 1)[:, None]) // (2 * length))
        top = np.minimum(cut + 2 * length * number, 2 * q)
        bottom = np.maximum(cut + 2 * length * (number - 1), 0)
        middle = (top + bottom) / (4 * q)
        if self.grid.low.ndim == 0:
            middle = self.grid.at(middle * q)
        return np.concatenate([middle, middle], axis=1).astype(self.dtype)

    def perturb(self, levels: NDArray[Any], shifts: NDArray[Any]) -> NDArray[Any]:
        r"""Split every input by consecutive shifts.

        Parameters
        ----------
        levels : ndarray of int of shape (m, \*shape)
            Inputs.
        shifts : ndarray of int of shape (n,)
            Consecutive numbers of shifts.

        Returns
        -------
        split : ndarray of shape (m, n, \*shape)
        """
        n, shape = len(shifts), levels.shape[1:]
        windows = np.lib.stride_tricks.sliding_window_view(self._pieces, n, axis=1)
        starts = (self.offsets.ravel() + shifts[0]) % self.n_shifts
        by_feature = windows[levels.reshape(len(levels), -1).T, starts[:, None]]
        split = np.moveaxis(by_feature, 0, -1)
        return self._in_units_of_x(split.reshape(len(levels), n, *shape))

    def apply(self, levels: NDArray[Any], shifts: NDArray[Any]) -> NDArray[Any]:
        """Split each input by a shift of its own."""
        starts = (self.offsets + shifts.reshape(-1, *[1] * self.offsets.ndim)) % self.n_shifts
        return self._in_units_of_x(self._pieces[levels, starts])

    def _in_units_of_x(self, split: NDArray[Any]) -> NDArray[Any]:
        if self.grid.low.ndim:
            split *= (self.grid.high - self.grid.low).astype(self.dtype)
            split += self.grid.low.astype(self.dtype)
        return split


def stride(length: int) -> int:
    """Return the number nearest to the golden section of `length` that has no factor with it."""
    wanted = 0.6180339887498949 * length
    candidates = [n for n in range(1, length + 1) if math.gcd(n, length) == 1]
    return min(candidates, key=lambda n: abs(n - wanted))


@dataclass(frozen=True)
class ShiftStream:
    """All shifts, in order: draws without chance.

    Attributes
    ----------
    noise : Splits
        Applies them.
    """

    noise: Splits

    @property
    def block_size(self) -> int:
        """Fewest shifts that are worth a call."""
        return min(64, self.noise.n_shifts)

    def take(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the shifts numbered `start` to `stop` - 1."""
        return np.arange(start, stop)


@dataclass(frozen=True)
class RandomShifts:
    """Shifts chosen at random, one for each copy of a training row.

    Attributes
    ----------
    noise : Splits
        Applies them.
    seed : int or sequence of int
        Entropy.
    """

    noise: Splits
    seed: Any

    def take(self, start: int, stop: int) -> NDArray[np.int64]:
        """Return the shifts of the copies numbered `start` to `stop` - 1."""
        rng = np.random.default_rng(self.seed)
        return rng.integers(self.noise.n_shifts, size=stop)[start:]


def safe_steps(
    counts: NDArray[Any], winner: NDArray[np.intp], n_open: int = 0, unit: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how many steps cannot change the class, from the votes of shifts.

    Parameters
    ----------
    counts : ndarray of int of shape (m, n_classes)
        Votes, in units of which `unit` make one vote.
    winner : ndarray of int of shape (m,)
        Class of each row.
    n_open : int, default=0
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


class Margins:
    """From numbers of steps that change nothing to radii.

    Parameters
    ----------
    grid : Grid
        Levels.
    rows : Rows of length m
        Inputs, before they were rounded to levels.
    perturbation : {"grid", "real"}
        What may be made of them.
    most : int
        Largest number of steps.
    """

    def __init__(self, grid: Grid, rows: Rows, perturbation: str, most: int) -> None:
        self._real = perturbation == "real"
        if not (self._real or grid.is_level(rows.values, rows.dtype).all()):
            raise ValueError(
                "Some values of X are not levels, so no perturbation of these rows stays on the "
                "grid. Ask for perturbation='real'."
            )
        self._lengths = grid.steps_within(most + 1)
        self._to_border = _half_steps(grid, rows)

    def radius(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Radius in the units of X, never rounded up, of rows with so many safe steps."""
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


def _half_steps(grid: Grid, rows: Rows) -> NDArray[np.float64]:
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
