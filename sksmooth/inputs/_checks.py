"""Checks of inputs against the noise that is added to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sksmooth.inputs._containers import Inputs

# Squares of larger numbers, summed over many features, overflow.
_LARGEST = 1e150

# Fewest floats per standard deviation with which rounded noise counts as noise.
_STEPS_PER_SIGMA = 1024


def refuse_noise_below_resolution(noise: Any, inputs: Inputs) -> None:
    """Refuse noise that would be lost, or coarse, when it is added to numbers as large as in X.

    The certificate rests on the law of the noise; a sum of floats keeps only what lies above
    their spacing.
    """
    values = inputs.values if inputs.noisy is None else inputs.values[:, inputs.noisy]
    if not values.size:
        return
    largest = max(abs(float(values.max())), abs(float(values.min())))
    spacing = float(np.spacing(np.asarray(largest, dtype=inputs.dtype)))
    if noise.sigma < _STEPS_PER_SIGMA * spacing:
        raise ValueError(
            f"sigma={noise.sigma:g} is too small for X in {inputs.dtype} with values up to "
            f"{largest:g}, whose floats are {spacing:.2g} apart: the noise would be rounded away. "
            "Scale or centre X, pass it in float64, or use a larger sigma."
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
