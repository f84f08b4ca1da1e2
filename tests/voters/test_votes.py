"""Votes taken with the voter of a model are those of the model on the same noise."""

import numpy as np
import pytest
from case_names import name_of_case
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, NuSVC

from sksmooth import SmoothedClassifier
from sksmooth.engine._black_box import BlackBoxVoter
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise, LaplaceNoise, UniformNoise
from sksmooth.voters import voter_of
from sksmooth.voters._one_vs_rest import LastOfEquals
from sksmooth.voters._votes import count_largest, count_pairs

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


def mlp(**params):
    return MLPClassifier(**{"hidden_layer_sizes": 20, "max_iter": 30, "random_state": 0, **params})


MODELS = {
    "mlp": mlp(),
    "mlp wide": mlp(hidden_layer_sizes=70),
    "mlp tanh": mlp(activation="tanh"),
    "mlp logistic": mlp(activation="logistic"),
    "mlp identity": mlp(activation="identity"),
    "mlp deep": mlp(hidden_layer_sizes=(20, 10, 5), max_iter=60),
    "mlp behind scaler": make_pipeline(StandardScaler(), mlp(hidden_layer_sizes=64)),
    "mlp behind pca": make_pipeline(MinMaxScaler((-1, 2)), PCA(10), mlp()),
    "svc": SVC(),
    "svc of ovo scores": SVC(decision_function_shape="ovo"),
    "nu svc": NuSVC(nu=0.2),
    "svc degree 2": SVC(kernel="poly", degree=2, coef0=1.0),
    "svc degree 3": SVC(kernel="poly"),
    "svc linear": SVC(kernel="linear"),
    "svc behind pca": make_pipeline(StandardScaler(), PCA(10), SVC()),
    "svc that is narrow": SVC(gamma=0.5),
    "one svc per class": OneVsRestClassifier(SVC()),
    "one cubic svc per class": OneVsRestClassifier(SVC(kernel="poly")),
    "one line per class": OneVsRestClassifier(LogisticRegression()),
    "nearest": KNeighborsClassifier(1, algorithm="brute"),
    "5 nearest": KNeighborsClassifier(5, algorithm="brute"),
    "5 nearest behind pca": make_pipeline(
        MinMaxScaler(), PCA(10), KNeighborsClassifier(5, algorithm="brute")
    ),
}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:600] / 16, y[:600]


def votes_on_the_same_noise(model, X, classes, sigma=0.3):
    """Votes through the voter, and through predict, on one block of draws."""
    rows = read_inputs(X, owner=None)
    noise = GaussianNoise(sigma)
    draws = noise.draw(150, rows.shape, np.random.default_rng(0), rows.dtype)
    voter = voter_of(model)
    assert voter.suits(rows)
    ours = voter.count_votes(voter.embed(rows), noise, voter.embed_noise(draws))
    return ours, BlackBoxVoter(model, classes).count_votes(rows, noise, draws)


@pytest.mark.parametrize("labels", ["ten classes", "two classes"])
@pytest.mark.parametrize("model", MODELS)
def test_votes_are_those_of_predict(model, labels, digits):
    X, y = digits
    y = y if labels == "ten classes" else np.where(np.isin(y, [1, 3, 4, 9]), "yes", "no")
    fitted = clone(MODELS[model]).fit(X[:400], y[:400])
    ours, theirs = votes_on_the_same_noise(fitted, X[400::8], np.unique(y))
    assert_array_equal(ours, theirs)
    assert (theirs.max(axis=1) < 150).sum() > 2


@pytest.mark.parametrize("model", ["mlp wide", "mlp behind scaler", "svc", "5 nearest"])
def test_counts_are_those_of_the_black_box(model, digits):
    X, y = digits
    options = {"sigma": 0.3, "n_estimation": 300, "n_augment": 1, "random_state": 0}
    auto = SmoothedClassifier(clone(MODELS[model]), **options).fit(X[:300], y[:300])
    off = SmoothedClassifier(FrozenEstimator(auto.estimator_), structure="off", **options)
    off.fit(X[:300], y[:300])
    expected = off.certify(X[300:330])
    assert_array_equal(auto.certify(X[300:330]).counts, expected.counts)
    assert_array_equal(auto.set_params(n_jobs=2).certify(X[300:330]).counts, expected.counts)
    assert_array_equal(auto.certify(X[329:299:-1]).counts, expected.counts[::-1])
    decided = auto.certify(X[300:330], radius=0.2)
    assert_array_equal(decided.counts, off.certify(X[300:330], radius=0.2).counts)


