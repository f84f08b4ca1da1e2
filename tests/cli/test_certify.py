"""The commands of a long run, from the shell's side."""

import csv
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from stored_runs import LABELS, ROWS, X, fitted, y

import sksmooth
from sksmooth import MedianSmoothedRegressor, SmoothedClassifier
from sksmooth.cli import main


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Model, data and labels in a folder of their own, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    joblib.dump(fitted(), "m.joblib")
    np.save("x.npy", ROWS)
    np.save("y.npy", LABELS)
    return tmp_path


CERTIFY = "certify --model m.joblib --trust-pickle --data x.npy --quiet --out run.sqlite".split()
MODEL = "--model m.joblib --trust-pickle --data x.npy".split()


def said(capsys, *arguments):
    """Exit code of a command, and what it wrote."""
    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


def radii(path):
    with Path(path).open(newline="") as file:
        return [float(line["radius"]) for line in csv.DictReader(file)]


def test_certify_report_and_verify(files, capsys):
    assert main([*CERTIFY, "--labels", "y.npy"]) == 0
    before = Path("run.sqlite").read_bytes()
    assert main([*CERTIFY, "--labels", "y.npy"]) == 0
    code, out, _ = said(capsys, "report", "run.sqlite", "--csv", "out.csv", "--html", "page.html")
    assert code == 0
    assert "Certified and right: 19 of 19 (100.0%)" in out
    assert radii("out.csv") == fitted().certify(ROWS).radius.tolist()
    code, out, _ = said(capsys, "verify", "run.sqlite", *MODEL, "--labels", "y.npy")
    assert (code, out.splitlines()[-1]) == (
        0,
        "Model and data are those of the run. All votes of 19 rows were taken again.",
    )
    assert said(capsys, "verify", "run.sqlite")[0] == 0
    code, out, _ = said(capsys, "status", "run.sqlite")
    assert (code, out) == (0, "19 of 19 rows are done, 0 are left.\nThe run is finished.\n")
    assert Path("run.sqlite").read_bytes() == before


def test_options_reach_certify(files, capsys):
    options = "--radius 0.2 --n-estimation 500 --alpha 0.01 --norm 1 --bilateral --n-selection 30"
    assert main([*CERTIFY, *options.split()]) == 0
    main(["report", "run.sqlite", "--csv", "out.csv"])
    table = pd.read_csv("out.csv")
    wanted = SmoothedClassifier(**fitted().get_params(deep=False))
    wanted.set_params(n_estimation=500, alpha=0.01, norm=1, n_selection=30)
    certificate = wanted.fit(X, y).certify(ROWS, radius=0.2, bilateral=True)
    assert table["radius"].tolist() == certificate.radius.tolist()
    assert table["certified"].tolist() == certificate.certified.tolist()
    assert said(capsys, "verify", "run.sqlite")[0] == 0


def test_parts_are_merged(files, capsys):
    for rows in ("0:8", "8:19"):
        name = f"{rows[0]}.sqlite"
        assert main([*CERTIFY[:-1], name, "--rows", rows]) == 0
    assert "8 of 19 rows are done" in said(capsys, "status", "0.sqlite")[1]
    code, out, _ = said(capsys, "merge", "0.sqlite", "8.sqlite", "--out", "run.sqlite")
    assert (code, out) == (0, "19 of 19 rows are in run.sqlite.\n")
    main(["report", "run.sqlite", "--csv", "out.csv"])
    assert radii("out.csv") == fitted().certify(ROWS).radius.tolist()
    assert said(capsys, "verify", "run.sqlite", *MODEL)[0] == 0


def test_data_in_other_files(files, capsys):
    wanted = fitted().certify(ROWS).radius.tolist()
    np.savez("x.npz", X=ROWS, other=LABELS)
    np.savez("y.npz", y=LABELS)
    pd.DataFrame(ROWS).to_csv("x.csv", index=False)
    pd.DataFrame({"label": LABELS}).to_csv("y.csv", index=False)
    for i, (data, labels) in enumerate([("x.npz", "y.npz"), ("x.csv", "y.csv")]):
        arguments = ["--data", data, "--labels", labels, "--out", f"{i}.sqlite"]
        assert main([*CERTIFY, *arguments]) == 0
        main(["report", f"{i}.sqlite", "--csv", "out.csv"])
        assert radii("out.csv") == wanted


def test_a_frame_keeps_its_names(files, capsys):
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = SmoothedClassifier(KNeighborsClassifier(), n_estimation=100, random_state=0)
    joblib.dump(model.fit(frame, y), "m.joblib")
    frame[:3].to_csv("x.csv", index=False)
    assert main([*CERTIFY, "--data", "x.csv"]) == 0
    frame[:3][list("dcba")].to_csv("x.csv", index=False)
    code, _, err = said(capsys, *CERTIFY, "--data", "x.csv", "--out", "b.sqlite")
    assert code == 2
    assert "Feature names must be in the same order" in err


