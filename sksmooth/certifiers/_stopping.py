"""How many votes each row needs.

Two answers: as many as decide whether a radius holds, and as many as prove nearly the radius that
a fixed number of draws would prove. Neither knows the base model: votes come from a callable.
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

# A row is given up when even an outcome this many predictive standard deviations better than
# expected would not certify it at the cap. This costs certificates (about one in a thousand rows
# that could just be certified), never soundness.
_HOPE = 3.0

_FEWEST_DRAWS, _DRAWS_GROWTH = 100, 1.1


def decide(
    count: Count,
    certify: Callable[[NDArray[np.intp], NDArray[Any], Any], ClassificationCertificate],
    counts: NDArray[np.int64],
    alpha_spent: NDArray[np.float64],
    top: NDArray[np.intp],
    looks: Sequence[Look],
    on_decided: Callable[[int], Any],
) -> None:
    """Add votes to every row until it is decided whether its radius holds.

    Parameters
    ----------
    count : callable
        Takes votes; those it has given before for a row are in `counts` already.
    certify : callable
        Makes the certificate of the rows at some positions from their counts and shares of
        alpha. Its `certified` decides.
    counts : ndarray of shape (m, n_classes)
        Votes so far; changed in place.
    alpha_spent : ndarray of shape (m,)
        Share of alpha of the bounds that `counts` allows; changed in place.
    top : ndarray of shape (m,)
        Index of the predicted class.
    looks : sequence of Look
        When to look, and at which share of alpha.
    on_decided : callable
        Told how many rows more are decided.
    """
    cap = looks[-1]
    n_draws = counts.sum(axis=1)

    def settled(rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        proven = certify(rows, counts[rows], alpha_spent[rows]).certified
        hoped_for = optimistic_counts(counts[rows], top[rows], cap.n_draws)
        return proven | ~certify(rows, hoped_for, cap.alpha_spent).certified

    undecided = np.ones(len(counts), dtype=bool)
    begun = np.flatnonzero(n_draws)
    undecided[begun] = ~settled(begun)
    on_decided(int(np.count_nonzero(~undecided)))
    for look in looks:
        rows = np.flatnonzero(undecided & (n_draws < look.n_draws))
        for have in np.unique(n_draws[rows]):
            alike = rows[n_draws[rows] == have]
            counts[alike] += count(alike, int(have), int(look.n_draws - have))
        n_draws[rows] = look.n_draws
        alpha_spent[rows] = look.alpha_spent
        undecided[rows] = ~settled(rows)
        on_decided(int(np.count_nonzero(~undecided[rows])))


def optimistic_counts(
    counts: NDArray[np.int64], top: NDArray[np.intp], cap: int
) -> NDArray[np.int64]:
    """Votes at the cap if the draws still to come are as good as can reasonably be hoped.

    Parameters
    ----------
    counts : ndarray of shape (m, n_classes)
        Votes so far, at least one per row.
    top : ndarray of shape (m,)
        Index of the class that votes are hoped for.
    cap : int
        Number of votes to come to.

    Returns
    -------
    counts : ndarray of shape (m, n_classes)
    """
    n_draws = counts.sum(axis=1)
    votes = np.take_along_axis(counts, top[:, None], axis=1)[:, 0]
    rest = np.maximum(cap - n_draws, 0)
    share = (votes + 0.5) / (n_draws + 1)
    spread = np.sqrt(rest * share * (1 - share) * (1 + rest / n_draws))
    hoped_for = np.minimum(np.floor(votes + rest * share + _HOPE * spread), votes + rest)
    left = (n_draws + rest - hoped_for) / np.maximum(n_draws - votes, 1)
    outcome = np.floor(counts * left[:, None])
    np.put_along_axis(outcome, top[:, None], hoped_for[:, None], axis=1)
    return outcome.astype(np.int64)


def draws_for_radius(
    pilot: NDArray[np.int64],
    cap: int,
    rtol: float,
    radii_of: Callable[[NDArray[np.intp], NDArray[np.int64]], NDArray[np.float64]],
) -> NDArray[np.int64]:
    """Size the draws that prove nearly the radii of the cap, if votes come as in a pilot.

    Parameters
    ----------
    pilot : ndarray of shape (m, n_classes)
        Votes, as many for each row, and independent of the draws to be sized.
    cap : int
        Largest number of draws.
    rtol : float
        Relative loss of radius that is allowed, where the pilot is right.
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
    """Votes in the same shares, rounded to whole ones, of other numbers of draws.

    Parameters
    ----------
    votes : ndarray of shape (m, n_classes)
        At least one in each row.
    n_draws : ndarray of shape (m,)
        Number of votes of each row to come to.
    """
    total = np.cumsum(votes, axis=1)
    return np.diff(total * n_draws[:, None] // total[:, -1:], axis=1, prepend=0)


def count_as_needed(count: Count, needed: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """Add to `counts` the votes of as many draws as each row needs."""
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
