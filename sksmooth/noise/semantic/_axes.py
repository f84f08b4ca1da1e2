"""Transformations that move features to other places: which axes of an input they act along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray
from sklearn.base import clone

from sksmooth.noise._images import read_axes, read_shape, refuse_other_size
from sksmooth.noise.semantic._base import Array
from sksmooth.noise.semantic._pixels import PixelTolerantNoise


class SpatialNoise(PixelTolerantNoise):
    """Base class of the transformations that move features to other places.

    Attributes
    ----------
    image_shape : tuple of int or None
        Shape of the image or series in each row; None: that of the rows.
    axes : sequence of int or None
        Axes of it that are transformed; None: all but the one of channels.
    """

    image_shape: Sequence[int] | None
    axes: Sequence[int] | None

    def check_parameters(self) -> None:
        """Raise a ValueError that names the first parameter that describes no distribution."""
        super().check_parameters()
        if self.image_shape is not None:
            self.axes_of(tuple(self.image_shape))

    def for_inputs(self, shape: tuple[int, ...]) -> SpatialNoise:
        """Return this noise with the shape of inputs; see :meth:`Noise.for_inputs`."""
        if self.image_shape is not None:
            refuse_other_size(read_shape(self.image_shape), shape)
            return self
        told: SpatialNoise = clone(self).set_params(image_shape=shape)
        told.check_parameters()
        return told

    def check_inputs(self, values: NDArray[Any]) -> None:
        """Refuse inputs of another shape; see :meth:`Noise.check_inputs`."""
        super().check_inputs(values)
        refuse_other_size(self.shape_of(values.shape[1:]), values.shape[1:])

    def shape_of(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the image in a row of a shape."""
        return shape if self.image_shape is None else read_shape(self.image_shape)

    def axes_of(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Axes, from 0, that are transformed in inputs of a shape."""
        shape = self.shape_of(shape)
        return read_axes(self.axes, shape)

    def _transformed(self, X: Array, parameters: Array) -> Array:
        n_leading = parameters.ndim - 1
        row_shape = X.shape[n_leading:]
        shape = self.shape_of(row_shape)
        images = X.reshape(*X.shape[:n_leading], *shape)
        axes = tuple(n_leading + axis for axis in self.axes_of(row_shape))
        moved = self._moved(images, parameters, axes)
        return moved.reshape(*moved.shape[:n_leading], *row_shape)

    def _moved(self, images: Array, parameters: Array, axes: tuple[int, ...]) -> Array:
        """Transform images of shape (..., *image_shape) along some axes."""
        raise NotImplementedError

    @property
    def _along(self) -> str:
        """Which axes are transformed, in words."""
        if self.image_shape is None and self.axes is None:
            return ""
        if self.image_shape is None:
            return f" along axes {tuple(self.axes or ())}"
        shape = read_shape(self.image_shape)
        return f" along axes {self.axes_of(shape)} of {shape}"


def along(vector: Array, axis: int, n_axes: int) -> Array:
    """Return a vector as an array that extends along one of several axes."""
    return vector.reshape(tuple(-1 if i == axis else 1 for i in range(n_axes)))
