"""Voting without the base model, where its answer is linear in the input.

A linear classifier answers with the largest of K scores ``W x + b``. Gaussian noise on x is
Gaussian noise on the scores, so it is drawn there: K numbers per vote instead of as many as x has.
With one score and two classes no vote is needed: the smoothed classifier is the linear one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import sparse, special
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from sksmooth._monte_carlo import DrawStream, Purpose, derived_seed
from sksmooth._rows import Rows
from sksmooth.noise import GaussianNoise, Noise

_EPS = np.finfo(np.float64).eps
_LARGE = 1e120

# Scores of one call: few calls, and a few megabytes.
_VALUES_PER_CALL, _FEWEST_DRAWS = 2**18, 256


@dataclass(frozen=True)
class LinearScores:
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
        dense = coef.toarray() if sparse.issparse(coef) else coef
        coef = np.atleast_2d(np.array(dense, dtype=float))
        intercept = np.broadcast_to(np.asarray(intercept, dtype=float), len(coef)).copy()
        return cls(coef, intercept, np.abs(coef), np.abs(intercept))

    def after(self, matrix: Any, offset: Any) -> LinearScores:
        """Scores as a function of x, where they are given as one of ``matrix @ x + offset``.

        A vector stands for a diagonal matrix.
        """
        matrix, offset = np.asarray(matrix, dtype=float), np.asarray(offset, dtype=float)
        times = np.multiply if matrix.ndim < 2 else np.matmul
        return LinearScores(
            times(self.coef, matrix),
            self.intercept + self.coef @ offset,
            times(self.coef_size, np.abs(matrix)),
            self.intercept_size + self.coef_size @ np.abs(offset),
        )


@singledispatch
def linear_scores(model: Any) -> LinearScores | None:
    """Return the linear scores of a fitted classifier, or None if it is not known to be linear.

    Register a classifier of your own with ``linear_scores.register(YourClassifier)``; its
    `predict` has to answer with the class of the largest score. A registration is for that very
    class: a subclass may have a `predict` of its own.
    """
    return None


def known_scores(model: Any) -> LinearScores | None:
    """Linear scores of a model whose very class is registered."""
    own = type(model) in linear_scores.registry and "predict" not in vars(model)
    return linear_scores(model) if own else None


def known_map(transformer: Any) -> tuple[Any, Any] | None:
    """Affine map of a transformer whose very class is registered."""
    own = type(transformer) in affine_map.registry and "transform" not in vars(transformer)
    return affine_map(transformer) if own else None


@linear_scores.register(LinearDiscriminantAnalysis)
@linear_scores.register(LinearSVC)
@linear_scores.register(LogisticRegression)
@linear_scores.register(LogisticRegressionCV)
@linear_scores.register(Perceptron)
@linear_scores.register(RidgeClassifier)
@linear_scores.register(RidgeClassifierCV)
@linear_scores.register(SGDClassifier)
def _(model: Any) -> LinearScores | None:
    return LinearScores.of(model.coef_, model.intercept_)


@linear_scores.register
def _(model: SVC) -> LinearScores | None:
    if model.kernel != "linear" or len(model.classes_) != 2:
        return None  # votes of pairs of classes are not a largest score
    scores = LinearScores.of(model.coef_, model.intercept_)
    duals, vectors = _wide(model.dual_coef_), _wide(model.support_vectors_)
    terms = np.abs(duals) @ np.abs(vectors) * len(vectors)  # what libsvm itself sums and rounds
    return LinearScores(scores.coef, scores.intercept, terms, scores.intercept_size)


@linear_scores.register
def _(model: FrozenEstimator) -> LinearScores | None:
    return known_scores(model.estimator)


@linear_scores.register
def _(model: Pipeline) -> LinearScores | None:
    scores = known_scores(model[-1])
    steps = [step for _, step in model.steps[:-1] if step not in (None, "passthrough")]
    for step in reversed(steps):
        step_map = None if scores is None else known_map(step)
        if scores is None or step_map is None:
            return None
        if not _in_range(scores.coef_size, scores.intercept_size, *step_map):
            return None
        scores = scores.after(*step_map)
    return scores


@singledispatch
def affine_map(transformer: Any) -> tuple[Any, Any] | None:
    """Return matrix (or its diagonal) and offset of a fitted affine transformer, or None."""
    return None


@affine_map.register
def _(transformer: FrozenEstimator) -> tuple[Any, Any] | None:
    return known_map(transformer.estimator)


def _wide(values: Any) -> NDArray[np.float64]:
    """Float64, before any arithmetic: models fitted in float32 hold float32."""
    return np.asarray(values.toarray() if sparse.issparse(values) else values, dtype=float)


@affine_map.register
def _(transformer: StandardScaler) -> tuple[Any, Any] | None:
    n_features = transformer.n_features_in_
    scale = 1.0 / _wide(transformer.scale_) if transformer.with_std else np.ones(n_features)
    center = _wide(transformer.mean_) if transformer.with_mean else np.zeros(n_features)
    return scale, -center * scale


@affine_map.register
def _(transformer: MinMaxScaler) -> tuple[Any, Any] | None:
    return None if transformer.clip else (_wide(transformer.scale_), _wide(transformer.min_))


@affine_map.register
def _(transformer: MaxAbsScaler) -> tuple[Any, Any] | None:
    if getattr(transformer, "clip", False):
        return None
    return 1.0 / _wide(transformer.scale_), np.zeros(len(transformer.scale_))


@affine_map.register
def _(transformer: RobustScaler) -> tuple[Any, Any] | None:
    n_features = transformer.n_features_in_
    scale = 1.0 / _wide(transformer.scale_) if transformer.with_scaling else np.ones(n_features)
    center = _wide(transformer.center_) if transformer.with_centering else np.zeros(n_features)
    return scale, -center * scale


@affine_map.register
def _(transformer: PCA) -> tuple[Any, Any] | None:
    if transformer.whiten:
        return None
    components = _wide(transformer.components_)
    return components, -components @ _wide(transformer.mean_)


@affine_map.register
def _(transformer: TruncatedSVD) -> tuple[Any, Any] | None:
    return _wide(transformer.components_), np.zeros(len(transformer.components_))


@affine_map.register
def _(transformer: SimpleImputer) -> tuple[Any, Any] | None:
    """Nothing is missing in rows that noise can be added to."""
    keeps_all = transformer.statistics_.dtype.kind == "f" and np.isfinite(transformer.statistics_)
    marks_nan = isinstance(transformer.missing_values, float) and np.isnan(
        transformer.missing_values
    )
    if transformer.add_indicator or not marks_nan or not np.all(keeps_all):
        return None
    n_features = len(transformer.statistics_)
    return np.ones(n_features), np.zeros(n_features)


def structure_of(
    model: Any, classes: NDArray[Any], noise: Noise, rows: Rows
) -> LinearScores | None:
    """Linear scores of the base model, if noise on its inputs may be drawn as noise on them.

    Parameters
    ----------
    model : object with predict
        Base model.
    classes : ndarray of shape (n_classes,)
        Labels that the scores have to be of, in this order.
    noise : Noise
        Distribution of the noise.
    rows : Rows
        Inputs.

    Returns
    -------
    scores : LinearScores or None
        None: the model has to be asked for every vote.
    """
    if type(noise) is not GaussianNoise or noise.k or len(rows.shape) != 1 or len(classes) < 2:
        return None
    order: Any = getattr(model, "classes_", None)
    if not np.array_equal(order, classes):
        return None
    scores = known_scores(model)
    if scores is None or scores.coef.shape[1] != rows.n_features:
        return None
    if not _in_range(scores.coef_size, scores.intercept_size):
        return None
    return scores if len(scores.coef) == (1 if len(classes) == 2 else len(classes)) else None


def _in_range(*values: Any) -> bool:
    """Whether products of any two of the numbers neither over- nor underflow."""
    sizes = np.abs(np.concatenate([np.ravel(value) for value in values]))
    return bool(((sizes == 0) | ((sizes > 1 / _LARGE) & (sizes < _LARGE))).all())


def agree(scores: LinearScores, rows: Rows, votes: NDArray[np.intp]) -> bool:
    """Whether scores give rows the class indices that the model itself gives them."""
    if len(scores.coef) == 1:
        return np.array_equal(_side(scores, rows)[0], votes == 1)
    return np.array_equal(score_rows(scores, rows).values.argmax(axis=1), votes)


def score_rows(scores: LinearScores, rows: Rows) -> Rows:
    """Return the scores of all rows, as rows that noise is added to."""
    coef, place = np.unique(scores.coef, axis=0, return_inverse=True)
    values = (rows.values @ coef.T)[:, place.ravel()] + scores.intercept
    return Rows(values, np.dtype(np.float64), rows.as_given, rows.chosen)


def score_stream(scores: LinearScores, stream: DrawStream) -> DrawStream:
    """Return the stream of the noise that the scores get from the noise of a stream."""
    coef, place = np.unique(scores.coef, axis=0, return_inverse=True)
    factor: Any = np.linalg.qr(coef.T, mode="r")
    factor *= np.where(np.diag(factor) < 0, -1.0, 1.0)[:, None]  # the same with any LAPACK
    noise: Any = _ScoreNoise(stream.noise, factor, place.ravel())
    shape = (len(scores.coef),)
    seed = derived_seed(stream.seed, Purpose.SCORES)  # not the draws that inputs would get
    return DrawStream(noise, seed, stream.purpose, shape, np.dtype(np.float64))


@dataclass(frozen=True)
class _ScoreNoise:
    """Gaussian noise on the scores: ``W z`` has the law of ``R^T g``, where ``W^T = Q R``.

    Equal rows of W get the very same numbers, so that classes which tie for the model tie here.
    """

    noise: Noise
    factor: NDArray[np.float64]
    place: NDArray[np.intp]

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        draws: NDArray[Any] = self.noise.draw(n, (len(self.factor),), rng, dtype) @ self.factor
        return draws[:, self.place]


@dataclass(frozen=True)
class ScoreVoter:
    """Votes of a classifier that answers with the largest of its scores.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Labels, in the order of the scores; at least three.
    """

    classes: NDArray[Any]

    @property
    def draws_per_call(self) -> int:
        """All rows share them, so that what depends on the draws alone is computed once."""
        return max(_FEWEST_DRAWS, _VALUES_PER_CALL // len(self.classes))

    def tally(self, rows: Rows, noise: Any, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Count the votes of every row with every draw."""
        by_class = np.ascontiguousarray(draws.T)
        votes = np.zeros((len(rows), len(self.classes)), np.int64)
        leaders = rows.values.argmax(axis=1)
        for leader in np.unique(leaders):
            gain = by_class - by_class[leader]
            most = gain.max(axis=1)
            for i in np.flatnonzero(leaders == leader):
                votes[i] = _votes_of_row(rows.values[i], leader, gain, most, by_class)
        return votes


