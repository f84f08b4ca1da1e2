"""Sharing the cores among workers: threads that each start their own threads slow all down."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import joblib
import numpy as np
from threadpoolctl import ThreadpoolController


@dataclass(frozen=True)
class LibraryThreads:
    """Number of threads that libraries may start for each of several workers.

    BLAS libraries have one limit for the whole process, set with `around`. OpenMP has one for
    each thread that calls it, set with `within` by the workers themselves.

    Attributes
    ----------
    n_workers : int
        Number of workers; a single one leaves all as it is.
    """

    n_workers: int

    @property
    def limit(self) -> int:
        """Threads for each worker."""
        return max(1, int(joblib.cpu_count()) // self.n_workers)

    def around(self) -> AbstractContextManager[Any]:
        """Limit of the process, while the workers run."""
        if self.n_workers == 1:
            return nullcontext()
        return self._libraries.limit(limits=self.limit)

    def within(self) -> AbstractContextManager[Any]:
        """Limit of the thread that enters."""
        if self.n_workers == 1:
            return nullcontext()
        return self._openmp.limit(limits=self.limit)

    @cached_property
    def _libraries(self) -> Any:
        return ThreadpoolController()  # looks at every loaded library, so it is made once

    @cached_property
    def _openmp(self) -> Any:
        return self._libraries.select(user_api="openmp")

    def __getstate__(self) -> dict[str, int]:
        """Libraries are those of a process: another one looks at its own."""
        return {"n_workers": self.n_workers}


_BYTES = 31 * 2**20


@cache
def keep_freed_memory() -> None:
    """Let the C library keep what is freed at hand, instead of giving it back to the system.

    Fetching pages anew costs more than many a model does with them. The C library of Linux keeps
    blocks of up to the size of the largest one that was freed so far, 32 MB at most; so one is
    taken and freed, once in each process. Its pages are never touched.
    """
    np.empty(_BYTES, np.uint8)
