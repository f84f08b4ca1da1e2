"""A linear base model with two classes has an exact certificate: its distance to the border."""

import numpy as np
import pytest
from case_names import name_of_case
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from voter_cases import LINEAR, smoother

from sksmooth import SmoothedClassifier, make_certified_scorer
from sksmooth.noise import GaussianNoise, LaplaceNoise
from sksmooth.voters import voter_of

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


@pytest.mark.parametrize("norm", [1, 1.5, 2, 3, np.inf])
@pytest.mark.parametrize("steps", [[], [StandardScaler(), PCA(2)]], ids=name_of_case)
def test_radius_is_the_distance_to_the_hyperplane(steps, norm, two_classes):
    X, y = two_classes
    clf = smoother(make_pipeline(*steps, LogisticRegression()), norm=norm).fit(X, y)
    certificate = clf.certify(X)
    assert certificate.alpha is None
    assert certificate.norm == norm
    assert certificate.certified.mean() > 0.95
    # The worst direction: Hoelder's inequality holds with equality for it.
    w = voter_of(clf.estimator_).coef[0]
    dual = np.inf if norm == 1 else 1 / (1 - 1 / norm)
    if norm == 1:
        worst = np.sign(w) * (np.abs(w) == np.abs(w).max())
    else:
        worst = np.sign(w) * np.abs(w) ** (dual - 1)
    worst = worst / np.linalg.norm(worst, norm)
    away = np.where(certificate.prediction == clf.classes_[1], -1, 1)[:, None]
    step = certificate.radius[:, None] * away * worst
    assert_array_equal(clf.estimator_.predict(X + (1 - 1e-9) * step), certificate.prediction)
    assert (clf.estimator_.predict(X + (1 + 1e-6) * step) != certificate.prediction).all()


def test_exact_probabilities_are_those_of_many_votes(two_classes):
    X, y = two_classes
    exact = smoother(LogisticRegression()).fit(X, y)
    votes = smoother(LogisticRegression(), structure="off").fit(X, y).certify(X).counts[:, 1]
    shares = exact.predict_proba(X)
    pvalues = [stats.binomtest(int(v), 20_000, p).pvalue for v, p in zip(votes, shares[:, 1])]
    assert min(pvalues) > 1e-3 / len(X)
    certificate = exact.certify(X)
    assert (certificate.p_lower <= shares.max(axis=1)).all()
    assert_allclose(certificate.p_lower, shares.max(axis=1), rtol=1e-9)
    assert_allclose(certificate.radius, 0.5 * special.ndtri(certificate.p_lower), rtol=1e-6)
    assert_array_equal(exact.predict(X), certificate.prediction)
    assert_array_equal(exact.classes_[shares.argmax(axis=1)], certificate.prediction)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_radius_never_exceeds_the_exact_one(two_classes):
    """Rational arithmetic on a model with large numbers that cancel."""
    from fractions import Fraction

    rng = np.random.default_rng(0)
    model = LogisticRegression().fit(*two_classes)
    model.coef_ = rng.normal(size=(1, 4)) * [1e8, 1, 1e-8, 1e4]
    X = rng.normal(size=(50, 4)) / np.abs(model.coef_[0])
    model.intercept_ = np.array([-(X[0] @ model.coef_[0])])
    y = model.predict(X)
    certificate = smoother(FrozenEstimator(model), sigma=1e-3, norm=np.inf).fit(X, y).certify(X)
    w, b = [Fraction(float(v)) for v in model.coef_[0]], Fraction(float(model.intercept_[0]))
    for row, radius in zip(X, certificate.radius):
        margin = abs(sum(Fraction(float(v)) * c for v, c in zip(row, w)) + b)
        assert Fraction(float(radius)) <= margin / sum(map(abs, w))
    assert certificate.abstained[0]


