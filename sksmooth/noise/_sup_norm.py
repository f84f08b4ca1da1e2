"""The linf family: noise that is uniform on the surface of a cube of random size."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.noise._base import Noise, largest_length
from sksmooth.noise._radii._likelihood_ratio import CubeLaw
from sksmooth.noise._radii._tabulated import TabulatedTradeOff
from sksmooth.noise._radii._trade_off import TradeOff


class SupNormNoise(Noise):
    """Noise with density ``||z||_inf^-k exp(-||z||_inf^2 / (2 s^2))``.

    It is here for comparison. In high dimension one of its draws tells almost surely on which
    side of a shift it is, so that its radii are far below those of :class:`GaussianNoise`
    converted to the same norm.

    Parameters
    ----------
    sigma : float, default=0.25
        Root mean square per feature, in the units of the input.
    k : float, default=0
        How much denser the centre is, from 0 to one half below the number of
        features.

    Attributes
    ----------
    norm : float
        ``numpy.inf``, the only norm in which there is a certificate. Balls of the same radius in
        any other norm lie inside.

    Notes
    -----
    Class probabilities below 0.508 prove nothing: there the radius is not computed to enough
    digits.

    References
    ----------
    .. [1] Zhang, D. et al. (2020). Black-box certification with randomized smoothing: a
       functional optimization based framework. NeurIPS 2020, equation 10.

    Examples
    --------
    >>> from sksmooth.noise import SupNormNoise
    >>> round(float(SupNormNoise(sigma=0.5).radius(0.99, n_features=8)), 4)
    0.3212
    """

    norm: ClassVar[float] = np.inf

    def __init__(self, sigma: float = 0.25, k: float = 0) -> None:
        self.sigma = sigma
        self.k = k

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw points of cubes of random size; see :meth:`Noise.draw`."""
        self.check_parameters()
        d = math.prod(shape)
        kind: Any = np.dtype(dtype)
        k = self.check_k(d)
        draws: NDArray[Any] = rng.random((n, *shape), dtype=kind)
        draws *= 2
        draws -= 1
        flat = draws.reshape(n, d)
        flat[np.arange(n), rng.integers(d, size=n)] = rng.choice([-1.0, 1.0], size=n)
        size = self._scale(d) * np.sqrt(2.0 * rng.standard_gamma((d - k) / 2, n))
        flat *= size.astype(kind)[:, None]
        return draws

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function of the law of unit scale; see :meth:`Noise.trade_off`."""
        d = only_in_linf(self, n_features, norm)
        return TabulatedTradeOff(CubeLaw(d, self.check_k(d))), self._scale(d)

    def reach(self, n_features: int | None = None) -> float:
        """Quantile of the largest coordinate; see :meth:`Noise.reach`."""
        if n_features is None:
            return super().reach()
        return self._scale(n_features) * largest_length(n_features - float(self.k))

    def _scale(self, d: int) -> float:
        return float(self.sigma) * math.sqrt(3 * d / ((d - float(self.k)) * (d + 2)))


def only_in_linf(noise: Noise, n_features: int | None, norm: float | None) -> int:
    """Return the number of features, where the norm is one that a family of linf certifies."""
    if norm not in (None, np.inf):
        raise ValueError(
            f"{type(noise).__name__} certifies in the norm inf only, got norm={norm!r}. Its "
            "radius holds in every other norm too; GaussianNoise has larger ones there."
        )
    if n_features is None:
        raise ValueError(f"{type(noise).__name__} needs n_features: its radius depends on it.")
    return n_features
