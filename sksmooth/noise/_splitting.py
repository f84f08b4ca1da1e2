"""Splitting noise: each feature is only told which of two sides of random cuts it lies on."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.noise._base import Noise, rounded_up
from sksmooth.noise._radii._trade_off import LipschitzTradeOff, TradeOff


class SplittingNoise(Noise):
    """Independent splitting noise on every feature, for features in [0, 1].

    Each feature is cut at random places, ``2 * lam`` apart, and replaced by the middle of the
    piece of [0, 1] that it lies in. A change of the feature by d meets a cut with probability
    ``d / (2 * lam)``, and goes unnoticed otherwise.

    Parameters
    ----------
    sigma : float, default=0.25
        The noise has as much room as uniform noise of this standard deviation: ``lam = sqrt(3) *
        sigma``, in the units of the input. With ``lam >= 0.5`` there is one cut at most in
        [0, 1].

    Attributes
    ----------
    norm : float
        1, the only norm in which there is a certificate. No radius is larger than ``lam``.

    Notes
    -----
    A feature outside [0, 1] that no cut separates from this interval is treated like the border.
    The certificate holds for such inputs too.

    References
    ----------
    .. [1] Levine, A. and Feizi, S. (2021). Improved, deterministic smoothing for l1 certified
       robustness. ICML 2021, Theorem 1 and section 3.

    Examples
    --------
    >>> from sksmooth.noise import SplittingNoise
    >>> round(float(SplittingNoise(sigma=0.5).radius(0.99)), 4)
    0.8487
    """

    norm: ClassVar[float] = 1

    def __init__(self, sigma: float = 0.25) -> None:
        self.sigma = sigma

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        r"""Draw the first cut above 0 of every feature, in units of the distance of cuts.

        Parameters
        ----------
        n : int
            Number of independent draws.
        shape : tuple of int
            Shape of one input.
        rng : numpy.random.Generator
            Source of randomness.
        dtype : dtype
            float32 or float64.

        Returns
        -------
        draws : ndarray of shape (n, \*shape)
            In [0, 1).
        """
        self.check_parameters()
        kind: Any = np.dtype(dtype)
        return rng.random((n, *shape), dtype=kind)

    def apply(self, X: NDArray[Any], draws: NDArray[Any]) -> NDArray[Any]:
        """Replace every feature by the middle of its piece; see :meth:`Noise.apply`."""
        kind = draws.dtype
        width = 2 * rounded_up(float(self.sigma) * math.sqrt(3), kind)
        above = np.ceil(np.divide(X, width, dtype=kind) - draws)
        above += draws  # the cut above the feature, in units of the width
        top, bottom = np.clip(above * width, 0, 1), np.clip((above - 1) * width, 0, 1)
        top += bottom
        top *= kind.type(0.5)
        return top

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function: a change meets a cut or not; see :meth:`Noise.trade_off`."""
        if norm not in (None, 1):
            raise ValueError(
                f"SplittingNoise certifies in the norm 1 only, got norm={norm!r}. Use "
                "GaussianNoise, which certifies in every norm."
            )
        return LipschitzTradeOff(), float(self.sigma) * math.sqrt(3)
