"""Gaussian noise, and the l2 family with a denser centre."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.noise._base import (
    Noise,
    inscribed_ball,
    largest_length,
    rounded_up,
    with_directions,
)
from sksmooth.noise._radii._likelihood_ratio import SphereLaw
from sksmooth.noise._radii._tabulated import TabulatedTradeOff
from sksmooth.noise._radii._trade_off import NormalTradeOff, TradeOff


class GaussianNoise(Noise):
    """Normal noise, or noise with density ``||z||_2^-k exp(-||z||_2^2 / (2 s^2))``.

    Parameters
    ----------
    sigma : float, default=0.25
        Standard deviation per feature, in the units of the input; s is larger by a factor
        ``sqrt(n_features / (n_features - k))``.
    k : float, default=0
        How much denser the centre is, from 0 (independent normal noise on every feature) to half
        a unit below the number of features. In high dimension only values close to that change
        anything.

    Attributes
    ----------
    norm : float
        2, the norm in which the certificate is tight. The radius is also available in any other
        p-norm, ``1 <= p <= inf``, through the norms of the largest inscribed balls.

    References
    ----------
    .. [1] Cohen, J., Rosenfeld, E. and Kolter, Z. (2019). Certified adversarial robustness via
       randomized smoothing. ICML 2019, Theorems 1 and 2.
    .. [2] Zhang, D. et al. (2020). Black-box certification with randomized smoothing: a
       functional optimization based framework. NeurIPS 2020, Theorems 1 and 2 (for ``k > 0``).

    Examples
    --------
    >>> from sksmooth.noise import GaussianNoise
    >>> noise = GaussianNoise(sigma=0.5)
    >>> round(float(noise.radius(0.99)), 4)
    1.1632
    >>> round(float(noise.radius(0.6, 0.1)), 4)
    0.3837
    >>> round(float(GaussianNoise(sigma=0.5, k=6).radius(0.99, n_features=8)), 4)
    1.0533
    """

    norm: ClassVar[float] = 2

    def __init__(self, sigma: float = 0.25, k: float = 0) -> None:
        self.sigma = sigma
        self.k = k

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw normal directions of random size; see :meth:`Noise.draw`."""
        self.check_parameters()
        d = math.prod(shape)
        kind: Any = np.dtype(dtype)
        k = self.check_k(d)
        draws: NDArray[Any] = rng.standard_normal((n, *shape), dtype=kind)
        if not k:
            draws *= rounded_up(self.sigma, kind)
            return draws
        flat = draws.reshape(n, d)
        size = np.sqrt(2.0 * rng.standard_gamma((d - k) / 2, n))
        lengths = np.sqrt(np.einsum("ij,ij->i", flat, flat, dtype=float))
        size *= self._scale(d) / with_directions(flat, lengths)
        flat *= size.astype(kind)[:, None]
        return draws

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function of the law of unit scale; see :meth:`Noise.trade_off`."""
        k = self.check_k(n_features)
        unit = inscribed_ball(self.norm if norm is None else norm, self.norm, n_features)
        if not k:
            return NormalTradeOff(), unit * float(self.sigma)
        assert n_features is not None
        return TabulatedTradeOff(SphereLaw(n_features, k)), unit * self._scale(n_features)

    def reach(self, n_features: int | None = None) -> float:
        """Quantile of a coordinate, or of the length; see :meth:`Noise.reach`."""
        if not self.k:
            return 9.3 * float(self.sigma)
        if n_features is None:
            return super().reach()
        return self._scale(n_features) * largest_length(n_features - float(self.k))

    def _scale(self, d: int) -> float:
        return float(self.sigma) * math.sqrt(d / (d - float(self.k)))
