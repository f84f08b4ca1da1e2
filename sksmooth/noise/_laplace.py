"""Laplace noise, and the l1 family with a denser centre."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.noise._base import (
    Noise,
    inscribed_ball,
    largest_gamma,
    rounded_up,
    with_directions,
)
from sksmooth.noise._radii._likelihood_ratio import SimplexLaw
from sksmooth.noise._radii._tabulated import TabulatedTradeOff
from sksmooth.noise._radii._trade_off import LaplaceTradeOff, TradeOff


class LaplaceNoise(Noise):
    """Laplace noise, or noise with density ``||z||_1^-k exp(-||z||_1 / b)``.

    Parameters
    ----------
    sigma : float, default=0.25
        Standard deviation per feature, in the units of the input: for ``k = 0``, ``sqrt(2)``
        times the scale b.
    k : float, default=0
        How much denser the centre is, from 0 (independent Laplace noise on every feature) to
        one half below the number of features.

    Attributes
    ----------
    norm : float
        1, the norm in which the certificate is tight. The radius is also available in any other
        p-norm, ``1 <= p <= inf``, through the largest lp ball inside the l1 ball: valid, and
        smaller by a factor ``n_features ** (1 - 1 / p)``.

    References
    ----------
    .. [1] Teng, J., Lee, G.-H. and Yuan, Y. (2020). l1 adversarial robustness certificates: a
       randomized smoothing approach. The bilateral radius here is larger than that of its
       theorem, and tight.
    .. [2] Zhang, D. et al. (2020). Black-box certification with randomized smoothing: a
       functional optimization based framework. NeurIPS 2020 (for ``k > 0``).

    Examples
    --------
    >>> from sksmooth.noise import LaplaceNoise
    >>> round(float(LaplaceNoise(sigma=0.5).radius(0.99)), 4)
    1.3831
    """

    norm: ClassVar[float] = 1

    def __init__(self, sigma: float = 0.25, k: float = 0) -> None:
        self.sigma = sigma
        self.k = k

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw exponential values with random signs and size; see :meth:`Noise.draw`."""
        self.check_parameters()
        d = math.prod(shape)
        kind: Any = np.dtype(dtype)
        k = self.check_k(d)
        draws: NDArray[Any] = rng.standard_exponential((n, *shape), dtype=kind)
        if k:
            flat = draws.reshape(n, d)
            lengths = with_directions(flat, flat.sum(axis=1, dtype=float))
            size = self._scale(d) * rng.standard_gamma(d - k, n) / lengths
            flat *= size.astype(kind)[:, None]
        else:
            draws *= rounded_up(self._scale(d), kind)
        return with_random_signs(draws, rng)

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function of the law of unit scale; see :meth:`Noise.trade_off`."""
        k = self.check_k(n_features)
        unit = inscribed_ball(self.norm if norm is None else norm, self.norm, n_features)
        if not k:
            return LaplaceTradeOff(), unit * self._scale(1)
        assert n_features is not None
        return TabulatedTradeOff(SimplexLaw(n_features, k)), unit * self._scale(n_features)

    def reach(self, n_features: int | None = None) -> float:
        """Quantile of a coordinate, or of the l1 norm; see :meth:`Noise.reach`."""
        if not self.k:
            return 42.0 * self._scale(1)
        if n_features is None:
            return super().reach()
        return self._scale(n_features) * largest_gamma(n_features - float(self.k))

    def _scale(self, d: int) -> float:
        """Return b; with k = 0 it does not depend on the dimension."""
        if not self.k:
            return float(self.sigma) / math.sqrt(2)
        rest = d - float(self.k)
        return float(self.sigma) * math.sqrt(d * (d + 1) / (2 * rest * (rest + 1)))


def with_random_signs(values: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Give each value a fair sign, in place."""
    words = rng.integers(0, 2**64, size=-(-values.size // 64), dtype=np.uint64)
    bits = np.unpackbits(words.view(np.uint8), count=values.size).reshape(values.shape)
    np.negative(values, out=values, where=bits.view(bool))
    return values
