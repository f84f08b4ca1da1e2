"""Two classes whose score is a sum of step functions of single features: boosted stumps.

With noise that is independent for each feature the terms of the score are independent, and each
takes few values, whose probabilities are those of intervals. The certificate of the second class
rests on the probability that the sum is 0 or less; that of the first, that it is 0 or more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._additive import AdditiveScore
from sksmooth.certifiers.exact._base import Array, ClassLaw, VoteByLaw, rounded_up
from sksmooth.certifiers.exact._sums import IndependentSum
from sksmooth.noise._marginals import Marginal

_EPS = float(np.finfo(np.float64).eps)

# Outcomes of half of the terms; with no more of them, all outcomes are looked at.
_FEW_OUTCOMES = 4096

# Points of the grid of others: at least so many, so many for each term, and at most so many.
_FEWEST_POINTS, _POINTS_PER_TERM, _MOST_POINTS = 4096, 64, 16384

# With more terms than this, a bound for the sum of all errors is narrower than one for each.
_MANY_TERMS = 48

# Degree of the majorants, which are narrower than any grid where nothing is improbable.
_DEGREE = 4096


@dataclass(frozen=True)
class AdditiveVote(VoteByLaw):
    """Class probabilities of a sum of step functions, between bounds that hold without doubt.

    Attributes
    ----------
    score : AdditiveScore
        Base model.
    marginal : Marginal
        Law of the noise of one feature.
    """

    score: AdditiveScore
    marginal: Marginal

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes."""
        return 2

    @property
    def values_per_row(self) -> int:
        """Numbers that are held for each row, about."""
        n_steps = sum(len(f.values) for f in self.score.functions)
        return self._n_points + 2 * n_steps + self.score.n_features

    def suits(self, shape: tuple[int, ...]) -> bool:
        """Whether inputs have the shape that the model takes."""
        return shape == (self.score.n_features,)

    def classify(self, values: Array) -> NDArray[np.intp]:
        """Positions of the classes that the model gives to inputs without noise."""
        return self.score.classify(values)

    def probabilities(self, values: Array) -> Array:
        """Class probabilities of inputs under noise, shape (m, n_classes)."""
        return self.law(values).probabilities

    def law(self, values: Array) -> ClassLaw:
        """Class probabilities of inputs: the middle of their bounds."""
        tail = np.column_stack(self._tails(values))
        second = (tail[:, 0] + (1.0 - tail[:, 1])) / 2
        return ClassLaw(np.column_stack([1.0 - second, second]), upper=tail[:, ::-1], tail=tail)

    def _tails(self, values: Array) -> tuple[Array, Array]:
        """Upper bounds of the probabilities of a score of 0 or more, and of 0 or less."""
        edge, sums = self.score.rounding, self._sums(values)
        if sums is None:
            always = float(self.score.constant)
            return (
                np.full(len(values), float(always >= -edge)),
                np.full(len(values), float(always <= edge)),
            )
        both = (sums.negated(), sums)
        if sums.n_outcomes <= _FEW_OUTCOMES:
            high, low = (self._up(one, one.enumerated(edge)) for one in both)
            return high, low
        high, low = (self._up(one, one.rounded_down(edge, self._n_points)) for one in both)
        if len(sums.values) > _MANY_TERMS:
            others = [self._up(one, one.rounded_to_nearest(edge, self._n_points)) for one in both]
            high, low = np.minimum(high, others[0]), np.minimum(low, others[1])
        at_most, at_least = sums.by_majorants(edge, _DEGREE)
        return (
            np.minimum(high, self._up(both[0], at_least)),
            np.minimum(low, self._up(both[1], at_most)),
        )

    def _up(self, sums: IndependentSum, probability: Array) -> Array:
        """Round probabilities of a sum up by more than the error of what they are made of."""
        n_steps = sum(map(len, sums.values))
        rounding = len(sums.values) * self.marginal.rounding + 4 * n_steps * _EPS
        possible = sums.lowest <= self.score.rounding
        return rounded_up(probability, rounding, n_steps * self.marginal.slack, possible)

    @property
    def _n_points(self) -> int:
        wanted = _POINTS_PER_TERM * len(self.score.functions)
        return min(max(wanted, _FEWEST_POINTS), _MOST_POINTS)

    def _sums(self, values: Array) -> IndependentSum | None:
        """Scores of noisy inputs; None for a constant."""
        functions = self.score.functions
        missing = np.isnan(values[:, [f.feature for f in functions]]).any()
        steps, masses = [], []
        for f in functions:
            x, ends = values[:, f.feature], np.r_[-np.inf, f.ends, np.inf][:, None]
            mass, step = self.marginal.probability(x, ends[:-1], ends[1:]), f.values
            if missing:
                mass = np.vstack([np.where(np.isnan(x), 0.0, mass), np.isnan(x)])
                step = np.r_[step, f.missing]
            masses.append(mass)
            steps.append(step)
        return IndependentSum(self.score.constant, steps, masses) if functions else None
