"""Rows as images."""

import pytest

from sksmooth.noise import Brightness
from sksmooth.noise._images import in_images, read_shape, refuse_other_size


def test_rows_of_the_shape_or_flat_ones_fit():
    for rows in (None, (28, 28), (784,)):
        refuse_other_size((28, 28), rows)
    for rows in ((28,), (28, 27), (783,), (784, 1)):
        with pytest.raises(ValueError, match=r"does not fit rows of shape .* flat, with 784 feat"):
            refuse_other_size((28, 28), rows)


@pytest.mark.parametrize("shape", ["28x28", 784, (), (28, 0), (28, 2.5), (28, "x")])
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises((TypeError, ValueError), match="image_shape must be"):
        read_shape(shape)
    assert read_shape([28, 28]) == (28, 28)


def test_noise_that_needs_no_shape_is_left_as_it_is():
    noise = Brightness(0.3)
    assert in_images(noise, (784,), (28, 28)) is noise
    assert in_images(noise, None) is noise
