"""How many votes each row needs.

Either as many as decide whether a radius holds, or as many as prove nearly the radius that a fixed
number of draws would prove. Votes come from a callable, so that nothing here knows the base model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.bounds import Look
from sksmooth.certificates import ClassificationCertificate

# Votes of some rows: positions of the rows, number of the first draw, number of draws.
Count = Callable[[NDArray[np.intp], int, int], NDArray[np.int64]]

# Positions of rows that were given up, to those of rows that are of no use then.
Needless = Callable[[NDArray[np.intp]], NDArray[np.intp]]

# Futility rule: a row is given up when votes this many predictive standard deviations above their
# expectation would not certify it at the cap. This loses about one in a thousand of the rows that
# could just be certified, and never makes a certificate wrong.
FUTILITY_DEVIATIONS = 3.0

_FEWEST_DRAWS, _DRAWS_GROWTH = 100, 1.1


def decide(
    count: Count,
    certify: Callable[[NDArray[np.intp], NDArray[Any], Any], ClassificationCertificate],
    counts: NDArray[np.int64],
    alpha_spent: NDArray[np.float64],
    top: NDArray[np.intp],
    looks: Sequence[Look],
    on_decided: Callable[[int], Any],
    needless: Needless | None = None,
) -> None:
    """Add votes to every row until it is decided whether its radius holds.

    A row is decided when its radius is certified, or when the futility rule says that more votes
    are unlikely to certify it (see :func:`optimistic_counts`).

    Parameters
    ----------
    count : callable
        Returns further votes of the rows at some positions, from given draws on. The votes of
        earlier draws are in `counts`.
    certify : callable
        Returns the certificate of the rows at some positions, from their counts and the parts of
        alpha that the bounds may spend.
    counts : ndarray of shape (m, n_classes)
        Votes so far; changed in place.
    alpha_spent : ndarray of shape (m,)
        Part of alpha that the bounds from `counts` spend; changed in place.
    top : ndarray of shape (m,)
        Index of the predicted class.
    looks : sequence of Look
        Numbers of draws at which rows are decided, each with its part of alpha.
    on_decided : callable
        Called with the number of newly decided rows.
    needless : callable, default=None
        Returns the rows that are of no use where some rows, whose positions it is given, were
        given up: they are given up as well.
    """
    cap = looks[-1]
    n_draws = counts.sum(axis=1)
    undecided = np.ones(len(counts), dtype=bool)

    def settle(rows: NDArray[np.intp]) -> None:
        proven = certify(rows, counts[rows], alpha_spent[rows]).certified
        undecided[rows] = ~proven
        if len(doubtful := rows[~proven]):
            optimistic = optimistic_counts(counts[doubtful], top[doubtful], cap.n_draws)
            undecided[doubtful] = certify(doubtful, optimistic, cap.alpha_spent).certified
        on_decided(int(np.count_nonzero(~undecided[rows])))
        if needless is not None:
            undecided[needless(doubtful[~undecided[doubtful]])] = False

    if len(begun := np.flatnonzero(n_draws)):
        settle(begun)
    for look in looks:
        rows = np.flatnonzero(undecided & (n_draws < look.n_draws))
        if not len(rows):  # all are decided, or have more draws than this already
            continue
        for have in np.unique(n_draws[rows]):
            alike = rows[n_draws[rows] == have]
            counts[alike] += count(alike, int(have), int(look.n_draws - have))
        n_draws[rows] = look.n_draws
        alpha_spent[rows] = look.alpha_spent
        settle(rows)


def optimistic_counts(
    counts: NDArray[np.int64], top: NDArray[np.intp], cap: int
) -> NDArray[np.int64]:
    """Votes at the cap, if the draws still to come favour one class more than can be expected.

    Its votes are the upper end of a prediction interval of `FUTILITY_DEVIATIONS` standard
    deviations; the other classes have the rest, in the proportions that they have so far.

    Parameters
    ----------
    counts : ndarray of shape (m, n_classes)
        Votes so far, at least one per row.
    top : ndarray of shape (m,)
        Index of the favoured class.
    cap : int
        Number of votes at the cap.

    Returns
    -------
    counts : ndarray of shape (m, n_classes)
    """
    n_draws = counts.sum(axis=1)
    votes = np.take_along_axis(counts, top[:, None], axis=1)[:, 0]
    rest = np.maximum(cap - n_draws, 0)
    proportion = (votes + 0.5) / (n_draws + 1)
    deviation = np.sqrt(rest * proportion * (1 - proportion) * (1 + rest / n_draws))
    largest = np.floor(votes + rest * proportion + FUTILITY_DEVIATIONS * deviation)
    favoured = np.minimum(largest, votes + rest)
    growth_of_others = (n_draws + rest - favoured) / np.maximum(n_draws - votes, 1)
    optimistic = np.floor(counts * growth_of_others[:, None])
    np.put_along_axis(optimistic, top[:, None], favoured[:, None], axis=1)
    return optimistic.astype(np.int64)


def draws_for_radius(
    pilot: NDArray[np.int64],
    cap: int,
    rtol: float,
    radii_of: Callable[[NDArray[np.intp], NDArray[np.int64]], NDArray[np.float64]],
) -> NDArray[np.int64]:
    """Return the number of draws that proves nearly the radii of the cap, if a pilot is right.

    Parameters
    ----------
    pilot : ndarray of shape (m, n_classes)
        Votes of the pilot, equally many in each row, independent of the draws that certify.
    cap : int
        Largest number of draws.
    rtol : float
        Relative loss of radius that is allowed if votes keep the proportions of the pilot.
    radii_of : callable
        Takes positions of rows and votes for them; returns the radii that these prove, of shape
        (n_rows, n_radii). Each radius of a row is held to `rtol`.

    Returns
    -------
    n_draws : ndarray of int of shape (m,)
    """
    sizes, every = _sizes(cap), np.arange(len(pilot))
    wanted = (1 - rtol) * radii_of(every, scaled_votes(pilot, np.full(len(pilot), cap)))
    too_small, enough = np.full(len(pilot), -1), np.full(len(pilot), len(sizes) - 1)
    while len(rows := np.flatnonzero(enough - too_small > 1)):
        middle = (too_small[rows] + enough[rows]) // 2
        radii = radii_of(rows, scaled_votes(pilot[rows], sizes[middle]))
        met = (radii >= wanted[rows]).all(axis=1)
        enough[rows[met]], too_small[rows[~met]] = middle[met], middle[~met]
    return sizes[enough]


def scaled_votes(votes: NDArray[np.int64], n_draws: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return votes in the same proportions, rounded to whole ones, for other numbers of draws.

    Parameters
    ----------
    votes : ndarray of shape (m, n_classes)
        At least one in each row.
    n_draws : ndarray of shape (m,)
        Number of votes wanted in each row.

    Returns
    -------
    votes : ndarray of shape (m, n_classes)
    """
    total = np.cumsum(votes, axis=1)
    return np.diff(total * n_draws[:, None] // total[:, -1:], axis=1, prepend=0)


def count_as_needed(count: Count, needed: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """Add to `counts` the votes of the number of draws that each row needs."""
    have = 0
    for size in np.unique(needed):
        rows = np.flatnonzero(needed >= size)
        counts[rows] += count(rows, have, int(size - have))
        have = int(size)


def _sizes(cap: int) -> NDArray[np.int64]:
    """Geometrically growing numbers of draws, up to the cap."""
    n_steps = max(0, int(np.log(cap / _FEWEST_DRAWS) / np.log(_DRAWS_GROWTH)))
    sizes = np.ceil(_FEWEST_DRAWS * _DRAWS_GROWTH ** np.arange(n_steps + 1)).astype(np.int64)
    return np.unique(np.append(np.minimum(sizes, cap), cap))
