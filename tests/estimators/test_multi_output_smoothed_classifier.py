"""MultiOutputSmoothedClassifier: labels, masks, and what it says to users."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge

from sksmooth import MultiOutputSmoothedClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(150, 4))
Y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0.5, X[:, 2] + X[:, 3] > 0]).astype(int)


def smoother(estimator=None, **params):
    options = {"n_estimation": 300, "random_state": 0, "alpha": 0.01, **params}
    return MultiOutputSmoothedClassifier(estimator, **options)


class Threshold(ClassifierMixin, BaseEstimator):
    """A segmentation: pixels that are brighter than one half."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return (np.asarray(X) > 0.5).astype(int)


def test_labels():
    clf = smoother().fit(X, Y)
    certificate = clf.certify(X[:30], radius=0.2)
    assert certificate.prediction.shape == certificate.certified.shape == (30, 3)
    assert 0.4 < certificate.certified.mean() < 0.95
    assert certificate.certified_accuracy(Y[:30]) <= clf.score(X[:30], Y[:30])
    assert_array_equal(clf.predict(X[:30]), certificate.prediction)
    assert clf.certify(X[:30], radius=0.4).certified.sum() < certificate.certified.sum()
    assert certificate.norm == 2
    again = pickle.loads(pickle.dumps(clf)).set_params(n_jobs=2, batch_size=37)
    assert again.certify(X[:30], radius=0.2) == certificate
    assert_array_equal(clf.certify(X[29::-1], radius=0.2).certified, certificate.certified[::-1])


@pytest.mark.parametrize("noise", ["laplace", "uniform"])
def test_other_models_and_noise(noise):
    model = RandomForestClassifier(10)
    clf = smoother(model, noise=noise, sigma=0.5).fit(X, np.array(["no", "yes"])[Y])
    certificate = clf.certify(X[:20], radius=0.1)
    assert set(np.unique(certificate.prediction)) <= {"no", "yes"}
    assert certificate.certified.any()
    assert certificate.norm == 1


def test_masks():
    images = np.random.default_rng(0).random((6, 5, 4))
    masks = (images > 0.5).astype(int)
    clf = smoother(Threshold(), sigma=0.2).fit(images, masks)
    certificate = clf.certify(images, radius=0.05)
    assert certificate.certified.shape == (6, 5, 4)
    sure = np.abs(images - 0.5) > 0.45
    assert certificate.certified[sure].mean() > 0.8
    assert not certificate.certified[np.abs(images - 0.5) < 0.05].any()  # an attack changes them
    assert 0 < certificate.mean_iou(masks) < 1
    assert (
        certificate.certified.sum() <= clf.certify(images, radius=0.05, n_wrong=3).certified.sum()
    )


def test_frames_frozen_models_and_scales():
    frame = pd.DataFrame(X * [1, 10, 100, 1], columns=list("abcd"), index=np.arange(150) + 5)
    clf = smoother(RandomForestClassifier(10), feature_scale=[1, 10, 100, 0]).fit(frame, Y)
    certificate = clf.certify(frame[:3], radius=0.1)
    assert certificate.index.tolist() == [5, 6, 7]
    assert certificate.column_budget()[0, 3] == 0
    frozen = smoother(FrozenEstimator(RandomForestClassifier(5).fit(X, Y))).fit(X, Y)
    assert frozen.certify(X[:3], radius=0.1).prediction.shape == (3, 3)
    assert not hasattr(clone(frozen), "estimator_")


def test_errors():
    with pytest.raises(NotFittedError):
        smoother().certify(X, radius=0.1)
    clf = smoother().fit(X, Y)
    for radius, message in ((0, "positive and finite"), (-1, "positive"), ([0.1, 0.2], "shape")):
        with pytest.raises(ValueError, match=message):
            clf.certify(X, radius=radius)
    with pytest.raises(ValueError, match="n_wrong must be at least 1"):
        clf.certify(X, radius=0.1, n_wrong=0)
    with pytest.raises(ValueError, match="returns numbers that are no classes of y"):
        smoother(Ridge()).fit(X, Y)
    with pytest.raises(ValueError, match="n_estimation=3 is too small"):
        clf.set_params(n_estimation=3).certify(X, radius=0.1)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        smoother().fit(X, Y[1:])
