"""Rotation about the centre of the image."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from sksmooth.transformations._base import Array, Box, Transformation


class Rotation(Transformation):
    """Rotation about the centre of the image, by bilinear interpolation with zeros outside.

    It is ``scipy.ndimage.rotate(x, angle, reshape=False, order=1, mode="grid-constant",
    prefilter=False)``: positive angles turn the image counterclockwise on a screen whose rows go
    down. The mode "constant" of scipy is another function: it cuts images off at their border.

    Parameters
    ----------
    max_angle : float
        Largest angle that is asked about, to either side, in degrees; at most 180.
    image_shape : tuple of int, default=None
        Shape of one image: (height, width), or with channels. None: that of the inputs; rows of
        d numbers are then taken for square images.
    channels : {"first", "last"}, default=None
        Where channels lie. None: the axis that is not height and width, or has 4 entries at most.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.transformations import Rotation
    >>> image = np.eye(3)[None]
    >>> Rotation(90).apply(image, 90.0).round(6) + 0.0
    array([[[0., 0., 1.],
            [0., 1., 0.],
            [1., 0., 0.]]])
    """

    unit: ClassVar[str] = "degrees"
    words: ClassVar[str] = "rotated about its centre"
    piece: ClassVar[float] = 0.1

    def __init__(
        self,
        max_angle: float,
        image_shape: tuple[int, ...] | None = None,
        channels: str | None = None,
    ) -> None:
        self.max_angle = max_angle
        self.image_shape = image_shape
        self.channels = channels

    @property
    def largest(self) -> float:
        """Largest angle."""
        return self.checked("max_angle", 180.0)

    def sources(self, parameters: Array, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Return pixels turned; see :meth:`Transformation.sources`."""
        angle = np.deg2rad(parameters)
        cos, sin = np.cos(angle), np.sin(angle)
        return cos * rows + sin * columns, cos * columns - sin * rows

    def speeds(self, box: Box, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Return the largest distances from the centre; see :meth:`Transformation.speeds`."""
        radius = np.hypot(rows, columns) * (1 + 1e-12)
        per_degree = np.deg2rad(1.0)
        down = np.maximum(np.abs(box.first_column), np.abs(box.last_column))
        right = np.maximum(np.abs(box.first_row), np.abs(box.last_row))
        return np.minimum(down, radius) * per_degree, np.minimum(right, radius) * per_degree

    def bulge(self, width: Array, rows: Array, columns: Array) -> Array:
        """Return the sagitta of arcs; see :meth:`Transformation.bulge`."""
        half = np.deg2rad(width) / 2
        return np.hypot(rows, columns) * (1.0 - np.cos(half))
