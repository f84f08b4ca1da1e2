"""Splits of features on levels: whole numbers, one vote per step."""

import pickle
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksmooth.certifiers.splits._grid import Grid
from sksmooth.certifiers.splits._shifts import ShiftStreams, Splits, count_shifts, stride
from sksmooth.engine._streams import Purpose
from sksmooth.inputs._containers import read_inputs


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


def test_number_of_shifts():
    assert count_shifts(0.5, 255) == int(np.sqrt(3) * 255)
    with pytest.raises(ValueError, match=r"sigma=0.001 is less than one of n_steps=255 steps"):
        count_shifts(0.001, 255)


def test_shifts_of_training_copies_are_addressed():
    """Whichever part is asked for, and however often: every shift is drawn once."""
    drawn = []

    class Counting(Splits):
        def draw(self, n, shape, rng, dtype):
            drawn.append(n)
            return super().draw(n, shape, rng, dtype)

    noise = splits(16, 20, [0, 5])
    inputs = read_inputs(np.zeros((4, 2)), owner=None)
    counting = Counting(noise.grid, noise.n_shifts, noise.offsets, noise.dtype)
    stream = ShiftStreams(counting, 7).of(Purpose.AUGMENTATION, inputs)
    parts = [stream.take(start, start + 5000) for start in range(0, 600_000, 5000)]
    assert sum(drawn) < 700_000
    whole = ShiftStreams(noise, 7).of(Purpose.AUGMENTATION, inputs).take(0, 600_000)
    assert_array_equal(np.concatenate(parts), whole)
    counts = np.bincount(whole, minlength=20)
    assert len(counts) == 20
    assert (np.abs(counts - 30_000) < 1000).all()
    other = ShiftStreams(noise, 8).of(Purpose.AUGMENTATION, inputs).take(0, 100)
    assert (other != whole[:100]).any()
    certifying = ShiftStreams(noise, 7).of(Purpose.ESTIMATION, inputs)
    assert_array_equal(certifying.take(3, 9), np.arange(3, 9))


def test_other_processes_are_sent_no_table():
    noise = splits(255, 400, np.zeros(9))
    noise.perturb(np.zeros((1, 9), int), np.arange(400))
    sent = pickle.dumps(noise)
    assert len(sent) < 2000
    again = pickle.loads(sent).perturb(np.full((1, 9), 7), np.arange(400))
    assert_array_equal(again, noise.perturb(np.full((1, 9), 7), np.arange(400)))
