"""Brightness of an image, offset of a series: one number is added to all features."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.noise._radii._trade_off import TradeOff
from sksmooth.noise.semantic._base import Array, across
from sksmooth.noise.semantic._pixels import (
    PixelTolerantNoise,
    failure_of,
    on_lattice,
    refuse_large,
    step_of,
)
from sksmooth.noise.semantic._trade_offs import RoundedTradeOff


class Brightness(PixelTolerantNoise):
    """Add one random number to all features of an input.

    Each input x becomes ``x + b``, with one random b for all its features: the brightness of an
    image, or the offset of a series. Votes then prove for which b the prediction is the same,
    however many features there are.

    Parameters
    ----------
    sigma : float, default=0.25
        Root mean square of b, in the units of the input (its mean, where it is positive).
    law : {"gaussian", "uniform", "laplace", "exponential", "half-normal"}, default="gaussian"
        Law of b. With the last two only positive b are drawn, and covered.
    pixel_sigma : float, default=None
        Standard deviation of normal noise that every feature gets as well. With it the attacked
        input may be off by `tolerance`, and floating point cannot give b away.
    tolerance : float or "8bit", default=0.0
        With `pixel_sigma`: how far, in l2, the attacked input may be from ``x + a``. "8bit":
        ``sqrt(n_features) / 510``, the rounding of values in [0, 1] to multiples of 1/255.

    Attributes
    ----------
    norm : float
        There is one parameter, so that all norms are its size.

    Notes
    -----
    The attacked input is ``x + a`` itself. If it is clipped to [0, 1] or rounded to 8 bits it is
    another input, and the certificate says nothing about it, unless `tolerance` covers the
    difference. What the base model does with its input is free: it may clip.

    Without `pixel_sigma`, b, the first feature and the differences of the others from it are
    rounded to multiples of a power of two, about 65,000 to `sigma`. So sums are exact, and
    ``x + a`` is rounded to what x is rounded to, moved as a whole: its last bits tell nothing of a.

    A model that standardises each input does not depend on its brightness: smoothing adds nothing.

    References
    ----------
    .. [1] Li, L. et al. (2021). TSS: transformation-specific smoothing for robustness
       certification. CCS 2021.

    Examples
    --------
    >>> from sksmooth.noise import Brightness
    >>> round(float(Brightness(sigma=0.5).radius(0.99)), 4)
    1.1632
    >>> joint = Brightness(sigma=0.5, pixel_sigma=0.1, tolerance="8bit")
    >>> round(float(joint.radius(0.99, n_features=784)), 4)
    1.1302
    """

    parameter: ClassVar[str] = "brightness"
    unit: ClassVar[str] = "units of X"

    def __init__(
        self,
        sigma: float = 0.25,
        law: str = "gaussian",
        pixel_sigma: float | None = None,
        tolerance: float | str = 0.0,
    ) -> None:
        self.sigma = sigma
        self.law = law
        self.pixel_sigma = pixel_sigma
        self.tolerance = tolerance

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw numbers to be added; see :meth:`SemanticNoise.draw`."""
        draws = super().draw(n, shape, rng, dtype)
        if self.pixel_sigma is not None:
            return draws
        reach = self.reach()
        return on_lattice(np.clip(draws, -reach, reach), step_of(self.sigma)).astype(dtype)

    def apply(self, X: NDArray[Any], draws: NDArray[Any]) -> NDArray[Any]:
        """Add draws; see :meth:`Noise.apply`."""
        if self.pixel_sigma is None:
            n_leading = draws.ndim - 1
            X = rounded_alike(np.asarray(X, np.float64), step_of(self.sigma), n_leading)
        return super().apply(X, draws)

    def check_inputs(self, values: NDArray[Any]) -> None:
        """Refuse values that the noise is lost in; see :meth:`Noise.check_inputs`."""
        super().check_inputs(values)
        refuse_large(values, "sigma", float(self.sigma))

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function; see :meth:`SemanticNoise.trade_off`.

        Where `n_features` is given, it counts what rounding to the lattice may change as well.
        """
        trade_off, unit = super().trade_off(n_features, norm)
        if n_features is None or self.pixel_sigma is not None:
            return trade_off, unit
        step = step_of(self.sigma)
        failure = failure_of(self.parameter_law, step, 1)
        return RoundedTradeOff(trade_off, failure, step / unit * (1.0 + 1e-15)), unit

    def _transformed(self, X: Array, parameters: Array) -> Array:
        return X + across(parameters, X.ndim - parameters.ndim + 1)

    @property
    def _formula(self) -> str:
        return "x + a"

    @property
    def _exceptions(self) -> str:
        return "" if self.pixel_sigma is not None else ", and computed in double precision"


def rounded_alike(X: Array, step: float, n_leading: int) -> Array:
    """Round inputs to a lattice so that ``x + a`` becomes what x becomes, moved as a whole.

    The first feature is rounded by itself, the others by their differences from it, which a does
    not change. Cells of the differences are moved by a third of a step: numbers with few binary or
    decimal digits are not near their borders, where the last bit of a sum would decide.
    """
    flat = X.reshape(*X.shape[:n_leading], -1)
    first = flat[..., :1]
    rounded = on_lattice(first, step) + on_lattice(flat - first + step / 3, step)
    return np.asarray(rounded.reshape(X.shape))
