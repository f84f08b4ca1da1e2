"""Rules that find the centre of a sample of outputs: a small ball around it holds half of them.

The radius of an output is its h-th smallest distance to n sampled outputs, with h = ceil(n / 2).
A rule finds an output whose radius is at most beta times the smallest there is; the certificate
of center smoothing depends on beta and on nothing else of the rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certifiers.center._best_sample import (
    FIRST_CANDIDATES,
    PAIRS_AT_ONCE,
    SquaredDistances,
    best_sample_point,
    finite_rows,
    origin_of,
    rounding,
)
from sksmooth.certifiers.center._few_dimensions import (
    MOST_DIMENSIONS,
    TOLERANCE,
    branch_and_bound,
    shorth,
)
from sksmooth.distances import Discrete, Distance

METHODS = ("branch_and_bound", "finite", "sample", "shorth")

_ROUNDS_OF_REFINEMENT = 3


@dataclass(frozen=True)
class Center:
    """The centre of a sample of outputs.

    Attributes
    ----------
    output : ndarray
        An output: one of the sample, or close to it.
    radius : float
        Its h-th smallest distance to the sample, in the metric that is certified.
    guaranteed : bool
        Whether the radius is known to be within beta of the smallest one.
    """

    output: Any
    radius: float
    guaranteed: bool


@dataclass(frozen=True)
class CenterRule:
    """How a centre is found, and what is known of it.

    Attributes
    ----------
    distance : Distance
        Its metric is what is meant by "radius".
    method : str
        One of ``METHODS``.
    beta : float
        Bound of the radius over the smallest one.
    is_checked : bool
        Whether beta is checked for each sample, and may turn out not to be shown.
    n_candidates : int or None
        Sampled outputs that are tried; None: all.
    """

    distance: Distance
    method: str
    beta: float
    is_checked: bool = False
    n_candidates: int | None = None

    def find(self, outputs: NDArray[Any], extra: NDArray[Any] | None = None) -> Center:
        """Find the centre of a sample.

        Parameters
        ----------
        outputs : ndarray of shape (n, ...)
            Sampled outputs.
        extra : ndarray of shape (k, ...), optional
            Further candidates.

        Returns
        -------
        center : Center
        """
        search = CenterSearch(self.distance, outputs)
        if self.method == "shorth":
            return Center(*shorth(outputs, search.h), True)
        if self.method == "branch_and_bound":
            return self._branch_and_bound(search)
        search.try_sample(self.n_candidates)
        if self.distance.space is not None:
            search.try_outputs(np.asarray(self.distance.space))
        metric_bound = search.radius / (2 * self.distance.gamma) * (1 - search.rounding)
        if extra is not None and len(extra):
            search.try_outputs(extra)
        search.refine()
        guaranteed = not self.is_checked or search.radius <= self.beta * max(
            metric_bound if self.n_candidates is None else 0.0, lower_bound(search)
        )
        return Center(search.output, search.radius, bool(guaranteed))

    def _branch_and_bound(self, search: CenterSearch) -> Center:
        search.try_sample(FIRST_CANDIDATES)
        search.refine()
        if not np.isfinite(search.radius):
            return Center(search.output, search.radius, True)  # no ball of finite radius exists
        start = np.ravel(search.output).astype(float)
        center, radius, finished = branch_and_bound(
            finite_rows(search.points), search.h, self.distance, start, search.radius
        )
        return Center(center.reshape(search.output.shape), radius, finished)


def choose_rule(
    distance: Distance,
    shape: tuple[int, ...],
    method: str,
    beta: float | None,
    n_candidates: int | None,
) -> CenterRule:
    """Choose how to find centres, or say why the wanted way is not possible.

    Parameters
    ----------
    distance : Distance
        Between outputs.
    shape : tuple of int
        Shape of one output.
    method : str
        One of ``METHODS``, or "auto".
    beta : float or None
        Guarantee to check for each sample; None: what the method has in any case.
    n_candidates : int or None
        Sampled outputs that are tried.

    Returns
    -------
    rule : CenterRule
    """
    size = math.prod(shape)
    able = {
        "shorth": distance.norm is not None and size == 1,
        "branch_and_bound": distance.norm is not None and size <= MOST_DIMENSIONS,
        "finite": isinstance(distance, Discrete) or distance.space is not None,
        "sample": True,
    }
    order = ("finite", "shorth", "branch_and_bound", "sample")
    if method == "auto":
        method = "sample" if beta is not None else next(m for m in order if able[m])
    if not able[method]:
        raise ValueError(
            f"center={method!r} is not possible for outputs of shape {shape} with {distance!r}: "
            '"shorth" needs one number, "branch_and_bound" at most four, both with l1, l2 or '
            'linf, and "finite" the distance "discrete" or one with a space. Use center="auto".'
        )
    if beta is not None and method != "sample":
        raise ValueError(f'beta is a guarantee for center="sample" only, got center={method!r}.')
    if method == "sample":
        known = 2 * distance.gamma
        if beta is None or beta >= known:
            return CenterRule(distance, method, known, False, n_candidates)
        return CenterRule(distance, method, beta, True, n_candidates)
    return CenterRule(distance, method, 1 + TOLERANCE if method == "branch_and_bound" else 1.0)


class CenterSearch:
    """The best candidate so far for one sample."""

    def __init__(self, distance: Distance, outputs: NDArray[Any]) -> None:
        self.distance = distance
        self.outputs = outputs
        self.points = distance.points(outputs)
        self.h = (len(outputs) + 1) // 2
        self.rounding = rounding(math.prod(self.points.shape[1:]))
        self.output, self.radius = outputs[0], np.inf

    def try_sample(self, n_candidates: int | None) -> None:
        """Try sampled outputs: the first ones, or all."""
        candidates = self.points[:n_candidates]
        best, radius = best_sample_point(
            self.points, candidates, self.distance, self.h, are_sampled=True
        )
        if radius < self.radius:
            self.output, self.radius = self.outputs[best], radius

    def try_outputs(self, outputs: NDArray[Any]) -> bool:
        """Try outputs that need not be in the sample; tell whether one is better."""
        candidates = self.distance.points(outputs)
        best, radius = best_sample_point(self.points, candidates, self.distance, self.h)
        if not radius < self.radius:
            return False
        self.output, self.radius = outputs[best], radius
        return True

    def refine(self) -> None:
        """Try candidates computed from all outputs, and from the half around the best one."""
        if not np.isfinite(self.radius) or self.radius == 0:
            return
        half = self._nearest(len(self.outputs))
        for _ in range(_ROUNDS_OF_REFINEMENT):
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows is far
                candidates = self.distance.candidate_centers(self.outputs[half])
            if not len(candidates):
                return
            self.try_outputs(candidates)
            half = self._nearest(self.h)

    def _nearest(self, n: int) -> NDArray[np.intp]:
        """Find the outputs nearest to the best candidate, at a finite distance."""
        one = self.distance.points(np.asarray(self.output)[None])
        distances = self.distance.between(self.points, one)[:, 0]
        n = min(n, int(np.isfinite(distances).sum()))
        return np.argpartition(distances, n - 1)[:n]


def lower_bound(search: CenterSearch) -> float:
    """Bound, from below, on the smallest radius of any centre of a sample.

    In a Hilbert space, the h points of the best ball have a mean squared distance of at most
    twice its squared radius; so has one of them to the others, and its h nearest are not
    farther. Under the maximum norm, each coordinate alone is a bound.
    """
    points, h = search.points, search.h
    if search.distance.norm == math.inf:
        columns = points.reshape(len(points), -1).T
        return max(shorth(column, h)[1] for column in columns) * (1 - search.rounding)
    if not search.distance.is_hilbert:
        return 0.0
    points = finite_rows(points)
    if len(points) < h:
        return 0.0
    products = SquaredDistances(points, origin_of(points[:: max(1, len(points) // 1000)]))
    least, step = np.inf, max(1, PAIRS_AT_ONCE // len(points))
    for first in range(0, len(points), step):
        distances = products.at_least(points[first : first + step])
        nearest = np.partition(distances, h - 1, axis=1)[:, :h]
        least = min(least, float(nearest.mean(axis=1, dtype=float).min()))
    root = math.sqrt(max(least, 0.0) / 2) * (1 - search.rounding)
    return max(0.0, float(np.nextafter(np.ldexp(root, products.exponent), -1.0)))
