"""The contract of a transformation of images with one parameter."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from sklearn.base import BaseEstimator

from sksmooth.arguments._numbers import read_numbers
from sksmooth.inputs._containers import read_inputs
from sksmooth.transformations._layout import ImageLayout, read_layout

Array = NDArray[np.float64]


class Box(NamedTuple):
    """Where the sources of pixels may be: from the first to the last row and column.

    Attributes
    ----------
    first_row, last_row, first_column, last_column : ndarray of shape (..., height, width)
        Positions, in pixels from the first one.
    """

    first_row: Array
    last_row: Array
    first_column: Array
    last_column: Array


class Transformation(BaseEstimator, ABC):
    """Base class of transformations of images: a family with one parameter, 0 of which is nothing.

    The transformed image has at pixel p the value of the image at the *source* of p, interpolated
    from its four neighbours (bilinear); outside of the image are zeros, and across its border
    values are interpolated towards them. This is ``scipy.ndimage.map_coordinates(...,
    mode="grid-constant", order=1, prefilter=False)`` and, in torch, ``grid_sample(...,
    padding_mode="zeros", align_corners=True)``.

    A transformation is a value: it holds what was given, and no state. A subclass defines
    `largest`, `unit`, `words`, `piece`, :meth:`sources`, :meth:`speeds`, and :meth:`bulge` where
    sources do not move in straight lines along an axis.

    Attributes
    ----------
    image_shape : tuple of int or None
        Shape of one image, where X does not tell.
    channels : {"first", "last"} or None
        Where channels lie, where `image_shape` does not tell.
    unit : str
        Unit of the parameter.
    words : str
        What is done to the image.
    piece : float
        The range is cut into pieces as large as this at the most, to bound how fast images change.
    """

    unit: ClassVar[str]
    words: ClassVar[str]
    piece: ClassVar[float]
    image_shape: tuple[int, ...] | None
    channels: str | None

    @property
    @abstractmethod
    def largest(self) -> float:
        """Largest parameter that is asked about, to either side; refused where it is none."""

    @abstractmethod
    def sources(self, parameters: Array, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Return where the values of pixels come from.

        Parameters
        ----------
        parameters : ndarray of shape (n, 1, 1)
            Parameters.
        rows, columns : ndarray of shape (height, 1) and (1, width)
            Pixels, from the centre of the image.

        Returns
        -------
        rows, columns : ndarray that broadcast to (n, height, width)
            Their sources, from the centre of the image.
        """

    @abstractmethod
    def speeds(self, box: Box, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Bound how fast sources within boxes move when the parameter changes.

        Parameters
        ----------
        box : Box of arrays of shape (n, height, width)
            From the centre of the image.
        rows, columns : ndarray of shape (height, 1) and (1, width)
            Pixels, from the centre of the image.

        Returns
        -------
        along_rows, along_columns : ndarray that broadcast to (n, height, width)
            Pixels per unit of the parameter, down and to the right.
        """

    def bulge(self, width: Array, rows: Array, columns: Array) -> Array:
        """Bound how far the way of a source leaves the box of both of its ends.

        Parameters
        ----------
        width : ndarray of shape (n, 1, 1)
            How much the parameter changes.
        rows, columns : ndarray of shape (height, 1) and (1, width)
            Pixels, from the centre of the image.

        Returns
        -------
        distance : ndarray that broadcasts to (n, height, width)
            In pixels: 0 where sources move straight, or along both axes in one direction.
        """
        return np.zeros_like(width)

    def layout(self, shape: tuple[int, ...]) -> ImageLayout:
        """Return how inputs of a shape are images.

        Parameters
        ----------
        shape : tuple of int
            Shape of one input.

        Returns
        -------
        layout : ImageLayout

        Raises
        ------
        ValueError
            If they are none, or if `image_shape` or `channels` has to tell more.
        """
        return read_layout(shape, self.image_shape, self.channels)

    def apply(self, X: Any, parameter: ArrayLike) -> NDArray[Any]:
        """Transform images.

        Parameters
        ----------
        X : array-like of shape (m, height, width), (m, height, width, c), (m, c, height, width) \
                or (m, d)
            Images.
        parameter : float or array-like of shape (m,)
            In the unit of the transformation; it may be beyond the range asked about.

        Returns
        -------
        transformed : ndarray of the shape of X
            float32 where X is, else float64; computed in float64.

        Raises
        ------
        ValueError
            If X holds no images, or if there is not one parameter for each, or one for all.
        """
        inputs = read_inputs(X, owner=None)
        given = read_numbers("parameter", parameter)
        if given.shape not in ((), (len(inputs),)) or not np.isfinite(given).all():
            raise ValueError(
                f"parameter must be a finite number, or one for each of the {len(inputs)} images; "
                f"got {parameter!r}."
            )
        layout = self.layout(inputs.shape)
        images = layout.images(inputs.values)
        each = np.broadcast_to(given, len(images))
        moved = [self.moved(image, each[i : i + 1]) for i, image in enumerate(images)]
        rows = layout.rows(np.concatenate([images[:0], *moved]))
        return rows.astype(inputs.dtype, copy=False)

    def moved(self, image: Array, parameters: Array) -> Array:
        """Transform one image by several parameters.

        Parameters
        ----------
        image : ndarray of shape (channels, height, width)
            Image.
        parameters : ndarray of shape (n,)
            Parameters.

        Returns
        -------
        images : ndarray of shape (n, channels, height, width)
        """
        rows, columns = pixels(image.shape[1:])
        shape = (len(parameters), *image.shape[1:])
        found = self.sources(parameters[:, None, None], rows, columns)
        centered = zip(found, image.shape[1:], strict=True)
        where = np.stack([np.broadcast_to(s, shape) + (n - 1) / 2 for s, n in centered])
        moved = np.empty((len(parameters), *image.shape))
        for c, channel in enumerate(image):
            moved[:, c] = ndimage.map_coordinates(
                channel, where, order=1, mode="grid-constant", cval=0.0, prefilter=False
            )
        return moved

    def __repr__(self) -> str:
        given = {name: value for name, value in vars(self).items() if value is not None}
        parameters = ", ".join(f"{name}={value!r}" for name, value in given.items())
        return f"{type(self).__name__}({parameters})"

    def checked(self, name: str, most: float = math.inf) -> float:
        """Return a parameter that has to be a positive number, at most as large as told."""
        value = getattr(self, name)
        right = isinstance(value, Real) and not isinstance(value, bool)
        if not (right and 0 < float(value) <= most and float(value) < math.inf):
            limit = "" if most == math.inf else f", at most {most:g}"
            raise ValueError(
                f"The {name!r} parameter of {type(self).__name__} must be a positive finite "
                f"number{limit}, in {self.unit}. Got {value!r} instead."
            )
        return float(value)


def pixels(size: tuple[int, ...]) -> tuple[Array, Array]:
    """Rows and columns of pixels from the centre of an image, of shape (h, 1) and (1, w)."""
    rows, columns = (np.arange(n, dtype=np.float64) - (n - 1) / 2 for n in size)
    return rows[:, None], columns[None, :]
