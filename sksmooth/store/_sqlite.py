"""A store in one file of SQLite: whole after every transaction, whatever happens to the process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sksmooth.exceptions import StoreError
from sksmooth.store._base import COLUMNS, Entry, Row, Store, written_meanwhile

# "sksm" as a number: what tells a run from any other file of SQLite.
APPLICATION_ID = 0x736B736D
FORMAT = 1

_SCHEMA = (
    "CREATE TABLE entries (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, content TEXT NOT NULL, "
    "digest TEXT NOT NULL)",
    "CREATE TABLE rows (entry INTEGER NOT NULL, "
    + ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    + ", PRIMARY KEY (entry, row)) WITHOUT ROWID",
    "CREATE TABLE secret (seed TEXT NOT NULL)",
)

# Another process may be reading: so many seconds it is waited for.
_PATIENCE = 30.0


class SQLiteStore(Store):
    """Keeps a run in a file of SQLite.

    Each chunk is one transaction with a write-ahead log. A process that is killed loses the chunk
    that it was at, and nothing else.

    Parameters
    ----------
    path : str or Path
        File; it is made with the first entry. A file that is no run is never written to.
    read_only : bool, default=False
        Whether the file is only looked at.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self.read_only = read_only

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.path)

    def entries(self) -> list[Entry]:
        """Return all entries, in order; none where there is no file yet."""
        if not self.path.exists():
            if self.read_only:
                raise StoreError(f"There is no file {self.path}.")
            self._refuse_bad_folder()
            return []
        with self._connected("ro") as connection:
            if not self._is_begun(connection):
                return []
            found = connection.execute("SELECT * FROM entries ORDER BY number").fetchall()
        return [Entry(*values) for values in found]

    def rows(self, number: int) -> list[Row]:
        """Return the rows of an entry, in order."""
        query = f"SELECT {', '.join(COLUMNS)} FROM rows WHERE entry = ? ORDER BY row"
        with self._connected("ro") as connection:
            found: list[Row] = connection.execute(query, (number,)).fetchall()
        return found

    def secret(self) -> str | None:
        """Return what is kept beside the log."""
        with self._connected("ro") as connection:
            found = connection.execute("SELECT seed FROM secret").fetchone()
        return None if found is None else str(found[0])

    def write(
        self, entries: list[tuple[Entry, Sequence[Row]]], *, after: int, secret: str | None
    ) -> None:
        """Write entries and the secret; see :meth:`Store.write`."""
        if self.read_only:
            raise StoreError(f"{self.path} was opened to be read.")
        with self._connected("rw" if self.path.exists() else "rwc") as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            if not self._is_begun(connection):
                self._begin(connection)
            count = connection.execute("SELECT count(*) FROM entries").fetchone()[0]
            if count != after:
                raise written_meanwhile(self.name)
            self._insert(connection, entries, secret)
            connection.execute("COMMIT")

    def close(self) -> None:
        """Leave one file, without a log beside it: it can be read where nothing can be written."""
        if not self.path.exists():
            return
        with self._connected("rw") as connection:
            connection.execute("PRAGMA busy_timeout = 1000")
            try:
                connection.execute("PRAGMA journal_mode = DELETE")
            except sqlite3.OperationalError:  # somebody reads it: the log is whole as well
                return

    def _insert(
        self,
        connection: sqlite3.Connection,
        entries: list[tuple[Entry, Sequence[Row]]],
        secret: str | None,
    ) -> None:
        marks = ", ".join("?" * (len(COLUMNS) + 1))
        for entry, rows in entries:
            values = (entry.number, entry.kind, entry.text, entry.digest)
            connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?)", values)
            numbered = ((entry.number, *row) for row in rows)
            connection.executemany(f"INSERT INTO rows VALUES ({marks})", numbered)
        connection.execute("DELETE FROM secret")
        if secret is not None:
            connection.execute("INSERT INTO secret VALUES (?)", (secret,))

    def _begin(self, connection: sqlite3.Connection) -> None:
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")

    def _is_begun(self, connection: sqlite3.Connection) -> bool:
        """Whether a run was begun in the file; a file of something else is refused."""
        number = connection.execute("PRAGMA application_id").fetchone()[0]
        if number == APPLICATION_ID:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version != FORMAT:
                raise StoreError(
                    f"{self.path} has version {version} of the format, and only {FORMAT} is known. "
                    "Use the version of sksmooth that wrote it."
                )
            return True
        if number or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise self._foreign()
        return False

    @contextmanager
    def _connected(self, mode: str) -> Iterator[sqlite3.Connection]:
        """Return a connection that is closed again; its errors say what to do."""
        try:
            connection = self._connect(mode)
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.rollback()
                connection.close()
        except sqlite3.DatabaseError as error:
            raise self._explained(error) from error

    def _connect(self, mode: str) -> sqlite3.Connection:
        uri = self.path.absolute().as_uri()
        options: dict[str, Any] = {"uri": True, "isolation_level": None, "timeout": _PATIENCE}
        connection = sqlite3.connect(f"{uri}?mode={mode}", **options)
        if mode != "ro":
            return connection
        try:
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            connection.close()
            if self.path.with_name(self.path.name + "-wal").exists():
                raise
            # no log beside it, and none can be made: the file alone is all there is
            connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", **options)
        return connection

    def _explained(self, error: sqlite3.DatabaseError) -> StoreError:
        text = str(error)
        if "not a database" in text:
            return self._foreign()
        if "malformed" in text:
            return StoreError(f"{self.path} is damaged ({text}).")
        if "full" in text:
            return StoreError(
                f"There is no room left to write {self.path} ({text}). What was written before is "
                "whole. Make room, then give the same command again: it goes on from there."
            )
        if "readonly" in text or "unable to open" in text or "disk I/O" in text:
            return StoreError(
                f"{self.path} cannot be written or read ({text}). What was written before is "
                "whole. Check the rights of the file and of its folder, or choose another file."
            )
        return StoreError(f"{self.path}: {text}.")

    def _foreign(self) -> StoreError:
        return StoreError(
            f"{self.path} is no run of sksmooth, and is left as it is. Choose another file."
        )

    def _refuse_bad_folder(self) -> None:
        folder = self.path.absolute().parent
        if not folder.is_dir():
            raise StoreError(f"There is no folder {folder} to write {self.path.name} to.")
