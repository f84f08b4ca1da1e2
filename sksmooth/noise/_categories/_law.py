"""The likelihood ratio of the noise before and after some changes of categories."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.noise._categories._changes import Change

Array = NDArray[np.float64]

# More atoms than this are brought to a grid of log likelihood ratios of this step.
_MOST_ATOMS, _GRID_STEP = 2**16, 0.02

# Smaller probabilities are left out, which lowers every bound.
_SMALLEST = 1e-280

# Relative rounding error of any bound, of one factor of an atom, of one term of a sum, and of
# ratios on the grid.
_ROUNDING, _OF_FACTOR, _OF_TERM, _OF_GRID = 1e-13, 2e-15, 2.3e-16, 1e-12


@dataclass(frozen=True, eq=False)
class ChangeLaw:
    """Law of the likelihood ratio of noise on categories, for one set of changes.

    Outcomes that have probability 0 before or after the changes are left out: no bound counts them.

    Attributes
    ----------
    before, after : ndarray of shape (n_atoms,)
        Probabilities of the atoms, in ascending order of ``after / before``.
    slack : float
        Relative error of sums of them to allow for.
    """

    before: Array
    after: Array
    slack: float

    @property
    def log_ratio(self) -> Array:
        """Logarithm of the likelihood ratio of each atom."""
        return np.log(self.after) - np.log(self.before)

    def worst_case_probability(self, tail: Array) -> Array:
        """Least probability, after the changes, of a class that had ``1 - tail`` before.

        Parameters
        ----------
        tail : ndarray
            In [0, 1].

        Returns
        -------
        probability : ndarray
            Rounded down; attained by some classifier, up to rounding.

        Notes
        -----
        The largest value of ``E[min(L, m)] - m tail``, by the lemma of Neyman and Pearson; it is
        attained where m is the likelihood ratio of an atom.
        """
        if not len(self.before):
            return np.zeros_like(tail)
        ratio = self.after / self.before
        up_to = np.cumsum(self.after)
        beyond = np.append(np.cumsum(self.before[:0:-1])[::-1], 0.0)
        least = np.clip(tail, 0.0, 1.0)
        best = np.searchsorted(-beyond, -least)  # the first beyond which there is no more than tail
        share = (up_to + ratio * beyond) * (1.0 - self.slack)
        return np.maximum(share[best] - ratio[best] * least, 0.0)

    def scaled(self, factor: float) -> ChangeLaw:
        """Return the law in which every atom has a fraction of its probability."""
        return ChangeLaw(self.before * factor, self.after * factor, self.slack)


@lru_cache(maxsize=256)
def law_of(changes: tuple[Change, ...]) -> ChangeLaw:
    """Return the law of the likelihood ratio of independent changes."""
    kinds = [_law_of_kind(kind, n) for kind, n in sorted(Counter(changes).items())]
    n_atoms = np.prod([float(len(before)) for before, _ in kinds])
    before, after = np.ones(1), np.ones(1)
    if n_atoms <= _MOST_ATOMS:
        for more_before, more_after in kinds:
            before, after = (
                np.multiply.outer(x, y).ravel()
                for x, y in ((before, more_before), (after, more_after))
            )
        n_terms, slack = 0, 0.0
    else:
        before, after = _on_grid(kinds)
        n_terms, slack = len(before), _OF_GRID
    some = (before > _SMALLEST) & (after > _SMALLEST)
    before, after = before[some], after[some]
    order = np.argsort(after / before, kind="stable")
    slack += _ROUNDING + _OF_FACTOR * len(changes) + _OF_TERM * (n_terms + len(before))
    return ChangeLaw(before[order], after[order], slack)


def _law_of_kind(change: Change, n: int) -> tuple[Array, Array]:
    """Probabilities, before and after, of what n equal changes lead to.

    Each of the two by a recursion of its own in which all terms are positive: products with
    likelihood ratios, and differences, would lose the small ones.
    """
    lost, won, rest = change.atoms()
    if change.stray == change.other:  # the ratios of the two are inverse: one ladder
        before = _powers([lost.before, rest.before, won.before], n)
        return before, _powers([lost.after, rest.after, won.after], n)
    return (
        _powers_of_two(lost.before, won.before, rest.before, n),
        _powers_of_two(lost.after, won.after, rest.after, n),
    )


def _powers(weights: list[float], n: int) -> Array:
    """Coefficients of the n-th power of a polynomial with coefficients that are not negative."""
    power = np.ones(1)
    for _ in range(n):
        power = np.convolve(power, weights)
    return power


def _powers_of_two(x: float, y: float, rest: float, n: int) -> Array:
    """Coefficients of the n-th power of a sum of two variables and a constant."""
    power = np.zeros((n + 1, n + 1))
    power[0, 0] = 1.0
    for _ in range(n):
        more = power * rest
        more[1:] += power[:-1] * x
        more[:, 1:] += power[:, :-1] * y
        power = more
    i, j = np.indices(power.shape)
    return power[i + j <= n]


def _on_grid(kinds: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Combine laws after each atom was spread over the two points of a grid that are next to it.

    Both of its probabilities are kept, so that ``E[min(L, m)]``, which is concave in L, falls.
    """
    before, after = np.ones(1), np.ones(1)
    for kind in kinds:
        more_before, more_after = _spread(*kind)
        before, after = np.convolve(before, more_before), np.convolve(after, more_after)
    return before, after


def _spread(before: Array, after: Array) -> tuple[Array, Array]:
    some = (before > _SMALLEST) & (after > _SMALLEST)
    before, after = before[some], after[some]
    place = (np.log(after) - np.log(before)) / _GRID_STEP
    below = np.floor(place).astype(int)
    part = (place - below) * _GRID_STEP
    upper = np.expm1(part) / np.expm1(_GRID_STEP)
    upper_after = np.minimum(upper * np.exp(_GRID_STEP - part), 1.0)
    first, size = below.min(), np.ptp(below) + 2
    spread: list[Any] = []
    for mass, fraction in ((before, upper), (after, upper_after)):
        down = np.bincount(below - first, mass * (1.0 - fraction), size)
        spread.append(down + np.bincount(below - first + 1, mass * fraction, size))
    return spread[0], spread[1]
