"""Features on levels, as they are described, or read off the training data."""

import numpy as np
import pytest

from sksmooth.certifiers.splits._grid import make_grid


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
