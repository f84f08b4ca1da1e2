"""Rows as images: which shape they have, and noise that is told."""

from __future__ import annotations

import math
from typing import Any

from sksmooth.arguments._numbers import read_count
from sksmooth.noise._base import Noise


def in_images(noise: Noise, row_shape: tuple[int, ...] | None, image_shape: Any = None) -> Noise:
    """Return noise for rows that hold images of a shape.

    Parameters
    ----------
    noise : Noise
        Distribution.
    row_shape : tuple of int or None
        Shape of the rows; None: not known yet.
    image_shape : sequence of int, optional
        Shape of the image in each row. None: that of the rows.

    Raises
    ------
    ValueError
        If rows cannot hold such images, or the noise has no meaning for them.
    """
    if image_shape is not None:
        shape = read_shape(image_shape)
        refuse_other_size(shape, row_shape)
        return noise.for_inputs(shape)
    return noise if row_shape is None else noise.for_inputs(row_shape)


def read_shape(image_shape: Any) -> tuple[int, ...]:
    """Return the shape of an image, or say what is wrong with it."""
    if isinstance(image_shape, str) or not hasattr(image_shape, "__len__") or not len(image_shape):
        raise ValueError(
            f"image_shape must be a tuple of whole numbers, such as (28, 28), got {image_shape!r}."
        )
    return tuple(read_count("image_shape", length, 1) for length in image_shape)


def refuse_other_size(shape: tuple[int, ...], row_shape: tuple[int, ...] | None) -> None:
    """Refuse rows that do not hold images of a shape."""
    if row_shape is None or row_shape == shape or row_shape == (math.prod(shape),):
        return
    raise ValueError(
        f"image_shape={shape} does not fit rows of shape {row_shape}: these have to be of that "
        f"shape, or flat, with {math.prod(shape)} features."
    )
