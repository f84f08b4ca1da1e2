"""Outputs of a base model on noisy copies of a row: those that are kept, not counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.engine._batch_size import default_batch_size
from sksmooth.engine._black_box import Responder
from sksmooth.engine._streams import DrawStream
from sksmooth.inputs._containers import Inputs


def outputs_of_row(
    responder: Responder,
    row: Inputs,
    stream: DrawStream,
    n_draws: int,
    batch_size: int | None,
    *,
    first_draw: int = 0,
    average: Callable[[NDArray[Any]], Any] | None = None,
    n_average: int = 1,
) -> NDArray[Any]:
    """Return outputs for noisy copies of one row, averaged in batches where asked for.

    Parameters
    ----------
    responder : Responder
        Base model.
    row : Inputs of length 1
        Input.
    stream : DrawStream
        Source of the noise.
    n_draws : int
        Number of outputs that are returned.
    batch_size : int or None
        Largest number of noisy rows per call.
    first_draw : int, default=0
        Number of the first draw in the stream.
    average : callable, optional
        Averages groups of shape (n_groups, n_average, ...).
    n_average : int, default=1
        Draws per output.

    Returns
    -------
    outputs : ndarray of shape (n_draws, ...)
    """
    parts = []
    n_raw = n_draws * n_average
    for block in _blocks(responder, row, stream, first_draw, n_raw, batch_size, n_average):
        groups = block.reshape(-1, n_average, *block.shape[1:])
        parts.append(block if n_average == 1 or average is None else average(groups))
    return np.concatenate(parts)


def _blocks(
    responder: Responder,
    row: Inputs,
    stream: DrawStream,
    first_draw: int,
    n_draws: int,
    batch_size: int | None,
    unit: int,
) -> Iterator[NDArray[Any]]:
    """Yield outputs in blocks of a multiple of `unit` draws."""
    per_call = batch_size or default_batch_size(row)
    step = max(1, per_call // unit) * unit
    end = first_draw + n_draws
    for start in range(first_draw, end, step):
        stop = min(start + step, end)
        calls = [
            _call(responder, row, stream, first, min(first + per_call, stop))
            for first in range(start, stop, per_call)
        ]
        yield calls[0] if len(calls) == 1 else np.concatenate(calls)


def _call(
    responder: Responder, row: Inputs, stream: DrawStream, start: int, stop: int
) -> NDArray[Any]:
    draws = stream.take(start, stop)
    noisy = stream.noise.perturb(row.values, draws).reshape(-1, *row.shape)
    return responder(row.to_container(noisy), len(noisy))
