"""AblatedClassifier: no patch changes what is certified."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

from sksmooth import AblatedClassifier
from sksmooth.noise import AblationNoise


@pytest.fixture(scope="module")
def fitted(digits):
    X, y = digits
    clf = AblatedClassifier(
        RandomForestClassifier(20),
        noise=AblationNoise("blocks", size=4),
        image_shape=(8, 8),
        n_augment=6,
        random_state=0,
    )
    return clf.fit(X[:900], y[:900])


class Lookup(ClassifierMixin, BaseEstimator):
    """The worst of models: any change of what it sees changes its answer at random."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        # mostly the sign of the first pixel that is seen, or anything for large values
        shown = np.where(np.isnan(X), 0, X)
        odd = (shown * [3, 5, 7, 11, 13, 17, 19, 23]).sum(axis=1).astype(int)
        plain = (shown > 0.5).any(axis=1)
        return self.classes_[np.where((shown > 1).any(axis=1), odd % 3, plain.astype(int))]


def test_no_patch_changes_what_is_certified():
    """All places, and so many contents that they make any votes of bands that see the patch."""
    rng = np.random.default_rng(0)
    X = (rng.random((60, 8)) < 0.3).astype(float) * 0.6
    noise = AblationNoise("columns", size=2, absent="nan")
    clf = AblatedClassifier(Lookup(), noise=noise, n_augment=0).fit(X, np.arange(60) % 3)
    changed = {}
    for width in (1, 2):
        certificate = clf.certify(X, patch=(1, width))
        found = np.zeros(60, bool)
        for place in range(8 - width + 1):
            for _ in range(60):
                moved = X.copy()
                moved[:, place : place + width] = rng.integers(0, 40, (60, width)) / 4
                found |= clf.predict(moved) != certificate.prediction
        assert not (found & certificate.certified).any()
        changed[width] = certificate.certified, found
    assert changed[1][0].any()
    assert (changed[1][0] & changed[2][1]).any()  # the control: a patch wider than certified


def test_digits_are_certified_by_blocks(fitted, digits):
    X, y = digits[0][900:], digits[1][900:]
    one, two = (fitted.certify(X, patch=p) for p in (1, 2))
    assert fitted.n_ablations_ == 64
    assert (one.n_affected, two.n_affected) == (16, 25)
    assert (one.prediction == y).mean() > 0.85
    assert one.certified_accuracy(y) > 0.3
    assert two.certified_accuracy(y) < one.certified_accuracy(y)
    assert (one.certified | ~two.certified).all()
    twice = fitted.certify(X, patch=1, n_patches=2)
    assert (one.certified | ~twice.certified).all()
    assert (fitted.certify(X, patch=1, top_k=2).certified | ~one.certified).all()
    assert_array_equal(fitted.predict(X), one.prediction)
    assert_array_equal(fitted.predict_proba(X), one.counts / 64)


def test_nothing_depends_on_batches_workers_or_other_rows(fitted, digits):
    X = digits[0][900:960]
    whole = fitted.certify(X, patch=1)
    again = pickle.loads(pickle.dumps(fitted)).set_params(n_jobs=2, batch_size=50)
    assert again.certify(X, patch=1) == whole
    assert fitted.certify(X[::-1], patch=1)[::-1] == whole


@pytest.mark.parametrize(
    ("model", "noise"),
    [
        (HistGradientBoostingClassifier(max_iter=5), AblationNoise("rows", 3, absent="nan")),
        (KNeighborsClassifier(), AblationNoise("columns", 4, stride=2, wrap=False)),
        (LogisticRegression(max_iter=300), AblationNoise("blocks", 5, stride=2, absent=-1.0)),
    ],
)
def test_models_and_encodings(digits, model, noise):
    X, y = digits
    clf = AblatedClassifier(model, noise=noise, image_shape=(8, 8), n_augment=2, random_state=0)
    certificate = clf.fit(X[:500], y[:500]).certify(X[500:600], patch=(1, 1))
    assert (certificate.prediction == y[500:600]).mean() > 0.5
    assert certificate.n_ablations == len(noise.masks((8, 8)))
    same = clone(clf).fit(X[:500], y[:500]).predict(X[500:600])
    assert_array_equal(same, certificate.prediction)


class FlatMLP(MLPClassifier):
    def fit(self, X, y):
        return super().fit(X.reshape(len(X), -1), y)

    def predict(self, X):
        return super().predict(X.reshape(len(X), -1))


