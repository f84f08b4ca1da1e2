"""Laplace noise, and the l1 family with a denser centre."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.noise._base import Noise, inscribed_ball, rounded_up
from sksmooth.noise._overlap import LaplaceOverlap, Overlap


class LaplaceNoise(Noise):
    """Independent Laplace noise on every feature.

    Parameters
    ----------
    sigma : float, default=0.25
        Standard deviation per feature, in the units of the input: ``sqrt(2)`` times the scale b
        of the Laplace law.

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

    Examples
    --------
    >>> from sksmooth.noise import LaplaceNoise
    >>> round(float(LaplaceNoise(sigma=0.5).radius(0.99)), 4)
    1.3831
    """

    norm: ClassVar[float] = 1

    def __init__(self, sigma: float = 0.25) -> None:
        self.sigma = sigma

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw independent Laplace values; see :meth:`Noise.draw`."""
        self.check_parameters()
        kind: Any = np.dtype(dtype)
        draws: NDArray[Any] = rng.standard_exponential((n, *shape), dtype=kind)
        draws *= rounded_up(self.sigma / math.sqrt(2), kind)
        return with_random_signs(draws, rng)

    def overlap(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[Overlap, float]:
        """Overlap of unit Laplace laws; see :meth:`Noise.overlap`."""
        unit = inscribed_ball(self.norm if norm is None else norm, self.norm, n_features)
        return LaplaceOverlap(), unit * float(self.sigma) / math.sqrt(2)


def with_random_signs(values: NDArray[Any], rng: np.random.Generator) -> NDArray[Any]:
    """Give each value a fair sign, in place."""
    words = rng.integers(0, 2**64, size=-(-values.size // 64), dtype=np.uint64)
    bits = np.unpackbits(words.view(np.uint8), count=values.size).reshape(values.shape)
    np.negative(values, out=values, where=bits.view(bool))
    return values
