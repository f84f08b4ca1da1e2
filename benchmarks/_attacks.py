"""Projected gradient descent, to see what attacks do to a classifier."""

import numpy as np
from scipy.spatial.distance import cdist


def project(steps, radius, norm):
    """Scale (l1, l2) or clip (l-infinity) steps into the ball."""
    if norm == np.inf:
        return np.clip(steps, -radius, radius)
    size = np.linalg.norm(steps, norm, axis=1, keepdims=True)
    return steps * np.minimum(1, radius / np.maximum(size, 1e-300))


def steepest(slopes, norm):
    """Step of length 1 along which a score rises most: in l1 along one feature only."""
    if norm == np.inf:
        return np.sign(slopes)
    if norm == 1:
        largest = np.abs(slopes).argmax(axis=1)[:, None]
        return np.where(np.arange(slopes.shape[1]) == largest, np.sign(slopes), 0.0)
    return slopes / np.maximum(np.linalg.norm(slopes, axis=1, keepdims=True), 1e-300)


def projected_gradient(gradient, X, signs, *, radius, norm, n_steps=40, box=(-np.inf, np.inf)):
    """Move rows within a ball so that the score falls where it should be positive.

    Parameters
    ----------
    gradient : callable
        Gradient of the score at some rows.
    X : ndarray of shape (m, n_features)
        Inputs.
    signs : ndarray of shape (m,)
        1 where the score should be positive, -1 where negative.
    radius : float or ndarray of shape (m, 1)
        Of the ball.
    norm : {1, 2, inf}
        Of the ball.
    n_steps : int, default=40
        Steps of 2.5 times the radius in all.
    box : tuple of float
        Range of the features.

    Returns
    -------
    moved : ndarray of shape (m, n_features)
    """
    moved = X.copy()
    for _ in range(n_steps):
        down = steepest(-signs[:, None] * gradient(moved), norm)
        moved = moved + 2.5 * radius / n_steps * down
        moved = np.clip(X + project(moved - X, radius, norm), *box)
    return moved


def towards_points(X, points, labels, other_labels, *, radius, norm, n_points=10):
    """Yield rows moved by a radius towards each of the nearest points of another label.

    Parameters
    ----------
    X : ndarray of shape (m, n_features)
        Inputs.
    points : ndarray of shape (n, n_features)
        Labelled points.
    labels, other_labels : ndarray of shape (m,), (n,)
        Labels of the rows and of the points.
    radius, norm : float
        Of the ball.
    n_points : int, default=10
        Nearest points to move to, one after another.
    """
    apart = cdist(X, points)
    apart[labels[:, None] == other_labels] = np.inf
    nearest = np.argsort(apart, axis=1)[:, :n_points]
    for rank in range(min(n_points, nearest.shape[1])):
        yield X + project(1e6 * (points[nearest[:, rank]] - X), radius, norm)
