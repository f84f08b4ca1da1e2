"""The locally biased classifier: its decision, and how far inputs can move before it changes.

A smooth score is moved, at x, towards the label of the nearest reference points by ``alpha`` times
the dual norm of its gradient: by as much as a movement of size ``alpha`` could change it. Whatever
label the neighbours give nearby, the decision follows from smooth margins, so for each label there
is a radius within which the decision stays if that is the label, and one within which the label
does not occur. The larger of the two is safe, and the smallest over labels is the certificate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sksmooth.certifiers.local_bias._neighbor_radii import ReferencePoints
from sksmooth.smooth_scores import LocalLipschitzBound, SmoothScore
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


def root(margin: Floats, gradient_norm: Floats, curvature: Floats) -> Floats:
    """Largest r with ``gradient_norm r + curvature r^2 / 2 <= margin``; 0 if that is not positive.

    Parameters
    ----------
    margin, gradient_norm, curvature : ndarray
        The last two are not negative, and may be infinite.

    Returns
    -------
    r : ndarray
        In a form that does not cancel; infinite where gradient norm and curvature are 0.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        curved = np.sqrt(2 * curvature) * np.sqrt(np.maximum(margin, 0))  # squares might underflow
        r = 2 * margin / (gradient_norm + np.hypot(gradient_norm, curved))
    return np.where(margin > 0, np.nan_to_num(r, nan=0.0, posinf=np.inf), 0.0)


