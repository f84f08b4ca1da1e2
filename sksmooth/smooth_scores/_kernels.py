"""Sums of radial kernels, as of support vector machines and Gaussian processes.

The Hessian of a radial kernel has one eigenvalue along the ray from its centre, and one across
it. Both are known functions of the distance, so that the eigenvalues of a sum with coefficients of
both signs are bounded by those of its terms: with signs, which matters (a plain sum of absolute
values is up to twice as large), and near a row only by the distances that occur there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from sksmooth.smooth_scores._base import LocalLipschitzBound, SmoothScore
from sksmooth.smooth_scores._norms import EPS, TINY, Floats, norm_to_euclidean

_Profile = Callable[[Floats], Floats]

# Where the third derivative of exp(-r^2) is largest, and where it has its second bump.
_THIRD_PEAK, _THIRD_BUMP = 0.5246476232752903, 1.6506801238857846

# Distances beyond count as this, so that their squares are finite.
_FARTHEST = 1e150

# Largest number of features for which the Hessian itself is computed at every row.
_MOST_FEATURES_FOR_HESSIAN = 32


@dataclass(frozen=True)
class RadialKernel:
    """Kernel that depends on the distance r between two points, in units of its length scale.

    Attributes
    ----------
    name : str
        In the representation.
    value : callable
        Kernel k(r).
    across : callable
        ``k'(r) / r``: eigenvalue of the Hessian across the ray. Increases from its value at 0.
    along : callable
        ``k''(r)``: eigenvalue along the ray. Increases up to `peak`, then decreases; never below
        `across`.
    peak : float
        Distance at which `along` is largest.
    """

    name: str
    value: _Profile
    across: _Profile
    along: _Profile
    peak: float

    def eigenvalues(self, nearest: Floats, farthest: Floats) -> tuple[Floats, Floats]:
        """Smallest and largest eigenvalue of the Hessian over a range of distances."""
        return self.across(nearest), self.along(np.clip(self.peak, nearest, farthest))


def _decay(a: Floats) -> Floats:
    """``exp(-a)``, for products with powers of a."""
    return np.exp(-np.minimum(a, 700.0))


_S3, _S5 = 3**0.5, 5**0.5

GAUSSIAN = RadialKernel(  # exp(-r^2 / 2)
    "gaussian",
    value=lambda r: _decay(r * r / 2),
    across=lambda r: -_decay(r * r / 2),
    along=lambda r: (r * r - 1) * _decay(r * r / 2),
    peak=_S3,
)
MATERN_3_2 = RadialKernel(  # (1 + a) exp(-a), a = sqrt(3) r
    "matern 3/2",
    value=lambda r: (1 + _S3 * r) * _decay(_S3 * r),
    across=lambda r: -3 * _decay(_S3 * r),
    along=lambda r: 3 * (_S3 * r - 1) * _decay(_S3 * r),
    peak=2 / _S3,
)
MATERN_5_2 = RadialKernel(  # (1 + a + a^2 / 3) exp(-a), a = sqrt(5) r
    "matern 5/2",
    value=lambda r: (1 + _S5 * r + 5 * r * r / 3) * _decay(_S5 * r),
    across=lambda r: -5 / 3 * (1 + _S5 * r) * _decay(_S5 * r),
    along=lambda r: 5 / 3 * (5 * r * r - _S5 * r - 1) * _decay(_S5 * r),
    peak=3 / _S5,
)


@dataclass(frozen=True)
class KernelScore(SmoothScore):
    """Scores ``coef @ k(||x - centers||_2 / length_scale) + intercept``.

    Attributes
    ----------
    kernel : RadialKernel
        With length scale 1.
    centers : ndarray of shape (n_centers, n_features)
        Support vectors or training rows.
    coef : ndarray of shape (n_scores, n_centers)
        Of both signs.
    intercept : ndarray of shape (n_scores,)
        Added to the scores.
    length_scale : float
        Unit of distances.
    """

    kernel: RadialKernel
    centers: Floats
    coef: Floats
    intercept: Floats
    length_scale: float

    def distances(self, X: Floats) -> Floats:
        """Distances to the centers in units of the length scale, by differences."""
        return np.minimum(np.asarray(cdist(X, self.centers)) / self.length_scale, _FARTHEST)

    def value(self, X: Floats) -> Floats:
        """Scores."""
        return self.kernel.value(self.distances(X)) @ self.coef.T + self.intercept

    def gradient(self, X: Floats) -> Floats:
        """Gradients: ``sum_i coef_i k'(r_i) / r_i (x - center_i)``, by units of length."""
        factors = self.kernel.across(self.distances(X)) / self.length_scale**2
        centroid = self.centers.mean(axis=0)
        weighted = factors[:, None, :] * self.coef
        centered = weighted @ (self.centers - centroid)
        return weighted.sum(axis=2)[:, :, None] * (X - centroid)[:, None, :] - centered

    def rounding(self, X: Floats) -> Floats:
        """Bound from the sizes of the terms; a kernel changes by less than its argument does."""
        n_terms = X.shape[1] + len(self.centers) + 32
        size = np.abs(self.coef).sum(axis=1) + np.abs(self.intercept)
        return np.broadcast_to(EPS * n_terms * size + TINY, (len(X), len(size)))

    def gradient_rounding(self, X: Floats) -> Floats:
        """Bound from the sizes of the terms, with the errors of the exponentials in them."""
        r = self.distances(X)
        factors = np.abs(self.kernel.across(r)) * (1 + r * r) / self.length_scale**2
        centroid = self.centers.mean(axis=0)
        weighted = factors[:, None, :] * np.abs(self.coef)
        away = np.abs(X - centroid).sum(axis=1)[:, None]
        size = weighted.sum(axis=2) * away + weighted @ np.abs(self.centers - centroid).sum(axis=1)
        return np.asarray(EPS * (X.shape[1] + len(self.centers) + 32) * size + TINY)

    def lipschitz(self, weights: Floats, norm: float) -> float:
        """From the extreme eigenvalues of the kernel and the sums of coefficients of each sign."""
        zero, peak = np.zeros(1), np.full(1, self.kernel.peak)
        lowest, highest = self.kernel.across(zero), self.kernel.along(peak)
        spectral = _spectral_bound(weights @ self.coef, lowest[:, None], highest[:, None])
        return float(spectral[0]) * self._to_norm(norm)

    def _to_norm(self, norm: float) -> float:
        n_features = self.centers.shape[1]
        return norm_to_euclidean(np.full(n_features, 1 / self.length_scale), norm) ** 2

    def local_bound(self, X: Floats) -> LocalLipschitzBound:
        """Constants by the distances that occur around each row."""
        hessian = None
        if self.kernel is GAUSSIAN and X.shape[1] <= _MOST_FEATURES_FOR_HESSIAN:
            hessian = X
        return _KernelBound(self, self.distances(X), hessian)

    def hessian(self, X: Floats, coef: Floats) -> Floats:
        """Hessian of one combination at every row, in units of the length scale."""
        r = self.distances(X)
        across, along = self.kernel.across(r), self.kernel.along(r)
        excess = np.divide(along - across, r * r, out=np.zeros_like(r), where=r > 0) * coef
        rays = (X[:, None, :] - self.centers) / self.length_scale
        matrices = np.einsum("mn,mnd,mne->mde", excess, rays, rays, optimize=True)
        return matrices + (across @ coef)[:, None, None] * np.eye(X.shape[1])


