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

from sksmooth.arguments._numbers import read_counts, read_level, read_levels
from sksmooth.bounds._binomial import largest_lower, smallest_upper

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
    TypeError
        If an argument holds anything but numbers, as text or booleans.
    ValueError
        If counts are no whole numbers from 0 to `n`, if `n` is not from 1 to 10^15, or if `alpha`
        lies outside [1e-100, 1).

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
    TypeError
        If an argument holds anything but numbers, as text or booleans.
    ValueError
        If counts are no whole numbers from 0 to `n`, if `n` is not from 1 to 10^15, or if `alpha`
        lies outside [1e-100, 1).

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
    votes, top = _check_votes(counts, top)
    total = votes.sum(axis=1)
    np.put_along_axis(votes, top[:, None], -1, axis=1)
    upper = clopper_pearson_upper(votes.max(axis=1), n, alpha)
    if (total > n).any():
        raise ValueError(f"counts of a row must not exceed n, got {total[total > n][0]:g} in all.")
    return upper


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
    n = max(1, math.floor(-math.log2(read_level("alpha", alpha))))
    while clopper_pearson_lower(n, n, alpha) <= 0.5:
        n += 1
    return n


def _check_counts(
    n_success: ArrayLike, n: ArrayLike, alpha: ArrayLike
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the arguments of a bound in one shape."""
    given = (
        read_counts("n_success", n_success, 0),
        read_counts("n", n, 1),
        read_levels("alpha", alpha),
    )
    try:
        successes, trials, levels = np.broadcast_arrays(*given)
    except ValueError as error:
        raise ValueError(
            f"n_success, n and alpha must have the same shape or be single numbers; got shapes "
            f"{', '.join(str(values.shape) for values in given)}."
        ) from error
    if (too_many := successes > trials).any():
        raise ValueError(
            f"n_success must lie between 0 and n, got n_success={successes[too_many][0]:g} and "
            f"n={trials[too_many][0]:g}."
        )
    return successes, trials, levels


def _check_votes(counts: ArrayLike, top: ArrayLike) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return a copy of votes, and indices of classes in them."""
    votes, classes = read_counts("counts", counts, 0), read_counts("top", top, 0)
    if votes.ndim != 2 or votes.shape[1] < 2:
        raise ValueError(f"counts must have shape (m, n_classes >= 2), got {votes.shape}.")
    if classes.shape != votes.shape[:1]:
        raise ValueError(f"top must have shape {votes.shape[:1]}, got {classes.shape}.")
    if (classes >= votes.shape[1]).any():
        raise ValueError(f"top must be below {votes.shape[1]}, got {classes.max():g}.")
    return votes, classes.astype(np.intp)


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
