"""How many noisy rows to hand to the base model in one call.

Small calls are dominated by their overhead, large ones leave the caches; where the best size lies
differs between models by a factor of a hundred. So the first calls try a few sizes. This changes
only the time: votes do not depend on the size of a call.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sksmooth.inputs._containers import Inputs

# Most models are fast near 2.5 MB of input per call; the bounds keep the cost of a call from
# dominating, and memory from growing, at the extremes of the row size.
_BYTES_PER_CALL = 2_500_000
_MAX_BYTES_PER_CALL = 32_000_000
_FEWEST_ROWS, _MOST_ROWS = 256, 20_000

# Trying sizes may take this share of the work, and looks at sizes this far apart: the cost is
# flat enough around its minimum.
_SHARE_FOR_TRYING = 0.25
_FACTOR = 4
_CLEARLY_FASTER = 0.95


def default_batch_size(rows: Inputs) -> int:
    """Noisy rows per call that suit most models."""
    wanted = np.clip(_BYTES_PER_CALL // _row_bytes(rows), _FEWEST_ROWS, _MOST_ROWS)
    return int(min(wanted, _most_rows(rows)))


def fastest_batch_size(rows: Inputs, n_noisy: int, cost: Callable[[int, int], float]) -> int:
    """Noisy rows per call that suit the base model at hand.

    Parameters
    ----------
    rows : Inputs
        Inputs.
    n_noisy : int
        Number of noisy rows that the base model will be asked about.
    cost : callable
        Does a part of the work, about so many noisy rows in calls of a given size, and returns the
        seconds per noisy row.

    Returns
    -------
    batch_size : int
        The default, unless there is enough work for trying and another size is faster.
    """
    budget = n_noisy * _SHARE_FOR_TRYING
    start = best = default_batch_size(rows)
    if 2 * start > budget:
        return start
    budget -= 2 * start
    cost(start, start)  # the first call also pays for fetching its memory
    least = cost(start, start)
    for factor in (1 / _FACTOR, _FACTOR):
        while True:
            size = int(np.clip(best * factor, _FEWEST_ROWS, min(_MOST_ROWS, _most_rows(rows))))
            n_tried = max(size, start)
            budget -= n_tried
            if size == best or budget < 0:
                break
            other = cost(n_tried, size)
            if other > _CLEARLY_FASTER * least:
                break
            best, least = size, other
        if best != start:
            break
    return best


def _row_bytes(rows: Inputs) -> int:
    return max(1, rows.n_features * rows.dtype.itemsize)


def _most_rows(rows: Inputs) -> int:
    return max(1, _MAX_BYTES_PER_CALL // _row_bytes(rows))
