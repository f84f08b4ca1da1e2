"""Distances between outputs that are vectors, images or distributions on a line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from sksmooth.distances._base import VectorMetric, as_vectors, nan_is_far


class Manhattan(VectorMetric):
    """l1 norm of the difference, in the units of the outputs.

    Examples
    --------
    >>> from sksmooth.distances import Manhattan
    >>> Manhattan()([[0, 0], [3, 0]], [3, -4])
    array([7., 4.])
    """

    norm: ClassVar[float | None] = 1
    _scipy_name = "cityblock"


class Euclidean(VectorMetric):
    """l2 norm of the difference, in the units of the outputs.

    Examples
    --------
    >>> from sksmooth.distances import Euclidean
    >>> Euclidean()([[0, 0], [3, 0]], [3, -4])
    array([5., 4.])
    """

    norm: ClassVar[float | None] = 2
    is_hilbert: ClassVar[bool] = True
    _scipy_name = "euclidean"


class Chebyshev(VectorMetric):
    """l-infinity norm of the difference: the largest change of any coordinate."""

    norm: ClassVar[float | None] = math.inf
    _scipy_name = "chebyshev"


class _Squared(VectorMetric):
    """Certified through the root, which has the triangle inequality; the square has not."""

    is_hilbert: ClassVar[bool] = True
    _scipy_name = "euclidean"

    def from_metric(self, metric: ArrayLike) -> Any:
        return np.square(np.asarray(metric, dtype=float))[()]

    def to_metric(self, distance: ArrayLike) -> Any:
        return np.sqrt(np.asarray(distance, dtype=float))[()]


class SquaredEuclidean(_Squared):
    """Squared l2 norm of the difference, certified through its root.

    The square itself has the triangle constant 2 only; through the root the certified distance is
    ``(1 + beta) ** 2`` times the quantile instead of ``2 * (1 + 2 * 2)``.
    """

    norm: ClassVar[float | None] = 2


class FeatureDistance(_Squared):
    """Distance of features of the outputs, such as a perceptual distance of images.

    Parameters
    ----------
    features : callable
        Takes outputs of shape (n, ...) and returns features of shape (n, ...). It has to be
        deterministic, and must treat every output on its own.
    squared : bool, default=True
        Report the squared l2 norm (as LPIPS does), or the norm itself.
    """

    def __init__(
        self, features: Callable[[NDArray[Any]], ArrayLike], *, squared: bool = True
    ) -> None:
        self.features = features
        self.squared = squared

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Features, as vectors; see :meth:`Distance.points`."""
        return as_vectors(self.features(np.asarray(outputs)))

    def from_metric(self, metric: ArrayLike) -> Any:
        """Square of the metric, or itself; see :meth:`Distance.from_metric`."""
        return super().from_metric(metric) if self.squared else np.asarray(metric, dtype=float)[()]

    def to_metric(self, distance: ArrayLike) -> Any:
        """Root of the distance, or itself; see :meth:`Distance.to_metric`."""
        return super().to_metric(distance) if self.squared else np.asarray(distance, float)[()]


