"""Classifiers with two classes whose score is a sum of step functions of single features.

Boosted stumps are: every tree looks at one feature, so its value belongs to the step function of
that feature. Thresholds are read off the trees; what happens between them is asked of the public
`decision_function`, one feature at a time, and the sum is compared with the model on random rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import KBinsDiscretizer
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from sksmooth.base_models._borders import borders_of, rounded_down
from sksmooth.base_models._column_maps import ColumnMap
from sksmooth.base_models._linear import LINEAR_CLASSIFIERS
from sksmooth.base_models._registry import Registry

_EPS = float(np.finfo(np.float64).eps)

# Rows that a model is asked about at a time, and random rows that its sum is compared on.
_ROWS_PER_CALL, _ROWS_COMPARED = 4096, 64

# Scores of a sum of step functions differ from it by rounding, and by no more than this fraction.
_MOST_ROUNDING = 1e-9


@dataclass(frozen=True)
class StepFunction:
    """A function of one feature that is constant between ends.

    Attributes
    ----------
    feature : int
        Position of the feature.
    ends : ndarray of shape (n_steps - 1,)
        Increasing; an end belongs to the step on its left.
    values : ndarray of shape (n_steps,)
        From the lowest step to the highest.
    missing : float
        Value where the feature is missing; NaN where the model takes no such input.
    """

    feature: int
    ends: NDArray[np.float64]
    values: NDArray[np.float64]
    missing: float = np.nan

    def __call__(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Value at each input."""
        x = values[:, self.feature]
        steps = self.values[np.searchsorted(self.ends, x, side="left")]
        return np.where(np.isnan(x), self.missing, steps)

    def in_units(self, units: NDArray[np.float64]) -> StepFunction:
        """Return the function of inputs that are given as multiples of a unit for each feature."""
        return replace(self, ends=self.ends / units[self.feature])

    def behind(self, step: ColumnMap) -> StepFunction | None:
        """Return the function of x, where this one is given what a step makes of x, if known."""
        ends = step.pull_back(np.full(len(self.ends), self.feature), self.ends)
        if np.isnan(ends).any():
            return None
        low, high = np.r_[-np.inf, ends], np.r_[ends, np.inf]
        left = low < high  # steps that some x is on
        filled, missing = step.filled[self.feature], self.missing
        if not np.isnan(filled):
            missing = self.values[np.searchsorted(self.ends, filled)]
        feature, ends = int(step.sources[self.feature]), high[left][:-1]
        return StepFunction(feature, ends, self.values[left], float(missing))


