"""Gamma correction: pixels in [0, 1] to a power."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sksmooth.noise.semantic._base import Array, SemanticNoise, across, exponentials

# Logarithms beyond this are of no finite positive power; all values but 0 and 1 are at an end.
_LARGEST = 700.0


class Gamma(SemanticNoise):
    """Raise all features of an input, which lie in [0, 1], to a random power.

    Each input x becomes ``x ** exp(t)``, with one random t for all its features. Votes then prove
    for which powers the prediction is the same.

    Parameters
    ----------
    sigma : float, default=0.25
        Root mean square of t, the logarithm of the power gamma (its mean, where it is positive).
    law : {"gaussian", "uniform", "laplace", "exponential", "half-normal"}, default="gaussian"
        Law of t. With the last two only powers above 1 are drawn, and covered.

    Attributes
    ----------
    norm : float
        There is one parameter, so that all norms are its size.

    Notes
    -----
    The radius R is one of the logarithm: it covers the powers from ``exp(-R)`` to ``exp(R)``. The
    attacked input stays in [0, 1], so that clipping does nothing, and is not rounded.

    Examples
    --------
    >>> from sksmooth.noise import Gamma
    >>> Gamma().transform([[0.25, 1.0]], parameter=0.6931471805599453).round(4)
    array([[0.0625, 1.    ]])
    """

    parameter: ClassVar[str] = "log gamma"
    unit: ClassVar[str] = "natural logarithm"

    def __init__(self, sigma: float = 0.25, law: str = "gaussian") -> None:
        self.sigma = sigma
        self.law = law

    def check_inputs(self, values: NDArray[Any]) -> None:
        """Refuse values outside [0, 1]; see :meth:`Noise.check_inputs`."""
        super().check_inputs(values)
        outside = np.argwhere(~((values >= 0) & (values <= 1)))
        if len(outside):
            row, value = int(outside[0, 0]), values[tuple(outside[0])]
            raise ValueError(
                f"X contains {value:g} at row {row}, and powers are taken of values in [0, 1]. "
                "Divide X by its largest value (255 for images of bytes), or clip it."
            )

    def _transformed(self, X: Array, parameters: Array) -> Array:
        logarithms = np.clip(parameters, -_LARGEST, _LARGEST)
        powers = np.exp(across(logarithms, X.ndim - parameters.ndim + 1))
        with np.errstate(under="ignore"):
            return np.asarray(np.power(X, powers))

    @property
    def _formula(self) -> str:
        return "x ** exp(a)"

    def ranges(self, radius: NDArray[np.float64]) -> dict[str, Array]:
        """Ranges of the power and of its logarithm; see :meth:`SemanticNoise.ranges`."""
        logarithms = super().ranges(radius)
        return {**logarithms, "gamma": exponentials(logarithms["log_gamma"])}
