"""Whole shifts: how they compose, and what answers for all of them say."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from semantic_images import golden_rows, image
from sklearn.linear_model import LogisticRegression

from sksmooth import ClassificationCertificate, certify_translation
from sksmooth.certifiers.translation._shifts import (
    ShiftGrid,
    all_around,
    class_probabilities_around,
    class_probabilities_within,
    content_margins,
    keeps_lead,
    radius_of,
    shifted,
    truncated_law,
)

AXES = (0, 1)


def test_exact_probabilities_around_to_many_digits():
    for row in golden_rows("semantic_cyclic.csv"):
        x, n_classes = image(row["image"], row["h"], row["w"]), int(row["classes"])
        grid = all_around(x.shape)
        answers = [shifted(x, shift, AXES, True).ravel().argmax() % n_classes for shift in grid]
        labels = np.reshape(answers, grid.shape)
        probabilities = class_probabilities_around(labels, n_classes, grid, float(row["sigma"]))
        a = [
            (int(row[f"a_{n}"]) - low) % size
            for n, low, size in zip(("rows", "cols"), grid.low, x.shape, strict=True)
        ]
        expected = [float(row[f"share{c}"]) for c in range(n_classes)]
        assert_allclose(probabilities[tuple(a)], expected, atol=1e-12)


def test_a_grid_around_holds_every_shift_once_by_its_shortest_way():
    grid = all_around((8, 5))
    found = {(a % 8, b % 5) for a, b in grid}
    assert len(found) == len(list(grid)) == 40
    assert grid.low == (-3, -2)
    assert grid.high == (4, 2)
    assert_allclose(grid.norms().ravel(), [np.hypot(*shift) for shift in grid])
    assert ShiftGrid((-2, -1), (3, 4)).first_missing() == 2


def test_zeros_compose_where_nothing_leaves_and_not_beyond():
    x = image("bars", 9, 12)
    margins = content_margins(x, AXES)
    assert margins == ShiftGrid((-3, -6), (3, 3))
    for a in margins:
        for b in ((2, -3), (-5, 1), (9, 0), (-4, -4)):
            twice = shifted(shifted(x, a, AXES, False), b, AXES, False)
            assert (twice == shifted(x, np.add(a, b), AXES, False)).all()
    back = shifted(shifted(x, (-6, 0), AXES, False), (6, 0), AXES, False)
    assert (back != x).any()  # control


@pytest.mark.parametrize("amount", [-11, -9, -2, 0, 2, 9, 11])
def test_zeros_come_in(amount):
    x = np.arange(1, 28).reshape(9, 3)
    moved = shifted(x, (amount,), (0,), False)
    expected = np.zeros_like(x)
    for i in range(9):
        if 0 <= i - amount < 9:
            expected[i] = x[i - amount]
    assert (moved == expected).all()


def test_an_image_of_nothing_can_go_anywhere():
    assert content_margins(np.zeros((4, 5)), AXES) == ShiftGrid((-3, -4), (3, 4))


def test_probabilities_within_are_sums_over_shifts():
    rng = np.random.default_rng(0)
    labels, law = rng.integers(0, 3, (9, 8)), truncated_law(2, 0.8)
    probabilities = class_probabilities_within(labels, 3, 2, 0.8)
    assert probabilities.shape == (5, 4, 3)
    for i, j in ((0, 0), (3, 2), (4, 3)):
        window = labels[i : i + 5, j : j + 5]
        expected = [(np.outer(law, law) * (window == c)).sum() for c in range(3)]
        assert_allclose(probabilities[i, j], expected, atol=1e-14)


def test_radius_ends_before_the_first_change():
    grid = ShiftGrid((-3, -3), (3, 3))
    stays = np.ones(grid.shape, bool)
    assert radius_of(stays, grid, np.inf) == np.sqrt(18)
    assert radius_of(stays, grid, 4.0) == np.sqrt(13)
    stays[3 + 2, 3 + 1] = False
    assert radius_of(stays, grid, 4.0) == 2.0
    stays[3, 4] = False
    assert radius_of(stays, grid, 4.0) == 0.0


def test_a_tie_is_no_lead():
    assert not keeps_lead(np.array([0.5, 0.5]), 0)
    assert keeps_lead(np.array([0.5 + 1e-9, 0.5 - 1e-9]), 0)
    assert keeps_lead(np.array([1.0]), 0)


def test_the_certificate_holds_what_was_shifted(tmp_path):
    X = np.random.default_rng(0).random((6, 5, 7))
    model = LogisticRegression().fit(X.reshape(6, -1), [0, 1] * 3)
    options = {"image_shape": (5, 7), "max_shift": 1}
    one, other = (
        certify_translation(model, X.reshape(6, -1), axes=a, **options) for a in [[0], [1]]
    )
    assert "along axes (0,) of (5, 7)" in repr(one)
    assert one != other
    with pytest.raises(ValueError, match="cannot be joined: shift_axes is"):
        ClassificationCertificate.concatenate([one, other])
    one.save(tmp_path / "one.json")
    loaded = ClassificationCertificate.load(tmp_path / "one.json")
    assert loaded == one
    assert (loaded.shift_axes, loaded.image_shape) == ((0,), (5, 7))
