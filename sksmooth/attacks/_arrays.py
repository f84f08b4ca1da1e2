"""Attacks on models that are functions of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from sksmooth.arguments._numbers import read_norm

Floats = NDArray[np.float64]

# Longer than any ball, for a step towards a point that is to end on the border of the ball.
_FAR = 1e6


def project(steps: Floats, radius: float | Floats, norm: float) -> Floats:
    """Pull steps back into a ball: scaled in l1 and l2, clipped in l-infinity.

    Parameters
    ----------
    steps : ndarray of shape (m, n_features)
        One step per row.
    radius : float or ndarray of shape (m, 1)
        Radius of the ball.
    norm : {1, 2, numpy.inf}
        Norm of the ball.

    Returns
    -------
    steps : ndarray of shape (m, n_features)
        Those inside are as they were.

    Raises
    ------
    ValueError
        If `norm` is another.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.attacks import project
    >>> project(np.array([[3.0, 4.0], [0.3, 0.4]]), 1.0, 2)
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """
    norm = _read_norm(norm)
    if norm == np.inf:
        return np.clip(steps, -radius, radius)
    size = np.linalg.norm(steps, norm, axis=1, keepdims=True)
    return steps * np.minimum(1, radius / np.maximum(size, 1e-300))


def projected_gradient(
    gradient: Callable[[Floats], Any],
    X: Floats,
    signs: NDArray[Any],
    *,
    radius: float | Floats,
    norm: float = 2,
    n_steps: int = 40,
    bounds: tuple[float, float] | None = None,
) -> Floats:
    """Move rows within a ball so that a score falls where it should be positive.

    Projected gradient descent (Madry et al. 2018). In l1 each step moves one feature, the one along
    which the score changes most.

    Parameters
    ----------
    gradient : callable
        Gradient of the score at some rows: from an array of shape (m, n_features) to one of the
        same shape.
    X : ndarray of shape (m, n_features)
        Centres of the balls.
    signs : ndarray of shape (m,)
        1 where the score should be positive, -1 where negative.
    radius : float or ndarray of shape (m, 1)
        Radius of the balls. The steps are 2.5 times as long in all.
    norm : {1, 2, numpy.inf}, default=2
        Norm of the balls.
    n_steps : int, default=40
        Number of steps.
    bounds : tuple of two floats, default=None
        Least and largest value of a feature, such as (0, 1). X has to lie within.

    Returns
    -------
    moved : ndarray of shape (m, n_features)

    Raises
    ------
    ValueError
        If `norm` is another.

    See Also
    --------
    attack_smoothed : Attacks a smoothed net through its noise.
    towards_points : Moves rows without a gradient.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.attacks import projected_gradient
    >>> weights = np.array([3.0, 4.0])  # the score is X @ weights
    >>> X, signs = np.array([[1.0, 1.0], [-1.0, -1.0]]), np.array([1, -1])
    >>> moved = projected_gradient(lambda X: np.tile(weights, (len(X), 1)), X, signs, radius=0.5)
    >>> moved.round(2)
    array([[ 0.7,  0.6],
           [-0.7, -0.6]])
    """
    norm = _read_norm(norm)
    moved = X.copy()
    for _ in range(n_steps):
        down = _steepest(-signs[:, None] * gradient(moved), norm)
        ahead = moved + 2.5 * radius / n_steps * down
        moved = X + project(ahead - X, radius, norm)
        moved = moved if bounds is None else np.clip(moved, *bounds)
    return moved


def towards_points(
    X: Floats,
    points: Floats,
    labels: NDArray[Any],
    point_labels: NDArray[Any],
    *,
    radius: float | Floats,
    norm: float = 2,
    n_points: int = 10,
) -> Iterator[Floats]:
    """Yield rows moved by a radius towards each of the nearest points of another label.

    Parameters
    ----------
    X : ndarray of shape (m, n_features)
        Inputs.
    points : ndarray of shape (n, n_features)
        Labelled points.
    labels : ndarray of shape (m,)
        Labels of the rows.
    point_labels : ndarray of shape (n,)
        Labels of the points.
    radius : float or ndarray of shape (m, 1)
        How far rows are moved, which may be beyond a point.
    norm : {1, 2, numpy.inf}, default=2
        Norm of the radius.
    n_points : int, default=10
        Nearest points to move to, one after another.

    Yields
    ------
    moved : ndarray of shape (m, n_features)
        All rows, each moved towards its nearest point, then towards the second, and so on. A row
        that has no further point of another label stays where it is.

    Raises
    ------
    ValueError
        If `norm` is another.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.attacks import towards_points
    >>> X, labels = np.array([[0.0, 0.0]]), np.array([0])
    >>> points, point_labels = np.array([[0.0, 2.0], [1.0, 0.0]]), np.array([1, 0])
    >>> [moved.tolist() for moved in towards_points(X, points, labels, point_labels, radius=0.5)]
    [[[0.0, 0.5]]]
    """
    norm = _read_norm(norm)
    apart = cdist(X, points)
    apart[labels[:, None] == point_labels] = np.inf
    nearest = np.argsort(apart, axis=1)[:, :n_points]
    exists = np.isfinite(np.take_along_axis(apart, nearest, axis=1))
    for of_rank, there in zip(nearest.T, exists.T, strict=True):
        if there.any():
            steps = np.where(there[:, None], points[of_rank] - X, 0.0)
            yield X + project(_FAR * steps, radius, norm)


def _steepest(gradients: Floats, norm: float) -> Floats:
    """Return steps of length 1 along which a score rises most: in l1 along one feature only."""
    if norm == np.inf:
        return np.sign(gradients)
    if norm == 1:
        largest = np.abs(gradients).argmax(axis=1)[:, None]
        return np.where(np.arange(gradients.shape[1]) == largest, np.sign(gradients), 0.0)
    sizes = np.linalg.norm(gradients, axis=1, keepdims=True)
    return gradients / np.maximum(sizes, 1e-300)


def _read_norm(norm: Any) -> float:
    number = read_norm(norm)
    if number not in (1, 2, np.inf):
        raise ValueError(f"norm must be 1, 2 or numpy.inf, got {norm!r}.")
    return number
