"""The checker derives all by itself, and names what was changed."""

import ast
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import mpmath
import numpy as np
import pytest
from scipy import stats
from sklearn.neighbors import KNeighborsClassifier
from stored_runs import LABELS, ROWS, Stop, fitted, stopped_after

from sksmooth import SmoothedClassifier
from sksmooth.bounds import clopper_pearson_lower, plan_looks
from sksmooth.noise import Brightness, Contrast, Gamma
from sksmooth.store import Run, SQLiteStore, checker

SOURCE = Path(checker.__file__)


def made(path, options=None, **parameters):
    run = Run(path, chunk_rows=5, labels=LABELS)
    fitted(**parameters).certify(ROWS, store=run, **(options or {}))
    return path


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    return made(tmp_path_factory.mktemp("runs") / "run.sqlite")


RUNS = {
    "largest": ({}, {}),
    "decided": ({"radius": 0.2}, {}),
    "nearly, in inf": ({"rtol": 0.1}, {"norm": np.inf}),
    "two places": ({"top_k": 2}, {}),
    "two places, laplace": ({"top_k": 2}, {"noise": "laplace"}),
    "bilateral": ({"bilateral": True}, {}),
    "bilateral, laplace": ({"bilateral": True}, {"noise": "laplace"}),
    "laplace in l2": ({}, {"noise": "laplace", "norm": 2}),
    "uniform": ({}, {"noise": "uniform"}),
    "cube": ({"bilateral": True}, {"noise": "uniform", "norm": np.inf}),
    "scaled, jointly": ({"simultaneous": True}, {"feature_scale": "std", "norm": 3}),
    "decided jointly": ({"radius": 0.2, "simultaneous": True}, {}),
}


@pytest.mark.parametrize("name", RUNS)
def test_honest_files_are_accepted_and_derived(tmp_path, name):
    options, parameters = RUNS[name]
    found = checker.check(str(made(tmp_path / "run.sqlite", options, **parameters)))
    assert found.problems == []
    assert found.facts["derived"] == len(ROWS)
    assert found.facts["finished"]


def test_what_cannot_be_derived_is_counted_apart(tmp_path):
    exact = checker.check(str(made(tmp_path / "a.sqlite", structure="auto")))
    assert (exact.problems, exact.facts["exact"]) == ([], len(ROWS))
    other = checker.check(str(made(tmp_path / "b.sqlite", noise="gaussian", k=1)))
    assert (other.problems, other.facts["not_derived"]) == ([], len(ROWS))


def test_a_run_of_several_calls_is_accepted(tmp_path):
    path = tmp_path / "run.sqlite"
    model = fitted(n_estimation=100)
    model.certify(ROWS, radius=0.35, store=Run(path, rows=(0, 9)))
    try:
        model.set_params(n_estimation=400)
        model.certify(ROWS, radius=0.3, store=Run(path, rows=(0, 9)))
        found = checker.check(str(path))
    finally:
        model.set_params(n_estimation=100)
    assert found.problems == []
    assert found.facts["calls"] == 2
    change(path, "UPDATE rows SET n_draws = 64, counts = '[64,0,0]' WHERE row = 8 AND entry > 4")
    assert "fewer votes than after the call before" in "\n".join(checker.check(str(path)).problems)


def change(path, *statements):
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def swapped(column):
    return (
        f"UPDATE rows SET {column} = CASE row "
        f"WHEN 1 THEN (SELECT {column} FROM rows WHERE row = 8) "
        f"ELSE (SELECT {column} FROM rows WHERE row = 1) END WHERE row IN (1, 8)"
    )


def in_content(kind, old, new):
    return f"UPDATE entries SET content = replace(content, '{old}', '{new}') WHERE kind = '{kind}'"


