"""Blur: a semigroup on the grid of pixels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import ndimage, special
from semantic_images import golden_rows, image

from sksmooth.noise import Blur

X = np.random.default_rng(0).random((4, 9, 12))
BOUNDARIES = ["reflect", "wrap"]


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_pixels_to_many_digits(boundary):
    for row in golden_rows("semantic_blur.csv"):
        x = image(row["image"], row["h"], row["w"])
        blurred = Blur(boundary=boundary).transform(x[None], float(row["variance"]))[0]
        found = blurred[int(row["i"]), int(row["j"])]
        assert_allclose(found, float(row[boundary]), atol=1e-12)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_variances_add_up(boundary):
    noise = Blur(boundary=boundary)
    twice = noise.transform(noise.transform(X, 0.3), 1.1)
    assert np.abs(twice - noise.transform(X, 1.4)).max() < 1e-12


def test_sampled_kernels_do_not_compose():
    """Control: the filter that is commonly used."""
    once, twice = np.sqrt([0.25, 0.5])
    defect = ndimage.gaussian_filter(
        ndimage.gaussian_filter(X[0], once, mode="mirror"), once, mode="mirror"
    ) - ndimage.gaussian_filter(X[0], twice, mode="mirror")
    assert np.abs(defect).max() > 0.01


def test_the_kernel_is_that_of_lindeberg():
    reach, v = np.arange(-40, 41), 2.5
    kernel = special.ive(np.abs(reach), v)
    assert_allclose((kernel * reach**2).sum(), v, rtol=1e-12)
    convolved = ndimage.convolve1d(X[0], kernel, axis=0, mode="reflect")
    convolved = ndimage.convolve1d(convolved, kernel, axis=1, mode="reflect")
    assert_allclose(Blur().transform(X[:1], v)[0], convolved, atol=1e-14)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_mean_and_range_stay_and_distances_shrink(boundary):
    noise, other = Blur(boundary=boundary), np.random.default_rng(1).random(X.shape)
    for v in (0.1, 1.0, 50.0):
        blurred = noise.transform(X, v)
        assert_allclose(blurred.mean(axis=(1, 2)), X.mean(axis=(1, 2)), rtol=1e-12)
        assert X.min() <= blurred.min() <= blurred.max() <= X.max()
        moved = np.linalg.norm(blurred - noise.transform(other, v))
        assert moved <= np.linalg.norm(X - other)


def test_channels_and_series_are_blurred_one_by_one():
    colour = np.moveaxis(X[:3], 0, -1)[None]  # (1, 9, 12, 3)
    apart = np.stack([Blur().transform(X[[c]], 0.7)[0] for c in range(3)], axis=-1)
    assert_allclose(Blur().transform(colour, 0.7)[0], apart, atol=1e-14)
    first = np.moveaxis(colour, -1, 1)
    assert_allclose(Blur().transform(first, 0.7)[0], np.moveaxis(apart, -1, 0), atol=1e-14)
    flat = Blur(image_shape=(9, 12, 3)).transform(colour.reshape(1, -1), 0.7)
    assert_allclose(flat.reshape(9, 12, 3), apart, atol=1e-14)
    series = Blur(axes=(-1,)).transform(X, 0.7)
    assert_allclose(series[:, 2], Blur().transform(X[:, 2], 0.7), atol=1e-14)


def test_only_blur_is_drawn_and_covered():
    noise = Blur(2.0)
    assert noise.one_sided
    assert (noise.ranges(np.ones(2))["variance"] == [[0, 1], [0, 1]]).all()
    assert "0 <= a <= radius" in noise.attack
    with pytest.raises(ValueError, match="sharpening"):
        noise.transform(X, -0.1)
    with pytest.raises(ValueError, match="'law' parameter of Blur must be one of exponential, h"):
        Blur(law="gaussian").radius(0.9)
    with pytest.raises(ValueError, match="'boundary' parameter of Blur"):
        Blur(boundary="constant").radius(0.9)
