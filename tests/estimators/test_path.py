"""certify_path of smoothers, Pipelines and searches: containers, noise, tolerance, refusals."""

import numpy as np
import pandas as pd
import pytest
from linear_images import linear_model, smoothed, true_ends
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, FunctionTransformer, StandardScaler

import sksmooth
from sksmooth import (
    LocallyBiasedSmoother,
    SmoothedClassifier,
    certify_path,
    make_certified_scorer,
)
from sksmooth.exceptions import UnreachableRadiusError
from sksmooth.noise import GaussianNoise, LaplaceNoise
from sksmooth.transformations import LowPass, Rotation, Shear, Translation, Vignette, Zoom


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X / 16.0, y


@pytest.fixture(scope="module")
def two(digits):
    X, y = digits
    return X[y < 2], y[y < 2]


@pytest.fixture(scope="module")
def smoother(digits):
    X, y = digits
    model = MLPClassifier((30,), max_iter=40, random_state=0)
    options = {"sigma": 0.3, "n_augment": 3, "n_estimation": 2000, "random_state": 0}
    with pytest.warns(match="haven't converged|hasn't converged"):
        return SmoothedClassifier(model, **options).fit(X, y)


class Columns(ClassifierMixin, BaseEstimator):
    """Compares the left and the right half of images of any shape."""

    classes_ = np.array(["left", "right"])

    def fit(self, X, y):
        return self

    def predict(self, X):
        gray = np.asarray(X, dtype=float).reshape(len(X), -1, 8, 8).mean(axis=1)
        return self.classes_[
            (gray[:, :, 4:].mean((1, 2)) > gray[:, :, :4].mean((1, 2))).astype(int)
        ]


def of_columns(**options):
    options = {"sigma": 0.5, "n_estimation": 500, "random_state": 0, **options}
    return SmoothedClassifier(FrozenEstimator(Columns()), **options).fit()


def halves(n=3):
    X = np.zeros((n, 8, 8))
    X[:, 2:6, 5:7] = np.linspace(0.6, 1.2, n)[:, None, None]
    return X


def test_fast_votes_and_ranges(smoother, digits):
    X = digits[0]
    assert smoother.fast_votes_
    found = certify_path(smoother, X[:30], Rotation(15))
    assert_array_equal(found.prediction, smoother.predict(X[:30]))
    assert (found.left <= 0).all()
    assert (found.right >= 0).all()
    assert (found.symmetric > 4).sum() > 5
    assert found.n_draws.min() >= 100 + 64
    assert found.alpha == smoother.alpha
    assert len(found.to_frame()) == 30
    # a sweep inside of the ranges, with other draws
    other = smoother.for_scoring()
    for row in np.flatnonzero(found.right > 4)[:6]:
        t = np.linspace(found.left[row], found.right[row], 25)
        images = Rotation(15).apply(np.repeat(X[row : row + 1], 25, axis=0), t)
        assert (other.predict(images) == found.prediction[row]).all()


def test_rows_do_not_depend_on_each_other(smoother, digits):
    X, _ = digits
    whole = certify_path(smoother, X[:6], Rotation(6))
    alone = certify_path(smoother, X[[4, 1]], Rotation(6))
    assert alone.to_frame().equals(whole[[4, 1]].to_frame())


def test_containers_of_images():
    X = halves()
    expected = certify_path(of_columns(), X, Translation(1.0))
    assert (expected.right > 0.3).all()
    for other, transformation in (
        (X.reshape(3, 64), Translation(1.0, image_shape=(8, 8))),
        (pd.DataFrame(X.reshape(3, 64)), Translation(1.0)),
        (X[:, None], Translation(1.0)),
        (X.tolist(), Translation(1.0)),
    ):
        found = certify_path(of_columns(), other, transformation)
        assert_array_equal(found.left, expected.left)
        assert_array_equal(found.right, expected.right)


