"""Answers of base models are read in one place, and refused where they make no sense."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksmooth.base_models._answers import (
    class_indices,
    class_probabilities,
    classes_of,
    outputs,
    predicted_classes,
)


def says(method, answer, **attributes):
    return SimpleNamespace(**{method: lambda X: answer}, **attributes)


def test_classes_are_those_of_the_model_or_of_y():
    assert_array_equal(classes_of(SimpleNamespace(classes_=["b", "a"]), ["c"]), ["a", "b"])
    assert_array_equal(classes_of(object(), [3, 1, 3]), [1, 3])
    with pytest.raises(ValueError, match="SimpleNamespace has several outputs"):
        classes_of(SimpleNamespace(classes_=[np.arange(2), np.arange(3)]), [0])


CASES = [
    ([0, 1, 2], np.array([2, 0], np.int32), [2, 0]),
    ([-1, 1], np.array([1, -1]), [1, 0]),
    ([0, 1], np.array([1.0, 0.0]), [1, 0]),
    ([False, True], np.array([True, False]), [1, 0]),
    (["a", "b"], np.array(["b", "a"], object), [1, 0]),
    ([0, 1], np.array([], int), []),
]


@pytest.mark.parametrize(("classes", "labels", "expected"), CASES)
def test_labels_to_indices(classes, labels, expected):
    classes = np.array(classes)
    assert_array_equal(class_indices(labels, classes), expected)
    model, n = says("predict", labels[:, None]), len(labels)
    assert_array_equal(predicted_classes(model, None, n, classes), expected)


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        ([3, 0], "3"),
        ([-1, 0], "-1"),
        ([0.5, 1], "0.5"),
        (["0", "1"], "'0', '1'"),
        ([None, 1], "No"),
    ],
)
def test_labels_that_are_no_class(labels, named):
    model, classes = says("predict", np.array(labels)), np.array([0, 1, 2])
    assert class_indices(np.array(labels), classes) is None
    with pytest.raises(ValueError, match=f"predict returned labels outside its classes: {named}"):
        predicted_classes(model, None, 2, classes)


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 2), (1, 3), ()])
def test_one_label_per_row_is_needed(shape):
    with pytest.raises(ValueError, match=r"for 3 rows; one label per row is needed"):
        predicted_classes(says("predict", np.zeros(shape, int)), None, 3, np.arange(2))


def test_probabilities_are_put_in_order():
    rows = np.array([[0.2, 0.7, 0.1], [1.0000001, 0.0, 0.0]])
    model = says("predict_proba", rows, classes_=["c", "a", "b"])
    found = class_probabilities(model, None, 2, np.array(["a", "b", "c"]))
    assert_array_equal(found, [[0.7, 0.1, 0.2], [0.0, 0.0, 1.0]])
    unnamed = says("predict_proba", rows.tolist())
    assert_array_equal(class_probabilities(unnamed, None, 2, np.arange(3)), np.minimum(rows, 1))


@pytest.mark.parametrize(
    ("rows", "classes", "message"),
    [
        (np.full((2, 3), 0.3), [0, 1], r"shape \(2, 3\) for 2 rows and 2 classes"),
        (np.full(2, 0.5), [0, 1], r"shape \(2,\) for 2 rows and 2 classes"),
        (np.array([[-0.1, 1.1], [0, 1]]), [0, 1], r"outside \[0, 1\]"),
        (np.array([[np.nan, 0.5], [0, 1]]), [0, 1], r"outside \[0, 1\]"),
        (np.full((2, 2), 0.5), [1, 2], "about other classes: 2. Known classes: 0, 1"),
    ],
)
def test_what_is_no_probability_is_refused(rows, classes, message):
    with pytest.raises(ValueError, match=message):
        class_probabilities(says("predict_proba", rows, classes_=classes), None, 2, np.arange(2))


def test_outputs_have_one_shape():
    rows = np.arange(12).reshape(3, 4)
    assert_array_equal(outputs(says("transform", rows.tolist()), "transform", None, 3), rows)
    assert_array_equal(outputs(says("predict", rows), "predict", None, 3, (4,)), rows)
    with pytest.raises(ValueError, match=r"of shape \(4,\), and of shape \(2, 2\) at fit"):
        outputs(says("predict", rows), "predict", None, 3, (2, 2))
    for wrong in (1.0, rows[:2]):
        with pytest.raises(ValueError, match=r"for 3 rows; one output per row is needed"):
            outputs(says("predict", wrong), "predict", None, 3)


def test_outputs_have_the_shape_that_they_had_at_fit():
    model = says("predict", np.zeros((2, 3)))
    assert outputs(model, "predict", None, 2, (3,)).shape == (2, 3)
    with pytest.raises(ValueError, match=r"shape \(3,\), and of shape \(4,\) at fit. All outputs"):
        outputs(model, "predict", None, 2, (4,))