CHUNK = "its hash does not fit its content, its rows or the entry before it"
COUNTS = "UPDATE rows SET counts = '[0,300,0]' WHERE row = 0"
ROWS_OF_3 = "(SELECT entry FROM rows WHERE row = 7)"
TAMPERED = {
    "a vote": (["UPDATE rows SET counts = '[299,1,0]' WHERE row = 0"], "Row 0: p_lower is"),
    "all votes": ([COUNTS], "Row 0: p_lower is .*, more than the votes prove"),
    "a vote too many": (
        ["UPDATE rows SET counts = '[300,1,0]' WHERE row = 0"],
        "Row 0: there are 301 votes of 300 draws",
    ),
    "a negative vote": (
        ["UPDATE rows SET counts = '[301,-1,0]' WHERE row = 0"],
        "Row 0: counts holds no votes for 3 classes",
    ),
    "a larger radius": (
        ["UPDATE rows SET radius = radius * 1.0001 WHERE row = 9"],
        "Row 9: the radius is .*, more than the votes prove",
    ),
    "a smaller radius": (
        ["UPDATE rows SET radius = radius / 2 WHERE row = 9"],
        "Row 9: the radius is .*, and the votes prove",
    ),
    "the last bit of a radius": (
        ["UPDATE rows SET radius = radius * (1 - 2e-16) WHERE row = 9"],
        rf"Entry 3 of the log \(chunk of rows 5 to 9\): {CHUNK}",
    ),
    "a radius that is text": (
        ["UPDATE rows SET radius = 'large' WHERE row = 9"],
        "Row 9: radius is 'large', which is none",
    ),
    "a bound": (
        ["UPDATE rows SET p_lower = 0.999 WHERE row = 2"],
        "Row 2: p_lower is 0.999, more than the votes prove",
    ),
    "an upper bound": (
        ["UPDATE rows SET p_upper = 0.0 WHERE row = 2"],
        "Row 2: p_upper is 0.0, and the votes prove",
    ),
    "a prediction": (
        ["UPDATE rows SET prediction = '2' WHERE row = 3"],
        "Row 3: the prediction is 2, and the votes select 0",
    ),
    "what selected": (
        ["UPDATE rows SET selection = '[0,0,20]' WHERE row = 3"],
        "Row 3: the prediction is 0, and the votes select 2",
    ),
    "more that selected": (
        ["UPDATE rows SET selection = '[99,0,0]' WHERE row = 3"],
        "Row 3: more draws selected the prediction than were asked for",
    ),
    "draws": (
        ["UPDATE rows SET n_draws = 400, counts = '[400,0,0]' WHERE row = 0"],
        "Row 0: there are 400 draws, and n_estimation is 300",
    ),
    "alpha of a row": (
        ["UPDATE rows SET alpha_spent = 0.5 WHERE row = 4"],
        "Row 4: 0.5 of the level is spent",
    ),
    "how a row moved": (
        ["UPDATE rows SET moved_2 = 1.0, moved_inf = 1.0 WHERE row = 4"],
        "Row 4: the row moved by more than half a cell",
    ),
    "a target": (
        ["UPDATE rows SET target_radius = 0.1 WHERE row = 4"],
        "Row 4: a radius is asked for that is not in the call",
    ),
    "two rows swapped": (
        [
            "UPDATE rows SET row = -1 WHERE row = 3",
            "UPDATE rows SET row = 3 WHERE row = 4",
            "UPDATE rows SET row = 4 WHERE row = -1",
        ],
        "The rows are not those of the data that the run was begun with",
    ),
    "results of two rows swapped": (
        [swapped("radius"), swapped("p_lower"), swapped("p_upper"), swapped("counts")],
        rf"Entry 2 of the log \(chunk of rows 0 to 4\): {CHUNK}",
    ),
    "a row left out": (
        ["DELETE FROM rows WHERE row = 6"],
        "Entry 3: rows 5 to 9 are not all there",
    ),
    "a row twice": (
        [
            "INSERT INTO rows SELECT entry + 1, row, row_id, prediction, radius, p_lower, p_upper, "
            "n_draws, counts, selection, alpha_spent, target_radius, moved_1, moved_2, moved_inf, "
            "label_radius, levels, label FROM rows WHERE row = 6"
        ],
        "Row 6 is there twice",
    ),
    "a row of another run": (
        ["UPDATE rows SET row_id = '00000000000000000000000000000000' WHERE row = 6"],
        "The rows are not those of the data",
    ),
    "a label": (
        ["UPDATE rows SET label = '2' WHERE row = 0"],
        "The labels are not those that the run was begun with",
    ),
    "labels left out": (
        ["UPDATE rows SET label = NULL"],
        "Labels are missing, or there are labels that were not given",
    ),
    "a chunk dropped": (
        [
            f"CREATE TEMP TABLE t AS SELECT entry AS e FROM rows WHERE entry = {ROWS_OF_3}",
            "DELETE FROM rows WHERE entry IN (SELECT e FROM t)",
            "DELETE FROM entries WHERE number IN (SELECT e FROM t)",
        ],
        "Entry 3 of the log is missing",
    ),
    "the last chunk dropped": (
        ["DELETE FROM rows WHERE row > 14", "DELETE FROM entries WHERE number = 5"],
        "Entry 5 of the log is missing",
    ),
    "alpha of the run": (
        [in_content("statement", '"alpha":0.001', '"alpha":0.01')],
        "The level is 0.001 in the description, 0.01 after",
    ),
    "alpha in the description": (
        [in_content("run", '"alpha":"0.001"', '"alpha":"0.01"')],
        "The level is 0.01 in the description, 0.001 after",
    ),
    "sigma": (
        [in_content("statement", '"sigma":0.4', '"sigma":0.8')],
        "sigma is 0.4 in the description and 0.8",
    ),
    "the norm": (
        [in_content("statement", '"norm":2', '"norm":1')],
        rf"Entry 1 of the log \(statement\): {CHUNK}",
    ),
    "the step of the lattice": (
        [in_content("statement", '"noise_step":3.8', '"noise_step":1.8')],
        rf"Entry 1 of the log \(statement\): {CHUNK}",
    ),
    "the number of draws": (
        [in_content("run", '"n_estimation":300', '"n_estimation":30')],
        "there are 300 draws, and n_estimation is 30",
    ),
    "the model": (
        ["UPDATE entries SET content = json_set(content, '$.model', 'aa') WHERE number = 0"],
        "The seed that the seal tells is not the one that was committed to",
    ),
    "a version": (
        [in_content("run", '"python":"3', '"python":"2')],
        rf"Entry 0 of the log \(run\): {CHUNK}",
    ),
    "the time": (
        [in_content("chunk", '"written":"2', '"written":"1')],
        rf"Entry 2 of the log \(chunk of rows 0 to 4\): {CHUNK}",
    ),
    "the seed": (
        [in_content("seal", '"seed":"0"', '"seed":"7"')],
        "The seed that the seal tells is not the one that was committed to before the run",
    ),
    "a seed beside the log": (
        ["INSERT INTO secret VALUES ('7')"],
        "A seed is kept beside the log of a finished run",
    ),
    "a hash": (
        ["UPDATE entries SET digest = 'aa' WHERE number = 3"],
        rf"Entry 3 of the log \(chunk of rows 5 to 9\): {CHUNK}",
    ),
    "the last hash": (
        ["UPDATE entries SET digest = 'aa' WHERE kind = 'seal'"],
        rf"Entry 6 of the log \(seal\): {CHUNK}",
    ),
    "what the seal covers": (
        [in_content("seal", "[[0,19]]", "[[0,18]]")],
        "The seal is about other rows than there are",
    ),
    "a kind of entry": (
        ["UPDATE entries SET kind = 'note' WHERE number = 3"],
        "Entry 3 is of an unknown kind, note",
    ),
    "a table more": (["CREATE TABLE t (x)"], "There is a table t that does not belong to a run"),
    "a view": (["CREATE VIEW v AS SELECT 1"], "There is a view v that does not belong to a run"),
    "a trigger": (
        ["CREATE TRIGGER g AFTER INSERT ON rows BEGIN DELETE FROM rows; END"],
        "There is a trigger g that does not belong to a run",
    ),
    "a table less": (["DROP TABLE secret"], "The table secret is missing"),
    "a column more": (
        ["ALTER TABLE rows ADD COLUMN note TEXT"],
        "The table rows has other columns",
    ),
    "rows of no chunk": (
        ["UPDATE rows SET entry = 77 WHERE row = 6"],
        "There are rows of an entry 77 that is no chunk of the log",
    ),
    "the format": (["PRAGMA user_version = 2"], "The format 2 is not known to this checker"),
}


