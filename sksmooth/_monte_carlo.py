"""Seeds to noise blocks to noisy rows to the base model to vote counts.

The only place with parallel loops and progress bars. Every row sees the same draws, and draw
number i of a stream depends on the seed, the stream and i alone. So the counts of a row depend
neither on the other rows nor on how the work is cut into calls and spread over workers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, ClassVar

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from sksmooth._batch_size import default_batch_size, fastest_batch_size
from sksmooth._memory import keep_freed_memory
from sksmooth._rows import Rows
from sksmooth._threads import LibraryThreads
from sksmooth.noise import Noise

# One block of draws is generated from one seed: large enough to pay for its generator, small
# enough that batches of any size are cut from it without waste.
_BLOCK_VALUES = 2**16
_MAX_BLOCK = 128

# A task is what one worker does between two moves of the progress bar.
_MOST_CALLS_PER_TASK = 16
_TASKS_PER_WORKER = 4


class Purpose(IntEnum):
    """What randomness is for. Draws of one purpose are never used for another."""

    AUGMENTATION = 0
    COLLAPSE_CHECK = 1
    SELECTION = 2
    ESTIMATION = 3
    BASE_MODEL = 4
    PILOT = 5
    SCORING = 6
    SCORES = 7
    OFFSETS = 8


def derived_seed(seed: int, purpose: Purpose) -> int:
    """Seed of streams that share no draw with those of another."""
    sequence = np.random.SeedSequence(int(seed), spawn_key=(purpose,))
    return int(sequence.generate_state(1, np.uint64)[0])


@dataclass(frozen=True)
class DrawStream:
    """An endless, reproducible sequence of draws of a noise.

    Attributes
    ----------
    noise : Noise
        Distribution of the draws.
    seed : int
        Entropy shared by all streams of an estimator.
    purpose : Purpose
        Selects the stream.
    shape : tuple of int
        Shape of one draw.
    dtype : dtype
        Dtype of the draws.
    most_per_block : int
        Largest number of draws that share one seed.
    """

    noise: Noise
    seed: int
    purpose: Purpose
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    most_per_block: int = _MAX_BLOCK
    _memory: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Other processes draw for themselves."""
        return {**self.__dict__, "_memory": {}}

    @property
    def block_size(self) -> int:
        """Number of draws that share one seed; no function of the rows."""
        wanted = _BLOCK_VALUES // max(1, math.prod(self.shape))
        return min(max(wanted, 1), self.most_per_block)

    def take(self, start: int, stop: int) -> NDArray[Any]:
        """Return the draws numbered `start` to `stop` - 1."""
        size = self.block_size
        draws = np.empty((stop - start, *self.shape), self.dtype)
        for block in range(start // size, -(-stop // size)):
            first = max(start, block * size)
            last = min(stop, (block + 1) * size)
            draws[first - start : last - start] = self._block(block)[
                first - block * size : last - block * size
            ]
        return draws

    def _block(self, index: int) -> NDArray[Any]:
        """Draw a block, unless it is the last one: calls that end within a block go on with it."""
        known, draws = self._memory.get("last", (None, None))
        if known != index:
            draws = self._draw_block(index)
            self._memory["last"] = index, draws
        return draws

    def _draw_block(self, index: int) -> NDArray[Any]:
        seed = np.random.SeedSequence(self.seed, spawn_key=(self.purpose, index))
        rng = np.random.Generator(np.random.PCG64(seed))
        return self.noise.draw(self.block_size, self.shape, rng, self.dtype)


@dataclass(frozen=True)
class Voter:
    """The base model as a function from inputs to class indices.

    Attributes
    ----------
    model : object with predict
        Fitted base model.
    classes : ndarray of shape (n_classes,)
        Its labels, sorted.
    """

    model: Any
    classes: NDArray[Any]

    def __call__(self, X: Any, n_rows: int) -> NDArray[np.intp]:
        """Index of the class that the model gives to each of the `n_rows` rows of X."""
        labels = np.asarray(self.model.predict(X))
        if labels.shape not in ((n_rows,), (n_rows, 1)):
            raise ValueError(
                f"{name_of(self.model)}.predict returned an array of shape "
                f"{labels.shape} for {n_rows} rows; one label per row is needed."
            )
        labels = labels.reshape(n_rows)
        indices = self._index(labels)
        if indices is None:
            unknown = sorted({str(label) for label in labels} - {str(c) for c in self.classes})
            raise ValueError(
                f"{name_of(self.model)}.predict returned labels outside its classes: "
                f"{', '.join(unknown[:5])}. Known classes: "
                f"{', '.join(str(c) for c in self.classes[:10])}. A classifier is needed, whose "
                "classes_ (or the labels given to fit) list all that it predicts."
            )
        return indices

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    def draws_per_call(self, rows: Rows) -> None:
        """None: the size of a call is free, and its rows are as many as fill it."""
        return None

    def tally(self, rows: Rows, noise: Noise, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Votes of one call of the base model: every row with every draw."""
        noisy = noise.perturb(rows.values, draws).reshape(-1, *rows.shape)
        indices = self(rows.as_given(noisy), len(noisy)).reshape(len(rows), len(draws))
        cells = indices + np.arange(len(rows))[:, None] * self.n_classes
        counts = np.bincount(cells.ravel(), minlength=len(rows) * self.n_classes)
        return counts.reshape(-1, self.n_classes)

    def _index(self, labels: NDArray[Any]) -> NDArray[np.intp] | None:
        last = len(self.classes) - 1
        if self._classes_are_indices and labels.dtype.kind in "iu":
            known = labels.size == 0 or (labels.min() >= 0 and labels.max() <= last)
            return labels.astype(np.intp, copy=False) if known else None
        try:
            indices = np.minimum(np.searchsorted(self.classes, labels), last)
        except TypeError:  # labels that do not compare with the classes
            return None
        return indices if (self.classes[indices] == labels).all() else None

    @property
    def _classes_are_indices(self) -> bool:
        classes = self.classes
        return classes.dtype.kind in "iu" and bool((classes == np.arange(len(classes))).all())


@dataclass(frozen=True)
class ProbabilitySums(Voter):
    """The base model as a function from inputs to probabilities, in whole units.

    Sums of whole numbers do not depend on their order, so they are the same however the work is
    cut.
    """

    UNIT: ClassVar[int] = 2**40

    def tally(self, rows: Rows, noise: Any, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Sum up the probabilities of every row over the draws, in units of 1 / UNIT."""
        noisy = noise.perturb(rows.values, draws).reshape(-1, *rows.shape)
        shares = np.asarray(self.model.predict_proba(rows.as_given(noisy)), dtype=float)
        if shares.shape != (len(noisy), self.n_classes):
            raise ValueError(
                f"{name_of(self.model)}.predict_proba returned an array of shape {shares.shape} "
                f"for {len(noisy)} rows and {self.n_classes} classes."
            )
        if not ((shares >= 0) & (shares <= 1 + 1e-6)).all():
            raise ValueError(
                f"{name_of(self.model)}.predict_proba returned numbers outside [0, 1]."
            )
        order: Any = np.argsort(getattr(self.model, "classes_", self.classes))
        units = np.floor(np.minimum(shares[:, order], 1.0) * self.UNIT).astype(np.int64)
        return units.reshape(len(rows), len(draws), self.n_classes).sum(axis=1)


def name_of(model: Any) -> str:
    """Class name of a model as the user knows it, for messages."""
    while isinstance(model, FrozenEstimator):
        model = model.estimator
    return type(model).__name__


def count_votes(
    voter: Any,
    rows: Rows,
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
    voter : Voter or Structure
        Base model; its `tally` takes the votes of one call.
    rows : Rows of length m
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
    rows: Rows,
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


def augment(rows: Rows, stream: DrawStream, n_copies: int) -> NDArray[Any]:
    """Return noisy copies of all rows, each with draws of its own.

    Parameters
    ----------
    rows : Rows of length m
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
    m = len(rows)
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
