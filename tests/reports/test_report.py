"""Reports read back, say what is proven in plain words, and escape what they show."""

import csv
import json
import os
import re
import stat

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from stored_runs import LABELS, ROWS, Stop, X, fitted, stopped_after, y

from sksmooth import SmoothedClassifier, certified_accuracy_interval
from sksmooth.exceptions import StoreError
from sksmooth.noise import Brightness, CategoryNoise
from sksmooth.reports import Report
from sksmooth.store import MemoryStore, Run, SQLiteStore


def report_of(model=None, labels=LABELS, rows=ROWS, **options):
    store = MemoryStore()
    (model or fitted()).certify(rows, store=Run(store, labels=labels, chunk_rows=5), **options)
    return Report(store)


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("options", [{}, {"radius": 0.2}, {"top_k": 2}])
def test_the_table_reads_back_to_the_same_numbers(tmp_path, options):
    report_of(**options).write_csv(tmp_path / "a.csv")
    lines, certificate = read(tmp_path / "a.csv"), fitted().certify(ROWS, **options)
    assert [float(line["radius"]) for line in lines] == certificate.radius.tolist()
    assert [float(line["p_lower"]) for line in lines] == certificate.p_lower.tolist()
    assert [line["certified"] == "True" for line in lines] == certificate.certified.tolist()
    assert [int(line["votes_1"]) for line in lines] == certificate.counts[:, 1].tolist()
    assert [int(line["row"]) for line in lines] == list(range(len(ROWS)))
    assert [int(line["label"]) for line in lines] == LABELS.tolist()
    if "top_k" in options:
        assert [float(x["radius_2"]) for x in lines] == certificate.label_radius[:, 1].tolist()


def test_json_holds_all(tmp_path):
    report_of().write_json(tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text())
    assert len(content["rows"]) == len(ROWS)
    assert content["rows"][3]["radius"] == fitted().certify(ROWS).radius[3]
    assert set(content) == {"run", "numbers", "statements", "rows"}


def test_pictures_are_drawn(tmp_path, pyplot):
    report_of().write_picture(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert pyplot.get_fignums() == []


def test_parquet_or_what_to_install(tmp_path):
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        with pytest.raises(ImportError, match=r'pip install "sksmooth\[parquet\]"'):
            report_of().write_parquet(tmp_path / "a.parquet")
        assert list(tmp_path.iterdir()) == []
        return
    import pandas

    report_of().write_parquet(tmp_path / "a.parquet")
    table = pandas.read_parquet(tmp_path / "a.parquet")
    assert table["radius"].tolist() == fitted().certify(ROWS).radius.tolist()


def words(report):
    return "\n".join(report.lines())


def test_plain_words():
    text = words(report_of())
    for part in [
        "Certified and right: 19 of 19",
        "the answer of the smoothed model stays the one in the table",
        "with probability at least 0.999",
        "a part of up to 0.001 may be wrong on average",
        "for no model that was trained again",
        "whoever had the model knew it. The statement is void against",
        "a wrong answer can be stable",
    ]:
        assert part in text


def test_words_are_those_of_the_run():
    joint = words(report_of(simultaneous=True))
    assert "All statements about the 19 rows of the data hold together" in joint
    assert "among its 2 most probable ones" in words(report_of(top_k=2))
    exact = words(report_of(fitted(structure="auto")))
    assert "The statements are exact" in exact
    assert "PCG64" not in exact
    fresh = words(report_of(fitted(None)))
    assert "The seed of the noise was fresh entropy" in fresh
    assert "published the seed" in fresh
    assert "Right" not in words(report_of(labels=None))
    assert "scaled units" in words(report_of(fitted(feature_scale="std")))


def test_the_population_is_bounded_in_the_forms_that_hold():
    report = report_of()
    wide = words(Report(report.store, radius=0.1))
    assert "Robust and right in the population at radius 0.1: at least" in wide
    assert "Robust and right in the population at radius 0.1, all rows together (Holm)" in wide
    certificate = fitted().certify(ROWS)
    shared = certified_accuracy_interval(LABELS, certificate, radius=0.1)
    together = certified_accuracy_interval(LABELS, certificate.holm(0.1), radius=0.1)
    for found in (shared, together):
        assert f"at least {np.floor(found.lower * 1e4) / 1e4:.4f} with confidence" in wide
    assert "in the population" not in words(report_of(labels=None))


def test_the_word_that_nobody_may_use(tmp_path):
    report = report_of()
    report.write_html(tmp_path / "a.html")
    text = words(report) + (tmp_path / "a.html").read_text()
    assert "complian" not in text.lower()


NASTY = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "=cmd|' /C calc'!A0"]


