"""Gaussian process classifiers: the score is the mean of the latent function."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, Product, Sum, WhiteKernel

from sksmooth.smooth_scores._affine import after_affine
from sksmooth.smooth_scores._base import SmoothScore
from sksmooth.smooth_scores._kernels import (
    GAUSSIAN,
    MATERN_3_2,
    MATERN_5_2,
    KernelScore,
    RadialKernel,
)
from sksmooth.smooth_scores._norms import Floats
from sksmooth.smooth_scores._one_vs_rest import OneVsRestScore
from sksmooth.smooth_scores._registry import smooth_score

_MATERN = {1.5: MATERN_3_2, 2.5: MATERN_5_2, np.inf: GAUSSIAN}


@smooth_score.register
def _(model: GaussianProcessClassifier) -> SmoothScore:
    if len(model.classes_) == 2:
        return _of_two_classes(model.base_estimator_)
    if model.multi_class == "one_vs_one":
        raise ValueError(
            "GaussianProcessClassifier(multi_class='one_vs_one') answers by votes of pairs of "
            "classes, which is not smooth. Use multi_class='one_vs_rest'."
        )
    parts = [_of_two_classes(each) for each in model.base_estimator_.estimators_]
    return OneVsRestScore(parts, follows_predict=False)  # predict compares probabilities


def _of_two_classes(model: Any) -> SmoothScore:
    """Latent mean ``k(x, X_train) @ (y - pi)``: positive where the second class is predicted."""
    centers = np.asarray(model.X_train_, dtype=float)
    kernel, amplitude, length = _read(model.kernel_, centers.shape[1])
    coef = amplitude * (model.y_train_ - model.pi_)[None]
    score = KernelScore(kernel, centers / length, coef, np.zeros(1), 1.0)
    return after_affine(score, 1.0 / length, np.zeros(centers.shape[1]))


def _read(kernel: Any, n_features: int) -> tuple[RadialKernel, float, Floats]:
    """Kind, amplitude and length scales of a kernel."""
    if isinstance(kernel, Product):
        for constant, other in ((kernel.k1, kernel.k2), (kernel.k2, kernel.k1)):
            if isinstance(constant, ConstantKernel):
                kind, amplitude, length = _read(other, n_features)
                return kind, amplitude * constant.constant_value, length
    if isinstance(kernel, Sum):
        for white, other in ((kernel.k1, kernel.k2), (kernel.k2, kernel.k1)):
            if isinstance(white, WhiteKernel):  # is 0 between different sets of rows
                return _read(other, n_features)
    if type(kernel) is RBF or (type(kernel) is Matern and kernel.nu in _MATERN):
        kind = GAUSSIAN if type(kernel) is RBF else _MATERN[kernel.nu]
        return kind, 1.0, np.broadcast_to(np.asarray(kernel.length_scale, float), n_features)
    if type(kernel) is Matern and kernel.nu == 0.5:
        raise ValueError(
            f"The kernel {kernel} has a kink at every training row, so its gradient has no "
            "Lipschitz constant. Use Matern with nu=1.5 or 2.5, or RBF."
        )
    raise ValueError(
        f"The gradient of a Gaussian process with the kernel {kernel} is not known. Use RBF or "
        "Matern (nu=1.5, 2.5), times a ConstantKernel and plus a WhiteKernel if need be."
    )
