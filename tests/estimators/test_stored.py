"""What is stored is replayed: every column of a row, from the model and its seed."""

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from stored_runs import LABELS, ROWS, Stop, X, fitted, same, stopped_after, y

import sksmooth
from sksmooth import DSSNClassifier, LocallyBiasedSmoother, SmoothedClassifier
from sksmooth.estimators._stored import replay
from sksmooth.exceptions import OtherRunError, StoreError
from sksmooth.store import MemoryStore, Run

GRID = np.round(X * 2.5) / 2.5
SMOOTHERS = {
    "votes": (fitted, {}, ROWS),
    "decided": (fitted, {"radius": 0.2}, ROWS),
    "radii of their own": (fitted, {"radius": np.linspace(0.01, 0.5, len(ROWS))}, ROWS),
    "jointly": (fitted, {"simultaneous": True, "bilateral": True}, ROWS),
    "two places": (fitted, {"top_k": 2, "rtol": 0.1}, ROWS),
    "fresh seed": (lambda: fitted(None), {}, ROWS),
    "exact": (lambda: fitted(structure="auto"), {}, ROWS),
    "splits": (
        lambda: DSSNClassifier(
            DecisionTreeClassifier(random_state=0), n_steps=20, feature_range=(0, 8)
        ).fit(GRID, y),
        {"perturbation": "real"},
        GRID[::8],
    ),
    "local bias": (
        lambda: LocallyBiasedSmoother(LogisticRegression(), random_state=0).fit(X[50:], y[50:]),
        {},
        X[50::9],
    ),
}


@pytest.mark.parametrize("name", SMOOTHERS)
def test_a_replay_agrees(name):
    make, options, rows = SMOOTHERS[name]
    smoother, store = make(), MemoryStore()
    smoother.certify(rows, store=Run(store, chunk_rows=5), **options)
    chosen, problems = replay(smoother, rows, store, n_rows=6, random_state=0)
    assert (len(chosen), problems) == (6, [])


def test_a_replay_follows_all_calls():
    model, store = fitted(n_estimation=100), MemoryStore()
    model.certify(ROWS, radius=0.35, store=store)
    try:
        model.set_params(n_estimation=400).certify(ROWS, radius=0.3, store=store)
        assert replay(model, ROWS, store, n_rows=30)[1] == []
    finally:
        model.set_params(n_estimation=100)


def test_a_replay_names_what_differs():
    store = MemoryStore()
    fitted().certify(ROWS, store=store)
    rows = store._rows[-2]
    rows[4] = (*rows[4][:3], 0.5, *rows[4][4:])
    chosen, problems = replay(fitted(), ROWS, store, n_rows=99)
    assert chosen == list(range(len(ROWS)))
    assert len(problems) == 1
    assert problems[0].startswith("Row 4: radius is 0.5, and ")


def test_a_replay_needs_the_model_and_the_data_of_the_run():
    store = MemoryStore()
    fitted().certify(ROWS, store=Run(store, labels=LABELS))
    assert replay(fitted(), ROWS, store, n_rows=2)[1] == []
    with pytest.raises(OtherRunError, match=r"sigma is 0\.4 there"):
        replay(fitted(sigma=0.3), ROWS, store)
    with pytest.raises(OtherRunError, match="the data differ"):
        replay(fitted(), ROWS[::-1], store)
    with pytest.raises(OtherRunError, match="the labels differ"):
        replay(fitted(), ROWS, store, labels=LABELS[::-1])


def test_an_unfinished_run_is_not_replayed():
    store = MemoryStore()
    stopped_after(store, 2)
    with pytest.raises(Stop):
        fitted().certify(ROWS, store=Run(store, chunk_rows=5))
    with pytest.raises(StoreError, match="is not finished: its seed is not told yet"):
        replay(fitted(), ROWS, store)


def test_frames_of_polars_and_pipelines():
    frame = pl.DataFrame(X, schema=list("abcd"))
    model = SmoothedClassifier(DecisionTreeClassifier(), n_estimation=60, random_state=0)
    model.set_params(structure="off").fit(frame, y)
    stored = model.certify(frame[::9], store=Run(MemoryStore(), chunk_rows=4))
    assert same(stored, model.certify(frame[::9]))
    pipeline = sksmooth.certify(model, frame[::9], store=MemoryStore())
    assert same(pipeline, stored)
