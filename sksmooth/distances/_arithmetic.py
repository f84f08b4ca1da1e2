"""Arithmetic over the whole range of floats: relative rounding only, and up where that is lost.

A distance that is computed as 0, or too small, would make a certificate wrong. Squares and sums
leave the range of floats long before their roots and quotients do; below the smallest normal
number there is no relative precision. So what is doubtful is scaled by powers of two, which is
exact, and what is below the normal numbers is rounded up. A result is 0 only where the exact one
is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Floats = NDArray[np.float64]

UNIT_ROUNDOFF = 2.0**-53
_SMALLEST_NORMAL = float(np.finfo(float).tiny)

# Roots of sums of squares between these are computed from squares that matter and are normal.
_ROOT_LOW, _ROOT_HIGH = 2.0**-450, 2.0**500

# Differences of numbers between these, or 0, are above the lower limit, or 0, and even millions of
# their squares have a sum.
_FAR_FROM_ZERO, _MODERATE = 2.0**-390, 2.0**480

# Numbers that are copied at a time, in float64: 8 MB.
VALUES_AT_ONCE = 2**20


def rounded_up(values: Floats) -> Floats:
    """Round up what is positive and below the normal numbers."""
    small = (values > 0) & (values < _SMALLEST_NORMAL)
    return np.nextafter(values, np.inf, out=values, where=small)


def quotients(parts: Floats, wholes: Floats, exponent: int = 0) -> Floats:
    """Divide numbers that are not negative, times a power of two.

    Nothing of nothing is 0, and a part of it never is.
    """
    zero = np.zeros(np.broadcast_shapes(np.shape(parts), np.shape(wholes)))
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.divide(parts, wholes, out=zero, where=np.not_equal(wholes, 0))
    if exponent:
        found = np.ldexp(found, exponent)
    low = (parts > 0) & (found < _SMALLEST_NORMAL)
    return np.nextafter(found, np.inf, out=found, where=low)


def scaled(values: Floats) -> tuple[Floats, NDArray[np.int32]]:
    """Scale vectors by powers of two, so that the largest number of each is in [1/2, 1).

    Parameters
    ----------
    values : ndarray of shape (..., d)
        Vectors.

    Returns
    -------
    scaled : ndarray of shape (..., d)
        Exact, but for what is 2 ** -1000 times the largest.
    exponents : ndarray of shape (...)
        ``scaled * 2 ** exponents`` are the vectors.
    """
    exponents: NDArray[np.int32] = np.frexp(np.abs(values).max(axis=-1, initial=0))[1]
    return np.ldexp(values, -exponents[..., None]), exponents


def norms(vectors: Floats) -> Floats:
    """l2 norms of vectors along the last axis."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.sqrt(np.square(vectors).sum(axis=-1))
        doubtful = ~((found >= _ROOT_LOW) & (found <= _ROOT_HIGH))
        if doubtful.any():
            doubtful[doubtful] = vectors[doubtful].any(axis=-1)
            found[doubtful] = _scaled_norms(vectors[doubtful])
    return found


def _scaled_norms(vectors: Floats) -> Floats:
    small, exponents = scaled(vectors)
    return rounded_up(np.ldexp(np.sqrt(np.square(small).sum(axis=-1)), exponents))


def euclidean(a: Floats, b: Floats) -> Floats:
    """l2 distances between two blocks of vectors."""
    distances: Floats = cdist(a, b)
    doubtful = ~((distances >= _ROOT_LOW) & (distances <= _ROOT_HIGH))
    if not (_is_moderate(a[doubtful.any(axis=1)]) and _is_moderate(b[doubtful.any(axis=0)])):
        with np.errstate(over="ignore", invalid="ignore"):
            distances[doubtful] = of_pairs(lambda x, y: _scaled_norms(x - y), a, b, doubtful)
    return distances


def _is_moderate(values: Floats) -> bool:
    """Whether distances of vectors are right as they are, or 0."""
    sizes = np.abs(values)
    return bool(((sizes == 0) | ((sizes >= _FAR_FROM_ZERO) & (sizes <= _MODERATE))).all())


def different(a: NDArray[Any], b: NDArray[Any], doubtful: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether vectors differ, for the pairs that a mask of shape (n, m) selects."""
    return of_pairs(lambda x, y: (x != y).any(axis=1), a, b, doubtful)


def of_pairs(
    function: Callable[[Any, Any], NDArray[Any]],
    a: NDArray[Any],
    b: NDArray[Any],
    chosen: NDArray[np.bool_],
) -> NDArray[Any]:
    """Values of a function of two vectors, for chosen pairs, a few at a time.

    Parameters
    ----------
    function : callable
        Takes two arrays of shape (k, d) and returns one value for each pair of rows.
    a, b : ndarray of shape (n, d) and (m, d)
        Vectors.
    chosen : ndarray of bool of shape (n, m)
        Pairs.

    Returns
    -------
    values : ndarray of shape (chosen.sum(),)
    """
    i, j = np.nonzero(chosen)
    step = max(1, VALUES_AT_ONCE // max(1, a.shape[1]))
    parts = [
        function(a[i[k : k + step]], b[j[k : k + step]]) for k in range(0, max(1, len(i)), step)
    ]
    return np.concatenate(parts)
