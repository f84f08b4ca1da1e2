"""When the voter of a base model may be used, and votes with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.inputs._containers import Inputs
from sksmooth.noise import Noise
from sksmooth.noise._base import is_added
from sksmooth.voters._base import FastVoter, voter_of


def fast_voter(model: Any, classes: NDArray[Any], noise: Noise, inputs: Inputs) -> FastVoter | None:
    """Fast voter of the base model, if votes may be taken with it.

    Parameters
    ----------
    model : object with predict
        Base model.
    classes : ndarray of shape (n_classes,)
        Labels that the votes have to be for, in this order.
    noise : Noise
        Distribution of the noise.
    inputs : Inputs
        What is voted on.

    Returns
    -------
    voter : FastVoter or None
        None: the model has to be asked for every vote.
    """
    order: Any = getattr(model, "classes_", None)
    same_order = len(classes) > 1 and np.array_equal(order, classes)
    if not same_order or not is_added(noise):
        return None
    if inputs.layout is not None and inputs.layout.table is not None:
        return None  # the numbers of levels are none to calculate with
    voter = voter_of(model)
    if voter is not None and inputs.layout is not None:
        units = inputs.layout.units
        voter = voter.after(units, np.zeros_like(units))
    fits = voter is not None and voter.n_classes == len(classes) and voter.suits(inputs)
    return voter if fits else None


def agrees(voter: FastVoter, inputs: Inputs, votes: NDArray[np.intp]) -> bool:
    """Whether a voter gives inputs, without noise, the classes that the model gives them.

    Nothing is said about inputs whose class rounding might change.
    """
    no_noise = voter.embed_noise(np.zeros((1, *inputs.shape), inputs.dtype))
    counts = voter.count_votes(voter.embed(inputs), None, no_noise)
    decided = counts.any(axis=1)
    return np.array_equal(counts[decided].argmax(axis=1), votes[decided])
