"""How tight are certificates of center smoothing, and how fast are centres found?

Tightness: certified output radius at alpha = 0.01 with 10,000 outputs for the centre and 10,000
for the certificate, for the same outputs: by the formula of Kumar and Goldstein (2021, with the
roots where its proof has them, and Delta = 0.05), by the library with the same centre, and by the
library as it is. Speed: the exact best sampled output, against a Python loop over the samples with
one batch of distances each; the loop is timed on a part of the samples, and every sample costs it
the same. One process, one thread, in turn; medians of the ratios.

    python -m benchmarks.center [--alternations 5]
"""

import argparse
import math
import statistics
import time
import tracemalloc

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits

from benchmarks._tables import as_text, write_for_docs
from sksmooth.certificates import ErrorBudget
from sksmooth.certifiers.center._best_sample import best_sample_point
from sksmooth.certifiers.center._ranks import CenterBounds
from sksmooth.certifiers.center._rules import choose_rule
from sksmooth.distances import Euclidean, JaccardBoxes, JaccardMasks

N, M, ALPHA, DELTA = 10_000, 10_000, 0.01, 0.05
BUDGET = ErrorBudget(ALPHA)
SHIFTS = (0.5, 1.0, 2.0)
LOOP_SAMPLES = 200


def gaussian(dimension):
    return lambda n, rng: rng.normal(size=(n, dimension))


def boxes(n, rng):
    corners = np.array([0.0, 0, 10, 10])
    return corners + 0.5 * rng.normal(size=(n, 4))


def masks(n, rng):
    mask = np.add.outer(np.arange(16), np.arange(16)) < 16
    return (mask.ravel() ^ (rng.random((n, 256)) < 0.05)).astype(float)


OUTPUTS = (
    ("1 number", gaussian(1), Euclidean(), None),
    ("2 numbers", gaussian(2), Euclidean(), None),
    ("100 numbers", gaussian(100), Euclidean(), 1.25),
    ("784 numbers", gaussian(784), Euclidean(), 1.1),
    ("boxes", boxes, JaccardBoxes(), None),
    ("masks", masks, JaccardMasks(), None),
)


def published(shift, to_center):
    """Three times the order statistic of the published rank; infinite where there is none."""
    p = stats.norm.cdf(stats.norm.ppf(0.5 + DELTA) + shift)
    rank = math.ceil((p + math.sqrt(math.log(2 / ALPHA) / (2 * M))) * M)
    return 3 * np.sort(to_center)[rank - 1] if rank <= M else np.inf


def pairs(distance, outputs):
    points = distance.points(outputs)
    return np.array(
        [distance.between(points[i : i + 1], points[i + 1 : i + 2])[0, 0] for i in range(0, M, 2)]
    )


def certified(rule, distance, center, fresh, shift, group_size):
    """Bound of the library for a rule; infinite where the ranks do not exist."""
    bounds = CenterBounds(N, M, BUDGET, rule.beta, distance.gamma, group_size=group_size)
    ranks = bounds.ranks(shift)
    if ranks is None or not center.guaranteed:
        return np.inf
    bound = bounds.output_radius(ranks, distance(fresh, center.output), pairs(distance, fresh))
    return min(bound, distance.diameter)


def tightness():
    rng, table = np.random.default_rng(0), []
    for name, make, distance, beta in OUTPUTS:
        outputs, fresh = make(N, rng), make(M, rng)
        shape = outputs.shape[1:]
        points = distance.points(outputs)
        best, _ = best_sample_point(points, points, distance, (N + 1) // 2, are_sampled=True)
        to_center = distance(fresh, outputs[best])
        rule = choose_rule(distance, shape, "auto", None, None)
        center = rule.find(outputs)
        checked = None if beta is None else choose_rule(distance, shape, "auto", beta, None)
        shown = None if beta is None else checked.find(outputs)
        for shift in SHIFTS:
            plain = CenterBounds(N, M, BUDGET, 2.0, 1.0)
            same = plain.output_radius(plain.ranks(shift), to_center, np.empty(0))
            paper = published(shift, to_center)
            size = int(rule.method == "sample")
            row = [
                name,
                f"{shift:g}",
                paper,
                min(same, distance.diameter),
                certified(rule, distance, center, fresh, shift, size),
                None if beta is None else certified(checked, distance, shown, fresh, shift, 0),
            ]
            table.append([*row[:2], *("" if v is None else f"{v:.3g}" for v in row[2:])])
            print(*table[-1], flush=True)
    return table


def loop(Z, h, samples):
    """Best of some sampled outputs, one after the other."""
    best = np.inf
    for i in samples:
        distances = np.sqrt(((Z - Z[i]) ** 2).sum(axis=1))
        best = min(best, np.partition(distances, h - 1)[h - 1])
    return best


def seconds(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def speed(alternations):
    rng, table, h = np.random.default_rng(1), [], (N + 1) // 2
    for dimension in (4, 10, 784):
        Z = rng.normal(size=(N, dimension))
        samples = range(LOOP_SAMPLES if dimension < 100 else LOOP_SAMPLES // 4)
        times = []
        for turn in range(alternations):
            jobs = [(best_sample_point, Z, Z, Euclidean(), h), (loop, Z, h, samples)]
            spent = [seconds(*job) for job in (jobs if turn % 2 == 0 else jobs[::-1])]
            ours, part = spent if turn % 2 == 0 else spent[::-1]
            times.append((ours, part * N / len(samples)))
        tracemalloc.start()
        best_sample_point(Z, Z, Euclidean(), h)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        ours = statistics.median(t[0] for t in times)
        ratio = statistics.median(t[1] / t[0] for t in times)
        table.append((dimension, f"{ours:.2f} s", f"{ratio:.0f}x", f"{peak:.0f} MB"))
        print(*table[-1], flush=True)
    return table


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alternations", type=int, default=5)
    options = parser.parse_args(argv)
    with threadpool_limits(limits=1):
        header = ("Dimension", "Time", "Python loop over it", "Peak memory")
        table = speed(options.alternations)
        print(as_text(header, table))
        write_for_docs("center_speed", header, table)
        header = (
            "Outputs",
            "Radius / sigma",
            "Published formula",
            "Same centre",
            "Default",
            "Guaranteed beta",
        )
        table = tightness()
        print(as_text(header, table))
        write_for_docs("center_tightness", header, table)


if __name__ == "__main__":
    main()
