"""Noise on some categorical columns, and the worst that changes of them do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.noise._categories._changes import Change, Worst, worst_case
from sksmooth.noise._categories._law import Array, ChangeLaw, law_of

# Rounding error, of a difference of two probabilities, to allow for.
_ROUNDING = 1e-15

# From a law of changes and the rows that are meant, what holds after these changes.
Consequence = Callable[[ChangeLaw, Any], Array]


@dataclass(frozen=True)
class CategoryColumns:
    """Independent noise on d categorical columns.

    Attributes
    ----------
    keep : float
        Probability with which noise leaves a column alone.
    scheme : {"token", "uniform", "draw"}
        What it puts there otherwise.
    n_levels : tuple of int of length d
        Number of levels of each column.
    weights : tuple of tuple of int, or None
        For the scheme "draw": probabilities of the levels, in units of the inverse of their sum.
    """

    keep: float
    scheme: str
    n_levels: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self.n_levels)

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw what happens to columns, whatever their levels are.

        Parameters
        ----------
        n : int
            Number of independent draws.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        draws : ndarray of int of shape (n, d)
            0 where a column is left alone; else what :meth:`apply` does with it.

        Notes
        -----
        A column is left alone with a probability that is a multiple of ``2 ** -53``, `keep` rounded
        down: more noise than stated is on the safe side. Levels are drawn as whole numbers, without
        rounding.
        """
        shape = n, len(self)
        left_alone = rng.random(shape) < np.floor(self.keep * 2.0**53) / 2.0**53
        draws = np.ones(shape, np.int64)
        for j, n_levels in enumerate(self.n_levels):
            if self.scheme == "uniform":
                draws[:, j] = rng.integers(1, n_levels, n) if n_levels > 1 else 0
            elif self.weights is not None:
                ends = np.cumsum(self.weights[j])
                units = rng.integers(0, ends[-1], n)
                draws[:, j] = 1 + np.searchsorted(ends, units, side="right")
        draws[left_alone] = 0
        return draws

    def apply(self, levels: NDArray[np.integer[Any]], draws: NDArray[np.int64]) -> NDArray[Any]:
        """Perturb levels by draws, with the broadcasting rules of numpy.

        Parameters
        ----------
        levels : ndarray of int of shape (..., d)
            Positions of levels.
        draws : ndarray of int of shape (..., d)
            Of :meth:`draw`.

        Returns
        -------
        noisy : ndarray of int
            Positions of levels; -1 for the token.
        """
        if self.scheme == "uniform":
            return (levels + draws) % np.asarray(self.n_levels)
        replaced = np.full_like(draws, -1) if self.scheme == "token" else draws - 1
        return np.where(draws == 0, levels, replaced)

    def after_worst(
        self, n_changes: int, levels: NDArray[Any] | None, n_rows: int, consequence: Consequence
    ) -> Array:
        """Return what is left, for each of some rows, after the worst changes.

        Parameters
        ----------
        n_changes : int
            Number of columns that change.
        levels : ndarray of int of shape (n_rows, d) or (1, d), or None
            Levels of the rows, which matter where levels are drawn with unlike probabilities.
            None: the worst that any row can hold.
        n_rows : int
            Number of rows.
        consequence : callable
            Called with the law of a set of changes and an index of rows.

        Returns
        -------
        left : ndarray of shape (n_rows,)
        """
        if levels is None or self.weights is None or len(levels) == 1:
            row = None if levels is None or self.weights is None else tuple(levels[0].tolist())
            return _worst(self._worst(n_changes, row), consequence, slice(None))
        distinct, inverse = np.unique(levels, axis=0, return_inverse=True)
        left = np.empty(n_rows)
        for number, row in enumerate(distinct):
            rows = np.flatnonzero(inverse.ravel() == number)
            left[rows] = _worst(self._worst(n_changes, tuple(row.tolist())), consequence, rows)
        return left

    def _worst(self, n_changes: int, levels: tuple[int, ...] | None) -> Worst:
        return _worst_of(self.worst_changes(levels), n_changes)

    def worst_changes(self, levels: tuple[int, ...] | None) -> tuple[Change, ...]:
        """Return the worst change of every column that has another level."""
        if self.weights is None:
            return self._any_changes
        row: tuple[int | None, ...] = (None,) * len(self) if levels is None else levels
        pairs = zip(self.weights, row, strict=True)
        return tuple(self._drawn(w, level) for w, level in pairs if len(w) > 1)

    @cached_property
    def _any_changes(self) -> tuple[Change, ...]:
        if self.scheme == "token":
            return (Change(self.keep, 0.0, 0.0, 1.0 - self.keep),) * len(self)
        return tuple(self._replaced(n) for n in self.n_levels if n > 1)

    def _replaced(self, n_levels: int) -> Change:
        """Every other level is equally probable."""
        other = (1.0 - self.keep) / (n_levels - 1)
        return Change(max(self.keep - other, 0.0), other, other, (n_levels - 2) * other)

    def _drawn(self, weights: tuple[int, ...], level: int | None) -> Change:
        """Worst is a change to the rarest other level."""
        total, drawn = sum(weights), 1.0 - self.keep
        if level is None:
            stray = other = min(weights)
        else:
            stray = weights[level]
            other = min(w for i, w in enumerate(weights) if i != level)
        rest = max(total - stray - other, 0)
        return Change(self.keep, *(drawn * (w / total) for w in (stray, other, rest)))


@lru_cache(maxsize=4096)
def _worst_of(changes: tuple[Change, ...], n_changes: int) -> Worst:
    return worst_case(changes, n_changes)


def _worst(worst: Worst, consequence: Consequence, rows: Any) -> Array:
    options = [
        np.minimum.reduce([consequence(law_of(changes), rows) for changes in sets])
        for sets in worst.options
    ]
    return np.maximum.reduce(options)


def lead(law: ChangeLaw, tail: Array, runner_up: Array) -> Array:
    """By how much a class is ahead of every other after changes, at least.

    Parameters
    ----------
    law : ChangeLaw
        Of the changes.
    tail, runner_up : ndarray of shape (m,)
        One minus the probability of the class, and the largest probability of any other.
    """
    least = law.worst_case_probability(tail)
    return least - (1.0 - law.worst_case_probability(runner_up)) - _ROUNDING


def top_lead(law: ChangeLaw, tail: Array, joint: Array) -> Array:
    """By how much a class is ahead of the weakest of the strongest others, at least.

    Parameters
    ----------
    law : ChangeLaw
        Of the changes.
    tail : ndarray of shape (m,)
        One minus the probability of the class.
    joint : ndarray of shape (m, top_k)
        Bounds of the joint probabilities of the weakest 1, 2, ... of the strongest `top_k` others.
    """
    most = (1.0 - law.worst_case_probability(joint)) / np.arange(1, joint.shape[1] + 1)
    return law.worst_case_probability(tail) - most.min(axis=1) * (1.0 + _ROUNDING) - _ROUNDING
