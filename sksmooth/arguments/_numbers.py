"""What is no number, count, probability or level is refused by its name."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# At levels below 1e-109 the inverse beta function of scipy fails.
_SMALLEST_ALPHA = 1e-100

# Names of the norms that have one, beside the number p of an lp norm.
NORMS = {"l1": 1, "l2": 2, "linf": np.inf, "inf": np.inf}

# Tails are known to be accurate up to so many trials.
_MOST_TRIALS = 10**15


def read_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return values in float64, or refuse what holds anything but numbers."""
    refuse_masked(name, values)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must be a number or a regular array, got {values!r}.") from error
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a number or an array of numbers, got {values!r}.")
    return array.astype(np.float64)


def refuse_masked(name: str, values: Any) -> None:
    """Refuse an array with masked entries, whose mask numpy and scikit-learn would drop."""
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} has masked values, which stand for no number. Fill them "
            "(values.filled(...)), or leave their rows out."
        )


def read_number(name: str, value: Any) -> float:
    """Return a single number."""
    number = read_numbers(name, value)
    if number.ndim:
        raise ValueError(f"{name} must be a single number, got an array of shape {number.shape}.")
    return float(number)


def read_counts(name: str, values: ArrayLike, smallest: int) -> NDArray[np.float64]:
    """Return whole numbers, in float64."""
    counts = read_numbers(name, values)
    right = (counts == np.floor(counts)) & (counts >= smallest) & (counts <= _MOST_TRIALS)
    if not right.all():
        read_count(name, counts[~right][0], smallest)
    return counts


def read_count(name: str, value: Any, smallest: int) -> int:
    """Return a single whole number."""
    number = read_number(name, value)
    if not number.is_integer():  # also NaN and infinity
        raise ValueError(f"{name} must be a whole number, got {number}.")
    if number < smallest:
        raise ValueError(f"{name} must be at least {smallest}, got {number:g}.")
    if number > _MOST_TRIALS:
        raise ValueError(f"{name} must be at most {_MOST_TRIALS:g}, got {number:g}.")
    return int(number)


def read_levels(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return error probabilities."""
    levels = read_numbers(name, values)
    right = (levels >= _SMALLEST_ALPHA) & (levels < 1)  # not so for NaN
    if not right.all():
        read_level(name, levels[~right][0])
    return levels


def read_level(name: str, value: Any) -> float:
    """Return a single error probability."""
    level = read_number(name, value)
    if not _SMALLEST_ALPHA <= level < 1:
        raise ValueError(
            f"{name} must lie in (0, 1), and not below {_SMALLEST_ALPHA:g}; got {level}."
        )
    return level


def read_probabilities(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return numbers from 0 to 1."""
    probabilities = read_numbers(name, values)
    right = (probabilities >= 0) & (probabilities <= 1)  # not so for NaN
    if not right.all():
        read_probability(name, probabilities[~right][0])
    return probabilities


def read_probability(name: str, value: Any) -> float:
    """Return a number from 0 to 1."""
    probability = read_number(name, value)
    if not 0 <= probability <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {probability}.")
    return probability


def read_norm(value: Any, name: str = "norm") -> float:
    """Return the number p of an lp norm: of itself, or of its name."""
    if isinstance(value, str) and value in NORMS:
        return float(NORMS[value])
    if (
        isinstance(value, numbers.Real)
        and not isinstance(value, (bool, np.bool_))
        and float(value) >= 1
    ):
        return float(value)
    raise ValueError(
        f"{name} must be a number p in [1, inf] or one of {', '.join(NORMS)}, got {value!r}."
    )
