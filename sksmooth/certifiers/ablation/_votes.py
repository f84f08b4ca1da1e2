"""What votes on ablations prove about patches: certain, by the places that a patch may have.

An ablation that does not see the patch votes as before; one that sees it may vote for anything. So
a class A stays ahead of B wherever the votes of A that are left are more than those of B that are
left and all that may change, or as many, and A comes first. With one vote for each ablation this is
what enumerating all votes gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Numbers of votes that are looked at together: 64 MB.
_VALUES_AT_ONCE = 2**23


def counted(votes: NDArray[np.intp], n_classes: int) -> NDArray[np.int64]:
    """Count the votes of each row for each class; -1 is no vote.

    Parameters
    ----------
    votes : ndarray of int of shape (m, n_ablations)
        Positions of classes.
    n_classes : int
        Number of classes.

    Returns
    -------
    counts : ndarray of shape (m, n_classes)
    """
    return np.stack([(votes == c).sum(axis=1) for c in range(n_classes)], axis=1)


def ranked_labels(counts: NDArray[np.int64], top_k: int) -> NDArray[np.intp]:
    """Positions of the classes with the most votes; of equals, the first comes first."""
    return np.asarray(np.argsort(-counts, axis=1, kind="stable")[:, :top_k])


def certified_by_place(
    votes: NDArray[np.intp],
    label: NDArray[np.intp],
    seen: NDArray[np.bool_],
    n_classes: int,
    *,
    top_k: int = 1,
) -> NDArray[np.bool_]:
    """Whether a label stays among the first, wherever one patch is and whatever it shows.

    Parameters
    ----------
    votes : ndarray of int of shape (m, n_ablations)
        Positions of classes; -1: none.
    label : ndarray of int of shape (m,)
        Position of the class that is meant.
    seen : ndarray of bool of shape (n_places, n_ablations)
        Which ablations see the patch at each place.
    n_classes : int
        Number of classes.
    top_k : int, default=1
        Number of places among the classes with the most votes.

    Returns
    -------
    certified : ndarray of bool of shape (m,)
    """
    per_row = n_classes * (len(seen) + votes.shape[1])
    step = max(1, _VALUES_AT_ONCE // per_row)
    found = np.empty(len(votes), bool)
    unseen = (~seen).astype(np.float64).T  # products of whole numbers this small are exact
    for first in range(0, len(votes), step):
        some, own = votes[first : first + step], label[first : first + step]
        one_hot = (some[:, None, :] == np.arange(n_classes)[:, None]).astype(np.float64)
        left = np.moveaxis(one_hot @ unseen, 1, 2)  # rows, places, classes
        needs = _needed(left, own[:, None])
        k = min(top_k, n_classes)
        least = np.partition(needs, k - 1, axis=2)[:, :, :k].sum(axis=2)
        found[first : first + step] = (least > seen.sum(axis=1)).all(axis=1)
    return found


def certified_by_count(
    counts: NDArray[np.int64], label: NDArray[np.intp], n_affected: int, *, top_k: int = 1
) -> NDArray[np.bool_]:
    """Whether a label stays among the first, whichever ablations change, and how.

    Parameters
    ----------
    counts : ndarray of int of shape (m, n_classes)
        Of :func:`counted`.
    label : ndarray of int of shape (m,)
        Position of the class that is meant.
    n_affected : int
        Number of ablations that may change.
    top_k : int, default=1
        Number of places among the classes with the most votes.

    Returns
    -------
    certified : ndarray of bool of shape (m,)

    Notes
    -----
    The votes that change are taken from the label itself, as far as it has any; what is not needed
    for that can only be fewer votes for the others.
    """
    left = counts.astype(np.float64)
    rows = np.arange(len(counts))
    left[rows, label] = np.maximum(left[rows, label] - n_affected, 0)
    needs = _needed(left[:, None], label[:, None])[:, 0]
    k = min(top_k, counts.shape[1])
    return np.asarray(np.partition(needs, k - 1, axis=1)[:, :k].sum(axis=1) > n_affected)


def _needed(left: NDArray[np.float64], label: NDArray[Any]) -> NDArray[np.float64]:
    """Votes that each class needs to get ahead of a label; for the label itself more than any.

    Parameters
    ----------
    left : ndarray of shape (m, n_places, n_classes)
        Votes that a patch does not change.
    label : ndarray of int of shape (m, 1)
        Position of the label.
    """
    own = np.take_along_axis(left, label[:, :, None], axis=2)
    comes_first = label[:, :, None] < np.arange(left.shape[2])  # wins ties
    needs = np.maximum(own + comes_first - left, 0.0)
    is_own = label[:, :, None] == np.arange(left.shape[2])
    return np.asarray(np.where(is_own, np.inf, needs))
