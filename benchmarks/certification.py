"""Time per certified row: this library, what people use today, and the limit.

Every case certifies the same rows at the same level (alpha = 0.001) with as many draws. The peers
take one row at a time and their cost grows with the number of rows, so they are timed on few.

    SKSMOOTH_DATA=... python -m benchmarks.certification
"""

import warnings
from dataclasses import dataclass

from sklearn.frozen import FrozenEstimator

from benchmarks._timing import alternate, ratio
from benchmarks.models import SIGMA, data, trained, unseen_rows
from benchmarks.peers import CohenLoop, art_smoother
from sksmooth import SmoothedClassifier

ALPHA, N_SELECTION = 0.001, 100


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    model: str
    data: str
    n_draws: int = 100_000
    n_rows: int = 200
    n_rows_of_peers: int = 1
    structure: str = "auto"
    against_cohen: float | None = None
    against_art: float | None = None


CASES = [
    Case("logistic regression", "digits", against_cohen=120, against_art=200),
    Case("logistic regression", "MNIST", against_cohen=800, against_art=3000),
    Case("logistic regression", "CIFAR-10", n_draws=20_000),
    Case("MLP(100)", "digits"),
    Case("MLP(100)", "MNIST", against_cohen=50, against_art=300),
    Case("MLP(100)", "CIFAR-10", n_draws=20_000),
    Case("SVC rbf", "digits", n_draws=1000, n_rows=50, against_cohen=15),
    Case("SVC rbf", "MNIST", n_draws=1000, n_rows=50, against_cohen=100),
    Case("MLP(100)", "digits", 20_000, 50, 2, "off", against_cohen=2, against_art=3.5),
    Case("random forest", "digits", 10_000, 20, 1, "off"),
    Case("HistGradientBoosting", "digits", 2000, 20, 1, "off"),
    Case("CNN", "digits", 10_000, 20, 2),
    Case("CNN", "MNIST", 5000, 10, 1),
    Case("ResNet-20", "CIFAR-10", 512, 1),
]

HEADER = (
    "Base model",
    "Data (features)",
    "Draws",
    "Rows",
    "ms per row",
    "Cohen's loop over it",
    "Aimed at",
    "ART over it",
    "Aimed at",
)


def smoother(case, **params):
    """Return this library around the model of a case."""
    X, y = data(case.data)
    clf = SmoothedClassifier(
        FrozenEstimator(trained(case.model, case.data)),
        sigma=SIGMA,
        alpha=ALPHA,
        n_selection=N_SELECTION,
        n_estimation=case.n_draws,
        structure=case.structure,
        random_state=0,
        **params,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of the models collapse under noise
        return clf.fit(X[:200], y[:200])


def measure(case, turns):
    """Figures of one case."""
    model, n_features = trained(case.model, case.data), data(case.data)[0].shape[1]
    rows, few = (unseen_rows(case.data, n) for n in (case.n_rows, case.n_rows_of_peers))
    ours = smoother(case)
    cohen = CohenLoop(model, 10, SIGMA, ALPHA)
    art = art_smoother(model, n_features, 10, SIGMA, ALPHA, N_SELECTION)
    jobs = {
        "ours": lambda: ours.certify(rows),
        "cohen": lambda: cohen.certify(few, N_SELECTION, case.n_draws),
    }
    if art is not None:
        jobs["art"] = lambda: art.certify(few, n=case.n_draws, batch_size=512)
    ours.certify(rows[:1])
    seconds = alternate(jobs, turns)
    per_row = case.n_rows / case.n_rows_of_peers
    milliseconds = 1000 * sorted(turn["ours"] for turn in seconds)[len(seconds) // 2] / len(rows)
    return {
        "model": case.model + (" (black box)" if case.structure == "off" else ""),
        "data": f"{case.data} ({n_features})",
        "n_draws": case.n_draws,
        "n_rows": case.n_rows,
        "milliseconds_per_row": milliseconds,
        "cohen_over_ours": ratio(seconds, "cohen", "ours", per_row),
        "art_over_ours": ratio(seconds, "art", "ours", per_row) if art is not None else None,
        "aim_against_cohen": case.against_cohen,
        "aim_against_art": case.against_art,
    }


def row_of_table(result):
    """Cells of one line."""
    return (
        result["model"],
        result["data"],
        f"{result['n_draws']:,}",
        result["n_rows"],
        f"{result['milliseconds_per_row']:.2f}",
        times(result["cohen_over_ours"]),
        aim(result["aim_against_cohen"]),
        times(result["art_over_ours"]),
        aim(result["aim_against_art"]),
    )


def times(figures):
    """Median of a ratio, in words."""
    if figures is None:
        return "cannot run"
    return f"{figures[0]:,.0f}x" if figures[0] >= 10 else f"{figures[0]:.1f}x"


def aim(value):
    """Ratio that was aimed at, in words."""
    return "" if value is None else f"{value:,g}x"
