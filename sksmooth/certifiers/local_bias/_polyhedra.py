"""The shortest way into an intersection of half-spaces, with the multipliers that prove it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog, nnls

Floats = NDArray[np.float64]


def least_distance(rows: Floats, bounds: Floats, norm: float) -> tuple[Floats, Floats] | None:
    """Shortest step with ``rows @ step >= bounds`` and its multipliers.

    By non-negative least squares (Lawson and Hanson 1974, chapter 23).
    """
    unit = float(np.abs(bounds).max())
    if unit == 0:
        return None
    system = np.vstack([rows.T, bounds / unit])
    target = np.zeros(len(system))
    target[-1] = 1.0
    try:
        duals, _ = nnls(system, target)
    except RuntimeError:  # too many iterations: nothing is proven
        return None
    residual = system @ duals - target
    if residual[-1] >= 0:
        return None
    return duals, -residual[:-1] / residual[-1] * unit


def linear_program(rows: Floats, bounds: Floats, norm: float) -> tuple[Floats, Floats] | None:
    """Shortest step in l1 or l-infinity with ``rows @ step >= bounds``, and its multipliers."""
    n, d = rows.shape
    unit = float(np.abs(bounds).max())
    if unit == 0:
        return None
    if norm == 1:  # step = up - down
        cost = np.ones(2 * d)
        system = np.hstack([-rows, rows])
        limits: Any = (0, None)
    else:  # step = part * size with |part| <= 1: shifted to be positive, size last
        cost = np.append(np.zeros(2 * d), 1.0)
        eye = np.eye(d)
        system = np.vstack(
            [
                np.hstack([-rows, rows, np.zeros((n, 1))]),
                np.hstack([eye, eye, -np.ones((d, 1))]),
            ]
        )
        limits = (0, None)
    right = np.concatenate([-bounds / unit, np.zeros(len(system) - n)])
    result = linprog(cost, A_ub=system, b_ub=right, bounds=limits, method="highs")
    if result.status != 0:
        return None
    duals = np.maximum(-result.ineqlin.marginals[:n], 0.0)
    return duals, (result.x[:d] - result.x[d : 2 * d]) * unit
