"""The contract of a distance between outputs."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator


class Distance(BaseEstimator, ABC):
    """Base class of the distances between outputs of a model.

    Proofs need the triangle inequality, and some distances do not have it while an increasing
    function of them has it (the root of a squared norm, the angle behind a cosine). So a distance
    consists of a metric, which is certified, and an increasing map from the metric to the
    distance. A subclass defines :meth:`points` and :meth:`between`.

    An output with a NaN or an infinity is infinitely far from every output: the metric is an
    extended one, order statistics of it stay valid, and a certified distance may be infinite.

    Attributes
    ----------
    gamma : float
        Triangle constant of the metric: ``d(a, c) <= gamma * (d(a, b) + d(b, c))``.
    diameter : float
        Largest value of the metric; ``numpy.inf`` where it is unbounded.
    norm : float or None
        p where the metric is the lp norm of the difference of two *outputs*, so that a centre may
        lie anywhere between them.
    is_hilbert : bool
        Whether the metric is the Euclidean norm of the difference of two *points*.
    compares_numbers : bool
        Whether outputs are read as numbers, which labels of classes are not, whatever their type.
    space : array-like or None
        All outputs that there are, where they are finitely many: the best centre is then found by
        trying them all, also those that were not sampled.
    """

    gamma: float = 1.0
    diameter: float = math.inf
    norm: ClassVar[float | None] = None
    is_hilbert: ClassVar[bool] = False
    compares_numbers: ClassVar[bool] = False
    space: ArrayLike | None = None

    @abstractmethod
    def points(self, outputs: ArrayLike) -> NDArray[Any]:
        """Points that the metric compares.

        Parameters
        ----------
        outputs : array-like of shape (n, ...)
            Outputs of a model.

        Returns
        -------
        points : ndarray of shape (n, ...)
            What :meth:`between` takes: computed once per output, however many distances follow.

        Raises
        ------
        ValueError
            If the distance is not defined for such outputs.
        """

    @abstractmethod
    def between(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
        """Metric between two blocks of points.

        Values are never below the metric of the very numbers of the outputs by more than rounding
        relative to the value itself (a unit of roundoff for each number that is summed up),
        however large or small the numbers are. So they are 0 only where the metric is 0. They may
        lie above it by more, as long as they are symmetric, 0 from an output to itself, and keep
        the triangle inequality.

        Parameters
        ----------
        a : ndarray of shape (n, ...)
            Points.
        b : ndarray of shape (m, ...)
            Points.

        Returns
        -------
        distances : ndarray of shape (n, m)
            Never NaN.
        """

    def from_metric(self, metric: ArrayLike) -> Any:
        """Distance that belongs to a value of the metric; increasing, and the identity here.

        Parameters
        ----------
        metric : float or array-like
            Values of the metric.

        Returns
        -------
        distance : float or ndarray
        """
        return np.asarray(metric, dtype=float)[()]

    def to_metric(self, distance: ArrayLike) -> Any:
        """Inverse of :meth:`from_metric`: the value of the metric that belongs to a distance.

        Parameters
        ----------
        distance : float or array-like
            Distances as users read them.

        Returns
        -------
        metric : float or ndarray
        """
        return np.asarray(distance, dtype=float)[()]

    def candidate_centers(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Compute outputs that may be good centres of some; none where none can be computed.

        Parameters
        ----------
        outputs : ndarray of shape (n, ...)
            Outputs without NaN, at least one.

        Returns
        -------
        candidates : ndarray of shape (n_candidates, ...)
        """
        return outputs[:0]

    def averages(self, groups: NDArray[Any]) -> NDArray[Any] | None:
        """Average each group of outputs; None where outputs have no average.

        Parameters
        ----------
        groups : ndarray of shape (n_groups, size, ...)
            Outputs.

        Returns
        -------
        averages : ndarray of shape (n_groups, ...) or None
        """
        return None

    def of_pairs(self, outputs: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
        """Metric between outputs with equal numbers.

        Parameters
        ----------
        outputs : array-like of shape (n, ...)
            Outputs.
        others : array-like of shape (n, ...)
            Outputs.

        Returns
        -------
        distances : ndarray of shape (n,)
        """
        a, b = self.points(outputs), self.points(others)
        found = [self.between(a[i : i + 1], b[i : i + 1])[0, 0] for i in range(len(a))]
        return np.array(found, dtype=float)

    def __call__(self, outputs: ArrayLike, output: ArrayLike) -> Any:
        """Return the distances of many outputs to one.

        Parameters
        ----------
        outputs : array-like of shape (n, ...)
            Outputs.
        output : array-like of shape (...)
            One output.

        Returns
        -------
        distances : ndarray of shape (n,)
        """
        one = np.asarray(output)[None]
        return self.from_metric(self.between(self.points(outputs), self.points(one))[:, 0])

    def __repr__(self) -> str:
        parameters = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({parameters})"
