"""The locally biased classifier: its decision, and how far inputs can move before it changes.

A smooth score is pushed, at x, towards the label of the nearest reference points by ``alpha`` times
the dual norm of its gradient: by what a movement of size ``alpha`` could do to it. Whatever label
the neighbours give nearby, the decision follows from smooth margins, so for each label there is
a radius within which the decision is kept if that is the label, and one within which the label does
not occur. The larger of the two is safe, and the smallest over labels is the certificate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sksmooth.certifiers.local_bias._neighbor_radii import ReferencePoints
from sksmooth.smooth_scores import SmoothScore, Vicinity
from sksmooth.smooth_scores._norms import TINY, dual_norm

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

# Relative error of norms and of Lipschitz constants, with room to spare.
_SLACK = 1e-10

# Of every radius, for what is not bounded otherwise.
ROUND_DOWN = 1 - 1e-9

# Values of a block of gradients, and rows of it: scores may hold more for each row than these.
_VALUES_AT_ONCE, _ROWS_AT_ONCE = 2**21, 1024

# The search for a radius and a constant that fit: to a thousandth, in so many steps at most.
_PRECISION, _MOST_STEPS = 1e-3, 16


def root(gain: Floats, slope: Floats, bend: Floats) -> Floats:
    """Largest r with ``slope r + bend r^2 / 2 <= gain``; 0 where the gain is not positive.

    Parameters
    ----------
    gain, slope, bend : ndarray
        Slope and bend are not negative, and may be infinite.

    Returns
    -------
    r : ndarray
        In a form that does not cancel; infinite where slope and bend are 0.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        curved = np.sqrt(2 * bend) * np.sqrt(np.maximum(gain, 0))  # squares might underflow
        r = 2 * gain / (slope + np.hypot(slope, curved))
    return np.where(gain > 0, np.nan_to_num(r, nan=0.0, posinf=np.inf), 0.0)


