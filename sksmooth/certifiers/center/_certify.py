"""Answers and certificates of center smoothing, from sampled outputs."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates import RegressionCertificate
from sksmooth.certifiers.center._ranks import CenterBounds, Ranks
from sksmooth.certifiers.center._rules import Center, CenterRule
from sksmooth.distances import Distance
from sksmooth.engine._sampling import NoisyOutputs, OutputSampler, gathered
from sksmooth.exceptions import UnreachableRadiusError


@dataclass(frozen=True)
class CenterCertifier:
    """Answers with the centre of sampled outputs, and bounds how far it can move.

    Attributes
    ----------
    sampler : OutputSampler
        Base model, inputs, noise.
    rule : CenterRule
        How a centre is found.
    bounds : CenterBounds
        Numbers of draws, level, and what they prove.
    """

    sampler: OutputSampler
    rule: CenterRule
    bounds: CenterBounds

    @property
    def _sigma(self) -> float:
        sigma: float = self.sampler.streams.noise.sigma
        return sigma

    def answer(self) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return the answers, and for which of them the guarantee of beta was shown."""
        found = self.sampler.answer(partial(_center, self.rule, self.bounds))
        return np.stack([c.output for c in found]), np.array([c.guaranteed for c in found])

    def certify(self, radii: NDArray[np.float64]) -> list[RegressionCertificate]:
        """Bound how far the answers move, for several radii of each input from one sample.

        Parameters
        ----------
        radii : ndarray of shape (n_radii, m)
            Sizes of the perturbation.

        Returns
        -------
        certificates : list of RegressionCertificate
            One for each line of radii.
        """
        self._refuse_unreachable(radii.max(initial=0.0))
        shifts = {r: self.bounds.shift(r, self._sigma) for r in np.unique(radii)}
        ranks = {r: self.bounds.ranks(shift) for r, shift in shifts.items()}
        clean, (centers, guaranteed) = self.sampler.clean(), self.answer()
        work = partial(_output_radii, self.rule.distance, self.bounds)
        wanted = [[ranks[r] for r in column] for column in radii.T]
        metric = np.array(self.sampler.certify(work, centers, wanted), dtype=float)
        moved = self._from_metric(metric.reshape(radii.shape[::-1]).T)
        record = partial(self._record, centers, guaranteed, self._errors(centers, clean))
        return [record(*line) for line in zip(radii, moved, strict=True)]

    def certify_output_radius(self, output_radius: float) -> RegressionCertificate:
        """Find the largest perturbations that move the answers by no more than a distance."""
        metric = self._metric_of(output_radius)
        clean, (centers, guaranteed) = self.sampler.clean(), self.answer()
        work = partial(_input_radius, self.rule.distance, self.bounds, metric, self._sigma)
        radii = np.array(self.sampler.certify(work, centers), dtype=float)
        moved = np.full(len(radii), float(output_radius))
        return self._record(centers, guaranteed, self._errors(centers, clean), radii, moved)

    def _metric_of(self, output_radius: float) -> float:
        """Value of the metric for a distance between outputs, or why it cannot be certified."""
        distance = self.rule.distance
        if not (isinstance(output_radius, Real) and 0 < output_radius < np.inf):
            raise ValueError(f"output_radius must be positive and finite, got {output_radius!r}.")
        if self.bounds.is_integrated:
            raise ValueError("output_radius needs integrate_alpha=False.")
        metric, step = float(distance.to_metric(output_radius)), 2.0**-52
        while distance.from_metric(metric) > output_radius:  # rounded, to the wrong side
            metric, step = metric * (1 - step), 2 * step
        if metric >= distance.diameter:
            raise ValueError(
                f"output_radius={output_radius:g} is as large as any distance of {distance!r}: it "
                "holds for every input."
            )
        return metric

    def _refuse_unreachable(self, radius: float) -> None:
        """Refuse, before any sampling, a radius that no outputs could certify."""
        bounds, sigma = self.bounds, self._sigma
        largest = bounds.max_radius(sigma)
        if radius > largest:
            raise UnreachableRadiusError(
                f"radius={radius:g} cannot be certified with n_estimation={bounds.m}, "
                f"n_center={bounds.n}, n_average={bounds.n_average}, "
                f"alpha={bounds.budget.alpha:g} and sigma={sigma:g}: the largest radius is "
                f"{largest:.6g} (radius / sigma = {largest / sigma:.6g}). Take more draws or a "
                "larger sigma."
            )

    def _from_metric(self, metric: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distances that belong to values of the metric, rounded up."""
        distance = self.rule.distance
        moved = np.full(metric.shape, np.inf)
        finite, largest = np.isfinite(metric), distance.diameter
        moved[finite] = distance.from_metric(np.minimum(metric[finite], largest))
        inexact = finite & (metric > 0) & (metric < largest)
        moved[inexact] = np.nextafter(moved[inexact], np.inf)
        return moved

    def _errors(self, centers: NDArray[Any], clean: NDArray[Any]) -> NDArray[np.float64]:
        distance = self.rule.distance
        return np.asarray(distance.from_metric(distance.of_pairs(centers, clean)))

    def _record(
        self,
        centers: NDArray[Any],
        guaranteed: NDArray[np.bool_],
        error: NDArray[np.float64],
        radii: NDArray[np.float64],
        moved: NDArray[np.float64],
    ) -> RegressionCertificate:
        return RegressionCertificate(
            index=self.sampler.inputs.index,
            prediction=centers,
            input_radius=radii.copy(),
            output_radius=moved,
            smoothing_error=error,
            budget=self.bounds.budget,
            noise=deepcopy(self.sampler.streams.noise),
            distance=self.rule.distance,
            beta=float(self.rule.beta),
            guaranteed=guaranteed,
            noise_step=self.bounds.moves.step,
        )


def _center(rule: CenterRule, bounds: CenterBounds, outputs: NoisyOutputs) -> Center:
    """Find the centre of the outputs for one input."""
    n, size, extra = bounds.n, bounds.group_size, None
    sample = gathered(_averaged(outputs, rule.distance, bounds, n), n)
    if bounds.n_groups:
        n_further = bounds.n_groups * size
        further = _averaged(outputs, rule.distance, bounds, n_further, first=n)
        some = gathered(further, n_further)
        extra = rule.distance.averages(some.reshape(-1, size, *some.shape[1:]))
    return rule.find(sample, extra)


def _averaged(
    outputs: NoisyOutputs,
    distance: Distance,
    bounds: CenterBounds,
    n: int,
    *,
    first: int = 0,
    unit: int = 1,
) -> Iterator[NDArray[Any]]:
    """Yield n outputs, each an average where the smoother averages, in multiples of `unit`."""
    size = bounds.n_average
    for batch in outputs.batches(n * size, first_draw=first * size, unit=unit * size):
        groups = batch.reshape(-1, size, *batch.shape[1:])
        averages = None if size == 1 else distance.averages(groups)
        yield batch if averages is None else averages


def _distances(
    distance: Distance, bounds: CenterBounds, outputs: NoisyOutputs, center: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances of further outputs to the centre, and in disjoint groups of them, in the metric."""
    point, size = distance.points(np.asarray(center)[None]), bounds.group_size
    to_center, of_pairs = [], [np.empty(0)]
    for batch in _averaged(outputs, distance, bounds, bounds.m, unit=size + 1):
        to_center.append(distance.between(distance.points(batch), point)[:, 0])
        if size:
            of_pairs.append(_within_groups(distance, batch, size))
    return np.concatenate(to_center), np.concatenate(of_pairs)


def _within_groups(distance: Distance, outputs: NDArray[Any], size: int) -> NDArray[np.float64]:
    """Distances between the average of `size` outputs and the next one, in disjoint groups."""
    n_groups = len(outputs) // (size + 1)
    groups = outputs[: n_groups * (size + 1)].reshape(n_groups, size + 1, *outputs.shape[1:])
    first: Any = groups[:, 0] if size == 1 else distance.averages(groups[:, :size])
    return distance.of_pairs(first, groups[:, size])


def _output_radii(
    distance: Distance,
    bounds: CenterBounds,
    outputs: NoisyOutputs,
    center: NDArray[Any],
    ranks: list[Ranks | None],
) -> list[float]:
    """Bounds of the metric for one input, one for each of its radii."""
    sampled = _distances(distance, bounds, outputs, center)
    return [np.inf if r is None else bounds.output_radius(r, *sampled) for r in ranks]


def _input_radius(
    distance: Distance,
    bounds: CenterBounds,
    metric_radius: float,
    sigma: float,
    outputs: NoisyOutputs,
    center: NDArray[Any],
) -> float:
    """Largest perturbation of one input that moves its answer by no more than a distance."""
    to_center, _ = _distances(distance, bounds, outputs, center)
    return bounds.input_radius(to_center, metric_radius, sigma)
