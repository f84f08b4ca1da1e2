"""What does certification cost beyond the calls of the base model?

`certify` on black-box models, over the base model's own `predict` on as many ready-made noisy
rows at its best batch size. 1 is the limit for any method that asks the model for every vote.

    python -m benchmarks overhead
"""

import time
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from benchmarks import models
from benchmarks._timing import alternate, ratio
from benchmarks.certification import N_SELECTION, Case, aim, smoother
from benchmarks.models import SIGMA, trained, unseen_rows

BATCH_SIZES = (32, 64, 128, 256, 512, 1000, 2000, 5000, 10_000, 20_000)
MOST_NOISY_VALUES = 100_000_000


class PythonRule(ClassifierMixin, BaseEstimator):
    """A predictor in plain Python: which half of the picture is darker."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.array([0 if sum(row[:32]) > sum(row[32:]) else 1 for row in X.tolist()])


models.MAKERS["plain Python"] = lambda data_name: PythonRule()

CASES = [
    Case("random forest", "digits", 10_000, 50, against_cohen=1.2),
    Case("HistGradientBoosting", "digits", 1000, 50, against_cohen=1.2),
    Case("SVC rbf", "digits", 500, 50, against_cohen=1.2),
    Case("MLP(100)", "digits", 20_000, 50, against_cohen=1.2),
    Case("CNN", "digits", 10_000, 50, against_cohen=1.2),
    Case("ResNet-20", "CIFAR-10", 400, 4, against_cohen=1.2),
    Case("plain Python", "digits", 10_000, 50),
    Case("logistic regression", "digits", 20_000, 50, against_cohen=1.8),
]

HEADER = (
    "Base model",
    "Ratio",
    "Smallest to largest",
    "At most",
    "Best batch of predict",
    "us per noisy row",
)


def predict_in_batches(model, noisy, batch_size):
    """Call the base model for all noisy rows."""
    for first in range(0, len(noisy), batch_size):
        model.predict(noisy[first : first + batch_size])


def best_batch_size(model, noisy):
    """Batch size with which the base model predicts fastest."""

    def cost(batch_size):
        sample = noisy[: max(2 * batch_size, 500)]
        seconds = []
        for _ in range(2):
            start = time.process_time()
            predict_in_batches(model, sample, batch_size)
            seconds.append((time.process_time() - start) / len(sample))
        return min(seconds)

    return min((size for size in BATCH_SIZES if size <= len(noisy)), key=cost)


def measure(case, turns):
    """Figures of one case."""
    model, rows = trained(case.model, case.data), unseen_rows(case.data, case.n_rows)
    ours = smoother(replace(case, structure="off"))
    n_draws = case.n_draws + N_SELECTION
    noise = np.random.default_rng(0).normal(scale=SIGMA, size=(n_draws, rows.shape[1]))
    noisy = (rows[:, None] + noise.astype(rows.dtype)).reshape(-1, rows.shape[1])
    batch_size = best_batch_size(model, noisy)
    jobs = {
        "ours": lambda: ours.certify(rows),
        "limit": lambda: predict_in_batches(model, noisy, batch_size),
    }
    seconds = alternate(jobs, turns)
    limit = sorted(turn["limit"] for turn in seconds)[len(seconds) // 2]
    return {
        "model": case.model,
        "ours_over_limit": ratio(seconds, "ours", "limit"),
        "at_most": case.against_cohen,
        "best_batch_size": batch_size,
        "microseconds_per_noisy_row": 1e6 * limit / len(noisy),
    }


def row_of_table(result):
    """Cells of one line."""
    median, low, high = result["ours_over_limit"]
    return (
        result["model"],
        f"{median:.2f}",
        f"{low:.2f} to {high:.2f}",
        aim(result["at_most"]).rstrip("x"),
        result["best_batch_size"],
        f"{result['microseconds_per_noisy_row']:.2f}",
    )
