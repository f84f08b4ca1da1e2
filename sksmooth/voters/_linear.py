"""Base models whose scores are linear in the input.

A linear classifier answers with the largest of K scores ``W x + b``. Gaussian noise on x is
Gaussian noise on the scores, so it is drawn there: K numbers per vote instead of as many as x has.
Other noise that is added to x is projected once for all inputs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._linear import LINEAR_CLASSIFIERS, coef_and_intercept
from sksmooth.engine._streams import DrawStream
from sksmooth.inputs._containers import Inputs
from sksmooth.inputs._distinct_rows import distinct_rows
from sksmooth.voters._base import FastVoter, ProjectedStream, voter_of
from sksmooth.voters._gaussian_image import image_stream, is_gaussian
from sksmooth.voters._rounding import of_image, of_sum, reach_of
from sksmooth.voters._votes import count_largest, count_pairs, count_positive

_LARGE = 1e120

# Twice the rounding of a number up to 1, of another, of their difference, and of one up to 2, which
# are each half a unit in the last place of single precision, relatively.
_SINGLE_ROUNDING = np.float32(2 * 6 * 2.0**-24)

# Scores of one call: few calls, and a few megabytes.
_VALUES_PER_CALL, _FEWEST_DRAWS = 2**19, 256


@dataclass(frozen=True)
class LinearScores(FastVoter):
    """Scores ``coef @ x + intercept``: the largest wins; a single one decides by its sign.

    Attributes
    ----------
    coef : ndarray of shape (n_scores, n_features)
        One row per class in the order of `classes_`, or a single row for two classes.
    intercept : ndarray of shape (n_scores,)
        Added to the scores.
    coef_size, intercept_size : ndarray
        Sums of the absolute terms that `coef` and `intercept` were computed from: their rounding
        error is a few units in the last place of these.
    """

    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]
    coef_size: NDArray[np.float64]
    intercept_size: NDArray[np.float64]

    @classmethod
    def of(cls, coef: Any, intercept: Any) -> LinearScores:
        """Scores as a model holds them."""
        coef, intercept = map(np.copy, coef_and_intercept(coef, intercept))
        return cls(coef, intercept, np.abs(coef), np.abs(intercept))

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes: one per score, or two."""
        return max(2, len(self.coef))

    def draws_per_call(self, inputs: Inputs) -> int:
        """Draws whose scores are held at a time."""
        return max(_FEWEST_DRAWS, _VALUES_PER_CALL // len(self.coef))

    def suits(self, inputs: Inputs) -> bool:
        """Whether inputs have the right length, and their scores neither over- nor underflow."""
        return inputs.shape == self.coef.shape[1:] and _in_range(
            self.coef_size, self.intercept_size
        )

    def after(self, matrix: Any, offset: Any) -> LinearScores | None:
        """Scores of ``matrix @ x + offset`` as a function of x; None where they may overflow."""
        matrix, offset = np.asarray(matrix, dtype=float), np.asarray(offset, dtype=float)
        if not _in_range(self.coef_size, self.intercept_size, matrix, offset):
            return None
        times = np.multiply if matrix.ndim < 2 else np.matmul
        return replace(
            self,
            coef=times(self.coef, matrix),
            intercept=self.intercept + self.coef @ offset,
            coef_size=times(self.coef_size, np.abs(matrix)),
            intercept_size=self.intercept_size + self.coef_size @ np.abs(offset),
        )

    def embed_inputs(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Scores of inputs, and the largest sum of the absolute terms of one of them."""
        sizes = np.abs(values) @ self.coef_size.T + self.intercept_size
        return np.column_stack([self._times_coef(values) + self.intercept, sizes.max(axis=1)])

    def embed_noise(self, draws: NDArray[Any]) -> NDArray[np.float64]:
        """Return what draws add to the scores."""
        return self._times_coef(draws)

    def embed_stream(self, stream: DrawStream) -> Any:
        """Return the stream of the noise that the scores get from the noise of a stream."""
        if is_gaussian(stream.noise):
            return image_stream(stream, self.coef)
        return ProjectedStream(stream, self)

    def count_votes(self, inputs: Inputs, noise: Any, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Count the votes of every input with every draw, but for those within `doubts`."""
        doubts = self.doubts(inputs.values[:, -1], noise)
        if len(self.coef) == 1:
            scores = zip(inputs.values[:, 0], doubts, strict=True)
            return np.array([count_positive(draws[:, 0] + score, float(b)) for score, b in scores])
        first = self._first_of_equals()
        votes = np.zeros((len(inputs), len(self.coef)), np.int64)
        votes[:, first] = _count_largest(inputs.values[:, first], draws[:, first], doubts)
        return votes

    def doubts(self, sizes: NDArray[Any], noise: Any) -> NDArray[np.float64]:
        """Bound what rounding may do to the difference of two scores of each input.

        A score is the sum of ``w . x + b`` and ``w . z``. Rounding changes the first by no more
        than `of_sum` of ``|w| . |x| + |b|``, which `sizes` holds for the largest, and the second
        of ``|w| . |z|``, which is at most the reach of the noise times the sum of ``|w|``. Where
        Gaussian noise is drawn behind the k scores, ``R^T g`` has k terms, which sum up to no more
        than ``|w|`` times the reach times the root of k; its law is off by `of_image` of that.
        """
        k, d = self.coef.shape
        noise_size = reach_of(noise, d) * float(self.coef_size.sum(axis=1).max())
        image = of_image(d, k) * np.sqrt(k) * noise_size
        return np.asarray(2.0 * (of_sum(d) * (sizes + noise_size) + image))

    def _first_of_equals(self) -> NDArray[np.intp]:
        """Scores but for those that equal an earlier one for every input, and so never win."""
        _, place = distinct_rows(np.column_stack([self.coef, self.intercept]))
        return np.sort(np.unique(place, return_index=True)[1])

    def _times_coef(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Give equal rows the very same numbers: classes that tie for the model tie here."""
        coef, place = distinct_rows(self.coef)
        return (values @ coef.T)[:, place]


@dataclass(frozen=True)
class LinearPairs(LinearScores):
    """One score for each pair of classes; the class that wins most pairs is the answer."""

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes whose pairs are as many as the scores."""
        return int(0.5 + np.sqrt(2 * len(self.coef) + 0.25))

    def count_votes(self, inputs: Inputs, noise: Any, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Count the votes of every input with every draw, but for those within `doubts`."""
        by_pair = np.ascontiguousarray(draws.T)
        scores = np.empty_like(by_pair)
        votes = np.empty((len(inputs), self.n_classes), np.int64)
        doubts = self.doubts(inputs.values[:, -1], noise)
        for i, offset in enumerate(inputs.values[:, :-1]):
            np.add(by_pair, offset[:, None], out=scores)
            votes[i] = count_pairs(scores, self.n_classes, float(doubts[i]))
        return votes


def _of_linear_classifier(model: Any) -> LinearScores | None:
    scores, n_classes = LinearScores.of(model.coef_, model.intercept_), len(model.classes_)
    return scores if len(scores.coef) == (1 if n_classes == 2 else n_classes) else None


for _kind in LINEAR_CLASSIFIERS:
    voter_of.register(_kind, _of_linear_classifier)


def _in_range(*values: Any) -> bool:
    """Whether products of any two of the numbers neither over- nor underflow."""
    sizes = np.abs(np.concatenate([np.ravel(value) for value in values]))
    return bool(((sizes == 0) | ((sizes > 1 / _LARGE) & (sizes < _LARGE))).all())


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # infinity is in order, too
        return values.astype(np.float32)


def _count_largest(
    scores: NDArray[np.float64], draws: NDArray[np.float64], doubts: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Count how often each class has the largest of its score and noise, for every input."""
    by_class = np.ascontiguousarray(draws.T)
    votes = np.zeros(scores.shape, np.int64)
    leaders = scores.argmax(axis=1)
    unit = float(np.abs(by_class).max()) or 1.0
    single = _rounded(by_class / unit)
    for leader in np.unique(leaders):
        gain = single - single[leader]
        most = gain.max(axis=1)
        for i in np.flatnonzero(leaders == leader):
            doubt = float(doubts[i])
            votes[i] = _votes_of_input(scores[i], doubt, leader, gain, most, by_class, unit)
    return votes


def _votes_of_input(
    scores: NDArray[Any],
    doubt: float,
    leader: np.intp,
    gain: NDArray[np.float32],
    most: NDArray[np.float32],
    by_class: NDArray[np.float64],
    unit: float,
) -> NDArray[np.int64]:
    """Count the draws in which each class has the largest of its score and noise, by the doubt.

    Most draws leave the leader in front, and most classes never come near it: the sums are looked
    at only for the draws in which some class gains on the leader what it is behind by. Both are in
    single precision, in units of the largest noise; what this may change is taken off.
    """
    votes = np.zeros(len(scores), np.int64)
    behind = _rounded((scores[leader] - scores - doubt) / unit) - _SINGLE_ROUNDING
    competitors = np.flatnonzero(behind <= most)  # with the leader itself
    caught_up = np.zeros(by_class.shape[1], dtype=bool)
    for competitor in competitors[competitors != leader]:
        caught_up |= gain[competitor] >= behind[competitor]
    open_draws = np.flatnonzero(caught_up)
    votes[leader] = by_class.shape[1] - len(open_draws)
    if len(open_draws):
        noisy = np.empty((len(competitors), len(open_draws)))
        for row, competitor in zip(noisy, competitors, strict=True):
            by_class[competitor].take(open_draws, out=row, mode="clip")  # the mode without a copy
            row += scores[competitor]
        votes[competitors] += count_largest(noisy, doubt)
    return votes
