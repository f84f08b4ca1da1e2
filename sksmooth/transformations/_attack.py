"""Images under attack, as a smoother is given them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.inputs._containers import Inputs
from sksmooth.transformations._base import Array, Transformation
from sksmooth.transformations._cover import Curve
from sksmooth.transformations._layout import ImageLayout

# Rounding of positions and pixels in float64, and of pixels that were kept in float32, relative to
# the largest number; both with room to spare.
_DOUBLE, _SINGLE = 1e-9, 2.0**-22


@dataclass(frozen=True)
class AttackedImages:
    """The rows of X, and what an adversary can make of them with a transformation.

    Attributes
    ----------
    transformation : Transformation
        What can be done.
    given : Inputs of length m
        Images as the user gave them.
    seen : Inputs of length m
        The same as a smoother adds noise to them, behind linear steps.
    through : callable or None
        Takes what the user would pass for some images to their numbers there. None: they are the
        same.
    stretch : float
        Norm of these steps: distances between images are enlarged by this factor at the most.
    """

    transformation: Transformation
    given: Inputs
    seen: Inputs
    through: Callable[[Any], NDArray[Any]] | None = None
    stretch: float = 1.0

    def __len__(self) -> int:
        return len(self.given)

    @property
    def layout(self) -> ImageLayout:
        """How inputs are images."""
        return self.transformation.layout(self.given.shape)

    def curve(self, row: int, side: int) -> Curve:
        """Return the curve of a row, to the right (1) or to the left (-1)."""
        end = side * self.transformation.largest
        return Curve(self.transformation, self._image(row), end, self._numbers, self.stretch)

    def at(self, rows: list[int], parameters: list[float]) -> Inputs:
        """Return some rows, each transformed by a parameter, as a smoother is given them."""
        moved = [
            self.transformation.moved(self._image(row), np.array([parameter]))
            for row, parameter in zip(rows, parameters, strict=True)
        ]
        numbers = self._numbers(np.concatenate(moved))
        return self.seen.with_values(numbers.reshape(-1, *self.seen.shape))

    def rounding(self, row: int) -> float:
        """Bound of the l2 distance between a transformed image and what a computer makes of it."""
        image = self._image(row)
        size = max(self.stretch * _largest(image), _largest(self.seen.values[row : row + 1]))
        positions = 2.0**-45 * math.sqrt(image.size) * sum(image.shape[1:])
        single = self.given.dtype == np.float32
        return size * (_DOUBLE + positions + single * _SINGLE * math.sqrt(image.size))

    def _image(self, row: int) -> Array:
        return self.layout.images(self.given.values[row : row + 1])[0]

    def _numbers(self, images: Array) -> Array:
        rows = self.layout.rows(images)
        if self.through is not None:
            rows = np.asarray(self.through(self.given.to_container(rows)), dtype=np.float64)
        return rows.reshape(len(rows), -1)


def _largest(values: NDArray[Any]) -> float:
    return max(abs(float(values.max(initial=0))), abs(float(values.min(initial=0))))
