"""Single decision trees: the boxes of their leaves, and the classes that these give."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from sksmooth.base_models._borders import borders_of
from sksmooth.base_models._boxes import Boxes, Interval
from sksmooth.base_models._registry import Registry

_LEAF = -1


@Registry
def boxes_of(model: Any) -> Boxes | None:
    """Return the boxes on which a fitted classifier is constant, or None.

    Register a classifier of your own with ``boxes_of.register(YourClassifier)``; the boxes have to
    tile the space, and their classes are positions in its `classes_`. A registration is for that
    very class: a subclass may have a `predict` of its own.
    """
    return None


@boxes_of.register(DecisionTreeClassifier)
@boxes_of.register(ExtraTreeClassifier)
def _boxes_of_tree(model: Any) -> Boxes | None:
    if model.n_outputs_ > 1:
        return None
    tree = model.tree_
    labels = tree.value[:, 0].argmax(axis=1)  # the first of equals, as in predict
    return boxes_of_nodes(tree, labels, n_classes=len(model.classes_))


def boxes_of_nodes(tree: Any, labels: NDArray[np.intp], *, n_classes: int) -> Boxes:
    """Boxes of the leaves of a tree.

    Parameters
    ----------
    tree : sklearn.tree._tree.Tree
        Its nodes.
    labels : ndarray of int of shape (node_count,)
        Class of each node; those of leaves count.
    n_classes : int
        Number of classes.

    Returns
    -------
    boxes : Boxes
        Subtrees whose leaves all have one class are a single box.
    """
    labels = _labels_of_subtrees(tree, labels)
    left, right = tree.children_left, tree.children_right
    borders = borders_of(tree.threshold)
    boxes: list[tuple[tuple[Interval, ...], int]] = []
    paths: list[tuple[int, dict[int, Interval]]] = [(0, {})]
    while paths:
        node, sides = paths.pop()
        if labels[node] >= 0:
            boxes.append((tuple(sides.values()), int(labels[node])))
            continue
        f = int(tree.feature[node])
        side = sides.get(f, Interval(f, -np.inf, np.inf))
        t, goes_left = float(borders[node]), bool(tree.missing_go_to_left[node])
        below = Interval(f, side.low, min(t, side.high), side.missing and goes_left)
        above = Interval(f, max(t, side.low), side.high, side.missing and not goes_left)
        paths.append((int(right[node]), {**sides, f: above}))
        paths.append((int(left[node]), {**sides, f: below}))
    return Boxes.of(boxes, n_features=tree.n_features, n_classes=n_classes)


def _labels_of_subtrees(tree: Any, labels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Class that all leaves below a node have, or -1: children come after their parents."""
    labels = np.array(labels)
    for node in range(tree.node_count - 1, -1, -1):
        left, right = tree.children_left[node], tree.children_right[node]
        if left != _LEAF:
            labels[node] = labels[left] if labels[left] == labels[right] else -1
    return labels
