"""How rows of X are images: what is found out, and what has to be told."""

import pytest

from sksmooth.transformations._layout import read_layout


@pytest.mark.parametrize(
    ("shape", "image_shape", "channels", "size", "axis"),
    [
        ((28, 28), None, None, (28, 28), None),
        ((28, 28), (28, 28), None, (28, 28), None),
        ((784,), None, None, (28, 28), None),
        ((12,), (3, 4), None, (3, 4), None),
        ((32, 30, 3), None, None, (32, 30), 2),
        ((3, 32, 30), None, None, (32, 30), 0),
        ((5, 32, 30), (32, 30), None, (32, 30), 0),
        ((32, 30, 9), (32, 30), None, (32, 30), 2),
        ((8, 8, 8), None, "first", (8, 8), 0),
        ((3, 3, 3), (3, 3), "last", (3, 3), 2),
        ((60,), (3, 4, 5), "last", (3, 4), 2),
        ((60,), (3, 4, 5), None, (4, 5), 0),
    ],
)
def test_layouts(shape, image_shape, channels, size, axis):
    layout = read_layout(shape, image_shape, channels)
    assert layout.size == size
    assert layout.channel_axis == axis


@pytest.mark.parametrize(
    ("shape", "image_shape", "channels", "match"),
    [
        ((8, 8, 8), None, None, "channels='first'"),
        ((3, 3, 3), (3, 3), None, "channels='first'"),
        ((10,), None, None, "no square"),
        ((10,), (3, 3), None, "does not go with"),
        ((6, 5), (5, 6), None, "does not go with"),
        ((6, 5, 3), (3, 6, 5), None, "does not go with"),
        ((6, 5), (6,), None, "two or three sizes"),
        ((6, 5), 6, None, "two or three sizes"),
        ((6, 5), (6, 0), None, "two or three sizes"),
        ((2, 3, 4, 5), None, None, "no images"),
        ((6, 5), None, "middle", "channels must be"),
    ],
)
def test_what_is_no_image(shape, image_shape, channels, match):
    with pytest.raises(ValueError, match=match):
        read_layout(shape, image_shape, channels)


def test_in_words():
    assert str(read_layout((3, 32, 30))) == "32 x 30 pixels of 3 channels"
    assert str(read_layout((784,))) == "28 x 28 pixels"


def test_channels_that_contradict_the_sizes_are_refused():
    assert read_layout((28, 28, 3), (28, 28), "last").channel_axis == 2
    assert read_layout((3, 28, 28), (28, 28), "first").channel_axis == 0
    for shape, channels in (((28, 28, 3), "first"), ((3, 28, 28), "last")):
        with pytest.raises(ValueError, match="do not go together in images of shape"):
            read_layout(shape, (28, 28), channels)
