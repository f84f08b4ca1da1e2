"""The contract of a store: a log that only grows, and the chain of hashes over it."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sksmooth.exceptions import StoreError

# What is kept of each row, in this order. All but the first two may be missing.
COLUMNS: dict[str, str] = {
    "row": "INTEGER",
    "row_id": "TEXT",
    "prediction": "TEXT",
    "radius": "REAL",
    "p_lower": "REAL",
    "p_upper": "REAL",
    "n_draws": "INTEGER",
    "counts": "TEXT",
    "selection": "TEXT",
    "alpha_spent": "REAL",
    "target_radius": "REAL",
    "moved_1": "REAL",
    "moved_2": "REAL",
    "moved_inf": "REAL",
    "label_radius": "TEXT",
    "levels": "TEXT",
    "label": "TEXT",
}

# A row of a store: values of `COLUMNS`.
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Addition:
    """What is to be added to a store.

    Attributes
    ----------
    kind : {"run", "statement", "chunk", "call", "seal", "merge"}
        What it is.
    content : dict
        What JSON can hold.
    rows : list of tuple
        Rows that belong to it.
    """

    kind: str
    content: dict[str, Any]
    rows: Sequence[Row] = ()


@dataclass(frozen=True)
class Entry:
    """An entry of the log.

    Attributes
    ----------
    number : int
        Its place, from 0.
    kind : str
        What it is.
    text : str
        Its content as JSON.
    digest : str
        Hash of it, of its rows and of the digest of the entry before it.
    """

    number: int
    kind: str
    text: str
    digest: str

    @property
    def content(self) -> dict[str, Any]:
        """Its content."""
        content: dict[str, Any] = json.loads(self.text)
        return content


class Store(ABC):
    """Where the results of a run live.

    A store is a log of entries, each with some rows. It only grows, by whole transactions, and each
    entry is bound to all before it by a hash. A subclass says how entries are read and written.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """What messages call it."""

    @abstractmethod
    def entries(self) -> list[Entry]:
        """Return all entries, in order; none where nothing was written yet."""

    @abstractmethod
    def rows(self, number: int) -> list[Row]:
        """Return the rows of an entry, in order."""

    @abstractmethod
    def secret(self) -> str | None:
        """Return what is kept beside the log until it is published in it."""

    @abstractmethod
    def write(
        self, entries: list[tuple[Entry, Sequence[Row]]], *, after: int, secret: str | None
    ) -> None:
        """Write entries and the secret, all or nothing.

        Parameters
        ----------
        entries : list of (Entry, rows)
            What follows.
        after : int
            Number of entries that there have to be.
        secret : str or None
            What is kept beside the log from now on.

        Raises
        ------
        StoreError
            If something else was written meanwhile, or if nothing can be written.
        """

    def close(self) -> None:  # noqa: B027  (most have nothing to do)
        """Leave the store in a state that can be handed over."""

    def append(
        self, additions: Sequence[Addition], *, last: Entry | None, secret: str | None
    ) -> list[Entry]:
        """Add entries after the last one, in one transaction.

        Parameters
        ----------
        additions : sequence of Addition
            What is added.
        last : Entry or None
            The last entry, as far as the caller knows.
        secret : str or None
            What is kept beside the log from now on.

        Returns
        -------
        entries : list of Entry
            The new entries.
        """
        number, digest = (0, "") if last is None else (last.number + 1, last.digest)
        after, written = number, []
        for addition in additions:
            text = as_json(addition.content)
            digest = link(digest, number, addition.kind, text, addition.rows)
            written.append((Entry(number, addition.kind, text, digest), addition.rows))
            number += 1
        self.write(written, after=after, secret=secret)
        return [entry for entry, _ in written]


def as_json(value: Any) -> str:
    """Return a value as JSON, the same text for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def link(previous: str, number: int, kind: str, text: str, rows: Sequence[Row]) -> str:
    """Hash an entry with its rows and the digest of the one before it."""
    digest = hashlib.sha256(as_json([previous, number, kind, text]).encode())
    for row in rows:
        digest.update(b"\n" + as_json(list(row)).encode())
    return digest.hexdigest()


def written_meanwhile(name: str) -> StoreError:
    """Error of a writer whose picture of the store is no longer true."""
    return StoreError(
        f"{name} was written to by another process since this one read it. What is in it is whole; "
        "let one process at a time write a run, then give the same command again."
    )
