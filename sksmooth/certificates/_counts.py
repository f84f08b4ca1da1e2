"""Counts of votes: which classes they rank, and what is no such record is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates._error_budget import ErrorBudget


def positions_of(prediction: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    """Positions of labels among the classes, which have to be sorted and hold them all."""
    if not (classes[:-1] < classes[1:]).all():
        raise ValueError(f"classes must be sorted and distinct, got {classes}.")
    positions = np.minimum(np.searchsorted(classes, prediction), len(classes) - 1)
    if not (classes[positions] == prediction).all():
        raise ValueError(f"prediction holds labels that are not among the classes {classes}.")
    return positions


def ranked_classes(votes: NDArray[Any], classes: NDArray[Any], top_k: int) -> NDArray[Any]:
    """Return the classes with the most votes, the first of equals, as a prediction holds them."""
    if top_k == 1:
        return classes[votes.argmax(axis=1)]
    return classes[np.argsort(-votes, axis=1, kind="stable")[:, :top_k]]


def check_votes(
    prediction: NDArray[Any],
    counts: NDArray[Any],
    classes: NDArray[Any],
    budget: ErrorBudget,
    top_k: int,
    target_radius: NDArray[Any] | None,
) -> None:
    """Refuse what is no record of votes."""
    budget.check()
    if counts.ndim != 2 or counts.shape[1] != len(classes) or counts.dtype.kind not in "iu":
        raise ValueError(
            f"counts must hold whole numbers in {len(classes)} columns, one per class; got an "
            f"array of shape {counts.shape} and type {counts.dtype}."
        )
    if counts.size and counts.min() < 0:
        raise ValueError(f"counts must not be negative, got {counts.min()}.")
    shape = (len(counts),) if top_k == 1 else (len(counts), top_k)
    if np.shape(prediction) != shape:
        raise ValueError(
            f"prediction must have shape {shape} for {len(counts)} rows of counts and "
            f"top_k={top_k}; got {np.shape(prediction)}."
        )
    if target_radius is not None and np.shape(target_radius) != (len(counts),):
        raise ValueError(
            f"target_radius must have shape ({len(counts)},), got {np.shape(target_radius)}."
        )


def check_draws(n_draws: NDArray[Any], counts: NDArray[Any]) -> None:
    """Refuse numbers of draws that cannot have given the votes."""
    fits = n_draws.shape == (len(counts),) and n_draws.dtype.kind in "iu"
    if not fits or (n_draws < counts.sum(axis=1)).any():
        raise ValueError(
            f"n_draws must hold a whole number for each of {len(counts)} rows, no smaller than its "
            f"number of votes; got {n_draws}."
        )
