"""Claims about many outputs of one input that hold together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sksmooth.arguments._numbers import read_count, read_level, read_probabilities
from sksmooth.bounds._binomial import at_least
from sksmooth.bounds._calibration import HasTradeOff, worst_case
from sksmooth.bounds._proportions import clopper_pearson_upper

# Binomial tails are accurate to this part of their size.
_ROUNDING = 1e-11


def step_down_levels(n_claims: int, alpha: float, *, n_wrong: int = 1) -> NDArray[np.float64]:
    """Levels of claims in the order of their p-values, under any dependence.

    Parameters
    ----------
    n_claims : int
        Number of claims.
    alpha : float
        Probability that `n_wrong` or more wrong claims are made.
    n_wrong : int, default=1
        Number of wrong claims that is too many. 1: no claim may be wrong (Holm).

    Returns
    -------
    levels : ndarray of shape (n_claims,)
        Claims are made in the order of their p-values until the first one that exceeds its level.

    References
    ----------
    .. [1] Lehmann, E. L. and Romano, J. P. (2005). Generalizations of the familywise error rate.
       Annals of Statistics 33, Theorem 2.2.

    Examples
    --------
    >>> from sksmooth.bounds import step_down_levels
    >>> step_down_levels(4, 0.05).round(4)
    array([0.0125, 0.0167, 0.025 , 0.05  ])
    """
    n, k = read_count("n_claims", n_claims, 1), read_count("n_wrong", n_wrong, 1)
    level, rank = read_level("alpha", alpha), np.arange(1, n + 1)
    return np.minimum(k * level / (n + k - np.maximum(rank, k)), 1.0)


def step_down_claims(p_values: ArrayLike, alpha: float, *, n_wrong: int = 1) -> NDArray[np.bool_]:
    """Return which claims hold together, under any dependence.

    Parameters
    ----------
    p_values : array-like of shape (..., n_claims)
        For each claim, the probability of data as extreme as these if it is wrong.
    alpha, n_wrong : object
        As for :func:`step_down_levels`.

    Returns
    -------
    made : ndarray of bool of shape (..., n_claims)

    Examples
    --------
    >>> from sksmooth.bounds import step_down_claims
    >>> step_down_claims([0.03, 0.001, 0.02, 0.5], alpha=0.05)
    array([False,  True, False, False])
    """
    p = np.atleast_1d(read_probabilities("p_values", p_values))
    if not p.shape[-1]:
        return np.zeros(p.shape, bool)
    order = np.argsort(p, axis=-1, kind="stable")
    levels = step_down_levels(p.shape[-1], alpha, n_wrong=n_wrong)
    kept = np.logical_and.accumulate(np.take_along_axis(p, order, axis=-1) <= levels, axis=-1)
    made = np.zeros(p.shape, bool)
    np.put_along_axis(made, order, kept, axis=-1)
    return made


def vote_p_values(votes: ArrayLike, n: int, least: float) -> NDArray[np.float64]:
    """Probability of so many votes or more, if their class has no more than some probability.

    Parameters
    ----------
    votes : array-like of int
        Votes of n draws.
    n : int
        Number of draws.
    least : float
        Probability.

    Returns
    -------
    p_values : ndarray
        Rounded up.
    """
    k = np.asarray(votes, dtype=float)
    tail = at_least(np.maximum(k, 1.0), float(n), least)
    return np.where(k > 0, np.minimum(tail * (1.0 + _ROUNDING), 1.0), 1.0)


def most_lost_outputs(
    n_bad: int,
    n: int,
    t: int,
    alpha: float,
    *,
    noise: HasTradeOff,
    radius: float,
    n_features: int | None = None,
    norm: float | None = None,
) -> float:
    """Bound how many outputs lose their majority at any one perturbed input.

    Parameters
    ----------
    n_bad : int
        Number of draws at which more than `t` of the outputs differ from their classes.
    n : int
        Number of draws.
    t : int
        Number of outputs, chosen without these draws, as are outputs and classes.
    alpha : float
        Probability that the bound is wrong.
    noise : Noise
        Distribution of the noise.
    radius : float
        Size of the perturbation.
    n_features, norm : object
        As for :func:`calibration_level`.

    Returns
    -------
    most_lost : float
        A whole number; infinite: nothing is proven.

    Notes
    -----
    Let J be the outputs that are lost at x'. At least half of those in J differ on average, and no
    more than t but with a probability of h at the most, with which all of J may: so
    ``|J| / 2 <= t (1 - h) + |J| h``.

    Examples
    --------
    >>> from sksmooth.bounds import most_lost_outputs
    >>> from sksmooth.noise import GaussianNoise
    >>> most_lost_outputs(3, 1000, 40, 0.001, noise=GaussianNoise(1.0), radius=1.0)
    91
    """
    n = read_count("n", n, 1)
    bad, most = read_count("n_bad", n_bad, 0), read_count("t", t, 0)
    upper = np.atleast_1d(clopper_pearson_upper(bad, n, read_level("alpha", alpha)))
    worst = worst_case(noise, radius, n_features=n_features, norm=norm)
    h = float(worst(upper)[0])
    if h >= 0.5:
        return math.inf
    return math.floor(most * (1.0 - h) / (0.5 - h) * (1.0 + 1e-12))
