"""Runs are written chunk by chunk, continued, and never mixed with others."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from stored_runs import LABELS, ROWS, Stop, X, fitted, rows_of, same, stopped_after, y

from sksmooth import (
    CenterSmoothedRegressor,
    DSSNClassifier,
    LocallyBiasedSmoother,
    MedianSmoothedRegressor,
    SmoothedClassifier,
)
from sksmooth.exceptions import OtherRunError, StoreError, UnreachableRadiusError
from sksmooth.store import MemoryStore, Run, SQLiteStore

FOLDER = Path(__file__).parents[1]
OPTIONS = {
    "largest": {},
    "decision": {"radius": 0.2},
    "radius of each row": {"radius": np.linspace(0.01, 0.6, len(ROWS))},
    "nearly": {"rtol": 0.1},
    "two places": {"top_k": 2},
    "bilateral": {"bilateral": True},
    "jointly": {"simultaneous": True},
    "jointly decided": {"radius": 0.2, "simultaneous": True},
}


@pytest.mark.parametrize("way", OPTIONS)
def test_what_is_stored_is_what_certify_returns(way):
    store, options = MemoryStore(), OPTIONS[way]
    stored = fitted().certify(ROWS, store=Run(store, chunk_rows=3, labels=LABELS), **options)
    assert same(stored, fitted().certify(ROWS, **options))
    n_entries = len(store.entries())
    again = fitted().certify(ROWS, store=Run(store, chunk_rows=3, labels=LABELS), **options)
    assert same(again, stored)
    assert len(store.entries()) == n_entries


MODELS = {
    "linear": (SmoothedClassifier(LogisticRegression(max_iter=500), random_state=0), X, y),
    "exact": (SmoothedClassifier(LogisticRegression(), random_state=0), X[50:], y[50:]),
    "tree": (SmoothedClassifier(DecisionTreeClassifier(random_state=0), random_state=0), X, y),
    "neighbors": (SmoothedClassifier(KNeighborsClassifier(), random_state=0), X, y),
    "laplace": (
        SmoothedClassifier(DecisionTreeClassifier(), noise="laplace", structure="off"),
        X,
        y,
    ),
    "float32": (SmoothedClassifier(LogisticRegression(), random_state=1), X.astype("f"), y),
    "whole numbers": (
        SmoothedClassifier(KNeighborsClassifier(), random_state=1),
        (X * 100).astype(int),
        y,
    ),
    "text labels": (
        SmoothedClassifier(KNeighborsClassifier(), random_state=1),
        X,
        np.array(["a", "b'\"", "ü"])[y],
    ),
    "scaled": (SmoothedClassifier(KNeighborsClassifier(), feature_scale="std"), X, y),
    "frame": (
        SmoothedClassifier(KNeighborsClassifier(), random_state=1),
        pd.DataFrame(X, columns=list("abcd")),
        y,
    ),
    "splits": (
        DSSNClassifier(DecisionTreeClassifier(), n_steps=20, feature_range=(0, 8), random_state=0),
        np.round(X * 2.5) / 2.5,
        y,
    ),
    "local bias": (LocallyBiasedSmoother(LogisticRegression(), random_state=0), X[50:], y[50:]),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_every_kind(name):
    model, inputs, labels = MODELS[name]
    if isinstance(model, SmoothedClassifier):
        model.set_params(n_estimation=200, n_augment=1)
    model.fit(inputs, labels)
    some, store = inputs[::10], MemoryStore()
    stored = model.certify(some, store=Run(store, chunk_rows=4))
    if model.random_state is not None:
        plain = model.certify(some)
        if plain.alpha is None:  # products of matrices are rounded as their shapes have it
            assert np.allclose(stored.radius, plain.radius, rtol=1e-12)
        else:
            assert same(stored, plain)
    assert same(model.certify(some, store=Run(store, chunk_rows=4)), stored)
    if hasattr(some, "index"):
        assert list(stored.index) == list(some.index)


def test_without_random_state_the_store_keeps_the_seed():
    model, store = fitted(None), MemoryStore()
    restore = stopped_after(store, 3)
    with pytest.raises(Stop):
        model.certify(ROWS, store=Run(store, chunk_rows=5))
    assert store.secret() is not None
    assert store.secret() not in store.entries()[0].text
    restore()
    stored = model.certify(ROWS, store=Run(store, chunk_rows=5))
    seal = store.entries()[-1].content
    assert store.secret() is None
    again = model.certify(ROWS, store=Run(MemoryStore(), seed=int(seal["seed"])))
    assert np.array_equal(stored.counts, again.counts)  # one seed for all chunks
    other = model.certify(ROWS, store=MemoryStore())
    assert not np.array_equal(stored.counts, other.counts)


@pytest.mark.parametrize("n_writes", range(1, 6))
@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt, StoreError])
def test_an_interrupted_run_goes_on_and_ends_the_same(n_writes, error):
    whole = MemoryStore()
    fitted().certify(ROWS, store=Run(whole, chunk_rows=5))
    store = MemoryStore()
    restore = stopped_after(store, n_writes, error)
    with pytest.raises(error):
        fitted().certify(ROWS, store=Run(store, chunk_rows=5))
    restore()
    stored = fitted().certify(ROWS, store=Run(store, chunk_rows=5))
    assert same(stored, fitted().certify(ROWS))
    assert rows_of(store) == rows_of(whole)
    kinds = [entry.kind for entry in store.entries()]
    assert kinds == [entry.kind for entry in whole.entries()]


def test_a_keyboard_interrupt_says_how_to_go_on():
    store = MemoryStore()
    stopped_after(store, 2, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt) as info:
        fitted().certify(ROWS, store=Run(store, chunk_rows=5))
    if sys.version_info >= (3, 11):
        note = "What is done is kept in The store in memory; the same call goes on."
        assert note in info.value.__notes__


RUN = """
import sys
sys.path.insert(0, {folder!r})
from stored_runs import ROWS, fitted
from sksmooth.store import Run
model = fitted()
print("ready", flush=True)
model.certify(ROWS, store=Run({path!r}, chunk_rows=1))
"""


def killed_and_continued(path, n_kills, how):
    """Kill a run at random moments, then let it end."""
    code = RUN.format(folder=str(FOLDER), path=str(path))
    rng = random.Random(n_kills)
    for _ in range(n_kills):
        command = [sys.executable, "-c", code]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, 0.25))
        os.kill(process.pid, how)
        process.wait()
        process.stdout.close()
    return fitted().certify(ROWS, store=Run(path, chunk_rows=1))


def check_kills(path, n_kills, how):
    stored = killed_and_continued(path, n_kills, how)
    whole = MemoryStore()
    assert same(stored, fitted().certify(ROWS, store=Run(whole, chunk_rows=1)))
    assert rows_of(SQLiteStore(path)) == rows_of(whole)
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name]


def test_a_killed_process_loses_no_finished_chunk(tmp_path):
    check_kills(tmp_path / "run.sqlite", 2, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_twenty_kills(tmp_path, how):
    check_kills(tmp_path / "run.sqlite", 20, how)


def test_other_rows_go_on_in_the_same_store_and_in_others():
    store = MemoryStore()
    part = fitted().certify(ROWS, store=Run(store, rows=(4, 9), chunk_rows=2))
    whole = fitted().certify(ROWS)
    assert same(part, whole[4:9])
    assert same(fitted().certify(ROWS, store=Run(store, chunk_rows=3)), whole)
    assert same(fitted().certify(ROWS, store=Run(store, rows=(8, 10))), whole[8:10])
    joint = fitted().certify(ROWS, simultaneous=True, store=Run(MemoryStore(), rows=(2, 3)))
    assert same(joint, fitted().certify(ROWS, simultaneous=True)[2:3])


def test_a_decision_goes_on_with_more_draws_or_another_radius():
    model, store = fitted(n_estimation=100), MemoryStore()
    first = model.certify(ROWS, radius=0.35, store=Run(store, chunk_rows=5))
    more = fitted(n_estimation=100).set_params(n_estimation=400)
    try:
        stored = more.certify(ROWS, radius=0.3, store=Run(store, chunk_rows=4))
        assert same(stored, more.certify(ROWS, radius=0.3, start=first))
        assert stored.n_calls == 2
        assert (stored.n_draws >= first.n_draws).all()
        third = more.certify(ROWS, radius=0.2, store=store)
        assert same(third, more.certify(ROWS, radius=0.2, start=stored))
    finally:
        more.set_params(n_estimation=100)


def test_a_decision_that_has_not_ended_is_ended_first():
    store = MemoryStore()
    stopped_after(store, 3)
    with pytest.raises(Stop):
        fitted().certify(ROWS, radius=0.2, store=Run(store, chunk_rows=5))
    message = "has not come to its end: radius is 0.2 there and 0.1 here. Give the command"
    with pytest.raises(OtherRunError, match=message):
        fitted().certify(ROWS, radius=0.1, store=store)


def test_votes_for_the_largest_radius_cannot_be_added_to():
    store = MemoryStore()
    fitted().certify(ROWS, store=store)
    message = "radius is largest there and 0.1 here.*spend all of alpha"
    with pytest.raises(OtherRunError, match=message):
        fitted().certify(ROWS, radius=0.1, store=store)
    with pytest.raises(OtherRunError, match="n_estimation is 300 there and 400 here"):
        fitted(n_estimation=400).certify(ROWS, store=store)


OTHERS = {
    "alpha": (lambda: fitted(alpha=0.01), {}, "alpha is 0.001 there and 0.01 here"),
    "sigma": (lambda: fitted(sigma=0.5), {}, "sigma is 0.4 there and 0.5 here"),
    "noise": (lambda: fitted(noise="laplace"), {}, "noise is 'gaussian' there and 'laplace' here"),
    "norm": (lambda: fitted(norm=1), {}, "norm is None there and 1 here"),
    "selection": (lambda: fitted(n_selection=30), {}, "n_selection is 20 there and 30 here"),
    "seed": (lambda: fitted(1), {}, "the fitted model is another one"),
    "model": (lambda: refitted(), {}, "the fitted model is another one"),
    "top_k": (lambda: fitted(), {"top_k": 2}, "top_k is 1 there and 2 here"),
    "rtol": (lambda: fitted(), {"rtol": 0.1}, "rtol is 0.0 there and 0.1 here"),
}


def refitted():
    model = SmoothedClassifier(**fitted().get_params(deep=False))
    model.set_params(estimator__max_depth=2)
    try:
        return model.fit(X, y)
    finally:
        model.estimator.set_params(max_depth=3)
        model._nested_at_fit.clear()


@pytest.mark.parametrize("what", OTHERS)
def test_another_run_is_refused_and_the_difference_named(what):
    store = MemoryStore()
    fitted().certify(ROWS, store=store)
    model, options, message = OTHERS[what]
    with pytest.raises(OtherRunError, match=message):
        model().certify(ROWS, store=store, **options)


def test_other_data_are_refused_and_the_difference_named():
    store = MemoryStore()
    fitted().certify(ROWS, store=Run(store, labels=LABELS))
    moved = ROWS.copy()
    moved[7, 2] = np.nextafter(moved[7, 2], 9)
    for rows, labels, message in [
        (moved, LABELS, "the data differ, in the numbers of some row"),
        (ROWS[::-1], LABELS, "the data differ, in the numbers of some row"),
        (ROWS[:5], LABELS[:5], f"the data differ, in the number of rows: {len(ROWS)} there and 5"),
        (ROWS.astype("f"), LABELS, "the data differ, in the type of numbers: <f8 there and <f4"),
        (ROWS, LABELS[::-1], "the labels differ"),
        (ROWS, None, "the labels differ"),
    ]:
        with pytest.raises(OtherRunError, match=message):
            fitted().certify(rows, store=Run(store, labels=labels))


def test_another_seed_is_refused():
    store = MemoryStore()
    model = fitted(None)
    model.certify(ROWS, store=Run(store, seed=5))
    assert same(
        model.certify(ROWS, store=Run(store, seed=5)), model.certify(ROWS, store=Run(store))
    )
    with pytest.raises(OtherRunError, match="was begun with another seed"):
        model.certify(ROWS, store=Run(store, seed=6))


def test_parts_with_one_seed_agree():
    model = fitted(None)
    parts = [
        model.certify(ROWS, store=Run(MemoryStore(), rows=rows, seed=11))
        for rows in [(0, 7), (7, len(ROWS))]
    ]
    whole = model.certify(ROWS, store=Run(MemoryStore(), seed=11))
    assert np.array_equal(np.concatenate([p.counts for p in parts]), whole.counts)


def test_equal_models_that_were_fitted_apart_are_one():
    store = MemoryStore()
    stored = fitted().certify(ROWS, store=store)
    fitted.cache_clear()
    assert same(fitted().certify(ROWS, store=store), stored)


WRONG = [
    ({"store": 3}, TypeError, "store must be the path of a file, a store .* or a Run; got int"),
    ({"rows": (5, 3)}, ValueError, r"rows=\(5, 3\) must be a first row and the one after the"),
    ({"rows": (0, 99)}, ValueError, r"rows=\(0, 99\) must be a first row"),
    ({"rows": "ab"}, ValueError, "rows must be a pair of whole numbers, got 'ab'"),
    ({"rows": 3}, ValueError, "rows must be a pair of whole numbers, got 3"),
    ({"labels": [1, 2]}, ValueError, r"labels must hold one label for each of 19 rows of X"),
    ({"chunk_rows": 0}, ValueError, "chunk_rows must be a whole number of at least 1, got 0"),
    ({"chunk_rows": 2.5}, ValueError, "chunk_rows must be a whole number of at least 1, got 2.5"),
    ({"seed": 3}, ValueError, "seed=3 has no effect: the random_state of the estimator"),
]


@pytest.mark.parametrize(("given", "kind", "message"), WRONG)
def test_wrong_runs_are_refused_before_anything_is_written(given, kind, message):
    store = MemoryStore()
    with pytest.raises(kind, match=message):
        fitted().certify(ROWS, store=Run(**{"store": store, **given}))
    assert store.entries() == []


@pytest.mark.parametrize("seed", [-1, 2.5, True, "a"])
def test_wrong_seeds_are_refused(seed):
    store = MemoryStore()
    with pytest.raises(ValueError, match="seed must be a whole number, and not negative; got"):
        fitted(None).certify(ROWS, store=Run(store, seed=seed))
    assert store.entries() == []


HOPELESS = [
    ({"radius": 50.0}, UnreachableRadiusError, "No row can be certified at radius=50"),
    ({"radius": -1.0}, ValueError, "radius must be finite and not negative"),
    ({"radius": [0.1, 0.2]}, ValueError, "radius must be a number or one number per row"),
    ({"top_k": 9}, ValueError, "top_k must be a whole number from 1 to 2"),
    ({"changes": 1}, ValueError, "changes is about a decision"),
    ({"rtol": 2}, ValueError, "rtol must lie in"),
    ({"start": fitted, "radius": 0.1}, ValueError, "start cannot be combined with store"),
]


@pytest.mark.parametrize(("options", "kind", "message"), HOPELESS)
def test_what_cannot_work_is_refused_before_anything_is_written(options, kind, message):
    store = MemoryStore()
    with pytest.raises(kind, match=message):
        fitted().certify(ROWS, store=store, **options)
    assert store.entries() == []


def test_a_bad_row_is_found_before_the_work():
    bad, store = ROWS.copy(), MemoryStore()
    bad[12, 1] = np.nan
    with pytest.raises(ValueError, match="X contains NaN at row 12, column 1"):
        fitted().certify(bad, store=store)
    with pytest.raises(ValueError, match="X has 3 features"):
        fitted().certify(ROWS[:, :3], store=store)
    with pytest.raises(ValueError, match="0 sample"):
        fitted().certify(ROWS[:0], store=store)
    assert store.entries() == []


def test_a_radius_that_only_rows_of_another_chunk_can_reach_is_no_error():
    radius = np.full(len(ROWS), 50.0)
    radius[0] = 0.1
    stored = fitted().certify(ROWS, radius=radius, store=Run(MemoryStore(), chunk_rows=4))
    assert same(stored, fitted().certify(ROWS, radius=radius))


@pytest.mark.parametrize(
    "model",
    [
        CenterSmoothedRegressor(Ridge(), n_center=30, n_estimation=100, random_state=0),
        MedianSmoothedRegressor(Ridge(), n_estimation=100, random_state=0),
    ],
)
def test_estimators_without_a_store_say_so(model, tmp_path):
    model.fit(X, y.astype(float))
    path = tmp_path / "run.sqlite"
    message = f"{type(model).__name__} cannot write its results to a store yet. Leave store out"
    with pytest.raises(ValueError, match=message):
        model.certify(ROWS, radius=0.01, store=path)
    assert not path.exists()


class Failing(DecisionTreeClassifier):
    """A model that cannot answer about some rows."""

    def predict(self, X):
        if (X[:, 0] > 90).any():
            raise ValueError("no such plant")
        return super().predict(X)


def test_an_error_of_the_model_says_where_rows_are_counted_from():
    model = SmoothedClassifier(Failing(), n_estimation=50, structure="off", random_state=0)
    model.fit(X, y)
    rows, store = ROWS.copy(), MemoryStore()
    rows[10, 0] = 99
    with pytest.raises(ValueError, match="no such plant") as info:
        model.certify(rows, store=Run(store, chunk_rows=4))
    if sys.version_info >= (3, 11):
        notes = "\n".join(info.value.__notes__)
        assert "Rows are counted from row 8 of X." in notes
        assert "What was done before is kept in The store in memory." in notes
    assert len(rows_of(store)) == 8


def test_memory_mapped_rows_are_read_in_blocks(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.repeat(ROWS, 3, axis=0))
    mapped = np.load(path, mmap_mode="r")
    stored = fitted().certify(mapped, store=Run(MemoryStore(), chunk_rows=20))
    assert same(stored[::3], fitted().certify(ROWS))
