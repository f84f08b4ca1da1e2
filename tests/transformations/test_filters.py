"""Filters bring images nearer to each other, and are transformers of scikit-learn."""

import numpy as np
import pytest
from image_cases import blob
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage, special
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sksmooth.transformations import LowPass, Vignette

FILTERS = [LowPass(0.3), LowPass(1.0), LowPass(7.0), Vignette(), Vignette(1.5), Vignette(100.0)]


@pytest.mark.parametrize("image_filter", FILTERS)
@pytest.mark.parametrize("size", [(6, 5), (1, 7), (28, 28)])
def test_norm_is_at_most_one(image_filter, size):
    n = size[0] * size[1]
    units = np.eye(n).reshape(n, 1, *size)
    matrix = image_filter.filtered(units).reshape(n, n)
    assert np.linalg.norm(matrix, 2) <= 1 + 1e-12
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 1, 1, *size))
    both = image_filter.filtered(2 * x - 3 * y)
    parts = 2 * image_filter.filtered(x) - 3 * image_filter.filtered(y)
    assert_allclose(both, parts, atol=1e-12)


def test_a_kernel_that_sharpens_is_caught():
    """Negative control of the norm: a filter that enlarges differences."""
    units = np.eye(36).reshape(36, 1, 6, 6)
    sharpened = (2 * units - LowPass(1.0).filtered(units)).reshape(36, 36)
    assert np.linalg.norm(sharpened, 2) > 1.5


@pytest.mark.parametrize("width", [0.4, 1.0, 2.0])
def test_low_pass_is_the_discrete_heat_kernel(width):
    offsets = np.arange(-30, 31)
    kernel = special.ive(offsets, width**2)
    x = np.random.default_rng(0).random((9, 9))
    expected = ndimage.correlate1d(x, kernel, axis=0, mode="reflect")
    expected = ndimage.correlate1d(expected, kernel, axis=1, mode="reflect")
    filtered = LowPass(width).fit_transform(x[None])[0]
    assert_allclose(filtered, expected, atol=1e-12)
    assert_allclose(filtered.mean(), x.mean())
    assert filtered.min() > x.min()


def test_vignette_keeps_the_middle():
    x = np.ones((1, 15, 15))
    faded = Vignette(3.0).fit_transform(x)[0]
    assert faded[7, 7] == 1.0
    assert faded[0, 0] == 0.0
    assert (np.diff(faded[7, 7:]) <= 0).all()


@pytest.mark.parametrize("image_filter", [LowPass(), Vignette()])
def test_transformer(image_filter):
    x = np.stack([blob(), blob(at=(7, 2))])
    fitted = clone(image_filter).fit(x)
    expected = fitted.transform(x)
    flat = clone(image_filter).fit_transform(x.reshape(2, -1))
    assert_array_equal(flat.reshape(x.shape), expected)
    color = np.stack([x, 2 * x, 3 * x], axis=3)
    assert_allclose(clone(image_filter).fit_transform(color)[..., 1], 2 * expected, atol=1e-12)
    assert fitted.transform(x.astype(np.float32)).dtype == np.float32
    with pytest.raises(NotFittedError):
        clone(image_filter).transform(x)
    with pytest.raises(ValueError, match="expecting inputs of shape"):
        fitted.transform(x[:, :5])


@pytest.mark.parametrize("image_filter", [LowPass(0), LowPass("1"), Vignette(-1), Vignette(np.inf)])
def test_bad_parameters(image_filter):
    with pytest.raises(ValueError, match="positive finite number of pixels"):
        image_filter.fit(np.ones((1, 4, 4)))
