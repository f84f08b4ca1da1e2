"""Certificates as values: read-only, equal, written and read, asked about other statements."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.tree import DecisionTreeClassifier

from sksmooth import (
    CenterSmoothedRegressor,
    ClassificationCertificate,
    DSSNClassifier,
    MedianSmoothedRegressor,
    RegressionCertificate,
    SmoothedClassifier,
)
from sksmooth.certificates import ErrorBudget
from sksmooth.distances import FunctionDistance
from sksmooth.noise import Blur, GaussianNoise, LaplaceNoise

CLASSES = np.array(["a", "b", "c"])
COUNTS = np.array([[990, 8, 2], [300, 600, 100], [510, 480, 10]])
VALID = {
    "prediction": np.array(["a", "b", "a"]),
    "counts": COUNTS,
    "classes": CLASSES,
    "noise": GaussianNoise(0.5),
    "n_features": 9,
    "alpha": 0.001,
}


def of_counts(**options):
    return ClassificationCertificate.from_counts(**{**VALID, **options})


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True, as_frame=True)
    index = pd.Index([f"flower {i}" for i in range(150)], name="plant")
    return X.set_index(index), y.to_numpy()


@pytest.fixture(scope="module")
def smoother(iris):
    clf = SmoothedClassifier(sigma=0.3, n_estimation=500, structure="off", random_state=0)
    return clf.fit(*iris)


@pytest.fixture(scope="module")
def certificates(iris, smoother):
    X, y = iris
    whole = X.to_numpy()
    diabetes, target = load_diabetes(return_X_y=True)
    few = {"random_state": 0, "n_estimation": 300}
    center = CenterSmoothedRegressor(n_center=100, **few).fit(diabetes, target)
    median = MedianSmoothedRegressor(n_prediction=200, **few).fit(diabetes, target)
    dssn = DSSNClassifier(n_steps=10, feature_range=(0, 8), off_grid="round", random_state=0)
    return {
        "largest": smoother.certify(X),
        "decided": smoother.certify(X, radius=np.linspace(0, 0.5, 150)),
        "nearly": smoother.certify(X[:20], rtol=0.1),
        "two places": smoother.certify(X, top_k=2),
        "joint, bilateral": smoother.certify(X, simultaneous=True, bilateral=True),
        "exact": dssn.fit(whole, y).certify(whole[:30], perturbation="real"),
        "linear": SmoothedClassifier().fit(whole[:100], y[:100]).certify(whole[:100]),
        "center": center.certify(diabetes[:5], radius=0.02),
        "median": median.certify(diabetes[:5], radius=0.02),
    }


@pytest.mark.parametrize(
    "name",
    [
        "largest",
        "decided",
        "nearly",
        "two places",
        "joint, bilateral",
        "exact",
        "linear",
        "center",
        "median",
    ],
)
@pytest.mark.parametrize("file", ["certificate.json", "certificate.json.gz", "certificate"])
def test_saved_and_loaded_is_the_same_to_the_bit(certificates, name, file, tmp_path):
    certificate = certificates[name]
    certificate.save(tmp_path / file)
    again = type(certificate).load(tmp_path / file)
    assert again == certificate
    for field in certificate.ROW_FIELDS:
        mine, theirs = getattr(certificate, field), getattr(again, field)
        if mine is not None:
            assert mine.dtype == theirs.dtype
            assert_array_equal(mine, theirs)
    assert repr(again) == repr(certificate)
    assert pickle.loads(pickle.dumps(certificate)) == certificate
    assert [p.name for p in tmp_path.iterdir()] == [file]


def test_equality_sees_every_value():
    assert of_counts() == of_counts()
    assert of_counts() != of_counts(alpha=0.002)
    assert of_counts() != of_counts(noise=GaussianNoise(np.nextafter(0.5, 1)))
    assert of_counts() != of_counts(classes=np.array(["a", "b", "d"]))
    radius = of_counts().radius.copy()
    radius[2] = np.nextafter(radius[0], 9)
    assert of_counts() != replace(of_counts(), radius=radius)
    assert of_counts() != "something else"


def test_numbers_that_json_does_not_know(tmp_path):
    odd = replace(of_counts(), radius=np.array([np.inf, np.nan, -0.0]))
    odd.save(tmp_path / "odd.json")
    read = ClassificationCertificate.load(tmp_path / "odd.json").radius
    assert_array_equal(read, odd.radius)
    assert np.signbit(read[2])
    assert json.loads((tmp_path / "odd.json").read_text())["norm"] == 2


def test_records_from_before_noise_was_rounded():
    """They are read, say that nothing was rounded, and do not go on where something is."""
    record = of_counts(noise_step=2.0**-10).to_dict()
    older = {k: v for k, v in record.items() if k not in ("noise_step", "moved")}
    certificate = ClassificationCertificate.from_dict(older)
    assert certificate.noise_step is None
    assert certificate != of_counts(noise_step=2.0**-10)
    with pytest.raises(ValueError, match="noise_step is None in one and"):
        ClassificationCertificate.concatenate([certificate, of_counts(noise_step=2.0**-10)])


def test_what_is_no_certificate_is_refused(certificates, tmp_path):
    path = tmp_path / "text"
    path.write_text("hello")
    with pytest.raises(ValueError, match="text is no saved certificate"):
        ClassificationCertificate.load(path)
    certificates["center"].save(path)
    with pytest.raises(ValueError, match=r"no record of a ClassificationCertificate, but of 'Regr"):
        ClassificationCertificate.load(path)
    record = of_counts().to_dict()
    with pytest.raises(ValueError, match="version 99 of the format"):
        ClassificationCertificate.from_dict({**record, "version": 99})
    with pytest.raises(ValueError, match="The record lacks radius"):
        ClassificationCertificate.from_dict({k: v for k, v in record.items() if k != "radius"})
    evil = {"object": "Popen", "room": "subprocess", "parameters": {}}
    with pytest.raises(ValueError, match="'subprocess' is no place of classes"):
        ClassificationCertificate.from_dict({**record, "noise": evil})
    own = replace(certificates["center"], distance=FunctionDistance(lambda a, b: 0.0))
    with pytest.raises(ValueError, match=r"cannot be written|no file can hold it"):
        own.save(path)
    assert RegressionCertificate.load(path) == certificates["center"]  # as it was


def test_nothing_in_a_certificate_can_be_changed(certificates):
    certificate = certificates["largest"]
    for name in (*certificate.ROW_FIELDS, "classes", "alpha_spent"):
        values = getattr(certificate, name)
        if values is not None:
            with pytest.raises(ValueError, match="read-only"):
                values[0] = values[1]
    with pytest.raises(AttributeError, match=r"belongs to a certificate.*clone"):
        certificate.noise.sigma = 50.0
    with pytest.raises(AttributeError, match="belongs to a certificate"):
        certificate.noise.set_params(sigma=50.0)
    assert clone(certificate.noise).set_params(sigma=50.0).sigma == 50.0
    again = pickle.loads(pickle.dumps(certificate))
    with pytest.raises(ValueError, match="read-only"):
        again.radius[0] = 99
    counts = COUNTS.copy()
    mine = of_counts(counts=counts)
    counts[0] = 7  # an array of the caller stays the caller's
    assert mine.counts[0].tolist() == [990, 8, 2]


@pytest.mark.parametrize("rows", [None, [[0, 1]], True, np.array([True]), 0.5, "a", ..., (0, 1)])
def test_rows_are_chosen_in_one_axis(rows):
    if isinstance(rows, tuple):
        assert len(of_counts()[rows]) == 2
        return
    with pytest.raises((IndexError, TypeError), match=r"Rows of a certificate|not supported"):
        of_counts()[rows]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.7}, r"alpha must lie in \(0, 0.5\), got 0.7"),
        ({"alpha": np.nan}, r"alpha must lie in \(0, 0.5\)"),
        ({"alpha": ErrorBudget(0.1, spent=2.0)}, r"spent must lie in \(0, 1\], got 2.0"),
        ({"alpha": ErrorBudget(0.1, n_statements=0)}, "n_statements must be a whole number of at"),
        ({"counts": COUNTS[:, :2]}, "counts must hold whole numbers in 3 columns"),
        ({"counts": COUNTS / 2}, "counts must hold whole numbers"),
        ({"counts": -COUNTS}, "counts must not be negative"),
        ({"prediction": np.array(["a", "b"])}, r"prediction must have shape \(3,\)"),
        ({"prediction": np.full((3, 2), "a")}, r"prediction must have shape \(3,\)"),
        ({"target_radius": np.ones(2)}, r"target_radius must have shape \(3,\)"),
    ],
)
def test_votes_that_do_not_go_together(options, message):
    with pytest.raises(ValueError, match=message):
        of_counts(**options)


def test_other_statements_from_the_same_votes(iris, smoother):
    X = iris[0][::5]
    one = smoother.certify(X)
    assert one.at(top_k=2) == smoother.certify(X, top_k=2)
    assert one.at(bilateral=True) == smoother.certify(X, bilateral=True)
    assert one.at(alpha=0.1, top_k=2).at(alpha=0.001, top_k=1) == one
    linf = one.at(norm=np.inf)
    expected = one.noise.radius(one.p_lower, n_features=4, norm=np.inf)
    np.testing.assert_allclose(linf.radius, expected, atol=2 * one.noise_step + 1e-6)
    assert (linf.radius <= expected).all()
    assert one.at() == one
    decided = smoother.certify(X, radius=0.2)
    assert decided.at(norm=1).target_radius is None
    assert_array_equal(decided.at(norm=2).target_radius, 0.2)
    with pytest.raises(ValueError, match="top_k=3 needs the votes"):
        one.at(top_k=3)
    with pytest.raises(ValueError, match="top_k=2 needs the votes"):
        of_counts().at(top_k=2)


def test_statement_at_another_norm_that_the_noise_cannot_prove():
    with pytest.raises(ValueError, match="norm"):
        of_counts(noise=LaplaceNoise(0.5)).at(norm=0.5)


def test_frames_keep_the_index_and_say_what_they_are_about(iris, smoother, tmp_path):
    X, _ = iris
    certificate = smoother.certify(X[10:30], radius=0.1)
    frame = certificate.to_frame()
    assert frame.index.equals(X.index[10:30])
    assert frame.index.name == "plant"
    assert (frame["norm"] == 2).all()
    assert (frame["alpha"] == 0.001).all()
    assert (frame["target_radius"] == 0.1).all()
    assert (frame["n_predicted"] == 1).all()
    frame.to_csv(tmp_path / "frame.csv")
    again = pd.read_csv(tmp_path / "frame.csv", index_col="plant")
    assert again.loc["flower 12", "noise"] == "GaussianNoise(k=0, sigma=0.3)"
    shuffled = X.sample(frac=1, random_state=0)
    assigned = shuffled.assign(radius=smoother.certify(X).to_frame()["radius"])
    assert_array_equal(assigned.loc[X.index, "radius"], smoother.certify(X).radius)
    assert certificate[3:5].to_frame().index.tolist() == ["flower 13", "flower 14"]
    joined = ClassificationCertificate.concatenate([certificate[5:], certificate[:5]])
    assert joined.to_frame().index[0] == "flower 15"
    assert certificate.to_frame(index=range(20)).index.tolist() == list(range(20))


def test_an_array_has_no_index(iris):
    X, y = iris[0].to_numpy(), iris[1]
    clf = SmoothedClassifier(n_estimation=100, random_state=0).fit(X, y)
    frame = clf.certify(X[:3]).to_frame()
    assert frame.index.tolist() == [0, 1, 2]


def test_summary_says_how_many_classes_are_predicted(certificates):
    assert "predicts 3 of 3 classes" in repr(certificates["largest"])
    assert "predicts 1 of 3 classes" in repr(certificates["largest"][:9])


def test_certificates_of_different_kinds_are_not_joined(certificates):
    with pytest.raises(TypeError, match="Only ClassificationCertificates can be joined"):
        ClassificationCertificate.concatenate([certificates["largest"], certificates["center"]])


def test_parameters_that_are_lists_are_written(tmp_path):
    X = np.random.default_rng(0).random((40, 9))
    noise = Blur(0.5, axes=[1], image_shape=[3, 3])
    smoother = SmoothedClassifier(noise=noise, n_estimation=100, random_state=0)
    certificate = smoother.fit(X, np.arange(40) % 2).certify(X[:3])
    certificate.save(tmp_path / "blur.json")
    loaded = ClassificationCertificate.load(tmp_path / "blur.json")
    assert loaded.attack == certificate.attack
    assert np.array_equal(loaded.radius, certificate.radius)


def test_parts_that_are_joined_are_what_was_parted():
    X = np.random.default_rng(0).random((40, 3))
    smoother = SmoothedClassifier(structure="off", n_estimation=100, random_state=0)
    whole = smoother.fit(X, np.arange(40) % 2).certify(X[:5])
    assert ClassificationCertificate.concatenate([whole[:2], whole[2:]]) == whole


def test_other_statements_of_the_same_votes_keep_what_quotients_took():
    """Splitting noise has no lattice: rounding of X over its scale is taken from the radius."""
    rng = np.random.default_rng(0)
    X = rng.random((60, 3)) * [3e-3, 1.0, 7e9]
    y = (X[:, 0] > 1.5e-3).astype(int)
    options = {"n_estimation": 300, "random_state": 0, "feature_scale": "std"}
    tree = DecisionTreeClassifier(max_depth=1)
    smoother = SmoothedClassifier(tree, noise="splitting", sigma=0.5, structure="off", **options)
    smoother.fit(X, y)
    certificate = smoother.certify(X)
    assert (certificate.radius > 0).any()
    again = certificate.at()
    assert (again.radius <= certificate.radius).all()
    np.testing.assert_allclose(again.radius, certificate.radius, rtol=1e-12)
    untouched = certificate._again().radius  # control: without it
    assert (untouched[certificate.radius > 0] > certificate.radius[certificate.radius > 0]).all()
    assert (certificate.at(alpha=1e-6).radius[certificate.radius > 0] > 0).any()