def test_a_classifier_is_smoothed_as_it_is(files, capsys):
    joblib.dump(DecisionTreeClassifier(random_state=0).fit(X, y), "m.joblib")
    code, _, err = said(capsys, *CERTIFY)
    assert code == 2
    assert "DecisionTreeClassifier has no certify: it is no smoother. Give --sigma" in err
    assert main([*CERTIFY, "--sigma", "0.3", "--noise", "laplace"]) == 0
    assert "LaplaceNoise" in said(capsys, "report", "run.sqlite")[1]


def test_a_pipeline_that_ends_in_a_smoother(files, capsys):
    smoother = SmoothedClassifier(KNeighborsClassifier(), n_estimation=100, random_state=0)
    pipeline = make_pipeline(StandardScaler(), smoother).fit(X, y)
    joblib.dump(pipeline, "m.joblib")
    assert main([*CERTIFY]) == 0
    main(["report", "run.sqlite", "--csv", "out.csv"])
    assert radii("out.csv") == sksmooth.certify(pipeline, ROWS).radius.tolist()
    assert said(capsys, "verify", "run.sqlite", *MODEL)[0] == 0


ERRORS = [
    (["--data", "no.npy"], 2, "There is no file no.npy"),
    (["--model", "no.skops"], 2, "There is no file no.skops"),
    (["--model", "x.npy"], 2, "x.npy is none of .skops, .joblib, .pickle, .pkl"),
    (["--data", "m.joblib"], 2, "m.joblib is none of .npy, .npz, .csv, .parquet"),
    (["--labels", "x.npy"], 2, "labels must hold one label for each of 19 rows of X"),
    (["--radius", "-1"], 2, "radius must be finite and not negative"),
    (["--radius", "99"], 2, "No row can be certified at radius=99"),
    (["--alpha", "0.7"], 2, "The 'alpha' parameter of SmoothedClassifier must be"),
    (["--n-estimation", "3"], 2, "n_estimation=3 is too small to certify anything"),
    (["--top-k", "5"], 2, "top_k must be a whole number from 1 to 2"),
    (["--rows", "5:99"], 2, "rows=(5, 99) must be a first row and the one after the last"),
    (["--seed", "3"], 2, "seed=3 has no effect"),
    (["--chunk-rows", "0"], 2, "chunk_rows must be a whole number of at least 1, got 0"),
    (["--sigma", "1"], 2, "SmoothedClassifier brings its own noise: leave out --sigma"),
    (["--out", "nowhere/run.sqlite"], 5, "There is no folder"),
    (["--out", "x.npy"], 5, "x.npy is no run of sksmooth, and is left as it is"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), ERRORS)
def test_bad_input_is_refused_before_the_work(files, capsys, arguments, code, message):
    found, _, err = said(capsys, *CERTIFY, *arguments)
    assert found == code
    assert err.startswith("error: ")
    assert message in err
    assert not Path("run.sqlite").exists()


def test_pickles_need_consent(files, capsys):
    arguments = [a for a in CERTIFY if a != "--trust-pickle"]
    code, _, err = said(capsys, *arguments)
    assert code == 2
    assert "whoever made it can run any code here when it is read" in err


def test_arrays_of_objects_are_not_unpickled(files, capsys):
    np.save("x.npy", np.array([{"a": 1}], object), allow_pickle=True)
    code, _, err = said(capsys, *CERTIFY)
    assert code == 2
    assert "x.npy cannot be read as numbers" in err


def test_another_run_is_refused(files, capsys):
    assert main([*CERTIFY]) == 0
    code, _, err = said(capsys, *CERTIFY, "--alpha", "0.01")
    assert (code, "alpha is 0.001 there and 0.01 here" in err) == (3, True)
    joblib.dump(fitted(sigma=0.3), "m.joblib")
    code, _, err = said(capsys, "verify", "run.sqlite", *MODEL)
    assert (code, "sigma is 0.4 there and 0.3 here" in err) == (3, True)


def test_other_data_fail_the_replay(files, capsys):
    assert main([*CERTIFY]) == 0
    np.save("x.npy", ROWS[::-1])
    code, _, err = said(capsys, "verify", "run.sqlite", *MODEL)
    assert (code, "the data differ, in the numbers of some row" in err) == (3, True)


def test_an_estimator_without_a_store_says_so(files, capsys):
    model = MedianSmoothedRegressor(n_estimation=100, random_state=0).fit(X, y.astype(float))
    joblib.dump(model, "m.joblib")
    code, _, err = said(capsys, *CERTIFY, "--radius", "0.1")
    assert (code, "cannot write its results to a store yet" in err) == (2, True)
    code, _, err = said(capsys, *CERTIFY, "--top-k", "2", "--radius", "0.1")
    assert (code, "unexpected keyword argument 'top_k'" in err) == (2, True)


