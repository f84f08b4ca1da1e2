"""Time to decide one radius, with a cap of 100,000 draws, against the peers' 100,000 draws.

python -m benchmarks decisions
"""

from dataclasses import dataclass

import numpy as np

from benchmarks._timing import alternate, ratio
from benchmarks.certification import ALPHA, N_SELECTION, Case, aim, smoother, times
from benchmarks.models import SIGMA, data, trained, unseen_rows
from benchmarks.peers import CohenLoop, art_smoother

N_ROWS, CAP, N_PEERS = 500, 100_000, 10_000


@dataclass(frozen=True)
class Decision:
    """One line of the table."""

    radius_over_sigma: float
    against_cohen: float
    against_art: float


CASES = [Decision(0.5, 150, 300), Decision(1.0, 80, 200), Decision(2.0, 20, 50)]

HEADER = (
    "Radius / sigma",
    "ms per row",
    "Mean draws",
    "Cohen's loop over it",
    "Aimed at",
    "ART over it",
    "Aimed at",
)


def measure(case, turns):
    """Figures of one case. The peers' cost is proportional to the draws: a tenth is timed."""
    base = Case("CNN", "digits", CAP)
    model, rows = trained(base.model, base.data), unseen_rows(base.data, N_ROWS)
    ours = smoother(base)
    cohen = CohenLoop(model, 10, SIGMA, ALPHA)
    art = art_smoother(model, data(base.data)[0].shape[1], 10, SIGMA, ALPHA, N_SELECTION)
    radius = case.radius_over_sigma * SIGMA
    jobs = {
        "ours": lambda: ours.certify(rows, radius=radius),
        "cohen": lambda: cohen.certify(rows[:1], N_SELECTION, N_PEERS),
        "art": lambda: art.certify(rows[:1], n=N_PEERS, batch_size=512),
    }
    seconds = alternate(jobs, turns)
    scale = N_ROWS * (CAP + N_SELECTION) / (N_PEERS + N_SELECTION)
    median = sorted(turn["ours"] for turn in seconds)[len(seconds) // 2]
    return {
        "radius_over_sigma": case.radius_over_sigma,
        "milliseconds_per_row": 1e3 * median / N_ROWS,
        "mean_draws": float(np.mean(ours.certify(rows, radius=radius).n_draws)),
        "cohen_over_ours": ratio(seconds, "cohen", "ours", scale),
        "art_over_ours": ratio(seconds, "art", "ours", scale),
        "aim_against_cohen": case.against_cohen,
        "aim_against_art": case.against_art,
    }


def row_of_table(result):
    """Cells of one line."""
    return (
        f"{result['radius_over_sigma']:g}",
        f"{result['milliseconds_per_row']:.1f}",
        f"{result['mean_draws']:,.0f}",
        times(result["cohen_over_ours"]),
        aim(result["aim_against_cohen"]),
        times(result["art_over_ours"]),
        aim(result["aim_against_art"]),
    )
