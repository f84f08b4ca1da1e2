"""Noisy copies of training rows."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.engine._batch_size import default_batch_size
from sksmooth.engine._streams import DrawStream
from sksmooth.inputs._containers import Inputs


def augment(rows: Inputs, stream: DrawStream, n_copies: int) -> NDArray[Any]:
    """Return noisy copies of all rows, each with draws of its own.

    Parameters
    ----------
    rows : Inputs of length m
        Inputs.
    stream : DrawStream
        Source of the noise.
    n_copies : int
        Number of copies of each row, at least 1.

    Returns
    -------
    noisy : ndarray of shape (n_copies * m, ...)
        The first m rows are a copy of all inputs, and so on.
    """
    m, n_copies = len(rows), operator.index(n_copies)
    noisy = np.empty((n_copies * m, *rows.shape), rows.dtype)
    step = default_batch_size(rows)
    for copy in range(n_copies):
        for first in range(0, m, step):
            last = min(first + step, m)
            draws = stream.take(copy * m + first, copy * m + last)
            noisy[copy * m + first : copy * m + last] = stream.noise.apply(
                rows.values[first:last], draws
            )
    return noisy
