"""Images under attack, as a smoother is given them."""

import numpy as np
import pandas as pd
from image_cases import blob
from numpy.testing import assert_array_equal

from sksmooth.inputs._containers import read_inputs
from sksmooth.transformations import LowPass, Rotation, Vignette
from sksmooth.transformations._attack import AttackedImages


def attacked(X, through=None, stretch=1.0, transformation=None):
    given = read_inputs(X, owner=None)
    seen = given if through is None else read_inputs(through(X), owner=None)
    numbers = None if through is None else lambda X: read_inputs(through(X), owner=None).values
    return AttackedImages(transformation or Rotation(30), given, seen, numbers, stretch)


X = np.stack([blob(), 2 * blob(at=(7, 3)), np.zeros((12, 12))])


def test_images_at_parameters():
    images = attacked(X)
    found = images.at([1, 0, 1], [10.0, -20.0, 0.0])
    expected = Rotation(30).apply(X[[1, 0, 1]], [10.0, -20.0, 0.0])
    assert_array_equal(found.values, expected)
    assert found.dtype == np.float64


def test_containers_and_filters():
    low_pass = LowPass(1.0).fit(X)
    images = attacked(X, low_pass.transform)
    moved = Rotation(30).apply(X[:1], 12.0)
    assert_array_equal(images.at([0], [12.0]).values, low_pass.transform(moved))
    frame = pd.DataFrame(X.reshape(3, -1), columns=[f"pixel {i}" for i in range(144)])
    as_table = attacked(frame)
    found = as_table.at([0], [12.0])
    assert_array_equal(found.values, moved.reshape(1, -1))
    assert list(found.to_container(found.values).columns) == list(frame.columns)
    vignette = Vignette().fit(frame)
    behind = attacked(frame, vignette.transform).at([0], [12.0])
    assert_array_equal(behind.values, vignette.transform(moved.reshape(1, -1)))


def test_single_precision_is_kept_and_allowed_for():
    single, double = attacked(X.astype(np.float32)), attacked(X)
    assert single.at([0], [3.0]).dtype == np.float32
    exact = double.transformation.moved(X[1][None], np.array([17.0])).ravel()
    rounded = single.transformation.apply(X[1:2].astype(np.float32), 17.0).ravel()
    assert np.linalg.norm(exact - rounded) < single.rounding(1) < 1e-4
    assert double.rounding(1) < 1e-8
    assert double.rounding(2) == 0.0


def test_rounding_is_relative_to_the_size():
    assert attacked(1000 * X).rounding(0) > 500 * attacked(X).rounding(0)
    assert attacked(X, lambda X: 7 * X, 7.0).rounding(0) > 6 * attacked(X).rounding(0)


def test_sides():
    images = attacked(X, stretch=2.0)
    right, left = images.curve(0, 1), images.curve(0, -1)
    assert (right.end, left.end, right.stretch) == (30.0, -30.0, 2.0)
    assert_array_equal(right.image, X[:1])
