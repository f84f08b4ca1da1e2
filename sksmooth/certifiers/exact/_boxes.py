"""Classifiers that are constant on boxes, as a decision tree is.

With noise that is independent for each feature the probability of a box is the product of those of
its sides, and that of a class the sum over its boxes. A certificate rests on the probability of all
other classes: it is their sum, never one minus that of the class, and keeps its relative precision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._boxes import Boxes
from sksmooth.certifiers.exact._base import Array, ClassLaw, VoteByLaw, rounded_up
from sksmooth.noise._marginals import Marginal

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class BoxVote(VoteByLaw):
    """Exact class probabilities of a classifier that is constant on boxes.

    Attributes
    ----------
    boxes : Boxes
        Base model.
    marginal : Marginal
        Law of the noise of one feature.
    """

    boxes: Boxes
    marginal: Marginal

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes."""
        return self.boxes.n_classes

    @property
    def values_per_row(self) -> int:
        """Numbers that are held for each row, about."""
        return 4 * len(self.boxes.feature) + 2 * len(self.boxes.labels) + self.boxes.n_features

    def suits(self, shape: tuple[int, ...]) -> bool:
        """Whether inputs have the shape that the model takes."""
        return shape == (self.boxes.n_features,)

    def classify(self, values: Array) -> NDArray[np.intp]:
        """Positions of the classes that the model gives to inputs without noise."""
        return self.boxes.classify(values)

    def probabilities(self, values: Array) -> Array:
        """Class probabilities of inputs under noise, shape (m, n_classes)."""
        sums = self._sums(values)
        probabilities: Array = sums / sums.sum(axis=1, keepdims=True)
        return probabilities

    def law(self, values: Array) -> ClassLaw:
        """Class probabilities of inputs, and bounds of them."""
        sums = self._sums(values)
        others = 1.0 - np.eye(self.n_classes)
        n_sides, n_boxes = self.boxes.sides.shape[1], len(self.boxes.labels)
        rounding = (n_sides + 1) * self.marginal.rounding + 2 * n_boxes * _EPS
        slack = n_sides * n_boxes * self.marginal.slack
        present = np.bincount(self.boxes.labels, minlength=self.n_classes) > 0
        return ClassLaw(
            sums / sums.sum(axis=1, keepdims=True),
            upper=rounded_up(sums, rounding, slack, present),
            tail=rounded_up(sums @ others, rounding, slack, others @ present > 0),
        )

    def _sums(self, values: Array) -> Array:
        """Sum the probabilities of the boxes of each class."""
        boxes = self.boxes
        x = values[:, boxes.feature]
        masses = self.marginal.probability(x, boxes.low, boxes.high)
        masses = np.where(np.isnan(x), boxes.missing, masses)
        of_class = (boxes.labels[:, None] == np.arange(self.n_classes)).astype(float)
        sums: Array = boxes.products(masses) @ of_class
        return sums
