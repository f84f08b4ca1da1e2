"""Distances between outputs that are boxes, masks, weights or labels."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from sksmooth.distances._arithmetic import Floats, quotients
from sksmooth.distances._base import Distance
from sksmooth.distances._numbers import as_vectors, infinite_is_far, means, medians

# Products of two differences of numbers between these, or 0, are normal numbers.
_SMALLEST_SIDE, _LARGEST_SIDE = 2.0**-200, 2.0**200
_ROUND_UP = 1 + 1e-12

# More than what is lost of four products below the normal numbers.
_BELOW_NORMAL = 8 * float(np.finfo(float).smallest_subnormal)


class JaccardBoxes(Distance):
    """One minus the intersection over union of boxes ``(left, top, right, bottom)``.

    A box with a NaN, or without area (also one with swapped corners), is empty: at 0 from every
    other empty box and at 1 from every box with an area. So "nothing found" is an output too.

    Examples
    --------
    >>> from sksmooth.distances import JaccardBoxes
    >>> JaccardBoxes()([[0, 0, 2, 2], [1, 1, 3, 3]], [0, 0, 2, 2]).round(4)
    array([0.    , 0.8571])
    """

    diameter = 1.0
    compares_numbers: ClassVar[bool] = True

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Boxes, with those that are empty at zero; see :meth:`Distance.points`."""
        boxes = as_vectors(outputs)
        if boxes.shape[1] != 4:
            raise ValueError(
                "JaccardBoxes compares boxes of four numbers (left, top, right, bottom); one "
                f"output has {boxes.shape[1]}."
            )
        with np.errstate(invalid="ignore"):
            area = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        if np.isinf(boxes[area]).any():
            raise ValueError("A box has an infinite corner; its area is not finite.")
        return np.where(area[:, None], boxes, 0.0)

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> Floats:
        """One minus intersection over union; see :meth:`Distance.between`.

        The areas that only one of the boxes covers are summed up, side by side: a difference of
        whole areas would keep nothing of a small distance.
        """
        wide, high = _sides(a[:, 0::2], b[:, 0::2]), _sides(a[:, 1::2], b[:, 1::2])
        shared = wide.shared * high.shared
        alone = wide.alone_a * high.whole_a + wide.shared * high.alone_a
        alone += wide.alone_b * high.whole_b + wide.shared * high.alone_b
        distances = quotients(alone, alone + shared)
        differ = (a[:, None] != b).any(axis=-1)
        distances = np.where(differ, np.minimum(distances + _BELOW_NORMAL, 1.0), 0.0)
        return np.where(differ & ~(wide.meet & high.meet), 1.0, distances)

    def candidate_centers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Box of the medians of the coordinates; see :meth:`Distance.candidate_centers`."""
        boxes = self.points(outputs)
        found = boxes[boxes[:, 2] > boxes[:, 0]]
        if not len(found):
            return outputs[:0]
        with np.errstate(over="ignore"):
            median = np.median(found, axis=0)[None]
        return median[np.isfinite(median).all(axis=1)].reshape(-1, *outputs.shape[1:])


class _Sides(NamedTuple):
    """What two intervals have, for every pair: lengths in a unit of the pair."""

    meet: NDArray[np.bool_]
    shared: Floats
    whole_a: Floats
    whole_b: Floats
    alone_a: Floats
    alone_b: Floats


def _sides(a: Floats, b: Floats) -> _Sides:
    """Compare intervals, given as pairs of numbers."""
    (a0, a1), (b0, b1) = a.T[:, :, None], b.T[:, None, :]
    meet = np.minimum(a1, b1) > np.maximum(a0, b0)
    if _is_moderate(a) and _is_moderate(b):
        return _Sides(meet, *_lengths(a0, a1, b0, b1))
    ends = _in_unit_of(np.stack(np.broadcast_arrays(a0, a1, b0, b1)), slice(None))
    return _Sides(meet, *_in_unit_of(np.stack(_lengths(*ends)), slice(1, 3)))


def _lengths(a0: Floats, a1: Floats, b0: Floats, b1: Floats) -> tuple[Floats, ...]:
    """Lengths of what is shared, of both intervals, and of what each of them has alone."""
    low, high = np.maximum(a0, b0), np.minimum(a1, b1)
    alone = (low - a0) + (a1 - high), (low - b0) + (b1 - high)
    return np.maximum(high - low, 0.0), *np.broadcast_arrays(a1 - a0, b1 - b0, low)[:2], *alone


def _in_unit_of(values: Floats, largest: slice) -> Floats:
    """Scale the numbers of each pair by a power of two, so that the largest of some is near 1."""
    sizes = np.abs(values[largest]).max(axis=0)
    return np.ldexp(values, -np.frexp(sizes)[1])


def _is_moderate(values: Floats) -> bool:
    sizes = np.abs(values)
    return bool(((sizes == 0) | ((sizes >= _SMALLEST_SIDE) & (sizes <= _LARGEST_SIDE))).all())


def farthest_box(boxes: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> NDArray[np.float64]:
    """Largest Jaccard distance from a box to any box with corners in given intervals.

    The intersection over union rises and falls once in each coordinate, so its least value is
    attained at one of the 16 vertices of the intervals.

    Parameters
    ----------
    boxes : array-like of shape (m, 4)
        Boxes ``(left, top, right, bottom)``.
    lower, upper : array-like of shape (m, 4)
        Bounds of each coordinate.

    Returns
    -------
    distance : ndarray of shape (m,)
        1 where an interval has an infinite bound.

    Examples
    --------
    >>> from sksmooth.distances import farthest_box
    >>> farthest_box([[0, 0, 2, 2]], [[0, 0, 1, 2]], [[0, 0, 2, 2]])
    array([0.5])
    """
    metric = JaccardBoxes()
    boxes, lower, upper = as_vectors(boxes), as_vectors(lower), as_vectors(upper)
    bounded = np.isfinite(lower).all(axis=1) & np.isfinite(upper).all(axis=1)
    distance = np.ones(len(boxes))
    for i in np.flatnonzero(bounded):
        vertices = np.array(list(itertools.product(*zip(lower[i], upper[i], strict=True))))
        distance[i] = metric(vertices, boxes[i]).max()
    return np.minimum(distance * _ROUND_UP, 1.0)


class JaccardMasks(Distance):
    """One minus the intersection over union of masks; any entry that is not 0 is in the mask.

    Two empty masks are at 0, an empty one is at 1 from every other.
    """

    diameter = 1.0
    compares_numbers: ClassVar[bool] = True

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Masks as vectors of 0 and 1; see :meth:`Distance.points`."""
        values = as_vectors(outputs)
        return np.where(np.isfinite(values), (values != 0).astype(float), np.nan)

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> Floats:
        """Entries of one mask alone, over those of either; see :meth:`Distance.between`."""
        with np.errstate(invalid="ignore"):
            shared = a @ b.T  # whole numbers: exact
            either = a.sum(axis=1)[:, None] + b.sum(axis=1) - shared
        return infinite_is_far(quotients(either - shared, either), a, b)

    def candidate_centers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Entries that most masks hold; see :meth:`Distance.candidate_centers`."""
        return (2 * (outputs != 0).mean(axis=0) > 1)[None].astype(outputs.dtype)

    def averages(self, groups: NDArray[Any]) -> NDArray[Any] | None:
        """Majority of each group; see :meth:`Distance.averages`."""
        majority: NDArray[Any] = (2 * (groups != 0).mean(axis=1) > 1).astype(groups.dtype)
        return majority


class Dice(JaccardMasks):
    """One minus the Dice (F1) score of masks, certified through the Jaccard distance.

    Dice itself has the triangle constant 1.5; it is the increasing function ``J / (2 - J)`` of
    the Jaccard distance J, which is a metric.
    """

    def from_metric(self, metric: ArrayLike) -> Any:
        """``J / (2 - J)``; see :meth:`Distance.from_metric`."""
        jaccard = np.asarray(metric, dtype=float)
        far = np.isinf(jaccard)
        inner = np.minimum(jaccard, 1.0)
        return np.where(far, np.inf, inner / (2 - inner))[()]

    def to_metric(self, distance: ArrayLike) -> Any:
        """``2 D / (1 + D)``; see :meth:`Distance.to_metric`."""
        dice = np.minimum(np.asarray(distance, dtype=float), 1.0)
        return (2 * dice / (1 + dice))[()]


class WeightedJaccard(Distance):
    """One minus the sum of the smaller over the sum of the larger weights (Ruzicka).

    Weights must not be negative. Two outputs without any weight are at 0.
    """

    diameter = 1.0
    compares_numbers: ClassVar[bool] = True

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Weights as vectors; see :meth:`Distance.points`."""
        weights = as_vectors(outputs)
        if (weights < 0).any():
            raise ValueError(
                f"WeightedJaccard compares weights that are not negative; got {weights.min():g}. "
                "Clip or shift the outputs first."
            )
        return weights

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> Floats:
        """Through the l1 distance: larger minus smaller weights; see :meth:`Distance.between`."""
        with np.errstate(over="ignore", invalid="ignore"):
            apart, larger = _compared(a, b)
            ratio = quotients(apart, larger)
            if np.isinf(larger).any():
                down = 2 + a.shape[1].bit_length()
                small_apart, small = _compared(np.ldexp(a, -down), np.ldexp(b, -down))
                of_small = quotients(small_apart, small)
                of_both = np.where(np.isinf(apart), of_small, quotients(apart, small, -down))
                ratio = np.where(np.isinf(larger), of_both, ratio)
        return infinite_is_far(np.minimum(ratio, 1.0), a, b)

    def candidate_centers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Means and medians of the weights; see :meth:`Distance.candidate_centers`."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.stack([outputs.mean(axis=0), medians(outputs)])

    def averages(self, groups: NDArray[Any]) -> NDArray[Any] | None:
        """Mean weights of each group; see :meth:`Distance.averages`."""
        return means(groups)


def _compared(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Sum the differences of weights, and the larger ones."""
    apart: Floats = cdist(a, b, "cityblock")
    return apart, (a.sum(axis=1)[:, None] + b.sum(axis=1) + apart) / 2


class Discrete(Distance):
    """0 between equal labels (or equal arrays of labels), 1 between different ones."""

    diameter = 1.0

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Labels as vectors; see :meth:`Distance.points`."""
        values = np.asarray(outputs)
        return values.reshape(len(values), -1)

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
        """Whether any label differs; see :meth:`Distance.between`."""
        distances = np.empty((len(a), len(b)))
        for j, one in enumerate(b):
            distances[:, j] = (a != one).any(axis=1)
        return distances
