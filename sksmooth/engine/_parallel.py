"""The parallel loop: everything that is done many times goes through it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import Any

import joblib
from joblib import Parallel, delayed
from sklearn import config_context, get_config
from tqdm.auto import tqdm

from sksmooth.engine._workers import LibraryThreads, keep_freed_memory, kept_warning_filters

# Sending work to others costs more than to do it, where it is about fewer numbers than this.
_FEW_VALUES = 2**20

# Where a backend of joblib gives results as lists only, so many tasks for each worker are a list.
_TASKS_OF_A_LIST = 4


class Workers:
    """Workers that share the cores: threads, unless `joblib.parallel_config` asks for others.

    As a context manager it limits the threads that numerical libraries start for each of them, and
    leaves the process as it was.

    Parameters
    ----------
    n_jobs : int or None
        Number of workers, as in joblib.
    n_values : float, default=inf
        About how many numbers they work on. Where these are few, one worker does all.
    """

    def __init__(self, n_jobs: int | None, n_values: float = math.inf) -> None:
        self._n_jobs = n_jobs if n_values >= _FEW_VALUES else 1
        self.n_workers = int(joblib.effective_n_jobs(self._n_jobs))
        self._threads = LibraryThreads(self.n_workers, n_values)
        self._limits = ExitStack()

    def __enter__(self) -> Workers:
        self._limits.enter_context(kept_warning_filters())
        self._limits.enter_context(self._threads.around())
        return self

    def __exit__(self, *error: Any) -> None:
        self._limits.close()

    def here(self, work: Callable[..., Any], task: tuple[Any, ...]) -> Any:
        """Do one task in this thread, as a worker would."""
        return _do(work, task, self._threads, {})

    def map(
        self, work: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], *, ordered: bool = False
    ) -> Iterator[Any]:
        """Do all tasks.

        Parameters
        ----------
        work : callable
            Called with the entries of a task. It and the tasks are sent to other processes where
            the workers are such.
        tasks : iterable of tuple
            Made when a worker is about to be free, so that few of them are held.
        ordered : bool, default=False
            Give the results in the order of the tasks.

        Yields
        ------
        result : object
            As soon as it is there.
        """
        if self._n_jobs == 1:  # what joblib sets up takes longer than small work
            yield from (self.here(work, task) for task in tasks)
            return
        config = get_config()  # of this thread: workers have their own
        jobs = (delayed(_do)(work, task, self._threads, config) for task in tasks)
        options = {"n_jobs": self._n_jobs, "prefer": "threads"}
        try:
            parallel = Parallel(
                return_as="generator" if ordered else "generator_unordered", **options
            )
        except ValueError:  # multiprocessing, and backends that others register
            with Parallel(**options) as parallel:
                while some := list(islice(jobs, _TASKS_OF_A_LIST * self.n_workers)):
                    yield from parallel(some)
        else:
            yield from parallel(jobs)


def _do(
    work: Callable[..., Any],
    task: tuple[Any, ...],
    threads: LibraryThreads,
    config: dict[str, Any],
) -> Any:
    keep_freed_memory()
    with threads.within(), config_context(**config):
        return work(*task)


@contextmanager
def naming(inputs: str) -> Iterator[None]:
    """Add to an error of the base model the noisy inputs that it came from."""
    try:
        yield
    except Exception as error:
        note = f"Raised by the base model on {inputs}."
        if hasattr(error, "add_note"):
            error.add_note(note)
        elif error.args and isinstance(error.args[0], str):  # Python 3.10
            error.args = (f"{error.args[0]}\n{note}", *error.args[1:])
        raise


def progress_bar(total: int, label: str, unit: str, *, shown: Any) -> Any:
    """Progress bar of a part of the work; it is entered, and told how much more is done."""
    return tqdm(total=int(total), desc=label, unit=unit, unit_scale=True, disable=not shown)
