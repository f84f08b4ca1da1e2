"""Contrast and brightness together."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from sksmooth.arguments._numbers import read_numbers
from sksmooth.noise._base import Noise, tail_of
from sksmooth.noise._gaussian import GaussianNoise
from sksmooth.noise._radii._trade_off import TradeOff
from sksmooth.noise.semantic._base import Array, SemanticNoise, across, exponentials
from sksmooth.noise.semantic._box import LARGEST_SPREAD, BoxTradeOff, least_probability
from sksmooth.noise.semantic._contrast import about_center, check_center, scaled_about


class BrightnessContrast(SemanticNoise):
    """Multiply every input by a random factor, then add a random number.

    Each input x becomes ``center + exp(k) * (x - center) + b``, with one random k and one random b
    for all its features. Votes then prove for which pairs of a factor and an offset the prediction
    is the same.

    Parameters
    ----------
    sigma : float, default=0.25
        Standard deviation of b, in the units of the input.
    contrast_sigma : float, default=0.25
        Standard deviation of k, the logarithm of the factor; at most 1.
    law : "gaussian"
        Law of both.
    center : float, default=0.0
        What a factor does not change.

    Attributes
    ----------
    norm : float
        Of no meaning here: the radius is one of a box.

    Notes
    -----
    A radius R covers the box ``|b| <= R`` and ``|k| <= R * contrast_sigma / sigma``, all pairs in
    it. :meth:`least_probability` says what is left of a class at any single pair. The attack
    multiplies and then adds, too, and its result is neither clipped nor rounded.

    The region that is covered is smaller than the ellipse of two independent normal shifts, since
    a factor also scales the offsets after it.

    References
    ----------
    .. [1] Li, L. et al. (2021). TSS: transformation-specific smoothing for robustness
       certification. CCS 2021 (adds before it multiplies, and bounds less tightly).

    Examples
    --------
    >>> from sksmooth.noise import BrightnessContrast
    >>> noise = BrightnessContrast(sigma=0.3, contrast_sigma=0.3)
    >>> round(float(noise.radius(0.99)), 3)
    0.472
    >>> round(float(noise.least_probability(0.99, contrast=0.2, brightness=0.1)), 3)
    0.932
    """

    parameter: ClassVar[str] = "brightness"
    unit: ClassVar[str] = "units of X"
    laws: ClassVar[Mapping[str, type[Noise]]] = {"gaussian": GaussianNoise}

    def __init__(
        self,
        sigma: float = 0.25,
        contrast_sigma: float = 0.25,
        law: str = "gaussian",
        center: float = 0.0,
    ) -> None:
        self.sigma = sigma
        self.contrast_sigma = contrast_sigma
        self.law = law
        self.center = center

    def check_parameters(self) -> None:
        """Raise a ValueError that names the first parameter that describes no distribution."""
        super().check_parameters()
        check_center(self.center)
        spread: Any = self.contrast_sigma
        if isinstance(spread, bool) or not (
            isinstance(spread, Real) and 0 < float(spread) <= LARGEST_SPREAD
        ):
            raise ValueError(
                "The 'contrast_sigma' parameter of BrightnessContrast must be a positive number, "
                f"at most {LARGEST_SPREAD:g}: factors of {np.exp(LARGEST_SPREAD):.2g} and their "
                f"inverses are usual then. Got {spread!r} instead."
            )

    def n_parameters(self, shape: tuple[int, ...] | None = None) -> int:
        """Return 2: the logarithm of the factor, and the offset."""
        return 2

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw pairs (k, b); see :meth:`SemanticNoise.draw`."""
        self.check_parameters()
        pairs = rng.standard_normal((n, 2)) * [float(self.contrast_sigma), float(self.sigma)]
        return pairs.astype(dtype, copy=False)

    def least_probability(self, p: ArrayLike, *, contrast: ArrayLike, brightness: ArrayLike) -> Any:
        """Least probability of a class after ``exp(contrast) * x + brightness``.

        Parameters
        ----------
        p : float or array-like
            Probability of the class (or a lower bound) before it.
        contrast, brightness : float or array-like
            Logarithm of the factor, and offset.

        Returns
        -------
        p_least : float or ndarray
            Rounded down. No bound is larger, up to rounding: some classifier attains it.
        """
        self.check_parameters()
        k, b = read_numbers("contrast", contrast), read_numbers("brightness", brightness)
        if not (np.isfinite(k).all() and np.isfinite(b).all()):
            raise ValueError("contrast and brightness must hold finite numbers.")
        spread = float(self.contrast_sigma)
        tail, k, b = np.broadcast_arrays(tail_of("p", p), k / spread, np.abs(b) / float(self.sigma))
        least = least_probability(tail.ravel(), k.ravel(), b.ravel(), spread)
        return np.maximum(least, 0.0).reshape(tail.shape)[()]

    def of_parameters(self, norm: float | None) -> tuple[TradeOff, float]:
        """Trade-off function of a box; see :meth:`SemanticNoise.of_parameters`."""
        return BoxTradeOff(float(self.contrast_sigma)), float(self.sigma)

    def _transformed(self, X: Array, parameters: Array) -> Array:
        n_axes = X.ndim - parameters.ndim + 1
        factor = np.exp(across(parameters[..., :1], n_axes))
        offset = across(parameters[..., 1:], n_axes)
        return np.asarray(scaled_about(float(self.center), factor, X) + offset)

    @property
    def _ratio(self) -> float:
        return float(self.contrast_sigma) / float(self.sigma)

    @property
    def _formula(self) -> str:
        return f"exp(k) {about_center(float(self.center))} + a"

    @property
    def _bounds(self) -> str:
        return f"|a| <= radius and |k| <= {self._ratio:.6g} radius"

    def ranges(self, radius: NDArray[np.float64]) -> dict[str, Array]:
        """Ranges of the offset, the factor and its logarithm; see :meth:`SemanticNoise.ranges`."""
        logarithms = super().ranges(radius * self._ratio * (1.0 - 1e-15))["brightness"]
        factors = {"log_factor": logarithms, "factor": exponentials(logarithms)}
        return {**super().ranges(radius), **factors}
