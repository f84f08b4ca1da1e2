"""Centres on the line and in few dimensions against brute force."""

import numpy as np
import pytest

from sksmooth.certifiers.center._best_sample import best_sample_point
from sksmooth.certifiers.center._few_dimensions import branch_and_bound, shorth
from sksmooth.distances import NAMES


def radii(distance, candidates, outputs, h):
    d = distance.between(distance.points(candidates), distance.points(outputs))
    return np.sort(d, axis=1)[:, h - 1]


@pytest.mark.parametrize("n", [1, 2, 5, 20, 21])
def test_shorth_is_the_best_of_all_centers(n):
    rng = np.random.default_rng(n)
    for values in (rng.normal(size=n), rng.integers(0, 4, n) + 0.0, rng.standard_cauchy(n)):
        h = (n + 1) // 2
        middle, radius = shorth(values, h)
        halves = ((values[:, None] + values) / 2).ravel()  # the optimum is among them
        assert radius <= np.sort(np.abs(halves[:, None] - values), axis=1)[:, h - 1].min() + 1e-12
        assert radius == np.sort(np.abs(values - middle))[h - 1]


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_branch_and_bound_is_near_the_optimum(norm, dimension):
    rng = np.random.default_rng(dimension)
    for make in (rng.normal, rng.standard_cauchy, rng.exponential):
        points, distance = make(size=(15, dimension)), NAMES[norm]()
        best, start = best_sample_point(points, points, distance, 8)
        middle, radius, holds = branch_and_bound(points, 8, distance.norm, points[best], start)
        assert holds
        assert radius == pytest.approx(radii(distance, middle[None], points, 8)[0])
        grid = np.linspace(
            *np.quantile(points, [0, 1], axis=0), {1: 2001, 2: 101, 3: 25}[dimension]
        )
        grid = np.stack(np.meshgrid(*grid.T, indexing="ij"), axis=-1).reshape(-1, dimension)
        assert radius <= 1.05 * radii(distance, grid, points, 8).min() * (1 + 1e-9)
