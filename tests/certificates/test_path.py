"""Certificates of transformed images as values: frames, files, slices, words."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sksmooth import PathCertificate
from sksmooth.certificates import ErrorBudget
from sksmooth.noise import GaussianNoise
from sksmooth.transformations import Rotation, Translation, Zoom


def certificate(**values):
    given = {
        "prediction": np.array(["a", "b", "a"]),
        "left": np.array([-30.0, -4.5, 0.0]),
        "right": np.array([30.0, 7.0, 0.0]),
        "n_anchors": np.array([70, 20, 16]),
        "n_draws": np.array([5000, 3000, 400]),
        "classes": np.array(["a", "b"]),
        "transformation": Rotation(30, image_shape=(4, 6)),
        "tolerance": 0.05,
        "rho": 0.3,
        "shape": (24,),
        "noise": GaussianNoise(0.5),
        "budget": ErrorBudget(0.001, n_bounds=2),
    }
    return PathCertificate(**{**given, **values})


def test_what_is_derived():
    found = certificate()
    assert_array_equal(found.certified, [True, False, False])
    assert_array_equal(found.abstained, [False, False, True])
    assert_array_equal(found.symmetric, [30.0, 4.5, 0.0])
    assert found.alpha == 0.001


def test_values_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        certificate().left[0] = -1.0


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"budget": None, "before": "LowPass()"},
        {"transformation": Translation(2.0, axis="rows", image_shape=(4, 6))},
        {"index": pd.Index(["x", "y", "z"], name="image")},
    ],
)
def test_round_trips(values, tmp_path):
    found = certificate(**values)
    found.save(tmp_path / "path.json.gz")
    for other in (
        PathCertificate.load(tmp_path / "path.json.gz"),
        pickle.loads(pickle.dumps(found)),
    ):
        assert other == found
        assert repr(other) == repr(found)
        assert other.statement == found.statement
    joined = PathCertificate.concatenate([found[:1], found[1:]])
    assert joined.to_frame().equals(found.to_frame())
    assert joined.statement == found.statement
    assert certificate(left=np.array([-30.0, -4.5, -1.0])) != found


def test_parts():
    found = certificate()
    assert_array_equal(found[[2, 0]].prediction, ["a", "a"])
    assert len(found[1]) == 1
    assert found[1].n_draws[0] == 3000
    with pytest.raises(ValueError, match="transformation"):
        PathCertificate.concatenate([found, certificate(transformation=Zoom(0.1, (4, 6)))])
    joint = certificate(budget=ErrorBudget(0.001, n_statements=3, n_bounds=2))
    with pytest.raises(ValueError, match="simultaneous=True"):
        PathCertificate.concatenate([joint, joint])


def test_a_transformation_of_ones_own_goes_into_no_file(tmp_path):
    class Tilt(Rotation):
        pass

    with pytest.raises(ValueError, match=r"joblib\.dump"):
        certificate(transformation=Tilt(3, (4, 6))).save(tmp_path / "x.json")


def test_frame():
    frame = certificate().to_frame()
    assert list(frame["left"]) == [-30.0, -4.5, 0.0]
    assert set(frame["unit"]) == {"degrees"}
    assert set(frame["transformation"]) == {"Rotation(max_angle=30, image_shape=(4, 6))"}
    assert set(frame["tolerance"]) == {0.05}
    assert set(frame["alpha"]) == {0.001}
    assert list(frame["certified"]) == [True, False, False]


def test_in_words():
    words = certificate().statement
    for part in (
        "degrees",
        "4 x 6 pixels",
        "rotated",
        "bilinear",
        "zeros outside",
        "0.05",
        "0.001",
    ):
        assert part in words
    assert "each row" in words
    assert "exact" in certificate(budget=None).statement
    assert "all rows together" in certificate(budget=ErrorBudget(0.01, 3)).statement
    assert "behind LowPass()" in certificate(before="LowPass()").statement
    assert "within" not in certificate(tolerance=0.0).statement
    assert "33.3%" in repr(certificate())
    assert "of 30 degrees" in repr(certificate())
