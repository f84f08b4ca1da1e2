"""Seeds to noise blocks to noisy rows to the base model to vote counts.

The only place with parallel loops and progress bars. Every row sees the same draws, and draw
number i of a stream depends on the seed, the stream and i alone. So the counts of a row depend
neither on the other rows nor on how the work is cut into calls and spread over workers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from sksmooth.engine._batch_size import fastest_batch_size
from sksmooth.engine._streams import DrawStream
from sksmooth.engine._workers import LibraryThreads, keep_freed_memory
from sksmooth.inputs._containers import Inputs

# A task is what one worker does between two moves of the progress bar.
_MOST_CALLS_PER_TASK = 16
_TASKS_PER_WORKER = 4


def count_votes(
    voter: Any,
    rows: Inputs,
    stream: DrawStream,
    n_draws: int,
    *,
    first_draw: int = 0,
    batch_size: int | None,
    n_jobs: int | None,
    progress: str | None,
) -> NDArray[np.int64]:
    """Count the votes of the base model on noisy copies of every row.

    Parameters
    ----------
    voter : BlackBoxVoter or Voter
        Base model; its `tally` takes the votes of one call.
    rows : Inputs of length m
        Inputs.
    stream : DrawStream or ProjectedStream
        Source of the noise.
    n_draws : int
        Number of draws, the same for every row.
    first_draw : int, default=0
        Number of the first of them in the stream.
    batch_size : int or None
        Largest number of noisy rows per call of the base model; None finds a fast one. Memory
        grows with it and with nothing else.
    n_jobs : int or None
        Number of workers, as in joblib; threads unless `joblib.parallel_config` says otherwise.
    progress : str or None
        Label of the progress bar; None shows none.

    Returns
    -------
    counts : ndarray of shape (m, n_classes)
        Each row sums to `n_draws`.
    """
    counts = np.zeros((len(rows), voter.n_classes), np.int64)
    n_workers = joblib.effective_n_jobs(n_jobs)
    threads = LibraryThreads(n_workers)
    left = [_Task(slice(0, len(rows)), first_draw, first_draw + n_draws)]

    def job(task: _Task, per_call: int) -> tuple[Any, ...]:
        return task, rows.numbers(task.rows), voter, rows[task.rows], stream, per_call, threads

    def add(task: _Task, votes: NDArray[np.int64]) -> None:
        counts[task.rows] += votes
        bar.update(task.n_rows * task.n_draws)

    def cost(n_noisy: int, size: int) -> float:
        task = _cut(left, n_noisy, stream.block_size)
        stream.take(task.start, task.stop)  # what is drawn is kept: the clock is for the model
        began = time.perf_counter()
        _, votes = _run(*job(task, size))
        seconds = time.perf_counter() - began
        add(task, votes)
        return seconds / (task.n_rows * task.n_draws)

    bar = tqdm(
        total=len(rows) * n_draws,
        desc=progress,
        unit=" draws",
        unit_scale=True,
        disable=progress is None,
    )
    with threads.around(), bar:
        shared_draws = voter.draws_per_call(rows)
        if shared_draws is not None:
            per_call = most = len(rows) * shared_draws
        else:
            per_call = batch_size or fastest_batch_size(
                rows, len(rows) * n_draws // n_workers, cost
            )
            most = _MOST_CALLS_PER_TASK * per_call
        parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator_unordered")
        for task, votes in parallel(
            delayed(_run)(*job(task, per_call))
            for area in left
            for task in _plan(area, stream.block_size, per_call, most, n_workers)
        ):
            add(task, votes)
    return counts


@dataclass(frozen=True)
class _Task:
    """A rectangle of the table of rows by draws."""

    rows: slice
    start: int
    stop: int

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return int(self.rows.stop - self.rows.start)

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return self.stop - self.start


def _cut(left: list[_Task], size: int, block: int) -> _Task:
    """Cut a call off the first of the rectangles left to do that holds one, or else the first."""
    holding = (i for i, area in enumerate(left) if area.n_rows * area.n_draws >= size)
    place = next(holding, 0)
    area = left.pop(place)
    draws = min(area.n_draws, max(size // area.n_rows, min(block, size)))
    end = area.start + draws
    rows = slice(area.rows.start, min(area.rows.stop, area.rows.start + max(1, size // draws)))
    beside = _Task(slice(rows.stop, area.rows.stop), area.start, end)
    below = _Task(area.rows, end, area.stop)
    left[place:place] = [part for part in (beside, below) if part.n_rows and part.n_draws]
    return _Task(rows, area.start, end)


def _plan(area: _Task, block: int, per_call: int, most: int, n_workers: int) -> Iterator[_Task]:
    """Cut rows by draws into tasks in which as many rows as possible share their draws.

    The draws of a task are such that a whole number of rows times them fills a call.
    """
    total = area.n_rows * area.n_draws
    size = int(np.clip(total // (_TASKS_PER_WORKER * n_workers), per_call, most))
    rows_per_call = min(area.n_rows, -(-per_call // max(size // area.n_rows, block)))
    draws = min(max(1, per_call // rows_per_call), area.n_draws)
    rows = max(1, size // (draws * rows_per_call)) * rows_per_call
    for start in range(area.start, area.stop, draws):
        for first in range(area.rows.start, area.rows.stop, rows):
            last = min(first + rows, area.rows.stop)
            yield _Task(slice(first, last), start, min(start + draws, area.stop))


def _run(
    task: _Task,
    numbers: Sequence[int],
    voter: Any,
    rows: Inputs,
    stream: DrawStream,
    per_call: int,
    threads: LibraryThreads,
) -> tuple[_Task, NDArray[np.int64]]:
    votes = np.zeros((len(rows), voter.n_classes), np.int64)
    keep_freed_memory()
    with threads.within():
        draws = stream.take(task.start, task.stop)
        step = max(1, per_call // len(draws))
        for first in range(0, len(rows), step):
            chunk = rows[first : first + step]
            named = numbers[first : first + len(chunk)]
            with _naming(
                f"noisy copies of rows {named[0]} to {named[-1]} of X "
                f"(draws {task.start} to {task.stop - 1})"
            ):
                votes[first : first + step] = voter.tally(chunk, stream.noise, draws)
    return task, votes


@contextmanager
def _naming(rows: str) -> Iterator[None]:
    """Add to an error of the base model the noisy rows that it came from."""
    try:
        yield
    except Exception as error:
        note = f"Raised by the base model on {rows}."
        if hasattr(error, "add_note"):
            error.add_note(note)
        elif error.args and isinstance(error.args[0], str):  # Python 3.10
            error.args = (f"{error.args[0]}\n{note}", *error.args[1:])
        raise
