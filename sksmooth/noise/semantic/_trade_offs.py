"""Trade-offs of a parameter together with noise of every pixel, and what rounding costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sksmooth.noise._radii._trade_off import NormalTradeOff, TradeOff, last_proven

Array = NDArray[np.float64]

_ROUNDING = 1e-14


@dataclass(frozen=True)
class RoundedTradeOff(TradeOff):
    """Trade-off function of draws and inputs that are rounded to a lattice.

    Attributes
    ----------
    exact : TradeOff
        That of the ideal law.
    failure : float
        Probability that rounding tells the draws from those of the ideal law.
    move : float
        How far rounding moves a parameter, in the unit of `exact`.
    """

    exact: TradeOff
    failure: float
    move: float = 0.0

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        return self.exact.worst_case_probability(self._raised(tail), r + self.move)

    def one_sided(self, tail: Array) -> Array:
        return self._shrunk(self.exact.one_sided(self._raised(tail)))

    def radius(self, tail: Array, runner_up: Array) -> Array:
        return self._shrunk(self.exact.radius(self._raised(tail), self._raised(runner_up)))

    def _raised(self, p: Array) -> Array:
        return np.minimum(p + self.failure, 1.0)

    def _shrunk(self, radius: Array) -> Array:
        return np.maximum(radius * (1.0 - 4e-16) - self.move * (1.0 + 1e-15), 0.0)


@dataclass(frozen=True)
class JointTradeOff(TradeOff):
    """A parameter that moves by r and, after that, pixels under normal noise that move, too.

    Given the parameter, the shift of the pixels has a size that is bounded, and a normal pair is
    harder to tell apart than one that is shifted by more. So the two laws are no easier to tell
    apart than those of the parameter and of one normal value that is shifted by the bound.

    Attributes
    ----------
    of_parameter : TradeOff
        That of the parameter.
    shift : float
        Size of the shift of the pixels, in standard deviations of their noise.
    """

    of_parameter: TradeOff
    shift: float

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        if isinstance(self.of_parameter, NormalTradeOff):
            both = np.hypot(r, self.shift) * (1.0 + 1e-15)
            return self.of_parameter.worst_case_probability(tail, both)
        kept = self.of_parameter.worst_case_probability(tail, r)
        quantile = special.ndtri(np.clip(kept, 0.0, 1.0)) - self.shift * (1.0 + 1e-15)
        least = special.ndtr(quantile - 1e-14 * (1.0 + np.abs(quantile)))
        return np.where(kept > 0, least * (1.0 - _ROUNDING), 0.0)

    def one_sided(self, tail: Array) -> Array:
        if isinstance(self.of_parameter, NormalTradeOff):
            return self.radius(tail, tail)

        def lead(r: Array, rows: NDArray[np.intp]) -> Array:
            return self.worst_case_probability(tail[rows], r) - 0.5 - _ROUNDING

        high = np.minimum(self.of_parameter.one_sided(tail), 1e3)
        return last_proven(lead, np.zeros_like(high), high, self.search_width)

    def radius(self, tail: Array, runner_up: Array) -> Array:
        if not isinstance(self.of_parameter, NormalTradeOff):
            return super().radius(tail, runner_up)
        both = self.of_parameter.radius(tail, runner_up)
        with np.errstate(invalid="ignore"):
            parts = (both - self.shift) * (both + self.shift)  # infinite stays infinite
            rest = np.sqrt(np.maximum(parts, 0.0)) * (1.0 - _ROUNDING)
        return rest
