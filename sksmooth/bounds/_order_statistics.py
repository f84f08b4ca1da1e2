"""Ranks of order statistics that bound a quantile."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

# Ranks are chosen at a level that is lower by more than the error of the binomial tail, and the
# integrated one by more than the error of its quadrature, too.
_LEVEL_SLACK, _QUADRATURE_SLACK, _QUADRATURE_NODES = 1e-9, 1e-6, 2000


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
