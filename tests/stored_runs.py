"""Small runs that tests share."""

from functools import cache

import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from sksmooth import SmoothedClassifier

X, y = load_iris(return_X_y=True)
ROWS, LABELS = X[::8], y[::8]


@cache
def fitted(seed=0, **parameters):
    """Return a smoothed forest; the same parameters give the same one."""
    options = {"n_estimation": 300, "n_selection": 20, "sigma": 0.4, "n_augment": 1}
    options |= {"structure": "off", **parameters}
    forest = RandomForestClassifier(20, max_depth=3, random_state=0)
    return SmoothedClassifier(forest, random_state=seed, **options).fit(X, y)


def rows_of(store):
    """Rows of all entries of a store."""
    return [row for entry in store.entries() for row in store.rows(entry.number)]


class Stop(BaseException):
    """What a test ends a run with."""


def stopped_after(store, n_writes, error=Stop):
    """Make a store end the run at one of its writes, before anything is written."""
    write, left = store.write, [n_writes]

    def failing(*args, **options):
        if not left[0]:
            raise error
        left[0] -= 1
        write(*args, **options)

    store.write = failing
    return lambda: setattr(store, "write", write)


def same(one, other):
    """Whether two certificates agree to the bit."""
    assert one == other
    assert np.array_equal(one.radius, other.radius)
    return True