def test_there_are_enough_kinds():
    assert len(TAMPERED) >= 40


@pytest.mark.parametrize("kind", TAMPERED)
def test_a_change_is_refused_and_named(honest, tmp_path, kind):
    statements, message = TAMPERED[kind]
    path = tmp_path / "run.sqlite"
    shutil.copy(honest, path)
    change(path, *statements)
    found = checker.check(str(path))
    assert any(re.search(message, problem) for problem in found.problems), found.problems
    assert checker.main([str(path)]) == 1


def test_every_cell_of_the_file_is_bound(honest, tmp_path):
    """Whatever cell is changed, something is found."""
    path = tmp_path / "run.sqlite"
    with sqlite3.connect(honest) as connection:
        cells = [("entries", c, "number = 3") for c in ("number", "kind", "content", "digest")]
        names = [line[1] for line in connection.execute("PRAGMA table_info(rows)")]
    connection.close()
    cells += [("rows", name, "row = 7") for name in names]
    for table, column, where in cells:
        shutil.copy(honest, path)
        change(path, f"UPDATE {table} SET {column} = 123456 WHERE {where}")
        assert checker.check(str(path)).problems, (table, column)


def test_a_file_that_is_cut_off_or_something_else_is_refused(honest, tmp_path):
    path = tmp_path / "run.sqlite"
    path.write_bytes(honest.read_bytes()[:5000])
    assert checker.check(str(path)).problems
    path.write_text("not a run at all, and no database either; " * 30)
    assert "cannot be read as a run" in checker.check(str(path)).problems[0]
    change(tmp_path / "other.sqlite", "CREATE TABLE t (x)")
    assert checker.check(str(tmp_path / "other.sqlite")).problems == [
        "The file is no run of sksmooth."
    ]
    assert "There is no file" in checker.check(str(tmp_path / "none.sqlite")).problems[0]


