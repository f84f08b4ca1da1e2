"""Files of runs: what they are, and what happens where nothing can be written."""

import sqlite3

import pytest
from stored_runs import ROWS, fitted, rows_of, same

from sksmooth.exceptions import StoreError
from sksmooth.store import MemoryStore, Run, SQLiteStore
from sksmooth.store._base import Addition


def test_a_file_and_the_memory_hold_the_same(tmp_path):
    file, memory = SQLiteStore(tmp_path / "run.sqlite"), MemoryStore()
    for store in (file, memory):
        fitted().certify(ROWS, store=Run(store, chunk_rows=4))
    assert rows_of(file) == rows_of(memory)
    assert [e.kind for e in file.entries()] == [e.kind for e in memory.entries()]
    assert file.secret() is None
    assert [p.name for p in tmp_path.iterdir()] == ["run.sqlite"]


@pytest.mark.parametrize("make", [MemoryStore, SQLiteStore])
def test_entries_are_written_all_or_nothing(tmp_path, make):
    store = make() if make is MemoryStore else make(tmp_path / "a.sqlite")
    assert store.entries() == []
    first = store.append([Addition("run", {"a": 1})], last=None, secret="s")
    assert store.secret() == "s"
    with pytest.raises(StoreError, match="was written to by another process"):
        store.append([Addition("run", {"a": 2})], last=None, secret=None)
    assert store.entries() == first
    assert store.secret() == "s"
    row = (3, "id", '"x"', 0.1, *[None] * 13)
    store.append([Addition("chunk", {}, [row]), Addition("seal", {})], last=first[0], secret=None)
    assert store.rows(1) == [row]
    assert store.secret() is None
    assert [e.number for e in store.entries()] == [0, 1, 2]


def test_other_files_are_left_as_they_are(tmp_path):
    text, other = tmp_path / "a.txt", tmp_path / "b.sqlite"
    text.write_text("my notes, which are long enough to be more than a header of sqlite " * 9)
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(StoreError, match="is no run of sksmooth, and is left as it is"):
            fitted().certify(ROWS, store=path)
        assert path.read_bytes() == before


def test_a_file_of_another_format_is_refused(tmp_path):
    path = tmp_path / "run.sqlite"
    fitted().certify(ROWS, store=path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="has version 99 of the format, and only 1 is known"):
        fitted().certify(ROWS, store=path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"There is no folder .*nowhere to write run\.sqlite to"):
        fitted().certify(ROWS, store=tmp_path / "nowhere" / "run.sqlite")


def test_an_empty_file_is_begun(tmp_path):
    path = tmp_path / "run.sqlite"
    path.touch()
    assert same(fitted().certify(ROWS, store=path), fitted().certify(ROWS))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("database or disk is full", "no room left to write .* Make room, then give the same"),
        ("attempt to write a readonly database", "cannot be written or read .* Check the rights"),
        ("unable to open database file", "cannot be written or read .* Check the rights"),
    ],
)
def test_what_was_written_survives_a_writer_that_fails(tmp_path, monkeypatch, error, message):
    path = tmp_path / "run.sqlite"
    insert, left = SQLiteStore._insert, [3]

    def failing(self, connection, entries, secret):
        insert(self, connection, entries, secret)
        left[0] -= 1
        if left[0] < 0:
            raise sqlite3.OperationalError(error)

    monkeypatch.setattr(SQLiteStore, "_insert", failing)
    with pytest.raises(StoreError, match=message):
        fitted().certify(ROWS, store=Run(path, chunk_rows=4))
    assert len(rows_of(SQLiteStore(path))) == 8
    monkeypatch.undo()
    assert same(fitted().certify(ROWS, store=Run(path, chunk_rows=4)), fitted().certify(ROWS))


def test_a_full_disk_of_real_bytes(tmp_path, monkeypatch):
    """SQLite itself refuses to grow the file: what was written before is whole."""
    path = tmp_path / "run.sqlite"
    connect = SQLiteStore._connect

    def small(self, mode):
        connection = connect(self, mode)
        connection.execute("PRAGMA max_page_count = 5")
        return connection

    monkeypatch.setattr(SQLiteStore, "_connect", small)
    with pytest.raises(StoreError, match="no room left to write"):
        fitted().certify(ROWS, store=Run(path, chunk_rows=1))
    monkeypatch.undo()
    assert 0 < len(rows_of(SQLiteStore(path))) < len(ROWS)
    assert same(fitted().certify(ROWS, store=Run(path, chunk_rows=1)), fitted().certify(ROWS))


def test_a_file_that_is_only_read_is_not_written(tmp_path):
    path = tmp_path / "run.sqlite"
    fitted().certify(ROWS, store=Run(path, rows=(0, 5)))
    store, before = SQLiteStore(path, read_only=True), path.read_bytes()
    with pytest.raises(StoreError, match="was opened to be read"):
        fitted().certify(ROWS, store=store)
    with pytest.raises(StoreError, match="There is no file"):
        SQLiteStore(tmp_path / "other.sqlite", read_only=True).entries()
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.sqlite"]
