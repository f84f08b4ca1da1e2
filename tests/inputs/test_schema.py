"""Inputs of later calls have to look like those of fit, also where no base model looks at them."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression

from sksmooth.inputs._containers import read_inputs
from sksmooth.inputs._schema import InputSchema

VALUES = np.arange(12.0).reshape(3, 4)
FRAME = pd.DataFrame(VALUES, columns=list("abcd"))
FRAMES = [FRAME, pl.DataFrame(VALUES, schema=list("abcd"))]


class Smoother:
    """Is named in messages."""


def schema_of(X):
    return pickle.loads(pickle.dumps(InputSchema.of(read_inputs(X, owner=None))))


def check(fitted, X):
    schema_of(fitted).check(read_inputs(X, owner=None), owner=Smoother())


def of_scikit_learn(fitted, X):
    """Error or warning of an estimator of scikit-learn, for the same two frames or arrays."""
    model = LinearRegression().fit(fitted, np.arange(3.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            model.predict(X)
        except (ValueError, UserWarning) as problem:
            return type(problem), str(problem).replace("LinearRegression", "Smoother")
    return None


def of_ours(fitted, X):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            check(fitted, X)
        except (ValueError, UserWarning) as problem:
            return type(problem), str(problem)
    return None


LATER = {
    "the same": (lambda X: X, None),
    "reversed": (lambda X: X[list("dcba")], "must be in the same order as they were in fit"),
    "renamed": (
        lambda X: X.rename({"b": "z"}, **by_columns(X)),
        "unseen at fit time:\n- z\nFeature",
    ),
    "missing": (lambda X: X[list("abd")], "seen at fit time, yet now missing:\n- c\n"),
    "extra": (
        lambda X: joined(X, X.rename({"a": "e"}, **by_columns(X))[["e"]]),
        "fit time:\n- e\n",
    ),
    "array": (lambda X: X.to_numpy(), "X does not have valid feature names, but Smoother was"),
}


def by_columns(X):
    return {"axis": 1} if isinstance(X, pd.DataFrame) else {}


def joined(X, Y):
    return X.join(Y) if isinstance(X, pd.DataFrame) else X.hstack(Y)


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("frame", FRAMES, ids=["pandas", "polars"])
def test_frames_get_the_words_of_scikit_learn(frame, later):
    change, text = LATER[later]
    found = of_ours(frame, change(frame))
    assert found == of_scikit_learn(frame, change(frame))
    assert (found is None) if text is None else (text in found[1])


@pytest.mark.parametrize("frame", FRAMES, ids=["pandas", "polars"])
def test_array_at_fit(frame):
    assert of_ours(VALUES, VALUES[:1].tolist()) is None
    for X in (frame, VALUES[:, :3]):
        assert of_ours(VALUES, X) == of_scikit_learn(VALUES, X) is not None


def test_another_kind_of_frame_with_the_same_columns():
    assert of_ours(*FRAMES) is of_ours(*FRAMES[::-1]) is None


def test_many_names_are_cut_short():
    wide = pd.DataFrame(np.zeros((3, 8)), columns=[f"column {i}" for i in range(8)])
    found = of_ours(wide, wide.add_prefix("other "))
    assert found == of_scikit_learn(wide, wide.add_prefix("other "))
    assert "- ...\nFeature names seen" in found[1]


def test_labels_that_are_no_text_are_compared_too():
    """Here scikit-learn looks at nothing."""
    numbered = pd.DataFrame(VALUES)
    assert of_ours(numbered, numbered[:1]) is None
    assert of_ours(numbered, VALUES) is of_ours(VALUES, numbered) is None
    assert "same order" in of_ours(numbered, numbered[[1, 0, 2, 3]])[1]
    assert "unseen at fit time:\n- 7\n" in of_ours(numbered, numbered.rename({1: 7}, axis=1))[1]
    mixed = numbered.rename({1: "one"}, axis=1)
    assert "- 1\n" in of_ours(mixed, numbered)[1]
    assert of_ours(FRAME, numbered) == of_scikit_learn(FRAME, numbered) is not None


def test_shapes_of_images():
    images = np.zeros((3, 4, 5, 1))
    assert of_ours(images, images[:1]) is None
    for other in (images[:, :3], images[..., 0], images.reshape(3, 20)):
        with pytest.raises(
            ValueError, match=r"but Smoother is expecting inputs of shape \(4, 5, 1\)"
        ):
            check(images, other)
    assert schema_of(images).n_features == 20
    with pytest.raises(ValueError, match=r"X has inputs of shape \(2, 2\), but Smoother is exp"):
        check(VALUES, VALUES.reshape(3, 2, 2))


def test_warnings_name_the_line_of_the_user():
    class Fitted:
        def certify(self, X):
            self.read(X)

        def read(self, X):
            schema_of(FRAME).check(read_inputs(X, owner=None), owner=self)

    with pytest.warns(UserWarning, match="Fitted was fitted with feature names") as seen:
        Fitted().certify(VALUES)
    assert seen[0].filename == __file__
