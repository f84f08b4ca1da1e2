"""What a sample of distances proves about a smoothed output.

Center smoothing answers with the centre of n outputs under noise. Let B be any ball around the
answer for x. If the base model's outputs around x' fall into B with probability s, then c of the n
outputs that make the answer for x' do, but for P(Bin(n, s) < c). Two halves of one sample share a
point; so the answer for x' is within ``gamma * (1 + beta) * R`` of the one for x, where R is the
radius of B. How large R has to be is an order statistic of fresh distances around x.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from sksmooth.bounds import (
    clopper_pearson_lower,
    clopper_pearson_upper,
    integrated_rank,
    upper_quantile_rank,
)
from sksmooth.certificates import ErrorBudget
from sksmooth.certifiers.center._best_sample import rounding
from sksmooth.noise._lattice import NO_ROUNDING, Rounding

# Averages of fresh outputs that are tried as centre, for the group certificate.
_MOST_GROUPS = 1000

# Quantiles and perturbations are rounded up by more than the error of the normal quantiles.
_ROUND_UP, _SHIFT_UP = 1 + 1e-12, 1 + 1e-13

# More than what is lost of sums and products below the normal numbers.
_BELOW_NORMAL = 4 * float(np.finfo(float).smallest_subnormal)


class Ranks(NamedTuple):
    """Order statistics that bound a distance.

    Attributes
    ----------
    ball : int
        Rank, from 1, among the distances to the centre.
    pair : int or None
        Rank among the distances between averages and further outputs; None: they are not used.
    """

    ball: int
    pair: int | None


@dataclass(frozen=True)
class CenterBounds:
    """Levels and ranks of the certificates of one center smoother.

    Alpha is shared, equally, by 2 events: that too few outputs at the perturbed input fall into a
    ball of the needed mass, and that the ball is taken too small at the input itself. The group
    certificate has 4: these, and the same for pairs. Events at the perturbed input are the same
    for all radii of a curve; those at the input itself are not, and share their part.

    Attributes
    ----------
    n : int
        Outputs that make a centre (batches, where outputs are averaged).
    m : int
        Outputs that certify it.
    budget : ErrorBudget
        Failure probability of a certificate, for each perturbed input, and how many radii share
        it.
    beta, gamma : float
        Constants of the centre and of the metric.
    n_average : int
        Outputs per batch.
    group_size : int
        Outputs per candidate of the group certificate; 0: none.
    n_candidates : int or None
        Sampled outputs that are tried as centre; None: all.
    is_integrated : bool
        Average over the mass of the ball instead of splitting alpha.
    n_values : int
        Numbers of which a distance is computed, for its rounding.
    moves : Rounding
        What the rounding of inputs and draws takes from the bounds.
    """

    n: int
    m: int
    budget: ErrorBudget
    beta: float
    gamma: float
    n_average: int = 1
    group_size: int = 0
    n_candidates: int | None = None
    is_integrated: bool = False
    n_values: int = 1
    moves: Rounding = NO_ROUNDING

    @property
    def c(self) -> int:
        """Outputs that have to fall into the ball to share one with every half."""
        return self.n // 2 + 1

    @property
    def n_groups(self) -> int:
        """Candidates of the group certificate that are not sampled outputs themselves."""
        return min(_MOST_GROUPS, self.n) if self.group_size > 1 else 0

    @cached_property
    def candidate_loss(self) -> float:
        """Probability that none of the candidates falls into a ball of mass one half."""
        limited = self.n_candidates is not None and self.n_candidates < self.n
        return 2.0**-self.n_candidates if limited and self.n_candidates else 0.0

    def _level_there(self, n_events: int) -> float:
        """Level of one of so many events, at the perturbed input."""
        return float(replace(self.budget, n_statements=1, n_bounds=n_events).of_one_bound)

    def _level_here(self, n_events: int) -> float:
        """Level of one of so many events, at the input itself, for one of the radii."""
        return float(self.budget.for_bounds(n_events).of_one_bound)

    def needed_mass(self, n_events: int) -> float:
        """Mass of a ball that holds c of n outputs, but for its part of alpha.

        Parameters
        ----------
        n_events : int
            Number of events that share alpha: 2, or 4 with the group certificate.

        Returns
        -------
        s : float
        """
        level = self._level_there(n_events)
        if level <= self.candidate_loss:
            raise ValueError(
                f"n_candidates={self.n_candidates} leaves nothing of alpha={self.budget.alpha:g}; "
                f"at least {math.ceil(-math.log2(level)) + 1} are needed, or None."
            )
        return float(clopper_pearson_upper(self.c - 1, self.n, level - self.candidate_loss))

    @cached_property
    def pair_mass(self) -> float:
        """Mass of near pairs that makes one of the candidates near to half of the sample."""
        level, h = self._level_there(4), (self.n + 1) // 2
        if self.group_size == 1:  # the sampled outputs themselves
            blocks, u = self.n // 2, (h - 1) / (self.n - 1)
        else:
            blocks, u = self.n_groups, (h - 1) / self.n

        def excess(s: float) -> float:
            divergence = special.rel_entr(u, s) + special.rel_entr(1 - u, 1 - s)
            return float(blocks * divergence + math.log(level))

        if excess(1 - 1e-12) < 0:
            return 1.0
        return min(1.0, float(optimize.brentq(excess, u + 1e-12, 1 - 1e-12)) * _ROUND_UP)

    def shift(self, radius: float, sigma: float) -> float:
        """Size of a perturbation, and of what rounding moves, in units of the noise.

        The noise is that of one (averaged) output.
        """
        moved = radius + 2 * self.moves.half_cell(2)
        return math.sqrt(self.n_average) * moved / sigma * _SHIFT_UP

    def max_radius(self, sigma: float) -> float:
        """Largest perturbation that the draws can certify; 0: none."""
        reach = max(0.0, self.max_shift()) * sigma / math.sqrt(self.n_average)
        return max(0.0, reach * (1 - 1e-9) - 2 * self.moves.half_cell(2))

    def max_shift(self) -> float:
        """Largest shift that the draws can certify; 0 or less: none."""
        if self.is_integrated:
            return _last_true(lambda shift: self._integrated(shift) is not None)
        failure = self._failure(1)
        tail = -math.expm1(math.log(self._level_here(2)) / self.m) + failure
        needed = min(self.needed_mass(2) + failure, 1.0)
        return float(-special.ndtri(tail) - special.ndtri(needed))

    def _failure(self, n_outputs: int) -> float:
        """How far a probability of so many outputs may be from that under exact noise."""
        return self.moves.failure * self.n_average * n_outputs

    def _integrated(self, shift: float) -> int | None:
        level = (self._level_there(1) - self.candidate_loss) / self.budget.n_statements
        error = self._failure(1)
        return integrated_rank(self.n, self.m, self.c, shift, level, mass_error=error)

    def ranks(self, shift: float) -> Ranks | None:
        """Ranks for a perturbation; None: the draws are too few.

        They depend on nothing that is sampled, so neither does the choice whether the group
        certificate is worth its half of alpha.

        Parameters
        ----------
        shift : float
            Size of the perturbation in units of the noise.

        Returns
        -------
        ranks : Ranks or None
        """
        if self.is_integrated:
            k = self._integrated(shift)
            return None if k is None else Ranks(k, None)
        if self.group_size:
            ball = self._rank(self.m, self.needed_mass(4), shift, 4)
            steps, size = shift * math.sqrt(self.group_size + 1), self.group_size + 1
            pair = self._rank(self.m // size, self.pair_mass, steps, 4, n_outputs=size)
            if ball is not None and pair is not None:
                return Ranks(ball, pair)
        ball = self._rank(self.m, self.needed_mass(2), shift, 2)
        return None if ball is None else Ranks(ball, None)

    def _rank(
        self, m: int, mass: float, shift: float, n_events: int, n_outputs: int = 1
    ) -> int | None:
        failure = self._failure(n_outputs)  # of the law there, and of the law here
        if mass + failure >= 1 or m < 1:
            return None
        outside = float(special.ndtr(-(special.ndtri(mass + failure) + shift))) * (1 - 1e-14)
        return upper_quantile_rank(m, max(outside - failure, 0.0), self._level_here(n_events))

    def output_radius(self, ranks: Ranks, to_center: NDArray[Any], of_pairs: NDArray[Any]) -> float:
        """Bound on the metric between the two answers.

        Parameters
        ----------
        ranks : Ranks
            Of :meth:`ranks`.
        to_center : ndarray of shape (m,)
            Distances of fresh outputs to the centre.
        of_pairs : ndarray
            Distances between averages of groups and further outputs.

        Returns
        -------
        bound : float
        """
        ball = _order_statistic(to_center, ranks.ball)
        reach = self.beta * ball
        if ranks.pair is not None:
            reach = min(reach, _order_statistic(of_pairs, ranks.pair))
        bound = self.gamma * (ball + reach) * (1 + rounding(self.n_values))
        return bound + self.gamma * _BELOW_NORMAL if bound > 0 else 0.0

    def input_radius(self, to_center: NDArray[Any], metric_radius: float, sigma: float) -> float:
        """Largest perturbation that provably moves the answer by no more than a given distance.

        Parameters
        ----------
        to_center : ndarray of shape (m,)
            Distances of fresh outputs to the centre.
        metric_radius : float
            Distance, in the metric, chosen before sampling.
        sigma : float
            Standard deviation of the noise.

        Returns
        -------
        radius : float
            0 where nothing is proven.
        """
        ball = metric_radius / (self.gamma * (1 + self.beta)) / (1 + rounding(self.n_values))
        ball = max(0.0, ball - _BELOW_NORMAL)
        inside = int(np.count_nonzero(to_center <= ball))
        mass = float(clopper_pearson_lower(inside, self.m, self._level_here(2)))
        failure = self._failure(1)
        tail, needed = min(1 - mass + failure, 1.0), min(self.needed_mass(2) + failure, 1.0)
        shift = float(-special.ndtri(tail) - special.ndtri(needed))
        reach = shift * sigma / math.sqrt(self.n_average) / _ROUND_UP
        return max(0.0, reach - 2 * self.moves.half_cell(2))


def _order_statistic(values: NDArray[Any], rank: int) -> float:
    return float(np.partition(values, rank - 1)[rank - 1])


def _last_true(holds: Callable[[float], bool]) -> float:
    """Largest number from 0, to four digits and from below, at which a decreasing condition holds.

    0 where it does not hold at 0.
    """
    low, high = 0.0, 1.0
    if not holds(low):
        return low
    while holds(high):
        low, high = high, high + 1.0
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