class TotalVariation(VectorMetric):
    """Total variation of the difference: the sum of its absolute changes between neighbours.

    A seminorm of the difference of two signals or images (adding a constant changes nothing), with
    every row and column up to the border. Not the distance between probability distributions
    that goes by a similar name: half of :class:`Manhattan` is that.

    Parameters
    ----------
    shape : tuple of int, default=None
        Shape of one output, where the model returns it flattened.
    channel_axis : int, default=None
        Axis of the channels in the shape of one output; None: the last one where an output has
        three axes, and none otherwise.
    channel_norm : {1, 2}, default=1
        Norm over the channels of the change between two neighbours.
    """

    _scipy_name = "cityblock"

    def __init__(
        self,
        shape: tuple[int, ...] | None = None,
        *,
        channel_axis: int | None = None,
        channel_norm: int = 1,
    ) -> None:
        self.shape = shape
        self.channel_axis = channel_axis
        self.channel_norm = channel_norm

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Differences of neighbours, channel by channel; see :meth:`Distance.points`."""
        if self.channel_norm not in (1, 2):
            raise ValueError(f"channel_norm must be 1 or 2, got {self.channel_norm!r}.")
        values = np.asarray(outputs, dtype=float)
        if self.shape is not None:
            values = values.reshape(len(values), *self.shape)
        axis = self.channel_axis
        if axis is None and values.ndim == 4:
            axis = -1
        values = values[..., None] if axis is None else np.moveaxis(values[:], _after(axis), -1)
        spatial = values.ndim - 2
        if spatial not in (1, 2):
            raise ValueError(
                "TotalVariation compares signals or images; one output has shape "
                f"{values.shape[1:-1]}. Pass shape=..., or channel_axis=... for channels."
            )
        changes = [np.diff(values, axis=1 + k) for k in range(spatial)]
        n, channels = len(values), values.shape[-1]
        joined = np.concatenate([c.reshape(n, -1, channels) for c in changes], axis=1)
        if self.channel_norm == 1 or channels == 1:
            return np.ascontiguousarray(joined.reshape(n, -1))
        return joined

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
        """Sum of the norms of the changes; see :meth:`Distance.between`."""
        if a.ndim == 2:
            return super().between(a, b)
        distances = np.empty((len(a), len(b)))
        for j, one in enumerate(b):
            distances[:, j] = np.sqrt(np.square(a - one).sum(axis=-1)).sum(axis=-1)
        return nan_is_far(distances)


def _after(axis: int) -> int:
    """Axis of a batch of outputs that is `axis` of one output."""
    return axis if axis < 0 else axis + 1


class Angular(VectorMetric):
    """Angle between vectors, divided by pi.

    Computed with the arctangent of the difference and the sum, which is exact to the last digits
    at every angle (an arccosine is blind below 1e-8). A zero vector is at 1/2 from all others.

    Examples
    --------
    >>> from sksmooth.distances import Angular
    >>> Angular()([[1, 0], [0, 1], [-3, 0], [0, 0]], [1, 0])
    array([0. , 0.5, 1. , 0.5])
    """

    diameter = 1.0

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Scale to unit vectors; see :meth:`Distance.points`."""
        vectors = as_vectors(outputs)
        for size in (np.abs(vectors).max(axis=1, initial=0), None):
            scale = np.linalg.norm(vectors, axis=1) if size is None else size
            with np.errstate(invalid="ignore"):
                vectors = vectors / np.where(scale == 0, 1.0, scale)[:, None]
        return vectors

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
        """Angle over pi; see :meth:`Distance.between`."""
        angle = 2 / np.pi * np.arctan2(cdist(a, b), cdist(a, -b))
        return nan_is_far(angle)

    def candidate_centers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Middles of the directions; see :meth:`Distance.candidate_centers`."""
        directions = self.points(outputs).reshape(outputs.shape)
        return super().candidate_centers(directions)

    def averages(self, groups: NDArray[Any]) -> NDArray[Any] | None:
        """Mean direction of each group; see :meth:`Distance.averages`."""
        flat = groups.reshape(-1, *groups.shape[2:])
        directions: NDArray[Any] = self.points(flat).reshape(groups.shape)
        average: NDArray[Any] = directions.mean(axis=1)
        return average


class Cosine(Angular):
    """One minus the cosine of the angle between vectors, certified through the angle."""

    def from_metric(self, metric: ArrayLike) -> Any:
        """``1 - cos(pi * metric)``; see :meth:`Distance.from_metric`."""
        with np.errstate(invalid="ignore"):
            far = np.isinf(metric)
            half = np.where(far, 0.0, np.sin(np.pi / 2 * np.minimum(metric, 1.0)))
        return np.where(far, np.inf, 2 * np.square(half))[()]

    def to_metric(self, distance: ArrayLike) -> Any:
        """Angle over pi; see :meth:`Distance.to_metric`."""
        root = np.sqrt(np.clip(np.asarray(distance, dtype=float) / 2, 0.0, 1.0))
        return (2 / np.pi * np.arcsin(root))[()]


class EarthMover(VectorMetric):
    """Earth mover's distance between histograms on a common line (Wasserstein-1).

    Outputs are masses, normalised to sum one; negative mass or none at all is an error.

    Parameters
    ----------
    positions : array-like of shape (n_bins,), default=None
        Increasing positions of the bins, which give the distance its unit. None: 0, 1, 2, ...
    """

    _scipy_name = "cityblock"

    def __init__(self, positions: ArrayLike | None = None) -> None:
        self.positions = positions

    def candidate_centers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Mean; medians of the bins may be empty. See :meth:`Distance.candidate_centers`."""
        return np.asarray(outputs.astype(float, copy=False).mean(axis=0)[None])

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Cumulative masses times the widths of the bins; see :meth:`Distance.points`."""
        mass = as_vectors(outputs)
        widths = np.ones(mass.shape[1] - 1)
        if self.positions is not None:
            widths = np.diff(np.asarray(self.positions, dtype=float))
            if len(widths) != mass.shape[1] - 1 or not (widths > 0).all():
                raise ValueError(
                    f"positions must be {mass.shape[1]} increasing numbers, one per bin of the "
                    f"outputs; got {self.positions!r}."
                )
        bad = (mass < 0).any(axis=1) | (mass.sum(axis=1) == 0)
        if bad.any():
            raise ValueError(
                "EarthMover compares masses that are not negative and not all zero; got "
                f"{mass[bad.argmax()][:8]}. Clip or shift the outputs first."
            )
        with np.errstate(invalid="ignore"):
            shares = mass / mass.sum(axis=1, keepdims=True)
        return np.ascontiguousarray(np.cumsum(shares, axis=1)[:, :-1] * widths)

    def averages(self, groups: NDArray[Any]) -> NDArray[Any] | None:
        """Average of the normalised masses; see :meth:`Distance.averages`."""
        totals = groups.sum(axis=tuple(range(2, groups.ndim)), keepdims=True)
        average: NDArray[Any] = (groups / totals).mean(axis=1)
        return average
