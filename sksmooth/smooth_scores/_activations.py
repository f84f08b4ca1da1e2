"""Smooth activation functions, with the ranges of their derivatives over intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, ndtr

from sksmooth.smooth_scores._norms import Floats

_Function = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Activation:
    """A function whose derivative is Lipschitz, at least on bounded intervals.

    Attributes
    ----------
    name : str
        In messages.
    value, first, second : callable
        The function and its derivatives, elementwise.
    turns_of_first, turns_of_second : tuple of float
        Where the derivatives turn: between these points, and beyond them, they are monotone.
    """

    name: str
    value: _Function
    first: _Function
    second: _Function
    turns_of_first: tuple[float, ...]
    turns_of_second: tuple[float, ...]

    def largest_first(self, low: Floats, high: Floats) -> Floats:
        """Largest absolute first derivative over intervals."""
        smallest, largest = _range(self.first, self.turns_of_first, low, high)
        return np.maximum(np.abs(smallest), np.abs(largest))

    def range_of_second(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """Smallest and largest second derivative over intervals."""
        return _range(self.second, self.turns_of_second, low, high)


def _range(
    function: _Function, turns: tuple[float, ...], low: Floats, high: Floats
) -> tuple[Floats, Floats]:
    """Range of a function that is monotone between its turns: at the ends and at the turns."""
    candidates = [function(low), function(high)]
    candidates += [function(np.clip(turn, low, high)) for turn in turns]
    return np.minimum.reduce(candidates), np.maximum.reduce(candidates)


# Beyond it the derivatives below are those of a straight line, to the last bit.
_FAR = 750.0


def _far(function: _Function) -> _Function:
    return lambda z: function(np.clip(z, -_FAR, _FAR))


def _normal_density(z: Floats) -> Floats:
    return np.exp(-z * z / 2) / (2 * np.pi) ** 0.5


def _silu_second(z: Floats) -> Floats:
    s = expit(z)
    return s * expit(-z) * (2 + z * (1 - 2 * s))


def _sech_squared(z: Floats) -> Floats:
    """``1 - tanh(z)^2`` without its cancellation."""
    return 4 * expit(2 * z) * expit(-2 * z)


_SQRT_THIRD = 3**-0.5

TANH = Activation(
    "tanh",
    value=np.tanh,
    first=_sech_squared,
    second=lambda z: -2 * np.tanh(z) * _sech_squared(z),
    turns_of_first=(0.0,),
    turns_of_second=(-float(np.arctanh(_SQRT_THIRD)), float(np.arctanh(_SQRT_THIRD))),
)
_LOGISTIC_TURN = float(np.log(2 + 3**0.5))
LOGISTIC = Activation(
    "logistic",
    value=expit,
    first=lambda z: expit(z) * expit(-z),
    second=lambda z: expit(z) * expit(-z) * (1 - 2 * expit(z)),
    turns_of_first=(0.0,),
    turns_of_second=(-_LOGISTIC_TURN, _LOGISTIC_TURN),
)
SOFTPLUS = Activation(
    "softplus",
    value=lambda z: np.logaddexp(0, z),
    first=expit,
    second=lambda z: expit(z) * expit(-z),
    turns_of_first=(),
    turns_of_second=(0.0,),
)
ELU = Activation(
    "ELU",
    value=lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    first=lambda z: np.exp(np.minimum(z, 0)),
    # at 0 the derivative is continuous but the second one jumps from 1 to 0: both are in the range
    second=lambda z: np.where(z > 0, 0.0, np.exp(np.minimum(z, 0))),
    turns_of_first=(),
    turns_of_second=(0.0,),
)
GELU = Activation(
    "GELU",
    # the distribution function itself, for 1 + erf(z) goes down in steps where it is near 0
    value=lambda z: z * ndtr(z),
    first=_far(lambda z: ndtr(z) + z * _normal_density(z)),
    second=_far(lambda z: _normal_density(z) * (2 - z * z)),
    turns_of_first=(-(2**0.5), 2**0.5),
    turns_of_second=(-2.0, 0.0, 2.0),
)
SILU = Activation(
    "SiLU",
    value=lambda z: z * expit(z),
    first=_far(lambda z: expit(z) * (1 + z * expit(-z))),
    second=_far(_silu_second),
    turns_of_first=(-2.3993572805154676, 2.3993572805154676),
    turns_of_second=(-3.435840993510689, 0.0, 3.435840993510689),
)


def power(degree: int) -> Activation:
    """``z ** degree``, for polynomial kernels; its derivatives are bounded on intervals only."""
    return Activation(
        f"power {degree}",
        value=lambda z: z**degree,
        first=lambda z: degree * z ** (degree - 1),
        second=lambda z: degree * (degree - 1) * z ** (degree - 2),
        turns_of_first=(0.0,),
        turns_of_second=(0.0,),
    )