def _spectral_bound(coef: Floats, lowest: Floats, highest: Floats) -> Floats:
    """Bound of the spectral norm of a sum of matrices with known ranges of eigenvalues.

    Parameters
    ----------
    coef : ndarray of shape (n,)
        Of both signs.
    lowest, highest : ndarray of shape (m, n) or (m, 1)
        Range of the eigenvalues of each matrix.
    """
    plus, minus = np.maximum(coef, 0.0), np.maximum(-coef, 0.0)
    lowest, highest = (np.broadcast_to(e, (len(e), len(coef))) for e in (lowest, highest))
    above = highest @ plus - lowest @ minus
    below = highest @ minus - lowest @ plus
    return np.maximum(np.maximum(above, below), 0.0)


@dataclass
class _KernelBound(LocalLipschitzBound):
    """Distances of the rows; of Gaussian kernels also the rows, for the Hessian there."""

    score: KernelScore
    distances: Floats
    rows: Floats | None

    def __post_init__(self) -> None:
        self._hessian_norms: dict[bytes, Floats] = {}

    def lipschitz(self, weights: Floats, norm: float, radius: Floats) -> Floats:
        """Take the better of two bounds: by eigenvalues, or by the Hessian and its change."""
        score = self.score
        coef = weights @ score.coef
        stretch = norm_to_euclidean(np.full(score.centers.shape[1], 1 / score.length_scale), norm)
        reach = (stretch * radius)[:, None]
        nearest = np.maximum(self.distances - reach, 0.0)
        ranges = score.kernel.eigenvalues(nearest, self.distances + reach)
        spectral = _spectral_bound(coef, *ranges)
        if self.rows is not None:
            drift = gaussian_third_derivative(nearest) @ np.abs(coef)
            spectral = np.minimum(spectral, self._at_row(coef) + reach[:, 0] * drift)
        return spectral * stretch**2

    def _at_row(self, coef: Floats) -> Floats:
        key = coef.tobytes()
        if key not in self._hessian_norms:
            assert self.rows is not None
            norms = np.full(len(self.rows), np.inf)
            near = np.flatnonzero(self.distances.max(axis=1) < _FARTHEST**0.5)
            for start in range(0, len(near), 64):
                some = near[start : start + 64]
                matrices = self.score.hessian(self.rows[some], coef)
                norms[some] = np.abs(np.linalg.eigvalsh(matrices)).max(axis=1)
            self._hessian_norms[key] = norms
        return self._hessian_norms[key]


def gaussian_third_derivative(nearest: Floats) -> Floats:
    """Bound of the third derivative of ``exp(-r^2 / 2)`` at all distances beyond `nearest`.

    Along a unit vector at angle t to the ray it is ``(3 s - s^3) exp(-r^2 / 2)`` with
    ``s = r cos t``; that of ``exp(-r^2)`` follows by a change of units.
    """
    r = nearest / 2**0.5
    s = np.maximum(r, _THIRD_PEAK)
    inner = np.where(s <= 0.5**0.5, 12 * s - 8 * s**3, 0.5**0.5 * 8)
    outer = np.maximum(s, _THIRD_BUMP)
    bump = (8 * outer**3 - 12 * outer) * _decay(outer * outer)
    before = np.where(s <= 2**0.5, inner * _decay(s * s), 0.0)
    return np.maximum(before, bump) / 2**1.5
