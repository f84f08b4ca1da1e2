"""A run as an auditor or a paper gets it: tables, a picture, a page."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sksmooth._optional import import_extra
from sksmooth.certificates import ClassificationCertificate
from sksmooth.exceptions import StoreError
from sksmooth.reports._files import written_whole
from sksmooth.reports._page import page
from sksmooth.reports._words import Facts, statements
from sksmooth.store._base import COLUMNS, Store
from sksmooth.store._log import Log, open_log, rows_of_call
from sksmooth.store._rows import to_certificate
from sksmooth.store._run import read_store

_CLOSE = 8  # digits of numbers on the screen


@dataclass(frozen=True)
class Report:
    """What a run proved, in the forms that people read.

    Parameters
    ----------
    store : str, Path or Store
        File of a run, which is only read, or a store.
    radius : float, default=0.0
        Radius, chosen before the votes are looked at, for statements about the population that the
        rows are a sample of; 0: any.

    Raises
    ------
    StoreError
        If it holds no results.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.reports import Report
    >>> from sksmooth.store import MemoryStore, Run
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SmoothedClassifier(n_estimation=200, random_state=0).fit(X, y)
    >>> store = MemoryStore()
    >>> certificate = clf.certify(X[:4], store=Run(store, labels=y[:4]))
    >>> [row["radius"] for row in Report(store).rows()] == certificate.radius.tolist()
    True
    """

    store: Any
    radius: float = 0.0

    @cached_property
    def opened(self) -> Store:
        """The store."""
        return read_store(self.store)

    @cached_property
    def log(self) -> Log:
        """Its log."""
        log = open_log(self.opened)
        if log.call.statement is None:
            raise StoreError(f"{self.opened.name} holds no rows yet.")
        return log

    @cached_property
    def certificate(self) -> ClassificationCertificate:
        """Certificate of all rows that are there."""
        assert self.log.call.statement is not None
        n_rows = self.log.description["data"]["n_rows"]
        rows = rows_of_call(self.opened, self.log.call, 0, n_rows)
        return to_certificate(self.log.call.statement, rows)

    @cached_property
    def labels(self) -> list[Any] | None:
        """True labels of the rows that are there; None where none were given."""
        if self.log.description["labels"] is None:
            return None
        return [row["label"] for row in self.rows()]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each row: what was predicted and proven, and the votes for each class."""
        assert self.log.call.statement is not None
        classes = self.log.call.statement["classes"]["array"]
        chunks = sorted(self.log.call.chunks, key=lambda chunk: int(chunk["first"]))
        proven = zip(self.certificate.certified.tolist(), self._ends(), strict=True)
        for chunk in chunks:
            for row in self.opened.rows(chunk["entry"]):
                yield _readable(dict(zip(COLUMNS, row, strict=True)), classes, *next(proven))

    def _ends(self) -> Iterator[dict[str, float]]:
        """Yield, for each row, the ends of the ranges of a transformation that are covered."""
        ranges = {name: ends.tolist() for name, ends in self.certificate.ranges.items()}
        for i in range(len(self.certificate)):
            found: dict[str, float] = {}
            for name, ends in ranges.items():
                found |= {f"{name}_low": ends[i][0], f"{name}_high": ends[i][1]}
            yield found

    @cached_property
    def facts(self) -> Facts:
        """Numbers that sum up the run."""
        certificate, labels = self.certificate, self.labels
        first = certificate.prediction
        if certificate.top_k > 1:
            first = first[:, 0]
        right = None
        if labels is not None:
            right = np.array([a == b for a, b in zip(first.tolist(), labels, strict=True)])
        return Facts(self.log, certificate, right, labels, self.radius)

    def lines(self) -> list[str]:
        """Lines for a screen: the numbers, then the statements in plain words."""
        head = [f"{name}: {value}" for name, value in self.facts.numbers()]
        return [*head, "", *(f"{title}: {text}" for title, text in statements(self.facts))]

    def write_csv(self, path: str | Path) -> None:
        """Write a table with one line for each row; numbers read back to the same doubles."""
        with written_whole(path) as file:
            self._write_lines(csv.writer(file))

    def _write_lines(self, writer: Any) -> None:
        names: list[str] | None = None
        for row in self.rows():
            if names is None:
                names = list(row)
                writer.writerow(names)
            writer.writerow([_cell(row[name]) for name in names])

    def write_json(self, path: str | Path) -> None:
        """Write the description of the run, what was proven, and all rows."""
        content = {
            "run": self.log.description,
            "numbers": dict(self.facts.numbers()),
            "statements": dict(statements(self.facts)),
            "rows": list(self.rows()),
        }
        with written_whole(path) as file:
            json.dump(content, file, indent=1)

    def write_parquet(self, path: str | Path) -> None:
        """Write the table of rows as parquet."""
        pandas = import_extra("pandas", extra="pandas", user="report --parquet")
        import_extra("pyarrow", extra="parquet", user="report --parquet")
        with written_whole(path, "wb") as file:
            pandas.DataFrame(list(self.rows())).to_parquet(file)

    def write_html(self, path: str | Path) -> None:
        """Write one page that needs nothing else."""
        text = page(self.facts, list(self.rows()))
        with written_whole(path) as file:
            file.write(text)

    def write_picture(self, path: str | Path) -> None:
        """Draw how much of the rows is certified, against the radius."""
        pyplot = import_extra("matplotlib.pyplot", extra="plot", user="report --picture")
        radii, parts = self.facts.curve()
        figure, ax = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
        ax.step(radii, parts, where="pre")
        ax.set(xlabel="radius", ylabel=self.facts.curve_name, ylim=(0, 1.02))
        kind = Path(path).suffix.removeprefix(".")
        try:
            with written_whole(path, "wb") as file:
                figure.savefig(file, format=kind, dpi=120)
        finally:
            pyplot.close(figure)


def _readable(
    row: dict[str, Any], classes: list[Any], certified: bool, ends: dict[str, float]
) -> dict[str, Any]:
    """Return a row of a store under names that a table has."""
    prediction = json.loads(row["prediction"])
    several = prediction if isinstance(prediction, list) else [prediction]
    found = {"row": row["row"], "prediction": several[0]}
    if row["label"] is not None:
        found["label"] = json.loads(row["label"])
    found["radius"] = row["radius"]
    found |= ends
    found["abstained"] = not row["radius"] > 0
    if row["target_radius"] is not None:
        found["target_radius"] = row["target_radius"]
    found["certified"] = certified
    if row["label_radius"] is not None:
        radii = json.loads(row["label_radius"])
        for place in range(1, len(several)):
            found[f"prediction_{place + 1}"] = several[place]
            found[f"radius_{place + 1}"] = radii[place]
    found |= {name: row[name] for name in ("p_lower", "p_upper", "n_draws", "alpha_spent")}
    votes = json.loads(row["counts"])
    found |= {f"votes_{name}": votes[j] for j, name in enumerate(classes)}
    return {**found, "row_id": row["row_id"]}


def _cell(value: Any) -> Any:
    """Return a value as text; texts that a spreadsheet would take for a formula are marked."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value
