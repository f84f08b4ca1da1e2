"""Support vector machines with two classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.svm import SVC, NuSVC

from sksmooth.smooth_scores._activations import TANH, power
from sksmooth.smooth_scores._base import SmoothScore
from sksmooth.smooth_scores._kernels import GAUSSIAN, KernelScore
from sksmooth.smooth_scores._linear import LinearScore
from sksmooth.smooth_scores._networks import NetworkScore
from sksmooth.smooth_scores._norms import Floats
from sksmooth.smooth_scores._registry import smooth_score


@smooth_score.register(SVC)
@smooth_score.register(NuSVC)
def _(model: Any) -> SmoothScore:
    name = type(model).__name__
    if len(model.classes_) != 2:
        raise ValueError(
            f"{name} with {len(model.classes_)} classes answers by votes of pairs of classes, "
            f"which is not smooth. Use sklearn.multiclass.OneVsRestClassifier({name}(...))."
        )
    if model.kernel not in _KERNELS:
        raise ValueError(
            f"The gradient of {name} with kernel={model.kernel!r} is not known. Use one of "
            f"{', '.join(map(repr, _KERNELS))}, or pass gradient= and gradient_lipschitz=."
        )
    vectors, duals = _dense(model.support_vectors_), _dense(model.dual_coef_)
    intercept = np.asarray(model.intercept_, dtype=float)
    return _KERNELS[model.kernel](model, vectors, duals, intercept)


def _dense(values: Any) -> Floats:
    return np.asarray(values.toarray() if sparse.issparse(values) else values, dtype=float)


def _linear(model: Any, vectors: Floats, duals: Floats, intercept: Floats) -> SmoothScore:
    return LinearScore.of(model.coef_, intercept)


def _rbf(model: Any, vectors: Floats, duals: Floats, intercept: Floats) -> SmoothScore:
    return KernelScore(GAUSSIAN, vectors, duals, intercept, float(2 * model._gamma) ** -0.5)


def _polynomial(model: Any, vectors: Floats, duals: Floats, intercept: Floats) -> SmoothScore:
    if model.degree == 0:
        return LinearScore(np.zeros((1, vectors.shape[1])), intercept + duals.sum())
    if model.degree == 1:
        coef = model._gamma * duals @ vectors
        return LinearScore(coef, intercept + model.coef0 * duals.sum())
    return _neurons(model, vectors, duals, intercept, power(model.degree))


def _sigmoid(model: Any, vectors: Floats, duals: Floats, intercept: Floats) -> SmoothScore:
    return _neurons(model, vectors, duals, intercept, TANH)


def _neurons(
    model: Any, vectors: Floats, duals: Floats, intercept: Floats, activation: Any
) -> SmoothScore:
    """Read a kernel of ``gamma x @ s + coef0`` as a neuron with that as its input."""
    bias = np.full(len(vectors), float(model.coef0))
    return NetworkScore([(model._gamma * vectors, bias)], [activation], duals, intercept)


_KERNELS = {"linear": _linear, "rbf": _rbf, "poly": _polynomial, "sigmoid": _sigmoid}
