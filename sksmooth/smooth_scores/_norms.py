"""Norms of vectors and matrices, and products with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


EPS = float(np.finfo(np.float64).eps)


# Numbers below it may have underflowed on the way.
TINY = 1e-280


def squared_norms(vectors: Floats) -> Floats:
    """Squared l2 norms along the last axis."""
    return np.asarray(np.einsum("...d,...d->...", vectors, vectors))


def dual_norm(vectors: Floats, norm: float) -> Floats:
    """Norm dual to l`norm`, along the last axis."""
    if norm != 2:
        sizes = np.abs(vectors)
        return np.asarray(sizes.max(axis=-1) if norm == 1 else sizes.sum(axis=-1))
    with np.errstate(over="ignore"):
        squares = squared_norms(vectors)
    lengths = np.sqrt(squares)
    extreme = ~((squares > TINY) & np.isfinite(squares))  # squares may have under- or overflowed
    if extreme.any():
        lengths = np.where(extreme, _scaled_norm(vectors), lengths)
    return lengths


def _scaled_norm(vectors: Floats) -> Floats:
    """L2 norm whose squares neither under- nor overflow."""
    unit = np.abs(vectors).max(axis=-1, keepdims=True)
    unit = np.where((unit > 0) & np.isfinite(unit), unit, 1.0)
    with np.errstate(over="ignore"):
        return np.asarray(np.sqrt(squared_norms(vectors / unit)) * unit[..., 0])


def norm_to_euclidean(matrix: Floats, norm: float) -> float:
    """Bound of ``||A x||_2`` over ``||x||_p <= 1``; exact for p = 1, 2, and for diagonal A.

    A vector stands for a diagonal matrix.
    """
    if matrix.ndim == 1:
        return float(np.linalg.norm(matrix) if norm == np.inf else np.abs(matrix).max())
    if norm == 1:
        return float(np.linalg.norm(matrix, axis=0).max())
    spectral = float(np.linalg.norm(matrix, 2))
    if norm == 2:
        return spectral
    gram = np.abs(matrix.T @ matrix).sum() if matrix.shape[1] <= 4096 else np.inf
    return float(min(np.sqrt(matrix.shape[1]) * spectral, np.sqrt(gram)))


def hessian_norm(hessian: Floats, norm: float) -> float:
    """Bound of ``||H x||_*`` over ``||x||_p <= 1`` for a symmetric matrix; exact for p = 1, 2."""
    if norm == 1:
        return float(np.abs(hessian).max())
    spectral = float(np.abs(np.linalg.eigvalsh(hessian)).max())
    if norm == 2:
        return spectral
    return float(min(len(hessian) * spectral, np.abs(hessian).sum()))


def times(matrix: Floats, X: Floats) -> Floats:
    """Return ``matrix @ x`` for every row x; a vector stands for a diagonal matrix."""
    return X * matrix if matrix.ndim == 1 else X @ matrix.T


def compose(outer: Floats, inner: Floats) -> Floats:
    """Product of two matrices; vectors stand for diagonal ones."""
    if outer.ndim == 1:
        return outer * inner if inner.ndim == 1 else outer[:, None] * inner
    return outer * inner if inner.ndim == 1 else outer @ inner
