"""What does it cost that sums of inputs and noise are exact?

`certify` as it is, over the same with plain sums, which a private switch brings back. Certificates
of plain sums do not hold in floating point.

    SKSMOOTH_DATA=... python -m benchmarks lattice
"""

from copy import copy

from benchmarks._timing import alternate, ratio
from benchmarks.certification import Case, aim, smoother
from benchmarks.models import unseen_rows

CASES = [
    Case("random forest", "digits", 5000, 20, 1, "off", 1.05),
    Case("MLP(100)", "digits", 10_000, 20, 1, "off", 1.05),
    Case("MLP(100)", "MNIST", 5000, 10, 1, "off", 1.05),
    Case("CNN", "MNIST", 2000, 10, 1, "off", 1.05),
    Case("logistic regression", "MNIST", 20_000, 100, 1, "auto", 1.10),
    Case("MLP(100)", "digits", 20_000, 100, 1, "auto", 1.10),
    Case("MLP(100)", "MNIST", 20_000, 50, 1, "auto", 1.10),
    Case("SVC rbf", "digits", 1000, 50, 1, "auto", 1.10),
]

HEADER = ("Base model", "Data", "Votes", "Ratio", "Smallest to largest", "At most")


def measure(case, turns):
    """Figures of one case."""
    exact, rows = smoother(case), unseen_rows(case.data, case.n_rows)
    plain = copy(exact)
    plain._lattice = None
    jobs = {"exact": lambda: exact.certify(rows), "plain": lambda: plain.certify(rows)}
    return {
        "model": case.model,
        "data": case.data,
        "votes": "fast" if case.structure == "auto" else "black box",
        "ratio": ratio(alternate(jobs, turns), "exact", "plain"),
        "at_most": case.against_cohen,
    }


def row_of_table(result):
    """Cells of one line."""
    median, low, high = result["ratio"]
    return (
        result["model"],
        result["data"],
        result["votes"],
        f"{median:.2f}",
        f"{low:.2f} to {high:.2f}",
        aim(result["at_most"]).rstrip("x"),
    )
