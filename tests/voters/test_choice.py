"""When the voter of a base model is used, and when the model is asked for every vote."""

import numpy as np
import pytest
from case_names import name_of_case
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from voter_cases import mlp, smoother

from sksmooth import SmoothedClassifier
from sksmooth.voters import voter_of

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


class Stubborn(LogisticRegression):
    """Inherits the coefficients and does not follow them."""

    def predict(self, X):
        return np.full(len(X), self.classes_[-1])


class Clipping(StandardScaler):
    """Inherits the scale and does more."""

    def transform(self, X):
        return np.clip(super().transform(X), -0.1, 0.1)


@pytest.mark.parametrize(
    "model",
    [
        RandomForestClassifier(30, random_state=0),
        SVC(kernel="sigmoid"),
        Stubborn(max_iter=300),
        make_pipeline(Clipping(), LogisticRegression()),
        make_pipeline(PCA(2, whiten=True), LogisticRegression()),
        make_pipeline(MinMaxScaler(clip=True), LogisticRegression()),
        make_pipeline(PolynomialFeatures(2), LogisticRegression(max_iter=2000)),
        make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression(max_iter=300)),
    ],
    ids=name_of_case,
)
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_other_models_are_asked_for_every_vote(model, iris):
    X, y = iris
    auto, off = (
        smoother(model, structure=structure, n_estimation=100).fit(X, y).certify(X[::9])
        for structure in ("auto", "off")
    )
    assert_array_equal(auto.counts, off.counts)


@pytest.mark.parametrize(
    "model",
    [
        SVC(kernel="sigmoid"),
        SVC(break_ties=True),
        SVC(kernel=lambda X, Y: X @ Y.T),
        OneVsRestClassifier(SVC(kernel="sigmoid")),
        OneVsRestClassifier(KNeighborsClassifier()),
        KNeighborsClassifier(weights="distance", algorithm="brute"),
        KNeighborsClassifier(metric="manhattan", algorithm="brute"),
        KNeighborsClassifier(algorithm="kd_tree"),
        make_pipeline(PolynomialFeatures(2), SVC()),
    ],
    ids=name_of_case,
)
def test_what_is_not_known_is_left_to_the_model(model, iris):
    X, y = iris
    assert voter_of(model.fit(X, y)) is None


@pytest.mark.parametrize("model", [SVC(), SVC(kernel="linear"), OneVsRestClassifier(SVC())])
def test_support_vectors_that_are_sparse_are_left_to_the_model(model, iris):
    X, y = iris
    assert voter_of(model.fit(X, y)) is not None
    assert voter_of(model.fit(sparse.csr_matrix(X), y)) is None


def test_noise_that_is_not_added_is_left_to_the_model(digits):
    X, y = digits
    clf = SmoothedClassifier(mlp(), noise="splitting", n_estimation=100, random_state=0)
    assert not clf.fit(X[:300], y[:300]).fast_votes_


@pytest.mark.parametrize("factor", [1e-310, 1e-200, 1e200])
def test_coefficients_out_of_range_are_left_to_the_black_box(factor, two_classes):
    X, y = two_classes
    model = LogisticRegression().fit(X, y)
    model.coef_, model.intercept_ = model.coef_ * factor, model.intercept_ * factor
    clf = smoother(FrozenEstimator(model), n_estimation=100).fit(X, model.predict(X))
    certificate = clf.certify(X)
    assert certificate.alpha == 0.001
    assert np.isfinite(certificate.radius).all()


def test_products_that_would_underflow_are_left_to_the_black_box(two_classes):
    X, y = two_classes
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    model[0].scale_ = model[0].scale_ * 1e200
    model[1].coef_ = model[1].coef_ * 1e-200
    clf = smoother(FrozenEstimator(model), n_estimation=100).fit(X, model.predict(X))
    assert clf.certify(X).alpha == 0.001


def test_predict_that_is_replaced_on_the_model_is_followed(two_classes):
    X, y = two_classes
    model = LogisticRegression().fit(X, y)
    clf = smoother(FrozenEstimator(model), n_estimation=100).fit(X, y)
    model.predict = lambda Z: np.full(len(Z), 2)
    assert (clf.certify(X).prediction == 2).all()


def test_model_that_is_fitted_to_other_classes_is_not_taken_for_the_old_one(two_classes):
    X, y = two_classes
    model = LogisticRegression().fit(X, y)
    clf = smoother(FrozenEstimator(model)).fit(X, y)
    model.fit(X, y + 1)
    with pytest.raises(ValueError, match="labels outside its classes"):
        clf.certify(X[-5:])
    model.fit(X, y)
    model.classes_ = model.classes_[::-1]
    certificate = clf.set_params(n_estimation=100).certify(X)
    assert certificate.alpha == 0.001  # no longer in the order of the scores
    right = ~certificate.abstained
    assert_array_equal(certificate.prediction[right], model.predict(X)[right])


def test_model_that_changes_after_fit_is_followed(two_classes):
    X, y = two_classes
    model = SGDClassifier(random_state=0).fit(X, y)
    clf = smoother(FrozenEstimator(model)).fit(X, y)
    for _ in range(5):
        model.partial_fit(X + 3, y)
    assert_array_equal(clf.certify(X).prediction, model.predict(X))


def test_failed_fit_leaves_the_earlier_one(two_classes):
    X, y = two_classes
    one, other = LogisticRegression().fit(X, y), LogisticRegression().fit(-X, y)
    clf = smoother(FrozenEstimator(one)).fit(X, y).set_params(estimator=FrozenEstimator(other))
    with pytest.raises(ValueError, match="None of the labels in y"):
        clf.fit(X, y + 50)
    assert_array_equal(clf.certify(X).prediction, one.predict(X))


def test_structure_can_be_turned_off_after_fit(two_classes):
    X, y = two_classes
    clf = smoother(LogisticRegression(), n_estimation=100).fit(X, y)
    assert clf.certify(X).alpha is None
    assert clf.set_params(structure="off").certify(X).alpha == 0.001
