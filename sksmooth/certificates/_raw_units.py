"""Radii in scaled units as statements about the columns of X.

What is proven is ``||delta / s||_q < R`` for the scale s, with no change of the columns where s is
0. That is a box, a ball or an interval in the units of X by the largest one that fits inside.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.noise._radii._trade_off import last_proven

Array = NDArray[np.float64]

_EPS = float(np.finfo(float).eps)


def budgets(radius: Array, scale: Array) -> Array:
    """How far each column may move alone, rounded down, of shape (m, n_columns)."""
    with np.errstate(invalid="ignore"):  # an infinite radius of columns that cannot change
        budget = radius[:, None] * scale * (1.0 - 2 * _EPS)
    return np.where(scale > 0, budget, 0.0)


def ball(radius: Array, scale: Array, norm: float, p: float) -> Array:
    """Radius of the largest lp ball, of the columns that can change, rounded down.

    For p at most q it is R times the smallest scale; else ``R / ||1 / s||_t`` with
    ``1 / t = 1 / q - 1 / p``, by Hoelder's inequality.
    """
    scale = scale[scale > 0]
    if not len(scale):
        return np.zeros(len(radius))  # no column can change
    smallest = float(scale.min())
    if p <= norm:
        return radius * (smallest * (1.0 - 4 * _EPS))
    t = 1.0 / (1.0 / norm - 1.0 / p)
    length = float(np.linalg.norm(smallest / scale, t)) * _rounding_up(len(scale))
    return radius * (smallest / length * (1.0 - 4 * _EPS))


def box(radius: Array, scale: Array, norm: float, widths: Array) -> Array:
    """Half-widths of the largest box of a shape, rounded down, of shape (m, n_columns)."""
    some = scale > 0
    if not some.any():
        return np.zeros((len(radius), len(scale)))
    length = float(np.linalg.norm(widths[some] / scale[some], norm))
    per_radius = np.where(some, widths / (length * _rounding_up(len(scale))), 0.0)
    return budgets(radius, per_radius)


def uniform_box(lead: Array, half_width: float, scale: Array, widths: Array) -> Array:
    """Half-widths of the largest box of a shape under uniform noise, of shape (m, n_columns).

    Cubes of noise that are moved by ``t w`` share a volume of ``prod(1 - t w_i / (2 lam s_i))``,
    and the prediction stays where that is above ``1 - lead / 2``.

    Parameters
    ----------
    lead : ndarray of shape (m,)
        Probability of the predicted class, less that of any other.
    half_width : float
        Half the width lam of the noise, in scaled units.
    scale, widths : ndarray of shape (n_columns,)
        Scale of each column, and shape of the box.
    """
    some = scale > 0
    parts = widths[some] / (2.0 * half_width * scale[some]) * (1.0 + 4 * _EPS)
    needed = np.log1p(-lead / (2.0 * _rounding_up(len(scale))))

    def excess(t: Array, rows: Any) -> Array:
        shared = np.log1p(-t[:, None] * parts).sum(axis=1)
        return np.asarray(shared * (1.0 + 1e-13) - needed[rows])

    top = np.full(len(lead), (1.0 - 1e-9) / parts.max())
    t = last_proven(excess, np.zeros(len(lead)), top, 1e-12)
    return budgets(t, np.where(some, widths, 0.0))


def checked_widths(widths: Any, scale: Array) -> Array:
    """Return the shape of a box, or say what is wrong with it."""
    shape = scale if widths is None else np.asarray(widths, dtype=float)
    some = scale > 0
    if shape.shape != scale.shape or not (np.isfinite(shape) & (shape >= 0)).all():
        raise ValueError(
            f"widths must hold {len(scale)} finite numbers that are not negative, one for each "
            f"column; got {widths!r}."
        )
    if (some.any() and not (shape[some] > 0).any()) or (shape[~some] > 0).any():
        raise ValueError(
            "widths must be positive for some column, and 0 for columns that cannot change; got "
            f"{widths!r}."
        )
    return shape


def _rounding_up(n_terms: int) -> float:
    return 1.0 + 4 * (n_terms + 4) * _EPS