def test_few_units_get_noise_of_the_law_that_the_model_sees(digits):
    """Fewer units than features: the noise is drawn on the units, not the same as on inputs."""
    X, y = digits
    options = {"sigma": 0.3, "n_estimation": 20_000, "n_augment": 1, "random_state": 0}
    auto = SmoothedClassifier(mlp(), **options).fit(X[:300], y[:300])
    off = SmoothedClassifier(FrozenEstimator(auto.estimator_), structure="off", **options)
    off.fit(X[:300], y[:300])
    counts, expected = auto.certify(X[300:330]).counts, off.certify(X[300:330]).counts
    assert (counts != expected).any()
    assert largest_z(counts, expected) < 4.5
    off.noise_.set_params(sigma=0.31)  # the comparison notices other noise
    assert largest_z(counts, off.certify(X[300:330]).counts) > 4.5


def largest_z(counts, others):
    """Largest difference of two tables of 20,000 votes a row, in standard errors."""
    shares = (counts + others) / 40_000
    spread = np.sqrt(2 * 20_000 * shares * (1 - shares))
    return np.abs((counts - others)[shares > 0.001] / spread[shares > 0.001]).max()


def test_many_rows_are_taken_in_parts(digits, monkeypatch):
    X, y = digits
    clf = SmoothedClassifier(mlp(), n_estimation=100, random_state=0).fit(X, y)
    whole = clf.certify(X[:50]).counts
    monkeypatch.setattr("sksmooth.engine._counting._VALUES_OF_INPUTS", 20 * 7)
    assert_array_equal(clf.certify(X[:50]).counts, whole)


def test_single_precision_is_kept(digits):
    X, y = digits[0].astype(np.float32), digits[1]
    for model in (mlp(), make_pipeline(StandardScaler(), mlp())):
        fitted = model.fit(X[:400], y[:400])
        ours, theirs = votes_on_the_same_noise(fitted, X[400::8], np.unique(y))
        assert voter_of(fitted).embed_noise(X[:2]).dtype == np.float32
        assert np.abs(ours - theirs).sum() <= 2  # sums are rounded in another order


def test_layers_are_not_used_in_another_precision(digits):
    X, y = digits
    fitted = mlp().fit(X[:400].astype(np.float32), y[:400])
    assert not voter_of(fitted).suits(read_inputs(X, owner=None))


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
def test_what_is_not_known_is_left_to_the_model(model):
    X, y = load_iris(return_X_y=True)
    assert voter_of(model.fit(X, y)) is None


def test_equal_points_of_different_classes_are_left_to_the_model():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-0.0, 0.0]])
    model = KNeighborsClassifier(1, algorithm="brute")
    assert voter_of(model.fit(X, [0, 0, 1, 1])) is None
    assert voter_of(model.fit(X, [0, 1, 1, 0])) is not None


def test_exponentials_out_of_range_are_summed_as_logarithms(digits):
    """A narrow kernel far from the data: shared factors would be infinite."""
    X, y = digits
    model = SVC(gamma=1.0).fit(X[:400] * 6, y[:400])
    voter = voter_of(model)
    draws = np.random.default_rng(0).normal(size=(50, 64)) * 6
    assert voter.embed_noise(draws).factors is None
    ours, theirs = votes_on_the_same_noise(model, X[400::8] * 6, np.unique(y), sigma=2.0)
    assert_array_equal(ours, theirs)


def test_first_of_equals_wins():
    scores = np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 3.0], [1.0, 1.0, 3.0]])
    assert count_largest(scores).tolist() == [2, 1, 0]


def test_nan_and_equals_in_one_call():
    """The NaN is the largest for numpy and torch; here there are as many winners as draws."""
    scores = np.array([[1.0, 1.0, 0.0], [2.0, np.nan, 0.0], [2.0, 3.0, 5.0]])
    assert count_largest(scores).tolist() == [0, 2, 1]


