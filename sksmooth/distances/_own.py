"""Distances of the user's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sksmooth.distances._base import Distance


class SymmetricDistance(Distance):
    """Make a distance from a function that is not symmetric.

    Parameters
    ----------
    function : callable
        ``function(outputs, output)`` returns one number per output, as for
        :class:`FunctionDistance`, but may depend on the direction.
    how : {"max", "sum"}, default="max"
        What becomes of the two directions.
    gamma : float, default=1.0
        Triangle constant of `function`, which is inherited. (The Kullback-Leibler divergence has
        none.)
    diameter : float, default=inf
        Largest value of the result.
    """

    def __init__(
        self,
        function: Callable[..., ArrayLike],
        *,
        how: str = "max",
        gamma: float = 1.0,
        diameter: float = math.inf,
    ) -> None:
        self.function = function
        self.how = how
        self.gamma = gamma
        self.diameter = diameter

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Return the outputs as they are; see :meth:`Distance.points`."""
        return np.asarray(outputs)

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
        """Larger, or sum, of both directions; see :meth:`Distance.between`."""
        if self.how not in ("max", "sum"):
            raise ValueError(f'how must be "max" or "sum", got {self.how!r}.')
        there, back = _columns(self.function, a, b), _columns(self.function, b, a).T
        return nan_is_far(np.maximum(there, back) if self.how == "max" else there + back)


class FunctionDistance(Distance):
    """A distance of the user's own.

    Its values are taken as they are: where they underflow to 0, outputs are held for equal.

    Parameters
    ----------
    function : callable
        ``function(outputs, output)`` takes outputs of shape (n, ...) and one of shape (...) and
        returns n distances: not negative, symmetric, 0 from an output to itself.
    gamma : float, default=1.0
        Triangle constant: ``d(a, c) <= gamma * (d(a, b) + d(b, c))``. It is checked on a sample
        at `fit`, which cannot prove it.
    diameter : float, default=inf
        Largest value of the distance.
    space : array-like of shape (n_outputs, ...), default=None
        All outputs that there are, where they are finitely many, such as the vertices of a graph.
    """

    def __init__(
        self,
        function: Callable[..., ArrayLike],
        *,
        gamma: float = 1.0,
        diameter: float = math.inf,
        space: ArrayLike | None = None,
    ) -> None:
        self.function = function
        self.gamma = gamma
        self.diameter = diameter
        self.space = space

    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Return the outputs as they are; see :meth:`Distance.points`."""
        return np.asarray(outputs)

    def between(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
        """Values of the function; see :meth:`Distance.between`."""
        return nan_is_far(_columns(self.function, a, b))


def _columns(
    function: Callable[..., ArrayLike], a: NDArray[Any], b: NDArray[Any]
) -> NDArray[np.float64]:
    """Distances of all of `a` to each of `b`."""
    distances = np.empty((len(a), len(b)))
    for j, one in enumerate(b):
        column = np.asarray(function(a, one), dtype=float)
        if column.shape != (len(a),):
            raise ValueError(
                f"The distance returned an array of shape {column.shape} for {len(a)} outputs "
                "and one other; it has to return one number for each."
            )
        distances[:, j] = column
    return distances


def nan_is_far(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace NaN, in place, by infinity."""
    distances[np.isnan(distances)] = np.inf
    return distances
