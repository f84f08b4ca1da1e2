"""Confidence bounds of class probabilities.

Everything here is about one binomial proportion (or several at a joint level) and knows nothing
of models or noise. Every bound is one-sided, and never on the wrong side of the exact one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sksmooth.bounds._binomial import largest_lower, smallest_upper

# At levels below 1e-109 the inverse beta function of scipy fails.
_SMALLEST_ALPHA = 1e-100

# So few bounds are computed at once, without a search for equal counts.
_FEW = 32


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
        when nothing succeeded and ``alpha ** (1 / n)`` when everything did. At levels up to
        0.05 it falls short of the exact bound by at most 2e-11 of it.

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
        when everything succeeded and ``1 - alpha ** (1 / n)`` when nothing did. At levels
        up to 0.05 it exceeds the exact bound by at most 2e-11 of it plus 4e-16.

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
    bound: Callable[[Any, Any, Any], Any], successes: Any, trials: Any, levels: Any
) -> Any:
    """Evaluate `bound` once for each distinct pair: a million rows have a few thousand counts."""
    if successes.size <= _FEW:
        flat = bound(successes.ravel(), trials.ravel(), levels.ravel())
        return flat.reshape(successes.shape)
    bounds = np.empty(successes.shape)
    for level in np.unique(levels):
        here = levels == level
        pairs = np.stack([successes[here], trials[here]], axis=-1)
        keys = pairs.view(np.complex128).ravel()  # sorts as pairs do
        distinct, inverse = np.unique(keys, return_inverse=True)
        each = np.full(len(distinct), level)
        bounds[here] = bound(distinct.real, distinct.imag, each)[inverse]
    return bounds


def _lower(successes: Any, trials: Any, alpha: Any) -> Any:
    """Lower bound, above one half by the upper bound of the failure probability.

    One minus the bound is what a radius depends on, and close to 1 only the failure form has it
    to full relative precision.
    """
    lower = np.zeros(successes.shape)
    often = 2 * successes > trials
    failures = trials[often] - successes[often]
    lower[often] = 1.0 - _upper(failures, trials[often], alpha[often])
    direct = (lower <= 0.5) & (successes > 0)
    lower[direct] = largest_lower(successes[direct], trials[direct], alpha[direct])
    return lower


def _upper(successes: Any, trials: Any, alpha: Any) -> Any:
    upper = np.ones(successes.shape)
    some = successes < trials
    upper[some] = smallest_upper(successes[some], trials[some], alpha[some])
    return upper
