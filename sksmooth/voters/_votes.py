"""Scores of many draws to votes. Scores are class-major: one contiguous row per class."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


def count_largest(scores: NDArray[Any], doubt: Any = 0.0) -> NDArray[np.int64]:
    """Count how often each of several rows holds the largest entry, the first of equals.

    Draws in which another entry is no farther below it than `doubt`, a number or one for each draw,
    are counted for nobody.
    """
    largest, is_exact = scores.max(axis=0), not np.any(doubt)
    near = scores == largest if is_exact else scores >= largest - doubt
    wins = np.count_nonzero(near, axis=1)
    if wins.sum() == scores.shape[1] and not np.isnan(largest).any():
        return wins  # with NaN, which has no winner, and equals, which have two, the sum fits too
    winners = scores.argmax(axis=0)
    if not is_exact:
        winners = winners[np.count_nonzero(near, axis=0) == 1]
    return np.bincount(winners, minlength=len(scores))


def are_open(scores: NDArray[Any], doubt: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether the votes of draws are counted for nobody: by the largest score, or by its sign."""
    if len(scores) == 1:
        return np.asarray(~(np.abs(scores[0]) > doubt))
    near = scores >= scores.max(axis=0) - doubt
    return np.asarray(np.count_nonzero(near, axis=0) != 1)


def count_positive(score: NDArray[Any], doubt: Any = 0.0) -> NDArray[np.int64]:
    """Votes for the first and the second of two classes, the second where the score is positive.

    Draws with a score no farther from 0 than `doubt` are counted for nobody.
    """
    positive = np.count_nonzero(score > doubt)
    negative = np.count_nonzero(score < -doubt) if np.any(doubt) else len(score) - positive
    return np.array([negative, positive], np.int64)


def count_pairs(scores: NDArray[Any], n_classes: int, doubt: Any = 0.0) -> NDArray[np.int64]:
    """Votes where each pair of classes has a score, positive for the first of the two.

    The class that wins most pairs is voted for, the first of equals. Pairs are in the order
    (0, 1), (0, 2), ..., (1, 2), ... Draws are counted for nobody if another class might win, were
    pairs with a score no farther from 0 than `doubt` decided otherwise.
    """
    signs, wins_of_losers = _pair_matrix(n_classes)
    points = signs @ (scores > 0).astype(np.float32)
    points += wins_of_losers
    if not np.any(doubt):
        return count_largest(points)
    open_pairs = np.abs(scores) <= doubt
    columns = np.flatnonzero(open_pairs.any(axis=0))
    if not len(columns):
        return count_largest(points)
    certain = np.ones(points.shape[1], dtype=bool)
    certain[columns] = _are_won(points[:, columns], np.abs(signs) @ open_pairs[:, columns])
    return count_largest(points[:, certain])


def _are_won(points: NDArray[Any], n_open: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether the class with most wins stays so if it loses its open pairs, and others win theirs.

    Equals are told apart by fractions, which the favour of the first of them left in the points.
    """
    winner, columns = points.argmax(axis=0), np.arange(points.shape[1])
    most = points + n_open
    most[winner, columns] = -np.inf
    won: NDArray[np.bool_] = points[winner, columns] - n_open[winner, columns] > most.max(axis=0)
    return won


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
