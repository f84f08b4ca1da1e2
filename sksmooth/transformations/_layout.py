"""Where the rows, columns and channels of images lie in the rows of X."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

# So many channels at most are taken for such without being told.
_MOST_CHANNELS = 4

_HOW = "Pass image_shape=(height, width), or with channels (height, width, c) or (c, height, width)"


@dataclass(frozen=True)
class ImageLayout:
    """How one input becomes an image, and back.

    Attributes
    ----------
    shape : tuple of int
        Shape of one input, as the user gives it.
    image_shape : tuple of int
        Shape of one image, with two or three axes.
    channel_axis : int or None
        Axis of the channels in `image_shape`: 0, 2, or None where there is none.
    """

    shape: tuple[int, ...]
    image_shape: tuple[int, ...]
    channel_axis: int | None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = (n for i, n in enumerate(self.image_shape) if i != self.channel_axis)
        return height, width

    @property
    def n_features(self) -> int:
        """Numbers in one image."""
        return math.prod(self.image_shape)

    def __str__(self) -> str:
        height, width = self.size
        n_channels = self.n_features // (height * width)
        of_channels = "" if self.channel_axis is None else f" of {n_channels} channels"
        return f"{height} x {width} pixels{of_channels}"

    def images(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return inputs of shape (n, ...) as images of shape (n, channels, height, width)."""
        found = values.reshape(len(values), *self.image_shape).astype(np.float64)
        if self.channel_axis is None:
            return found[:, None]
        return found if self.channel_axis == 0 else np.moveaxis(found, 3, 1)

    def rows(self, images: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return images of shape (n, channels, height, width) as inputs of shape (n, ...)."""
        if self.channel_axis == 2:
            images = np.moveaxis(images, 1, 3)
        return np.ascontiguousarray(images).reshape(len(images), *self.shape)


def read_layout(
    shape: tuple[int, ...], image_shape: Any = None, channels: str | None = None
) -> ImageLayout:
    """Find out how inputs of a shape are images, or say what has to be told.

    Parameters
    ----------
    shape : tuple of int
        Shape of one input: (d,), (h, w), (h, w, c) or (c, h, w).
    image_shape : tuple of int or None
        What the user says of it.
    channels : {"first", "last"} or None
        Where channels lie.
    """
    if channels not in (None, "first", "last"):
        raise ValueError(f"channels must be 'first', 'last' or None, got {channels!r}.")
    given = None if image_shape is None else _checked(image_shape)
    image = _image_shape(shape, given, channels)
    if len(image) == 2:
        return ImageLayout(shape, image, None)
    return ImageLayout(shape, image, _channel_axis(image, given, channels))


def _checked(image_shape: Any) -> tuple[int, ...]:
    numbers = tuple(image_shape) if np.iterable(image_shape) else (image_shape,)
    right = len(numbers) in (2, 3) and all(isinstance(n, Integral) and int(n) >= 1 for n in numbers)
    if not right:
        raise ValueError(f"image_shape must hold two or three sizes, got {image_shape!r}. {_HOW}.")
    return tuple(map(int, numbers))


def _image_shape(
    shape: tuple[int, ...], given: tuple[int, ...] | None, channels: str | None
) -> tuple[int, ...]:
    if len(shape) not in (1, 2, 3):
        raise ValueError(
            f"X has inputs of shape {shape}, which are no images: these have a height, a width, "
            "and at most one axis of channels."
        )
    if given is None:
        side = math.isqrt(shape[0])
        if len(shape) > 1:
            return shape
        if side * side == shape[0]:
            return side, side
        raise ValueError(f"X has rows of {shape[0]} numbers, which is no square. {_HOW}.")
    fits = math.prod(given) == shape[0] if len(shape) == 1 else given in _sizes_in(shape)
    if not fits:
        raise ValueError(
            f"image_shape={given} does not go with X, whose inputs have shape {shape}. {_HOW}, of "
            "the same number of entries."
        )
    return given if len(shape) == 1 else shape


def _sizes_in(shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Image shapes that go with the shape of an input."""
    return (shape,) if len(shape) == 2 else (shape, shape[:2], shape[1:])


def _channel_axis(
    image: tuple[int, ...], given: tuple[int, ...] | None, channels: str | None
) -> int:
    """Axis of the channels: as told, as it follows from height and width, or the small one."""
    sizes = given if given is not None and len(given) == 2 else None
    if channels is not None:
        axis = 0 if channels == "first" else 2
        if sizes not in (None, image[1:] if axis == 0 else image[:2]):
            raise ValueError(
                f"channels={channels!r} and image_shape={given} do not go together in images of "
                f"shape {image}. Leave one of them out."
            )
        return axis
    if sizes is not None:
        can = [image[1:] == sizes, image[:2] == sizes]
    else:
        can = [image[0] <= _MOST_CHANNELS, image[2] <= _MOST_CHANNELS]
    if can[0] == can[1]:
        raise ValueError(
            f"Images of shape {image} may have their channels first or last. Pass channels='first' "
            "or channels='last' to the transformation."
        )
    return 0 if can[0] else 2
