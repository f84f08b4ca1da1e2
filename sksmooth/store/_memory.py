"""A store in memory: it ends with the process."""

from __future__ import annotations

from collections.abc import Sequence

from sksmooth.store._base import Entry, Row, Store, written_meanwhile


class MemoryStore(Store):
    """Keeps a run in memory, for instance to go on after an interrupt in the same session.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.store import MemoryStore
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SmoothedClassifier(n_estimation=200, random_state=0).fit(X, y)
    >>> store = MemoryStore()
    >>> clf.certify(X[:4], store=store) == clf.certify(X[:4], store=store)
    True
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._rows: list[list[Row]] = []
        self._secret: str | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return "The store in memory"

    def entries(self) -> list[Entry]:
        """Return all entries, in order."""
        return list(self._entries)

    def rows(self, number: int) -> list[Row]:
        """Return the rows of an entry, in order."""
        return list(self._rows[number])

    def secret(self) -> str | None:
        """Return what is kept beside the log."""
        return self._secret

    def write(
        self, entries: list[tuple[Entry, Sequence[Row]]], *, after: int, secret: str | None
    ) -> None:
        """Write entries and the secret; see :meth:`Store.write`."""
        if len(self._entries) != after:
            raise written_meanwhile(self.name)
        self._entries += [entry for entry, _ in entries]
        self._rows += [[tuple(row) for row in rows] for _, rows in entries]
        self._secret = secret