def test_colors_move_together():
    gray = halves()
    color = np.stack([gray, gray, gray], axis=1)
    found = certify_path(of_columns(), color, Translation(1.0))
    last = np.moveaxis(color, 1, 3)
    with pytest.raises(ValueError, match="channels"):
        certify_path(of_columns(), np.zeros((1, 8, 8, 8)), Translation(1.0))
    told = Translation(1.0, image_shape=(8, 8, 3))
    flat = certify_path(of_columns(), color.reshape(3, -1), told.set_params(image_shape=(3, 8, 8)))
    assert_array_equal(flat.right, found.right)
    assert certify_path(of_columns(), last[:1], Translation(1.0)).statement.count("3 channels") == 1


def test_dtypes():
    X = halves()
    single = certify_path(of_columns(), X.astype(np.float32), Translation(1.0))
    assert (single.right > 0.3).all()
    whole = np.rint(200 * X).astype(np.int64)
    large = certify_path(of_columns(sigma=127.5), whole, Translation(1.0), tolerance="8bit")
    assert large.tolerance == pytest.approx(4.0)
    small = certify_path(of_columns(), np.minimum(X, 1.0), Translation(1.0), tolerance="8bit")
    assert small.tolerance == pytest.approx(8 / 510)


def test_index_of_frames_is_kept():
    X = pd.DataFrame(halves().reshape(3, 64), index=["a", "b", "c"])
    assert list(certify_path(of_columns(), X, Translation(0.5)).to_frame().index) == ["a", "b", "c"]


def test_tolerance_is_taken_from_ranges(two):
    X, y = two
    smoother = SmoothedClassifier(sigma=0.5, random_state=0).fit(X, y)
    model = smoother.estimator_
    ranges = [certify_path(smoother, X[:10], Rotation(60), tolerance=d) for d in (0.0, 0.3, 0.6)]
    assert ranges[0].alpha is None
    assert (ranges[1].symmetric <= ranges[0].symmetric + 1.0).all()
    assert ranges[2].symmetric.mean() < ranges[1].symmetric.mean() < ranges[0].symmetric.mean()
    unit = model.coef_[0] / np.linalg.norm(model.coef_[0])
    for row in range(10):
        sign = 1 if ranges[1].prediction[row] == 1 else -1
        t = np.linspace(ranges[1].left[row], ranges[1].right[row], 200)
        images = Rotation(60).apply(np.repeat(X[row : row + 1], 200, axis=0), t)
        worst = images - sign * 0.2999 * unit
        assert (model.predict(worst) == ranges[1].prediction[row]).all()


def test_rounded_images_within_the_tolerance_of_8_bits(two):
    """Votes that read the last bits: rounding to 8 bits is covered, when it was asked for."""
    X, y = two
    smoother = SmoothedClassifier(sigma=0.5, random_state=0).fit(X, y)
    found = certify_path(smoother, X[:5], Rotation(30), tolerance="8bit")
    for row in range(5):
        t = np.linspace(found.left[row], found.right[row], 100)
        images = Rotation(30).apply(np.repeat(X[row : row + 1], 100, axis=0), t)
        rounded = np.rint(np.clip(images, 0, 1) * 255) / 255
        assert np.linalg.norm(rounded - images, axis=1).max() <= found.tolerance
        assert (smoother.predict(rounded) == found.prediction[row]).all()


