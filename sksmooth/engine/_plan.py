"""How the table of inputs by draws is cut into tasks and calls. No vote depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# A task is what one worker does between two moves of the progress bar.
MOST_CALLS_PER_TASK = 16
_TASKS_PER_WORKER = 4


@dataclass(frozen=True)
class Task:
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


def cut(left: list[Task], size: int, block: int) -> Task:
    """Cut a call off the first of the rectangles left to do that holds one, or else the first."""
    holding = (i for i, area in enumerate(left) if area.n_rows * area.n_draws >= size)
    place = next(holding, 0)
    area = left.pop(place)
    draws = min(area.n_draws, max(size // area.n_rows, min(block, size)))
    end = area.start + draws
    rows = slice(area.rows.start, min(area.rows.stop, area.rows.start + max(1, size // draws)))
    beside = Task(slice(rows.stop, area.rows.stop), area.start, end)
    below = Task(area.rows, end, area.stop)
    left[place:place] = [part for part in (beside, below) if part.n_rows and part.n_draws]
    return Task(rows, area.start, end)


def plan(area: Task, block: int, per_call: int, most: int, n_workers: int) -> Iterator[Task]:
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
            yield Task(slice(first, last), start, min(start + draws, area.stop))
