"""Rows as images: which shape they have, and noise that is told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sksmooth.arguments._numbers import read_count, read_number
from sksmooth.noise._base import Noise

# As many channels as an image has at most.
_MOST_CHANNELS = 4


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


def read_axes(axes: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return axes of an image, from 0; None: all but the one of channels, or say what is wrong."""
    return _default_axes(shape) if axes is None else _checked_axes(axes, len(shape))


def _default_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) <= 2:
        return tuple(range(len(shape)))
    first, last = (shape[axis] <= _MOST_CHANNELS for axis in (0, -1))
    if len(shape) > 3 or first == last:
        raise ValueError(
            f"Inputs of shape {shape} do not tell which axis is that of channels (at most "
            f"{_MOST_CHANNELS}, first or last). Say which axes are rows and columns, for instance "
            "axes=(0, 1) for (h, w, channels), axes=(1, 2) for (channels, h, w)."
        )
    return (1, 2) if first else (0, 1)


def _checked_axes(axes: Any, n_axes: int) -> tuple[int, ...]:
    given = np.atleast_1d(axes) if np.ndim(axes) <= 1 else np.empty(0)
    numbers = [read_number("axes", axis) for axis in given]
    right = [axis for axis in numbers if axis.is_integer() and -n_axes <= axis < n_axes]
    from_0 = tuple(int(axis) % n_axes for axis in right)
    if not from_0 or len(from_0) != len(numbers) or len(set(from_0)) != len(from_0):
        raise ValueError(
            f"axes must be different whole numbers from {-n_axes} to {n_axes - 1}, such as "
            f"axes=(-1,), for inputs with {n_axes} axes; got {axes!r}."
        )
    return from_0
