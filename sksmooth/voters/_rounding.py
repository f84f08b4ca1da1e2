"""How far computed numbers may be from what they stand for, in any order of sums.

A fast vote for ``x + z`` is made of what is seen of x and of what is seen of z, and rounding makes
it a function of both, no more of their sum alone. A vote whose margin is within the bound of a
voter is for nobody. All others are those of the exact real function, and so a function of the sum.

With the unit roundoff u, a sum of n products differs from the exact one by no more than
``n u / (1 - n u)`` times the sum of their absolute values, in any order (Higham, N. J. (2002).
Accuracy and stability of numerical algorithms, section 3.1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

# A function of a library is off by so many units in the last place at the most.
FUNCTION_ROUNDING = 8

# Rounding before and after a sum: of its terms, of what is added to it, of the bound itself.
_MORE_TERMS = 16


def unit_roundoff(dtype: DTypeLike) -> float:
    """Return the relative error of one operation."""
    return float(np.finfo(np.dtype(dtype)).eps) / 2


def of_sum(n_terms: int, dtype: DTypeLike = np.float64) -> float:
    """Relative error of a sum of products, as part of the sum of their absolute values."""
    return 2.0 * (n_terms + _MORE_TERMS) * unit_roundoff(dtype)


def of_image(n_features: int, n_rows: int) -> float:
    """Relative error of noise that is drawn behind a matrix, as part of the length of its rows.

    The triangle R of a Householder decomposition of ``W^T`` is that of a matrix whose columns
    differ from it by ``n_features * n_rows * u`` of their lengths, with a small factor (Higham
    2002, theorem 19.4); what the draws are multiplied by is off by as much.
    """
    return 8.0 * (n_features + _MORE_TERMS) * (n_rows + 1) * unit_roundoff(np.float64)


def reach_of(noise: Any, n_features: int) -> float:
    """Largest coordinate of a draw; 0 without noise."""
    return 0.0 if noise is None else float(noise.reach(n_features))


def lengths(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Euclidean length of each row."""
    return np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=float))
