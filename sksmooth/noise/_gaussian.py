"""Gaussian noise: the tight l2 certificate of Cohen, Rosenfeld and Kolter (2019)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy import special

from sksmooth.noise._base import Noise, check_shares

# The normal quantile of scipy is within 4e-16 (relative) of the exact value; the rest of the
# formula adds a few roundings.
_QUANTILE_SLACK, _RELATIVE_SLACK = 1e-15, 1e-14


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
        draws *= _rounded_up(self.sigma, kind)  # wider noise than stated is on the safe side
        return draws

    def apply(self, X: NDArray[Any], draws: NDArray[Any]) -> NDArray[Any]:
        """Add the draws; see :meth:`Noise.apply`."""
        return np.add(X, draws, dtype=draws.dtype, casting="same_kind")

    def radius(
        self,
        p_lower: ArrayLike,
        p_upper: ArrayLike | None = None,
        *,
        n_features: int | None = None,
        norm: float | None = None,
    ) -> Any:
        """Certified radius ``sigma / 2 * (Phi^-1(p_lower) - Phi^-1(p_upper))``.

        Parameters
        ----------
        p_lower : float or array-like
            Lower bound of the vote share of the winning class.
        p_upper : float or array-like, optional
            Upper bound of the vote share of every other class. By default ``1 - p_lower``,
            which gives ``sigma * Phi^-1(p_lower)``.
        n_features : int, optional
            Number of features of one input; needed for norms above 2.
        norm : float, optional
            Any p in [1, inf]. An l2 ball of radius r holds the lp ball of radius r for p <= 2
            and of radius ``r / n_features ** (1 / 2 - 1 / p)`` for p > 2, and none larger.

        Returns
        -------
        radius : float or ndarray
            0 where ``p_lower <= p_upper``.

        Raises
        ------
        ValueError
            If a share lies outside [0, 1], the norm below 1, or if `n_features` is missing
            where the norm needs it.
        """
        self.check_parameters()
        lower, upper = check_shares(p_lower, p_upper)
        scale = (
            float(self.sigma) / 2 * _inscribed_ball(self.norm if norm is None else norm, n_features)
        )
        with np.errstate(invalid="ignore"):  # both quantiles infinite: nothing is proven
            radius = scale * (_normal_quantile(lower, -1) - _normal_quantile(upper, 1))
        return np.where(lower > upper, radius * (1.0 - _RELATIVE_SLACK), 0.0)[()]


def _normal_quantile(p: NDArray[Any], side: int) -> NDArray[Any]:
    """Quantile rounded down (side -1) or up (side 1); near 1, ``1 - p`` is exact and is used."""
    quantile = np.where(p > 0.5, -special.ndtri(1.0 - p), special.ndtri(p))
    return quantile * (1.0 + side * np.sign(quantile) * _QUANTILE_SLACK)


def _rounded_up(value: float, dtype: np.dtype[Any]) -> Any:
    """Return the smallest number of a dtype that is not below the value."""
    rounded = np.asarray(value, dtype=dtype)
    if float(rounded) >= float(value):
        return rounded
    return np.nextafter(rounded, np.asarray(np.inf, dtype=dtype))


def _inscribed_ball(norm: float, n_features: int | None) -> float:
    """Radius of the largest lp ball inside the unit l2 ball."""
    if not norm >= 1:
        raise ValueError(f"norm must be a number p in [1, inf], got {norm!r}.")
    if norm <= 2:
        return 1.0
    if n_features is None:
        raise ValueError(f"norm={norm!r} needs n_features: the l2 ball is converted.")
    return float(n_features ** (1.0 / norm - 0.5))
