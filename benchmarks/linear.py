"""What does the structure of a linear base model save?

Time per certified row at 100,000 draws of a logistic regression with ten classes: the library,
the library without structure (black box), and a restatement of the loop of Cohen et al. (one row
at a time, fresh noise, batches of 1,000, votes counted in Python). One process, one thread, in
turn; medians of the ratios. MNIST comes from the folder that SKSMOOTH_DATA names.

    SKSMOOTH_DATA=... python -m benchmarks.linear [--alternations 5]
"""

import argparse
import os
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks._tables import as_text, write_for_docs
from sksmooth import SmoothedClassifier

SIGMA, N_DRAWS, ALPHA = 0.25, 100_000, 0.001
ROWS, ROWS_BLACK_BOX, ROWS_LOOP = 200, 4, 1


def data_sets():
    """Yield name, inputs and labels."""
    X, y = load_digits(return_X_y=True)
    yield "digits", X / 16, y
    if "SKSMOOTH_DATA" in os.environ:
        with np.load(Path(os.environ["SKSMOOTH_DATA"]) / "images" / "mnist_train.npz") as mnist:
            X, y = mnist["X"][:3000], mnist["y"][:3000]
        yield "MNIST", X.reshape(len(X), -1) / 255, y.astype(int)


def cohen_loop(model, X, rng):
    """Certify row by row, as the published code does."""
    for x in X:
        counts = np.zeros(len(model.classes_), int)
        for _ in range(N_DRAWS // 1000):
            batch = np.repeat(x[None], 1000, axis=0) + rng.normal(size=(1000, len(x))) * SIGMA
            for label in model.predict(batch):
                counts[label] += 1
        p_lower = stats.beta.ppf(ALPHA, counts.max(), N_DRAWS - counts.max() + 1)
        SIGMA * stats.norm.ppf(p_lower)


def seconds_per_row(function, X):
    start = time.perf_counter()
    function(X)
    return (time.perf_counter() - start) / len(X)


def compare(X, y, alternations):
    """Seconds per row of the three, for each alternation."""
    options = {"sigma": SIGMA, "n_augment": 1, "n_estimation": N_DRAWS, "random_state": 0}
    base = LogisticRegression(max_iter=100)
    with_structure = SmoothedClassifier(base, **options).fit(X[:1000], y[:1000])
    black_box = SmoothedClassifier(base, structure="off", **options).fit(X[:1000], y[:1000])
    model, rng, test = black_box.estimator_, np.random.default_rng(0), X[1000:]
    jobs = [
        (with_structure.certify, test[:ROWS]),
        (black_box.certify, test[:ROWS_BLACK_BOX]),
        (lambda rows: cohen_loop(model, rows, rng), test[:ROWS_LOOP]),
    ]
    times = []
    for turn in range(alternations):
        order = jobs if turn % 2 == 0 else jobs[::-1]
        seconds = [seconds_per_row(*job) for job in order]
        times.append(seconds if turn % 2 == 0 else seconds[::-1])
    return times


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alternations", type=int, default=5)
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore", ConvergenceWarning)
    header = ("Data", "Features", "ms per row", "Black box over it", "Cohen's loop over it")
    table = []
    with threadpool_limits(limits=1):
        for name, X, y in data_sets():
            times = compare(X, y, options.alternations)
            ours = statistics.median(t[0] for t in times)
            black_box, loop = (statistics.median(t[i] / t[0] for t in times) for i in (1, 2))
            table.append(
                (name, X.shape[1], f"{1e3 * ours:.2f}", f"{black_box:.0f}x", f"{loop:.0f}x")
            )
            print(*table[-1], flush=True)
    print(as_text(header, table))
    write_for_docs("linear", header, table)


if __name__ == "__main__":
    main()
