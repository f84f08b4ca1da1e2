"""Where trees that look at inputs in single precision change their mind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def rounded_down(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Return the largest numbers of a precision that are not above some values."""
    with np.errstate(over="ignore"):
        rounded = values.astype(dtype)
    above = rounded.astype(float) > values
    return np.where(above, np.nextafter(rounded, dtype.type(-np.inf)), rounded).astype(float)


def borders_of(thresholds: ArrayLike) -> NDArray[np.float64]:
    """Return the largest numbers which, rounded to single precision, are not above thresholds.

    A tree of scikit-learn that asks whether a feature is at most t asks this of the number in
    single precision that is nearest to it. Up to the border of two such numbers features are
    rounded to the lower one, and the border itself to the even one.
    """
    t, single = np.asarray(thresholds, float), np.dtype(np.float32)
    last = rounded_down(t, single)
    with np.errstate(over="ignore"):
        after = np.nextafter(last.astype(single), single.type(np.inf)).astype(float)
        border = last / 2 + after / 2
        belongs = border.astype(single) <= t
    border = np.where(belongs, border, np.nextafter(border, -np.inf))
    return np.where(np.isfinite(t), border, t)
