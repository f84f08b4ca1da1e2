"""Ranks of order statistics that bound a quantile."""

from __future__ import annotations

import numpy as np
from scipy import special

from sksmooth.arguments._numbers import read_count, read_level, read_number, read_probability
from sksmooth.bounds._binomial import (
    at_least,
    at_most,
    largest_lower,
    proven_level,
    smallest_upper,
)

# An integral over the mass of a ball is enclosed by two sums, over as many nodes as decide whether
# it exceeds its level; if even the most do not, it counts as if it did. The level is lowered by
# more than the errors of the tails in the sums.
_NODES, _OUTER_MASS, _LEVEL_SLACK = (500, 5_000, 50_000), 1e-15, 1e-6


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
    n, q, alpha = read_count("n", n, 1), read_probability("q", q), read_level("alpha", alpha)
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
    n, p, alpha = read_count("n", n, 1), read_probability("p", p), read_level("alpha", alpha)
    below = _largest_count(n, p, alpha)
    return None if below is None else below + 1


def _largest_count(n: int, p: float, alpha: float) -> int | None:
    """Largest j with ``P(Bin(n, p) <= j) <= alpha``, or None."""
    q = 1.0 - p
    if 1.0 - q > p:  # q is rounded, and fewer failures would make few successes less likely
        q = float(np.nextafter(q, 1.0))
    guess = np.nan_to_num(special.bdtrik(alpha, n, p)) if 0 < p < 1 else 0.0
    j, step, holds, fails = int(min(max(guess, 0.0), n - 1.0)), 1, -1, n
    while fails - holds > 1:
        if at_most(j, n, q) <= proven_level(j, n, alpha):
            holds, j = j, j + step
        else:
            fails, j = j, j - step
        if not holds < j < fails:
            j = (holds + fails) // 2
        step *= 2
    return holds if holds >= 0 else None


def integrated_rank(
    n: int, m: int, c: int, shift: float, alpha: float, *, mass_error: float = 0.0
) -> int | None:
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
    mass_error : float, default=0
        How far any probability may be from that under exact noise, here and at the perturbed input.

    Returns
    -------
    k : int or None
        Smallest rank, from 1 to m, for which the probability is proven to be at most alpha.
        None: there is none.
    """
    n, m, c = read_count("n", n, 1), read_count("m", m, 1), read_count("c", c, 1)
    if c > n:
        raise ValueError(f"c must lie between 1 and n, got c={c} and n={n}.")
    shift = read_number("shift", shift)
    if not shift >= 0:
        raise ValueError(f"shift must not be negative, got {shift}.")
    level = read_level("alpha", alpha) * (1 - _LEVEL_SLACK)

    def fails(k: int) -> bool:
        low, high = _range_of_rank(k, m)
        for n_nodes in _NODES:
            points = np.linspace(low, high, n_nodes)
            masses = np.diff(at_least(k, m, special.ndtr(points)), prepend=0.0, append=1.0)
            outside = special.ndtri(np.minimum(special.ndtr(-points) + mass_error, 1.0))
            missed = np.minimum(special.ndtr(outside + shift) + mass_error, 1.0)
            too_few = at_most(c - 1, n, missed)
            if masses[1:] @ too_few + masses[0] <= level:
                return False
            if masses[:-1] @ too_few > level:
                break
        return True

    if fails(m):
        return None
    low, high = 0, m
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fails(middle) else (low, middle)
    return high


def _range_of_rank(k: int, m: int) -> tuple[float, float]:
    """Return normal quantiles between which the k-th of m uniform samples nearly always lies."""
    ranks, m_each, level = np.array([k]), np.array([m]), np.array([_OUTER_MASS])
    low = largest_lower(ranks, m_each, level)[0]
    high = min(smallest_upper(ranks - 1, m_each, level)[0], 1 - _OUTER_MASS)
    return float(special.ndtri(low)), float(special.ndtri(high))
