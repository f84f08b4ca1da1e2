"""Distances between outputs that are boxes, masks, weights or labels."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from sksmooth.distances._base import Distance, as_vectors, nan_is_far


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

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
        """One minus intersection over union; see :meth:`Distance.between`."""
        low = np.maximum(a[:, None, :2], b[None, :, :2])
        high = np.minimum(a[:, None, 2:], b[None, :, 2:])
        shared = np.prod(np.maximum(high - low, 0.0), axis=-1)
        return _one_minus_ratio(shared, _areas(a)[:, None] + _areas(b) - shared)

    def candidate_centers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Box of the medians of the coordinates; see :meth:`Distance.candidate_centers`."""
        boxes = self.points(outputs)
        found = boxes[_areas(boxes) > 0]
        return (
            np.median(found, axis=0)[None].reshape(-1, *outputs.shape[1:])
            if len(found)
            else (outputs[:0])
        )


def _areas(boxes: NDArray[Any]) -> Any:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _one_minus_ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """One minus `part` over `whole`, and 0 where there is nothing at all."""
    with np.errstate(invalid="ignore", over="ignore"):  # areas beyond the range of floats
        ratio = np.divide(part, whole, out=np.ones_like(whole, dtype=float), where=whole != 0)
    return np.where(np.isnan(ratio), np.inf, np.maximum(1.0 - ratio, 0.0))


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
    return distance


class JaccardMasks(Distance):
    """One minus the intersection over union of masks; any entry that is not 0 is in the mask.

    Two empty masks are at 0, an empty one is at 1 from every other.
    """

    diameter = 1.0

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Masks as vectors of 0 and 1; see :meth:`Distance.points`."""
        values = as_vectors(outputs)
        return np.where(np.isfinite(values), (values != 0).astype(float), np.nan)

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
        """One minus intersection over union; see :meth:`Distance.between`."""
        shared = a @ b.T  # whole numbers: exact
        far = np.isnan(shared)
        shared[far] = 0.0
        whole = np.nan_to_num(a.sum(axis=1)[:, None] + b.sum(axis=1)) - shared
        distances = _one_minus_ratio(shared, whole)
        distances[far] = np.inf
        return distances

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

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Weights as vectors; see :meth:`Distance.points`."""
        weights = as_vectors(outputs)
        if (weights < 0).any():
            raise ValueError(
                f"WeightedJaccard compares weights that are not negative; got {weights.min():g}. "
                "Clip or shift the outputs first."
            )
        return weights

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
        """Through the l1 distance: larger minus smaller weights; see :meth:`Distance.between`."""
        with np.errstate(invalid="ignore"):
            apart = cdist(a, b, "cityblock")
            whole = (a.sum(axis=1)[:, None] + b.sum(axis=1) + apart) / 2
            ratio = np.divide(apart, whole, out=np.zeros_like(apart), where=whole != 0)
        return nan_is_far(ratio)

    def candidate_centers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Means and medians of the weights; see :meth:`Distance.candidate_centers`."""
        return np.stack([outputs.mean(axis=0), np.median(outputs, axis=0)])

    def averages(self, groups: NDArray[Any]) -> NDArray[Any] | None:
        """Mean weights of each group; see :meth:`Distance.averages`."""
        average: NDArray[Any] = groups.mean(axis=1, dtype=float)
        return average


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