def test_an_unfinished_run_is_told_from_a_changed_one(tmp_path):
    path = tmp_path / "run.sqlite"
    store = SQLiteStore(path)
    stopped_after(store, 3)
    with pytest.raises(Stop):
        fitted().certify(ROWS, store=Run(store, chunk_rows=5))
    found = checker.check(str(path))
    assert found.problems == []
    assert not found.facts["finished"]
    assert checker.main([str(path)]) == 4


def test_the_checker_is_used_alone(honest, tmp_path):
    alone = tmp_path / "alone.py"
    shutil.copy(SOURCE, alone)
    command = [sys.executable, "-I", "-S", str(alone), str(honest)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"Accepted: {len(ROWS)} rows")


def test_the_checker_imports_the_standard_library_only():
    tree = ast.parse(SOURCE.read_text())
    modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    assert {name.split(".")[0] for name in modules} <= sys.stdlib_module_names


@pytest.mark.parametrize(("k", "n"), [(1, 2), (99, 100), (50, 100), (3, 1000), (9990, 10_000)])
def test_bounds_of_the_checker(k, n):
    alpha = Decimal("0.001")
    found = checker.clopper_lower(k, n, alpha, None)
    assert float(found) == pytest.approx(stats.beta.ppf(0.001, k, n - k + 1), rel=1e-9)
    assert float(found) >= float(clopper_pearson_lower(k, n, 0.001))
    with mpmath.workdps(40):
        tail = mpmath.betainc(k, n - k + 1, 0, mpmath.mpf(str(found)), regularized=True)
        assert abs(tail / mpmath.mpf("0.001") - 1) < 1e-20


@pytest.mark.parametrize("x", ["-9", "-3.2", "-0.1", "0", "0.5", "4"])
def test_the_normal_law_of_the_checker(x):
    with mpmath.workdps(50):
        wanted = mpmath.ncdf(mpmath.mpf(x))
        found = checker.normal_cdf(Decimal(x))
        assert abs(mpmath.mpf(str(found)) / wanted - 1) < mpmath.mpf(10) ** -35
    assert abs(checker.normal_quantile(found) - Decimal(x)) < Decimal("1e-35")


def test_the_plan_of_the_checker_is_that_of_the_bounds():
    for cap, number in [(30, 0), (300, 0), (10_000, 0), (500, 1), (9999, 2)]:
        plan = checker._plan(cap, number)
        looks = plan_looks(cap, number)
        assert {n: spent[-1] for n, spent in plan.items()} == pytest.approx(dict(looks))
        for look in looks:
            assert look.alpha_spent in plan[look.n_draws]


def test_the_description_is_readable_by_others(honest):
    with sqlite3.connect(honest) as connection:
        text = connection.execute("SELECT content FROM entries WHERE number = 0").fetchone()[0]
    connection.close()
    run = json.loads(text)
    assert {"model", "data", "labels", "seed", "environment", "parameters"} <= set(run)
    assert run["seed"]["source"] == "random_state"


@pytest.mark.parametrize("norm", ["l1", "l2", "linf", "inf"])
def test_norms_by_their_names(tmp_path, norm):
    assert checker.main([str(made(tmp_path / "run.sqlite", norm=norm))]) == 0


@pytest.mark.parametrize("noise", [Brightness(1.0), Contrast(0.5, "exponential"), Gamma(0.5)])
def test_rows_of_other_noise_are_counted_apart(tmp_path, capsys, noise):
    path = tmp_path / "run.sqlite"
    model = fitted(noise=noise, sigma=0.25) if not isinstance(noise, Gamma) else None
    if model is None:
        small = SmoothedClassifier(KNeighborsClassifier(), noise=noise, random_state=0)
        model = small.set_params(n_estimation=300).fit(ROWS / 10, LABELS)
        model.certify(ROWS / 10, store=Run(path, chunk_rows=5))
    else:
        model.certify(ROWS, store=Run(path, chunk_rows=5))
    assert checker.main([str(path)]) == 0
    assert "of noise that is not known here: 19." in capsys.readouterr().out
