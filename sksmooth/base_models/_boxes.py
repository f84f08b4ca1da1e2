"""Rules of the kind ``x <= t``: boxes that tile the space of inputs, and a class for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._column_maps import ColumnMap


@dataclass(frozen=True)
class Interval:
    """Values ``low < x <= high`` of a feature, and whether a missing value counts among them."""

    feature: int
    low: float
    high: float
    missing: bool = True


@dataclass(frozen=True)
class Boxes:
    """A classifier that is constant on boxes.

    Attributes
    ----------
    n_features : int
        Length of an input.
    feature, low, high, missing : ndarray of shape (n_intervals,)
        Distinct intervals ``low < x <= high`` of features, and whether a missing value lies in
        them.
    sides : ndarray of int of shape (n_boxes, n_sides)
        Intervals whose intersection is a box; `n_intervals` stands for none.
    labels : ndarray of int of shape (n_boxes,)
        Position of the class of each box.
    n_classes : int
        Number of classes.
    """

    n_features: int
    feature: NDArray[np.intp]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    missing: NDArray[np.bool_]
    sides: NDArray[np.intp]
    labels: NDArray[np.intp]
    n_classes: int

    @classmethod
    def of(
        cls,
        boxes: Sequence[tuple[Sequence[Interval], int]],
        *,
        n_features: int,
        n_classes: int,
    ) -> Boxes:
        """Collect boxes that tile the space, each given by its intervals and its class."""
        places: dict[Interval, int] = {}
        rows = [[places.setdefault(side, len(places)) for side in sides] for sides, _ in boxes]
        most = max(map(len, rows), default=0)
        padded = [row + [len(places)] * (most - len(row)) for row in rows]
        intervals = list(places)
        return cls(
            n_features=n_features,
            feature=np.array([side.feature for side in intervals], np.intp),
            low=np.array([side.low for side in intervals], float),
            high=np.array([side.high for side in intervals], float),
            missing=np.array([side.missing for side in intervals], bool),
            sides=np.array(padded, np.intp).reshape(len(rows), most),
            labels=np.array([label for _, label in boxes], np.intp),
            n_classes=n_classes,
        )

    def in_intervals(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether inputs lie in the intervals, shape (m, n_intervals)."""
        x = values[:, self.feature]
        return np.where(np.isnan(x), self.missing, (self.low < x) & (x <= self.high))

    def products(self, of_intervals: NDArray[Any]) -> NDArray[Any]:
        """Multiply what belongs to the intervals of a box, for each: shape (m, n_boxes)."""
        nowhere = np.ones((len(of_intervals), 1), of_intervals.dtype)
        factors = np.hstack([of_intervals, nowhere])
        products = np.ones((len(factors), len(self.labels)), factors.dtype)
        for side in self.sides.T:
            products *= factors[:, side]
        return products

    def classify(self, values: NDArray[Any]) -> NDArray[np.intp]:
        """Positions of the classes of inputs."""
        positions: NDArray[np.intp] = self.labels[
            self.products(self.in_intervals(values)).argmax(axis=1)
        ]
        return positions

    def behind(self, step: ColumnMap) -> Boxes | None:
        """Boxes as a function of x, where these are given what a step makes of x.

        None: two of the features come from one, so that boxes are not products, or it is not known
        where an interval ends.
        """
        used = np.unique(self.feature)
        if len(np.unique(step.sources[used])) < len(used):
            return None
        low, high = (_pulled_back(step, self.feature, ends) for ends in (self.low, self.high))
        if np.isnan([low, high]).any():
            return None
        filled = step.filled[self.feature]
        there = (self.low < filled) & (filled <= self.high)
        missing = np.where(np.isnan(filled), self.missing, there)
        ends = replace(self, missing=missing)
        return ends.with_ends(step.sources[self.feature], low, high, step.n_features)

    def in_units(self, units: NDArray[np.float64]) -> Boxes:
        """Boxes of inputs that are given as multiples of a unit for each feature."""
        scale = units[self.feature]
        return self.with_ends(self.feature, self.low / scale, self.high / scale, self.n_features)

    def with_ends(
        self, feature: NDArray[np.intp], low: NDArray[Any], high: NDArray[Any], n_features: int
    ) -> Boxes:
        """Boxes with the same classes and other intervals, among `n_features` features."""
        return replace(self, feature=feature, low=low, high=high, n_features=n_features)


def _pulled_back(
    step: ColumnMap, feature: NDArray[np.intp], ends: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return ends of intervals of what comes out of a step as ends of what goes in."""
    pulled, finite = ends.copy(), np.isfinite(ends)
    pulled[finite] = step.pull_back(feature[finite], ends[finite])
    return pulled
