"""Memory that is freed and needed again at once."""

from __future__ import annotations

from functools import cache

import numpy as np

_BYTES = 31 * 2**20


@cache
def keep_freed_memory() -> None:
    """Let the C library keep what is freed at hand, instead of giving it back to the system.

    Fetching pages anew costs more than many a model does with them. The C library of Linux keeps
    blocks of up to the size of the largest one that was freed so far, 32 MB at most; so one is
    taken and freed, once in each process. Its pages are never touched.
    """
    np.empty(_BYTES, np.uint8)
