"""What votes prove about the class that was predicted: bounds of probabilities, and a radius."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sksmooth.bounds import clopper_pearson_lower, clopper_pearson_upper, runner_up_upper_bound
from sksmooth.certificates._error_budget import ErrorBudget
from sksmooth.noise import Noise
from sksmooth.noise._lattice import Rounding


class ProvenByVotes(NamedTuple):
    """Bounds and radii of m rows.

    Attributes
    ----------
    p_lower, p_upper : ndarray of shape (m,)
        Bounds of the probability of the (first) predicted class, and of every other class.
    radius : ndarray of shape (m,)
        Of the (first) predicted class.
    label_radius : ndarray of shape (m, top_k) or None
        Of each predicted class, where there are several.
    """

    p_lower: NDArray[np.float64]
    p_upper: NDArray[np.float64]
    radius: NDArray[np.float64]
    label_radius: NDArray[np.float64] | None


def n_bounds_of_vote(n_classes: int, bilateral: bool, top_k: int) -> int:
    """Return how many confidence bounds the certificate of one row rests on."""
    if top_k > 1:
        return n_classes
    return 2 if bilateral and n_classes > 2 else 1


def proven_by_votes(
    counts: NDArray[np.int64],
    n_draws: NDArray[np.int64],
    top: NDArray[np.intp],
    budget: ErrorBudget,
    *,
    bilateral: bool,
    noise: Noise,
    n_features: int,
    norm: float,
    rounding: Rounding,
) -> ProvenByVotes:
    """Bound probabilities by votes, and derive radii.

    Parameters
    ----------
    counts : ndarray of shape (m, n_classes)
        Votes.
    n_draws : ndarray of shape (m,)
        Number of draws; votes that are for nobody count for every class but the predicted one.
    top : ndarray of shape (m,) or (m, top_k)
        Positions of the predicted classes, chosen independently of the votes.
    budget : ErrorBudget
        Level of each bound.
    bilateral : bool
        Whether the other classes are bounded by their own votes.
    noise, n_features, norm : object
        Law of the noise, and the norm of the radii.
    rounding : Rounding
        What the rounding of inputs and draws takes from the radii.
    """
    geometry: dict[str, Any] = {"n_features": n_features, "norm": norm}
    alpha = np.broadcast_to(np.asarray(budget.of_one_bound, dtype=float), n_draws.shape)
    if top.ndim > 1:
        return _of_several_labels(counts, top, n_draws, alpha, noise, geometry, rounding)
    votes = np.take_along_axis(counts, top[:, None], axis=1)[:, 0]
    p_lower = clopper_pearson_lower(votes, n_draws, alpha)
    p_upper = 1.0 - p_lower
    if bilateral:
        most = _with_strongest_rival(counts, top, n_draws)
        p_upper = np.minimum(runner_up_upper_bound(most, top, n_draws, alpha), p_upper)
    radius = noise.radius(rounding.lower(p_lower), rounding.upper(p_upper), **geometry)
    return ProvenByVotes(p_lower, p_upper, rounding.shrunk(radius, norm), None)


def _with_strongest_rival(
    counts: NDArray[np.int64], top: NDArray[np.intp], n_draws: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Votes, if the strongest of the classes that are not predicted had all that are for nobody."""
    most, rows = counts.copy(), np.arange(len(counts))
    most[rows, top] = -1
    rival = most.argmax(axis=1)
    most[rows, top] = counts[rows, top]
    most[rows, rival] += n_draws - counts.sum(axis=1)
    return most


def _at_most(counts: NDArray[np.int64], n_draws: NDArray[np.int64]) -> NDArray[np.int64]:
    """Votes of each class, if it had all that are for nobody."""
    return counts + (n_draws - counts.sum(axis=1))[:, None]


def _of_several_labels(
    counts: NDArray[np.int64],
    labels: NDArray[np.intp],
    n_draws: NDArray[np.int64],
    alpha: NDArray[np.float64],
    noise: Noise,
    geometry: dict[str, Any],
    rounding: Rounding,
) -> ProvenByVotes:
    """Radii within which labels stay among as many as there are; all bounds hold together."""
    upper = clopper_pearson_upper(_at_most(counts, n_draws), n_draws[:, None], alpha[:, None])
    top_k, n_classes = labels.shape[1], counts.shape[1]
    radius, strongest = np.zeros(labels.shape), np.zeros(labels.shape)
    p_lower = np.zeros(labels.shape)
    for j in range(top_k):
        own = labels[:, j, None]
        votes = np.take_along_axis(counts, own, axis=1)[:, 0]
        others = upper[np.arange(n_classes) != own].reshape(len(counts), n_classes - 1)
        p_lower[:, j] = clopper_pearson_lower(votes, n_draws, alpha)
        strongest[:, j] = others.max(axis=1, initial=0.0)
        bounds = rounding.lower(p_lower[:, j]), rounding.upper(others)
        proven = noise.top_radius(*bounds, top_k, **geometry)
        radius[:, j] = rounding.shrunk(proven, geometry["norm"])
    first = p_lower[:, 0]
    return ProvenByVotes(first, np.minimum(strongest[:, 0], 1.0 - first), radius[:, 0], radius)
