"""What is read off trees: the classes of their leaves, where they lie."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits, load_iris
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from sksmooth.base_models._trees import boxes_of


@pytest.mark.parametrize("load", [load_iris, load_digits])
@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(random_state=0),
        DecisionTreeClassifier(max_leaf_nodes=7, class_weight="balanced", random_state=0),
        ExtraTreeClassifier(random_state=0),
    ],
)
def test_boxes_give_the_classes_of_the_tree(model, load):
    X, y = load(return_X_y=True)
    model.fit(X, y)
    boxes = boxes_of(model)
    rng = np.random.default_rng(0)
    noisy = (X + rng.normal(size=X.shape)).astype(np.float32).astype(float)
    assert_array_equal(model.classes_[boxes.classify(noisy)], model.predict(noisy))
    assert boxes.n_features == X.shape[1]


def test_every_input_lies_in_one_box():
    X, y = load_iris(return_X_y=True)
    boxes = boxes_of(DecisionTreeClassifier(random_state=0).fit(X, y))
    noisy = X + np.random.default_rng(0).normal(size=X.shape)
    assert_array_equal(boxes.products(boxes.in_intervals(noisy)).sum(axis=1), 1)


def test_subtrees_of_one_class_are_one_box():
    X = np.arange(8.0)[:, None]
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    tree = DecisionTreeClassifier(max_leaf_nodes=8, criterion="entropy").fit(X, y)
    assert len(boxes_of(tree).labels) == 2
    noisy = np.array([0, 1, 0, 0, 1, 1, 1, 1])
    tree = DecisionTreeClassifier(min_samples_leaf=2).fit(X, noisy)
    assert tree.get_n_leaves() > len(boxes_of(tree).labels)


class _OtherTree(DecisionTreeClassifier):
    def predict(self, X):
        return 1 - super().predict(X)


def test_models_that_are_no_single_trees_are_not_known():
    X, y = load_iris(return_X_y=True)
    assert boxes_of(_OtherTree().fit(X, y)) is None
    assert boxes_of(DecisionTreeRegressor().fit(X, y)) is None
    assert boxes_of(DecisionTreeClassifier().fit(X, np.c_[y, y])) is None
