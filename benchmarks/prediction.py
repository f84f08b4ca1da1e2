"""Time of `predict` with 100 draws per row on many rows, against that of ART.

python -m benchmarks prediction
"""

from benchmarks._timing import alternate, ratio
from benchmarks.certification import ALPHA, N_SELECTION, Case, aim, smoother, times
from benchmarks.models import SIGMA, data, trained, unseen_rows
from benchmarks.peers import art_smoother

N_ROWS, N_ROWS_OF_PEER = 500, 50

CASES = [
    Case("logistic regression", "digits", against_art=15),
    Case("MLP(100)", "digits", against_art=15),
    Case("random forest", "digits", against_art=8),
    Case("CNN", "digits", against_art=4),
]

HEADER = ("Base model", "Microseconds per row", "ART over it", "Aimed at")


def measure(case, turns):
    """Figures of one case."""
    model, n_features = trained(case.model, case.data), data(case.data)[0].shape[1]
    rows, few = unseen_rows(case.data, N_ROWS), unseen_rows(case.data, N_ROWS_OF_PEER)
    ours = smoother(case)
    art = art_smoother(model, n_features, 10, SIGMA, ALPHA, N_SELECTION)
    ours.predict(rows[:1])
    jobs = {
        "ours": lambda: ours.predict(rows),
        "art": lambda: art.predict(few, batch_size=N_SELECTION),
    }
    seconds = alternate(jobs, turns)
    median = sorted(turn["ours"] for turn in seconds)[len(seconds) // 2]
    return {
        "model": case.model,
        "microseconds_per_row": 1e6 * median / len(rows),
        "art_over_ours": ratio(seconds, "art", "ours", N_ROWS / N_ROWS_OF_PEER),
        "aim_against_art": case.against_art,
    }


def row_of_table(result):
    """Cells of one line."""
    return (
        result["model"],
        f"{result['microseconds_per_row']:.0f}",
        times(result["art_over_ours"]),
        aim(result["aim_against_art"]),
    )
