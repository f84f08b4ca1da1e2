"""Answers and certificates of median smoothing: order statistics of sampled outputs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sksmooth.bounds import (
    clopper_pearson_lower,
    clopper_pearson_upper,
    lower_quantile_rank,
    upper_quantile_rank,
)
from sksmooth.certificates import ErrorBudget, RegressionCertificate
from sksmooth.distances import Chebyshev
from sksmooth.engine._sampling import NoisyOutputs, OutputSampler
from sksmooth.exceptions import UnreachableRadiusError
from sksmooth.noise._lattice import NO_ROUNDING, Rounding

# A perturbation is rounded up by more than the rounding of its quotient with sigma.
_SHIFT_UP = 1 + 1e-13

# Outputs of one input that are held at a time, in float64: 128 MB.
_VALUES_AT_ONCE = 2**24


class Ranks(NamedTuple):
    """Ranks, from 1, of the outputs that bound an answer; None: there is no bound."""

    lower: int | None
    upper: int | None


@dataclass(frozen=True)
class MedianBounds:
    """Levels and ranks of the certificates of one median smoother.

    Each coordinate has a lower and an upper bound. What `predict` returns for a perturbed input
    is a sample too, so that each bound rests on two confidence bounds then: one there, and one
    here.

    Attributes
    ----------
    quantile : float
        Quantile that is the answer.
    n_prediction, n_estimation : int
        Outputs that make an answer, and outputs that certify it.
    budget : ErrorBudget
        Failure probability of a certificate, for each perturbed input, and how many radii share
        it.
    n_values : int
        Number of coordinates of one output.
    of : {"prediction", "population"}
        What is bounded.
    rounding : Rounding
        What the rounding of inputs and draws takes from the bounds.
    """

    quantile: float
    n_prediction: int
    n_estimation: int
    budget: ErrorBudget
    n_values: int = 1
    of: str = "prediction"
    rounding: Rounding = NO_ROUNDING

    def __post_init__(self) -> None:
        if self.of not in ("prediction", "population"):
            raise ValueError(f'of must be "prediction" or "population", got {self.of!r}.')

    @property
    def rank(self) -> int:
        """Rank of the answer among the outputs that make it; 0.3 of 10 is meant to be 3."""
        n = self.n_prediction
        return min(n, max(1, math.ceil(self.quantile * n * (1 - 1e-12))))

    @property
    def _level(self) -> float:
        """Level of one confidence bound of one coordinate."""
        n_bounds = 2 if self.of == "population" else 4
        return float(self.budget.for_bounds(n_bounds * max(1, self.n_values)).of_one_bound)

    def _masses(self) -> tuple[float, float]:
        """Probabilities of the quantiles, at a perturbed input, that enclose what is bounded."""
        if self.of == "population":
            return self.quantile, self.quantile
        n, rank = self.n_prediction, self.rank
        return (
            float(clopper_pearson_lower(rank, n, self._level)),
            float(clopper_pearson_upper(rank - 1, n, self._level)),
        )

    def ranks(self, shift: float) -> Ranks:
        """Ranks for a perturbation, whose size is given in units of the noise."""
        low, high = self._masses()
        failure = self.rounding.failure  # of the law there, and of the law here
        from_below = special.ndtri(max(low - failure, 0.0))
        from_above = -special.ndtri(min(high + failure, 1.0))
        below = float(special.ndtr(from_below - shift)) * (1 - 1e-14) - failure
        above = float(special.ndtr(from_above - shift)) * (1 - 1e-14) - failure
        return Ranks(
            lower_quantile_rank(self.n_estimation, max(below, 0.0), self._level),
            upper_quantile_rank(self.n_estimation, max(above, 0.0), self._level),
        )

    def shift(self, radius: float, sigma: float) -> float:
        """Size of a perturbation, and of what rounding moves, in units of the noise."""
        return (radius + 2 * self.rounding.half_cell(2)) / sigma * _SHIFT_UP

    def max_radius(self, sigma: float) -> float:
        """Largest perturbation for which the draws can prove a bound; 0: none."""
        low, high = self._masses()
        failure = self.rounding.failure
        tail = -math.expm1(math.log(self._level) / self.n_estimation) + failure
        reach = max(
            special.ndtri(max(low - failure, 0.0)), -special.ndtri(min(high + failure, 1.0))
        ) - special.ndtri(tail)
        moved = 2 * self.rounding.half_cell(2)
        return max(0.0, float(reach) * sigma * (1 - 1e-9) - moved)


@dataclass(frozen=True)
class MedianCertifier:
    """Answers with a quantile of sampled outputs, and bounds it from below and above.

    Attributes
    ----------
    sampler : OutputSampler
        Base model, inputs, noise.
    bounds : MedianBounds
        Numbers of draws, level, and what they prove.
    """

    sampler: OutputSampler
    bounds: MedianBounds

    def answer(self) -> NDArray[np.float64]:
        """Return the answers."""
        return np.stack(self.sampler.answer(partial(_quantile, self.bounds)))

    def certify(self, radii: NDArray[np.float64]) -> list[RegressionCertificate]:
        """Bound the answers, for several radii of each input from one sample.

        Parameters
        ----------
        radii : ndarray of shape (n_radii, m)
            Sizes of the perturbation.

        Returns
        -------
        certificates : list of RegressionCertificate
            One for each line of radii.
        """
        sigma = self.sampler.streams.noise.sigma
        ranks = {r: self.bounds.ranks(self.bounds.shift(r, sigma)) for r in np.unique(radii)}
        for radius, found in ranks.items():
            if found == (None, None):
                self._refuse_unreachable(radius, sigma)
        prediction, clean = self.answer(), self.sampler.clean()
        work = partial(_order_statistics, self.bounds)
        wanted = [[ranks[r] for r in column] for column in radii.T]
        rows = self.sampler.certify(work, wanted)
        error = Chebyshev().of_pairs(prediction, clean)
        return [
            RegressionCertificate(
                index=self.sampler.inputs.index,
                prediction=prediction,
                input_radius=line.copy(),
                lower=np.stack([row[k][0] for row in rows]),
                upper=np.stack([row[k][1] for row in rows]),
                smoothing_error=error,
                budget=self.bounds.budget,
                noise=deepcopy(self.sampler.streams.noise),
                distance=Chebyshev(),
                guaranteed=np.ones(len(prediction), bool),
                noise_step=self.bounds.rounding.step,
            )
            for k, line in enumerate(radii)
        ]

    def _refuse_unreachable(self, radius: float, sigma: float) -> None:
        raise UnreachableRadiusError(
            f"radius={radius:g} cannot be certified with n_estimation="
            f"{self.bounds.n_estimation}, alpha={self.bounds.budget.alpha:g} and sigma={sigma:g}: "
            f"the largest radius is {self.bounds.max_radius(sigma):.6g}. Take more draws or a "
            "larger sigma."
        )


def _quantile(bounds: MedianBounds, outputs: NoisyOutputs) -> NDArray[np.float64]:
    """Output of the rank of the answer in each coordinate; NaN ranks above all numbers."""
    blocks = _blocks(outputs, bounds.n_prediction, bounds.n_values)
    found = [_upper(block, [bounds.rank])[0] for block in blocks]
    return _as_output(found, outputs)


def _order_statistics(
    bounds: MedianBounds, outputs: NoisyOutputs, ranks: list[Ranks]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Lower and upper bounds of one input, one pair for each of its radii.

    NaN is minus infinity for the lower, infinity for the upper ones; so is a rank that does not
    exist.
    """
    lower, upper = [], []
    for block in _blocks(outputs, bounds.n_estimation, bounds.n_values):
        lower.append(_lower(block, [k.lower for k in ranks]))
        upper.append(_upper(block, [k.upper for k in ranks]))
    return [
        (_as_output([b[k] for b in lower], outputs), _as_output([b[k] for b in upper], outputs))
        for k in range(len(ranks))
    ]


