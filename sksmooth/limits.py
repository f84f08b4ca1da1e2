"""How large a certified radius can be at all.

What the draws allow (:func:`largest_radius`), what any noise of a kind allows in high dimension
(:func:`iid_noise_limit`, :func:`uniform_noise_limit`), and what is known without noise, of a
function that cannot change quickly (:func:`lipschitz_radius`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sksmooth.arguments._numbers import read_count, read_norm, read_number, read_numbers
from sksmooth.bounds import clopper_pearson_lower
from sksmooth.noise import Noise
from sksmooth.noise._lattice import Rounding

__all__ = ["iid_noise_limit", "largest_radius", "lipschitz_radius", "uniform_noise_limit"]


def largest_radius(
    noise: Noise,
    n_draws: ArrayLike,
    alpha: ArrayLike,
    *,
    n_features: int | None = None,
    norm: float | None = None,
    top_k: int = 1,
    n_classes: int = 2,
    noise_step: float | None = None,
) -> float:
    """Radius that a unanimous vote proves: no row can get more from as many draws.

    Parameters
    ----------
    noise : Noise
        Distribution of the noise.
    n_draws : int or array-like of int
        Number of votes; the most favourable of several is taken.
    alpha : float or array-like
        Error probability of one confidence bound, for each number of votes.
    n_features : int, optional
        Number of features of one input; needed only where the radius depends on it.
    norm : float, optional
        Norm of the radius. By default the natural norm of the noise.
    top_k : int, default=1
        Number of places that the class may fall back to.
    n_classes : int, default=2
        Number of classes; it matters for `top_k` alone.
    noise_step : float, optional
        Step of the lattice that inputs and noise are rounded to (`noise_step_` of a smoother), of
        which this is the radius for an input on it.

    Returns
    -------
    radius : float

    Examples
    --------
    >>> from sksmooth.limits import largest_radius
    >>> from sksmooth.noise import GaussianNoise, LaplaceNoise
    >>> [round(largest_radius(GaussianNoise(1.0), n, 0.001), 2) for n in (1000, 10_000, 100_000)]
    [2.46, 3.2, 3.81]
    >>> round(largest_radius(LaplaceNoise(1.0), 10_000, 0.001), 2)
    4.66
    """
    top_k, n_classes = read_count("top_k", top_k, 1), read_count("n_classes", n_classes, 1)
    if not isinstance(noise, Noise):
        raise TypeError(f"noise must be an object of sksmooth.noise, got {noise!r}.")
    p_lower = np.max(clopper_pearson_lower(n_draws, n_draws, alpha))
    on_lattice = np.zeros((1, 3))
    rounding = Rounding.of(noise_step, noise, n_features, on_lattice)
    lower, others = rounding.lower(p_lower), rounding.upper(1.0 - p_lower)
    if top_k == 1:
        radius = noise.radius(lower, n_features=n_features, norm=norm)
    else:
        all_others = np.full(n_classes - 1, others)
        radius = noise.top_radius(lower, all_others, top_k, n_features=n_features, norm=norm)
    return float(np.max(rounding.shrunk(radius, noise.norm if norm is None else read_norm(norm))))


def iid_noise_limit(
    p_lower: ArrayLike,
    p_upper: ArrayLike | None = None,
    *,
    sigma: float,
    n_features: int,
    norm: float,
    gaussian_tails: bool = False,
) -> Any:
    """Radius that no independent noise can exceed, whatever its shape (Kumar et al. 2020).

    Parameters
    ----------
    p_lower : float or array-like
        Probability of the predicted class, in [1/2, 1).
    p_upper : float or array-like, optional
        Largest probability of another class, in (0, 1/2]. By default ``1 - p_lower``.
    sigma : float
        Standard deviation of the noise per feature.
    n_features : int
        Number of features.
    norm : float
        Norm p of the radius, from 2 to ``numpy.inf``.
    gaussian_tails : bool, default=False
        Whether the noise is a generalised Gaussian, with density ``exp(-|z / b|^q)``; the smaller
        of both limits is returned then. The second holds, and is used, only where
        ``exp(-n_features / 4)`` lies below `p_upper` and below ``1 - p_lower``.

    Returns
    -------
    limit : float or ndarray
        It falls like ``n_features ** (1 / p - 1 / 2)``, and lies well above the radius that
        :class:`~sksmooth.noise.GaussianNoise` certifies.

    Raises
    ------
    ValueError
        If the norm is below 2, where there is no such limit, or another argument is out of range.

    References
    ----------
    .. [1] Kumar, A., Levine, A., Goldstein, T. and Feizi, S. (2020). Curse of dimensionality on
       randomized smoothing for certifiable robustness. ICML 2020, Theorems 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.limits import iid_noise_limit
    >>> round(float(iid_noise_limit(0.9, 0.05, sigma=1.0, n_features=3072, norm=np.inf)), 4)
    0.0487
    """
    first = read_numbers("p_lower", p_lower)
    second = 1.0 - first if p_upper is None else read_numbers("p_upper", p_upper)
    sigma, n_features = _read_sigma(sigma), read_count("n_features", n_features, 1)
    norm = read_norm(norm)
    if norm < 2:
        raise ValueError(f"norm must be a number p in [2, inf], got {norm!r}.")
    if not ((first >= 0.5) & (first < 1) & (second > 0) & (second <= 0.5)).all():
        raise ValueError(
            f"p_lower must lie in [1/2, 1) and p_upper in (0, 1/2], got {p_lower!r} and "
            f"{p_upper!r}."
        )
    unit = sigma * n_features ** (1.0 / norm - 0.5)
    limit = unit / (2.0 * np.sqrt(2.0)) * (1.0 / np.sqrt(1.0 - first) + 1.0 / np.sqrt(second))
    if gaussian_tails:
        tails = 2.0 * unit * (np.sqrt(-np.log(1.0 - first)) + np.sqrt(-np.log(second)))
        in_range = np.minimum(1.0 - first, second) > np.exp(-n_features / 4.0)
        limit = np.where(in_range, np.minimum(limit, tails), limit)
    return limit[()]


def uniform_noise_limit(*, sigma: float, n_features: int, norm: float) -> float:
    """Radius that uniform noise on a cube cannot exceed at any probability (Kumar et al. 2020).

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise per feature.
    n_features : int
        Number of features.
    norm : float
        Norm p of the radius, from 1 to ``numpy.inf``.

    Returns
    -------
    limit : float
        ``2 lam / n_features ** (1 - 1 / p)``, where ``lam = sqrt(3) * sigma``.

    Raises
    ------
    ValueError
        If the norm is below 1, or another argument is out of range.

    References
    ----------
    .. [1] Kumar, A., Levine, A., Goldstein, T. and Feizi, S. (2020). Curse of dimensionality on
       randomized smoothing for certifiable robustness. ICML 2020, Theorem 3.
    """
    sigma, n_features = _read_sigma(sigma), read_count("n_features", n_features, 1)
    return float(2.0 * np.sqrt(3.0) * sigma / n_features ** (1.0 - 1.0 / read_norm(norm)))


def lipschitz_radius(margin: ArrayLike, constant: float) -> Any:
    """Radius within which the largest of several Lipschitz scores stays the largest.

    Parameters
    ----------
    margin : float or array-like
        Largest score less the second largest.
    constant : float
        Every score changes by at most this much per unit of distance.

    Returns
    -------
    radius : float or ndarray
        ``margin / (2 * constant)``, rounded down, in the norm that the constant is for; 0 where
        the margin is not positive.

    Raises
    ------
    ValueError
        If the constant is not positive and finite, or a margin is no number.

    Examples
    --------
    >>> from sksmooth.limits import lipschitz_radius
    >>> round(float(lipschitz_radius(0.6, constant=1.5)), 3)
    0.2
    """
    if not 0 < read_number("constant", constant) < np.inf:
        raise ValueError(f"constant must be positive and finite, got {constant!r}.")
    margins = read_numbers("margin", margin)
    if np.isnan(margins).any():
        raise ValueError(f"margin must hold numbers, got {margin!r}.")
    radius = margins / (2.0 * constant) * (1.0 - 1e-15)
    return np.maximum(radius, 0.0)[()]


def _read_sigma(sigma: Any) -> float:
    number = read_number("sigma", sigma)
    if not 0 < number < np.inf:
        raise ValueError(f"sigma must be positive and finite, got {number}.")
    return number