@dataclass(frozen=True)
class Margins:
    """Margins between classes at some rows.

    Attributes
    ----------
    rows : ndarray of shape (m, n_features)
        Inputs.
    value : ndarray of shape (m, n_classes, n_classes)
        Score of one class less that of another.
    slope : ndarray of shape (m, n_classes, n_classes)
        Dual norms of their gradients.
    rounding, slope_rounding : ndarray of shape (m, n_classes, n_classes)
        Bounds of the rounding errors of `value` and of `slope`.
    """

    rows: Floats
    value: Floats
    slope: Floats
    rounding: Floats
    slope_rounding: Floats

    def __getitem__(self, rows: NDArray[np.bool_]) -> Margins:
        return Margins(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class LocalBias:
    """A smooth score, pushed towards the label of the nearest reference points.

    Attributes
    ----------
    score : SmoothScore
        Of the base model.
    reference : ReferencePoints
        Give labels.
    alpha : float
        Size of the bias: finite, not negative.
    norm : {1, 2, inf}
        Norm of radii; gradients are measured in its dual.
    method : {"nearest", "pairwise", "exact"}
        How far neighbours are known to keep their label.
    is_local : bool
        Use Lipschitz constants that hold near a row.
    """

    score: SmoothScore
    reference: ReferencePoints
    alpha: float
    norm: float
    method: str
    is_local: bool

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.reference.places)

    @cached_property
    def _bends(self) -> dict[tuple[int, int], float]:
        """Lipschitz constants of all margins, of either order of the two classes."""
        bends = {}
        for a, b in _pairs(self.n_classes):
            constant = self.score.lipschitz(self._weights(a, b), self.norm) * (1 + _SLACK)
            bends[a, b] = bends[b, a] = constant
        return bends

    def _weights(self, a: int, b: int) -> Floats:
        """Margin of one class over another, in terms of the scores."""
        if self.n_classes == 2:
            return np.array([1.0 if a else -1.0])
        weights = np.zeros(self.n_classes)
        weights[a], weights[b] = 1.0, -1.0
        return weights

    def decide(self, X: Floats) -> Floats:
        """Scores after the bias.

        Parameters
        ----------
        X : ndarray of shape (m, n_features)
            Inputs.

        Returns
        -------
        decision : ndarray of shape (m, n_classes)
            The largest entry wins; with two classes the first is 0, and wins ties.
        """
        labels = self.reference.support(X).argmax(axis=1)
        decision = np.empty((len(X), self.n_classes))
        for part in self._blocks(X):
            decision[part] = self._biased(*self._values_and_slopes(X[part]), labels[part])
        return decision

    def certify(self, X: Floats) -> tuple[Codes, Floats]:
        """Winning classes, and radii within which they win.

        Parameters
        ----------
        X : ndarray of shape (m, n_features)
            Inputs.

        Returns
        -------
        winner : ndarray of int of shape (m,)
            Positions of the classes.
        radius : ndarray of shape (m,)
            Rounded down.
        """
        neighbors = self.reference.radii(X, self.norm, self.method)
        safe = neighbors.certified()
        winner, radius = np.empty(len(X), np.intp), np.empty(len(X))
        for part in self._blocks(X):
            margins = self._margins(X[part])
            decision = self._biased(margins.value, margins.slope, neighbors.label[part])
            winner[part] = decision.argmax(axis=1)
            kept = self._kept(margins, winner[part])
            radius[part] = np.maximum(safe[part], kept).min(axis=1)
        return winner, radius * ROUND_DOWN

    def _blocks(self, X: Floats) -> Iterator[slice]:
        fitting = _VALUES_AT_ONCE // (X.shape[1] * self.n_classes)
        step = min(max(1, fitting), _ROWS_AT_ONCE)
        for start in range(0, len(X), step):
            yield slice(start, min(start + step, len(X)))

    def _values_and_slopes(self, X: Floats) -> tuple[Floats, Floats]:
        """Margins, and dual norms of their gradients, of shape (m, n_classes, n_classes)."""
        value, gradient = self._with_first(self.score.value(X)), self.score.gradient(X)
        slope = np.zeros((len(X), self.n_classes, self.n_classes))
        for a, b in _pairs(self.n_classes):
            apart = np.einsum("s,msd->md", self._weights(a, b), gradient)
            slope[:, a, b] = slope[:, b, a] = dual_norm(apart, self.norm)
        return value[:, :, None] - value[:, None, :], slope

    def _margins(self, X: Floats) -> Margins:
        rounding = self._with_first(self.score.rounding(X) + TINY)
        of_slope = self._with_first(self.score.gradient_rounding(X))
        return Margins(
            X,
            *self._values_and_slopes(X),
            rounding[:, :, None] + rounding[:, None, :],
            of_slope[:, :, None] + of_slope[:, None, :],
        )

    def _with_first(self, scores: Floats) -> Floats:
        """With two classes, the first one has the score 0."""
        return np.insert(scores, 0, 0.0, axis=1) if self.n_classes == 2 else scores

    def _biased(self, value: Floats, slope: Floats, labels: Codes) -> Floats:
        """Return scores in which the label wins if it beats every other class with the bias.

        Else the best of the others does, as without bias. They are margins over the best of the
        others: over a class that is far behind, rounding would make close ones equal.
        """
        rows = np.arange(len(labels))
        others = np.arange(self.n_classes) != labels[:, None]
        helped = value[rows, labels] + self.alpha * slope[rows, labels]
        lead = np.where(others, helped, np.inf).min(axis=1)
        if self.n_classes == 2:
            signed = np.where(labels == 1, lead, -lead)
            return np.column_stack([np.zeros(len(labels)), signed])
        worst = np.where(others[:, None, :], value, np.inf).min(axis=2)
        best = np.where(others, worst, -np.inf).argmax(axis=1)
        scores = value[rows, :, best]
        scores[rows, labels] = lead
        return scores

    def _kept(self, margins: Margins, winner: Codes) -> Floats:
        """Radii within which the winner is kept, for each label that neighbours may give."""
        kept = np.empty((len(winner), self.n_classes))
        for c in np.unique(winner):
            mine = winner == c
            kept[mine] = self._kept_by(int(c), margins[mine])
        return kept

    def _kept_by(self, c: int, margins: Margins) -> Floats:
        """Radii for the rows that one class wins.

        With its own label it wins if each margin stays positive, with or without the bias. With
        another label, that one must lose to some class, and all the rest to the winner.
        """
        m, n_classes = len(margins.rows), self.n_classes
        vicinity = self._vicinity(margins.rows)
        plain, helped = (np.full((m, n_classes), np.inf) for _ in range(2))
        against = np.zeros((m, n_classes))
        for j in _others(n_classes, c):
            plain[:, j] = self._reach(margins, c, j, 0.0, vicinity)
            helped[:, j] = plain[:, j]
            if self.alpha:
                helped[:, j] = np.maximum(
                    plain[:, j], self._reach(margins, c, j, self.alpha, vicinity)
                )
            against[:, j] = self._reach(margins, c, j, -self.alpha, vicinity)
            for other in _others(n_classes, c, j):
                reach = self._reach(margins, other, j, -self.alpha, None)
                against[:, j] = np.maximum(against[:, j], reach)
        kept = np.empty((m, n_classes))
        kept[:, c] = helped.min(axis=1)
        for label in _others(n_classes, c):
            rest = plain[:, list(_others(n_classes, c, label))]
            kept[:, label] = np.minimum(rest.min(axis=1, initial=np.inf), against[:, label])
        return kept

    def _vicinity(self, X: Floats) -> Vicinity | None:
        if not self.is_local or not any(self._bends.values()):
            return None
        return self.score.around(X)

    def _reach(
        self, margins: Margins, a: int, b: int, bias: float, vicinity: Vicinity | None
    ) -> Floats:
        """Radius within which the margin of a over b, with a bias for or against, is positive."""
        error = margins.slope[:, a, b] * _SLACK + margins.slope_rounding[:, a, b]
        slope = margins.slope[:, a, b] + error
        gain = margins.value[:, a, b] - margins.rounding[:, a, b]
        gain = gain + bias * margins.slope[:, a, b] - abs(bias) * error
        bend = self._bends[a, b]
        lean = abs(bias)
        everywhere = root(gain, slope + (lean * bend if lean else 0.0), np.asarray(bend))
        if vicinity is None or bend == 0:
            return everywhere
        search = _RadiusSearch(gain, slope, lean, vicinity, self._weights(a, b), self.norm)
        return np.maximum(everywhere, search.largest(everywhere))