def test_pipelines_and_searches(two):
    X, y = two
    steps = LowPass(0.7), Vignette(2.0), StandardScaler(with_std=False)
    pipeline = make_pipeline(*steps, SmoothedClassifier(sigma=0.3, random_state=0)).fit(X, y)
    found = certify_path(pipeline, X[:8], Rotation(30))
    assert found.before == "LowPass(width=0.7), Vignette(fade=2.0), StandardScaler(with_std=False)"
    assert_array_equal(found.prediction, pipeline.predict(X[:8]))
    linear = pipeline[-1].estimator_
    for row in range(8):
        t = np.linspace(found.left[row], found.right[row], 200)
        images = Rotation(30).apply(np.repeat(X[row : row + 1], 200, axis=0), t)
        assert (linear.predict(pipeline[:-1].transform(images)) == found.prediction[row]).all()
    nested = make_pipeline(pipeline[:2], pipeline[2], "passthrough", pipeline[-1])
    assert_array_equal(certify_path(nested, X[:8], Rotation(30)).right, found.right)
    search = GridSearchCV(
        SmoothedClassifier(random_state=0),
        {"sigma": [0.2, 0.3]},
        scoring=make_certified_scorer(0.1),
        cv=2,
    ).fit(X, y)
    assert certify_path(search, X[:2], Zoom(0.1)).noise.sigma == search.best_params_["sigma"]


def test_a_stretching_step_is_reckoned_with(two):
    X, y = two
    scaled = make_pipeline(StandardScaler(), SmoothedClassifier(sigma=0.5, random_state=0))
    model = scaled.fit(X + 0.0, y)
    found = certify_path(model, X[:3], Rotation(5), tolerance=1e-4)
    assert found.rho > 0.25 + 1e-4 / model[0].scale_.min() * 0.99
    for row in range(3):
        t = np.linspace(found.left[row], found.right[row], 100)
        images = Rotation(30).apply(np.repeat(X[row : row + 1], 100, axis=0), t)
        assert (model.predict(images) == found.prediction[row]).all()


def test_matches_the_truth_of_a_linear_model():
    rng = np.random.default_rng(0)
    image = rng.random((8, 8))
    weights = rng.standard_normal(64) / 8
    model = linear_model(weights, 0.7 - weights @ image.ravel())
    for transformation in (Rotation(60), Shear(0.5), Zoom(0.5)):
        found = certify_path(smoothed(model), image.reshape(1, -1), transformation)
        left, right = true_ends(model, transformation, image)
        assert left < found.left[0] < 0 < found.right[0] < right


def test_simultaneous_statements_cost_more():
    one = certify_path(of_columns(), halves(), Rotation(30))
    joint = certify_path(of_columns(), halves(), Rotation(30), simultaneous=True)
    assert joint.n_simultaneous == 3
    assert (joint.n_draws >= one.n_draws).all()
    assert "all rows together" in joint.statement


def test_smaller_balls_certify_weaker_rows():
    X = 0.25 * halves()
    coarse = certify_path(of_columns(), X, Translation(0.2))
    fine = certify_path(of_columns(), X, Translation(0.2), rho=0.08)
    assert fine.symmetric.sum() > coarse.symmetric.sum()
    assert (fine.n_anchors >= coarse.n_anchors).all()


def test_the_certificate_owns_its_transformation():
    transformation = Rotation(10)
    found = certify_path(of_columns(), halves(), transformation)
    transformation.max_angle = 20
    assert found.transformation.max_angle == 10


