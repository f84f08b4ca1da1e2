"""Classifiers with normal classes: the log density is quadratic, its Hessian constant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.naive_bayes import GaussianNB

from sksmooth.smooth_scores._base import SmoothScore
from sksmooth.smooth_scores._norms import EPS, Floats, hessian_norm
from sksmooth.smooth_scores._registry import smooth_score


@dataclass(frozen=True)
class QuadraticScore(SmoothScore):
    """Scores ``mixing @ q(x)`` with ``q_k(x) = constant_k - ||F_k^T x - shift_k||_2^2 / 2``.

    Attributes
    ----------
    factors : ndarray of shape (n_classes, n_features, rank)
        Roots of the precision matrices, F_k.
    shifts : ndarray of shape (n_classes, rank)
        Centres, in the coordinates of the factors.
    constants : ndarray of shape (n_classes,)
        Log densities at the centres.
    mixing : ndarray of shape (n_scores, n_classes)
        Identity, or the difference of two classes.
    """

    factors: Floats
    shifts: Floats
    constants: Floats
    mixing: Floats

    @classmethod
    def of(cls, factors: Floats, means: Floats, constants: Floats) -> QuadraticScore:
        """Log densities of classes with given means; with two classes, their difference."""
        n_classes = len(means)
        mixing = np.array([[-1.0, 1.0]]) if n_classes == 2 else np.eye(n_classes)
        return cls(factors, np.einsum("kd,kdr->kr", means, factors), constants, mixing)

    def _whitened(self, X: Floats) -> Floats:
        return np.einsum("md,kdr->mkr", X, self.factors, optimize=True) - self.shifts

    def value(self, X: Floats) -> Floats:
        """Scores."""
        densities = self.constants - (self._whitened(X) ** 2).sum(axis=2) / 2
        return np.asarray(densities @ self.mixing.T)

    def gradient(self, X: Floats) -> Floats:
        """Gradients, linear in x."""
        gradients = -np.einsum("mkr,kdr->mkd", self._whitened(X), self.factors, optimize=True)
        return np.asarray(np.einsum("sk,mkd->msd", self.mixing, gradients, optimize=True))

    def rounding(self, X: Floats) -> Floats:
        """Bound of the rounding error, through the sums of the absolute terms."""
        rank = self.factors.shape[2]
        whitened = np.abs(self._whitened(X))
        size = np.einsum("md,kdr->mkr", np.abs(X), np.abs(self.factors), optimize=True)
        error = EPS * (X.shape[1] + 4) * (size + np.abs(self.shifts))
        total = (whitened * error + error**2).sum(axis=2)
        total += EPS * (rank + 8) * ((whitened**2).sum(axis=2) + np.abs(self.constants))
        return np.asarray(total @ np.abs(self.mixing).T)

    def gradient_rounding(self, X: Floats) -> Floats:
        """Bound of the rounding error, and of what that of the value grows by per length."""
        n_features, rank = self.factors.shape[1:]
        size = np.einsum("md,kdr->mkr", np.abs(X), np.abs(self.factors), optimize=True)
        error = EPS * (n_features + 4) * (size + np.abs(self.shifts))
        error += EPS * (n_features + 2 * rank + 20) * np.abs(self._whitened(X))
        total = np.einsum("mkr,kr->mk", error, np.abs(self.factors).sum(axis=1))
        return np.asarray(total @ np.abs(self.mixing).T)

    def lipschitz(self, weights: Floats, norm: float) -> float:
        """Norm of the Hessian, which is the same everywhere, and what rounding makes of it.

        Where Hessians of two classes cancel, their difference is known no better than they are,
        nor is that of the values far away.
        """
        mixed = weights @ self.mixing
        hessian = np.einsum("k,kdr,ker->de", -mixed, self.factors, self.factors, optimize=True)
        n_features, rank = self.factors.shape[1:]
        size = float(np.abs(mixed) @ (self.factors**2).sum(axis=(1, 2)))
        size *= n_features if norm == np.inf else 1  # the squared l2 norm, in terms of this one
        return hessian_norm(hessian, norm) + 2 * EPS * (n_features + rank + 16) * size

    def after(self, matrix: Floats, offset: Floats) -> SmoothScore:
        """Quadratic again."""
        shifts = self.shifts - np.einsum("d,kdr->kr", offset, self.factors)
        if matrix.ndim == 1:
            factors = self.factors * matrix[:, None]
        else:
            factors = np.einsum("de,kdr->ker", matrix, self.factors)
        return QuadraticScore(factors, shifts, self.constants, self.mixing)


@smooth_score.register
def _(model: QuadraticDiscriminantAnalysis) -> SmoothScore:
    factors, constants = [], []
    rank = max(len(scaling) for scaling in model.scalings_)
    n_features = len(model.means_[0])
    for rotation, scaling, prior in zip(
        model.rotations_, model.scalings_, model.priors_, strict=True
    ):
        factor = np.zeros((n_features, rank))
        factor[:, : len(scaling)] = rotation * scaling**-0.5
        factors.append(factor)
        constants.append(np.log(prior) - np.log(scaling).sum() / 2)
    return QuadraticScore.of(np.array(factors), np.asarray(model.means_), np.array(constants))


@smooth_score.register
def _(model: GaussianNB) -> SmoothScore:
    factors = np.array([np.diag(variances**-0.5) for variances in model.var_])
    constants = np.log(model.class_prior_) - np.log(2 * np.pi * model.var_).sum(axis=1) / 2
    return QuadraticScore.of(factors, model.theta_, constants)
