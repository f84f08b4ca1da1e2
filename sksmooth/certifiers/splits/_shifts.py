"""Splits of features on levels, by all shifts of the cuts.

Everything is computed in whole steps. Feature values are the levels 0 to q, cuts lie halfway
between two of them, ``n_shifts`` steps apart, and a shift moves the cuts of all features by one
step at a time. No rounding can move a split.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.certifiers.splits._grid import Grid
from sksmooth.engine._streams import DrawStream, Purpose
from sksmooth.inputs._containers import Inputs
from sksmooth.noise import SplittingNoise

# Shifts at random that share one seed.
_SHIFTS_OF_BLOCK = 2**16

# Shifts, and entries of the table of pieces (2 GB), that are refused beyond; shifts that are warned
# of, in all and for each step.
_MOST_SHIFTS, _MOST_ENTRIES = 2**17, 2**28
_MANY_SHIFTS, _RARELY_CUT = 10_000, 20


def count_shifts(sigma: float, grid: Grid) -> int:
    """Distance of two cuts in steps: number of shifts, and of calls of the base model for each row.

    Parameters
    ----------
    sigma : float
        Size of the noise, where the range of the features is 1.
    grid : Grid
        Levels.

    Returns
    -------
    n_shifts : int

    Raises
    ------
    ValueError
        If they are too few to prove anything, or more than anyone would wait for.

    Warns
    -----
    UserWarning
        If they are many, or features are hardly ever cut.
    """
    n_steps = grid.n_steps
    of_one = 2 * math.sqrt(3) * n_steps
    n_shifts = min(2 * float(sigma) * math.sqrt(3) * n_steps, 1e18) // 1
    if n_shifts < 2:
        raise ValueError(
            f"sigma={sigma!r} is too small for n_steps={n_steps} steps: it makes fewer than two "
            f"shifts of the cuts, which prove nothing. Use sigma >= {3.003 / of_one:.4g}, which is "
            "in units of the feature range."
        )
    most = min(_MOST_SHIFTS, _MOST_ENTRIES // (2 * (n_steps + 1)))
    many = min(_MANY_SHIFTS, _RARELY_CUT * n_steps, most)
    if n_shifts <= many:
        return int(n_shifts)
    in_range = float(sigma) / float((grid.high - grid.low).max())
    unit = " It is in units of the feature range"
    unit += f"; if it was meant in those of X, use {in_range:.4g}."
    advice = unit if 3 <= in_range * of_one <= many else ""
    if n_shifts > most:
        raise ValueError(
            f"sigma={sigma!r} makes {n_shifts:,.6g} shifts for n_steps={n_steps} steps, each of "
            f"them a call of the base model for every row; {most:,} are the most. Use sigma <= "
            f"{0.999 * most / of_one:.4g}, or fewer steps.{advice}"
        )
    warnings.warn(
        f"sigma={sigma!r} makes {n_shifts:,.0f} calls of the base model for every row, and each "
        f"feature is cut in {n_steps:,} of them.{advice}",
        stacklevel=4,
    )
    return int(n_shifts)


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

    def __getstate__(self) -> dict[str, Any]:
        """Other processes cut for themselves."""
        return {name: value for name, value in vars(self).items() if name != "_pieces"}

    @property
    def lam(self) -> float:
        """Half the distance of two cuts, where the range of the features is 1."""
        return self.n_shifts / (2 * self.grid.n_steps)

    @property
    def law(self) -> SplittingNoise:
        """Noise whose cuts are at random as far apart as here, where that range is 1."""
        return SplittingNoise(self.lam / math.sqrt(3))

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

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Choose shifts at random, one for each of n inputs."""
        return rng.integers(self.n_shifts, size=(n, *shape))

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
    """All shifts, in order.

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
class ShiftStreams:
    """Shifts for every purpose: at random for training, else all of them in order.

    Attributes
    ----------
    splits : Splits
        Applies them.
    seed : int
        Entropy of the shifts at random.
    """

    splits: Splits
    seed: int
    lattice: ClassVar[None] = None  # levels are whole numbers, and shifts of them are exact

    @property
    def noise(self) -> Splits:
        """What the shifts are applied by."""
        return self.splits

    def of(self, purpose: Purpose, inputs: Inputs) -> Any:
        """Return the shifts of a purpose."""
        if purpose != Purpose.AUGMENTATION:
            return ShiftStream(self.splits)
        source: Any = self.splits
        return DrawStream(
            source, self.seed, purpose, (), np.dtype(np.int64), most_per_block=_SHIFTS_OF_BLOCK
        )
