"""Checks a run of sksmooth by its file alone: ``python checker.py run.sqlite``.

This file needs nothing but Python and shares no code with what made the run. Put it anywhere. It
follows the chain of hashes, and derives every bound and every radius again from the votes, with
many digits: a Clopper-Pearson bound from the sum of binomial probabilities, a radius from the
trade-off function of the noise. It does not know the model: that the votes are the model's is what
a replay with model and data shows (``python -m sksmooth verify``).
"""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
import sys
from collections.abc import Iterator
from decimal import Decimal, getcontext
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import Any

getcontext().prec = 60

COLUMNS = (
    "row row_id prediction radius p_lower p_upper n_draws counts selection alpha_spent "
    "target_radius moved_1 moved_2 moved_inf label_radius levels label"
).split()
TABLES = ("entries", "rows", "secret")
APPLICATION_ID, FORMAT = 0x736B736D, 1

# Bounds may fall short of the exact ones, which is safe, by so much (relative, and of a radius in
# units of the noise).
SLACK = Decimal("1e-9")
ROUNDING = Decimal("1e-13")
ONE, HALF = Decimal(1), Decimal("0.5")
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230782")


class Checked:
    """What was found in a file: problems, and what was looked at."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.facts: dict[str, Any] = {"rows": 0, "derived": 0, "exact": 0, "not_derived": 0}

    def expect(self, holds: bool, problem: str) -> bool:
        """Note a problem where something does not hold."""
        if not holds:
            self.problems.append(problem)
        return holds


def check(path: str) -> Checked:
    """Check a file; nothing is written."""
    found = Checked()
    file = Path(path)
    if not found.expect(file.is_file(), f"There is no file {path}."):
        return found
    try:
        connection = _opened(file)
        try:
            _check_file(connection, found)
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        found.problems.append(f"The file cannot be read as a run: {error}.")
    return found


def _opened(file: Path) -> sqlite3.Connection:
    uri = file.absolute().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        connection.close()
        if file.with_name(file.name + "-wal").exists():
            raise
        connection = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True)
    return connection


def _check_file(connection: sqlite3.Connection, found: Checked) -> None:
    if not _check_schema(connection, found):
        return
    entries = connection.execute("SELECT * FROM entries ORDER BY number").fetchall()
    rows = _rows_by_entry(connection)
    secrets = connection.execute("SELECT seed FROM secret").fetchall()
    _check_chain(entries, rows, found)
    try:
        _check_run(entries, rows, secrets, found)
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError) as error:
        kind = type(error).__name__
        found.problems.append(f"What is in the file is no record of a run ({kind}: {error}).")


def _check_schema(connection: sqlite3.Connection, found: Checked) -> bool:
    number = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if not found.expect(number == APPLICATION_ID, "The file is no run of sksmooth."):
        return False
    if not found.expect(version == FORMAT, f"The format {version} is not known to this checker."):
        return False
    objects = connection.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall()
    for kind, name in objects:
        known = kind == "table" and name in TABLES
        found.expect(known, f"There is a {kind} {name} that does not belong to a run.")
    names = {name for _, name in objects}
    for table in TABLES:
        found.expect(table in names, f"The table {table} is missing.")
    if not names >= set(TABLES):
        return False
    wanted = {
        "entries": ["number", "kind", "content", "digest"],
        "rows": ["entry", *COLUMNS],
        "secret": ["seed"],
    }
    for table, columns in wanted.items():
        have = [line[1] for line in connection.execute(f"PRAGMA table_info({table})")]
        if not found.expect(have == columns, f"The table {table} has other columns: {have}."):
            return False
    state = connection.execute("PRAGMA integrity_check").fetchone()[0]
    return found.expect(state == "ok", f"The file is damaged: {state}.")


def _rows_by_entry(connection: sqlite3.Connection) -> dict[int, list[tuple[Any, ...]]]:
    query = f"SELECT entry, {', '.join(COLUMNS)} FROM rows ORDER BY entry, row"
    found: dict[int, list[tuple[Any, ...]]] = {}
    for entry, *values in connection.execute(query):
        found.setdefault(entry, []).append(tuple(values))
    return found


def _check_chain(
    entries: list[tuple[Any, ...]], rows: dict[int, list[tuple[Any, ...]]], found: Checked
) -> None:
    """Follow the hashes from entry to entry."""
    previous = ""
    for place, (number, kind, text, digest) in enumerate(entries):
        if not found.expect(number == place, f"Entry {place} of the log is missing."):
            return
        hashed = hashlib.sha256(_json([previous, number, kind, text]).encode())
        for row in rows.get(number, ()):
            hashed.update(b"\n" + _json(list(row)).encode())
        found.expect(
            hashed.hexdigest() == digest,
            f"Entry {number} of the log ({kind}{_range_in(kind, text)}): its hash does not fit its "
            "content, its rows or the entry before it.",
        )
        previous = digest
    chunks = {number for number, kind, *_ in entries if kind == "chunk"}
    for number in sorted(set(rows) - chunks):
        found.problems.append(f"There are rows of an entry {number} that is no chunk of the log.")


def _range_in(kind: str, text: str) -> str:
    try:
        content = json.loads(text)
        return f" of rows {content['first']} to {content['stop'] - 1}" if kind == "chunk" else ""
    except (ValueError, KeyError, TypeError):
        return ""


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


# The run: what the entries say, and whether they go together.


def _check_run(
    entries: list[tuple[Any, ...]],
    rows: dict[int, list[tuple[Any, ...]]],
    secrets: list[tuple[str]],
    found: Checked,
) -> None:
    if not found.expect(bool(entries) and entries[0][1] == "run", "The log describes no run."):
        return
    run = json.loads(entries[0][2])
    found.facts["run"] = run
    calls: list[dict[str, Any]] = [{"parameters": run["call"], "statement": None, "rows": {}}]
    seal: dict[str, Any] | None = None
    for number, kind, text, _ in entries[1:]:
        content = json.loads(text)
        if kind == "call":
            found.expect(content["number"] == len(calls), f"Entry {number}: no such call follows.")
            calls.append({"parameters": content["parameters"], "statement": None, "rows": {}})
        elif kind == "statement":
            calls[content["call"]]["statement"] = content["statement"]
        elif kind == "chunk":
            _take_chunk(number, content, rows.get(number, []), calls, found)
        elif kind == "seal":
            seal = content
        else:
            found.expect(kind == "merge", f"Entry {number} is of an unknown kind, {kind}.")
    found.facts["calls"] = len(calls)
    _check_seal(run, calls, seal, entries[-1], secrets, found)
    for number in range(len(calls)):
        _check_call(run, number, calls, found)
    _check_all_rows(run, calls[-1]["rows"], found)


def _take_chunk(
    number: int,
    content: dict[str, Any],
    rows: list[tuple[Any, ...]],
    calls: list[dict[str, Any]],
    found: Checked,
) -> None:
    first, stop, call = content["first"], content["stop"], calls[content["call"]]
    have = [row[0] for row in rows]
    found.expect(
        have == list(range(first, stop)),
        f"Entry {number}: rows {first} to {stop - 1} are not all there, or there are others.",
    )
    for row in rows:
        named = dict(zip(COLUMNS, row, strict=True))
        found.expect(row[0] not in call["rows"], f"Row {row[0]} is there twice.")
        call["rows"][row[0]] = named


def _check_seal(
    run: dict[str, Any],
    calls: list[dict[str, Any]],
    seal: dict[str, Any] | None,
    last: tuple[Any, ...],
    secrets: list[tuple[str]],
    found: Checked,
) -> None:
    found.facts["finished"] = seal is not None and last[1] == "seal"
    if not found.facts["finished"]:
        found.facts["unfinished"] = "The run is not finished: its log does not end with a seal."
        return
    assert seal is not None
    found.expect(not secrets, "A seed is kept beside the log of a finished run.")
    covered = sorted(n for first, stop in seal["rows"] for n in range(first, stop))
    found.expect(
        covered == sorted(calls[-1]["rows"]) and seal["call"] == len(calls) - 1,
        "The seal is about other rows than there are.",
    )
    text = f"seed {seal['seed']} of data {run['data']['fingerprint']} and model {run['model']}"
    found.facts["seed"] = seal["seed"]
    found.expect(
        hashlib.sha256(text.encode()).hexdigest() == run["seed"]["commitment"],
        "The seed that the seal tells is not the one that was committed to before the run.",
    )


def _check_all_rows(run: dict[str, Any], rows: dict[int, dict[str, Any]], found: Checked) -> None:
    """Compare fingerprints of data and labels, where all rows are there."""
    data = run["data"]
    found.facts["rows"] = len(rows)
    found.expect(
        all(0 <= n < data["n_rows"] for n in rows),
        f"There are rows beyond the {data['n_rows']} of the data.",
    )
    given = sum(row["label"] is not None for row in rows.values())
    wanted = 0 if run["labels"] is None else len(rows)
    found.expect(given == wanted, "Labels are missing, or there are labels that were not given.")
    if len(rows) != data["n_rows"]:
        return
    inorder = [rows[n] for n in sorted(rows)]
    head = _json([data["n_rows"], data["shape"], data["dtype"]]).encode()
    digests = b"".join(bytes.fromhex(row["row_id"]) for row in inorder)
    found.expect(
        hashlib.sha256(head + b"\n" + digests).hexdigest() == data["fingerprint"],
        "The rows are not those of the data that the run was begun with.",
    )
    if run["labels"] is not None and given == len(rows):
        text = "\n".join(row["label"] for row in inorder)
        found.expect(
            hashlib.sha256(text.encode()).hexdigest() == run["labels"],
            "The labels are not those that the run was begun with.",
        )


# What a call states, and each of its rows.


def _check_call(
    run: dict[str, Any], number: int, calls: list[dict[str, Any]], found: Checked
) -> None:
    call = calls[number]
    if not call["rows"]:
        return
    if not found.expect(call["statement"] is not None, f"Call {number} states nothing."):
        return
    law = Law(run, call["statement"])
    for problem in law.problems(call["parameters"], number):
        found.problems.append(problem)
    earlier = calls[number - 1]["rows"] if number else {}
    plans = [_plan(calls[i]["parameters"].get("n_estimation"), i) for i in range(number + 1)]
    for n, row in sorted(call["rows"].items()):
        try:
            problems = list(_row_problems(law, call["parameters"], plans, row, earlier.get(n)))
        except (ValueError, TypeError, KeyError, IndexError, ArithmeticError) as error:
            problems = [f"is no record of votes ({type(error).__name__}: {error})"]
        found.problems += [f"Row {n}: {problem}." for problem in problems]
        kind = "exact" if law.exact else "derived" if law.family else "not_derived"
        found.facts[kind] += number == len(calls) - 1


# Norms by their names, as texts of Python.
NORMS = {"'l1'": 1, "'l2'": 2, "'linf'": math.inf, "'inf'": math.inf}


class Law:
    """What the rows of a call are about: noise, levels, classes, norm."""

    def __init__(self, run: dict[str, Any], statement: dict[str, Any]) -> None:
        self.run, self.statement = run, statement
        self.classes = [_json(label) for label in statement["classes"]["array"]]
        self.norm = _number(statement["norm"])
        self.d = int(statement["n_features"])
        self.top_k, self.bilateral = int(statement["top_k"]), bool(statement["bilateral"])
        budget = statement["budget"]
        self.exact = budget is None
        self.budget = {} if self.exact else budget["budget"]
        self.step = None if statement["noise_step"] is None else Decimal(statement["noise_step"])
        self.scaled = statement["feature_scale"] is not None
        noise = statement["noise"]
        self.noise = {} if noise is None else noise
        parameters = self.noise.get("parameters", {})
        self.sigma = Decimal(_number(parameters.get("sigma", 0)) or 0)
        self.family = None
        if not _number(parameters.get("k", 0)):
            self.family = {
                "GaussianNoise": "gaussian",
                "LaplaceNoise": "laplace",
                "UniformNoise": "cube" if self.norm == math.inf else "lipschitz",
                "SplittingNoise": "lipschitz",
            }.get(self.noise.get("object", ""))

    @property
    def n_bounds(self) -> int:
        """Number of bounds that a row rests on."""
        if self.top_k > 1:
            return len(self.classes)
        return 2 if self.bilateral and len(self.classes) > 2 else 1

    @property
    def alpha(self) -> Decimal:
        """Probability that one bound of a row is wrong, before what is spent."""
        shared = self.budget["n_statements"] * self.budget["n_bounds"]
        return Decimal(self.budget["alpha"]) / shared

    @property
    def unit(self) -> Decimal:
        """Length of one unit of the trade-off function."""
        if self.family == "gaussian":
            return self.sigma * self._inscribed(2)
        if self.family == "laplace":
            return self.sigma / Decimal(2).sqrt() * self._inscribed(1)
        return self.sigma * Decimal(3).sqrt()

    def _inscribed(self, outer: int) -> Decimal:
        if self.norm <= outer:
            return ONE
        return Decimal(self.d) ** (ONE / Decimal(self.norm) - ONE / outer)

    def problems(self, parameters: dict[str, Any], number: int) -> Iterator[str]:
        """Yield what does not go together with the description of the run."""
        if self.exact:
            return
        run, said = self.run, self.run["parameters"]
        if _json(self.budget["alpha"]) != said["alpha"]:
            yield f"The level is {said['alpha']} in the description, {self.budget['alpha']} after."
        if self.budget["n_bounds"] != self.n_bounds:
            yield "The level is shared by another number of bounds than there are."
        joint = run["options"].get("simultaneous") == "True"
        if self.budget["n_statements"] != (run["data"]["n_rows"] if joint else 1):
            yield "The level is shared by another number of rows than was asked for."
        if run["options"].get("top_k") != str(self.top_k):
            yield "top_k differs between the description and the statement."
        wanted = 0 if parameters["radius"] == "largest" else number + 1
        if self.budget["n_calls"] != wanted:
            yield "The number of calls that share the level is another one."
        if said["noise"].startswith("'") and _json(_number(said["sigma"])) != _json(
            float(self.sigma)
        ):
            if Decimal(said["sigma"]) != self.sigma:
                yield f"sigma is {said['sigma']} in the description and {self.sigma} after."
        norm = said["norm"]
        if norm != "None" and float(NORMS.get(norm, norm)) != self.norm:
            yield f"The norm is {norm} in the description and {self.norm} after."

    def largest_shift(self) -> tuple[Decimal, Decimal]:
        """Return what rounding may take from probabilities, and half a cell as a distance."""
        if self.step is None:
            return Decimal(0), Decimal(0)
        reach = {
            "gaussian": Decimal("9.3") * self.sigma,
            "laplace": 42 * self.sigma / Decimal(2).sqrt(),
        }.get(self.family or "", self.sigma * Decimal(3).sqrt())
        largest = max(self.sigma, min(reach, 30 * self.sigma))
        other_cell = 2 * largest / Decimal(2) ** 50 / self.step * (1 + Decimal(2) ** -8)
        failure = self.d * (other_cell + Decimal(2) ** -39)
        power = ONE / Decimal(self.norm) if self.norm != math.inf else Decimal(0)
        return 2 * failure, self.step / 2 * Decimal(self.d) ** power

    def moved(self, row: dict[str, Any]) -> Decimal:
        """Return how far a row moved when it was rounded, in the norm of the radius."""
        half = self.largest_shift()[1]
        if self.step is None or row["moved_1"] is None:
            return half
        one, two, most = (Decimal(row[name]) for name in ("moved_1", "moved_2", "moved_inf"))
        if self.norm == math.inf:
            return most
        low, high = (one, two) if self.norm < 2 else (two, most)
        if low <= 0 or high <= 0:
            return Decimal(0)
        p = Decimal(self.norm)
        part = 2 / p - 1 if p < 2 else 2 / p
        return low**part * high ** (1 - part)

    def least(self, tail: Decimal, r: Decimal) -> Decimal:
        """Least probability, r units away, of a class with probability ``1 - tail`` here."""
        if self.family == "gaussian":
            return normal_cdf(-normal_quantile(tail) - r) if 0 < tail < 1 else 1 - tail
        if self.family == "laplace":
            fall = (-r).exp()
            if tail >= HALF:
                return (1 - tail) * fall
            return 1 - tail / fall if tail <= fall / 2 else fall / (4 * tail)
        if self.family == "cube":
            return max(1 - r / 2, Decimal(0)) ** self.d - tail
        return 1 - tail - r / 2

    def radius(self, tail: Decimal, runner_up: Decimal) -> Decimal:
        """Return how many units keep a class ahead of another, of at most a probability."""
        runner_up = min(runner_up, tail)
        if 1 - tail <= runner_up:
            return Decimal(0)
        if self.family == "gaussian":
            return (-normal_quantile(tail) - normal_quantile(runner_up)) / 2
        lead = 1 - tail - runner_up
        if self.family == "lipschitz":
            return lead
        if self.family == "cube":
            return 2 * (1 - (1 - lead / 2) ** (ONE / self.d))
        return _largest(lambda r: self.least(tail, r) >= 1 - self.least(runner_up, r))

    def top_radius(self, tail: Decimal, others: list[Decimal]) -> Decimal:
        """Return how many units keep a class among the `top_k` most probable."""
        strongest = sorted(others)[-self.top_k :]
        joint = [min(sum(strongest[: t + 1], Decimal(0)), tail) for t in range(self.top_k)]

        def holds(r: Decimal) -> bool:
            weakest = min((1 - self.least(p, r)) / (t + 1) for t, p in enumerate(joint))
            return self.least(tail, r) > weakest

        return _largest(holds) if holds(Decimal(0)) else Decimal(0)


def _largest(holds: Any) -> Decimal:
    """Largest r with a property that ends once, to 14 digits."""
    low, high = Decimal(0), ONE
    while holds(high) and high < 2**40:
        low, high = high, high * 2
    while high - low > high * Decimal("1e-14") and high > Decimal("1e-14"):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _row_problems(
    law: Law,
    parameters: dict[str, Any],
    plans: list[dict[int, list[float]]],
    row: dict[str, Any],
    earlier: dict[str, Any] | None,
) -> Iterator[str]:
    for name in ("radius", "p_lower", "p_upper"):
        value = row[name]
        if not isinstance(value, float) or not value >= 0:
            yield f"{name} is {value!r}, which is none"
            return
    radius, target = row["radius"], parameters["radius"]
    if isinstance(target, float) and row["target_radius"] != target:
        yield f"the radius asked for is {row['target_radius']!r}, and {target!r} in the call"
    if target == "largest" and row["target_radius"] is not None:
        yield "a radius is asked for that is not in the call"
    if law.exact:
        if row["prediction"] not in law.classes and law.top_k == 1:
            yield f"the prediction {row['prediction']} is no class"
        return
    yield from _vote_problems(law, parameters, plans, row, earlier)
    top = _ranked(law, row)
    if law.top_k > 1:
        yield from _several_problems(law, row, top)
        return
    counts, n = json.loads(row["counts"]), row["n_draws"]
    alpha = law.alpha * Decimal(row["alpha_spent"])
    lower = clopper_lower(counts[top[0]], n, alpha, row["p_lower"])
    yield from _bound_problems("p_lower", row["p_lower"], lower)
    upper = ONE - Decimal(row["p_lower"])
    if law.n_bounds == 2:
        undecided = n - sum(counts)
        rival = max(c for j, c in enumerate(counts) if j != top[0]) + undecided
        upper = min(upper, ONE - clopper_lower(n - rival, n, alpha, 1 - row["p_upper"]))
    if Decimal(row["p_upper"]) < upper - ROUNDING or Decimal(row["p_upper"]) > upper + SLACK:
        yield f"p_upper is {row['p_upper']!r}, and the votes prove {float(upper)!r}"
    if law.family is None:
        return
    shift, _ = law.largest_shift()
    tail = min(ONE - Decimal(row["p_lower"]) + shift, ONE)
    proven = law.radius(tail, min(Decimal(row["p_upper"]) + shift, ONE)) * law.unit
    yield from _radius_problems(law, row, radius, proven, "radius")


def _several_problems(law: Law, row: dict[str, Any], top: list[int]) -> Iterator[str]:
    """Problems of a row that is about several places."""
    counts, n = json.loads(row["counts"]), row["n_draws"]
    alpha, shift = law.alpha * Decimal(row["alpha_spent"]), law.largest_shift()[0]
    undecided = n - sum(counts)
    upper = [ONE - clopper_lower(n - c - undecided, n, alpha, None) for c in counts]
    radii = [_number(r) for r in json.loads(row["label_radius"])]
    if radii[0] != row["radius"]:
        yield "radius is not that of the first class"
    for place, j in enumerate(top):
        lower = clopper_lower(counts[j], n, alpha, row["p_lower"] if place == 0 else None)
        if place == 0:
            yield from _bound_problems("p_lower", row["p_lower"], lower)
            most = min(max(u for i, u in enumerate(upper) if i != j), ONE - lower)
            if not -ROUNDING <= Decimal(row["p_upper"]) - most <= SLACK:
                yield f"p_upper is {row['p_upper']!r}, and the votes prove {float(most)!r}"
        if law.family is None:
            continue
        tail = min(ONE - max(lower - shift, Decimal(0)), ONE)
        others = [min(u + shift, ONE) for i, u in enumerate(upper) if i != j]
        proven = law.top_radius(tail, others) * law.unit
        yield from _radius_problems(law, row, radii[place], proven, f"radius of place {place + 1}")


def _vote_problems(
    law: Law,
    parameters: dict[str, Any],
    plans: list[dict[int, list[float]]],
    row: dict[str, Any],
    earlier: dict[str, Any] | None,
) -> Iterator[str]:
    """Problems of the votes themselves, and of the part of the level that they spend."""
    counts, selection, n = json.loads(row["counts"]), json.loads(row["selection"]), row["n_draws"]
    for name, votes in (("counts", counts), ("selection", selection)):
        whole = all(isinstance(c, int) and c >= 0 for c in votes)
        if len(votes) != len(law.classes) or not whole:
            yield f"{name} holds no votes for {len(law.classes)} classes"
    if not isinstance(n, int) or n < sum(counts) or n < 1:
        yield f"there are {sum(counts)} votes of {n!r} draws"
    if sum(selection) > int(law.run["parameters"]["n_selection"]):
        yield "more draws selected the prediction than were asked for"
    top = [law.classes[j] for j in _ranked(law, row)]
    said = (
        row["prediction"] if law.top_k == 1 else [_json(x) for x in json.loads(row["prediction"])]
    )
    if said != (top[0] if law.top_k == 1 else top):
        yield f"the prediction is {row['prediction']}, and the votes select {', '.join(top)}"
    spent, cap = row["alpha_spent"], parameters["n_estimation"]
    if parameters["radius"] == "largest":
        fixed = law.run["options"].get("rtol") in ("0.0", "0")
        if spent != 1.0:
            yield f"{spent!r} of the level is spent, and a fixed number of draws spends all"
        if n > cap or (fixed and n != cap):
            yield f"there are {n} draws, and n_estimation is {cap}"
    elif not any(spent in plan.get(n, ()) for plan in plans):
        yield f"{spent!r} of the level is spent at {n} draws, which no plan of looks allows"
    if earlier is not None:
        yield from _growth_problems(row, earlier)


def _growth_problems(row: dict[str, Any], earlier: dict[str, Any]) -> Iterator[str]:
    """Problems of votes that were added to those of an earlier call."""
    grown = zip(json.loads(row["counts"]), json.loads(earlier["counts"]), strict=True)
    if row["n_draws"] < earlier["n_draws"] or any(now < before for now, before in grown):
        yield "there are fewer votes than after the call before"
    if row["selection"] != earlier["selection"] or row["row_id"] != earlier["row_id"]:
        yield "the row, or what selected its prediction, is another than in the call before"
    if row["n_draws"] == earlier["n_draws"] and row["counts"] != earlier["counts"]:
        yield "the votes differ from those of the call before, without further draws"


def _bound_problems(name: str, said: float, exact: Decimal) -> Iterator[str]:
    if Decimal(said) > exact * (1 + ROUNDING):
        yield f"{name} is {said!r}, more than the votes prove ({float(exact)!r})"
    elif Decimal(said) < exact * (1 - SLACK) - Decimal("1e-15"):
        yield f"{name} is {said!r}, and the votes prove {float(exact)!r}"


def _radius_problems(
    law: Law, row: dict[str, Any], said: float, proven: Decimal, name: str
) -> Iterator[str]:
    half = law.largest_shift()[1]
    own = law.moved(row)
    if own > half * (1 + SLACK):
        yield "the row moved by more than half a cell when it was rounded"
    left = max(proven - own - half, Decimal(0)) if law.step is not None else proven
    slack = SLACK * (proven + law.unit)
    if law.step is None and law.scaled:
        slack = slack * 1000
    if Decimal(said) > left * (1 + ROUNDING) + ROUNDING * law.unit:
        yield f"the {name} is {said!r}, more than the votes prove ({float(left)!r})"
    elif Decimal(said) < left - slack:
        yield f"the {name} is {said!r}, and the votes prove {float(left)!r}"


def _ranked(law: Law, row: dict[str, Any]) -> list[int]:
    votes = json.loads(row["selection"])
    return sorted(range(len(votes)), key=lambda j: (-votes[j], j))[: law.top_k]


def _plan(cap: int | None, number: int) -> dict[int, list[float]]:
    """Return the numbers of draws at which a call looks at votes, and what each look spends."""
    if cap is None:
        return {}
    part = 0.9 * (1 - 0.9) ** number
    grid = [math.ceil(64 * 1.5**i) for i in range(60)]
    if number:
        return {n: [part / 60] for n in grid if n <= cap}
    early = [n for n in grid if n < cap]
    plan = {n: [part / 2 / len(early)] for n in early}
    plan.setdefault(cap, []).append(part / 2 if early else part)
    return plan


def _number(value: Any) -> Any:
    if isinstance(value, dict):
        return float(value["number"])
    return float(value) if isinstance(value, str) else value


# Mathematics, with many digits.


def clopper_lower(k: int, n: int, alpha: Decimal, guess: float | None) -> Decimal:
    """Lower confidence bound of Clopper and Pearson, from any guess."""
    if k <= 0:
        return Decimal(0)
    if k >= n:
        return (alpha.ln() / n).exp()
    return _clopper(k, n, alpha, guess if guess is not None and 0 < guess < k / n else k / n)


@cache
def _clopper(k: int, n: int, alpha: Decimal, guess: float) -> Decimal:
    """Newton steps on the logarithm of the tail, which is concave in p."""
    p = Decimal(guess)
    for _ in range(200):
        tail, density = _tail(k, n, p)
        step = (alpha / tail).ln() * tail / density
        new = p + step if p + step > 0 else p / 2
        new = min(new, (p + 1) / 2)
        if abs(new - p) <= Decimal("1e-30") * min(p, 1 - p):
            return new
        p = new
    raise ArithmeticError(f"no bound was found for {k} of {n}")


def _tail(k: int, n: int, p: Decimal) -> tuple[Decimal, Decimal]:
    """Probability of at least k successes among n, and its derivative by p."""
    log = _log_factorial(n) - _log_factorial(k) - _log_factorial(n - k)
    first = term = (log + k * p.ln() + (n - k) * (1 - p).ln()).exp()
    total, odds, j = term, p / (1 - p), k
    while j < n:
        term = term * (n - j) * odds / (j + 1)
        total += term
        j += 1
        if term < total * Decimal("1e-45") and (n - j) * odds < j:
            break
    return total, first * k / p


@cache
def _log_factorial(n: int) -> Decimal:
    if n < 100:
        return Decimal(math.factorial(n)).ln()
    z = Decimal(n + 1)
    total = (z - HALF) * z.ln() - z + (2 * _PI).ln() / 2
    for i, (top, bottom) in enumerate(_BERNOULLI, start=1):
        total += Decimal(top) / bottom / (2 * i * (2 * i - 1)) / z ** (2 * i - 1)
    return total


_BERNOULLI = [
    (1, 6),
    (-1, 30),
    (1, 42),
    (-1, 30),
    (5, 66),
    (-691, 2730),
    (7, 6),
    (-3617, 510),
    (43867, 798),
    (-174611, 330),
    (854513, 138),
    (-236364091, 2730),
]


def normal_cdf(x: Decimal) -> Decimal:
    """Distribution function of the standard normal law."""
    if x < 0:
        return 1 - normal_cdf(-x)
    term = total = x
    i = 1
    while abs(term) > abs(total) * Decimal("1e-58"):
        i += 2
        term = term * x * x / i
        total += term
    return HALF + total * _normal_density(x)


def _normal_density(x: Decimal) -> Decimal:
    return (-x * x / 2).exp() / (2 * _PI).sqrt()


@cache
def normal_quantile(p: Decimal) -> Decimal:
    """Quantile of the standard normal law."""
    if p > HALF:
        return -normal_quantile(1 - p)
    x = Decimal(NormalDist().inv_cdf(float(p)))
    for _ in range(3):
        x -= (normal_cdf(x) - p) / _normal_density(x)
    return x


def main(argv: list[str]) -> int:
    """Check the file that is named, and say what was found."""
    if len(argv) != 1:
        print("usage: python checker.py run.sqlite")
        return 2
    found = check(argv[0])
    for problem in found.problems[:50]:
        print(problem)
    if len(found.problems) > 50:
        print(f"... and {len(found.problems) - 50} more.")
    facts = found.facts
    if found.problems:
        print(f"REFUSED: {len(found.problems)} problems.")
        return 1
    if "unfinished" in facts:
        print(facts["unfinished"])
        return 4
    print(
        f"Accepted: {facts['rows']} rows; bounds and radii derived again for {facts['derived']}; "
        f"exact, without votes to derive them from: {facts['exact']}; of noise that is not known "
        f"here: {facts['not_derived']}."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
