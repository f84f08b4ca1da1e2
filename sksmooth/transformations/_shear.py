"""Shear along the rows of the image."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from sksmooth.transformations._base import Array, Box, Transformation


class Shear(Transformation):
    """Shear along rows about the centre, by bilinear interpolation with zeros outside.

    A row at the distance u below the centre moves by t u pixels to the left.

    Parameters
    ----------
    max_shear : float
        Largest shear that is asked about, to either side, in pixels per pixel.
    image_shape : tuple of int, default=None
        Shape of one image: (height, width), or with channels. None: that of the inputs; rows of
        d numbers are then taken for square images.
    channels : {"first", "last"}, default=None
        Where channels lie. None: the axis that is not height and width, or has 4 entries at most.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.transformations import Shear
    >>> image = np.zeros((1, 3, 3))
    >>> image[0, :, 1] = 1.0
    >>> Shear(1.0).apply(image, 1.0)
    array([[[0., 0., 1.],
            [0., 1., 0.],
            [1., 0., 0.]]])
    """

    unit: ClassVar[str] = "pixels per pixel"
    words: ClassVar[str] = "sheared along its rows"
    piece: ClassVar[float] = 0.001

    def __init__(
        self,
        max_shear: float,
        image_shape: tuple[int, ...] | None = None,
        channels: str | None = None,
    ) -> None:
        self.max_shear = max_shear
        self.image_shape = image_shape
        self.channels = channels

    @property
    def largest(self) -> float:
        """Largest shear."""
        return self.checked("max_shear")

    def sources(self, parameters: Array, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Return pixels shifted along their row; see :meth:`Transformation.sources`."""
        return rows + 0.0 * parameters, columns + parameters * rows

    def speeds(self, box: Box, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Return distances from the middle row; see :meth:`Transformation.speeds`."""
        return np.zeros_like(rows), np.abs(rows)
