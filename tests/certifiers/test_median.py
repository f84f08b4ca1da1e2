"""The theorem of median smoothing, by simulation, and its levels."""

import numpy as np
import pytest
from scipy import stats

from sksmooth.certificates import ErrorBudget
from sksmooth.certifiers._median import MedianBounds

ALPHA, REPETITIONS = 0.2, 800


def bounds(of="prediction", *, quantile=0.5, n_radii=1, n_values=1):
    return MedianBounds(quantile, 101, 150, ErrorBudget(ALPHA, n_radii), n_values, of)


@pytest.mark.parametrize("quantile", [0.5, 0.2])
@pytest.mark.parametrize("of", ["prediction", "population"])
def test_bounds_cover_at_the_worst_input(of, quantile):
    """For the identity the worst inputs are known. Control: bounds for a smaller radius fail."""
    certified = bounds(of, quantile=quantile)
    rng, radius = np.random.default_rng(0), 0.6
    missed, control = 0, 0
    ranks = certified.ranks(radius), certified.ranks(0.3)
    for _ in range(REPETITIONS):
        sample = np.sort(rng.normal(size=150))
        if of == "population":
            at = stats.norm.ppf(quantile) + np.array([-radius, radius])
        else:
            there = np.sort(rng.normal(size=(2, 101)), axis=1)[:, certified.rank - 1]
            at = there + np.array([-radius, radius])
        for k, (low, high) in enumerate(ranks):
            miss = at[0] < sample[low - 1] or at[1] > sample[high - 1]
            missed, control = missed + (miss and k == 0), control + (miss and k == 1)
    limit = ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / REPETITIONS)
    assert missed / REPETITIONS <= limit < control / REPETITIONS


@pytest.mark.parametrize("of", ["prediction", "population"])
def test_radii_and_coordinates_share_alpha(of):
    alone, joint, vector = bounds(of), bounds(of, n_radii=3), bounds(of, n_values=3)
    assert joint.ranks(0.3) == vector.ranks(0.3)
    assert joint.ranks(0.3).lower < alone.ranks(0.3).lower
    assert joint.max_radius(1.0) == pytest.approx(vector.max_radius(1.0))
    assert joint.max_radius(1.0) < alone.max_radius(1.0)


@pytest.mark.parametrize(("quantile", "rank"), [(0.5, 51), (0.3, 31), (1e-9, 1), (1 - 1e-9, 101)])
def test_the_rank_of_an_answer(quantile, rank):
    assert bounds(quantile=quantile).rank == rank
    assert MedianBounds(0.3, 10, 150, ErrorBudget(ALPHA)).rank == 3
