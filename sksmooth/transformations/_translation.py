"""Translation by any number of pixels along one axis."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from sksmooth.transformations._base import Array, Box, Transformation


class Translation(Transformation):
    """Translation along one axis, by bilinear interpolation with zeros outside.

    Positive t moves the image to the right, or down with ``axis="rows"``.

    Parameters
    ----------
    max_pixels : float
        Largest shift that is asked about, to either side, in pixels, whole or not.
    axis : {"columns", "rows"}, default="columns"
        Whether the image moves from column to column, to the side, or from row to row, up and down.
    image_shape : tuple of int, default=None
        Shape of one image: (height, width), or with channels. None: that of the inputs; rows of
        d numbers are then taken for square images.
    channels : {"first", "last"}, default=None
        Where channels lie. None: the axis that is not height and width, or has 4 entries at most.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.transformations import Translation
    >>> Translation(1.0).apply([[[0.0, 1.0, 0.0, 0.0]]], 0.75)
    array([[[0.  , 0.25, 0.75, 0.  ]]])
    """

    unit: ClassVar[str] = "pixels"
    piece: ClassVar[float] = 0.01

    def __init__(
        self,
        max_pixels: float,
        axis: str = "columns",
        image_shape: tuple[int, ...] | None = None,
        channels: str | None = None,
    ) -> None:
        self.max_pixels = max_pixels
        self.axis = axis
        self.image_shape = image_shape
        self.channels = channels

    @property
    def words(self) -> str:  # type: ignore[override]
        """What is done to the image."""
        return "shifted to the side" if self._along_columns else "shifted up or down"

    @property
    def largest(self) -> float:
        """Largest shift."""
        return self.checked("max_pixels")

    @property
    def _along_columns(self) -> bool:
        if self.axis not in ("columns", "rows"):
            raise ValueError(
                "The 'axis' parameter of Translation must be 'columns' or 'rows'. Got "
                f"{self.axis!r} instead."
            )
        return self.axis == "columns"

    def sources(self, parameters: Array, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Return pixels shifted back; see :meth:`Transformation.sources`."""
        if self._along_columns:
            return rows + 0.0 * parameters, columns - parameters
        return rows - parameters, columns + 0.0 * parameters

    def speeds(self, box: Box, rows: Array, columns: Array) -> tuple[Array, Array]:
        """Return one pixel per pixel; see :meth:`Transformation.speeds`."""
        moving, still = np.ones((1, 1)), np.zeros((1, 1))
        return (still, moving) if self._along_columns else (moving, still)
