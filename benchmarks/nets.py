"""Nets on the CPU: certification over a bare loop of the module, and Cohen's loop over it.

The bare loop calls the module, without gradients, for as many noisy rows as certification asks
about, which are ready-made, at the batch size that is best for it. So 1 is the limit for any
method that calls the module as it is.

    python -m benchmarks nets
"""

import time
import warnings
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks._timing import alternate, ratio
from benchmarks.certification import ALPHA, N_SELECTION, aim, times
from benchmarks.models import SIGMA, data, trained, unseen_rows
from benchmarks.peers import CohenLoop
from sksmooth import SmoothedClassifier
from sksmooth.nets import TorchExecution, as_classifier

BATCH_SIZES = (16, 32, 64, 128, 256, 512, 1000)

FOLDED = TorchExecution(fold_batch_norm=True, channels_last=True)
HALF = TorchExecution(fold_batch_norm=True, channels_last=True, autocast=torch.bfloat16)


@dataclass(frozen=True)
class Net:
    """One line of the table."""

    model: str
    data: str
    n_draws: int
    n_rows: int
    execution: TorchExecution | None = None
    name: str = ""
    at_most: float | None = None
    against_cohen: float | None = None


CASES = [
    Net("CNN", "digits", 10_000, 20, at_most=1.15, against_cohen=2.5),
    Net("CNN", "MNIST", 2000, 10, at_most=1.15),
    Net("ResNet-20", "CIFAR-10", 1000, 1, at_most=1.15, against_cohen=3),
    Net("ResNet-20", "CIFAR-10", 1000, 1, FOLDED, ", folded, channels last"),
    Net("ResNet-20", "CIFAR-10", 1000, 1, HALF, ", in bfloat16", against_cohen=6),
]

HEADER = (
    "Net",
    "Data (features)",
    "us per noisy row",
    "Over the bare loop",
    "At most",
    "Cohen's loop over it",
    "Aimed at",
)


def bare_loop(module, noisy, batch_size):
    """Call a module for all noisy rows."""
    with torch.inference_mode():
        for first in range(0, len(noisy), batch_size):
            module(noisy[first : first + batch_size])


def best_batch_size(module, noisy):
    """Batch size with which the bare loop is fastest."""

    def cost(batch_size):
        bare_loop(module, noisy[:batch_size], batch_size)
        start = time.process_time()
        bare_loop(module, noisy[:2000], batch_size)
        return time.process_time() - start

    return min((size for size in BATCH_SIZES if size <= len(noisy)), key=cost)


def measure(case, turns):
    """Figures of one case."""
    module = trained(case.model, case.data).module_.eval()
    X, y = data(case.data)
    rows = unseen_rows(case.data, case.n_rows)
    clf = SmoothedClassifier(
        as_classifier(module, classes=range(10), execution=case.execution),
        sigma=SIGMA,
        alpha=ALPHA,
        n_selection=N_SELECTION,
        n_estimation=case.n_draws,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one of the nets has not seen noise
        clf.fit(X[:200], y[:200])
    n_noisy = case.n_draws + N_SELECTION
    noise = np.random.default_rng(0).normal(scale=SIGMA, size=(n_noisy, rows.shape[1]))
    noisy = torch.from_numpy(rows[:1] + noise.astype(rows.dtype))
    batch_size = best_batch_size(module, noisy)
    cohen = CohenLoop(module, 10, SIGMA, ALPHA)
    jobs = {
        "ours": lambda: clf.certify(rows),
        "bare": lambda: bare_loop(module, noisy, batch_size),
        "cohen": lambda: cohen.certify(rows[:1], N_SELECTION, case.n_draws),
    }
    clf.certify(rows[:1])
    seconds = alternate(jobs, turns)
    median = sorted(turn["ours"] for turn in seconds)[len(seconds) // 2]
    return {
        "net": case.model + case.name,
        "data": f"{case.data} ({rows.shape[1]})",
        "microseconds_per_noisy_row": 1e6 * median / (case.n_rows * n_noisy),
        "ours_over_bare": ratio(seconds, "ours", "bare", 1 / case.n_rows),
        "at_most": case.at_most,
        "cohen_over_ours": ratio(seconds, "cohen", "ours", case.n_rows),
        "aim_against_cohen": case.against_cohen,
    }


def row_of_table(result):
    """Cells of one line."""
    return (
        result["net"],
        result["data"],
        f"{result['microseconds_per_noisy_row']:.1f}",
        f"{result['ours_over_bare'][0]:.2f}",
        aim(result["at_most"]).rstrip("x"),
        times(result["cohen_over_ours"]),
        aim(result["aim_against_cohen"]),
    )
