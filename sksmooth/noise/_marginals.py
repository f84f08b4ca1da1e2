"""The law of the noise of one feature, where features are independent: probabilities of intervals.

Every probability is a sum or product of positive terms, so that those of far intervals keep their
relative precision: what lies far from an input is what a large certificate rests on.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sksmooth.noise._base import Noise
from sksmooth.noise._gaussian import GaussianNoise
from sksmooth.noise._laplace import LaplaceNoise
from sksmooth.noise._uniform import UniformNoise

Array = NDArray[np.float64]

# Intervals narrower than this, in units of where the density falls by a factor e, are integrated;
# the difference of two tails would cancel.
_NARROW = 0.25

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)


@dataclass(frozen=True)
class Marginal(ABC):
    """Law of the noise of one feature: symmetric about 0, with one peak.

    Attributes
    ----------
    scale : float
        Unit of length, in the units of the input.
    rounding : float
        Bound of the relative error of a probability above 1e-300.
    slack : float
        Bound of its absolute error beside that.
    """

    scale: float

    rounding: ClassVar[float] = 1e-12
    slack: ClassVar[float] = 0.0

    def probability(self, x: Array, low: Array, high: Array) -> Array:
        """Probability that a feature falls into an interval under noise.

        Parameters
        ----------
        x : ndarray
            Value of the feature.
        low, high : ndarray
            Ends of the interval, which may be infinite; all broadcast against each other. Where
            they leave nothing between them the probability is 0.

        Returns
        -------
        probability : ndarray
        """
        empty = ~(low < high)
        low, high = np.where(empty, 0.0, low), np.where(empty, 0.0, high)
        start, stop = (low - x) / self.scale, (high - x) / self.scale
        width = np.maximum((high - low) / self.scale, 0.0)
        left = start < -stop  # turned over, so that the near end is the left one
        near = np.where(left, -stop, start)
        far = np.where(left, -start, stop)
        mass = self._mass(near, far, np.broadcast_to(width, near.shape))
        return np.where(empty, 0.0, mass)

    @abstractmethod
    def _mass(self, near: Array, far: Array, width: Array) -> Array:
        """Probability of ``[near, far]``, in units of the scale, where ``near >= -far``."""


class _NormalMarginal(Marginal):
    def _mass(self, near: Array, far: Array, width: Array) -> Array:
        mass = special.ndtr(-near) - special.ndtr(-far)
        middle = near < 0
        mass[middle] = special.ndtr(far[middle]) - special.ndtr(near[middle])
        narrow = width * np.maximum(near, 1.0) < _NARROW
        half = width[narrow, None] / 2
        nodes = near[narrow, None] + half * (1.0 + _NODES)
        density = np.exp(-nodes * nodes / 2) / math.sqrt(2 * math.pi)
        mass[narrow] = (density * half) @ _WEIGHTS
        return mass


class _LaplaceMarginal(Marginal):
    def _mass(self, near: Array, far: Array, width: Array) -> Array:
        aside = np.exp(-np.maximum(near, 0.0)) * -np.expm1(-width)
        around = -np.expm1(np.minimum(near, 0.0)) - np.expm1(-np.maximum(far, 0.0))
        mass: Array = np.where(near >= 0, aside, around) / 2
        return mass


class _UniformMarginal(Marginal):
    slack: ClassVar[float] = 4e-15  # of the distance of an end to the border of the cube

    def _mass(self, near: Array, far: Array, width: Array) -> Array:
        within = (near > -1) & (far < 1)
        shared = np.minimum(far, 1.0) - np.maximum(near, -1.0)
        return np.where(within, width, np.maximum(shared, 0.0)) / 2


def marginal_of(noise: Noise) -> Marginal | None:
    """Law of the noise of one feature; None where features are not independent, or it is unknown.

    Parameters
    ----------
    noise : Noise
        Smoothing distribution.

    Returns
    -------
    marginal : Marginal or None

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.noise import GaussianNoise
    >>> from sksmooth.noise._marginals import marginal_of
    >>> marginal = marginal_of(GaussianNoise(0.5))
    >>> marginal.probability(np.array([0.0]), np.array([1.0]), np.array([np.inf])).round(4)
    array([0.0228])
    """
    sigma = float(noise.sigma)
    if type(noise) is GaussianNoise and not noise.k:
        return _NormalMarginal(sigma)
    if type(noise) is LaplaceNoise and not noise.k:
        return _LaplaceMarginal(sigma / math.sqrt(2))
    if type(noise) is UniformNoise:
        return _UniformMarginal(sigma * math.sqrt(3))
    return None
