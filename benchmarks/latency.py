"""Single rows, as an online service has them: milliseconds beyond the base model's own time.

python -m benchmarks latency
"""

from __future__ import annotations

import statistics

import numpy as np

from benchmarks._timing import alternate
from benchmarks.certification import N_SELECTION, Case, smoother
from benchmarks.models import SIGMA, trained, unseen_rows

N_CALLS = 20
RADIUS = 0.5 * SIGMA
MOST_TO_PREDICT, MOST_TO_DECIDE = 1.0, 3.0

CASES = [
    Case("logistic regression", "digits", 10_000),
    Case("MLP(100)", "digits", 10_000),
    Case("SVC rbf", "digits", 1000),
]

HEADER = (
    "Base model",
    "predict, ms beyond 100 rows",
    "At most",
    "certify(radius=), ms beyond its draws",
    "At most",
)


def each(call, rows):
    """Call for each row by itself."""
    for i in range(len(rows)):
        call(rows[i : i + 1])


def measure(case, turns):
    """Figures of one case."""
    model, rows = trained(case.model, case.data), unseen_rows(case.data, N_CALLS)
    ours = smoother(case)
    decided = ours.certify(rows, radius=RADIUS)
    draws = N_SELECTION + (0 if decided.alpha is None else decided.n_draws)
    rng = np.random.default_rng(0)
    selected = [row + rng.normal(scale=SIGMA, size=(N_SELECTION, rows.shape[1])) for row in rows]
    estimated = [
        row + rng.normal(scale=SIGMA, size=(n, rows.shape[1]))
        for row, n in zip(rows, np.broadcast_to(draws, len(rows)), strict=True)
    ]
    jobs = {
        "predict": lambda: each(ours.predict, rows),
        "selected": lambda: [model.predict(noisy) for noisy in selected],
        "decide": lambda: each(lambda row: ours.certify(row, radius=RADIUS), rows),
        "estimated": lambda: [model.predict(noisy) for noisy in estimated],
    }
    seconds = alternate(jobs, turns)
    return {
        "model": case.model,
        "milliseconds_to_predict": _beyond(seconds, "predict", "selected"),
        "milliseconds_to_decide": _beyond(seconds, "decide", "estimated"),
    }


def _beyond(seconds, job, limit):
    """Median of what a call takes beyond its limit, in milliseconds."""
    return statistics.median(1e3 * (turn[job] - turn[limit]) / N_CALLS for turn in seconds)


def row_of_table(result):
    """Cells of one line."""
    return (
        result["model"],
        f"{result['milliseconds_to_predict']:.2f}",
        f"{MOST_TO_PREDICT:.1f}",
        f"{result['milliseconds_to_decide']:.2f}",
        f"{MOST_TO_DECIDE:.1f}",
    )
