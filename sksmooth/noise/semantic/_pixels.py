"""Noise of a parameter and of every pixel: clipping, 8 bits and floating point are covered, too."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.noise._base import Noise
from sksmooth.noise._gaussian import GaussianNoise
from sksmooth.noise._lattice import Rounding
from sksmooth.noise._radii._trade_off import TradeOff
from sksmooth.noise.semantic._base import Array, SemanticNoise
from sksmooth.noise.semantic._trade_offs import JointTradeOff, RoundedTradeOff

# Steps per unit of a scale, as a power of two, and how large values may be in that unit: then sums
# on the lattice are exact, and the errors of transforms are far below a step.
_STEPS, _LARGEST = 2.0**16, 2.0**16

# Two points are rounded, by half a step in each pixel, and two transforms are computed.
_MOVES = 1.25


class PixelTolerantNoise(SemanticNoise):
    """Base class of the transformations that bring no two inputs further apart.

    Attributes
    ----------
    pixel_sigma : float or None
        Standard deviation of the normal noise that every pixel gets after the transformation.
    tolerance : float or "8bit"
        How far, in l2, the attacked input may be from the transformed one.
    """

    pixel_sigma: float | None
    tolerance: float | str

    def check_parameters(self) -> None:
        """Raise a ValueError that names the first parameter that describes no distribution."""
        super().check_parameters()
        name = type(self).__name__
        if self.pixel_sigma is not None and not _is_positive(self.pixel_sigma):
            raise ValueError(
                f"The 'pixel_sigma' parameter of {name} must be None or a positive finite number, "
                f"in the units of X. Got {self.pixel_sigma!r} instead."
            )
        is_number = not isinstance(self.tolerance, bool) and isinstance(self.tolerance, Real)
        if self.tolerance != "8bit" and not (is_number and 0 <= float(self.tolerance) < math.inf):
            raise ValueError(
                f"The 'tolerance' parameter of {name} must be '8bit' or a finite number, and not "
                f"negative. Got {self.tolerance!r} instead."
            )
        if self.tolerance != 0 and self.pixel_sigma is None:
            raise ValueError(
                f"tolerance={self.tolerance!r} needs noise of the pixels, which hides small "
                "changes: set pixel_sigma, for instance to 0.1."
            )

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw parameters, and noise of the pixels; see :meth:`SemanticNoise.draw`."""
        parameters = super().draw(n, shape, rng, dtype)
        if self.pixel_sigma is None:
            return parameters
        noise = GaussianNoise(self.pixel_sigma)
        pixels = noise.draw(n, (math.prod(shape),), rng, np.float64)
        reach = noise.reach(None)
        pixels = on_lattice(np.clip(pixels, -reach, reach), step_of(self.pixel_sigma))
        return np.concatenate([parameters, pixels.astype(dtype)], axis=1)

    def apply(self, X: NDArray[Any], draws: NDArray[Any]) -> NDArray[Any]:
        """Transform inputs, and add noise to their pixels; see :meth:`Noise.apply`."""
        if self.pixel_sigma is None:
            return super().apply(X, draws)
        shape = X.shape[draws.ndim - 1 :]
        n_parameters = self.n_parameters(shape)
        clean = self._transformed(
            np.asarray(X, np.float64), draws[..., :n_parameters].astype(np.float64)
        )
        pixels = draws[..., n_parameters:].reshape(*draws.shape[:-1], *shape)
        noisy = on_lattice(clean, step_of(self.pixel_sigma)) + pixels
        return noisy.astype(draws.dtype, copy=False)

    def check_inputs(self, values: NDArray[Any]) -> None:
        """Refuse values that noise of the pixels is lost in; see :meth:`Noise.check_inputs`."""
        super().check_inputs(values)
        if self.pixel_sigma is not None:
            refuse_large(values, "pixel_sigma", float(self.pixel_sigma))

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function, after the tolerance; see :meth:`SemanticNoise.trade_off`.

        Where `n_features` is given, it counts what rounding to the lattice may change as well.
        """
        exact, unit = super().trade_off(n_features, norm)
        if self.pixel_sigma is None:
            return exact, unit
        sigma, tolerance = float(self.pixel_sigma), self.l2_tolerance(n_features)
        if n_features is None:
            return JointTradeOff(exact, tolerance / sigma), unit
        step = step_of(sigma)
        moved = _MOVES * step * math.sqrt(n_features)
        joint = JointTradeOff(exact, (tolerance + moved) / sigma * (1.0 + 1e-15))
        return RoundedTradeOff(joint, failure_of(GaussianNoise(sigma), step, n_features)), unit

    def l2_tolerance(self, n_features: int | None = None) -> float:
        """How far, in l2, the attacked input may be from the transformed one.

        Parameters
        ----------
        n_features : int, optional
            Number of features of one input; needed for the tolerance "8bit", which is
            ``sqrt(n_features) / 510``: the rounding of values in [0, 1] to multiples of 1/255.
        """
        if isinstance(self.tolerance, Real):
            return float(self.tolerance)
        if n_features is None:
            raise ValueError("tolerance='8bit' needs n_features: it grows with their number.")
        return math.sqrt(n_features) / 510 * (1.0 + 1e-15)

    @property
    def attack(self) -> str:
        """What a certificate covers, in words."""
        words = super().attack
        if self.tolerance == 0:
            return words
        size = "sqrt(n_features) / 510" if self.tolerance == "8bit" else f"{self.tolerance:g}"
        return f"{words}; after that any change of its pixels of at most {size} in l2"

    @property
    def _exceptions(self) -> str:
        return super()._exceptions if self.pixel_sigma is None else ""


def step_of(scale: float) -> float:
    """Step of a lattice for noise of a scale: a power of two."""
    return math.ldexp(0.5, math.frexp(float(scale) / _STEPS)[1])


def on_lattice(values: Array, step: float) -> Array:
    """Return the nearest multiples of a step."""
    nearest = np.rint(values / step)
    nearest *= step
    return nearest


def failure_of(noise: Noise, step: float, n_values: int) -> float:
    """Probability that rounding tells draws here or at an attacked input from the ideal ones."""
    return 2.0 * Rounding.of(step, noise, n_values).failure * (1.0 + 1e-9)


def refuse_large(values: NDArray[Any], name: str, scale: float) -> None:
    """Refuse values whose sums with noise of a scale are not exact."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest > _LARGEST * scale:
        raise ValueError(
            f"{name}={scale:g} is too small for X with values up to {largest:g}: noise that is "
            f"added to numbers as large is rounded away. Centre or scale X, or use a larger {name}."
        )


def _is_positive(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and 0 < float(value) < math.inf
