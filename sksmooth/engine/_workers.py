"""Sharing the cores among workers: threads that each start their own threads slow all down."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock
from typing import Any

import joblib
import numpy as np
from threadpoolctl import ThreadpoolController

# Work on fewer numbers than this is done before threads of a library have met: one is faster, by
# far where other processes are at work.
_FEW_VALUES = 2**22


@dataclass(frozen=True)
class LibraryThreads:
    """Number of threads that libraries may start for each of several workers.

    BLAS libraries have one limit for the whole process, set with `around`. OpenMP has one for
    each thread that calls it, set with `within` by the workers themselves.

    Attributes
    ----------
    n_workers : int
        Number of workers; a single one leaves all as it is, unless there is little to do.
    n_values : float
        About how many numbers are worked on.
    """

    n_workers: int
    n_values: float = np.inf

    @property
    def limit(self) -> int | None:
        """Threads for each worker; None: as many as there are."""
        if self.n_values < _FEW_VALUES:
            return 1
        if self.n_workers == 1:
            return None
        return max(1, int(joblib.cpu_count()) // self.n_workers)

    def around(self) -> AbstractContextManager[Any]:
        """Limit of the process, while the workers run."""
        return nullcontext() if self.limit is None else _BLAS.held(self.limit)

    def within(self) -> AbstractContextManager[Any]:
        """Limit of the thread that enters."""
        if self.limit is None:
            return nullcontext()
        return _controller(len(sys.modules)).select(user_api="openmp").limit(limits=self.limit)


class _OfProcess:
    """A state of the process that several threads may want at a time.

    The first to come enters it, and the last to go leaves it.
    """

    def __init__(self, enter: Callable[..., AbstractContextManager[Any]]) -> None:
        self._enter = enter
        self._lock = Lock()
        self._n_users = 0
        self._stack = ExitStack()

    @contextmanager
    def held(self, *options: Any) -> Iterator[None]:
        """Hold the state; where another thread holds it already, as that one wanted it."""
        with self._lock:
            if self._n_users == 0:
                self._stack.enter_context(self._enter(*options))
            self._n_users += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_users -= 1
                if self._n_users == 0:
                    self._stack.close()


def _limited_blas(limit: int) -> AbstractContextManager[Any]:
    limited: AbstractContextManager[Any] = (
        _controller(len(sys.modules)).select(user_api="blas").limit(limits=limit)
    )
    return limited


_BLAS = _OfProcess(_limited_blas)

# scikit-learn checks arrays within `warnings.catch_warnings`, which threads that do so at a time
# leave with the filters of each other.
_WARNING_FILTERS = _OfProcess(warnings.catch_warnings)


def kept_warning_filters() -> AbstractContextManager[None]:
    """Context after which the filters of warnings are what they were before."""
    return _WARNING_FILTERS.held()


@lru_cache(maxsize=1)
def _controller(n_modules: int) -> Any:
    """Libraries that are loaded; looked for again when modules were imported since."""
    return ThreadpoolController()


_BYTES = 31 * 2**20


@cache
def keep_freed_memory() -> None:
    """Let the C library keep what is freed at hand, instead of giving it back to the system.

    Fetching pages anew costs more than many a model does with them. The C library of Linux keeps
    blocks of up to the size of the largest one that was freed so far, 32 MB at most; so one is
    taken and freed, once in each process. Its pages are never touched.
    """
    np.empty(_BYTES, np.uint8)
