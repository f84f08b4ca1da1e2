"""From votes of shifts to steps, and from steps to radii, which are never rounded up."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksmooth.certifiers.splits._grid import Grid
from sksmooth.certifiers.splits._radii import StepRadii, safe_steps
from sksmooth.inputs._containers import read_inputs

UNIT = Grid(np.array(0.0), np.array(1.0), 16)


# Votes, steps that change nothing, and the class: two independent implementations agreed on them.
GOLDEN = [
    ([10, 0], 0, 5),
    ([5, 5], 0, 0),
    ([4, 6], 1, 0),
    ([3, 7, 0], 1, 1),
    ([5, 5, 6], 2, 0),
    ([5, 6, 5], 1, 0),
    ([255, 0, 0], 0, 127),
    ([99, 100, 1], 1, 0),
    ([16, 0, 26, 17, 5], 2, 4),
    ([28, 20, 0, 10, 6], 0, 4),
    ([2, 1, 22, 0, 39], 4, 8),
    ([11, 9, 0, 44, 0], 3, 16),
    ([12, 1, 0, 0, 51], 4, 19),
    ([15, 17, 6, 26, 0], 3, 4),
]


@pytest.mark.parametrize(("votes", "winner", "steps"), GOLDEN)
def test_safe_steps(votes, winner, steps):
    counts = np.array([votes])
    least, most = safe_steps(counts, counts.argmax(axis=1))
    assert counts.argmax() == winner
    assert least == most == steps


def test_safe_steps_while_votes_are_open():
    counts = np.array([[6, 2, 1]])
    least, most = safe_steps(counts, np.array([0]), 3)
    final = [
        safe_steps(counts + np.array([a, b, 3 - a - b]), np.array([0]))[0][0]
        for a in range(4)
        for b in range(4 - a)
    ]
    assert least[0] == min(final)
    assert most[0] >= max(final)


@pytest.mark.parametrize(
    ("low", "high", "q"), [(0, 1, 255), (0, 16, 16), (-0.1, 0.7, 10), (0, 255, 255)]
)
@pytest.mark.parametrize("kind", ["grid", "real"])
def test_radii_are_never_rounded_up(low, high, q, kind):
    grid = Grid(np.array(float(low)), np.array(float(high)), q)
    rows = read_inputs(np.full((300, 1), float(low)), owner=None)
    radius = StepRadii(grid, rows, kind, most=299).radius(np.arange(300))
    width = Fraction(float(high)) - Fraction(float(low))
    for steps, value in enumerate(radius):
        exact = width * steps / q if kind == "grid" else width * (2 * steps + 1) / (2 * q)
        assert Fraction(float(value)) <= exact if kind == "grid" else Fraction(float(value)) < exact
        assert value >= float(exact) * (1 - (1e-14 if kind == "grid" else 1e-11))
    if (low, high) == (0, 16) and kind == "grid":
        assert_array_equal(radius, np.arange(300))


def test_steps_for_a_radius():
    rows = read_inputs(np.zeros((4, 2)), owner=None)
    radii = StepRadii(UNIT, rows, "grid", most=20)
    assert radii.steps_for(np.array([0, 1 / 16, 0.1, 99])).tolist() == [1, 1, 2, 21]


def test_rows_off_the_grid_are_nearer_to_other_levels():
    rows = read_inputs(np.array([[0.3, 0.5], [-2.0, 0.26]]) / 16, owner=None)
    radii = StepRadii(UNIT, rows, "real", most=20)
    assert_allclose(radii.radius(np.array([0, 0])) * 16, [0.0, 0.24], atol=1e-8)
    assert_allclose(radii.radius(np.array([1, 1])) * 16, [0.2, 1.24], atol=1e-8)
    assert_allclose(radii.radius(np.array([3, 3])) * 16, [2.2, 3.24], atol=1e-8)
    with pytest.raises(ValueError, match="Ask for perturbation='real'"):
        StepRadii(UNIT, rows, "grid", most=20)


def test_a_rounded_level_is_nearer_to_the_next_one():
    """In single precision a level is not quite where it should be."""
    values = (np.arange(256) / 255).astype(np.float32)[:, None]
    grid = Grid(np.array(0.0), np.array(1.0), 255)
    radius = StepRadii(grid, read_inputs(values, owner=None), "real", most=3).radius(
        np.zeros(256, int)
    )
    for value, reach in zip(values[:, 0], radius):
        exact = Fraction(float(value)) * 255
        assert Fraction(float(reach)) * 255 < Fraction(1, 2) - abs(exact - round(exact))


def test_radius_does_not_depend_on_the_other_rows():
    rows = np.array([[0.25], [0.5], [0.3]])
    alone = StepRadii(UNIT, read_inputs(rows[:2], owner=None), "real", most=9).radius(
        np.array([3, 4])
    )
    joined = StepRadii(UNIT, read_inputs(rows, owner=None), "real", most=9).radius(
        np.array([3, 4, 0])
    )
    assert_array_equal(joined[:2], alone)
