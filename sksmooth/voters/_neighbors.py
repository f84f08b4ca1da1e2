"""Nearest neighbours: distances of ``x + z`` to the training points through inner products.

The nearest point s to ``x + z`` has the largest ``x . s - ||s||^2 / 2 + z . s``; the products
``z . s`` are the same for all inputs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from sksmooth.base_models._affine import InputMap
from sksmooth.inputs._containers import Inputs
from sksmooth.inputs._distinct_rows import distinct_rows
from sksmooth.voters._base import FastVoter, voter_of
from sksmooth.voters._rounding import lengths, of_sum, reach_of
from sksmooth.voters._votes import count_largest

_VALUES_PER_CALL, _FEWEST_DRAWS = 2**20, 64

# So many of the points nearest to x, for each neighbour, are looked at first.
_FEW_PER_NEIGHBOR = 8


@dataclass(frozen=True)
class _Products:
    """Draws, as far as the votes of any input need them.

    Attributes
    ----------
    products : ndarray of shape (n_points, n)
        Of points and draws.
    most : ndarray of shape (n_points,)
        The largest for each point.
    """

    products: NDArray[np.float64]
    most: NDArray[np.float64]

    def __len__(self) -> int:
        return self.products.shape[1]


@dataclass(frozen=True)
class NearestPoints(FastVoter):
    """Votes of the nearest training points, in the Euclidean distance; each counts one.

    Attributes
    ----------
    points : ndarray of shape (n_points, n_features)
        Training points about their mean.
    center : ndarray of shape (n_features,)
        Their mean.
    labels : ndarray of shape (n_points,)
        Index of the class of each point.
    n_neighbors : int
        Number of points that vote.
    n_classes : int
        Number of classes.
    input_map : InputMap
        What becomes of x before distances are taken.
    """

    points: NDArray[np.float64]
    center: NDArray[np.float64]
    labels: NDArray[np.intp]
    n_neighbors: int
    n_classes: int
    input_map: InputMap

    def draws_per_call(self, inputs: Inputs) -> int:
        """Draws whose products with the points are held at a time."""
        return max(_FEWEST_DRAWS, _VALUES_PER_CALL // len(self.points))

    def suits(self, inputs: Inputs) -> bool:
        """Whether inputs have the right length."""
        return self.input_map.suits(inputs)

    def after(self, matrix: Any, offset: Any) -> NearestPoints:
        """Votes as a function of x, where they are given as one of ``matrix @ x + offset``."""
        return replace(self, input_map=self.input_map.after(matrix, offset))

    def embed_inputs(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return inputs as distances are taken of them, about the mean of the points.

        The last number is the length of the sizes of their terms.
        """
        sizes = self.input_map.sizes(values) + np.abs(self.center)
        return np.column_stack([self.input_map.of_inputs(values) - self.center, lengths(sizes)])

    def embed_noise(self, draws: NDArray[Any]) -> _Products:
        """Return the products of draws with the points."""
        products = self.points @ self.input_map.of_draws(draws).T
        return _Products(products, products.max(axis=1))

    def count_votes(self, inputs: Inputs, noise: Any, draws: Any) -> NDArray[np.int64]:
        """Count the votes of every input with every draw, but for those within `doubts`."""
        halves = np.einsum("ij,ij->i", self.points, self.points) / 2
        nearness = inputs.values[:, :-1] @ self.points.T - halves
        doubts = self.doubts(inputs.values, noise)
        rows = zip(nearness, doubts, strict=True)
        return np.array([self._votes_of_input(near, draws, doubt) for near, doubt in rows])

    def doubts(self, embedded: NDArray[Any], noise: Any) -> NDArray[np.float64]:
        """Bound what rounding may do to the difference of two nearnesses of each input.

        All terms of ``x . s - |s|^2 / 2 + z . s`` are no larger than ``|s| (|x| + |z| + |s|)``,
        of which `of_sum` may be lost in each step.
        """
        n = self.input_map.n_features
        own = lengths(self.points).max(initial=0.0)
        far = reach_of(noise, n) * np.sqrt(n) * self.input_map.stretch()
        steps = len(self.input_map.maps) + 2
        rounding = steps * of_sum(max(n, self.points.shape[1]))
        return np.asarray(2 * rounding * own * (embedded[:, -1] + far + own))

    def _votes_of_input(
        self, nearness: NDArray[np.float64], draws: _Products, doubt: float
    ) -> NDArray[np.int64]:
        """Compare only points that are nearer, for some draw, than the k-th of a few near ones."""
        k = self.n_neighbors
        n_few = min(_FEW_PER_NEIGHBOR * k, len(nearness))
        few = np.argpartition(nearness, -n_few)[-n_few:]
        near_few = (draws.products[few] + nearness[few][:, None]).T
        kth = np.partition(near_few, -k, axis=1)[:, -k]
        near = np.flatnonzero(nearness + draws.most >= kth.min() - doubt)
        values = draws.products[near]
        values += nearness[near][:, None]
        points, columns = np.nonzero(values >= kth)
        order = np.lexsort((-values[points, columns], columns))
        starts = np.searchsorted(columns[order], np.arange(len(draws)))
        nearest = points[order[starts + np.arange(k)[:, None]]]
        labels = self.labels[near[nearest]]
        classes = np.arange(self.n_classes)[:, None]
        votes: Any = sum((row == classes).astype(np.int32) for row in labels)
        last = values[nearest[-1], np.arange(len(draws))]
        certain = self._are_certain(values, last, self.labels[near], doubt)
        return count_largest(votes if certain.all() else votes[:, certain])

    def _are_certain(
        self,
        values: NDArray[np.float64],
        last: NDArray[np.float64],
        labels: NDArray[np.intp],
        doubt: float,
    ) -> NDArray[np.bool_]:
        """Whether rounding changes no label: no other point is about as near as the last of k."""
        certain = np.count_nonzero(values >= last - doubt, axis=0) == self.n_neighbors
        for column in np.flatnonzero(~certain):
            tied = np.abs(values[:, column] - last[column]) <= doubt
            certain[column] = len(np.unique(labels[tied])) == 1
        return certain


@voter_of.register
def _(model: KNeighborsClassifier) -> NearestPoints | None:
    points, metric = model._fit_X, model.effective_metric_
    if model.outputs_2d_ or model.weights != "uniform" or metric != "euclidean":
        return None
    if model._fit_method != "brute" or not isinstance(points, np.ndarray):
        return None  # in few dimensions a tree is faster
    points, labels = points.astype(float), np.asarray(model._y)
    if _twins_differ(points, labels):
        return None  # which of equal points is the nearer is for the model to say
    center = points.mean(axis=0)
    return NearestPoints(
        points - center,
        center,
        labels,
        model.n_neighbors,
        len(model.classes_),
        InputMap.identity(points.shape[1]),
    )


def _twins_differ(points: NDArray[np.float64], labels: NDArray[np.intp]) -> bool:
    """Whether some points are equal and of different classes."""
    rows, place = distinct_rows(points)
    return len(set(zip(place.tolist(), labels.tolist(), strict=True))) > len(rows)
