"""Confidence bounds for vote shares.

Everything here is about one binomial proportion (or several at a joint level) and knows nothing
of models or noise. Every bound is one-sided, and is rounded towards the safe side by more than
the error of the special functions it is computed with.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = [
    "Look",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "integrated_rank",
    "lower_quantile_rank",
    "min_draws_to_certify",
    "plan_looks",
    "runner_up_upper_bound",
    "upper_quantile_rank",
]

# The inverse incomplete beta function of scipy is within 9e-13 (relative) of the exact value up to
# 10^5 draws, and loses accuracy in proportion to their number beyond; half of its results lie on
# the unsafe side. At levels below 1e-109 it fails.
_RELATIVE_SLACK, _ACCURATE_DRAWS = 4e-12, 1e5
_SMALLEST_ALPHA = 1e-100

# Ranks are chosen at a level that is lower by more than the error of the binomial tail, and the
# integrated one by more than the error of its quadrature, too.
_LEVEL_SLACK, _QUADRATURE_SLACK, _QUADRATURE_NODES = 1e-9, 1e-6, 2000

# Sequential plan. Most rows are decided within a hundred draws; a finer growth saves little.
_FIRST_LOOK, _LOOK_GROWTH, _MOST_LOOKS = 64, 1.5, 60
_PART_OF_A_CALL = 0.9


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
    """Upper bound on the share of every class but the top one, jointly.

    The bound belongs to the class with the most votes among the others. Its error need not be
    split among them: let B be the class whose true share is the largest. B is fixed, so its own
    bound fails with probability `alpha` at most; the bound returned is never below it, and no
    other share is above that of B.

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
        With probability at least ``1 - alpha``, no class other than `top` has a share above it.
    """
    others = counts.copy()
    np.put_along_axis(others, top[:, None], -1, axis=1)
    return clopper_pearson_upper(others.max(axis=1), n, alpha)


def min_draws_to_certify(alpha: float) -> int:
    """Smallest number of draws with which a unanimous vote proves a share above one half.

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


def upper_quantile_rank(n: int, q: float, alpha: float) -> int | None:
    """Rank of the order statistic that lies above a quantile, with confidence.

    The sample of rank k, from below, is smaller than the lower ``1 - q`` quantile only if k or
    more of the n samples are. No continuity is needed, and samples may be infinite.

    Parameters
    ----------
    n : int
        Number of independent samples.
    q : float
        One minus the probability of the quantile: the mass above it, which close to 0 is known to
        more digits than the probability itself.
    alpha : float
        Probability that the order statistic may lie below the quantile.

    Returns
    -------
    k : int or None
        Smallest k, from 1 to n, with ``P(Bin(n, 1 - q) >= k) <= alpha``. None: even the largest
        sample is no bound.

    Examples
    --------
    >>> from sksmooth.bounds import upper_quantile_rank
    >>> upper_quantile_rank(1000, 0.5, 0.005)
    542
    """
    above = _largest_count(n, q, alpha)  # samples that may lie above
    return None if above is None else n - above


def lower_quantile_rank(n: int, p: float, alpha: float) -> int | None:
    """Rank of the order statistic that does not lie above a quantile, with confidence.

    Parameters
    ----------
    n : int
        Number of independent samples.
    p : float
        Probability of the quantile.
    alpha : float
        Probability that the order statistic may lie above the lower p-quantile.

    Returns
    -------
    k : int or None
        Largest k, from 1 to n, with ``P(Bin(n, p) <= k - 1) <= alpha``. None: even the smallest
        sample is no bound.

    Examples
    --------
    >>> from sksmooth.bounds import lower_quantile_rank
    >>> lower_quantile_rank(1000, 0.5, 0.005)
    459
    """
    below = _largest_count(n, p, alpha)
    return None if below is None else min(below + 1, n)


def _largest_count(n: int, p: float, alpha: float) -> int | None:
    """Largest j with ``P(Bin(n, p) <= j) <= alpha``, or None."""
    alpha = alpha * (1 - _LEVEL_SLACK)
    p = min(max(p, 0.0), 1.0)
    guess = special.bdtrik(alpha, n, p) if 0 < p < 1 else (n if p == 1 else 0)
    j = int(np.clip(np.nan_to_num(guess), 0, n))
    while j >= 0 and special.bdtr(j, n, p) > alpha:
        j -= 1
    while j < n and special.bdtr(j + 1, n, p) <= alpha:
        j += 1
    return j if j >= 0 else None


