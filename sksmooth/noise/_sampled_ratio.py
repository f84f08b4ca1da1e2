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

from sksmooth.noise._overlap import Array, Overlap

# Draws of the pilot, which chooses radii and thresholds, and of the table: enough to lose one or
# two percent of the radius at every share from 0.6 on.
_PILOT_DRAWS, _DRAWS = 20_000, 600_000
_N_RADII = 400

# Radii of the table: from where next to nothing is needed to where no share is enough.
_FIRST_FAILURE, _LAST_FAILURE = 0.47, 1e-7

# Half of the error probability is for one-sided radii, half for all others.
_PARTS = 2
_N_THRESHOLDS, _WIDEST = 80, 4.5

Draw = Callable[[int, int, float, np.random.Generator], Array]


class SampledTable(NamedTuple):
    """Bounds for one law, from one set of draws.

    Attributes
    ----------
    radii : ndarray of shape (n,)
        Increasing; fixed before the draws.
    failure : ndarray of shape (n,)
        Lower bounds of the largest ``1 - p`` for which a share of p proves each radius.
    draws : ndarray of shape (n_draws, 3)
        Largest and smallest coordinate, and the sum.
    """

    radii: Array
    failure: Array
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

    search_width: ClassVar[float] = 1e-2  # about the distance of neighbouring radii

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
    medians = [float(np.median(_log_ratio(pilot, r, d, k))) for r in radii]
    draws = _extremes(_DRAWS, d, k, draw, stream)
    each = alpha / _PARTS / len(radii)
    failure = [
        failure_bound(_log_ratio(draws, r, d, k), log_m, each)
        for r, log_m in zip(radii, medians, strict=True)
    ]
    # a share that proves a larger radius proves a smaller one
    bound = np.maximum.accumulate(np.array(failure)[::-1])[::-1]
    return SampledTable(radii, np.clip(bound, 0.0, 0.5), draws)


def failure_bound(log_ratio: Array, log_m: float, alpha: float) -> float:
    """Lower bound of ``E[min(L, m)] - m / 2``, by the empirical Bernstein inequality.

    ``min(L / m, 1)`` lies in [0, 1], so that the error is in proportion to m, which is small where
    shares are near one.

    Parameters
    ----------
    log_ratio : ndarray of shape (n,)
        Draws of log L.
    log_m : float
        Threshold, chosen independently of the draws.
    alpha : float
        Probability that the bound is wrong.

    References
    ----------
    .. [1] Maurer, A. and Pontil, M. (2009). Empirical Bernstein bounds and sample variance
       penalization. COLT 2009, Theorem 4.
    """
    n, log_term = len(log_ratio), np.log(2.0 / alpha)
    part = np.exp(np.minimum(log_ratio - log_m, 0.0))
    error = np.sqrt(2.0 * part.var(ddof=1) * log_term / n) + 7.0 * log_term / (3.0 * (n - 1))
    return float(np.exp(log_m) * (part.mean() - 0.5 - error) - 1e-15)


@lru_cache(maxsize=1024)
def _overlap_at(overlap: SampledMixedOverlap, i: int) -> tuple[Array, Array]:
    """Thresholds, and lower bounds of the overlap at radius number i.

    The bounds hold for all thresholds together, by the inequality of Dvoretzky, Kiefer and
    Wolfowitz: E[min(L, m)] is an integral of the distribution function of L. It is used for m and,
    by symmetry, for 1 / m.
    """
    table = _table(overlap)
    log_ratio = _log_ratio(table.draws, float(table.radii[i]), overlap.d, overlap.k)
    alpha = overlap.alpha / _PARTS / len(table.radii)
    error = np.sqrt(np.log(1.0 / alpha) / (2.0 * len(log_ratio)))
    levels = special.ndtr(np.linspace(-_WIDEST, _WIDEST, _N_THRESHOLDS))
    log_m = np.quantile(log_ratio, levels)
    m = np.exp(log_m)
    direct = np.array([np.exp(np.minimum(log_ratio, x)).mean() for x in log_m]) - m * error
    mirrored = np.array([np.exp(np.minimum(log_ratio + x, 0.0)).mean() for x in log_m]) - error
    # E[min(L, m)] = m E[min(L, 1 / m)] = E[min(m L, 1)]
    return m, np.maximum(direct, mirrored) - 1e-15


def _extremes(n: int, d: int, k: float, draw: Draw, rng: np.random.Generator) -> Array:
    step = max(1, 2**20 // d)
    parts = []
    for start in range(0, n, step):
        z = draw(min(step, n - start), d, k, rng)
        parts.append(np.column_stack([z.max(axis=1), z.min(axis=1), z.sum(axis=1)]))
    return np.concatenate(parts)


def _log_ratio(draws: Array, r: float, d: int, k: float) -> Array:
    """Return log L for a shift of r in every coordinate."""
    largest, smallest, total = draws.T
    moved = np.maximum(largest - r, r - smallest) / np.maximum(largest, -smallest)
    return -k * np.log(moved) + r * total - d * r * r / 2


def _choose_radii(pilot: Array, d: int, k: float) -> Array:
    """Radii between which the share that is needed grows from one half to one."""

    def failure(r: float) -> float:
        log_ratio = _log_ratio(pilot, r, d, k)
        log_m = np.median(log_ratio)
        return float(np.exp(log_m) * (np.exp(np.minimum(log_ratio - log_m, 0.0)).mean() - 0.5))

    first = last = float(np.sqrt(d - k) / d)
    while failure(first) < _FIRST_FAILURE and first > 1e-30:
        first /= 1.2
    while failure(last) > _LAST_FAILURE:
        last *= 1.2
    return np.geomspace(first, last, _N_RADII)