def test_exact_certificates_elsewhere(two_classes):
    X, y = two_classes
    clf = smoother(LogisticRegression()).fit(X, y)
    certificate = clf.certify(X, radius=0.3)
    assert_array_equal(certificate.certified, certificate.radius >= 0.3)
    assert make_certified_scorer(0.3)(clf, X, y) > 0.5
    assert "exact" in repr(certificate)
    assert len(certificate.to_frame()) == len(X)
    with pytest.raises(ValueError, match="This certificate is exact"):
        certificate.at(alpha=0.1)
    with pytest.raises(ValueError, match="start is exact"):
        clf.certify(X, radius=0.3, start=certificate)
    assert len(type(certificate).concatenate([certificate[:5], certificate[5:]])) == len(X)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_model_that_ignores_its_input(two_classes):
    X, y = two_classes
    model = LogisticRegression().fit(X, y)
    model.coef_, model.intercept_ = np.zeros((1, 4)), np.array([1.0])
    certificate = smoother(FrozenEstimator(model)).fit(X, y).certify(X)
    assert (certificate.radius == np.inf).all()
    assert (certificate.prediction == 2).all()


@pytest.mark.parametrize("norm", [1.001, 1.01, 2, np.inf])
@pytest.mark.parametrize("factor", [1e-100, 1e-6, 1e100])
def test_radius_of_tiny_and_huge_coefficients(norm, factor, two_classes):
    X, y = two_classes
    model = LogisticRegression().fit(X, y)
    expected = smoother(FrozenEstimator(model), norm=norm).fit(X, y).certify(X)
    model.coef_, model.intercept_ = model.coef_ * factor, model.intercept_ * factor
    clf = smoother(FrozenEstimator(model), norm=norm).fit(X, y)
    scaled = clf.certify(X)
    assert_allclose(scaled.radius, expected.radius, rtol=1e-9)
    assert_array_equal(clf.predict(X), scaled.prediction)
    assert_array_equal(clf.classes_[clf.predict_proba(X).argmax(axis=1)], scaled.prediction)
    assert np.isfinite(scaled.radius).all()
    assert_allclose(scaled.radius.min(), 0, atol=10)


def test_rows_on_the_border_are_predicted_alike(two_classes):
    X, y = two_classes
    model = LogisticRegression().fit(X, y)
    model.coef_, model.intercept_ = np.eye(1, 4), np.zeros(1)
    border = np.array([[1e-17, 0, 0, 0], [0.0, 0, 0, 0], [-1e-17, 0, 0, 0]])
    clf = smoother(FrozenEstimator(model)).fit(X, model.predict(X))
    prediction = clf.certify(border).prediction
    assert_array_equal(clf.predict(border), prediction)
    assert_array_equal(clf.classes_[clf.predict_proba(border).argmax(axis=1)], prediction)
    assert_array_equal(model.predict(border), prediction)


def test_sparse_coefficients(two_classes):
    X, y = two_classes
    model = LogisticRegression().fit(X, y)
    expected = smoother(FrozenEstimator(model)).fit(X, y).certify(X).radius
    sparsified = smoother(FrozenEstimator(model.sparsify())).fit(X, y).certify(X).radius
    assert_array_equal(sparsified, expected)


@pytest.mark.parametrize("model", LINEAR, ids=name_of_case)
def test_two_classes_are_exact(model, two_classes):
    """However the model holds one row of coefficients and one offset."""
    clf = smoother(clone(model), n_augment=1).fit(*two_classes)
    certificate = clf.certify(two_classes[0])
    assert certificate.alpha is None
    assert_array_equal(certificate.prediction, clf.estimator_.predict(two_classes[0]))


def test_linear_kernel(two_classes):
    X, y = two_classes
    assert smoother(SVC(kernel="linear")).fit(X, y).certify(X).alpha is None


@pytest.mark.parametrize("noise", [LaplaceNoise(0.3), GaussianNoise(0.3, k=20)], ids=name_of_case)
def test_two_classes_are_exact_only_for_normal_noise(noise, digits):
    X, y = digits[0], digits[1] % 2
    options = {"noise": noise, "n_estimation": 200, "n_augment": 1, "random_state": 0}
    auto = SmoothedClassifier(LogisticRegression(), **options).fit(X[:300], y[:300])
    off = SmoothedClassifier(FrozenEstimator(auto.estimator_), structure="off", **options)
    certificate = auto.certify(X[300:330])
    assert certificate.alpha == 0.001
    expected = off.fit(X[:300], y[:300]).certify(X[300:330]).counts
    assert_array_equal(certificate.counts, expected)