def test_interrupts_keep_what_is_done(files, capsys, monkeypatch):
    from sksmooth.store import SQLiteStore

    write, left = SQLiteStore.write, [3]

    def failing(self, *args, **options):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return write(self, *args, **options)

    monkeypatch.setattr(SQLiteStore, "write", failing)
    code, _, err = said(capsys, *CERTIFY, "--chunk-rows", "4")
    assert code == 130
    assert "What is done is kept in run.sqlite: the same command goes on." in err
    monkeypatch.undo()
    monkeypatch.chdir(files)
    code, out, _ = said(capsys, "status", "run.sqlite")
    assert code == 0
    assert out.startswith("8 of 19 rows are done, 11 are left.\n")
    assert "rows per second; " in out
    assert said(capsys, "verify", "run.sqlite")[0] == 4
    assert "so far" in said(capsys, "report", "run.sqlite")[1]
    assert main([*CERTIFY, "--chunk-rows", "4"]) == 0
    main(["report", "run.sqlite", "--csv", "out.csv"])
    assert radii("out.csv") == fitted().certify(ROWS).radius.tolist()


def test_a_process_is_interrupted_cleanly(files):
    command = [sys.executable, "-m", "sksmooth", *CERTIFY, "--chunk-rows", "1"]
    command += ["--n-estimation", "20000"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    while not Path("run.sqlite").exists():
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted. What is done is kept in run.sqlite: the same command goes on." in err
    assert "Traceback" not in err


def test_verify_refuses_what_was_changed(files, capsys):
    assert main([*CERTIFY]) == 0
    with sqlite3.connect("run.sqlite") as connection:
        connection.execute("UPDATE rows SET radius = radius * 1.5 WHERE row = 3")
    connection.close()
    code, out, _ = said(capsys, "verify", "run.sqlite")
    assert code == 1
    assert "Row 3: the radius is" in out
    assert "REFUSED" in out


def test_a_replay_finds_votes_that_were_never_cast(files, capsys, monkeypatch):
    """A forger who recomputes everything else is found by the model's own answers."""
    from sksmooth.engine import _counting

    count = _counting.count_votes

    def forged(*args, **options):
        return np.flip(count(*args, **options), axis=1)

    monkeypatch.setattr(_counting, "count_votes", forged)
    assert main([*CERTIFY]) == 0
    monkeypatch.undo()
    monkeypatch.chdir(files)
    assert said(capsys, "verify", "run.sqlite")[0] == 0
    code, out, _ = said(capsys, "verify", "run.sqlite", *MODEL)
    assert code == 1
    assert "in the replay." in out


def test_wrong_arguments_end_with_the_usage(files, capsys):
    for arguments in [["certify"], [*CERTIFY, "--rows", "7"], ["verify"], ["report"]]:
        with pytest.raises(SystemExit) as info:
            main(arguments)
        assert info.value.code == 2
    assert "usage:" in capsys.readouterr().err
    assert said(capsys, "certify", "--out", "run.sqlite")[0] == 2
    assert said(capsys, "verify", "run.sqlite", "--model", "m.joblib")[0] == 2
    for command in ("status", "report"):
        assert said(capsys, command, "none.sqlite")[0] == 5
    assert said(capsys, "verify", "none.sqlite")[0] == 1


def test_reports_are_written_only_where_told(files, capsys):
    assert main([*CERTIFY]) == 0
    for arguments, code, message in [
        (["--csv", "nowhere/out.csv"], 2, "There is no folder"),
        (["--csv", "run.sqlite"], 2, "run.sqlite is the file of the run itself"),
        (["--picture", "x.txt"], 2, "x.txt does not end in .pdf, .png or .svg"),
    ]:
        found, _, err = said(capsys, "report", "run.sqlite", *arguments)
        assert found == code
        assert message in err
    assert sorted(path.name for path in files.iterdir()) == [
        "m.joblib",
        "run.sqlite",
        "x.npy",
        "y.npy",
    ]


def test_exit_codes_are_in_the_help(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "1 the evidence was refused (verify); 2 an argument, a model or data" in text
    assert "130 interrupted; what was done is kept" in text


def test_models_of_skops(files, capsys):
    skops = pytest.importorskip("skops.io", reason="skops is not installed")
    skops.dump(fitted(), "m.skops")
    arguments = ["certify", "--model", "m.skops", "--data", "x.npy", "--out", "run.sqlite"]
    assert main([*arguments, "--quiet"]) == 0
    assert main([*arguments, "--quiet"]) == 0
    assert said(capsys, "verify", "run.sqlite", "--model", "m.skops", "--data", "x.npy")[0] == 0


class Foreign(DecisionTreeClassifier):
    """A model of somebody else."""


def test_foreign_types_in_skops_are_listed_and_refused(files, capsys):
    skops = pytest.importorskip("skops.io", reason="skops is not installed")
    model = SmoothedClassifier(Foreign(random_state=0), n_estimation=50, random_state=0)
    skops.dump(model.fit(X, y), "m.skops")
    code, _, err = said(capsys, *CERTIFY, "--model", "m.skops")
    assert code == 2
    name = f"{Foreign.__module__}.Foreign"
    assert f"m.skops holds types that are not known to be safe: {name}. If you" in err
    if not sys.modules.get(Foreign.__module__):
        return
    assert main([*CERTIFY, "--model", "m.skops", "--trust", name]) == 0


def test_skops_that_is_not_installed_is_named(files, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops.io", None)
    Path("m.skops").touch()
    code, _, err = said(capsys, *CERTIFY, "--model", "m.skops")
    assert code == 2
    assert 'python -m pip install "sksmooth[skops]"' in err
