"""Distances between outputs that are vectors, images or distributions on a line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from sksmooth.distances._arithmetic import UNIT_ROUNDOFF, Floats, different, norms, scaled
from sksmooth.distances._numbers import (
    VectorMetric,
    as_numbers,
    as_vectors,
    infinite_is_far,
    means,
)


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

    compares_numbers: ClassVar[bool] = False

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
        """Differences of neighbours, and what rounding took from them; see :meth:`Distance.points`.

        The rounding comes as further coordinates, so that outputs whose differences are equal as
        floats only are at a distance.
        """
        values = self._images(outputs)
        n, channels = len(values), values.shape[-1]
        along = [_exact_differences(values, axis) for axis in range(1, values.ndim - 1)]
        changes, rests = zip(*along, strict=True)
        joined = np.concatenate([c.reshape(n, -1, channels) for c in (*changes, *rests)], axis=1)
        if self.channel_norm == 1 or channels == 1:
            return np.ascontiguousarray(joined.reshape(n, -1))
        return joined

    def _images(self, outputs: ArrayLike) -> Floats:
        """Return outputs with their channels last; one channel where they have none."""
        if self.channel_norm not in (1, 2):
            raise ValueError(f"channel_norm must be 1 or 2, got {self.channel_norm!r}.")
        values = as_numbers(outputs)
        if self.shape is not None:
            values = values.reshape(len(values), *self.shape)
        axis = self.channel_axis
        if axis is None and values.ndim == 4:
            axis = -1
        values = values[..., None] if axis is None else np.moveaxis(values, _after(axis), -1)
        if values.ndim - 2 not in (1, 2):
            raise ValueError(
                "TotalVariation compares signals or images; one output has shape "
                f"{values.shape[1:-1]}. Pass shape=..., or channel_axis=... for channels."
            )
        return values

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> Floats:
        """Sum of the norms of the changes; see :meth:`Distance.between`."""
        changes = a.shape[1] // 2
        if not (a[:, changes:].any() or b[:, changes:].any()):  # nothing was rounded
            a, b = a[:, :changes], b[:, :changes]
        if a.ndim == 2:
            return super().between(a, b)
        distances = np.empty((len(a), len(b)))
        with np.errstate(over="ignore", invalid="ignore"):
            for j, one in enumerate(b):
                distances[:, j] = norms(a - one).sum(axis=-1)
        return infinite_is_far(distances, a, b)


def _exact_differences(values: Floats, axis: int) -> tuple[Floats, Floats]:
    """Differences of neighbours as floats, and the rest: their sum is exact (Knuth's two-sum)."""
    lower, upper = np.delete(values, -1, axis), np.delete(values, 0, axis)
    with np.errstate(over="ignore", invalid="ignore"):
        change = upper - lower
        taken = change - upper
        rest = (upper - (change - taken)) - (lower + taken)
    return change, rest


def _after(axis: int) -> int:
    """Axis of a batch of outputs that is `axis` of one output."""
    return axis if axis < 0 else axis + 1


class Angular(VectorMetric):
    """Angle between vectors, divided by pi.

    Computed with the arctangent of the difference and the sum (an arccosine is blind below 1e-8).
    A zero vector is at 1/2 from all others.

    Examples
    --------
    >>> from sksmooth.distances import Angular
    >>> Angular()([[1, 0], [0, 1], [-3, 0], [0, 0]], [1, 0])
    array([0. , 0.5, 1. , 0.5])
    """

    diameter = 1.0

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> Floats:
        """Angle over pi; see :meth:`Distance.between`.

        Directions are rounded, so that vectors which differ are never nearer than that.
        """
        with np.errstate(invalid="ignore"):
            u, v = _directions(a), _directions(b)
            angle = 2 / np.pi * np.arctan2(cdist(u, v), cdist(u, -v))
        rounding = 1.5 * (a.shape[1] + 4) * UNIT_ROUNDOFF
        return infinite_is_far(np.minimum(apart(angle, a, b, rounding), 1.0), a, b)

    def candidate_centers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Centres of the directions; see :meth:`Distance.candidate_centers`."""
        return super().candidate_centers(_directions(as_vectors(outputs)).reshape(outputs.shape))

    def averages(self, groups: NDArray[Any]) -> NDArray[Any] | None:
        """Mean direction of each group; see :meth:`Distance.averages`."""
        directions = _directions(as_vectors(groups.reshape(-1, *groups.shape[2:])))
        return means(directions.reshape(groups.shape))


def _directions(vectors: Floats) -> Floats:
    """Scale vectors to unit length; a zero vector stays."""
    small, _ = scaled(vectors)
    with np.errstate(invalid="ignore"):
        sizes = np.sqrt(np.square(small).sum(axis=1, keepdims=True))
        return np.divide(small, sizes, out=small, where=sizes != 0)


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

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Masses as vectors; see :meth:`Distance.points`."""
        mass = as_vectors(outputs)
        self._widths(mass.shape[1])
        bad = (mass < 0).any(axis=1) | (mass == 0).all(axis=1)
        if bad.any():
            raise ValueError(
                "EarthMover compares masses that are not negative and not all zero; got "
                f"{mass[bad.argmax()][:8]}. Clip or shift the outputs first."
            )
        return mass

    def _widths(self, n_bins: int) -> Floats:
        """Distances of neighbouring bins."""
        if self.positions is None:
            return np.ones(n_bins - 1)
        widths = np.diff(np.asarray(self.positions, dtype=float))
        if len(widths) != n_bins - 1 or not (widths > 0).all():
            raise ValueError(
                f"positions must be {n_bins} increasing numbers, one per bin of the outputs; got "
                f"{self.positions!r}."
            )
        return widths

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> Floats:
        """Sum of the differences of cumulative masses, by width; see :meth:`Distance.between`.

        Cumulative masses are rounded, so that outputs which differ are never nearer than that.
        """
        widths = self._widths(a.shape[1])
        below = [np.cumsum(_shares(mass), axis=1)[:, :-1] * widths for mass in (a, b)]
        rounding = 12 * a.shape[1] * UNIT_ROUNDOFF * widths.sum()
        return infinite_is_far(apart(cdist(*below, "cityblock"), a, b, rounding), a, b)

    def candidate_centers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Mean; medians of the bins may be empty. See :meth:`Distance.candidate_centers`."""
        return means(outputs[None])

    def averages(self, groups: NDArray[Any]) -> NDArray[Any] | None:
        """Average of the normalised masses; see :meth:`Distance.averages`."""
        shares = _shares(as_vectors(groups.reshape(-1, *groups.shape[2:])))
        return means(shares.reshape(groups.shape))


def _shares(mass: Floats) -> Floats:
    """Masses that sum up to one."""
    small, _ = scaled(mass)
    with np.errstate(invalid="ignore"):
        return small / small.sum(axis=1, keepdims=True)


def apart(distances: Floats, a: Floats, b: Floats, rounding: float) -> Floats:
    """Add three times what rounding may have taken to the distances of points that differ.

    Once makes them an upper bound. Three times that makes what is computed a metric, and the
    theorems hold although errors of three distances meet in them.
    """
    zero = distances == 0
    if zero.any():
        zero[zero] = ~different(a, b, zero)
    return np.where(zero, 0.0, distances + rounding)
