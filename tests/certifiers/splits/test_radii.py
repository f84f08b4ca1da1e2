"""Splits of features on levels: whole numbers, one vote per step, radii never rounded up."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksmooth.certifiers.splits._grid import Grid, make_grid
from sksmooth.certifiers.splits._radii import StepRadii, safe_steps
from sksmooth.certifiers.splits._shifts import Splits, count_shifts, stride
from sksmooth.inputs._containers import read_inputs

UNIT = Grid(np.array(0.0), np.array(1.0), 16)


def splits(q, length, offsets, low=0.0, high=1.0):
    grid = Grid(np.asarray(low, dtype=float), np.asarray(high, dtype=float), q)
    return Splits(grid, length, np.asarray(offsets, dtype=np.int32), np.dtype(float))


def middle_of_piece(level, cut, length, q):
    """Middle of the piece of [0, 1] that a level lies in, in rational numbers."""
    cuts = [Fraction(2 * cut + 1, 2) + k * length for k in range(-q - 2, q + 3)]
    below = max(c for c in cuts if c < level)
    above = min(c for c in cuts if c > level)
    return (max(below, 0) + min(above, q)) / (2 * q)


@pytest.mark.parametrize("q", [1, 2, 5, 16])
@pytest.mark.parametrize("factor", [0.3, 0.8, 1, 1.7, 3])
def test_values_are_the_middles_of_pieces(q, factor):
    length = max(1, int(factor * q))
    noise = splits(q, length, [0, 3 % length])
    levels = np.stack([np.arange(q + 1), np.arange(q + 1)[::-1]], axis=1)
    values = noise.perturb(levels, np.arange(length))
    for j, (i, offset) in product(range(length), enumerate(noise.offsets)):
        cut = stride(length) * ((j + offset) % length) % length
        expected = [float(middle_of_piece(int(x), cut, length, q)) for x in levels[:, i]]
        assert_array_equal(values[:, j, i], expected)


@pytest.mark.parametrize("length", [1, 2, 3, 27, 128, 510])
def test_every_shift_is_tried_once(length):
    assert sorted(stride(length) * j % length for j in range(length)) == list(range(length))


def test_parts_of_the_shifts_are_those_of_all():
    noise = splits(16, 20, np.arange(12).reshape(3, 4))
    levels = np.random.default_rng(0).integers(17, size=(5, 3, 4))
    whole = noise.perturb(levels, np.arange(20))
    assert whole.shape == (5, 20, 3, 4)
    assert_array_equal(noise.perturb(levels, np.arange(7, 16)), whole[:, 7:16])
    shifts = np.array([3, 0, 19, 4, 4])
    assert_array_equal(noise.apply(levels, shifts), whole[np.arange(5), shifts])


def test_values_in_units_of_x():
    plain = splits(16, 20, [0, 5])
    levels = np.array([[0, 16], [3, 4]])
    unit = plain.perturb(levels, np.arange(20))
    scaled = splits(16, 20, [0, 5], -1, 3).perturb(levels, np.arange(20))
    assert_allclose(scaled, -1 + 4 * unit, rtol=1e-15)
    own = splits(16, 20, [0, 5], [0, -1], [2, 3]).perturb(levels, np.arange(20))
    assert_allclose(own, np.array([0, -1]) + np.array([2, 4]) * unit, rtol=1e-15)


@pytest.mark.parametrize("length", [1, 3, 4, 7, 12])
def test_one_step_changes_at_most_one_shift(length):
    noise = splits(4, length, [0, 2 % length])
    levels = np.array(list(product(range(5), repeat=2)))
    values = noise.perturb(levels, np.arange(length))
    for a, b in product(range(25), repeat=2):
        changed = (values[a] != values[b]).any(axis=1).sum()
        assert changed <= np.abs(levels[a] - levels[b]).sum()


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


def test_number_of_shifts():
    assert count_shifts(0.5, 255) == int(np.sqrt(3) * 255)
    with pytest.raises(ValueError, match=r"sigma=0.001 is less than one of n_steps=255 steps"):
        count_shifts(0.001, 255)


@pytest.mark.parametrize(
    ("values", "feature_range", "n_steps", "expected"),
    [
        (np.array([[3, 9]], np.uint8), "auto", "auto", (0, 255, 255)),
        (np.array([[3, 9]]), "auto", "auto", (3, 9, 6)),
        (np.array([[3, 3]]), "auto", "auto", (3, 4, 1)),
        (np.array([[0.5, 2.0]]), "auto", 10, (0.5, 2, 10)),
        (np.array([[True, False]]), "auto", "auto", (0, 1, 1)),
    ],
)
def test_grid_is_inferred(values, feature_range, n_steps, expected):
    grid = make_grid(values, feature_range, n_steps)
    assert (grid.low, grid.high, grid.n_steps) == expected


@pytest.mark.parametrize(
    ("feature_range", "n_steps", "message"),
    [
        ((0, 1, 2), 4, "pair"),
        ((1, 0), 4, "low below high"),
        ((0, np.inf), 4, "finite"),
        (([0, 0, 0], 1), 4, "inputs have shape"),
        ("auto", "auto", "training data of an integer type"),
        (([0, 0], [1, 2]), "auto", "one width"),
    ],
)
def test_descriptions_of_levels_that_make_no_sense(feature_range, n_steps, message):
    with pytest.raises(ValueError, match=message):
        make_grid(np.array([[0.0, 1.0]]), feature_range, n_steps)


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
