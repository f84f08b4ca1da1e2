"""Distances as the user gives them, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from sksmooth.distances import NAMES, Distance, FunctionDistance

# Outputs whose pairs and triples are looked at.
_TRIANGLE_OUTPUTS, _TRIANGLE_SLACK = 24, 1e-6


def as_distance(distance: Any) -> Distance:
    """Return a distance for a name, a distance or a function."""
    if isinstance(distance, str):
        return NAMES[distance]()
    return clone(distance) if isinstance(distance, Distance) else FunctionDistance(distance)


def check_distance(distance: Distance, outputs: NDArray[Any]) -> None:
    """Refuse a distance that is seen not to be what it states."""
    outputs = outputs[:_TRIANGLE_OUTPUTS]
    points = distance.points(outputs)
    with np.errstate(invalid="ignore"):  # infinite distances minus each other
        d = distance.between(points, points)
        _check_pairs(distance, outputs, d)
        _check_triples(distance, outputs, d)


def _slack(d: NDArray[np.float64]) -> float:
    return float(_TRIANGLE_SLACK * np.max(d, initial=0.0, where=np.isfinite(d)))


def _check_pairs(distance: Distance, outputs: NDArray[Any], d: NDArray[np.float64]) -> None:
    slack, finite = _slack(d), np.isfinite(d)
    for wrong, what in (
        (d < 0, "is negative"),
        (finite & (np.abs(d - d.T) > slack), "is not symmetric (see SymmetricDistance)"),
        (finite & (np.eye(len(d)) > 0) & (d > slack), "is not 0 from an output to itself"),
    ):
        if wrong.any():
            i, j = np.argwhere(wrong)[0]
            raise ValueError(
                f"{distance!r} {what}: it is {d[i, j]:.6g} between {outputs[i]} and {outputs[j]}, "
                f"and {d[j, i]:.6g} the other way."
            )


def _check_triples(distance: Distance, outputs: NDArray[Any], d: NDArray[np.float64]) -> None:
    for b in range(len(d)):
        over = d - distance.gamma * (d[:, [b]] + d[[b], :])
        over = np.where(np.isfinite(over), over, -np.inf)
        if over.max() > _slack(d):
            i, j = np.unravel_index(over.argmax(), over.shape)
            raise ValueError(
                f"{distance!r} breaks its triangle constant gamma={distance.gamma:g}: "
                f"d(a, c)={d[i, j]:.6g}, d(a, b)={d[i, b]:.6g}, d(b, c)={d[b, j]:.6g} for "
                f"a={outputs[i]}, b={outputs[b]}, c={outputs[j]}. State a larger gamma, or certify "
                "a metric whose increasing function it is."
            )
