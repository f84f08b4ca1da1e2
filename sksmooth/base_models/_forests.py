"""Small forests: the boxes on which all trees are constant, and the class of their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from sksmooth.base_models._borders import borders_of
from sksmooth.base_models._boxes import Boxes
from sksmooth.base_models._trees import boxes_of

# With more boxes than this votes are drawn: they cost less.
_MOST_BOXES = 20_000

_LEAF = -1


@dataclass(frozen=True)
class _Cells:
    """Boxes in a table, with what belongs to each.

    Attributes
    ----------
    low, high, missing : ndarray of shape (n_boxes, n_features)
        Values ``low < x <= high`` of every feature, and whether a missing value is among them.
    values : ndarray of shape (n_boxes, n_classes)
        Sum of the class probabilities of the trees.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    missing: NDArray[np.bool_]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    def cut_by(self, leaf: _Cells) -> _Cells:
        """Return what lies in one box, that of a leaf, too."""
        low, high = np.maximum(self.low, leaf.low), np.minimum(self.high, leaf.high)
        missing = self.missing & leaf.missing
        there = ((low < high) | missing).all(axis=1)
        values = self.values[there] + leaf.values
        return _Cells(low[there], high[there], missing[there], values)

    def leaf(self, i: int) -> _Cells:
        """Return one of the boxes."""
        part = slice(i, i + 1)
        return _Cells(self.low[part], self.high[part], self.missing[part], self.values[part])

    @classmethod
    def joined(cls, parts: list[_Cells]) -> _Cells:
        """Put boxes into one table."""
        return cls(
            np.concatenate([part.low for part in parts]),
            np.concatenate([part.high for part in parts]),
            np.concatenate([part.missing for part in parts]),
            np.concatenate([part.values for part in parts]),
        )


@boxes_of.register(RandomForestClassifier)
@boxes_of.register(ExtraTreesClassifier)
def _boxes_of_forest(model: Any) -> Boxes | None:
    if model.n_outputs_ > 1:
        return None
    trees = [tree.tree_ for tree in model.estimators_]
    used = np.unique(np.concatenate([tree.feature[tree.feature >= 0] for tree in trees]))
    n_classes = len(model.classes_)
    cells = _whole_space(len(used), n_classes)
    for tree in trees:
        cells = _crossed(cells, _cells_of_tree(tree, used, n_classes))
        if cells is None:
            return None
    return _boxes_of_cells(cells, used, model.n_features_in_, len(trees))


def _whole_space(n_features: int, n_classes: int) -> _Cells:
    line = np.full((1, n_features), np.inf)
    return _Cells(-line, line, np.ones(line.shape, bool), np.zeros((1, n_classes)))


def _crossed(cells: _Cells, leaves: _Cells) -> Any:
    """Intersect boxes with the leaves of a tree; None where they become too many."""
    parts, n_boxes = [], 0
    for i in range(len(leaves)):
        parts.append(cells.cut_by(leaves.leaf(i)))
        n_boxes += len(parts[-1])
        if n_boxes > _MOST_BOXES:
            return None
    return _Cells.joined(parts)


def _cells_of_tree(tree: Any, used: NDArray[np.intp], n_classes: int) -> _Cells:
    """Boxes of the leaves of a tree."""
    leaves: list[_Cells] = []
    borders = borders_of(tree.threshold)
    paths = [(0, _whole_space(len(used), n_classes))]
    while paths:
        node, cell = paths.pop()
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left == _LEAF:
            values = tree.value[node, 0][None]
            leaves.append(_Cells(cell.low, cell.high, cell.missing, values))
            continue
        f, t = int(np.searchsorted(used, tree.feature[node])), float(borders[node])
        goes_left = bool(tree.missing_go_to_left[node])
        high, low = cell.high.copy(), cell.low.copy()
        with_missing, without = cell.missing, cell.missing.copy()
        high[0, f], low[0, f] = min(high[0, f], t), max(low[0, f], t)
        without[0, f] = False
        below = with_missing if goes_left else without
        above = without if goes_left else with_missing
        paths.append((right, _Cells(low, cell.high, above, cell.values)))
        paths.append((left, _Cells(cell.low, high, below, cell.values)))
    return _Cells.joined(leaves)


def _boxes_of_cells(cells: _Cells, used: NDArray[np.intp], n_features: int, n_trees: int) -> Boxes:
    """Boxes with the classes of the mean, the first of equals, as in predict."""
    bounded = (cells.low > -np.inf) | (cells.high < np.inf) | ~cells.missing
    box, column = np.nonzero(bounded)
    sides = (column, cells.low[bounded], cells.high[bounded], cells.missing[bounded])
    first, place = _distinct(sides)
    feature, low, high, missing = (side[first] for side in sides)
    n_sides = bounded.sum(axis=1)
    table = np.full((len(cells), n_sides.max(initial=0)), len(first), np.intp)
    table[box, np.arange(len(box)) - np.repeat(np.cumsum(n_sides) - n_sides, n_sides)] = place
    return Boxes(
        n_features=n_features,
        feature=used[np.asarray(feature, np.intp)],
        low=np.asarray(low, float),
        high=np.asarray(high, float),
        missing=np.asarray(missing, bool),
        sides=table,
        labels=(cells.values / n_trees).argmax(axis=1),
        n_classes=cells.values.shape[1],
    )


def _distinct(columns: tuple[NDArray[Any], ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of columns that are the first of their kind, and the kind of every row."""
    kinds = np.zeros(len(columns[0]), np.intp)
    for column in columns:
        _, codes = np.unique(column, return_inverse=True)
        _, kinds = np.unique(kinds * (codes.max(initial=0) + 1) + codes, return_inverse=True)
    _, first = np.unique(kinds, return_index=True)
    return first, kinds
