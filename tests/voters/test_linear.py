"""Voter: linear base models vote alike, with the same law, and are exact for two classes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC

from sksmooth import SmoothedClassifier, make_certified_scorer
from sksmooth.engine._black_box import BlackBoxVoter
from sksmooth.engine._streams import DrawStream, Purpose
from sksmooth.inputs._containers import Inputs, read_inputs
from sksmooth.noise import GaussianNoise
from sksmooth.voters import LinearScores, voter_of

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*onverge")

LINEAR = [
    LogisticRegression(max_iter=300),
    LogisticRegressionCV(Cs=2, cv=2, max_iter=300),
    LinearSVC(),
    SGDClassifier(random_state=0),
    Perceptron(random_state=0),
    RidgeClassifier(),
    RidgeClassifierCV(),
    LinearDiscriminantAnalysis(),
]
AFFINE = [
    [StandardScaler()],
    [StandardScaler(with_mean=False)],
    [StandardScaler(with_std=False)],
    [StandardScaler(with_mean=False, with_std=False)],
    [MinMaxScaler((-1, 2))],
    [MaxAbsScaler()],
    [RobustScaler()],
    [RobustScaler(with_centering=False, with_scaling=False)],
    [PCA(3)],
    [TruncatedSVD(3, random_state=0)],
    [SimpleImputer()],
    ["passthrough", SimpleImputer(), StandardScaler(), PCA(3), MinMaxScaler()],
]


def name(value):
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def votes_on_the_same_noise(model, X, classes):
    """Votes through predict, and through scores, on one block of draws."""
    noise = GaussianNoise(0.5)
    rows = read_inputs(X, owner=None)
    draws = noise.draw(300, rows.shape, np.random.default_rng(0), float)
    scores = voter_of(model)
    ours = scores.count_votes(scores.embed(rows), None, scores.embed_noise(draws))
    return ours, BlackBoxVoter(model, classes).count_votes(rows, noise, draws)


@pytest.mark.parametrize("model", LINEAR, ids=name)
def test_votes_of_linear_classifiers(model, iris):
    X, y = iris
    ours, theirs = votes_on_the_same_noise(model.fit(X, y), X[::5], np.unique(y))
    assert_array_equal(ours, theirs)
    assert (theirs > 0).any(axis=0).all()


@pytest.mark.parametrize("steps", AFFINE, ids=name)
def test_votes_behind_affine_steps(steps, iris):
    X, y = iris
    model = make_pipeline(*steps, LogisticRegression(max_iter=300)).fit(X, y)
    ours, theirs = votes_on_the_same_noise(FrozenEstimator(model), X[::5], np.unique(y))
    assert_array_equal(ours, theirs)


def of_scores(n_classes):
    """Voter of a classifier whose inputs are its scores."""
    return LinearScores.of(np.eye(n_classes), np.zeros(n_classes))


@pytest.mark.parametrize("n_classes", [3, 10, 50])
def test_pruning_loses_no_vote(n_classes):
    rng = np.random.default_rng(0)
    scores = rng.normal(scale=3, size=(40, n_classes))
    draws = rng.normal(size=(500, n_classes)) * rng.uniform(0.2, 2, n_classes)
    rows = read_inputs(scores, owner=None)
    brute = (scores[:, None] + draws).argmax(axis=2)
    expected = np.stack([np.bincount(row, minlength=n_classes) for row in brute])
    assert_array_equal(of_scores(n_classes).count_votes(rows, None, draws), expected)


@pytest.mark.parametrize("factor", [1e-60, 1e60])
def test_pruning_in_single_precision_loses_no_vote(factor):
    rng = np.random.default_rng(0)
    rows = read_inputs(rng.normal(scale=3 * factor, size=(20, 4)), owner=None)
    draws = rng.normal(size=(500, 4)) * factor
    brute = (rows.values[:, None] + draws).argmax(axis=2)
    expected = np.stack([np.bincount(row, minlength=4) for row in brute])
    assert_array_equal(of_scores(4).count_votes(rows, None, draws), expected)


def test_ties_go_to_the_first_class():
    rows = read_inputs(np.zeros((2, 3)), owner=None)
    votes = of_scores(3).count_votes(rows, None, np.zeros((5, 3)))
    assert votes.tolist() == [[5, 0, 0], [5, 0, 0]]


@pytest.mark.parametrize("shape", [(3, 7), (7, 3)])
def test_noise_on_scores_has_the_law_of_projected_noise(shape):
    coef = np.random.default_rng(1).normal(size=shape)
    scores = LinearScores.of(coef, np.zeros(shape[0]))
    noise = GaussianNoise(0.5)
    stream = DrawStream(noise, 0, Purpose.ESTIMATION, (shape[1],), np.dtype(float))
    draws = scores.embed_stream(stream).take(0, 100_000)
    covariance = 0.25 * coef @ coef.T
    assert_allclose(draws.T @ draws / 1e5, covariance, atol=0.03 * np.trace(covariance) / len(coef))
    standard = draws[:, 0] / np.sqrt(covariance[0, 0])
    assert stats.kstest(standard, "norm").pvalue > 1e-3


def smoother(estimator, **params):
    return SmoothedClassifier(
        estimator, **{"sigma": 0.5, "n_estimation": 20_000, "random_state": 0, **params}
    )


def test_counts_have_the_law_of_the_black_box(iris):
    X, y = iris
    base = make_pipeline(StandardScaler(), LogisticRegression())
    auto = smoother(base).fit(X, y).certify(X[::3])
    off = smoother(base, structure="off").fit(X, y)
    assert (auto.counts != off.certify(X[::3]).counts).any()
    assert largest_z(auto.counts, off.certify(X[::3]).counts) < 4.5
    off.noise_.set_params(sigma=0.54)  # the comparison notices other noise
    assert largest_z(auto.counts, off.certify(X[::3]).counts) > 4.5


def largest_z(counts, others):
    """Largest difference of two tables of 20,000 votes a row, in standard errors."""
    shares = (counts + others) / 40_000
    spread = np.sqrt(2 * 20_000 * shares * (1 - shares))
    return np.abs((counts - others)[shares > 0.001] / spread[shares > 0.001]).max()


def test_results_do_not_depend_on_how_the_work_is_cut(iris):
    X, y = iris
    clf = smoother(LogisticRegression(max_iter=300)).fit(X, y)
    whole = clf.certify(X)
    order = np.random.default_rng(0).permutation(150)
    assert_array_equal(clf.set_params(n_jobs=2).certify(X[order]).counts, whole.counts[order])
    assert_array_equal(clf.certify(X[9:10]).counts, whole.counts[9:10])
    assert_array_equal(clf.predict(X), whole.prediction)
    decision = clf.certify(X, radius=0.3)
    assert decision.n_draws.mean() < 5000
    assert (decision.certified == (whole.radius >= 0.3)).mean() > 0.97


# ------------------------------------------------------------------------------ two classes


@pytest.fixture(scope="module")
def two_classes(iris):
    X, y = iris
    return X[50:], y[50:]


@pytest.mark.parametrize("norm", [1, 1.5, 2, 3, np.inf])
@pytest.mark.parametrize("steps", [[], [StandardScaler(), PCA(2)]], ids=name)
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


def test_sparse_coefficients(two_classes):
    X, y = two_classes
    model = LogisticRegression().fit(X, y)
    expected = smoother(FrozenEstimator(model)).fit(X, y).certify(X).radius
    sparsified = smoother(FrozenEstimator(model.sparsify())).fit(X, y).certify(X).radius
    assert_array_equal(sparsified, expected)


def test_classes_that_tie_for_the_model_tie_on_its_scores():
    """Equal rows of coefficients: the first of two such classes gets all their votes."""
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 3
    model = LogisticRegression().fit(X, y)
    model.coef_ = np.array([[1, 0.37], [1, 0.37], [-1, 0.2]])
    model.intercept_ = np.array([0.3, 0.3, 0.28])
    clf = smoother(FrozenEstimator(model)).fit(X, model.predict(X))
    counts = clf.certify([[-0.06, 0.0]]).counts
    assert counts[0, 1] == 0
    assert counts[0, 0] > 5000


@pytest.mark.parametrize("model", LINEAR, ids=name)
def test_two_classes_are_exact(model, two_classes):
    """However the model holds one row of coefficients and one offset."""
    clf = smoother(model).fit(*two_classes)
    certificate = clf.certify(two_classes[0])
    assert certificate.alpha is None
    assert_array_equal(certificate.prediction, clf.estimator_.predict(two_classes[0]))


def test_linear_kernel(two_classes):
    X, y = two_classes
    assert smoother(SVC(kernel="linear")).fit(X, y).certify(X).alpha is None


# --------------------------------------------------------------------------- what is not linear


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
        RandomForestClassifier(3, random_state=0),
        SVC(kernel="sigmoid"),
        Stubborn(max_iter=300),
        make_pipeline(Clipping(), LogisticRegression()),
        make_pipeline(PCA(2, whiten=True), LogisticRegression()),
        make_pipeline(MinMaxScaler(clip=True), LogisticRegression()),
        make_pipeline(PolynomialFeatures(2), LogisticRegression(max_iter=2000)),
        make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression(max_iter=300)),
    ],
    ids=name,
)
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_other_models_are_asked_for_every_vote(model, iris):
    X, y = iris
    auto, off = (
        smoother(model, structure=structure, n_estimation=100).fit(X, y).certify(X[::9])
        for structure in ("auto", "off")
    )
    assert_array_equal(auto.counts, off.counts)


def test_a_third_party_registers_its_model(iris):
    class Mine(LogisticRegression):
        pass

    seen = []

    @voter_of.register
    def _(model: Mine):
        seen.append(model)
        return LinearScores.of(model.coef_, model.intercept_)

    X, y = iris
    smoother(Mine(max_iter=300)).fit(X, y)
    assert seen


def test_votes_of_any_scores_and_noise():
    """The short way to the largest score, against all scores, with ties and far scales."""
    rng = np.random.default_rng(0)
    scores = LinearScores.of(np.ones((5, 2)), np.ones(5))
    for i in range(300):
        scale = 10.0 ** rng.integers(-100, 100)
        noise = rng.normal(size=(200, 5)) * 10.0 ** rng.integers(-8, 1, size=(200, 1))
        offsets = rng.normal(size=(3, 5)) * 10.0 ** rng.integers(-6, 3)
        if i % 3 == 0:
            noise, offsets = np.round(2 * noise), np.round(2 * offsets)
        if i % 20 == 0:
            noise = np.zeros_like(noise)
        noise, offsets = noise * scale, offsets * scale
        votes = scores.count_votes(Inputs(offsets, offsets.dtype, lambda X: X), None, noise)
        winners = (offsets[:, None] + noise).argmax(axis=2)
        assert_array_equal(votes, [np.bincount(row, minlength=5) for row in winners])
