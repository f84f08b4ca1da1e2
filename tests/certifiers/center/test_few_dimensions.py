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
        middle, radius, holds = branch_and_bound(points, 8, distance, points[best], start)
        assert holds
        assert radius == pytest.approx(radii(distance, middle[None], points, 8)[0])
        grid = np.linspace(
            *np.quantile(points, [0, 1], axis=0), {1: 2001, 2: 101, 3: 25}[dimension]
        )
        grid = np.stack(np.meshgrid(*grid.T, indexing="ij"), axis=-1).reshape(-1, dimension)
        assert radius <= 1.05 * radii(distance, grid, points, 8).min() * (1 + 1e-9)


@pytest.mark.parametrize("offset", [0.0, 1.0, 2.0**53, 1e16, 1e308, -(2.0**60)])
def test_shorth_is_the_best_of_the_centers_that_are_floats(offset):
    """On a lattice of a few floats the middle of the shortest interval may be none of them."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        lattice = offset + np.spacing(abs(offset)) * np.arange(-4, 5)
        values = rng.choice(lattice, 9)
        _, radius = shorth(values, 5)
        among = np.abs(lattice[:, None] - values)
        assert radius <= np.sort(among, axis=1)[:, 4].min()


def test_shorth_of_numbers_whose_difference_is_no_float():
    largest = np.finfo(float).max
    center, radius = shorth(np.array([-largest, largest, largest, -largest, 0.0]), 3)
    assert (abs(center), radius) == (largest / 2, largest / 2)
    assert shorth(np.array([-largest, largest]), 2) == (0.0, largest)


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e170, 1e300])
@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_branch_and_bound_does_not_depend_on_the_unit(norm, scale):
    points, distance = np.random.default_rng(0).normal(size=(15, 2)), NAMES[norm]()
    start, unit = radii(distance, points[:1], points, 8)[0], 2.0 ** np.frexp(scale)[1]
    wanted = branch_and_bound(points, 8, distance, points[0], start)
    got = branch_and_bound(points * unit, 8, distance, points[0] * unit, start * unit)
    np.testing.assert_array_equal(got[0], wanted[0] * unit)
    assert got[1:] == (wanted[1] * unit, True)


def test_branch_and_bound_says_where_rounding_decides():
    """Points a few floats apart: cells cannot be told apart, so nothing is guaranteed."""
    points = 1e9 + 2.0**-23 * np.random.default_rng(0).integers(0, 3, (15, 3))
    _, _, finished = branch_and_bound(points, 8, NAMES["l2"](), points[0], 2.0**-22)
    assert not finished
