"""What does certification cost beyond the calls of the base model?

`certify` on black-box models, over the base model's own `predict` on as many ready-made noisy
rows at its best batch size. Both are timed in turn in one process, on one thread; the median of
the ratios is printed. 1 is the limit for any method that asks the model for every vote.

    python -m benchmarks.overhead [--alternations 7] [--json overhead.json]
"""

import argparse
import json
import statistics
import time
import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from benchmarks._tables import as_text, write_for_docs
from sksmooth import SmoothedClassifier

SIGMA, N_ROWS = 0.25, 50
BATCH_SIZES = (256, 512, 1000, 2000, 5000, 10_000, 20_000)


class PythonRule(ClassifierMixin, BaseEstimator):
    """A predictor in plain Python: which half of the picture is darker."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.array([0 if sum(row[:32]) > sum(row[32:]) else 1 for row in X.tolist()])


MODELS = {  # base model, draws per row
    "random forest": (RandomForestClassifier(random_state=0), 10_000),
    "HistGradientBoosting": (HistGradientBoostingClassifier(random_state=0), 1000),
    "MLP": (MLPClassifier(random_state=0), 20_000),
    "SVC": (SVC(), 500),
    "plain Python": (PythonRule(), 10_000),
}


def seconds_of(function, *args):
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


def predict_in_batches(model, noisy, batch_size):
    for first in range(0, len(noisy), batch_size):
        model.predict(noisy[first : first + batch_size])


def best_batch_size(model, noisy):
    sample = noisy[: max(20_000, BATCH_SIZES[-1])]

    def cost(batch_size):
        return min(seconds_of(predict_in_batches, model, sample, batch_size) for _ in range(2))

    return min(BATCH_SIZES, key=cost)


def compare(model, n_draws, X, y, alternations):
    """Median ratio of `certify` to `predict`, and the batch size that suits `predict` best."""
    model.fit(X[:1000], y[:1000])
    rows = X[1000 : 1000 + N_ROWS]
    smoother = SmoothedClassifier(
        FrozenEstimator(model), sigma=SIGMA, n_estimation=n_draws, n_selection=100, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        smoother.fit(X[1000:], y[1000:])
    noise = np.random.default_rng(0).normal(scale=SIGMA, size=(n_draws + 100, X.shape[1]))
    noisy = (rows[:, None] + noise).reshape(-1, X.shape[1])
    batch_size = best_batch_size(model, noisy)
    ratios, limits = [], []
    for turn in range(alternations):
        if turn % 2:
            limit = seconds_of(predict_in_batches, model, noisy, batch_size)
            ours = seconds_of(smoother.certify, rows)
        else:
            ours = seconds_of(smoother.certify, rows)
            limit = seconds_of(predict_in_batches, model, noisy, batch_size)
        ratios.append(ours / limit)
        limits.append(limit / len(noisy))
    return {
        "ratio": statistics.median(ratios),
        "spread": [min(ratios), max(ratios)],
        "best_batch_size": batch_size,
        "microseconds_per_noisy_row": 1e6 * statistics.median(limits),
    }


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alternations", type=int, default=7)
    parser.add_argument("--json", help="also write the figures to this file")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y = load_digits(return_X_y=True)
    header = ("Base model", "Ratio", "Smallest to largest", "Best batch of predict", "us per row")
    results, table = {}, []
    with threadpool_limits(limits=1):
        for name, (model, n_draws) in MODELS.items():
            result = results[name] = compare(model, n_draws, X / 16, y, options.alternations)
            low, high = result["spread"]
            table.append(
                (
                    name,
                    f"{result['ratio']:.2f}",
                    f"{low:.2f} to {high:.2f}",
                    result["best_batch_size"],
                    f"{result['microseconds_per_noisy_row']:.2f}",
                )
            )
            print(*table[-1], flush=True)
    print(as_text(header, table))
    write_for_docs("overhead", header, table)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
