"""One binary classifier per class, all of one kind: the largest of their scores wins."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC

from sksmooth.structure._base import Structure, known_structure, structure_of
from sksmooth.structure._kernels import kernel_scores
from sksmooth.structure._linear import LinearScores


@structure_of.register
def _(model: OneVsRestClassifier) -> Structure | None:
    parts = model.estimators_
    if model.multilabel_ or any("decision_function" in vars(part) for part in parts):
        return None
    if len(parts) not in (1 if len(model.classes_) == 2 else len(model.classes_),):
        return None
    if all(type(part) is SVC for part in parts) and parts[0].kernel != "linear":
        return _kernels(parts)
    return _linear(parts)


def _linear(parts: Any) -> LinearScores | None:
    scores = [known_structure(part) for part in parts]
    if not all(type(score) is LinearScores and len(score.coef) == 1 for score in scores):
        return None
    names = ("coef", "intercept", "coef_size", "intercept_size")
    return LinearScores(*(np.concatenate([getattr(s, name) for s in scores]) for name in names))


def _kernels(parts: Any) -> Structure | None:
    """Machines that were fitted to the same rows share their vectors, by position."""
    first = parts[0]
    kernels = {(p.kernel, p._gamma, p.coef0, p.degree, p.shape_fit_, p._sparse) for p in parts}
    if len(kernels) > 1 or first._sparse:
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