@dataclass(frozen=True)
class ScoreMargins:
    """Margins between the scores of classes at some rows.

    Attributes
    ----------
    rows : ndarray of shape (m, n_features)
        Inputs.
    value : ndarray of shape (m, n_classes, n_classes)
        Score of one class less that of another.
    gradient_norm : ndarray of shape (m, n_classes, n_classes)
        Dual norms of their gradients.
    rounding, gradient_rounding : ndarray of shape (m, n_classes, n_classes)
        Bounds of the rounding errors of `value` and of `gradient_norm`.
    """

    rows: Floats
    value: Floats
    gradient_norm: Floats
    rounding: Floats
    gradient_rounding: Floats

    def __getitem__(self, rows: NDArray[np.bool_]) -> ScoreMargins:
        return ScoreMargins(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class LocalBias:
    """A smooth score, moved towards the label of the nearest reference points.

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
    def _curvatures(self) -> dict[tuple[int, int], float]:
        """Lipschitz constants of all margins, of either order of the two classes."""
        curvatures = {}
        for a, b in _pairs(self.n_classes):
            constant = self.score.lipschitz(self._weights(a, b), self.norm) * (1 + _SLACK)
            curvatures[a, b] = curvatures[b, a] = constant
        return curvatures

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
        with np.errstate(all="ignore"):  # what is not finite is refused, or proves nothing
            for part in self._blocks(X):
                value, gradient_norm = self._values_and_norms(X[part])
                _refuse_overflow(value, gradient_norm, X, part.start)
                decision[part] = self._biased(value, gradient_norm, labels[part])
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
        with np.errstate(all="ignore"):
            for part in self._blocks(X):
                margins = self._margins(X[part])
                _refuse_overflow(margins.value, margins.gradient_norm, X, part.start)
                decision = self._biased(margins.value, margins.gradient_norm, neighbors.label[part])
                winner[part] = decision.argmax(axis=1)
                by_label = self._radii_by_label(margins, winner[part])
                radius[part] = np.maximum(safe[part], by_label).min(axis=1)
        return winner, radius * ROUND_DOWN

    def _blocks(self, X: Floats) -> Iterator[slice]:
        fitting = _VALUES_AT_ONCE // (X.shape[1] * self.n_classes)
        step = min(max(1, fitting), _ROWS_AT_ONCE)
        for start in range(0, len(X), step):
            yield slice(start, min(start + step, len(X)))

    def _values_and_norms(self, X: Floats) -> tuple[Floats, Floats]:
        """Margins, and dual norms of their gradients, of shape (m, n_classes, n_classes)."""
        value, gradient = self._with_first(self.score.value(X)), self.score.gradient(X)
        norms = np.zeros((len(X), self.n_classes, self.n_classes))
        for a, b in _pairs(self.n_classes):
            apart = np.einsum("s,msd->md", self._weights(a, b), gradient)
            norms[:, a, b] = norms[:, b, a] = dual_norm(apart, self.norm)
        return value[:, :, None] - value[:, None, :], norms

    def _margins(self, X: Floats) -> ScoreMargins:
        rounding = self._with_first(self.score.rounding(X) + TINY)
        of_gradient = self._with_first(self.score.gradient_rounding(X))
        return ScoreMargins(
            X,
            *self._values_and_norms(X),
            rounding[:, :, None] + rounding[:, None, :],
            of_gradient[:, :, None] + of_gradient[:, None, :],
        )

    def _with_first(self, scores: Floats) -> Floats:
        """With two classes, the first one has the score 0."""
        return np.insert(scores, 0, 0.0, axis=1) if self.n_classes == 2 else scores

    def _biased(self, value: Floats, gradient_norm: Floats, labels: Codes) -> Floats:
        """Return scores in which the label wins if it beats every other class with the bias.

        Else the best of the others does, as without bias. They are margins over the best of the
        others: over a class that is far behind, rounding would make close ones equal.
        """
        rows = np.arange(len(labels))
        others = np.arange(self.n_classes) != labels[:, None]
        with_bias = value[rows, labels] + self.alpha * gradient_norm[rows, labels]
        lead = np.where(others, with_bias, np.inf).min(axis=1)
        if self.n_classes == 2:
            signed = np.where(labels == 1, lead, -lead)
            return np.column_stack([np.zeros(len(labels)), signed])
        worst = np.where(others[:, None, :], value, np.inf).min(axis=2)
        best = np.where(others, worst, -np.inf).argmax(axis=1)
        scores = value[rows, :, best]
        scores[rows, labels] = lead
        return scores

    def _radii_by_label(self, margins: ScoreMargins, winner: Codes) -> Floats:
        """Radii within which the winner stays, for each label that neighbours may give."""
        radii = np.empty((len(winner), self.n_classes))
        for c in np.unique(winner):
            mine = winner == c
            radii[mine] = self._radii_of_winner(int(c), margins[mine])
        return radii

    def _radii_of_winner(self, c: int, margins: ScoreMargins) -> Floats:
        """Radii for the rows that one class wins.

        With its own label it wins if each margin stays positive, with or without the bias. With
        another label, that one must lose to some class, and all the rest to the winner.
        """
        m, n_classes = len(margins.rows), self.n_classes
        local = self._local_bound(margins.rows)
        without, with_bias = (np.full((m, n_classes), np.inf) for _ in range(2))
        against_bias = np.zeros((m, n_classes))
        for j in _others(n_classes, c):
            without[:, j] = with_bias[:, j] = self._positive_within(margins, c, j, 0.0, local)
            if self.alpha:
                helped = self._positive_within(margins, c, j, self.alpha, local)
                with_bias[:, j] = np.maximum(without[:, j], helped)
            against_bias[:, j] = self._positive_within(margins, c, j, -self.alpha, local)
            for other in _others(n_classes, c, j):
                radius = self._positive_within(margins, other, j, -self.alpha, None)
                against_bias[:, j] = np.maximum(against_bias[:, j], radius)
        radii = np.empty((m, n_classes))
        radii[:, c] = with_bias.min(axis=1)
        for label in _others(n_classes, c):
            rest = without[:, list(_others(n_classes, c, label))]
            radii[:, label] = np.minimum(rest.min(axis=1, initial=np.inf), against_bias[:, label])
        return radii

    def _local_bound(self, X: Floats) -> LocalLipschitzBound | None:
        if not self.is_local or not any(self._curvatures.values()):
            return None
        return self.score.local_bound(X)

    def _positive_within(
        self, margins: ScoreMargins, a: int, b: int, bias: float, local: LocalLipschitzBound | None
    ) -> Floats:
        """Radius within which the margin of a over b, with a bias for or against, is positive."""
        gradient_norm = margins.gradient_norm[:, a, b]
        error = gradient_norm * _SLACK + margins.gradient_rounding[:, a, b]
        margin = margins.value[:, a, b] - margins.rounding[:, a, b]
        if bias:
            margin = margin + bias * gradient_norm - abs(bias) * error
        search = _RadiusSearch(margin, gradient_norm + error, abs(bias))
        curvature = self._curvatures[a, b]
        everywhere = search.allowed(np.asarray(curvature))
        if local is None or curvature == 0:
            return everywhere

        def near(radius: Floats) -> Floats:
            constants = local.lipschitz(self._weights(a, b), self.norm, radius)
            return search.allowed(
                np.nan_to_num(constants, nan=np.inf, posinf=np.inf) * (1 + _SLACK)
            )

        return np.maximum(everywhere, search.largest(everywhere, near))


@dataclass(frozen=True)
class _RadiusSearch:
    """Largest radius that a bound of the curvature allows, whose own ball may tighten the bound.

    A larger ball has a larger bound, and that allows a smaller radius: whatever ball one looks
    at, the largest radius lies between its own and the one that its bound allows.
    """

    margin: Floats
    gradient_norm: Floats
    bias: float

    def allowed(self, curvature: Floats) -> Floats:
        """Radius that a bound of the curvature allows."""
        turned = self.bias * curvature if self.bias else 0.0
        return root(self.margin, self.gradient_norm + turned, curvature)

    def largest(self, known: Floats, allowed: Callable[[Floats], Floats]) -> Floats:
        """Search upwards from a radius that is allowed; `allowed` takes radii of balls."""
        low = known
        high = np.minimum(np.maximum(allowed(low), low), 1e15 * (1 + low))
        for _ in range(_MOST_STEPS):
            open_ = high - low > _PRECISION * low  # rows do not depend on each other
            if not open_.any():
                break
            trial = np.where(high > 4 * low, np.sqrt(low * high), (low + high) / 2)
            trial = np.where(low > 0, trial, high / 4)
            of_trial = allowed(trial)
            better = np.maximum(low, np.minimum(trial, of_trial))
            high = np.where(open_, np.minimum(high, np.maximum(trial, of_trial)), high)
            low = np.where(open_, better, low)
        return low


def _refuse_overflow(value: Floats, gradient_norm: Floats, X: Floats, first_row: int) -> None:
    """Refuse rows so far away that their scores are no numbers."""
    known = (np.isfinite(value) & np.isfinite(gradient_norm)).all(axis=(1, 2))
    if not known.all():
        row = first_row + int(np.argmin(known))
        raise ValueError(
            f"The scores of the base model at row {row} of X are not finite: its values, up to "
            f"{np.abs(X[row]).max():.3g}, are too large for them. Scale or clip X."
        )


def _pairs(n_classes: int) -> Iterator[tuple[int, int]]:
    """Pairs of classes, the later one first."""
    return ((a, b) for a in range(n_classes) for b in range(a))


def _others(n_classes: int, *left_out: int) -> Iterator[int]:
    return (j for j in range(n_classes) if j not in left_out)
