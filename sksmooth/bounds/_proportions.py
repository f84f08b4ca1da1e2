"""Confidence bounds of class probabilities.

Everything here is about one binomial proportion (or several at a joint level) and knows nothing
of models or noise. Every bound is one-sided, and is rounded towards the safe side by more than
the error of the special functions it is computed with.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

# The inverse incomplete beta function of scipy is within 9e-13 (relative) of the exact value up to
# 10^5 draws, and loses accuracy in proportion to their number beyond; half of its results lie on
# the unsafe side. At levels below 1e-109 it fails.
_RELATIVE_SLACK, _ACCURATE_DRAWS = 4e-12, 1e5
_SMALLEST_ALPHA = 1e-100


def clopper_pearson_lower(n_success: ArrayLike, n: ArrayLike, alpha: ArrayLike) -> Any:
    """Lower confidence bound of a proportion (Clopper and Pearson, 1934).

    Parameters
    ----------
    n_success : int or array-like of int
        Number of successes, between 0 and `n`.
    n : int or array-like of int
        Number of independent trials, at least 1. Broadcasts against `n_success`.
    alpha : float or array-like
        Probability, in (0, 1), that the bound may lie above the true proportion. Broadcasts too.

    Returns
    -------
    lower : float or ndarray
        Bound such that ``P(lower <= p) >= 1 - alpha`` for every true proportion `p`. It is 0
        when nothing succeeded and ``alpha ** (1 / n)`` when everything did.

    Raises
    ------
    ValueError
        If a count lies outside ``[0, n]``, if `n` is below 1 or `alpha` outside (0, 1).

    References
    ----------
    .. [1] Clopper, C. J. and Pearson, E. S. (1934). The use of confidence or fiducial limits
       illustrated in the case of the binomial. Biometrika 26, 404-413.

    Examples
    --------
    >>> from sksmooth.bounds import clopper_pearson_lower
    >>> round(float(clopper_pearson_lower(990, 1000, alpha=0.001)), 4)
    0.976
    """
    return _once_per_count(_lower, *_check_counts(n_success, n, alpha))[()]


def clopper_pearson_upper(n_success: ArrayLike, n: ArrayLike, alpha: ArrayLike) -> Any:
    """Upper confidence bound of a proportion (Clopper and Pearson, 1934).

    Parameters
    ----------
    n_success : int or array-like of int
        Number of successes, between 0 and `n`.
    n : int or array-like of int
        Number of independent trials, at least 1. Broadcasts against `n_success`.
    alpha : float or array-like
        Probability, in (0, 1), that the bound may lie below the true proportion. Broadcasts too.

    Returns
    -------
    upper : float or ndarray
        Bound such that ``P(p <= upper) >= 1 - alpha`` for every true proportion `p`. It is 1
        when everything succeeded and ``1 - alpha ** (1 / n)`` when nothing did.

    Raises
    ------
    ValueError
        If a count lies outside ``[0, n]``, if `n` is below 1 or `alpha` outside (0, 1).

    Examples
    --------
    >>> from sksmooth.bounds import clopper_pearson_upper
    >>> round(float(clopper_pearson_upper(10, 1000, alpha=0.001)), 4)
    0.024
    """
    return _once_per_count(_upper, *_check_counts(n_success, n, alpha))[()]


def runner_up_upper_bound(
    counts: NDArray[Any], top: NDArray[Any], n: ArrayLike, alpha: ArrayLike
) -> Any:
    """Upper bound of the probability of every class but the top one, jointly.

    The bound belongs to the class with the most votes among the others. Its error need not be
    split among them: let B be the most probable of them. B is fixed, so its own bound fails with
    probability `alpha` at most; the bound returned is never below it, and no other class is more
    probable than B.

    Parameters
    ----------
    counts : ndarray of shape (m, n_classes)
        Votes of `n` draws for each row, for at least two classes.
    top : ndarray of shape (m,)
        Index of the class that is certified, chosen independently of `counts`.
    n : int or ndarray of shape (m,)
        Number of draws of each row.
    alpha : float or ndarray of shape (m,)
        Joint error probability, in (0, 1), for one row.

    Returns
    -------
    upper : ndarray of shape (m,)
        With probability at least ``1 - alpha``, no class other than `top` is more probable.
    """
    others = counts.copy()
    np.put_along_axis(others, top[:, None], -1, axis=1)
    return clopper_pearson_upper(others.max(axis=1), n, alpha)


def min_draws_to_certify(alpha: float) -> int:
    """Smallest number of draws with which a unanimous vote proves a probability above one half.

    Parameters
    ----------
    alpha : float
        Error probability of the bound, in (0, 1).

    Returns
    -------
    n : int
        Smallest `n` with ``clopper_pearson_lower(n, n, alpha) > 1 / 2``.

    Examples
    --------
    >>> from sksmooth.bounds import min_draws_to_certify
    >>> min_draws_to_certify(0.001)
    10
    """
    n = max(1, math.floor(-math.log2(alpha)))
    while clopper_pearson_lower(n, n, alpha) <= 0.5:
        n += 1
    return n


def _check_counts(
    n_success: ArrayLike, n: ArrayLike, alpha: ArrayLike
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    successes, trials, levels = np.broadcast_arrays(
        *(np.asarray(value, dtype=float) for value in (n_success, n, alpha))
    )
    if not ((levels >= _SMALLEST_ALPHA) & (levels < 1)).all():
        raise ValueError(
            f"alpha must lie in (0, 1), and not below {_SMALLEST_ALPHA:g}; got {alpha!r}."
        )
    if trials.size and trials.min() < 1:
        raise ValueError(f"n must be at least 1, got {trials.min():g}.")
    if ((successes < 0) | (successes > trials)).any():
        raise ValueError("n_success must lie between 0 and n.")
    return successes, trials, levels


def _once_per_count(
    bound: Callable[[Any, Any, float], Any], successes: Any, trials: Any, levels: Any
) -> Any:
    """Evaluate `bound` once for each distinct pair: a million rows have a few thousand counts."""
    bounds = np.empty(successes.shape)
    for level in np.unique(levels):
        here = levels == level
        pairs = np.stack([successes[here], trials[here]], axis=-1)
        keys = pairs.view(np.complex128).ravel()  # sorts as pairs do
        distinct, inverse = np.unique(keys, return_inverse=True)
        bounds[here] = bound(distinct.real, distinct.imag, float(level))[inverse]
    return bounds


def _lower(successes: Any, trials: Any, alpha: float) -> Any:
    """Lower bound, above one half by the upper bound of the failure probability.

    One minus the bound is what a radius depends on, and close to 1 only the failure form has it
    to full relative precision.
    """
    lower = np.nextafter(1.0 - _upper(trials - successes, trials, alpha), 0.0)
    weak = lower <= 0.5
    few, some_trials = successes[weak], trials[weak]
    with np.errstate(invalid="ignore"):  # the parameter is 0 where nothing succeeded
        direct = special.betaincinv(few, some_trials - few + 1.0, alpha)
    lower[weak] = np.where(few == 0, 0.0, direct * (1.0 - _slack(some_trials)))
    return lower


def _upper(successes: Any, trials: Any, alpha: float) -> Any:
    with np.errstate(invalid="ignore"):  # the parameter is 0 where everything succeeded
        upper = special.betainccinv(successes + 1.0, trials - successes, alpha)
    upper = np.where(successes == trials, 1.0, upper)
    upper = np.where(successes == 0, -np.expm1(np.log(alpha) / trials), upper)
    return np.minimum(upper * (1.0 + _slack(trials)), 1.0)


def _slack(trials: Any) -> Any:
    return _RELATIVE_SLACK * np.maximum(trials / _ACCURATE_DRAWS, 1.0)
