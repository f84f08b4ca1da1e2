"""Zoom about the centre of the image."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from sksmooth.transformations._base import Array, Box, Transformation


class Zoom(Transformation):
    """Zoom about the centre of the image, by bilinear interpolation with zeros outside.

    The image is enlarged by the factor exp(t), for positive t, and made smaller for negative ones.

    Parameters
    ----------
    max_log_factor : float
        Largest logarithm of the factor that is asked about, to either side; ``numpy.log(1.2)`` is
        enlargement by 20 per cent, and its inverse.
    image_shape : tuple of int, default=None
        Shape of one image: (height, width), or with channels. None: that of the inputs; rows of
        d numbers are then taken for square images.
    channels : {"first", "last"}, default=None
        Where channels lie. None: the axis that is not height and width, or has 4 entries at most.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.transformations import Zoom
    >>> image = np.zeros((1, 3, 3))
    >>> image[0, 1, 1] = 1.0
    >>> Zoom(1.0).apply(image, np.log(2.0))
    array([[[0.25, 0.5 , 0.25],
            [0.5 , 1.  , 0.5 ],
            [0.25, 0.5 , 0.25]]])
    """

    unit: ClassVar[str] = "log factor"
    words: ClassVar[str] = "zoomed about its centre by exp(t)"
    piece: ClassVar[float] = 0.001

    def __init__(
        self,
        max_log_factor: float,
        image_shape: tuple[int, ...] | None = None,
        channels: str | None = None,
    ) -> None:
        self.max_log_factor = max_log_factor
        self.image_shape = image_shape
        self.channels = channels

    @property
    def largest(self) -> float:
        """Largest logarithm of the factor."""
        return self.checked("max_log_factor", 10.0)

    def sources(self, parameters: Array, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Return pixels nearer to the centre; see :meth:`Transformation.sources`."""
        factor = np.exp(-parameters)
        return factor * rows, factor * columns

    def speeds(self, box: Box, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Return the largest distances from the centre; see :meth:`Transformation.speeds`."""
        down = np.maximum(np.abs(box.first_row), np.abs(box.last_row))
        right = np.maximum(np.abs(box.first_column), np.abs(box.last_column))
        return down, right
