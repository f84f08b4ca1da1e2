"""Which rows of the training data become reference points, and which train the base model."""

from __future__ import annotations

import warnings
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from sksmooth.inputs._distinct_rows import distinct_rows

Codes = NDArray[np.intp]


def split_off_reference(
    labels: Codes, size: float | int, rng: np.random.Generator
) -> tuple[Codes, Codes]:
    """Choose reference rows, in each class the same part.

    Parameters
    ----------
    labels : ndarray of int of shape (m,)
        Positions of the classes.
    size : float or int
        Part of the rows, or their number.
    rng : Generator
        Chooses.

    Returns
    -------
    training, reference : ndarray of int
        Positions of the rows. A class with one row has it in `training`, any other has one of
        each at least: `train_test_split` with `stratify` may leave it without one or the other.
    """
    part = float(size) / len(labels) if isinstance(size, Integral) else float(size)
    if part >= 1:
        raise ValueError(
            f"reference_size={size!r} leaves none of the {len(labels)} rows to train the base "
            "model. Use a smaller number, or a FrozenEstimator, for which all rows are reference."
        )
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        n = min(max(1, round(part * len(rows))), len(rows) - 1)
        chosen[rows[:n]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def merge_conflicts(points: NDArray[np.float64], labels: Codes) -> Codes:
    """Drop copies of a point whose label is not that of most copies.

    Parameters
    ----------
    points : ndarray of shape (m, n_features)
        Reference points.
    labels : ndarray of int of shape (m,)
        Their labels.

    Returns
    -------
    kept : ndarray of int
        Positions of the points that are kept. Of labels that are equally frequent the smallest
        one is taken.

    Warns
    -----
    UserWarning
        If there are such copies.
    """
    _, place = distinct_rows(points)
    (group, label), copies = np.unique(np.stack([place, labels]), axis=1, return_counts=True)
    order = np.lexsort([-label, copies])  # the one that is kept comes last
    most_frequent = np.empty(place.max() + 1, labels.dtype)
    most_frequent[group[order]] = label[order]
    kept = labels == most_frequent[place]
    n_dropped = np.count_nonzero(~kept)
    if n_dropped:
        warnings.warn(
            f"{n_dropped} of {len(points)} reference points are copies of others with another "
            "label; only those with the most frequent label are kept.",
            stacklevel=4,
        )
    return np.flatnonzero(kept)
