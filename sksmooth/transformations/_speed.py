"""How fast transformed images change with the parameter: a bound of their speed.

Within a cell, the square between four neighbouring pixels, a bilinear image changes along an axis
by at most the larger of the two differences of the neighbours along it. While the parameter goes
through an interval, the source of a pixel moves within a few cells, no faster than is known. So
the pixel changes by at most L per unit of the parameter, the largest over these cells of
speed times difference, summed over both axes, and the image by the l2 norm of all L.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sksmooth.transformations._base import Array, Box, Transformation, pixels

# Positions are rounded; cells this near to a box, in pixels, count as visited.
_MARGIN = 1e-9

# Numbers that are worked on together: 1 MB.
_VALUES_AT_ONCE = 2**17


def speed_bounds(transformation: Transformation, image: Array, edges: Array) -> Array:
    """Bound how fast an image changes, in l2, over intervals of the parameter.

    Parameters
    ----------
    transformation : Transformation
        Where sources are, and how fast.
    image : ndarray of shape (channels, height, width)
        Image.
    edges : ndarray of shape (n + 1,)
        Ends of intervals, which follow upon each other in either direction.

    Returns
    -------
    bounds : ndarray of shape (n,)
        l2 norm of the change per unit of the parameter, rounded up.
    """
    flat = [g.reshape(len(image), -1) for g in _differences(image)]
    at_once = max(1, _VALUES_AT_ONCE // image.size)
    found = np.empty(len(edges) - 1)
    for first in range(0, len(found), at_once):
        some = edges[first : first + at_once + 1]
        part = _of_intervals(transformation, flat, image.shape[1:], some)
        found[first : first + at_once] = part
    return found * (1 + 1e-12)


def _differences(image: Array) -> tuple[Array, Array]:
    """Largest change along rows and along columns, within each cell.

    The first cells are two pixels before the image: there, and behind it, nothing changes, and
    those across its border lead to zero.
    """
    padded = np.pad(image, ((0, 0), (2, 2), (2, 2)))
    down, right = np.abs(np.diff(padded, axis=1)), np.abs(np.diff(padded, axis=2))
    return np.maximum(down[:, :, :-1], down[:, :, 1:]), np.maximum(right[:, :-1], right[:, 1:])


def _of_intervals(
    transformation: Transformation, differences: list[Array], size: tuple[int, ...], edges: Array
) -> Array:
    rows, columns = pixels(size)
    box = boxes(transformation, size, edges)
    shape = (len(edges) - 1, *size)
    along = [np.broadcast_to(s, shape) for s in transformation.speeds(box, rows, columns)]
    first_row, n_rows = _cells(box.first_row, box.last_row, size[0])
    first_column, n_columns = _cells(box.first_column, box.last_column, size[1])
    largest = np.zeros((differences[0].shape[0], *shape))
    for i in range(int(n_rows.max()) + 1):
        row = (first_row + np.minimum(i, n_rows)) * (size[1] + 3)
        for j in range(int(n_columns.max()) + 1):
            cell = row + first_column + np.minimum(j, n_columns)
            change = along[0] * differences[0][:, cell] + along[1] * differences[1][:, cell]
            np.maximum(largest, change, out=largest)
    return np.sqrt(np.einsum("cnij,cnij->n", largest, largest))


def boxes(transformation: Transformation, size: tuple[int, ...], edges: Array) -> Box:
    """Boxes that the sources of pixels do not leave over intervals, from the centre."""
    rows, columns = pixels(size)
    shape = (len(edges), *size)
    ends = transformation.sources(edges[:, None, None], rows, columns)
    down, right = (np.broadcast_to(end, shape) for end in ends)
    width = np.abs(np.diff(edges))[:, None, None]
    more = transformation.bulge(width, rows, columns) + _MARGIN
    return Box(
        np.minimum(down[:-1], down[1:]) - more,
        np.maximum(down[:-1], down[1:]) + more,
        np.minimum(right[:-1], right[1:]) - more,
        np.maximum(right[:-1], right[1:]) + more,
    )


def _cells(first: Array, last: Array, n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First cell along an axis, as `_differences` counts them, and how many more follow."""
    center = (n - 1) / 2 + 2
    ends = [np.clip(np.floor(end + center), 0, n + 2).astype(np.intp) for end in (first, last)]
    return ends[0], ends[1] - ends[0]