@pytest.mark.parametrize("n_classes", [3, 4, 10])
def test_pairs_are_counted_as_in_a_loop(n_classes):
    first, second = np.triu_indices(n_classes, 1)
    scores = np.random.default_rng(0).normal(size=(len(first), 500))
    wins = np.zeros((n_classes, 500), int)
    for row, i, j in zip(scores, first, second):
        wins[i] += row > 0
        wins[j] += row <= 0
    expected = np.bincount(wins.argmax(axis=0), minlength=n_classes)
    assert_array_equal(count_pairs(scores, n_classes), expected)
    assert (np.sort(wins, axis=0)[-1] == np.sort(wins, axis=0)[-2]).any()


@pytest.mark.parametrize("model", ["mlp", "svc", "one line per class"])
@pytest.mark.parametrize(
    "noise", [LaplaceNoise(0.3), UniformNoise(0.3), GaussianNoise(0.3, k=20)], ids=name_of_case
)
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_noise_of_another_law_is_projected(model, noise, digits):
    X, y = digits
    y = np.minimum(y, 2)
    options = {"noise": noise, "n_estimation": 200, "n_augment": 1, "random_state": 0}
    auto = SmoothedClassifier(clone(MODELS[model]), **options).fit(X[:300], y[:300])
    assert auto.fast_votes_
    off = SmoothedClassifier(FrozenEstimator(auto.estimator_), structure="off", **options)
    expected = off.fit(X[:300], y[:300]).certify(X[300:330]).counts
    assert_array_equal(auto.certify(X[300:330]).counts, expected)


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


def test_noise_that_is_not_added_is_left_to_the_model(digits):
    X, y = digits
    clf = SmoothedClassifier(mlp(), noise="splitting", n_estimation=100, random_state=0)
    assert not clf.fit(X[:300], y[:300]).fast_votes_


def test_rows_far_from_all_support_vectors():
    """Factors of a row can leave the range of floats while their product does not."""
    X, y = np.array([[-0.3], [0.3]]), np.array([1, 0])
    model = SVC(gamma=1.0).fit(X, y)
    far = np.array([[28.0], [22.0], [35.0], [0.0]])
    ours, theirs = votes_on_the_same_noise(model, far, np.array([0, 1]), sigma=4.0)
    assert_array_equal(ours, theirs)
    assert (theirs > 0).all(axis=1).sum() > 1


@pytest.mark.parametrize(
    "model",
    [
        OneVsRestClassifier(SVC(gamma=10.0)),
        make_pipeline(StandardScaler(), OneVsRestClassifier(SVC(gamma=10.0))),
        OneVsRestClassifier(LogisticRegression(C=1e-12)),
    ],
    ids=name_of_case,
)
def test_ties_far_from_the_data_go_where_predict_lets_them_go(model):
    X, y = np.random.default_rng(0).normal(size=(90, 20)), np.repeat([0, 1, 2], 30)
    model.fit(X, y)
    if isinstance(getattr(model, "estimator", None), LogisticRegression):
        for part in model.estimators_:
            part.coef_, part.intercept_ = part.coef_ * 0, part.intercept_ * 0
    ours, theirs = votes_on_the_same_noise(model, X[:5], np.arange(3), sigma=30.0)
    assert_array_equal(ours, theirs)


def test_last_of_equals(digits):
    """Votes with the classes in the opposite order differ in ties only."""
    X, y = digits
    for estimator in (SVC(), SVC(kernel="poly"), LogisticRegression()):
        voter = voter_of(OneVsRestClassifier(estimator).fit(X[:300], y[:300]))
        voter = getattr(voter, "structure", voter)  # of scikit-learn 1.6
        rows = read_inputs(X[300:320], owner=None)
        draws = GaussianNoise(0.3).draw(60, rows.shape, np.random.default_rng(0), rows.dtype)
        other = LastOfEquals(voter)
        expected = voter.count_votes(voter.embed(rows), None, voter.embed_noise(draws))
        assert_array_equal(
            other.count_votes(other.embed(rows), None, other.embed_noise(draws)), expected
        )
        assert other.n_classes == 10
