"""The log of a store as a run: its description, its calls, and which rows they are through with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sksmooth.exceptions import StoreError
from sksmooth.store._base import Entry, Row, Store


@dataclass
class Call:
    """A pass over the rows with some number of draws.

    Attributes
    ----------
    number : int
        From 0.
    parameters : dict
        What the call was asked for.
    statement : dict or None
        What its certificates are about.
    chunks : list of dict
        Contents of its chunks, with the number of their entry.
    """

    number: int
    parameters: dict[str, Any]
    statement: dict[str, Any] | None = None
    chunks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def done(self) -> list[tuple[int, int]]:
        """Ranges of rows that it is through with, in order, neighbours joined."""
        joined: list[tuple[int, int]] = []
        for first, stop in sorted((c["first"], c["stop"]) for c in self.chunks):
            if joined and first <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
            else:
                joined.append((first, stop))
        return joined

    @property
    def n_done(self) -> int:
        """Number of rows that it is through with."""
        return sum(stop - first for first, stop in self.done)

    def covers(self, first: int, stop: int) -> bool:
        """Whether it is through with all rows of a range."""
        return first >= stop or any(a <= first and stop <= b for a, b in self.done)

    def missing(self, first: int, stop: int, size: int) -> Iterator[tuple[int, int]]:
        """Yield what is left of a range, cut at multiples of a size."""
        for a, b in self._gaps(first, stop):
            while a < b:
                end = min(b, (a // size + 1) * size)
                yield a, end
                a = end

    def _gaps(self, first: int, stop: int) -> Iterator[tuple[int, int]]:
        for a, b in self.done:
            if b <= first or a >= stop:
                continue
            if first < a:
                yield first, a
            first = b
        if first < stop:
            yield first, stop


@dataclass
class Log:
    """What the entries of a store say.

    Attributes
    ----------
    description : dict
        What the run is of.
    calls : list of Call
        Passes over the rows.
    last : Entry
        The last entry.
    seal : dict or None
        Content of the last seal.
    sealed : bool
        Whether nothing was added after it.
    """

    description: dict[str, Any]
    calls: list[Call]
    last: Entry
    seal: dict[str, Any] | None = None
    sealed: bool = False

    @classmethod
    def of(cls, entries: list[Entry]) -> Log:
        """Read the entries of a store, of which there is at least one."""
        if entries[0].kind != "run":
            raise StoreError("The log does not begin with the description of a run.")
        description = entries[0].content
        log = cls(description, [Call(0, description["call"])], entries[-1])
        for entry in entries[1:]:
            log._take(entry)
        return log

    def _take(self, entry: Entry) -> None:
        content = entry.content
        self.sealed = entry.kind == "seal"
        if entry.kind == "call":
            self.calls.append(Call(content["number"], content["parameters"]))
        elif entry.kind == "statement":
            self.calls[content["call"]].statement = content["statement"]
        elif entry.kind == "chunk":
            self.calls[content["call"]].chunks.append({**content, "entry": entry.number})
        elif entry.kind == "seal":
            self.seal = content

    @property
    def call(self) -> Call:
        """The last call."""
        return self.calls[-1]


def open_log(store: Store) -> Log:
    """Return the log of a store that holds a run.

    Raises
    ------
    StoreError
        If nothing was written to it yet.
    """
    entries = store.entries()
    if not entries:
        raise StoreError(f"{store.name} holds no run yet.")
    return Log.of(entries)


def rows_of_call(store: Store, call: Call, first: int, stop: int) -> list[Row]:
    """Return rows of a range, in order, as a call left them."""
    found: dict[int, Row] = {}
    for chunk in call.chunks:
        if chunk["stop"] > first and chunk["first"] < stop:
            for row in store.rows(chunk["entry"]):
                if first <= row[0] < stop:
                    found[row[0]] = row
    return [found[number] for number in sorted(found)]