def _votes_of_row(
    scores: NDArray[Any],
    leader: np.intp,
    gain: NDArray[np.float64],
    most: NDArray[np.float64],
    by_class: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Count how often each class has the largest of its score and noise, the first of equals.

    Most draws leave the leader in front, and most classes never come near it: the sums are looked
    at only for the draws in which some class gains on the leader what it is behind by.
    """
    votes = np.zeros(len(scores), np.int64)
    behind = scores[leader] - scores
    rivals = np.flatnonzero(behind <= most)  # with the leader itself
    caught_up = np.zeros(by_class.shape[1], dtype=bool)
    for rival in rivals[rivals != leader]:
        caught_up |= gain[rival] >= behind[rival]
    open_draws = np.flatnonzero(caught_up)
    votes[leader] = by_class.shape[1] - len(open_draws)
    if len(open_draws):
        noisy = [by_class[rival].take(open_draws) + scores[rival] for rival in rivals]
        votes[rivals] += _wins(noisy)
    return votes


def _wins(noisy: list[NDArray[np.float64]]) -> NDArray[np.int64]:
    """Count how often each of several rows holds the largest entry, the first of equals."""
    largest = noisy[0]
    for row in noisy[1:]:
        largest = np.maximum(largest, row)
    wins = np.array([np.count_nonzero(row == largest) for row in noisy])
    if wins.sum() == len(largest):
        return wins
    return np.bincount(np.argmax(noisy, axis=0), minlength=len(noisy))  # some are equal


def exact_margin(
    scores: LinearScores, rows: Rows, norm: float, sigma: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Distance of every row to the hyperplane of a classifier with two classes.

    Parameters
    ----------
    scores : LinearScores
        With one score.
    rows : Rows of length m
        Inputs.
    norm : float
        Norm p of the distance.
    sigma : float
        Standard deviation of the noise.

    Returns
    -------
    second : ndarray of bool of shape (m,)
        Rows of the second class.
    distance : ndarray of shape (m,)
        In the given norm, rounded down by more than the rounding of the scores.
    p_lower : ndarray of shape (m,)
        Vote share of the class, rounded down.

    Notes
    -----
    By Hoelder's inequality the distance is ``|w @ x + b|`` over the dual norm of w.
    """
    second, score, uncertain = _side(scores, rows)
    margin = np.maximum(np.abs(score) - uncertain, 0.0)
    p_lower = special.ndtr(_distance(scores, margin, 2) / sigma)
    return second, _distance(scores, margin, norm), np.maximum(np.nextafter(p_lower, 0.0), 0.5)


def exact_shares(scores: LinearScores, rows: Rows, sigma: float) -> NDArray[np.float64]:
    """Vote shares of the two classes; the larger is that of the class which `predict` gives."""
    second, score, _ = _side(scores, rows)
    share = special.ndtr(np.abs(_distance(scores, np.abs(score), 2)) / sigma)
    winner = np.where(share > 0.5, share, np.nextafter(0.5, 1.0))
    return np.where(second[:, None] == [False, True], winner[:, None], 1.0 - winner[:, None])


def _scale(scores: LinearScores) -> float:
    """Largest coefficient: in its units no score or norm over- or underflows."""
    return float(np.abs(scores.coef[0]).max()) or 1.0


def _side(
    scores: LinearScores, rows: Rows
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Rows of the second class, their scores, and a bound of the rounding error of these.

    The scores are in units of the largest coefficient; one that is not finite is 0 and proves
    nothing.
    """
    unit = _scale(scores)
    with np.errstate(over="ignore", invalid="ignore"):
        score = rows.values @ (scores.coef[0] / unit) + scores.intercept[0] / unit
        size = np.abs(rows.values) @ (scores.coef_size[0] / unit) + scores.intercept_size[0] / unit
    known = np.isfinite(score) & np.isfinite(size)
    score, size = np.where(known, score, 0.0), np.where(known, size, 0.0)
    return score > 0, score, _rounding(scores) * size


def _rounding(scores: LinearScores) -> float:
    """Relative rounding error of a score, with room to spare."""
    return float(8 * (scores.coef.shape[1] + 8) * _EPS)


def _distance(
    scores: LinearScores, margin: NDArray[np.float64], norm: float
) -> NDArray[np.float64]:
    """Distance to the hyperplane, rounded down, for a margin in units of the largest coefficient.

    Infinite where the model ignores its input and the margin is not 0.
    """
    unit, rounding = _scale(scores), _rounding(scores)
    dual = np.inf if norm == 1 else 1.0 / (1.0 - 1.0 / norm)
    length = np.linalg.norm(scores.coef[0] / unit, dual)
    length += rounding * np.linalg.norm(scores.coef_size[0] / unit, dual)
    if length == 0:
        return np.where(margin == 0, 0.0, np.inf)
    return margin / length * (1 - rounding)