def integrated_rank(n: int, m: int, c: int, shift: float, alpha: float) -> int | None:
    """Rank for a center smoothing certificate, without a split of alpha.

    The mass of the certified ball is, at the least, distributed like the k-th of m uniform
    samples; averaged over it, the probability that fewer than c of n samples at a perturbed
    input fall into the ball is at most alpha.

    Parameters
    ----------
    n : int
        Samples that make the centre.
    m : int
        Samples that certify.
    c : int
        Number of the n samples that have to fall into the ball.
    shift : float
        Size of the perturbation divided by that of the noise.
    alpha : float
        Failure probability.

    Returns
    -------
    k : int or None
        Smallest rank, from 1 to m; None: there is none.
    """

    def fails(k: int) -> bool:
        low, high = special.betaincinv(k, m - k + 1, [1e-15, 1 - 1e-15])
        edges = _spread(low, min(high, 1 - 1e-15), _QUADRATURE_NODES)
        masses = np.diff(special.betainc(k, m - k + 1, edges), prepend=0.0, append=1.0)
        at_edges = special.betaincc(c, n - c + 1, special.ndtr(special.ndtri(edges) - shift))
        tails = np.concatenate([[1.0], (at_edges[:-1] + at_edges[1:]) / 2, at_edges[-1:]])
        return bool(masses @ tails > alpha * (1 - _QUADRATURE_SLACK))

    if fails(m):
        return None
    low, high = 0, m
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fails(middle) else (low, middle)
    return high


def _spread(low: float, high: float, n: int) -> NDArray[Any]:
    """Points between two probabilities, evenly on the normal scale."""
    edges = special.ndtr(np.linspace(special.ndtri(low), special.ndtri(high), n))
    return np.clip(edges, low, high)


class Look(NamedTuple):
    """A moment at which votes are looked at, and what of alpha it may spend.

    Attributes
    ----------
    n_draws : int
        Votes per row at this moment.
    alpha_share : float
        Share of alpha that the bounds of this moment have.
    """

    n_draws: int
    alpha_share: float


def plan_looks(cap: int, n_earlier_calls: int = 0) -> list[Look]:
    """Plan when to look at votes that come in, at a joint level.

    A group-sequential plan: the exact bound of Clopper and Pearson is evaluated at numbers of
    draws that grow geometrically, each time with a share of alpha fixed in advance. By the union
    bound the lower bounds of all looks hold together with probability ``1 - alpha``, so sampling
    may stop at any of them, for any reason. Half of the first call's part of alpha is kept for
    the cap, where a row that is hard to decide gets almost the bound of a fixed number of draws.

    Sampling may be taken up again. Later calls have parts of alpha of their own, and because their
    cap may have been chosen after the first votes were seen, they look only at numbers of draws
    (and spend only shares) that do not depend on it.

    Parameters
    ----------
    cap : int
        Largest number of draws.
    n_earlier_calls : int, default=0
        Number of plans that were already followed for the same rows. Call number i (from 0) has
        ``0.9 * 0.1 ** i`` of alpha; all calls together have no more than all of it.

    Returns
    -------
    looks : list of Look
        With increasing numbers of draws. The last is at `cap` in the first call, and the last of
        64, 96, 144, ... up to it in later ones.

    References
    ----------
    .. [1] Jennison, C. and Turnbull, B. W. (1999). Group sequential methods with applications to
       clinical trials. Chapman and Hall, chapter 7 (error spending).

    Examples
    --------
    >>> from sksmooth.bounds import plan_looks
    >>> [look.n_draws for look in plan_looks(1000)]
    [64, 96, 144, 216, 324, 486, 729, 1000]
    >>> round(sum(look.alpha_share for look in plan_looks(1000)), 12)
    0.9
    """
    part = _PART_OF_A_CALL * (1 - _PART_OF_A_CALL) ** n_earlier_calls
    grid = [math.ceil(_FIRST_LOOK * _LOOK_GROWTH**i) for i in range(_MOST_LOOKS)]
    if n_earlier_calls:
        return [Look(n, part / _MOST_LOOKS) for n in grid if n <= cap]
    early = [n for n in grid if n < cap]
    share = part / 2 if early else part
    return [*(Look(n, part / 2 / len(early)) for n in early), Look(cap, share)]


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
    """Evaluate `bound` once for each distinct pair: a million rows share few thousand counts."""
    bounds = np.empty(successes.shape)
    for level in np.unique(levels):
        here = levels == level
        pairs = np.stack([successes[here], trials[here]], axis=-1)
        keys = pairs.view(np.complex128).ravel()  # sorts as pairs do
        distinct, inverse = np.unique(keys, return_inverse=True)
        bounds[here] = bound(distinct.real, distinct.imag, float(level))[inverse]
    return bounds


def _lower(successes: Any, trials: Any, alpha: float) -> Any:
    """Lower bound, above one half through the upper bound of the share of failures.

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
