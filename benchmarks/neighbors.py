"""How fast are radii of nearest neighbours, against the formula written out with numpy?

Processor time per row for reference points of MNIST (digits below 5 against the others; random
points in as many dimensions without SKSMOOTH_DATA): the formula for all points, one row at a time,
over the search in blocks. The radii are the same: never above by more than 1e-12 of them, and less
by what the rounding of distances leaves open, which is below 1e-11. One process, one thread, in
turn; medians of ratios.

    SKSMOOTH_DATA=... python -m benchmarks.neighbors [--alternations 5]
"""

import argparse
import os
import statistics
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._tables import as_text, write_for_docs
from benchmarks._timing import alternate, ratio
from sksmooth.certifiers.local_bias._neighbor_radii import ReferencePoints

ROWS, ROWS_PLAIN = 100, 2
DUAL = {1: np.inf, 2: 2, np.inf: 1}


def data(n):
    """Return reference points, their labels, and rows."""
    if "SKSMOOTH_DATA" not in os.environ:
        rng = np.random.default_rng(0)
        labels = rng.integers(2, size=n)
        points = rng.normal(size=(n, 20)) @ rng.normal(size=(20, 784)) + labels[:, None]
        return points, labels, points[:ROWS] + rng.normal(size=(ROWS, 784))
    folder = Path(os.environ["SKSMOOTH_DATA"]) / "images"
    with np.load(folder / "mnist_train.npz") as train, np.load(folder / "mnist_test.npz") as test:
        points = train["X"][:n].reshape(n, -1) / 255
        return points, (train["y"][:n] >= 5).astype(int), test["X"][:ROWS].reshape(ROWS, -1) / 255


def plain_radii(points, labels, X, norm):
    """Evaluate the formula for all points of the other label."""
    radii = []
    for x in X:
        i = ((points - x) ** 2).sum(axis=1).argmin()
        others = points[labels != labels[i]]
        apart = points[i] - others
        gain = (apart * (2 * x - points[i] - others)).sum(axis=1)
        radii.append((gain / (2 * np.linalg.norm(apart, DUAL[norm], axis=1))).min())
    return np.array(radii)


def compare(n, norm, alternations):
    """Seconds per row in every turn: plain, by search, and by search with several neighbours."""
    points, labels, X = data(n)
    reference = ReferencePoints(points, labels, 2)
    found = reference.radii(X[:ROWS_PLAIN], norm, "nearest").radius.max(axis=1)
    expected = plain_radii(points, labels, X[:ROWS_PLAIN], norm)
    expected = np.maximum(expected, 0)
    assert (found <= expected * (1 + 1e-12)).all()
    np.testing.assert_allclose(found, expected, rtol=1e-11)  # less what rounding cannot decide
    jobs = {
        "plain": lambda: plain_radii(points, labels, X[:ROWS_PLAIN], norm),
        "nearest": lambda: reference.radii(X, norm, "nearest"),
        "pairwise": lambda: reference.radii(X, norm, "pairwise"),
    }
    return alternate(jobs, alternations)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alternations", type=int, default=5)
    options = parser.parse_args(argv)
    header = ("Points", "Norm", "Formula, ms", "nearest, ms", "Formula over it", "over pairwise")
    table = []
    with threadpool_limits(limits=1):
        for n in (1000, 10_000, 60_000):
            for norm in (2, np.inf, 1):
                times = compare(n, norm, options.alternations)
                plain = statistics.median(turn["plain"] for turn in times) / ROWS_PLAIN
                ours = statistics.median(turn["nearest"] for turn in times) / ROWS
                ratios = [
                    ratio(times, "plain", job, scale=ROWS / ROWS_PLAIN)[0]
                    for job in ("nearest", "pairwise")
                ]
                name = {2: "l2", 1: "l1"}.get(norm, "l-infinity")
                milliseconds = f"{1e3 * plain:.1f}", f"{1e3 * ours:.2f}"
                table.append((n, name, *milliseconds, *(f"{r:.0f}x" for r in ratios)))
                print(*table[-1], flush=True)
    print(as_text(header, table))
    write_for_docs("neighbors", header, table)


if __name__ == "__main__":
    main()
