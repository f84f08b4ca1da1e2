"""Seeds of generators that belong to nobody else."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def seed_from(random_state: Any) -> int:
    """Return a seed; the generators of numpy and of torch that all code shares are left alone.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        None: fresh entropy. An instance moves on.
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
