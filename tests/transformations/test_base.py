"""Transformed images: golden pixels, scipy, torch, and the containers of images."""

import numpy as np
import pytest
from image_cases import TRANSFORMATIONS, blob, golden, golden_image, image_of
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage
from sklearn.base import clone

from sksmooth.transformations import Rotation, Shear, Translation, Zoom


@pytest.mark.parametrize("kind", TRANSFORMATIONS)
def test_golden_pixels(kind):
    for row in golden("pixels.csv"):
        if row["kind"] == kind:
            moved = TRANSFORMATIONS[kind].apply(image_of(row)[None], float(row["theta"]))[0]
            assert abs(moved[int(row["i"]), int(row["j"])] - float(row["value"])) < 1e-12


@pytest.mark.parametrize("angle", [-170.0, -45.0, 0.0, 13.7, 90.0, 180.0])
def test_rotation_is_that_of_scipy(angle):
    rng = np.random.default_rng(0)
    for size in ((8, 8), (9, 6), (1, 5)):
        x = rng.random(size)
        options = {"reshape": False, "order": 1, "prefilter": False}
        theirs = ndimage.rotate(x, angle, mode="grid-constant", **options)
        assert_allclose(Rotation(180).apply(x[None], angle)[0], theirs, atol=1e-12)


def test_the_mode_constant_jumps_where_ours_is_continuous():
    """Negative control: it has no bound of speed, and is not what is certified."""
    x = np.ones((9, 9))
    options = {"reshape": False, "order": 1, "prefilter": False, "mode": "constant"}
    theirs = ndimage.rotate(x, 1e-6, **options) - ndimage.rotate(x, 0.0, **options)
    ours = Rotation(1).apply(x[None], 1e-6) - Rotation(1).apply(x[None], 0.0)
    assert np.linalg.norm(theirs) > 3.9
    assert np.linalg.norm(ours) < 1e-6


@pytest.mark.parametrize(
    ("transformation", "parameter"),
    [
        (Rotation(180), 25.3),
        (Zoom(1), 0.3),
        (Zoom(1), -0.4),
        (Shear(1), 0.4),
        (Translation(9), 2.6),
    ],
)
def test_equals_grid_sample(transformation, parameter):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    images = rng.random((3, 2, 11, 8))
    rows, columns = np.mgrid[:11, :8] - np.array([5.0, 3.5])[:, None, None]
    down, right = transformation.sources(np.full((1, 1, 1), parameter), rows, columns)
    # with align_corners, -1 and 1 are the centres of the first and the last pixel
    scaled = np.broadcast_arrays(right / 3.5, down / 5.0, np.zeros((3, 1, 1)))[:2]
    given = torch.from_numpy(images), torch.from_numpy(np.stack(scaled, axis=-1))
    sampled = torch.nn.functional.grid_sample
    theirs = sampled(*given, padding_mode="zeros", align_corners=True).numpy()
    ours = transformation.apply(images, parameter)
    assert_allclose(ours, theirs, atol=1e-10)
    if (np.abs(grid := given[1].numpy()) > 1).any():  # the comparison sees the border
        other = sampled(*given, padding_mode="border", align_corners=True).numpy()
        assert np.abs(ours - other).max() > 0.1
    else:
        assert np.abs(grid).max() > 0.7


@pytest.mark.parametrize("transformation", TRANSFORMATIONS.values())
def test_zero_is_nothing(transformation):
    x = golden_image("wave", 8, 7)[None]
    assert_array_equal(transformation.apply(x, 0.0), x)


def test_containers_are_the_same_images():
    rng = np.random.default_rng(2)
    gray, color = rng.random((4, 6, 5)), rng.random((4, 6, 5, 3))
    angles = np.array([-20.0, 0.0, 3.3, 90.0])
    expected = Rotation(90).apply(gray, angles)
    flat = Rotation(90, image_shape=(6, 5)).apply(gray.reshape(4, 30), angles)
    assert_array_equal(flat.reshape(gray.shape), expected)
    last = Rotation(90).apply(color, angles)
    for channel in range(3):
        assert_array_equal(last[..., channel], Rotation(90).apply(color[..., channel], angles))
    first = np.moveaxis(color, 3, 1)
    assert_array_equal(Rotation(90).apply(first, angles), np.moveaxis(last, 3, 1))
    rows = Rotation(90, image_shape=(6, 5, 3)).apply(color.reshape(4, 90), angles)
    assert_array_equal(rows, last.reshape(4, 90))
    rows = Rotation(90, image_shape=(3, 6, 5)).apply(first.reshape(4, 90), angles)
    assert_array_equal(rows, np.moveaxis(last, 3, 1).reshape(4, 90))


def test_squares_need_no_shape_and_dtypes_stay():
    x = blob()[None]
    assert_array_equal(Zoom(1).apply(x.reshape(1, -1), 0.1), Zoom(1).apply(x, 0.1).reshape(1, -1))
    assert Zoom(1).apply(x.astype(np.float32), 0.1).dtype == np.float32
    assert Zoom(1).apply(np.rint(x * 255).astype(np.uint8), 0.1).dtype == np.float64


@pytest.mark.parametrize(
    ("transformation", "match"),
    [
        (Rotation(0), "max_angle.*degrees.*Got 0"),
        (Rotation(181), "at most 180"),
        (Rotation("30"), "max_angle"),
        (Rotation(True), "max_angle"),
        (Zoom(-0.1), "max_log_factor"),
        (Shear(np.inf), "max_shear"),
        (Translation(np.nan), "max_pixels"),
    ],
)
def test_parameters_that_are_none(transformation, match):
    with pytest.raises(ValueError, match=match):
        assert transformation.largest


def test_axes_of_translation():
    x = golden_image("wave", 7, 7)[None]
    down = Translation(2, axis="rows").apply(x, 1.3)
    side = Translation(2).apply(np.swapaxes(x, 1, 2), 1.3)
    assert_allclose(down, np.swapaxes(side, 1, 2), atol=1e-15)
    with pytest.raises(ValueError, match="'columns' or 'rows'"):
        Translation(2, axis="x").apply(x, 1.0)


def test_one_parameter_for_all_or_each():
    x = np.stack([blob()] * 3)
    with pytest.raises(ValueError, match="one for each of the 3 images"):
        Rotation(30).apply(x, [1.0, 2.0])
    with pytest.raises(ValueError, match="finite"):
        Rotation(30).apply(x, np.nan)


def test_transformations_are_values():
    transformation = Translation(2.0, axis="rows", image_shape=(3, 4))
    expected = "Translation(max_pixels=2.0, axis='rows', image_shape=(3, 4))"
    assert repr(clone(transformation)) == expected
