"""What do the noise families cost?

Building the table of radii of a family, looking up a million radii in it, and solving for one
without it; and drawing noise, over drawing as much Gaussian noise (in turn, medians of the
ratios). One process, one thread; processor time. k of the mixed family is an eighth of the number
of features, and 1,000 at most.

    python -m benchmarks.noise [--alternations 7] [--dimensions 64 784 3072 150528]
"""

import argparse
import statistics
import time

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._tables import as_text, write_for_docs
from sksmooth.noise import (
    GaussianNoise,
    LaplaceNoise,
    MixedNormNoise,
    SplittingNoise,
    SupNormNoise,
    UniformNoise,
)
from sksmooth.noise._radii._trade_off import TradeOff, last_proven

N_LOOK_UPS, N_SOLVED, N_DRAWS = 10**6, 5, 512
K_PER_FEATURE = {
    GaussianNoise: 1 / 4,
    LaplaceNoise: 1 / 4,
    SupNormNoise: 1 / 4,
    MixedNormNoise: 1 / 8,
}
LARGEST_K_OF_MIXED = 1000


def seconds(function, *arguments):
    start = time.process_time()
    function(*arguments)
    return time.process_time() - start


def solve_without_table(trade_off: TradeOff, tail):
    """Search for each radius by evaluating the trade-off function."""

    def lead(r, rows):
        return trade_off.worst_case_probability(tail[rows], r) - 0.5

    high = np.full(len(tail), 2.0 * float(trade_off.one_sided(tail).max()))
    return last_proven(lead, np.zeros(len(tail)), high, 1e-9)


def radii(dimensions):
    """Yield rows: family, k, features, seconds for the table, for a million, ms per solution."""
    tail = np.random.default_rng(0).uniform(1e-6, 0.45, N_LOOK_UPS)
    for family, part in K_PER_FEATURE.items():
        for d in dimensions:
            k = int(d * part)
            if family is MixedNormNoise:
                k = min(k, LARGEST_K_OF_MIXED)
            trade_off, _ = family(1.0, k).trade_off(d)
            build = seconds(trade_off.one_sided, tail[:1])
            look_up = seconds(trade_off.one_sided, tail)
            solve = seconds(solve_without_table, trade_off, tail[:N_SOLVED]) / N_SOLVED
            yield family.__name__, k, d, f"{build:.2f}", f"{look_up:.2f}", f"{1e3 * solve:.1f}"


def samplers(alternations):
    """Yield rows: family, k, features, dtype and time over that of Gaussian noise."""
    peer = GaussianNoise(1.0)
    for d in (64, 3072):
        for noise in (
            GaussianNoise(1.0, d // 4),
            LaplaceNoise(1.0),
            LaplaceNoise(1.0, d // 4),
            UniformNoise(1.0),
            SplittingNoise(1.0),
            SupNormNoise(1.0, d // 4),
            MixedNormNoise(1.0, d // 8),
            MixedNormNoise(1.0, d - 2),
        ):
            ratios = []
            for dtype in (np.float32, np.float64):
                rng = np.random.default_rng(0)
                arguments = N_DRAWS, (d,), rng, dtype
                noise.draw(*arguments)
                times = [
                    [seconds(family.draw, *arguments) for family in (noise, peer)]
                    for _ in range(alternations)
                ]
                ratios.append(statistics.median(ours / theirs for ours, theirs in times))
            k = getattr(noise, "k", 0)
            yield type(noise).__name__, k, d, *(f"{ratio:.1f}x" for ratio in ratios)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alternations", type=int, default=7)
    parser.add_argument("--dimensions", type=int, nargs="+", default=[64, 784, 3072, 150_528])
    options = parser.parse_args(argv)
    tables = [
        ("noise_samplers", ("Family", "k", "Features", "float32", "float64"),
         samplers(options.alternations)),
        ("noise_radii", ("Family", "k", "Features", "Table, s", "A million radii, s",
                         "One without it, ms"), radii(options.dimensions)),
    ]  # fmt: skip
    with threadpool_limits(limits=1):
        for name, header, rows in tables:
            table = []
            for row in rows:
                table.append(row)
                print(*row, flush=True)
            print(as_text(header, table))
            write_for_docs(name, header, table)


if __name__ == "__main__":
    main()