def test_what_is_shown_is_escaped(tmp_path):
    names = np.array(NASTY)
    model = SmoothedClassifier(KNeighborsClassifier(), n_estimation=100, random_state=0)
    report = report_of(model.fit(X, names[y]), names[LABELS])
    report.write_html(tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(src|href)\s*=\s*[\"']?http", page)  # nothing from elsewhere
    assert "default-src 'none'" in page
    report.write_csv(tmp_path / "a.csv")
    cells = [cell for line in read(tmp_path / "a.csv") for cell in line.values()]
    assert not any(cell.startswith("=") for cell in cells)
    assert any(cell.startswith("'=cmd") for cell in cells)


def test_an_unfinished_run_says_so():
    store = MemoryStore()
    stopped_after(store, 2)
    with pytest.raises(Stop):
        fitted().certify(ROWS, store=Run(store, chunk_rows=5))
    text = words(Report(store))
    assert "Rows: 5 of 19, so far" in text
    assert "The run has not come to its end." in text
    assert "Seed, told at the end" not in text


def test_a_store_without_rows_is_refused():
    with pytest.raises(StoreError, match="holds no run yet"):
        Report(MemoryStore()).lines()
    store = MemoryStore()
    stopped_after(store, 1)
    with pytest.raises(Stop):
        fitted().certify(ROWS, store=store)
    with pytest.raises(StoreError, match="holds no rows yet"):
        Report(store).lines()


def test_files_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "a.csv"
    target.write_text("what was there")
    report = report_of()

    def failing(self):
        yield {"row": 0}
        raise OSError("the disk is full")

    monkeypatch.setattr(Report, "rows", failing)
    with pytest.raises(OSError, match="the disk is full"):
        report.write_csv(target)
    assert target.read_text() == "what was there"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_run_is_read_where_nothing_can_be_written(tmp_path):
    path = tmp_path / "run.sqlite"
    fitted().certify(ROWS, store=path)
    path.chmod(stat.S_IRUSR)
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        report = Report(SQLiteStore(path, read_only=True))
        assert len(list(report.rows())) == len(ROWS)
        assert os.listdir(tmp_path) == ["run.sqlite"]
    finally:
        tmp_path.chmod(stat.S_IRWXU)


def test_the_curve_is_the_part_that_is_proven_at_each_radius():
    report = report_of()
    radii, parts = report.facts.curve()
    certificate = fitted().certify(ROWS)
    right = certificate.prediction == LABELS
    for r, part in zip(radii[1:], parts[1:]):
        assert part == (right & (certificate.radius >= r)).mean()


def test_transformations_are_named_instead_of_a_ball():
    report = report_of(fitted(noise=Brightness(1.0), sigma=0.25))
    text, rows = words(report), list(report.rows())
    assert "at every transformed input: x + a for |a| <= radius" in text
    assert "Radii: brightness" in text
    assert "norm" not in text
    assert "lattice" not in text
    assert [row["brightness_high"] for row in rows] == [row["radius"] for row in rows]
    assert [row["brightness_low"] for row in rows] == [-row["radius"] for row in rows]
    plain = words(report_of())
    assert "within the radius (l2 norm, units of the inputs)" in plain
    assert "Inputs and noise lie on a lattice" in plain
    assert "lattice" not in words(report_of(fitted(noise="splitting")))


def test_rows_are_certified_as_the_certificate_says():
    """Where categories change as well, the radius of a row is not what was asked about."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"kind": pd.Categorical(rng.choice(list("ab"), 300))})
    frame["size"] = rng.normal(size=300)
    encoder = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    model = make_pipeline(encoder, LogisticRegression())
    options = {"sigma": 0.5, "n_estimation": 2000, "random_state": 0}
    smoother = SmoothedClassifier(model, categorical=CategoryNoise(), **options)
    labels = (frame["size"] > 0).astype(int).to_numpy()
    smoother.fit(frame, labels)
    store = MemoryStore()
    run = Run(store, labels=labels[:20])
    certificate = smoother.certify(frame[:20], radius=0.3, changes=1, store=run)
    assert 0 < certificate.certified.sum() < (certificate.radius >= 0.3).sum()
    report = Report(store)
    assert [row["certified"] for row in report.rows()] == certificate.certified.tolist()
    assert "none of whose categories under noise changes" in words(report)
    assert "if up to 1 of these categories change as well" in words(report)
    _, parts = report.facts.curve()
    right = certificate.prediction == labels[:20]
    assert parts[0] == ((certificate.radius_after(1) > 0) & right).mean()
    fixed = SmoothedClassifier(model, categorical="fixed", **options).fit(frame, labels)
    store = MemoryStore()
    fixed.certify(frame[:5], store=store)
    assert "(scale 0, categories that are fixed) must not change" in words(Report(store))
