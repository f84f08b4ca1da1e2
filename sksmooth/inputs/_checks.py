"""Checks of the range of inputs."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from sksmooth.inputs._containers import Inputs

# Columns with more distinct whole numbers are sizes. Quotients that were multiplied again are off
# by so much, relatively.
_FEW, _TIMES, _ROUNDING, _MOST_NAMES = 12, 8, 1e-12, 10

# Squares of larger numbers, summed over many features, overflow.
_LARGEST = 1e150

# Whole numbers beyond this are none in float64.
_LARGEST_INTEGER = 2.0**53


def largest_entry(inputs: Inputs) -> float:
    """Return the largest absolute value of some inputs; 0 for none."""
    values = inputs.under_noise
    if not values.size:
        return 0.0
    return max(abs(float(values.max())), abs(float(values.min())))


def refuse_out_of_range(inputs: Inputs, lattice: Any) -> None:
    """Refuse inputs whose sums with noise are not exact.

    Parameters
    ----------
    inputs : Inputs
        Rows to be certified.
    lattice : Lattice or None
        Chosen at fit.

    Raises
    ------
    ValueError
        With the row, the feature and what to do.
    """
    if lattice is None:
        return
    most = lattice.largest_input
    if inputs.values.dtype.kind in "iu":
        most = min(most, _LARGEST_INTEGER)
    if largest_entry(inputs) <= most:
        return
    too_large = np.abs(inputs.values.astype(float)) > most
    if inputs.noisy is not None:
        too_large &= inputs.noisy
    row, *position = map(int, np.argwhere(too_large)[0])
    where = position[0] if len(position) == 1 else tuple(position)
    raise ValueError(
        f"X holds {float(inputs.values[(row, *position)]):g} at row {row}, feature {where}, beyond "
        f"{most:.4g}, up to which sums of inputs and noise in {lattice.dtype} are exact: the data "
        "at fit decide it. Centre or scale X before this estimator, or fit it with data of this "
        "size, in float64."
    )


def refuse_overflowing_squares(inputs: Inputs) -> None:
    """Refuse inputs so large that distances between them are no numbers."""
    with np.errstate(invalid="ignore"):
        too_large = np.argwhere(np.abs(inputs.values.astype(float)) > _LARGEST)
    if len(too_large):
        row = int(too_large[0][0])
        value = float(inputs.values[tuple(too_large[0])])
        raise ValueError(
            f"X holds {value:g} at row {row}, and squares of numbers beyond {_LARGEST:g} overflow. "
            "Scale or clip X."
        )


def warn_of_whole_numbers(inputs: Inputs, stacklevel: int) -> None:
    """Warn where noise makes other numbers of codes, counts and flags in the columns of a table.

    Parameters
    ----------
    inputs : Inputs
        Training data, in the units that noise is added in. Arrays may be images, whose whole
        numbers are sizes, and are passed over.
    stacklevel : int
        Of the caller's caller, as in :func:`warnings.warn`.
    """
    if inputs.columns is None or not len(inputs):
        return
    units = np.ones(inputs.shape) if inputs.layout is None else inputs.layout.units
    noisy = np.ones(inputs.shape, bool) if inputs.noisy is None else inputs.noisy
    values = inputs.values
    named = [
        label
        for j, label in enumerate(inputs.columns)
        if noisy[j] and _holds_few_whole_numbers(values[:, j] * units[j])
    ]
    if not named:
        return
    shown = ", ".join(map(str, named[:_MOST_NAMES])) + ", ..." * (len(named) > _MOST_NAMES)
    warnings.warn(
        f"These columns of X hold a few whole numbers, and noise makes others of them: {shown}. "
        "Where they are codes of categories or flags, a model that encodes them does not know the "
        "noisy values, and a radius says nothing about them. Leave such columns without noise, "
        f"with feature_scale={{{named[0]!r}: 0, ...}}, if they cannot change, or leave them out. "
        "Where they are counts or grades, all is well: turn this warning off.",
        UserWarning,
        stacklevel=stacklevel + 1,
    )


def _holds_few_whole_numbers(column: Any) -> bool:
    column = column.astype(float)
    whole = np.abs(column - np.rint(column)) <= _ROUNDING * np.abs(column)
    few = min(_FEW, len(column) // _TIMES)  # a few rows hold few numbers, whatever they are
    return bool(whole.all()) and 1 < len(np.unique(np.rint(column))) <= few