@dataclass(frozen=True)
class AdditiveScore:
    """A score that decides between two classes by its sign: a constant and step functions.

    Attributes
    ----------
    n_features : int
        Length of an input.
    constant : float
        Added to the step functions.
    functions : tuple of StepFunction
        At most one for each feature.
    rounding : float
        Bound of the difference between the sum and what the model computes.
    second_at_zero : bool
        Whether a score of 0 is for the second class.
    """

    n_features: int
    constant: float
    functions: tuple[StepFunction, ...]
    rounding: float
    second_at_zero: bool

    def of(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Scores of inputs."""
        scores = np.full(len(values), self.constant)
        for function in self.functions:
            scores += function(values)
        return scores

    def classify(self, values: NDArray[Any]) -> NDArray[np.intp]:
        """Positions of the classes of inputs."""
        scores = self.of(values)
        positive = scores >= 0 if self.second_at_zero else scores > 0
        return positive.astype(np.intp)

    def in_units(self, units: NDArray[np.float64]) -> AdditiveScore:
        """Score of inputs that are given as multiples of a unit for each feature."""
        return replace(self, functions=tuple(part.in_units(units) for part in self.functions))

    def behind(self, step: ColumnMap) -> AdditiveScore | None:
        """Score as a function of x, where this one is given what a step makes of x.

        None: two of the features come from one, so that terms are not independent, or it is not
        known where a step ends.
        """
        used = [f.feature for f in self.functions]
        if len(np.unique(step.sources[used])) < len(used):
            return None
        found = [f.behind(step) for f in self.functions]
        functions = tuple(f for f in found if f is not None)
        if len(functions) < len(found):
            return None
        return replace(self, n_features=step.n_features, functions=functions)


@Registry
def additive_score(model: Any) -> AdditiveScore | None:
    """Return the score of a fitted classifier with two classes as a sum of step functions, or None.

    Register a classifier of your own with ``additive_score.register(YourClassifier)``;
    :func:`asked_score` does the reading for one with a `decision_function`. A registration is for
    that very class: a subclass may have a `predict` of its own.
    """
    return None


def binned_linear_score(binning: Any, model: Any) -> AdditiveScore | None:
    """Return the score of a linear classifier of features that are binned one by one, or None."""
    if type(binning) is not KBinsDiscretizer or type(model) not in LINEAR_CLASSIFIERS:
        return None
    if len(model.classes_) > 2:
        return None
    edges = (np.asarray(column, float)[1:-1] for column in binning.bin_edges_)
    ends = [set(np.nextafter(column, -np.inf).tolist()) for column in edges]  # an edge goes up
    asked = Pipeline([("bins", binning), ("model", model)])
    return asked_score(asked, ends, np.float64, second_at_zero=False)


@additive_score.register
def _(model: AdaBoostClassifier) -> AdditiveScore | None:
    known = (DecisionTreeClassifier, ExtraTreeClassifier)
    if not all(type(tree) in known for tree in model.estimators_):
        return None
    ends = _ends_of_trees([tree.tree_ for tree in model.estimators_], model.n_features_in_)
    return asked_score(model, ends, np.float32, second_at_zero=False)


@additive_score.register
def _(model: GradientBoostingClassifier) -> AdditiveScore | None:
    if model.estimators_.shape[1] > 1 or type(model.init_) not in (DummyClassifier, str):
        return None
    trees = [tree.tree_ for tree in model.estimators_[:, 0]]
    return asked_score(model, _ends_of_trees(trees, model.n_features_in_), np.float32)


@additive_score.register
def _(model: HistGradientBoostingClassifier) -> AdditiveScore | None:
    """Read thresholds where scikit-learn keeps them: nothing public tells them.

    Categories are levels and no numbers that noise could be added to.
    """
    if model.n_trees_per_iteration_ > 1 or np.any(model.is_categorical_):
        return None
    ends: list[set[float]] = [set() for _ in range(model.n_features_in_)]
    for (predictor,) in model._predictors:
        splits = predictor.nodes[predictor.nodes["is_leaf"] == 0]
        if len(np.unique(splits["feature_idx"])) > 1:
            return None
        for f, t in zip(splits["feature_idx"], splits["num_threshold"], strict=True):
            ends[int(f)].update({float(t)} - {np.inf})  # which separates missing values only
    return asked_score(model, ends, np.float64, missing=True)


def _ends_of_trees(trees: Iterable[Any], n_features: int) -> list[set[float]] | None:
    """Return ends of steps for each feature, or None where a tree looks at several features."""
    ends: list[set[float]] = [set() for _ in range(n_features)]
    for tree in trees:
        splits = tree.feature >= 0
        if len(np.unique(tree.feature[splits])) > 1:
            return None
        borders = borders_of(tree.threshold[splits])
        for f, t in zip(tree.feature[splits], borders, strict=True):
            ends[int(f)].update({float(t)} - {np.inf})  # which separates missing values only
    return ends


def asked_score(
    model: Any,
    ends: list[set[float]] | None,
    dtype: DTypeLike,
    *,
    second_at_zero: bool = True,
    missing: bool = False,
) -> AdditiveScore | None:
    """Ask a model for its step functions.

    Parameters
    ----------
    model : classifier with decision_function
        With two classes.
    ends : list of set of float, or None
        For each feature, the values beyond which the score may change.
    dtype : dtype
        Precision in which the model looks at inputs. Ends that no number of this precision
        separates are one for the model.
    second_at_zero : bool, default=True
        Whether a score of 0 is for the second class.
    missing : bool, default=False
        Whether the model takes inputs with missing features.

    Returns
    -------
    score : AdditiveScore or None
        None: `ends` is None, or the score is no sum of step functions.
    """
    if ends is None:
        return None
    precise = np.dtype(dtype)
    kept = [_told_apart(np.array(sorted(values)), precise) for values in ends]
    points = [within_steps(values, precise) for values in kept]
    origin = np.array([values[0] for values in points])
    (constant,) = _scores(model, origin[None])
    functions = []
    for f, values in enumerate(points):
        asked = np.tile(origin, (len(values) + missing, 1))
        asked[:, f] = [*values, *([np.nan] if missing else [])]
        change = _scores(model, asked) - constant
        if change.any():
            lost = float(change[-1]) if missing else np.nan
            functions.append(StepFunction(f, kept[f], change[: len(values)], lost))
    score = AdditiveScore(len(ends), constant, tuple(functions), 0.0, second_at_zero)
    return _compared(score, model, points)


def _compared(
    score: AdditiveScore, model: Any, points: list[NDArray[np.float64]]
) -> AdditiveScore | None:
    """Bound the rounding of a score by asking the model about random rows; None: it is no sum."""
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.choice(values, _ROWS_COMPARED) for values in points])
    sizes = [np.nanmax(np.abs([*f.values, f.missing])) for f in score.functions]
    size = abs(score.constant) + float(np.sum(sizes))
    differs = float(np.abs(_scores(model, rows) - score.of(rows)).max())
    if not differs <= _MOST_ROUNDING * size:
        return None
    return replace(score, rounding=4 * differs + 16 * (len(points) + 4) * _EPS * size)


def _scores(model: Any, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # these columns have no names
        parts = [
            np.ravel(model.decision_function(rows[first : first + _ROWS_PER_CALL]))
            for first in range(0, len(rows), _ROWS_PER_CALL)
        ]
    return np.concatenate(parts).astype(float)


def _told_apart(ends: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Drop ends that no number of a precision separates from the one below."""
    if not len(ends):
        return ends
    below = rounded_down(ends, dtype)
    return ends[np.r_[True, below[1:] > ends[:-1]]]


def within_steps(ends: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Return a number of some precision on each step: its upper end, or beyond the last."""
    if not len(ends):
        return np.zeros(1)
    beyond = min(4 * np.abs(ends).max() + 1, float(np.finfo(dtype).max))
    return np.r_[rounded_down(ends, dtype), rounded_down(np.array([beyond]), dtype)]
