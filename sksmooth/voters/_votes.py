"""Scores of many draws to votes. Scores are class-major: one contiguous row per class."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


def count_largest(scores: NDArray[Any]) -> NDArray[np.int64]:
    """Count how often each of several rows holds the largest entry, the first of equals."""
    largest = scores.max(axis=0)
    wins = np.count_nonzero(scores == largest, axis=1)
    if wins.sum() == scores.shape[1] and not np.isnan(largest).any():
        return wins  # with NaN, which has no winner, and equals, which have two, the sum fits too
    return np.bincount(scores.argmax(axis=0), minlength=len(scores))


def count_positive(score: NDArray[Any]) -> NDArray[np.int64]:
    """Votes for the first and the second of two classes, the second where the score is positive."""
    positive = np.count_nonzero(score > 0)
    return np.array([len(score) - positive, positive], np.int64)


def count_pairs(scores: NDArray[Any], n_classes: int) -> NDArray[np.int64]:
    """Votes where each pair of classes has a score, positive for the first of the two.

    The class that wins most pairs is voted for, the first of equals. Pairs are in the order
    (0, 1), (0, 2), ..., (1, 2), ...
    """
    signs, wins_of_losers = _pair_matrix(n_classes)
    points = signs @ (scores > 0).astype(np.float32)
    points += wins_of_losers
    return count_largest(points)


@lru_cache(maxsize=8)
def _pair_matrix(n_classes: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Wins of each class as an affine function of the pairs that their first class wins.

    A sixteenth of the distance between two counts is spread to favour the first of equals.
    """
    first, second = np.triu_indices(n_classes, 1)
    pairs = np.arange(len(first))
    signs = np.zeros((n_classes, len(pairs)), np.float32)
    signs[first, pairs], signs[second, pairs] = 1, -1
    favour = -np.arange(n_classes) / (16 * n_classes)
    constant = np.bincount(second, minlength=n_classes) + favour
    return signs, constant.astype(np.float32)[:, None]
