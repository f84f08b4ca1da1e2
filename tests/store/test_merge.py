"""Parts of a run are one run again, and parts of others are refused."""

import sqlite3

import pytest
from stored_runs import LABELS, ROWS, Stop, fitted, rows_of, same, stopped_after

from sksmooth.exceptions import OtherRunError, StoreError
from sksmooth.store import MemoryStore, Run, SQLiteStore, checker, merge

RANGES = [(0, 7), (12, 19), (7, 12)]


def parts_of(folder, model=None, ranges=RANGES, **run):
    paths = [folder / f"part{i}.sqlite" for i in range(len(ranges))]
    for path, rows in zip(paths, ranges):
        given = Run(path, rows=rows, labels=LABELS, chunk_rows=4, **run)
        (model or fitted()).certify(ROWS, store=given)
    return paths


def test_parts_are_the_whole(tmp_path):
    path = tmp_path / "whole.sqlite"
    merge(path, parts_of(tmp_path))
    stored = fitted().certify(ROWS, store=Run(path, labels=LABELS))
    assert same(stored, fitted().certify(ROWS))
    found = checker.check(str(path))
    assert (found.problems, found.facts["rows"]) == ([], len(ROWS))
    whole = MemoryStore()
    fitted().certify(ROWS, store=Run(whole, labels=LABELS))
    assert sorted(rows_of(SQLiteStore(path))) == rows_of(whole)


def test_some_parts_are_gone_on_with(tmp_path):
    path = tmp_path / "whole.sqlite"
    merge(path, parts_of(tmp_path)[:2])
    assert same(
        fitted().certify(ROWS, store=Run(path, labels=LABELS, chunk_rows=2)),
        fitted().certify(ROWS),
    )
    assert checker.check(str(path)).problems == []


def test_decisions_of_several_calls_are_merged(tmp_path):
    model, paths = fitted(n_estimation=100), [tmp_path / "a.sqlite", tmp_path / "b.sqlite"]
    for path, rows in zip(paths, [(0, 9), (9, 19)]):
        for radius in (0.3, 0.2):
            model.certify(ROWS, radius=radius, store=Run(path, rows=rows))
    whole = merge(MemoryStore(), paths)
    start = model.certify(ROWS, radius=0.3)
    stored = model.certify(ROWS, radius=0.2, store=whole)
    assert same(stored, model.certify(ROWS, radius=0.2, start=start))


def test_parts_without_random_state_need_one_seed(tmp_path):
    model = fitted(None)
    paths = [*parts_of(tmp_path, model, RANGES[:1], seed=3), tmp_path / "b.sqlite"]
    model.certify(ROWS, store=Run(paths[1], rows=(7, 19), labels=LABELS, seed=4))
    with pytest.raises(OtherRunError, match="was made with another seed than the other parts"):
        merge(MemoryStore(), paths)
    paths[1].unlink()
    model.certify(ROWS, store=Run(paths[1], rows=(7, 19), labels=LABELS, seed=3))
    assert len(rows_of(merge(MemoryStore(), paths))) == len(ROWS)


def test_what_is_no_part_is_refused(tmp_path):
    paths = parts_of(tmp_path)
    other = tmp_path / "other.sqlite"
    fitted(alpha=0.01).certify(ROWS, store=Run(other, rows=(7, 12), labels=LABELS))
    with pytest.raises(OtherRunError, match=r"alpha is 0\.001 there and 0\.01 here"):
        merge(MemoryStore(), [*paths[:2], other])
    with pytest.raises(OtherRunError, match="are both about row 0"):
        merge(MemoryStore(), [paths[0], *paths])
    with pytest.raises(StoreError, match="holds something already"):
        merge(paths[2], paths[:2])
    with pytest.raises(StoreError, match="no parts to put together"):
        merge(MemoryStore(), [])
    with pytest.raises(StoreError, match="There is no file"):
        merge(MemoryStore(), [tmp_path / "none.sqlite"])


def test_damaged_and_unfinished_parts_are_refused(tmp_path):
    paths = parts_of(tmp_path)
    store = SQLiteStore(tmp_path / "open.sqlite")
    stopped_after(store, 2)
    with pytest.raises(Stop):
        fitted().certify(ROWS, store=Run(store, labels=LABELS, chunk_rows=4))
    with pytest.raises(StoreError, match="is not finished"):
        merge(MemoryStore(), [store.path])
    with sqlite3.connect(paths[1]) as connection:
        connection.execute("UPDATE rows SET radius = 9.0 WHERE row = 13")
    connection.close()
    target = tmp_path / "whole.sqlite"
    with pytest.raises(StoreError, match=r"is refused: Entry 2 of the log"):
        merge(target, paths)
    assert not target.exists()