@dataclass(frozen=True)
class _RadiusSearch:
    """Largest radius that the Lipschitz constant of its own ball allows.

    A larger ball has a larger constant, and that allows a smaller radius: whatever ball one looks
    at, the largest radius lies between its own and the one that its constant allows.
    """

    gain: Floats
    slope: Floats
    lean: float
    vicinity: Vicinity
    weights: Floats
    norm: float

    def allowed(self, radius: Floats) -> Floats:
        """Radius that the constant of each ball allows."""
        bend = self.vicinity.lipschitz(self.weights, self.norm, radius) * (1 + _SLACK)
        return root(self.gain, self.slope + (self.lean * bend if self.lean else 0.0), bend)

    def largest(self, known: Floats) -> Floats:
        """Search upwards from a radius that is known to be allowed."""
        low = known
        high = np.minimum(np.maximum(self.allowed(low), low), 1e15 * (1 + low))
        for _ in range(_MOST_STEPS):
            open_ = high - low > _PRECISION * low  # rows do not depend on each other
            if not open_.any():
                break
            middle = np.where(high > 4 * low, np.sqrt(low * high), (low + high) / 2)
            middle = np.where(low > 0, middle, high / 4)
            allowed = self.allowed(middle)
            better = np.maximum(low, np.minimum(middle, allowed))
            high = np.where(open_, np.minimum(high, np.maximum(middle, allowed)), high)
            low = np.where(open_, better, low)
        return low


def _pairs(n_classes: int) -> Iterator[tuple[int, int]]:
    """Pairs of classes, the later one first."""
    return ((a, b) for a in range(n_classes) for b in range(a))


def _others(n_classes: int, *left_out: int) -> Iterator[int]:
    return (j for j in range(n_classes) if j not in left_out)
