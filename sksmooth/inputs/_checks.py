"""Checks of inputs against the noise that is added to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sksmooth.inputs._containers import Inputs

# Fewest floats per standard deviation with which rounded noise counts as noise.
_STEPS_PER_SIGMA = 1024


def refuse_noise_below_resolution(noise: Any, inputs: Inputs) -> None:
    """Refuse noise that would be lost, or coarse, when it is added to numbers as large as in X.

    The certificate rests on the law of the noise; a sum of floats keeps only what lies above
    their spacing.
    """
    if not inputs.values.size:
        return
    largest = max(abs(float(inputs.values.max())), abs(float(inputs.values.min())))
    spacing = float(np.spacing(np.asarray(largest, dtype=inputs.dtype)))
    if noise.sigma < _STEPS_PER_SIGMA * spacing:
        raise ValueError(
            f"sigma={noise.sigma:g} is too small for X in {inputs.dtype} with values up to "
            f"{largest:g}, whose floats are {spacing:.2g} apart: the noise would be rounded away. "
            "Scale or centre X, pass it in float64, or use a larger sigma."
        )
