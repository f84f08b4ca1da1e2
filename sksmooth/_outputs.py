"""Outputs of a base model on noisy copies of a row: those that are kept, not counted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from sksmooth._batch_size import default_batch_size
from sksmooth._memory import keep_freed_memory
from sksmooth._monte_carlo import DrawStream, name_of
from sksmooth._rows import Rows


@dataclass(frozen=True)
class Responder:
    """The base model as a function from inputs to outputs.

    Attributes
    ----------
    model : object
        Fitted base model.
    method : str
        Its method that returns one output per row.
    shape : tuple of int or None
        Shape of one output; None: not known yet.
    """

    model: Any
    method: str
    shape: tuple[int, ...] | None = None

    def __call__(self, X: Any, n_rows: int) -> NDArray[Any]:
        """Return the outputs for the `n_rows` rows of X."""
        outputs = np.asarray(getattr(self.model, self.method)(X))
        name = f"{name_of(self.model)}.{self.method}"
        if outputs.ndim == 0 or len(outputs) != n_rows:
            raise ValueError(
                f"{name} returned an array of shape {outputs.shape} for {n_rows} rows; one "
                "output per row is needed."
            )
        if self.shape is not None and outputs.shape[1:] != self.shape:
            raise ValueError(
                f"{name} returned outputs of shape {outputs.shape[1:]}, and of shape "
                f"{self.shape} at fit. All outputs need one shape: pad them, or return a fixed "
                "number of boxes."
            )
        return outputs


def row_seeds(rows: Rows, seed: int) -> list[int]:
    """Seeds that are keyed by the content of each row: equal rows have equal seeds.

    Parameters
    ----------
    rows : Rows of length m
        Inputs.
    seed : int
        Entropy of the estimator.

    Returns
    -------
    seeds : list of int
        One per row, of 256 bits.
    """
    values = rows[:].values.astype(float) + 0.0  # minus zero is zero
    return [
        int.from_bytes(hashlib.sha256(str(seed).encode() + b"|" + row.tobytes()).digest(), "big")
        for row in values.reshape(len(rows), -1)
    ]


def outputs_of_row(
    responder: Responder,
    row: Rows,
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
    row : Rows of length 1
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
    row: Rows,
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
    responder: Responder, row: Rows, stream: DrawStream, start: int, stop: int
) -> NDArray[Any]:
    draws = stream.take(start, stop)
    noisy = stream.noise.perturb(row.values, draws).reshape(-1, *row.shape)
    return responder(row.as_given(noisy), len(noisy))


def for_each_row(
    work: Callable[[int], Any], n_rows: int, *, n_jobs: int | None, progress: str | None
) -> list[Any]:
    """Do the same for every row, in parallel.

    Parameters
    ----------
    work : callable
        Takes the number of a row.
    n_rows : int
        Number of rows.
    n_jobs : int or None
        Number of workers, as in joblib.
    progress : str or None
        Label of the progress bar; None shows none.

    Returns
    -------
    results : list
        In the order of the rows.
    """
    keep_freed_memory()
    bar = tqdm(total=n_rows, desc=progress, unit=" rows", disable=progress is None)
    results = []
    with bar:
        parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
        for result in parallel(delayed(work)(i) for i in range(n_rows)):
            results.append(result)
            bar.update()
    return results


def keyed(stream: DrawStream, seed: int) -> DrawStream:
    """Return the stream of the same purpose under another seed."""
    return DrawStream(stream.noise, seed, stream.purpose, stream.shape, stream.dtype)
