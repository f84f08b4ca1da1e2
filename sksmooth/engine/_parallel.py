"""The parallel loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from sksmooth.engine._workers import keep_freed_memory


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
