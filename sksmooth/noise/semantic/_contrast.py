"""Contrast of an image, volume of a sound: differences from a centre grow by a factor."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from sksmooth.arguments._numbers import read_number
from sksmooth.noise.semantic._base import Array, SemanticNoise, across, exponentials


class Contrast(SemanticNoise):
    """Multiply the differences of every input from a fixed centre by a random factor.

    Each input x becomes ``center + exp(k) * (x - center)``, with one random k for all its features.
    Votes then prove for which factors the prediction is the same.

    Parameters
    ----------
    sigma : float, default=0.25
        Root mean square of k, the logarithm of the factor (its mean, where it is positive).
    law : {"gaussian", "uniform", "laplace", "exponential", "half-normal"}, default="gaussian"
        Law of k. With the last two only factors above 1 are drawn, and covered.
    center : float, default=0.0
        What does not change: 0 for the volume of a sound; the middle of the range for images that
        are dimmed around it.

    Attributes
    ----------
    norm : float
        There is one parameter, so that all norms are its size.

    Notes
    -----
    The radius R is one of the logarithm: it covers the factors from ``exp(-R)`` to ``exp(R)``. The
    attacked input is ``center + factor * (x - center)`` itself, neither clipped to a range nor
    rounded. What the base model does with it is free.

    References
    ----------
    .. [1] Li, L. et al. (2021). TSS: transformation-specific smoothing for robustness
       certification. CCS 2021.

    Examples
    --------
    >>> from sksmooth.noise import Contrast
    >>> noise = Contrast(sigma=0.3)
    >>> noise.transform([[0.2, 0.8]], parameter=0.5).round(2)
    array([[0.33, 1.32]])
    >>> round(float(noise.radius(0.99)), 4)
    0.6979
    """

    parameter: ClassVar[str] = "log factor"
    unit: ClassVar[str] = "natural logarithm"

    def __init__(self, sigma: float = 0.25, law: str = "gaussian", center: float = 0.0) -> None:
        self.sigma = sigma
        self.law = law
        self.center = center

    def check_parameters(self) -> None:
        """Raise a ValueError that names the first parameter that describes no distribution."""
        super().check_parameters()
        check_center(self.center)

    def _transformed(self, X: Array, parameters: Array) -> Array:
        n_axes = X.ndim - parameters.ndim + 1
        return scaled_about(float(self.center), np.exp(across(parameters, n_axes)), X)

    @property
    def _formula(self) -> str:
        return f"exp(a) {about_center(float(self.center))}"

    def ranges(self, radius: NDArray[np.float64]) -> dict[str, Array]:
        """Ranges of the factor and of its logarithm; see :meth:`SemanticNoise.ranges`."""
        logarithms = super().ranges(radius)
        return {**logarithms, "factor": exponentials(logarithms["log_factor"])}


def scaled_about(center: float, factor: Array, X: Array) -> Array:
    """Return what becomes of inputs whose differences from a centre grow by a factor."""
    return factor * X if center == 0.0 else center + factor * (X - center)


def about_center(center: float) -> str:
    """Return how a centre reads in a formula."""
    return "x" if center == 0.0 else f"(x - {center:g}) + {center:g}"


def check_center(center: object) -> None:
    """Refuse a centre that is no finite number."""
    if not np.isfinite(read_number("center", center)):
        raise ValueError(f"center must be a finite number, got {center!r}.")
