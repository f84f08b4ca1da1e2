"""Seeds to noise to noisy inputs to the base model to vote counts.

Every input sees the same draws, and draw number i of a stream depends on the seed, the purpose and
i alone. So the counts of an input depend neither on the others nor on how the work is cut into
calls and spread over workers.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.engine._batch_size import fastest_batch_size
from sksmooth.engine._parallel import Workers, naming, progress_bar
from sksmooth.engine._plan import MOST_CALLS_PER_TASK, Task, cut, plan
from sksmooth.engine._streams import Purpose
from sksmooth.engine._voter import Voter
from sksmooth.inputs._containers import Inputs

# What votes need of so many inputs is held at a time: 16 MB of float64.
_VALUES_OF_INPUTS = 2**21

# Rounded copies of inputs that are held at a time: 128 MB of float64.
_VALUES_OF_ROUNDED = 2**24


@dataclass(frozen=True)
class VoteCounter:
    """Counts the votes of noisy copies of inputs.

    Attributes
    ----------
    voter : Voter
        Base model.
    inputs : Inputs of length m
        What is perturbed.
    streams : Streams
        Noise and seed.
    batch_size : int or None
        Largest number of noisy inputs per call of a black box; None finds a fast one. Memory
        grows with it and with nothing else.
    n_jobs : int or None
        Number of workers, as in joblib; threads unless `joblib.parallel_config` says otherwise.
    verbose : int or bool
        Whether progress is shown.
    """

    voter: Voter
    inputs: Inputs
    streams: Any
    batch_size: int | None = None
    n_jobs: int | None = None
    verbose: Any = False
    _made: dict[Purpose, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def count(
        self,
        purpose: Purpose,
        n_draws: int,
        *,
        first_draw: int = 0,
        positions: NDArray[np.intp] | None = None,
        label: str | None = None,
    ) -> NDArray[np.int64]:
        """Count the votes of every input.

        Parameters
        ----------
        purpose : Purpose
            Selects the draws.
        n_draws : int
            Number of draws, the same for every input.
        first_draw : int, default=0
            Number of the first of them.
        positions : ndarray of int, default=None
            Inputs that are meant; None: all.
        label : str, default=None
            Label of the progress bar; None shows none.

        Returns
        -------
        counts : ndarray of shape (m, n_classes), or (len(positions), n_classes)
            Each row sums to `n_draws`, less the votes that rounding might change.
        """
        inputs = self.inputs if positions is None else self.inputs.choose(positions)
        counts = np.empty((len(inputs), self.voter.n_classes), np.int64)
        stream, step = self._stream(purpose), self._most_at_once(inputs)
        for first in range(0, len(inputs), step):
            counts[first : first + step] = count_votes(
                self.voter,
                inputs if step >= len(inputs) else inputs[first : first + step],
                stream,
                n_draws,
                first_draw=first_draw,
                lattice=self.streams.lattice,
                batch_size=self.batch_size,
                n_jobs=self.n_jobs,
                progress=label if self.verbose else None,
            )
        return counts

    def progress(self, total: int, label: str, unit: str) -> Any:
        """Progress bar of a part of the work."""
        return progress_bar(total, label, unit, shown=self.verbose)

    def _stream(self, purpose: Purpose) -> Any:
        """Return the one stream of a purpose, which remembers the last draws it was asked for."""
        if purpose not in self._made:
            self._made[purpose] = self.voter.embed_stream(self.streams.of(purpose, self.inputs))
        return self._made[purpose]

    def _most_at_once(self, inputs: Inputs) -> int:
        """Return how many inputs may be embedded at a time."""
        if not len(inputs):
            return 1
        if self.voter.draws_per_call(inputs) is None:
            n_values = inputs.n_features if self.streams.lattice is not None else 0
            return max(1, _VALUES_OF_ROUNDED // max(1, n_values))
        return max(1, _VALUES_OF_INPUTS // max(1, self.voter.embed(inputs[:1]).n_features))


def proportions(votes: NDArray[np.int64], n_draws: int) -> NDArray[np.float64]:
    """Return shares of votes that sum to one: what is for nobody is shared by all classes."""
    undecided = n_draws - votes.sum(axis=1, keepdims=True)
    return (votes + undecided / votes.shape[1]) / n_draws


def count_votes(
    voter: Voter,
    inputs: Inputs,
    stream: Any,
    n_draws: int,
    *,
    first_draw: int = 0,
    lattice: Any = None,
    batch_size: int | None,
    n_jobs: int | None,
    progress: str | None,
) -> NDArray[np.int64]:
    """Count the votes of the base model on noisy copies of inputs whose embedding fits into memory.

    Parameters
    ----------
    voter : Voter
        Base model.
    inputs : Inputs of length m
        What is perturbed.
    stream : object with `take`
        Of `embed_stream` of the voter.
    n_draws, first_draw, batch_size, n_jobs : object
        As for :class:`VoteCounter`.
    lattice : Lattice or None
        What inputs are rounded to.
    progress : str or None
        Label of the progress bar; None shows none.

    Returns
    -------
    counts : ndarray of shape (m, n_classes)
        Each row sums to `n_draws`, less the votes that rounding might change.
    """
    # Integers of numpy overflow, wrap around or become floats where these never do.
    n_draws, first_draw, batch_size = map(operator.index, (n_draws, first_draw, batch_size or 0))
    embedded = voter.embed(inputs.on(lattice))
    counts = np.zeros((len(inputs), voter.n_classes), np.int64)
    left = [Task(slice(0, len(inputs)), first_draw, first_draw + n_draws)]
    bar = progress_bar(len(inputs) * n_draws, progress or "", " draws", shown=progress is not None)

    def job(task: Task, per_call: int) -> tuple[Any, ...]:
        numbers = inputs.numbers(task.rows)
        return task, numbers, voter, embedded[task.rows], stream, per_call

    def add(task: Task, votes: NDArray[np.int64]) -> None:
        counts[task.rows] += votes
        bar.update(task.n_rows * task.n_draws)

    n_values = len(inputs) * n_draws * inputs.n_features
    with Workers(n_jobs, n_values) as workers, bar:

        def cost(n_noisy: int, size: int) -> float:
            task = cut(left, n_noisy, stream.block_size)
            stream.take(task.start, task.stop)  # what is drawn is kept: the clock is for the model
            began = time.perf_counter()
            _, votes = workers.here(_count, job(task, size))
            seconds = time.perf_counter() - began
            add(task, votes)
            return seconds / (task.n_rows * task.n_draws)

        shared_draws = voter.draws_per_call(embedded)
        if shared_draws is not None:
            per_call = most = len(inputs) * shared_draws
        else:
            work_of_one = len(inputs) * n_draws // workers.n_workers
            per_call = batch_size or fastest_batch_size(inputs, work_of_one, cost)
            most = MOST_CALLS_PER_TASK * per_call
        tasks = (
            job(task, per_call)
            for area in left
            for task in plan(area, stream.block_size, per_call, most, workers.n_workers)
        )
        for task, votes in workers.map(_count, tasks):
            add(task, votes)
    return counts


def _count(
    task: Task,
    numbers: Sequence[int],
    voter: Voter,
    inputs: Inputs,
    stream: Any,
    per_call: int,
) -> tuple[Task, NDArray[np.int64]]:
    """Count the votes of a task, whose inputs are given, in calls of about a size."""
    votes = np.zeros((len(inputs), voter.n_classes), np.int64)
    draws = stream.take(task.start, task.stop)
    step = max(1, per_call // len(draws))
    for first in range(0, len(inputs), step):
        chunk = inputs[first : first + step]
        named = numbers[first : first + len(chunk)]
        with naming(
            f"noisy copies of rows {named[0]} to {named[-1]} of X "
            f"(draws {task.start} to {task.stop - 1})"
        ):
            votes[first : first + step] = voter.count_votes(chunk, stream.noise, draws)
    return task, votes
