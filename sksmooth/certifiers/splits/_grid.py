"""Features that live on levels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.inputs._containers import Inputs

# Floats this many units in the last place from a level stand for it.
_ROUNDING_UNITS = 8


@dataclass(frozen=True)
class Grid:
    """Levels of every feature: equally spaced, or any that all features share.

    Attributes
    ----------
    low, high : ndarray of shape () or of the shape of one input
        First and last level, in the units of X.
    n_steps : int
        Number of steps between them.
    levels : ndarray of shape (n_steps + 1,) or None
        The levels, where their distances differ.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n_steps: int
    levels: NDArray[np.float64] | None = None

    def at(self, position: NDArray[Any]) -> NDArray[np.float64]:
        """Return the values at so many steps from the first level, also between levels."""
        if self.levels is not None:
            return np.interp(position, np.arange(len(self.levels)), self.levels)
        value: NDArray[np.float64] = self.low + (self.high - self.low) * (position / self.n_steps)
        return value

    def position(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return where values lie, in steps from the first level; beyond the ends, in the last."""
        values = values.astype(float)
        if self.levels is None:
            steps: NDArray[np.float64] = (values - self.low) / (
                (self.high - self.low) / self.n_steps
            )
            return steps
        first, last = self.levels[1] - self.levels[0], self.levels[-1] - self.levels[-2]
        inside = np.interp(values, self.levels, np.arange(len(self.levels)))
        before = np.minimum(values - self.low, 0.0) / first
        beyond = np.maximum(values - self.high, 0.0) / last
        return inside + before + beyond

    def nearest(self, values: NDArray[Any]) -> NDArray[np.int32]:
        """Return the level nearest to each value."""
        return np.clip(np.rint(self.position(values)), 0, self.n_steps).astype(np.int32)

    def is_level(self, values: NDArray[Any], dtype: DTypeLike) -> NDArray[np.bool_]:
        """Whether values are levels, up to their rounding."""
        exact = self.at(self.nearest(values))
        size = np.maximum(np.abs(exact), np.maximum(np.abs(self.low), np.abs(self.high)))
        near: NDArray[np.bool_] = np.abs(values.astype(float) - exact) <= (
            _ROUNDING_UNITS * np.finfo(dtype).eps * size
        )
        return near

    def steps_within(self, n_steps: int) -> NDArray[np.float64]:
        """Length of 0 to `n_steps` of the shortest steps, in the units of X, rounded down."""
        if self.levels is None:
            low, high = (a.ravel() for a in np.broadcast_arrays(self.low, self.high))
            shortest = _shortest(low, high) / self.n_steps
        else:
            shortest = _shortest(self.levels[:-1], self.levels[1:])
        return np.array([_rounded_down(shortest * n) for n in range(n_steps + 1)])


def _shortest(low: NDArray[np.float64], high: NDArray[np.float64]) -> Fraction:
    return min(Fraction(float(b)) - Fraction(float(a)) for a, b in zip(low, high, strict=True))


def _rounded_down(value: Fraction) -> float:
    rounded = float(value)
    return rounded if Fraction(rounded) <= value else math.nextafter(rounded, -math.inf)


def make_grid(values: NDArray[Any], feature_range: Any, n_steps: Any, levels: Any = None) -> Grid:
    """Levels of the features, or an error that says what is wrong with their description."""
    if levels is not None:
        return _grid_of(levels)
    if isinstance(feature_range, str) and feature_range == "columns":
        low, high = _ranges_in(values)
    elif isinstance(feature_range, str):
        low, high = _range_in(values)
    else:
        low, high = _range_of(feature_range, values.shape[1:])
    steps = _whole_steps(values, high - low) if n_steps == "auto" else int(n_steps)
    return Grid(low, high, steps)


def _range_in(values: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Range of the training data; bytes are grey levels if the upper half of them occurs."""
    low, high = float(values.min()), float(values.max())
    if values.dtype == np.uint8 and high >= 128:
        low, high = 0.0, 255.0
    return np.array(low), np.array(high if high > low else low + 1.0)


def _ranges_in(values: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Range of each feature of the training data."""
    low, high = values.min(axis=0).astype(float), values.max(axis=0).astype(float)
    if not (low < high).all():
        features = np.argwhere(~(low < high))[:5].tolist()
        names = ", ".join(str(f[0] if len(f) == 1 else tuple(f)) for f in features)
        raise ValueError(
            f"These features have one value in all training data, and so no range: {names}. Pass "
            "feature_range=(low, high), arrays of the shape of one input, or leave them out."
        )
    return low, high


def _whole_steps(values: NDArray[Any], widths: NDArray[np.float64]) -> int:
    """Return the number of steps where whole numbers are levels."""
    width, *others = np.unique(widths).tolist()
    if others or width != round(width):
        raise ValueError(
            "n_steps='auto' takes whole numbers as levels: it needs one width of the range for all "
            f"features, and a whole one; got {', '.join(f'{w:g}' for w in [width, *others][:5])}. "
            "Pass n_steps."
        )
    if values.dtype.kind not in "biu":
        fractions = values[values != np.rint(values)]
        remedy = f"whole numbers: pass X.astype(int), or n_steps={width:g}."
        if len(fractions):
            remedy = f"{fractions[0]:g}. Pass n_steps."
        raise ValueError(
            "n_steps='auto' takes whole numbers as levels: it needs training data of an integer "
            f"type, and X is {values.dtype} and holds {remedy}"
        )
    return int(width)


def _grid_of(levels: Any) -> Grid:
    levels = np.asarray(levels, dtype=float)
    if levels.ndim != 1 or len(levels) < 2 or not np.isfinite(levels).all():
        raise ValueError(f"levels must be two or more finite numbers, got {levels!r}.")
    if not (np.diff(levels) > 0).all():
        raise ValueError("levels must increase.")
    return Grid(levels[0], levels[-1], len(levels) - 1, levels)


def _range_of(
    feature_range: Any, shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if len(feature_range) != 2:
        raise ValueError(f"feature_range must be a pair (low, high), got {feature_range!r}.")
    low, high = (np.asarray(bound, dtype=float) for bound in feature_range)
    if low.ndim or high.ndim:
        try:
            low, high = (np.broadcast_to(bound, shape).copy() for bound in (low, high))
        except ValueError:
            raise ValueError(
                f"feature_range has bounds of shapes {low.shape} and {high.shape}; inputs have "
                f"shape {shape}."
            ) from None
    if not (np.isfinite(low) & np.isfinite(high) & (low < high)).all():
        raise ValueError(f"feature_range must be finite, low below high, got {feature_range!r}.")
    return low, high


def refuse_off_grid(rows: Inputs, grid: Grid) -> None:
    """Raise an error that names the first value that is no level."""
    on_level = grid.is_level(rows.values, rows.dtype)
    if on_level.all():
        return
    row, *feature = (int(i) for i in np.argwhere(~on_level)[0])
    place = tuple(feature)
    value = rows.values[(row, *place)]
    nearest = grid.at(grid.nearest(rows.values[row]))[place]
    name = place[0] if len(place) == 1 else place
    within = (grid.low <= rows.values).all() and (rows.values <= grid.high).all()
    raise ValueError(
        f"X has {value!s} at row {row}, feature {name}, which is not one of the {grid.n_steps + 1} "
        f"levels; the nearest is {nearest:g} ({np.count_nonzero(~on_level)} such values in all). "
        "Check feature_range and n_steps: for whole numbers, fit X.astype(int) with n_steps='auto' "
        "and feature_range='auto', which read both off it."
        + (" Or pass off_grid='round'." if within else "")
    )
