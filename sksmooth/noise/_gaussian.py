"""Gaussian noise: the tight l2 certificate of Cohen, Rosenfeld and Kolter (2019)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.noise._base import Noise, inscribed_ball, rounded_up
from sksmooth.noise._overlap import NormalOverlap, Overlap


class GaussianNoise(Noise):
    """Independent normal noise on every feature.

    Parameters
    ----------
    sigma : float, default=0.25
        Standard deviation per feature, in the units of the input.

    Attributes
    ----------
    norm : float
        2, the norm in which the certificate is tight. The radius is also available in any other
        p-norm, ``1 <= p <= inf``, through the norms of the largest inscribed balls.

    References
    ----------
    .. [1] Cohen, J., Rosenfeld, E. and Kolter, Z. (2019). Certified adversarial robustness via
       randomized smoothing. ICML 2019, Theorems 1 and 2.

    Examples
    --------
    >>> from sksmooth.noise import GaussianNoise
    >>> noise = GaussianNoise(sigma=0.5)
    >>> round(float(noise.radius(0.99)), 4)
    1.1632
    >>> round(float(noise.radius(0.6, 0.1)), 4)
    0.3837
    """

    norm: ClassVar[float] = 2

    def __init__(self, sigma: float = 0.25) -> None:
        self.sigma = sigma

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw independent normal values; see :meth:`Noise.draw`."""
        self.check_parameters()
        kind: Any = np.dtype(dtype)
        draws: NDArray[Any] = rng.standard_normal((n, *shape), dtype=kind)
        draws *= rounded_up(self.sigma, kind)
        return draws

    def overlap(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[Overlap, float]:
        """Overlap of unit normal laws; see :meth:`Noise.overlap`."""
        unit = inscribed_ball(self.norm if norm is None else norm, self.norm, n_features)
        return NormalOverlap(), unit * float(self.sigma)
