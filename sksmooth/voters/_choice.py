"""When the structure of a base model may be used, and votes with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.engine._counting import count_votes
from sksmooth.engine._streams import DrawStream
from sksmooth.inputs._containers import Inputs
from sksmooth.noise import Noise
from sksmooth.voters._base import Voter, known_voter

# What votes need of so many rows is held at a time: 16 MB of float64.
_VALUES_OF_ROWS = 2**21


def usable_voter(model: Any, classes: NDArray[Any], noise: Noise, rows: Inputs) -> Voter | None:
    """Voter of the base model, if votes may be taken with it.

    Parameters
    ----------
    model : object with predict
        Base model.
    classes : ndarray of shape (n_classes,)
        Labels that the votes have to be for, in this order.
    noise : Noise
        Distribution of the noise.
    rows : Inputs
        Inputs.

    Returns
    -------
    structure : Voter or None
        None: the model has to be asked for every vote.
    """
    order: Any = getattr(model, "classes_", None)
    same_order = len(classes) > 1 and np.array_equal(order, classes)
    if not same_order or not _is_added(noise):
        return None
    structure = known_voter(model)
    fits = structure is not None and structure.n_classes == len(classes) and structure.suits(rows)
    return structure if fits else None


def _is_added(noise: Noise) -> bool:
    """Whether a noise is added to inputs; splitting noise replaces them."""
    return type(noise).apply is Noise.apply


def agrees(structure: Voter, rows: Inputs, votes: NDArray[np.intp]) -> bool:
    """Whether a structure gives rows, without noise, the classes that the model gives them."""
    no_noise = structure.share(np.zeros((1, *rows.shape), rows.dtype))
    return np.array_equal(structure.tally(structure.rows(rows), None, no_noise).argmax(1), votes)


def count_structured(
    structure: Voter, rows: Inputs, stream: DrawStream, n_draws: int, **options: Any
) -> NDArray[np.int64]:
    """Count votes as :func:`sksmooth.engine._counting.count_votes` does, with a structure.

    So many rows are taken at a time that what is held of them is bounded.
    """
    draws = structure.draws(stream)
    width = max(1, structure.rows(rows[:1]).n_features)
    step = max(1, _VALUES_OF_ROWS // width)
    counts = np.empty((len(rows), structure.n_classes), np.int64)
    for first in range(0, len(rows), step):
        part = structure.rows(rows[first : first + step])
        counts[first : first + step] = count_votes(structure, part, draws, n_draws, **options)
    return counts
