"""Levels at which prediction sets are calibrated so that they cover under perturbations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sksmooth.arguments._numbers import read_count, read_level, read_number

Array = NDArray[np.float64]
Worst = Callable[[Array], Array]

# Tails of the binomial distribution below are known to 1e-13 of their size; levels are lowered by
# more. One minus a probability is rounded by less than the last term.
_TAIL_SLACK, _LEVEL_SLACK, _COMPLEMENT = 1e-12, 1e-9, 4e-16

# Cells at first, between normal quantiles of this size (others are cut where they matter), cells at
# most, and the part of the level at which cutting them stops.
_FAR, _FIRST_CELLS, _MOST_CELLS, _CLOSE = 5.0, 120, 50_000, 2e-3

# Range of slopes (as logarithms) among which the supporting line is sought, and how often it is
# halved; rounds of the search for one number, and points of each.
_STEEPEST, _HALVINGS, _ROUNDS, _PER_ROUND, _FARTHEST = 6 * math.log(10.0), 60, 7, 40, 8.2


class HasTradeOff(Protocol):
    """What a noise has to offer: its trade-off function in a norm, and the unit of its radii."""

    def trade_off(self, n_features: int | None, norm: float | None) -> tuple[Any, float]:
        """See :meth:`sksmooth.noise.Noise.trade_off`."""


@dataclass(frozen=True)
class WorstCaseMiss:
    """Largest probability, at a perturbed input, of what has a given probability here.

    Attributes
    ----------
    trade_off : object with worst_case_probability, or None
        Trade-off function of a noise of unit scale. None: nothing is perturbed.
    distance : float
        Size of the perturbation in its units.
    failure : float, default=0
        How far any probability may be from that under exact noise, here and there.
    is_concave : bool, default=False
        Whether the largest probability is known to be a concave function.
    """

    trade_off: Any
    distance: float
    failure: float = 0.0
    is_concave: bool = False

    def __call__(self, q: Array) -> Array:
        """Return the probabilities, rounded up."""
        if self.trade_off is None:  # the same input, and the same law of its copies
            return q
        ideal = np.minimum(q + self.failure, 1.0)
        kept = self.trade_off.worst_case_probability(ideal, np.full(len(q), self.distance))
        worst = 1.0 - np.maximum(kept, 0.0) + _COMPLEMENT + self.failure
        return np.asarray(np.minimum(np.maximum(worst, q), 1.0))


def worst_case(
    noise: HasTradeOff,
    radius: float,
    *,
    n_features: int | None = None,
    norm: float | None = None,
    failure: float = 0.0,
    changes: bool = False,
) -> WorstCaseMiss:
    """Return what perturbations of a size can make of probabilities under a noise.

    Parameters
    ----------
    noise, radius, n_features, norm : object
        As for :func:`calibration_level`.
    failure : float, default=0
        How far any probability may be from that under exact noise.
    changes : bool, default=False
        Whether more is changed than what `radius` measures. The worst of several changes is no
        concave function.
    """
    size = read_number("radius", radius)
    if not 0 <= size < math.inf:
        raise ValueError(f"radius must be finite and not negative, got {radius!r}.")
    check = getattr(noise, "check_parameters", None)
    if check is not None:
        check()
    trade_off, unit = noise.trade_off(n_features, norm)
    if not size and not changes:
        return WorstCaseMiss(None, 0.0, is_concave=True)
    distance = math.nextafter(size / unit, math.inf) if size else 0.0
    return WorstCaseMiss(trade_off, distance, failure, is_concave=not changes)


def calibration_level(
    alpha: float,
    *,
    m: int = 1,
    k: int = 1,
    m_test: int | None = None,
    k_test: int | None = None,
    noise: HasTradeOff | Worst,
    radius: float | None = None,
    n_features: int | None = None,
    norm: float | None = None,
) -> float:
    """Level of calibration for prediction sets that miss with probability `alpha` under attack.

    Each calibration row has m noisy copies, and its k-th largest score is its own; a test row has
    `m_test` copies, and a label is in its set if the `k_test`-th largest score of the label is no
    smaller than a threshold. If clean rows score below the threshold with a probability of at most
    the level that is returned, then no perturbation within the radius makes the label of a test
    row be missing with a probability above `alpha`, over rows and noise.

    Parameters
    ----------
    alpha : float
        Largest probability of a miss under attack, in (0, 1).
    m, k : int, default=1
        Number of noisy copies of a calibration row, and the rank, from the largest, of the score
        that is taken.
    m_test, k_test : int, default=None
        The same for test rows. None: as for calibration rows.
    noise : Noise or callable
        Distribution of the noise of all copies: anything with `trade_off`. Or an increasing
        function, of arrays, from the probability of a miss here to the largest probability of one
        at a perturbed input.
    radius : float, default=None
        Size of the perturbation; left out where `noise` is a function.
    n_features : int, default=None
        Number of features; needed only where the trade-off function depends on it.
    norm : float, default=None
        Norm of the radius. None: the natural norm of the noise.

    Returns
    -------
    level : float
        Never above the largest level for which the statement is true for all populations, and
        hardly ever more than 0.2 % below it; 0 where nothing is proven.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Notes
    -----
    With ``m = k = 1`` and symmetric noise it is the least probability, at the radius, of what has
    the probability `alpha` here. With ever more copies and k / m fixed it tends to `alpha`, if
    ``k_test / m_test`` is the least probability of what has the probability k / m. At the radius 0
    it is `alpha` for ``k_test = k``: split conformal prediction.

    Let g(q) and G(q) be the probabilities that fewer than k of m, and fewer than `k_test` of
    `m_test`, copies score as high as the threshold if each fails to with probability q, and h(q)
    the largest probability at the radius of what has probability q here. Where
    ``G(h(q)) <= A + B g(q)`` for all q, a clean level of a gives an attacked one of at most
    ``A + B a``; the best A and B are the lower convex hull of the curve (G(h(q)), g(q)). It is
    enclosed by corners of cells, between which both functions increase.

    References
    ----------
    .. [1] Zargarbashi, S. H. and Bojchevski, A. (2025). One sample is enough to make conformal
       prediction robust (``m = 1``).

    Examples
    --------
    >>> from sksmooth.bounds import calibration_level
    >>> from sksmooth.noise import GaussianNoise
    >>> noise = GaussianNoise(sigma=0.5)
    >>> print(f"{calibration_level(0.1, noise=noise, radius=0.25):.4f}")
    0.0374
    >>> print(f"{calibration_level(0.1, m=30, k=20, k_test=14, noise=noise, radius=0.25):.3f}")
    0.100
    """
    level = read_level("alpha", alpha)
    m, k = read_ranks(m, k, "m", "k")
    m_test, k_test = read_ranks(
        m if m_test is None else m_test, k if k_test is None else k_test, "m_test", "k_test"
    )
    if callable(getattr(noise, "trade_off", None)):
        if radius is None:
            raise ValueError("radius=None is no size of a perturbation: pass radius=0 for none.")
        own: Any = noise
        worst: Any = worst_case(own, radius, n_features=n_features, norm=norm)
    else:
        worst = noise
        if not callable(noise) or radius is not None:
            raise ValueError(
                "noise must be an object of sksmooth.noise and come with a radius, or a function "
                f"of probabilities and come without one; got noise={noise!r}, radius={radius!r}."
            )
    return level_of_ranks(level, m, k, m_test, k_test, worst)


def read_ranks(m: Any, k: Any, name_of_m: str, name_of_k: str) -> tuple[int, int]:
    """Return a number of copies, and a rank among them."""
    number, rank = read_count(name_of_m, m, 1), read_count(name_of_k, k, 1)
    if rank > number:
        raise ValueError(
            f"{name_of_k} is a rank among {name_of_m} copies and must lie between 1 and "
            f"{name_of_m}={number}, got {name_of_k}={rank}."
        )
    return number, rank


def level_of_ranks(alpha: float, m: int, k: int, m_test: int, k_test: int, worst: Worst) -> float:
    """:func:`calibration_level` of arguments that were read."""
    if isinstance(worst, WorstCaseMiss) and worst.is_concave:
        if (m, k) == (m_test, k_test) and worst.trade_off is None:
            return alpha
        if m == m_test == 1:
            return largest_below(alpha, worst)
    curve = _Curve.first(m, k, m_test, k_test, worst)
    while True:
        slope, most = _supporting_line(curve.clean, curve.attacked, alpha)
        _, level = _supporting_line(curve.clean_below, curve.attacked, alpha)
        if most - level <= _CLOSE * most or len(curve.z) > _MOST_CELLS:
            return max(level * (1.0 - _LEVEL_SLACK), 0.0)
        corners = curve.clean_below + slope * (alpha - curve.attacked)
        curve = curve.cut(corners < most)


def largest_below(alpha: float, worst: Worst) -> float:
    """Return the largest probability that becomes alpha at the most, rounded down.

    Where the worst case is concave it is the level of one copy: the curve is its own hull.
    """
    low, high = -_FAR, float(special.ndtri(alpha))
    for _ in range(_ROUNDS):
        z = np.linspace(low, high, _PER_ROUND)
        right = np.flatnonzero(worst(special.ndtr(z)) <= alpha)
        if not len(right) and low > -_FARTHEST:
            low, high = -_FARTHEST, low
            continue
        if not len(right):
            return 0.0
        if right[-1] == _PER_ROUND - 1:
            return min(float(special.ndtr(high)) * (1.0 - _LEVEL_SLACK), alpha)
        low, high = z[right[-1]], z[right[-1] + 1]
    return float(special.ndtr(low)) * (1.0 - _LEVEL_SLACK)


def _supporting_line(clean: Array, attacked: Array, alpha: float) -> tuple[float, float]:
    """Find the slope s for which ``min(clean + s (alpha - attacked))``, concave in s, is largest.

    Its value, which is returned too, is the lower convex hull of the points at alpha.
    """
    gain = alpha - attacked
    best_slope, best = 1.0, 0.0
    low, high = -_STEEPEST, _STEEPEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = math.exp(middle)
        values = clean + slope * gain
        lowest = int(values.argmin())
        if values[lowest] > best:
            best_slope, best = slope, float(values[lowest])
        if gain[lowest] > 0:
            low = middle
        else:
            high = middle
    return best_slope, best


@dataclass(frozen=True)
class _Curve:
    """Misses of clean and of attacked rows, over the probability q that one copy misses.

    It is cut into cells between neighbouring q, from 0 to 1, which are given by their upper ends.

    Attributes
    ----------
    ranks : tuple of int
        m, k, `m_test`, `k_test`.
    worst : callable
        From the probability of a miss to the largest at a perturbed input.
    z : ndarray of shape (n,)
        Normal quantiles of the upper ends of the cells; the last one is infinite.
    attacked_copy : ndarray of shape (n,)
        Largest probability, there, that one copy misses under attack.
    """

    ranks: tuple[int, int, int, int]
    worst: Worst
    z: Array
    attacked_copy: Array

    @classmethod
    def first(cls, m: int, k: int, m_test: int, k_test: int, worst: Worst) -> _Curve:
        """Cells of equal width in normal quantiles."""
        z = np.append(np.linspace(-_FAR, _FAR, _FIRST_CELLS), np.inf)
        return cls((m, k, m_test, k_test), worst, z, np.asarray(worst(special.ndtr(z))))

    @cached_property
    def clean(self) -> Array:
        """Probability, at the upper ends, that fewer than k of m copies hit."""
        m, k, _, _ = self.ranks
        return np.asarray(special.betainc(m - k + 1, k, special.ndtr(self.z)))

    @cached_property
    def clean_below(self) -> Array:
        """The same at the lower ends, rounded down."""
        return np.append(0.0, self.clean[:-1] * (1.0 - _TAIL_SLACK))

    @cached_property
    def attacked(self) -> Array:
        """Largest probability, at the upper ends, that fewer than `k_test` hit; rounded up."""
        _, _, m, k = self.ranks
        return np.asarray(special.betainc(m - k + 1, k, self.attacked_copy) * (1.0 + _TAIL_SLACK))

    def cut(self, which: NDArray[np.bool_]) -> _Curve:
        """Halve some cells; the outermost ones at a unit from their finite end."""
        upper, lower = self.z[which], np.append(-np.inf, self.z[:-1])[which]
        with np.errstate(invalid="ignore"):
            middle = np.where(np.isinf(lower), upper - 1.0, (lower + upper) / 2)
            middle = np.where(np.isinf(upper), lower + 1.0, middle)
        z = np.concatenate([self.z, middle])
        copy = np.concatenate([self.attacked_copy, self.worst(special.ndtr(middle))])
        order = np.argsort(z, kind="stable")
        return replace(self, z=z[order], attacked_copy=copy[order])