@pytest.mark.parametrize("channel_axis", [-1, 0])
def test_images_with_channels(digits, channel_axis):
    X, y = digits[0][:200].reshape(-1, 8, 8), digits[1][:200]
    images = np.stack([X, 1 - X], axis=1 + channel_axis % 3)
    clf = AblatedClassifier(
        FlatMLP((8,), max_iter=3, random_state=0), channel_axis=channel_axis, n_augment=1
    )
    with pytest.warns(UserWarning, match="Maximum iterations"):
        clf.fit(images, y)
    assert clf.certify(images[:5], patch=2).n_affected == 4
    assert not hasattr(clf, "n_features_in_")


def test_frames_and_frozen_models(digits):
    X, y = digits[0][:300], digits[1][:300]
    frame = pd.DataFrame(X, columns=[f"pixel {j}" for j in range(64)], index=np.arange(300) + 7)
    clf = AblatedClassifier(KNeighborsClassifier(), image_shape=(8, 8), n_augment=1, random_state=0)
    clf.fit(frame, y)
    assert clf.certify(frame[:5], patch=1).index.tolist() == [7, 8, 9, 10, 11]
    assert clf.feature_names_in_[0] == "pixel 0"
    assert clf.n_features_in_ == 64
    frozen = AblatedClassifier(FrozenEstimator(clf.estimator_), image_shape=(8, 8)).fit(X, y)
    assert frozen.estimator_.estimator is not None
    assert_array_equal(frozen.predict(X), clf.predict(frame))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"image_shape": (8, 9)}, "is an image of 72 pixels, and X has 64 features"),
        ({"image_shape": (8,)}, "image_shape must hold height and width"),
        ({"noise": AblationNoise(size=0)}, "'size' parameter of AblationNoise"),
        ({"noise": "columns"}, "'noise' parameter"),
        ({"estimator": Ridge()}, "has to be a classifier"),
    ],
)
def test_wrong_parameters(digits, params, message):
    with pytest.raises(ValueError, match=message):
        AblatedClassifier(**params).fit(*digits)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch": 0}, "patch must be at least 1, got 0"),
        ({"patch": (1, 2, 3)}, "patch must be a number of pixels, or height and width"),
        ({"patch": 1.5}, "patch must be a whole number"),
        ({"patch": 1, "n_patches": 0}, "n_patches must be at least 1"),
        ({"patch": 1, "top_k": 10}, "top_k must be less than the number of classes, 10; got 10"),
    ],
)
def test_wrong_options(fitted, digits, options, message):
    with pytest.raises(ValueError, match=message):
        fitted.certify(digits[0][:5], **options)


def test_wrong_inputs(fitted, digits):
    with pytest.raises(ValueError, match="63 features, but AblatedClassifier is expecting 64"):
        fitted.predict(digits[0][:, :63])
    with pytest.raises(ValueError, match="X contains NaN"):
        fitted.predict(np.full((1, 64), np.nan))
    with pytest.raises(NotFittedError):
        AblatedClassifier().certify(digits[0], patch=1)


class Unsteady(ClassifierMixin, BaseEstimator):
    """A classifier whose labels depend on the other rows of a call, if it is told so."""

    unsteady = False

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        sums = np.nansum(np.asarray(X), axis=1)
        cut = sums.mean() + 0.1 if self.unsteady else 3.0
        return self.classes_[(sums > cut).astype(int)]


@pytest.mark.parametrize("absent", ["channels", "nan"])
def test_models_that_are_no_functions_of_one_row_are_refused(absent):
    X = np.random.default_rng(0).random((40, 16))
    y = (X.sum(axis=1) > 8).astype(int)
    options = {"noise": AblationNoise(absent=absent), "image_shape": (4, 4), "random_state": 0}
    smoother = AblatedClassifier(FrozenEstimator(Unsteady().fit(X, y)), **options).fit(X, y)
    assert len(smoother.certify(X[:1], patch=1)) == 1
    smoother.estimator_.estimator.unsteady = True
    for call in (smoother.predict, lambda rows: smoother.certify(rows, patch=1)):
        with pytest.raises(ValueError, match="A certificate is about a function of one row"):
            call(X[:1])
    late = Unsteady().fit(X, y)
    late.unsteady = True
    with pytest.raises(ValueError, match="A certificate is about a function of one row"):
        AblatedClassifier(FrozenEstimator(late), **options).fit(X, y)
