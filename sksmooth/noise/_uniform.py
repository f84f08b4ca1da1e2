"""Uniform noise on a cube."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.noise._base import Noise, rounded_up
from sksmooth.noise._radii._trade_off import CubeTradeOff, LipschitzTradeOff, TradeOff


class UniformNoise(Noise):
    """Independent uniform noise on every feature.

    Parameters
    ----------
    sigma : float, default=0.25
        Standard deviation per feature, in the units of the input. The noise is uniform on
        ``[-lam, lam]`` with ``lam = sqrt(3) * sigma``.

    Attributes
    ----------
    norm : float
        1. The radius is also exact in the norm ``numpy.inf``. No radius is larger than ``lam``.

    References
    ----------
    .. [1] Yang, G. et al. (2020). Randomized smoothing of all shapes and sizes. ICML 2020.

    Examples
    --------
    >>> from sksmooth.noise import UniformNoise
    >>> round(float(UniformNoise(sigma=0.5).radius(0.99)), 4)
    0.8487
    """

    norm: ClassVar[float] = 1

    def __init__(self, sigma: float = 0.25) -> None:
        self.sigma = sigma

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw independent uniform values; see :meth:`Noise.draw`."""
        self.check_parameters()
        kind: Any = np.dtype(dtype)
        draws: NDArray[Any] = rng.random((n, *shape), dtype=kind)
        draws -= kind.type(0.5)
        draws *= 2 * rounded_up(float(self.sigma) * math.sqrt(3), kind)
        return draws

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function of the unit cube; see :meth:`Noise.trade_off`."""
        unit = float(self.sigma) * math.sqrt(3)
        norm = self.norm if norm is None else norm
        if norm == 1:
            return LipschitzTradeOff(), unit
        if norm != np.inf:
            raise ValueError(
                f"UniformNoise certifies in the norms 1 and inf, got norm={norm!r}. Use "
                "GaussianNoise, which certifies in every norm."
            )
        if n_features is None:
            raise ValueError("norm=inf needs n_features: the shared volume depends on it.")
        return CubeTradeOff(n_features), unit

    def reach(self, n_features: int | None = None) -> float:
        """Half-width of the cube; see :meth:`Noise.reach`."""
        return float(rounded_up(float(self.sigma) * math.sqrt(3), np.dtype(np.float64)))
