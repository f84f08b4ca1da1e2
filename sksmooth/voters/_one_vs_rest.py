"""One binary classifier per class, all of one kind: the largest of their scores wins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from sksmooth.engine._streams import DrawStream
from sksmooth.inputs._containers import Inputs
from sksmooth.voters._base import FastVoter, voter_of
from sksmooth.voters._kernels import kernel_scores
from sksmooth.voters._linear import LinearScores


@voter_of.register
def _(model: OneVsRestClassifier) -> FastVoter | None:
    parts = model.estimators_
    if model.multilabel_ or any("decision_function" in vars(part) for part in parts):
        return None
    if len(parts) not in (1 if len(model.classes_) == 2 else len(model.classes_),):
        return None
    if all(type(part) is SVC for part in parts) and parts[0].kernel != "linear":
        voter = _kernels(parts)
    else:
        voter = _linear(parts)
    if voter is None or len(parts) == 1 or _first_of_equals_wins():
        return voter
    return LastOfEquals(voter)


@dataclass(frozen=True)
class LastOfEquals(FastVoter):
    """A voter whose classes are in the opposite order, so that ties go to the last.

    Attributes
    ----------
    voter : FastVoter
        With its classes in their own order; equal scores are not rare: far from all support
        vectors only the intercepts are left.
    """

    voter: Any

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes."""
        return int(self.voter.n_classes)

    def draws_per_call(self, inputs: Inputs) -> int:
        """Draws whose embedding is held at a time."""
        return int(self.voter.draws_per_call(inputs))

    def suits(self, inputs: Inputs) -> bool:
        """Whether the model takes inputs of this shape and dtype."""
        return bool(self.voter.suits(inputs))

    def after(self, matrix: Any, offset: Any) -> FastVoter | None:
        """FastVoter as a function of x, where it is given ``matrix @ x + offset``."""
        inner = self.voter.after(matrix, offset)
        return None if inner is None else LastOfEquals(inner)

    def embed_inputs(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what the votes need of inputs."""
        return np.asarray(self._reversed.embed_inputs(values))

    def embed_noise(self, draws: NDArray[Any]) -> Any:
        """Return what the votes need of draws."""
        return self._reversed.embed_noise(draws)

    def embed_stream(self, stream: DrawStream) -> Any:
        """Return the stream of what the votes need of draws."""
        return self._reversed.embed_stream(stream)

    def count_votes(self, inputs: Inputs, noise: Any, draws: Any) -> NDArray[np.int64]:
        """Count the votes of every input with every draw."""
        return np.asarray(self._reversed.count_votes(inputs, noise, draws))[:, ::-1]

    @cached_property
    def _reversed(self) -> Any:
        names = ("coef", "intercept", "coef_size", "intercept_size", "duals")
        held = {
            name: getattr(self.voter, name)[::-1] for name in names if hasattr(self.voter, name)
        }
        return replace(self.voter, **held)


@lru_cache(maxsize=1)
def _first_of_equals_wins() -> bool:
    """Whether the installed scikit-learn gives ties to the first class; before 1.9 to the last."""
    X, y = np.zeros((3, 1)), np.arange(3)
    probe = OneVsRestClassifier(_Constant()).fit(X, y)
    return bool(probe.predict(X)[0] == 0)


class _Constant(ClassifierMixin, BaseEstimator):
    """A classifier whose decision function is always 0."""

    def fit(self, X: Any, y: Any) -> _Constant:
        """Fit nothing."""
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return zeros."""
        return np.zeros(len(X))


def _linear(parts: Any) -> LinearScores | None:
    scores = [voter_of(part) for part in parts]
    if not all(type(score) is LinearScores and len(score.coef) == 1 for score in scores):
        return None
    names = ("coef", "intercept", "coef_size", "intercept_size")
    return LinearScores(*(np.concatenate([getattr(s, name) for s in scores]) for name in names))


def _kernels(parts: Any) -> FastVoter | None:
    """Machines that were fitted to the same X have vectors in common, by position."""
    first = parts[0]
    kernels = {(p.kernel, p._gamma, p.coef0, p.degree, p.shape_fit_) for p in parts}
    if len(kernels) > 1 or any(sparse.issparse(p.support_vectors_) for p in parts):
        return None
    support, where = np.unique(np.concatenate([p.support_ for p in parts]), return_inverse=True)
    vectors = np.empty((len(support), first.shape_fit_[1]))
    duals, start = np.zeros((len(parts), len(support))), 0
    for row, part in zip(duals, parts, strict=True):
        place = where[start : start + len(part.support_)]
        vectors[place], row[place] = part.support_vectors_, part.dual_coef_[0]
        start += len(place)
    intercept = np.concatenate([part.intercept_ for part in parts])
    return kernel_scores(first, vectors, duals, intercept, pairs=False)
