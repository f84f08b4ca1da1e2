"""Deterministic smoothing with splitting noise: what it proves, and what it costs.

SKSMOOTH_DATA=... python -m benchmarks splitting splitting_overhead
"""

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator

from benchmarks._timing import alternate, ratio, seconds_of
from benchmarks.models import data, small_cnn, trained, unseen_rows
from benchmarks.overhead import best_batch_size, predict_in_batches
from sksmooth import DSSNClassifier, SmoothedClassifier, certified_accuracy_score
from sksmooth.certifiers.splits._grid import Grid
from sksmooth.certifiers.splits._shifts import Splits

RADII = (0.5, 1.0, 2.0, 3.0)
N_TRAIN, N_TEST, N_DRAWS = 1000, 500, 10_000


@dataclass(frozen=True)
class Comparison:
    """One line of the table: a smoother of a base model at one sigma."""

    data: str
    model: str
    method: str
    sigma: float


CASES = [
    Comparison(*where, method, sigma)
    for where, sigmas in (
        (("digits", "random forest"), (0.5, 1, 2)),
        (("MNIST", "CNN"), (1, 2)),
        (("CIFAR-10", "CNN"), (1,)),
    )
    for sigma in sigmas
    for method in ("DSSN", "splitting", "uniform")
]

HEADER = (
    "Data, base model",
    "Sigma",
    "Noise",
    "Calls per row",
    "ms per row",
    *(f"l1 radius {radius:g}" for radius in RADII),
)


def base_of(case):
    """Return an unfitted base model."""
    if case.model == "CNN":
        return small_cnn(28) if case.data == "MNIST" else small_cnn(32, 3)
    return RandomForestClassifier(100, random_state=0)


def smoother_of(case):
    """Return the unfitted smoother of a line."""
    options = {"sigma": case.sigma, "n_augment": 5, "random_state": 0}
    if case.method == "DSSN":
        n_steps = 16 if case.data == "digits" else 255
        return DSSNClassifier(base_of(case), n_steps=n_steps, **options)
    return SmoothedClassifier(
        base_of(case), noise=case.method, n_estimation=N_DRAWS, norm=1, **options
    )


def measure(case, turns):
    """Figures of one line."""
    X, y = data(case.data)
    clf = smoother_of(case).fit(X[:N_TRAIN], y[:N_TRAIN])
    n_test = N_TEST if case.data == "digits" else 50
    rows, labels = X[N_TRAIN : N_TRAIN + n_test], y[N_TRAIN : N_TRAIN + n_test]
    certificate = clf.certify(rows)
    return {
        "data": f"{case.data}, {case.model}",
        "sigma": case.sigma,
        "method": case.method,
        "calls": int(certificate.n_draws[0]) + (0 if case.method == "DSSN" else clf.n_selection),
        "milliseconds_per_row": 1e3 * seconds_of(clf.certify, rows[:50]) / 50,
        "accuracy": [certified_accuracy_score(labels, certificate, radius=r) for r in RADII],
    }


def row_of_table(result):
    """Cells of one line."""
    return (
        result["data"],
        f"{result['sigma']:g}",
        result["method"],
        f"{result['calls']:,}",
        f"{result['milliseconds_per_row']:.1f}",
        *(f"{accuracy:.1%}" for accuracy in result["accuracy"]),
    )


class Overhead:
    """The second table: time over that of the base model's own predict."""

    CASES = ("random forest", "SVC rbf", "CNN", "MLP(100)", "logistic regression")
    HEADER = ("Base model", "Ratio", "Smallest to largest", "At most")
    AIMS = (1.3, 1.3, 1.3, 2, 3)
    SIGMA, N_ROWS = 1.2, 100

    @classmethod
    def measure(cls, name, turns):
        """Figures of one base model on digits."""
        model, rows = trained(name, "digits"), unseen_rows("digits", cls.N_ROWS)
        X, y = data("digits")
        clf = DSSNClassifier(FrozenEstimator(model), n_steps=16, sigma=cls.SIGMA, random_state=0)
        clf.fit(X[:200], y[:200])
        grid = Grid(*map(np.asarray, clf.feature_range_), clf.n_steps_)
        splits = Splits(grid, clf.n_shifts_, clf.offsets_, rows.dtype)
        split = splits.perturb(grid.nearest(rows), np.arange(clf.n_shifts_))
        split = split.reshape(-1, rows.shape[1])
        size = best_batch_size(model, split)
        jobs = {
            "ours": lambda: clf.certify(rows),
            "limit": lambda: predict_in_batches(model, split, size),
        }
        figures = ratio(alternate(jobs, turns), "ours", "limit")
        return {"model": name, "ratio": figures, "at_most": cls.AIMS[cls.CASES.index(name)]}

    @staticmethod
    def row_of_table(result):
        """Cells of one line."""
        median, low, high = result["ratio"]
        return result["model"], f"{median:.2f}", f"{low:.2f} to {high:.2f}", result["at_most"]
