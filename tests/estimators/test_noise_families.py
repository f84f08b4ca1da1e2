"""Noise families by name, k and norm in SmoothedClassifier."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from sksmooth import SmoothedClassifier, make_certified_scorer
from sksmooth.noise import (
    CategoryNoise,
    GaussianNoise,
    LaplaceNoise,
    MixedNormNoise,
    SplittingNoise,
    SupNormNoise,
    UniformNoise,
)


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(return_X_y=True)
    return (X - X.min(axis=0)) / np.ptp(X, axis=0), y


@pytest.fixture(scope="module")
def two_classes():
    X, y = load_breast_cancer(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def smoother(estimator=None, **params):
    defaults = {"n_estimation": 300, "random_state": 0, "sigma": 0.2, "n_augment": 2}
    return SmoothedClassifier(estimator, **{**defaults, **params})


@pytest.mark.parametrize(
    ("name", "family", "norm"),
    [
        ("gaussian", GaussianNoise, 2),
        ("laplace", LaplaceNoise, 1),
        ("splitting", SplittingNoise, 1),
        ("uniform", UniformNoise, 1),
    ],
)
def test_names(iris, name, family, norm):
    X, y = iris
    clf = smoother(GaussianNB(), noise=name).fit(X, y)
    assert type(clf.noise_) is family
    assert clf.noise_.sigma == 0.2
    certificate = clf.certify(X)
    assert certificate.norm == norm
    assert certificate.certified.mean() > 0.5
    by_object = smoother(GaussianNB(), sigma=0.25, noise=family(0.2)).fit(X, y).certify(X)
    assert (by_object.radius == certificate.radius).all()
    expected = clf.noise_.radius(certificate.p_lower, n_features=4)
    np.testing.assert_allclose(certificate.radius, expected, atol=2e-5)
    assert (certificate.radius <= expected).all()


def test_k_and_norm_choose_the_family(digits):
    X, y = digits
    for params, expected in [
        ({"k": 2}, GaussianNoise(0.2, 2)),
        ({"k": 2, "noise": "laplace"}, LaplaceNoise(0.2, 2)),
        ({"norm": np.inf}, GaussianNoise(0.2)),
        ({"norm": np.inf, "k": 2}, MixedNormNoise(0.2, 2)),
        ({"norm": 1, "k": 2}, GaussianNoise(0.2, 2)),
    ]:
        clf = smoother(GaussianNB(), **params).fit(X[:200], y[:200])
        assert repr(clf.noise_) == repr(expected)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"k": 4}, r"k=4 of GaussianNoise has to be smaller than the number of features, which is"),
        ({"k": 5, "noise": "laplace"}, r"k=5 of LaplaceNoise has to be smaller"),
        ({"k": -1}, "The 'k' parameter of SmoothedClassifier"),
        ({"k": 1, "noise": "uniform"}, "k=1 has no meaning for noise='uniform'"),
        ({"k": 1, "noise": "splitting"}, "k=1 has no meaning for noise='splitting'"),
        ({"noise": CategoryNoise(0.8)}, r"noise=CategoryNoise.* pass categorical=CategoryNoise"),
        ({"k": 1, "noise": GaussianNoise(0.2)}, "k=1 has no effect.*Set noise__k instead"),
        ({"k": 4, "norm": np.inf}, r"k=4 of MixedNormNoise has to be smaller"),
        ({"k": 2, "norm": np.inf}, "MixedNormNoise with k=2 has no certificate for 4 features"),
        ({"noise": "uniform", "norm": 2}, "certifies in the norms 1 and inf, got norm=2"),
        ({"noise": "splitting", "norm": np.inf}, "certifies in the norm 1 only, got norm=inf"),
        ({"noise": SupNormNoise(0.2), "norm": 2}, "certifies in the norm inf only, got norm=2"),
    ],
)
def test_what_cannot_be_certified_is_refused_at_fit(iris, params, message):
    with pytest.raises(ValueError, match=message):
        smoother(GaussianNB(), **params).fit(*iris)


def test_remedies_of_the_mixed_family_for_few_features(iris):
    X, y = iris
    for noise in (MixedNormNoise(0.2, k=0), GaussianNoise(sigma=0.2, k=2.0)):
        clf = smoother(GaussianNB(), sigma=0.25, noise=noise, norm=np.inf).fit(X, y)
        certificate = clf.certify(X)
        assert certificate.norm == np.inf
        assert certificate.certified.mean() > 0.5


def test_norm_that_is_set_after_fit_is_checked_before_sampling(iris):
    X, y = iris
    clf = smoother(GaussianNB(), noise="uniform").fit(X, y).set_params(norm=2)
    with pytest.raises(ValueError, match="certifies in the norms 1 and inf"):
        clf.certify(X)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
@pytest.mark.parametrize(
    "noise",
    [
        GaussianNoise(0.5, k=3),
        LaplaceNoise(0.5),
        LaplaceNoise(0.5, k=3),
        UniformNoise(0.5),
        SplittingNoise(0.5),
        SupNormNoise(0.5),
        MixedNormNoise(0.5),
    ],
    ids=repr,
)
def test_shortcuts_of_linear_models_are_for_normal_noise_only(two_classes, noise):
    X, y = two_classes
    for labels in (y, np.arange(len(y)) % 3):
        clf = SmoothedClassifier(LogisticRegression(), noise=noise, n_estimation=20, n_augment=0)
        clf.fit(X, labels)
        certificate = clf.certify(X[:5])
        assert certificate.alpha is not None
        assert (certificate.n_draws == 20).all()
    normal = SmoothedClassifier(LogisticRegression(), noise=GaussianNoise(0.5)).fit(X, y)
    assert normal.certify(X[:5]).alpha is None  # the control: here the shortcut is taken


def test_sigma_and_k_of_objects_are_tunable(iris):
    X, y = iris
    search = GridSearchCV(
        smoother(GaussianNB(), sigma=0.25, noise=GaussianNoise(0.1)),
        {"noise__sigma": [0.01, 0.2], "noise__k": [0, 2]},
        scoring=make_certified_scorer(radius=0.15),
        cv=2,
    ).fit(X, y)
    assert search.best_params_["noise__sigma"] == 0.2
    assert clone(search.best_estimator_).noise.k == search.best_params_["noise__k"]


def test_unreachable_radius_of_a_bounded_family(iris):
    X, y = iris
    clf = smoother(GaussianNB(), noise="uniform").fit(X, y)
    with pytest.raises(ValueError, match=r"No row can be certified at radius=0\.5"):
        clf.certify(X, radius=0.5)