REFUSED = {
    "laplace": ({"noise": "laplace"}, {}, ValueError, "noise='gaussian'"),
    "splitting": ({"noise": "splitting"}, {}, ValueError, "noise='gaussian'"),
    "object": ({"noise": LaplaceNoise(0.3)}, {}, ValueError, "needs radii in l2"),
    "no transformation": ({}, {"transformation": "rotation"}, TypeError, r"Rotation\(30\)"),
    "a class": ({}, {"transformation": Rotation}, TypeError, "transformation must be"),
    "angle": ({}, {"transformation": Rotation(-3)}, ValueError, "max_angle"),
    "rho": ({}, {"rho": 0}, ValueError, "rho must be"),
    "large rho": ({}, {"rho": 3.0}, UnreachableRadiusError, "smaller rho"),
    "small rho": ({}, {"rho": 0.01, "tolerance": 0.02}, ValueError, "larger rho"),
    "tolerance": ({}, {"tolerance": -1}, ValueError, "tolerance must be"),
    "bits": ({}, {"tolerance": "7bit"}, ValueError, "'8bit'"),
    "infinite": ({}, {"tolerance": np.inf}, ValueError, "tolerance must be"),
    "simultaneous": ({}, {"simultaneous": 1}, ValueError, "True or False"),
    "few draws": ({"n_estimation": 12}, {}, ValueError, "n_estimation"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case):
    options, arguments, error, match = REFUSED[case]
    arguments = {"transformation": Rotation(10), **arguments}
    if "noise" in options:
        options = {"sigma": 0.25 if isinstance(options["noise"], LaplaceNoise) else 0.5, **options}
    with pytest.raises(error, match=match):
        certify_path(of_columns(**options), halves(), **arguments)


def test_images_beyond_8_bits_are_refused_with_a_remedy():
    with pytest.raises(ValueError, match=r"pixels from 0 to 1.*Scale X"):
        certify_path(of_columns(), halves() * 2, Rotation(5), tolerance="8bit")
    with pytest.raises(ValueError, match="pixels from 0 to 255"):
        certify_path(of_columns(), np.full((1, 8, 8), -1), Rotation(5), tolerance="8bit")
    certify_path(of_columns(), halves() * 2, Rotation(5), tolerance=8 / 510 * 2)


def test_scales_of_columns_are_refused_with_a_remedy(two):
    X, y = two
    options = {"sigma": 0.5, "random_state": 0}
    scaled = SmoothedClassifier(feature_scale=np.ones(64), **options).fit(X, y)
    with pytest.raises(ValueError, match="feature_scale or categorical"):
        certify_path(scaled, X[:1], Rotation(5))
    certify_path(SmoothedClassifier(**options).fit(X, y), X[:1], Rotation(5))


def test_steps_that_are_not_linear_are_refused_with_a_remedy(two):
    X, y = two
    for step in (FunctionTransformer(), Binarizer(threshold=0.5)):
        options = {"sigma": 0.5, "random_state": 0}
        before = make_pipeline(step, SmoothedClassifier(**options)).fit(X, y)
        with pytest.raises(ValueError, match="not known to be linear"):
            certify_path(before, X[:1], Rotation(5))
        inside = SmoothedClassifier(make_pipeline(step, LogisticRegression()), **options)
        assert len(certify_path(inside.fit(X, y), X[:1], Rotation(5))) == 1


def test_what_is_no_smoother_is_refused(two):
    X, y = two
    for other in (LogisticRegression().fit(X, y), LocallyBiasedSmoother().fit(X, y)):
        with pytest.raises(TypeError, match="SmoothedClassifier"):
            certify_path(other, X[:1], Rotation(5))


def test_what_is_no_image_is_refused(two):
    X, y = two
    smoother = SmoothedClassifier(random_state=0).fit(X[:, :60], y)
    with pytest.raises(ValueError, match="no square"):
        certify_path(smoother, X[:1, :60], Rotation(5))
    assert len(certify_path(smoother, X[:1, :60], Rotation(5, image_shape=(6, 10)))) == 1
    with pytest.raises(ValueError, match="expecting"):
        certify_path(smoother, X[:1], Rotation(5))


def test_a_denser_centre_has_radii_in_l2():
    found = certify_path(
        of_columns(noise=GaussianNoise(0.5, k=3), sigma=0.25), halves(), Translation(0.5)
    )
    assert (found.right > 0).all()


def test_every_call_takes_fresh_draws_without_a_seed():
    smoother = of_columns(random_state=None)
    X = 0.4 * halves(1)
    first, second = (certify_path(smoother, X, Translation(1.0)) for _ in range(2))
    assert first.prediction[0] == second.prediction[0] == "right"
    seeded = of_columns()
    first, second = (certify_path(seeded, X, Translation(1.0)) for _ in range(2))
    assert first == second


def test_public_names():
    assert {"certify_path", "PathCertificate"} <= set(sksmooth.__all__)
