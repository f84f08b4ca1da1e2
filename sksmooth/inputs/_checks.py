"""Checks of the range of inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from sksmooth.inputs._containers import Inputs

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
