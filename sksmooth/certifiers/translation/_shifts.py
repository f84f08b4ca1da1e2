"""Whole shifts of an image, and the answers for all of them.

Around a circle ``T_b(T_a(x)) = T_{a+b}(x)`` for all a and b. With zeros that come in it holds for
every b where a leaves the content of the image within its frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Two probabilities that differ by less may be equal: they are sums of as many terms as pixels.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class ShiftGrid:
    """A box of whole shifts.

    Attributes
    ----------
    low, high : tuple of int
        First and last shift along each axis.
    """

    low: tuple[int, ...]
    high: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of shifts along each axis."""
        return tuple(b - a + 1 for a, b in zip(self.low, self.high, strict=True))

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        ranges = (range(a, b + 1) for a, b in zip(self.low, self.high, strict=True))
        return product(*ranges)

    def norms(self) -> Array:
        """Length of every shift."""
        squares = np.zeros(self.shape)
        for j, (a, b) in enumerate(zip(self.low, self.high, strict=True)):
            along = [1] * len(self.low)
            along[j] = -1
            squares = squares + (np.arange(a, b + 1.0) ** 2).reshape(along)
        return np.asarray(np.sqrt(squares))

    def first_missing(self) -> float:
        """Length of the shortest shift that is not in the box."""
        ends = zip(self.low, self.high, strict=True)
        return float(min(min(-a, b) + 1 for a, b in ends))


def all_around(lengths: tuple[int, ...]) -> ShiftGrid:
    """Return all shifts around a circle, each by its shortest way."""
    return ShiftGrid(
        tuple(-((n - 1) // 2) for n in lengths),
        tuple(n // 2 for n in lengths),
    )


def shifted(
    image: NDArray[Any], shift: tuple[int, ...], axes: tuple[int, ...], wrap: bool
) -> NDArray[Any]:
    """Return an image, shifted by whole pixels along some axes."""
    moved = np.roll(image, shift, axis=axes)
    if wrap:
        return moved
    for amount, axis in zip(shift, axes, strict=True):
        n = image.shape[axis]
        lost = slice(0, amount) if amount >= 0 else slice(max(0, n + amount), n)
        moved[(*(slice(None),) * axis, lost)] = 0
    return moved


def content_margins(image: NDArray[Any], axes: tuple[int, ...]) -> ShiftGrid:
    """Return the shifts that leave all that is not zero within the frame."""
    low, high = [], []
    for axis in axes:
        others = tuple(i for i in range(image.ndim) if i != axis)
        (used,) = np.nonzero((image != 0).any(axis=others))
        n = image.shape[axis]
        first, last = (used[0], used[-1]) if len(used) else (n - 1, 0)
        low.append(-int(first))
        high.append(int(n - 1 - last))
    return ShiftGrid(tuple(low), tuple(high))


def radius_of(stays: NDArray[np.bool_], grid: ShiftGrid, first_missing: float) -> float:
    """Length of the longest shift below that of any at which the answer changes or is not known."""
    norms = grid.norms()
    first_change = min(norms[~stays].min(initial=np.inf), first_missing)
    return float(norms[norms < first_change].max(initial=0.0))


def circular_law(n: int, sigma: float) -> Array:
    """Law of whole shifts around a circle: entry b is the weight of a shift by b."""
    distance = np.minimum(np.arange(n), n - np.arange(n))
    return _normalised(-(distance**2) / (2.0 * sigma**2))


def truncated_law(reach: int, sigma: float) -> Array:
    """Law of whole shifts from ``-reach`` to `reach`."""
    return _normalised(-(np.arange(-reach, reach + 1.0) ** 2) / (2.0 * sigma**2))


def _normalised(exponents: Array) -> Array:
    weights = np.exp(exponents)
    return np.asarray(weights / weights.sum())


def class_probabilities_around(
    labels: NDArray[np.intp], n_classes: int, grid: ShiftGrid, sigma: float
) -> Array:
    """Class probabilities at every shift of `all_around`, of a model averaged over such shifts.

    Parameters
    ----------
    labels : ndarray of int of the shape of the grid
        Answers of the model.

    Returns
    -------
    probabilities : ndarray of shape (*grid.shape, n_classes)
    """
    votes = np.eye(n_classes)[labels]
    for axis, n in enumerate(grid.shape):
        law = circular_law(n, sigma)
        numbers = np.arange(n)
        matrix = law[(numbers[None, :] - numbers[:, None]) % n]
        votes = np.moveaxis(np.tensordot(matrix, votes, axes=(1, axis)), 0, axis)
    return votes


def class_probabilities_within(
    labels: NDArray[np.intp], n_classes: int, reach: int, sigma: float
) -> Array:
    """Class probabilities at the shifts of a box that is smaller than that of `labels` by `reach`.

    Returns
    -------
    probabilities : ndarray of shape (..., n_classes)
    """
    votes, law = np.eye(n_classes)[labels], truncated_law(reach, sigma)
    for axis in range(labels.ndim):
        windows = np.lib.stride_tricks.sliding_window_view(votes, len(law), axis=axis)
        votes = windows @ law
    return votes


def keeps_lead(probabilities: Array, label: int) -> NDArray[np.bool_]:
    """Whether a class is more probable than every other."""
    others = np.delete(probabilities, label, axis=-1)
    lead = probabilities[..., label] - others.max(axis=-1, initial=0.0)
    return np.asarray(lead > _ROUNDING)
