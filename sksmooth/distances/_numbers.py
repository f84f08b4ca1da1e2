"""Outputs as arrays of numbers, and norms of their differences."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from sksmooth.distances._arithmetic import VALUES_AT_ONCE, Floats, euclidean
from sksmooth.distances._base import Distance

# Whole numbers from here on are not all floats.
_LARGEST_WHOLE = 2.0**53


class VectorMetric(Distance):
    """A norm of the difference of points; outputs are added and averaged like vectors."""

    compares_numbers: ClassVar[bool] = True
    _scipy_name: ClassVar[str]

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Return outputs as vectors; see :meth:`Distance.points`."""
        return as_vectors(outputs)

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> Floats:
        """Norm of the difference; see :meth:`Distance.between`."""
        is_root = self._scipy_name == "euclidean"
        return infinite_is_far(euclidean(a, b) if is_root else cdist(a, b, self._scipy_name), a, b)

    def candidate_centers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Mean and medians; see :meth:`Distance.candidate_centers`."""
        values = outputs.astype(float, copy=False)
        candidates = [values.mean(axis=0), medians(values)]
        if self.is_hilbert:
            candidates.append(_geometric_median(values, candidates[1]))
        return np.stack(candidates)

    def averages(self, groups: NDArray[Any]) -> NDArray[Any] | None:
        """Mean of each group; see :meth:`Distance.averages`."""
        return means(groups)


def as_numbers(outputs: ArrayLike) -> Floats:
    """Return outputs as float64, all of whose numbers are those of the outputs."""
    given = np.asarray(outputs)
    if given.dtype.kind == "c":
        raise ValueError("This distance compares real numbers, and the outputs are complex.")
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "This distance compares numbers, and the outputs are none. For labels use "
            'distance="discrete".'
        ) from error
    if values.ndim == 0:
        raise ValueError("outputs must have one entry per output, got a single number.")
    if given.dtype.kind in "iuf" and given.dtype.itemsize >= 8 and given.dtype != values.dtype:
        _refuse_what_is_rounded(given, values)
    return values


def _refuse_what_is_rounded(given: NDArray[Any], values: Floats) -> None:
    """Refuse outputs that would be at no distance because float64 cannot tell them apart."""
    if given.dtype.kind == "f":
        rounded = (values != given) & ~np.isnan(values)
    else:
        rounded = np.abs(values) >= _LARGEST_WHOLE
    if rounded.any():
        raise ValueError(
            f"Outputs of type {given.dtype} hold numbers that float64 does not, such as "
            f"{given[rounded][0]}. Let the base model return float64."
        )


def as_vectors(outputs: ArrayLike) -> Floats:
    """Flatten each output to a vector of float64."""
    values = as_numbers(outputs)
    return np.ascontiguousarray(values.reshape(len(values), -1))


def infinite_is_far(distances: Floats, a: NDArray[Any], b: NDArray[Any]) -> Floats:
    """Set, in place, what is infinitely far: points with NaN or infinity, from all."""
    distances[~np.isfinite(a.reshape(len(a), -1)).all(axis=1)] = np.inf
    distances[:, ~np.isfinite(b.reshape(len(b), -1)).all(axis=1)] = np.inf
    return distances


def means(groups: NDArray[Any]) -> Floats:
    """Mean of each group; infinite, or NaN, where it is no float."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(groups.mean(axis=1, dtype=float))


def medians(values: NDArray[Any]) -> Floats:
    """Median in each coordinate, of some at a time: numpy copies what it partitions."""
    flat = values.reshape(len(values), -1)
    step = max(1, VALUES_AT_ONCE // len(flat))
    parts = [np.median(flat[:, j : j + step], axis=0) for j in range(0, flat.shape[1], step)]
    return np.concatenate(parts).reshape(values.shape[1:])


def _geometric_median(values: NDArray[Any], start: NDArray[Any]) -> NDArray[Any]:
    """Take a few steps of Weiszfeld; any point is a valid candidate, converged or not."""
    points, center = as_vectors(values), start.ravel().astype(float)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for _ in range(8):
            gaps = np.maximum(cdist(points, center[None])[:, 0], np.finfo(float).tiny)
            weights = gaps.min() / gaps
            center = weights @ points / weights.sum()
    return center.reshape(start.shape)