def _blocks(outputs: NoisyOutputs, n: int, n_values: int) -> Iterator[NDArray[Any]]:
    """Yield all outputs, some coordinates at a time, as arrays of shape (n_coordinates, n).

    The base model is asked anew for each block: how much is held does not grow with its outputs.
    """
    width = min(n_values, max(1, _VALUES_AT_ONCE // n))
    held = np.empty((width, n))
    for first in range(0, n_values, width):
        block, filled = held[: n_values - first], 0
        for batch in outputs.batches(n):
            part = batch.reshape(len(batch), -1)[:, first : first + width]
            block[:, filled : filled + len(part)] = part.T
            filled += len(part)
        yield block


def _as_output(parts: list[NDArray[np.float64]], outputs: NoisyOutputs) -> NDArray[np.float64]:
    return np.concatenate(parts).reshape(outputs.responder.shape or ())


def _upper(values: NDArray[Any], ranks: list[int | None]) -> NDArray[np.float64]:
    """Order statistics along the last axis, in place, one line for each rank; NaN is infinity."""
    found = np.full((len(ranks), len(values)), np.inf)
    known = [rank - 1 for rank in ranks if rank is not None]
    if known:
        values.partition(sorted(set(known)), axis=1)  # NaN comes last
        found[[rank is not None for rank in ranks]] = values[:, known].T
    return np.where(np.isnan(found), np.inf, found)


def _lower(values: NDArray[Any], ranks: list[int | None]) -> NDArray[np.float64]:
    """Order statistics along the last axis, in place, one line for each rank; NaN is -infinity."""
    np.negative(values, out=values)
    n = values.shape[1]
    found = -_upper(values, [None if rank is None else n + 1 - rank for rank in ranks])
    np.negative(values, out=values)
    return found
