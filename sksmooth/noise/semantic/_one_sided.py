"""Laws of a parameter that can only grow: what is added to it, by noise or attack, is positive.

Their trade-off functions are those of one parameter b >= 0 and attacks a >= 0, and tight: for each
there is a set of parameters that attains it.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import special

from sksmooth.noise._base import Noise
from sksmooth.noise._radii._trade_off import LipschitzTradeOff, TradeOff

Array = NDArray[np.float64]

_ROUNDING = 1e-14


class OneSidedLaw(Noise):
    """Positive law of one parameter, by its mean.

    Attributes
    ----------
    sigma : float
        Mean.
    """

    norm: ClassVar[float] = 2

    def __init__(self, sigma: float = 0.25) -> None:
        self.sigma = sigma

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw parameters; see :meth:`Noise.draw`."""
        unit: NDArray[Any] = self._of_unit_mean(n, shape, rng) * float(self.sigma)
        return unit.astype(dtype, copy=False)

    @abstractmethod
    def _of_unit_mean(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """Draw parameters of mean 1."""


class ExponentialLaw(OneSidedLaw):
    """Exponential parameter."""

    def _of_unit_mean(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return rng.standard_exponential((n, *shape))

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function; its unit is the mean."""
        return ExponentialTradeOff(), float(self.sigma)

    def reach(self, n_features: int | None = None) -> float:
        """Quantile; see :meth:`Noise.reach`."""
        return 42.0 * float(self.sigma)


class PositiveUniformLaw(OneSidedLaw):
    """Parameter that is uniform from 0 to twice the mean."""

    def _of_unit_mean(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return 2.0 * rng.random((n, *shape))

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function: a shift by a leaves all but the part ``a / (2 mean)``."""
        return LipschitzTradeOff(), float(self.sigma)

    def reach(self, n_features: int | None = None) -> float:
        """Largest value; see :meth:`Noise.reach`."""
        return 2.0 * float(self.sigma)


class HalfNormalLaw(OneSidedLaw):
    """Size of a normal value."""

    def _of_unit_mean(self, n: int, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.abs(rng.standard_normal((n, *shape))) * math.sqrt(math.pi / 2)

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function; its unit is the standard deviation of the normal value."""
        return HalfNormalTradeOff(), float(self.sigma) * math.sqrt(math.pi / 2)

    def reach(self, n_features: int | None = None) -> float:
        """Quantile; see :meth:`Noise.reach`."""
        return 9.3 * float(self.sigma) * math.sqrt(math.pi / 2)


@dataclass(frozen=True)
class ExponentialTradeOff(TradeOff):
    """Exponential parameter of mean 1, moved up by r.

    The density of the moved law is ``exp(r)`` times that of the law from r on, and 0 before.
    """

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            most = np.where(tail > 0, tail * np.exp(r) * (1.0 + _ROUNDING * (1.0 + r)), 0.0)
        return 1.0 - most - 2e-16

    def one_sided(self, tail: Array) -> Array:
        return self.radius(tail, tail)

    def radius(self, tail: Array, runner_up: Array) -> Array:
        with np.errstate(divide="ignore"):
            radius = -np.log(tail + runner_up) * (1.0 - _ROUNDING) - 6e-16
        return np.where(1.0 - tail > runner_up, np.maximum(radius, 0.0), 0.0)


@dataclass(frozen=True)
class HalfNormalTradeOff(TradeOff):
    """Size of a standard normal value, moved up by r: the likelihood ratio grows with the size."""

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        with np.errstate(invalid="ignore"):
            largest = -special.ndtri(tail / 2.0)  # of the sizes in the set that loses most
            least = 1.0 - 2.0 * special.ndtr(r * (1.0 + 1e-15) - largest * (1.0 - 1e-15))
        return np.where(tail > 0, least * (1.0 - _ROUNDING * (1.0 + r * r)) - _ROUNDING, 1.0)

    def one_sided(self, tail: Array) -> Array:
        largest = -special.ndtri(tail / 2.0)
        radius = (largest - special.ndtri(0.75)) * (1.0 - _ROUNDING) - 6e-16
        return np.where(tail < 0.5, np.maximum(radius, 0.0), 0.0)
