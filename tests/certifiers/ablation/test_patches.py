"""How rows are images."""

import numpy as np
import pytest

from sksmooth.certifiers.ablation._patches import ImageLayout
from sksmooth.noise import AblationNoise


@pytest.mark.parametrize(
    ("shape", "image_shape", "channel_axis", "image", "doubled"),
    [
        ((12,), None, -1, (1, 12), (24,)),
        ((12,), (3, 4), -1, (3, 4), (24,)),
        ((3, 4), None, -1, (3, 4), (3, 8)),
        ((3, 4, 2), None, -1, (3, 4), (3, 4, 4)),
        ((2, 3, 4), None, 0, (3, 4), (4, 3, 4)),
    ],
)
def test_layouts(shape, image_shape, channel_axis, image, doubled):
    layout = ImageLayout.of(shape, image_shape, channel_axis)
    assert layout.image == image
    noise, X = AblationNoise("columns", size=2), np.random.default_rng(0).random((5, *shape))
    masks = noise.masks(image)
    draws = layout.draws(masks)
    marked = noise.apply(X[:, None], draws)
    assert marked.shape == (5, len(masks), *shape)
    assert noise.encode(marked, layout.encoded_axis).shape == (5, len(masks), *doubled)
    kept = ~np.isnan(marked[0])
    if len(shape) == 3:  # all channels of a pixel together
        kept = kept.all(axis=1 + channel_axis % 3)
    np.testing.assert_array_equal(kept.reshape(masks.shape), masks)


@pytest.mark.parametrize(
    ("shape", "image_shape", "message"),
    [
        ((12,), (3, 5), r"image_shape=\(3, 5\) is an image of 15 pixels, and X has 12 features"),
        ((3, 4), (3, 4), "Leave it out"),
        ((2, 2, 2, 2), None, "are no images"),
    ],
)
def test_rows_that_are_no_images(shape, image_shape, message):
    with pytest.raises(ValueError, match=message):
        ImageLayout.of(shape, image_shape, -1)
