"""All comparisons of time in one run: tables on the screen and in the documentation, and JSON.

SKSMOOTH_DATA=... python -m benchmarks [certification prediction ...] [--json speed.json]
"""

import argparse
import json
import os
import warnings

import torch
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks import (
    certification,
    decisions,
    latency,
    lattice,
    nets,
    overhead,
    prediction,
    splitting,
)
from benchmarks._tables import as_text, write_for_docs

SUITES = {
    "certification": certification,
    "prediction": prediction,
    "decisions": decisions,
    "nets": nets,
    "overhead": overhead,
    "latency": latency,
    "lattice": lattice,
    "splitting": splitting,
    "splitting_overhead": splitting.Overhead,
}


def run(name, turns):
    """Measure every case of a suite, and return the figures."""
    suite, results = SUITES[name], []
    for case in suite.CASES:
        results.append(suite.measure(case, turns))
        print(*suite.row_of_table(results[-1]), sep="  ", flush=True)
    table = [suite.row_of_table(result) for result in results]
    print(f"\n{name}\n{as_text(suite.HEADER, table)}\n", flush=True)
    write_for_docs(name, suite.HEADER, table)
    return results


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="*", default=list(SUITES), metavar="suite")
    parser.add_argument("--turns", type=int, default=5, help="how often each job is run")
    parser.add_argument("--json", default="speed.json", help="where the figures are written")
    options = parser.parse_args(argv)
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"unknown suite {', '.join(unknown)}; known: {', '.join(SUITES)}")
    if "SKSMOOTH_DATA" not in os.environ:
        parser.error("set SKSMOOTH_DATA to the folder of the images and weights")
    warnings.simplefilter("ignore", ConvergenceWarning)
    torch.set_num_threads(1)
    libraries = [(part["internal_api"], part.get("architecture")) for part in threadpool_info()]
    print(f"numerical libraries and their kernels: {libraries}")
    with threadpool_limits(limits=1):
        figures = {name: run(name, options.turns) for name in options.suites}
    figures["libraries"] = libraries
    with open(options.json, "w") as file:
        json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
