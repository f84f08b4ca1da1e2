"""What `certify` is told about where its results go."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from sksmooth.exceptions import StoreError
from sksmooth.store._base import Store
from sksmooth.store._rows import label_texts
from sksmooth.store._sqlite import SQLiteStore


@dataclass(frozen=True)
class Run:
    """Where the results of `certify` go, and which part of the work is done now.

    Parameters
    ----------
    store : str, Path or Store
        File of SQLite, or a store.
    rows : tuple of int, default=None
        First row, and the one after the last, that are certified now; of all rows of X. None: all.
        Parts of a run that were made on several machines are put together with :func:`merge`.
    labels : array-like of shape (m,), default=None
        True labels of all rows of X, which reports compare predictions with.
    chunk_rows : int, default=None
        Rows that are written together; a process that is killed loses so many at the most. None: by
        the number of draws. No result depends on it.
    seed : int, default=None
        Seed of the noise, for estimators whose `random_state` is None: the parts of a run need the
        same. None: fresh entropy.
    verbose : bool, default=False
        Show how many rows are done, the rate, and the remaining time.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.store import MemoryStore, Run
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SmoothedClassifier(n_estimation=200, random_state=0).fit(X, y)
    >>> part = clf.certify(X, store=Run(MemoryStore(), rows=(50, 60), labels=y))
    >>> part == clf.certify(X[50:60])
    True
    """

    store: Any
    rows: tuple[int, int] | None = None
    labels: Any = None
    chunk_rows: int | None = None
    seed: int | None = None
    verbose: bool = False

    @classmethod
    def of(cls, store: Any) -> Run:
        """Return what was meant by the argument `store` of `certify`."""
        if isinstance(store, cls):
            return store
        return cls(store)

    def opened(self) -> Store:
        """Return the store."""
        if isinstance(self.store, Store):
            return self.store
        if isinstance(self.store, (str, Path)):
            return SQLiteStore(self.store)
        raise TypeError(
            "store must be the path of a file, a store of sksmooth.store or a Run; got "
            f"{type(self.store).__name__}."
        )

    def range_of(self, n_rows: int) -> tuple[int, int]:
        """Return the first row and the one after the last, of so many."""
        if self.rows is None:
            return 0, n_rows
        try:
            first, stop = (operator.index(number) for number in self.rows)
        except (TypeError, ValueError):
            raise ValueError(
                f"rows must be a pair of whole numbers, got {self.rows!r}. For instance "
                "rows=(0, 1000)."
            ) from None
        if not 0 <= first < stop <= n_rows:
            raise ValueError(
                f"rows={self.rows!r} must be a first row and the one after the last, of X with "
                f"{n_rows} rows."
            )
        return first, stop

    def label_texts(self, n_rows: int) -> list[str] | None:
        """Return the labels of all rows as JSON."""
        if self.labels is None:
            return None
        labels = np.asarray(self.labels)
        if labels.shape != (n_rows,):
            raise ValueError(
                f"labels must hold one label for each of {n_rows} rows of X; got an array of shape "
                f"{labels.shape}."
            )
        return label_texts(labels)

    def size_of_chunks(self, proposed: int) -> int:
        """Return how many rows are written together."""
        if self.chunk_rows is None:
            return proposed
        if not isinstance(self.chunk_rows, Integral) or self.chunk_rows < 1:
            raise ValueError(
                f"chunk_rows must be a whole number of at least 1, got {self.chunk_rows!r}."
            )
        return int(self.chunk_rows)

    def seed_of(self, own: int | None) -> tuple[int, str]:
        """Return the seed of a new run and where it is from.

        Parameters
        ----------
        own : int or None
            Seed of the estimator.
        """
        if self.seed is None:
            if own is not None:
                return own, "random_state"
            entropy: Any = np.random.SeedSequence().entropy
            return int(entropy), "fresh"
        if own is not None:
            raise ValueError(
                f"seed={self.seed!r} has no effect: the random_state of the estimator is its seed. "
                "Leave it out, or fit with random_state=None."
            )
        if not isinstance(self.seed, Integral) or isinstance(self.seed, bool) or self.seed < 0:
            raise ValueError(f"seed must be a whole number, and not negative; got {self.seed!r}.")
        return int(self.seed), "given"


def read_store(store: Any) -> Store:
    """Return a store that is only looked at, of a path or as it is."""
    if isinstance(store, Store):
        return store
    if isinstance(store, (str, Path)):
        return SQLiteStore(store, read_only=True)
    raise StoreError(f"{store!r} is neither a store nor the path of a file.")
