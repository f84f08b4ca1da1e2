"""Overlap of the mixed-norm noise by Monte Carlo, where its integral is not known to be accurate.

Draws of the noise enter through their largest and smallest coordinate and their sum alone, so one
set of them serves all shifts and all inputs. Every bound here may be wrong, all of them together
with a probability that is taken from the alpha of the certificates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy import special

from sksmooth.noise._radii._trade_off import Array, Overlap

# Draws of the pilot, which chooses radii, thresholds and the number of draws; and the most draws,
# and values in them, of the table. From the named share on a table loses no more radius than
# allowed to its draws, and as much to the steps between its radii; more of it below.
_PILOT_DRAWS, _MOST_DRAWS, _MOST_VALUES = 40_000, 2_000_000, 4_000_000_000
_LOSS, _STEP, _COARSE_STEP, _EVERY = 0.004, 0.005, 0.015, 8
_BLOCK = 2**14  # draws that are worked on at a time
_PRECISE_FAILURE = 0.41  # shares from 0.6 on, and a little below

# Radii of the table: from where next to nothing is needed to where no share is enough.
_FIRST_FAILURE, _LAST_FAILURE = 0.47, 1e-7

# Half of the error probability is for one-sided radii, half for all others.
_PARTS = 2
_N_THRESHOLDS, _WIDEST = 80, 4.5
_SUM_ROUNDING = 1e-10  # of sums over all draws

# Above, a table takes hours.
MOST_FEATURES = 2**14

Draw = Callable[[int, int, float, np.random.Generator], Array]


class SampledTable(NamedTuple):
    """Bounds for one law, from one set of draws.

    Attributes
    ----------
    radii : ndarray of shape (n,)
        Increasing; fixed before the draws.
    failure : ndarray of shape (n,)
        Lower bounds of the largest ``1 - p`` for which a share of p proves each radius.
    pilot, draws : ndarray of shape (n_draws, 3)
        Largest and smallest coordinate, and the sum: of independent sets of draws.
    """

    radii: Array
    failure: Array
    pilot: Array
    draws: Array


@dataclass(frozen=True)
class SampledMixedOverlap(Overlap):
    """Overlap of the mixed-norm noise of unit scale, linf norm, known up to an error probability.

    Attributes
    ----------
    d : int
        Number of features.
    k : float
        In (0, d).
    alpha : float
        Probability that any of its bounds is wrong.
    draw : callable
        Draws noise of unit scale: takes a number of draws, d, k and a generator.
    memory : joblib.Memory or None
        Keeps the table on disk.
    """

    d: int
    k: float
    alpha: float
    draw: Draw
    memory: Any = field(default=None, compare=False)

    search_width: ClassVar[float] = 2e-3  # about half the distance of neighbouring radii

    def one_sided(self, missing: Array) -> Array:
        table = _table(self)
        # failure decreases with the radius: count the radii that the share proves
        proven = np.searchsorted(-table.failure, -missing, side="right")
        radius = np.where(proven > 0, table.radii[np.maximum(proven - 1, 0)], 0.0)
        return np.where(missing <= 0, np.inf, radius)

    def kept(self, missing: Array, r: Array) -> Array:
        shape = np.broadcast(missing, r).shape
        missing, r = (np.broadcast_to(x, shape).ravel() for x in (missing, r))
        radii = _table(self).radii
        place = np.searchsorted(radii, r)  # the next larger radius: less is kept there
        kept = np.where(r > 0, np.where(missing <= 0, 1.0, 0.0), 1.0 - missing)
        for i in np.unique(place[(r > 0) & (place < len(radii))]):
            here = np.flatnonzero((place == i) & (r > 0) & (missing > 0) & (missing < 1))
            thresholds, overlap = _overlap_at(self, int(i))
            best = (overlap - thresholds * missing[here, None]).max(axis=1)
            kept[here] = np.clip(best, 0.0, 1.0)
        return kept.reshape(shape)


@lru_cache(maxsize=8)
def _table(overlap: SampledMixedOverlap) -> SampledTable:
    build = sample if overlap.memory is None else overlap.memory.cache(sample)
    return SampledTable(*build(overlap.d, overlap.k, overlap.alpha, overlap.draw))


def sample(d: int, k: float, alpha: float, draw: Draw) -> SampledTable:
    """Choose radii and thresholds by a pilot, then bound the failures by independent draws.

    Parameters
    ----------
    d : int
        Number of features.
    k : float
        In (0, d).
    alpha : float
        Probability that any bound is wrong.
    draw : callable
        Draws noise of unit scale.

    Returns
    -------
    table : SampledTable
    """
    pilot_stream, stream = (np.random.default_rng(s) for s in np.random.SeedSequence(0).spawn(2))
    pilot = _extremes(_PILOT_DRAWS, d, k, draw, pilot_stream)
    radii = _choose_radii(pilot, d, k)
    each = alpha / _PARTS / len(radii)
    plan = _plan(pilot, radii, d, k, each)
    n_draws = int(plan.n_draws[plan.failure <= _PRECISE_FAILURE].max())
    n_draws = min(n_draws, _MOST_DRAWS, _MOST_VALUES // d)
    draws = _extremes(n_draws, d, k, draw, stream)
    failure = [
        failure_bound(_parts(draws[:n], r, d, k, log_m), log_m, each)
        for r, log_m, n in zip(radii, plan.log_m, plan.n_draws, strict=True)
    ]
    # a share that proves a larger radius proves a smaller one
    bound = np.maximum.accumulate(np.array(failure)[::-1])[::-1]
    return SampledTable(radii, np.clip(bound, 0.0, 0.5), pilot, draws)


class _Plan(NamedTuple):
    """What a pilot says of radii.

    Attributes
    ----------
    failure, log_m : ndarray of shape (n_radii,)
        Estimates of the failure, and the thresholds for which it is largest.
    n_draws : ndarray of int of shape (n_radii,)
        Draws after which no more of the radius is lost than allowed.
    """

    failure: Array
    log_m: Array
    n_draws: Any


def _plan(pilot: Array, radii: Array, d: int, k: float, alpha: float) -> _Plan:
    """Look at every few radii; any threshold and number of draws is valid in between."""
    few = np.unique(np.append(np.arange(0, len(radii), _EVERY), len(radii) - 1))
    seen = np.array([_plan_one(pilot, float(r), d, k, alpha) for r in radii[few]])
    failure, log_m, log_n = (np.interp(np.arange(len(radii)), few, column) for column in seen.T)
    return _Plan(failure, log_m, np.ceil(np.exp(log_n)).astype(np.int64))


def _plan_one(pilot: Array, r: float, d: int, k: float, alpha: float) -> tuple[float, float, float]:
    """Failure, logarithm of the threshold and of the number of draws."""
    log_m = float(np.median(_log_ratios(pilot, r, d, k)))
    part = _parts(pilot, r, d, k, log_m)
    failure = float(np.exp(log_m) * (part.mean() - 0.5))
    farther = _parts(pilot, r * (1.0 + _COARSE_STEP), d, k, log_m)
    fall = max(float((part - farther).mean()) / _COARSE_STEP, 1e-12)  # per relative step of r
    log_term, error = np.log(2.0 / alpha), _LOSS * fall
    spread, bounded = np.sqrt(2.0 * part.var() * log_term), 7.0 * log_term / 3.0
    root = (spread + np.sqrt(spread**2 + 4.0 * error * bounded)) / (2.0 * error)
    return failure, log_m, float(np.log(min(root**2, 1e12)))


def failure_bound(part: Array, log_m: float, alpha: float) -> float:
    """Lower bound of ``E[min(L, m)] - m / 2``, by the empirical Bernstein inequality.

    The error is in proportion to m, which is small where shares are near one.

    Parameters
    ----------
    part : ndarray of shape (n,)
        Independent draws of ``min(L / m, 1)``, or of means of it, which lie in [0, 1].
    log_m : float
        Threshold, chosen independently of the draws.
    alpha : float
        Probability that the bound is wrong.
    """
    mean = lower_mean(part.mean(), part.var(ddof=1), len(part), alpha)
    return float(np.exp(log_m) * (mean - 0.5) - 1e-15)


def lower_mean(mean: Any, variance: Any, n: int, alpha: float) -> Any:
    """Lower bound of the mean of a law on [0, 1].

    Parameters
    ----------
    mean, variance : float or ndarray
        Of n independent draws.
    n : int
        Number of draws.
    alpha : float
        Probability that the bound is wrong.

    References
    ----------
    .. [1] Maurer, A. and Pontil, M. (2009). Empirical Bernstein bounds and sample variance
       penalization. COLT 2009, Theorem 4.
    """
    log_term = np.log(2.0 / alpha)
    return mean - np.sqrt(2.0 * variance * log_term / n) - 7.0 * log_term / (3.0 * (n - 1))


def _parts(draws: Array, r: float, d: int, k: float, log_m: float) -> Array:
    """``min(L / m, 1)``, averaged over each draw and its mirror image."""
    blocks = (draws[i : i + _BLOCK] for i in range(0, len(draws), _BLOCK))
    means = [
        np.exp(np.minimum(_log_ratios(block, r, d, k) - log_m, 0.0)).mean(axis=0)
        for block in blocks
    ]
    return np.concatenate(means)


@lru_cache(maxsize=1024)
def _overlap_at(overlap: SampledMixedOverlap, i: int) -> tuple[Array, Array]:
    """Thresholds, and lower bounds of the overlap at radius number i.

    The thresholds are those of the pilot. For each, E[min(L, m)] is bounded as m E[min(L / m, 1)]
    and, by symmetry, as E[min(m L, 1)].
    """
    table, r = _table(overlap), float(_table(overlap).radii[i])
    levels = special.ndtr(np.linspace(-_WIDEST, _WIDEST, _N_THRESHOLDS))
    log_m = np.quantile(_log_ratios(table.pilot, r, overlap.d, overlap.k), levels)
    log_ratios = _log_ratios(table.draws, r, overlap.d, overlap.k)
    alpha = overlap.alpha / _PARTS / len(table.radii) / (2 * _N_THRESHOLDS)
    m, both = np.exp(log_m), np.unique(np.concatenate([log_m, -log_m]))
    lower = lower_mean(*capped_moments(log_ratios, both), len(table.draws), alpha) - _SUM_ROUNDING
    direct, mirrored = (lower[np.searchsorted(both, x)] for x in (log_m, -log_m))
    return m, np.maximum(m * direct, mirrored)


def capped_moments(log_ratios: Array, log_m: Array) -> tuple[Array, Array]:
    """Mean and variance of ``min(L / m, 1)``, averaged over pairs, for many m at once.

    Parameters
    ----------
    log_ratios : ndarray of shape (2, n_pairs)
        Log L.
    log_m : ndarray of shape (n_thresholds,)
        Increasing.
    """
    n, m = log_ratios.shape[1], np.exp(log_m)
    low, high = np.minimum(*log_ratios), np.maximum(*log_ratios)
    first = [np.searchsorted(log_m, x, side="right") for x in (low, high)]

    def below(which: int, weights: Any = None) -> Array:
        """Sum over the pairs whose lower or higher value is below each threshold."""
        per_bin: Any = np.bincount(first[which], weights, minlength=len(m) + 1)
        return np.cumsum(per_bin, dtype=float)[:-1]

    small, large = np.exp(low), np.exp(high)
    capped = 2 * n - below(0) - below(1)
    mean = ((below(0, small) + below(1, large)) / m + capped) / (2 * n)
    squares = (below(0, small**2) + below(1, large**2)) / m**2 + capped
    one_capped = (below(0, small) - below(1, small)) / m
    products = below(1, small * large) / m**2 + one_capped + n - below(0)
    variance = (squares + 2 * products) / (4 * n) - mean**2
    return mean, np.maximum(variance, 0.0) * n / (n - 1)


def _extremes(n: int, d: int, k: float, draw: Draw, rng: np.random.Generator) -> Array:
    step = max(1, 2**20 // d)
    parts = []
    for start in range(0, n, step):
        z = draw(min(step, n - start), d, k, rng)
        parts.append(np.column_stack([z.max(axis=1), z.min(axis=1), z.sum(axis=1)]))
    return np.concatenate(parts)


def _log_ratios(draws: Array, r: float, d: int, k: float) -> Array:
    """Return log L of every draw and of its mirror image, for a shift of r in every coordinate.

    The law is symmetric. Where one of a pair has much of L the other has little, so that their mean
    varies less.
    """
    largest, smallest, total = np.ascontiguousarray(draws.T)
    size, tilt = np.maximum(largest, -smallest), r * total
    pairs = np.empty((2, len(draws)))
    for i, (high, low, sign) in enumerate(((largest, smallest, 1.0), (-smallest, -largest, -1.0))):
        moved = np.maximum(high - r, r - low)
        pairs[i] = -k * np.log(moved / size) + sign * tilt - d * r * r / 2
    return pairs


def _choose_radii(pilot: Array, d: int, k: float) -> Array:
    """Radii between which the share that is needed grows from one half to one."""

    def failure(r: float) -> float:
        log_m = float(np.median(_log_ratios(pilot, r, d, k)))
        return float(np.exp(log_m) * (_parts(pilot, r, d, k, log_m).mean() - 0.5))

    first = last = float(np.sqrt(d - k) / d)
    while failure(first) < _FIRST_FAILURE and first > 1e-30:
        first /= 1.2
    precise = first
    while failure(precise) > _PRECISE_FAILURE:
        precise *= 1.05
    while failure(last) > _LAST_FAILURE:
        last *= 1.2
    coarse, fine = (
        np.arange(np.log(low), np.log(high), step)
        for low, high, step in ((first, precise, _COARSE_STEP), (precise, last, _STEP))
    )
    return np.exp(np.concatenate([coarse, fine]))
