"""Which rows of the training data become reference points, and which train the base model."""

from __future__ import annotations

import warnings
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

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
    places: dict[bytes, list[int]] = {}
    for i, row in enumerate(points + 0.0):  # -0.0 and 0.0 are the same point
        places.setdefault(row.tobytes(), []).append(i)
    dropped = []
    for same in places.values():
        if len(same) > 1:
            counts = np.bincount(labels[same])
            dropped += [i for i in same if labels[i] != counts.argmax()]
    if dropped:
        warnings.warn(
            f"{len(dropped)} of {len(points)} reference points are copies of others with another "
            "label; only those with the most frequent label are kept.",
            stacklevel=4,
        )
    return np.setdiff1d(np.arange(len(points)), dropped)
