"""RobustConformalClassifier: what it promises to users of scikit-learn, and coverage on digits."""

import pickle
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from scipy import sparse
from scipy.special import ndtr, ndtri, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from sksmooth import RobustConformalClassifier
from sksmooth.attacks import projected_gradient
from sksmooth.bounds import calibration_level
from sksmooth.exceptions import UninformativeSetsWarning
from sksmooth.noise import CategoryNoise, GaussianNoise, LaplaceNoise

X, y = load_iris(return_X_y=True)
X, X_CALIBRATION, y, Y_CALIBRATION = train_test_split(X, y, test_size=90, random_state=0)


def conformal(estimator=None, **params):
    return RobustConformalClassifier(
        estimator, **{"sigma": 0.5, "radius": 0.2, "n_draws": 10, "random_state": 0, **params}
    )


def calibrated(estimator=None, **params):
    return conformal(estimator, **params).fit(X, y).conformalize(X_CALIBRATION, Y_CALIBRATION)


def test_sets_have_one_column_for_each_class_and_level():
    clf = calibrated(confidence_level=[0.5, 0.8, 0.9])
    y_pred, sets = clf.predict_set(X_CALIBRATION)
    assert sets.shape == (90, 3, 3)
    assert sets.dtype == bool
    assert set(y_pred) <= set(clf.classes_)
    assert clf.lambda_.shape == clf.k_.shape == clf.calibration_level_.shape == (3,)
    sizes = sets.sum(axis=1).mean(axis=0)
    assert sizes[0] < sizes[2]
    assert (sets[np.arange(90), Y_CALIBRATION].mean(axis=0) >= [0.5, 0.8, 0.9]).all()
    assert_array_equal(clf.predict(X_CALIBRATION), y_pred)


def test_levels_are_those_of_the_theorem():
    clf = calibrated()
    for i, alpha in enumerate([0.1]):
        ranks = {"m": 10, "k": clf.k_[i], "k_test": clf.k_test_[i]}
        level = calibration_level(alpha, noise=GaussianNoise(0.5), radius=0.2, **ranks)
        # the rounding of inputs takes a little
        assert level * 0.999 <= clf.calibration_level_[i] < level
    given = calibrated(k=5)
    assert given.k_.tolist() == [5]
    assert given.k_test_[0] < 5


def test_one_copy_is_the_published_rule():
    clf = calibrated(n_draws=1, confidence_level=0.8, radius=0.1)
    assert (clf.k_[0], clf.k_test_[0]) == (1, 1)
    assert clf.calibration_level_[0] == pytest.approx(ndtr(ndtri(0.2) - 0.2), rel=2e-3)


@pytest.mark.parametrize("score", ["lac", "aps", np.log1p])
@pytest.mark.parametrize(
    "model", [LogisticRegression(), make_pipeline(StandardScaler(), RandomForestClassifier(5))]
)
def test_scores_and_models(model, score):
    clf = calibrated(model, conformity_score=score)
    sets = clf.predict_set(X_CALIBRATION)[1][:, :, 0]
    assert sets[np.arange(90), Y_CALIBRATION].mean() >= 0.9
    assert 1 <= sets.sum(axis=1).mean() < 2.2


def test_decision_functions_are_scores_too():
    sets = calibrated(LinearSVC(dual=False)).predict_set(X_CALIBRATION)[1]
    assert sets[np.arange(90), Y_CALIBRATION, 0].mean() >= 0.9
    with pytest.raises(ValueError, match=r"'aps' needs .* predict_proba, which Perceptron has not"):
        conformal(Perceptron(), conformity_score="aps").fit(X, y)


@pytest.mark.parametrize("noise", ["laplace", "uniform", "splitting", LaplaceNoise(0.5, k=2)])
def test_noise_of_any_family(noise):
    scaled = (X - X.min(0)) / np.ptp(X, axis=0), (X_CALIBRATION - X.min(0)) / np.ptp(X, axis=0)
    sigma = {} if isinstance(noise, LaplaceNoise) else {"sigma": 0.4}
    clf = RobustConformalClassifier(
        noise=noise, radius=0.04, n_draws=20, confidence_level=0.8, random_state=0, **sigma
    )
    clf = clf.fit(scaled[0], y).conformalize(scaled[1], Y_CALIBRATION)
    sets = clf.predict_set(scaled[1])[1]
    assert sets[np.arange(90), Y_CALIBRATION, 0].mean() >= 0.75
    assert sets.mean() < 1


def test_results_do_not_depend_on_batches_workers_or_other_rows():
    clf = calibrated()
    y_pred, sets = clf.predict_set(X_CALIBRATION)
    again = calibrated(n_jobs=2, batch_size=17)
    assert_array_equal(again.lambda_, clf.lambda_)
    assert_array_equal(again.predict_set(X_CALIBRATION)[1], sets)
    assert_array_equal(clf.predict_set(X_CALIBRATION[::-1])[1], sets[::-1])
    assert_array_equal(clf.predict_set(X_CALIBRATION[7:8])[1], sets[7:8])
    assert_array_equal(pickle.loads(pickle.dumps(clf)).predict_set(X_CALIBRATION)[0], y_pred)


def test_seeds():
    clf = calibrated()
    one = clf.predict_set(X_CALIBRATION, random_state=1)[1]
    assert_array_equal(clf.predict_set(X_CALIBRATION, random_state=1)[1], one)
    assert (one != clf.predict_set(X_CALIBRATION, random_state=2)[1]).any()
    fresh = calibrated(random_state=None)
    first, second = (fresh.predict_set(X_CALIBRATION)[1] for _ in range(2))
    assert (first != second).any()


def test_the_same_seed_makes_other_noise_for_calibration_and_prediction():
    """Otherwise rows that were calibrated on would be covered too often, and others too seldom."""
    seen = []

    def remember(p):
        seen.append(p[:, 0].copy())
        return p

    clf = conformal(conformity_score=remember, n_draws=2).fit(X, y)
    clf.conformalize(X_CALIBRATION, Y_CALIBRATION)
    calibration, seen[:] = np.concatenate(seen), []
    clf.predict_set(X_CALIBRATION, random_state=0)
    assert not np.isin(calibration, np.concatenate(seen)).any()


def test_by_class():
    clf = calibrated(by_class=True, confidence_level=[0.7, 0.8])
    assert clf.lambda_.shape == (2, 3)
    sets = clf.predict_set(X_CALIBRATION)[1]
    assert sets.shape == (90, 3, 2)
    for label in range(3):
        assert sets[Y_CALIBRATION == label, label, 1].mean() >= 0.8


def test_too_few_rows_are_said():
    clf = conformal(confidence_level=[0.5, 0.99]).fit(X, y)
    with pytest.warns(UninformativeSetsWarning, match=r"level 0.99 .* are 90 rows, and (\d+) are"):
        clf.conformalize(X_CALIBRATION, Y_CALIBRATION)
    sets = clf.predict_set(X_CALIBRATION)[1]
    assert sets[:, :, 1].all()
    assert not sets[:, :, 0].all()
    keep = np.flatnonzero(Y_CALIBRATION != 1).tolist()
    keep += np.flatnonzero(Y_CALIBRATION == 1)[:9].tolist()
    few = conformal(by_class=True).fit(X, y)
    with pytest.warns(UninformativeSetsWarning, match="9 rows of class 1") as caught:
        few.conformalize(X_CALIBRATION[keep], Y_CALIBRATION[keep])
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_the_rows_that_are_said_to_be_needed_are_enough():
    clf = conformal(confidence_level=0.97).fit(X, y)
    with pytest.warns(UninformativeSetsWarning) as caught:
        clf.conformalize(X_CALIBRATION[:10], Y_CALIBRATION[:10])
    needed = int(str(caught[0].message).split(" are needed")[0].split()[-1])
    rows = np.resize(np.arange(90), needed)
    with pytest.warns(UninformativeSetsWarning):
        clf.conformalize(X_CALIBRATION[rows[1:]], Y_CALIBRATION[rows[1:]])
    clf.conformalize(X_CALIBRATION[rows], Y_CALIBRATION[rows])
    assert np.isfinite(clf.lambda_).all()


def test_a_radius_that_is_too_large_is_said():
    with pytest.warns(UninformativeSetsWarning, match="radius=30 is too large for n_draws=10"):
        clf = calibrated(radius=30.0)
    assert clf.predict_set(X_CALIBRATION)[1].all()


def test_what_a_calibration_rests_on_cannot_change_afterwards():
    clf = conformal().fit(X, y)
    with pytest.raises(NotFittedError, match=r"not calibrated yet. Call conformalize"):
        clf.predict_set(X)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        conformal().predict_set(X)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        conformal().conformalize(X, y)
    clf.set_params(radius=0.1).conformalize(X_CALIBRATION, Y_CALIBRATION)
    clf.predict_set(X)
    for name, value in {"radius": 0.3, "n_draws": 9, "confidence_level": 0.8, "k": 3}.items():
        before = getattr(clf, name)
        with pytest.raises(ValueError, match=f"{name} was changed to {value} after conformalize"):
            clf.set_params(**{name: value}).predict_set(X)
        clf.set_params(**{name: before}).predict_set(X)
    with pytest.raises(ValueError, match=r"sigma was changed to 0\.4 after fit"):
        clf.set_params(sigma=0.4).predict_set(X)
    clf.set_params(sigma=0.5).fit(X, y)
    with pytest.raises(NotFittedError, match="not calibrated yet"):  # of another model
        clf.predict_set(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"radius": -0.1}, "'radius' parameter"),
        ({"n_draws": 0}, "'n_draws' parameter"),
        ({"confidence_level": 1.0}, "'confidence_level' parameter"),
        ({"confidence_level": [0.9, 1.2]}, r"confidence_level must be a number in \(0, 1\) or a"),
        ({"confidence_level": []}, "confidence_level must be a number"),
        ({"conformity_score": "raps"}, "'conformity_score' parameter"),
        ({"k": 11}, "k=11 is a rank among n_draws=10 noisy copies"),
        ({"n_poisoned": -1}, "'n_poisoned' parameter"),
        ({"pac_delta": 1.5}, "'pac_delta' parameter"),
        ({"noise": "splitting", "norm": 2}, "certifies in the norm 1 only"),
        ({"noise": "cauchy"}, "'noise' parameter"),
        ({"estimator": KMeans()}, "has to be a classifier; KMeans is a clusterer"),
        ({"noise": "splitting", "feature_scale": [1, 1, 0, 1]}, "replaces what it finds in every"),
    ],
)
def test_wrong_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        conformal(**params).fit(X, y)


def test_wrong_inputs():
    clf = conformal().fit(X, y)
    with pytest.raises(ValueError, match=r"y holds labels that are no classes .*: 7\. Known"):
        clf.conformalize(X_CALIBRATION, np.where(Y_CALIBRATION == 2, 7, Y_CALIBRATION))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clf.conformalize(X_CALIBRATION, Y_CALIBRATION[1:])
    with pytest.raises(ValueError, match="Sparse X is not supported"):
        clf.conformalize(sparse.csr_matrix(X_CALIBRATION), Y_CALIBRATION)
    with pytest.raises(ValueError, match="X contains NaN at row 2"):
        clf.conformalize(
            np.where(np.arange(90)[:, None] == 2, np.nan, X_CALIBRATION), Y_CALIBRATION
        )
    clf.conformalize(X_CALIBRATION, Y_CALIBRATION)
    with pytest.raises(ValueError, match="feature"):
        clf.predict_set(X[:, :3])
    with pytest.raises(ValueError, match="beyond"):
        clf.predict_set(X * 1e12)


def test_frozen_models_need_no_data():
    model = LogisticRegression(max_iter=500).fit(X, y)
    by_data = conformal(FrozenEstimator(model)).fit(X, y)
    without = conformal(FrozenEstimator(model)).fit()
    for clf in (by_data, without):
        clf.conformalize(X_CALIBRATION, Y_CALIBRATION)
        assert_array_equal(clf.estimator_.coef_, model.coef_)
        assert clf.predict_set(X)[1].shape == (60, 3, 1)
    with pytest.raises(ValueError, match="fit needs X and y"):
        conformal(LogisticRegression()).fit()


def test_data_frames_names_and_integers():
    names = np.array(["setosa", "versicolor", "virginica"])
    frame, calibration = (pd.DataFrame(A, columns=list("abcd")) for A in (X, X_CALIBRATION))
    clf = conformal().fit(frame, names[y]).conformalize(calibration, names[Y_CALIBRATION])
    plain = calibrated()
    assert_array_equal(clf.classes_, names)
    assert_array_equal(clf.lambda_, plain.lambda_)
    assert_array_equal(clf.predict_set(calibration)[0], names[plain.predict_set(X_CALIBRATION)[0]])
    assert_array_equal(clf.feature_names_in_, list("abcd"))
    whole = (10 * X).astype(int), (10 * X_CALIBRATION).astype(int)
    clf = conformal(sigma=5.0, radius=2.0).fit(whole[0], y).conformalize(whole[1], Y_CALIBRATION)
    assert clf.predict_set(whole[1])[1].mean() < 0.7
    single = conformal().fit(X.astype(np.float32), y)
    single.conformalize(X_CALIBRATION.astype(np.float32), Y_CALIBRATION)
    assert single.predict_set(X.astype(np.float32))[1].mean() < 0.7


def test_a_scale_for_each_column():
    wide, calibration = X * [1, 10, 100, 1000], X_CALIBRATION * [1, 10, 100, 1000]
    model = make_pipeline(StandardScaler(), LogisticRegression())
    clf = conformal(model, feature_scale=[1, 10, 100, 1000]).fit(wide, y)
    clf.conformalize(calibration, Y_CALIBRATION)
    assert clf.predict_set(calibration)[1].mean() < 0.6
    fixed = conformal(model, feature_scale=[1, 10, 0, 1000]).fit(wide, y)
    fixed.conformalize(calibration, Y_CALIBRATION)
    assert fixed.noise_step_ is not None


def test_in_searches_and_clones():
    search = GridSearchCV(conformal(), {"sigma": [0.2, 0.5]}, cv=2).fit(X, y)
    best = search.best_estimator_.conformalize(X_CALIBRATION, Y_CALIBRATION)
    assert best.predict_set(X)[1].shape == (60, 3, 1)
    copied = clone(best)
    assert not hasattr(copied, "lambda_")
    assert copied.get_params()["radius"] == 0.2


def test_metadata_is_routed_to_the_base_model():
    with sklearn.config_context(enable_metadata_routing=True):
        weights = np.where(y == 0, 0.0, 1.0)
        model = LogisticRegression(max_iter=500).set_fit_request(sample_weight=True)
        clf = conformal(model).fit(X, y, sample_weight=weights)
        assert not (clf.predict(X) == 0).any()
        ignoring = LogisticRegression(max_iter=500).set_fit_request(sample_weight=False)
        with pytest.raises(TypeError, match="not routed to any object"):
            conformal(ignoring).fit(X, y, sample_weight=weights)


def test_weights_reach_the_base_model():
    weights = np.where(y == 0, 0.0, 1.0)
    clf = conformal(LogisticRegression(max_iter=500)).fit(X, y, sample_weight=weights)
    assert not (clf.predict(X) == 0).any()


# ------------------------------------------------------------------------------------- on digits


@pytest.fixture(scope="module")
def noisy_mlp(digits):
    """A perceptron that was trained under noise of half the range of pixels, and rows left."""
    A, labels = digits
    order = np.random.default_rng(0).permutation(len(A))
    A, labels = A[order], labels[order]
    model = MLPClassifier((128,), max_iter=60, random_state=0)
    clf = RobustConformalClassifier(model, sigma=0.5, n_augment=10, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as many epochs as are enough
        clf.fit(A[:800], labels[:800])
    return clf.estimator_, A[800:], labels[800:]


SIZES = [(0.25, 10, 1.2), (0.25, 100, 1.1), (0.5, 10, 1.7), (0.5, 100, 1.4)]


@pytest.mark.slow
@pytest.mark.parametrize(("radius", "n_draws", "largest"), SIZES)
def test_sets_of_digits_are_small(noisy_mlp, radius, n_draws, largest):
    model, A, labels = noisy_mlp
    sizes, covered = [], []
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(len(A))
        calibration, test = order[:500], order[500:]
        clf = RobustConformalClassifier(
            FrozenEstimator(model), sigma=0.5, radius=radius, n_draws=n_draws, random_state=seed
        ).fit()
        clf.conformalize(A[calibration], labels[calibration])
        sets = clf.predict_set(A[test])[1][:, :, 0]
        sizes.append(sets.sum(axis=1).mean())
        covered.append(sets[np.arange(len(test)), labels[test]].mean())
    assert np.mean(sizes) <= largest
    assert np.mean(covered) >= 0.9


def gradient_under_noise(rows, *, model, labels, sigma, rng):
    """Gradient of the logarithm of the probability of the labels, over eight noisy copies."""
    weights, biases, total = model.coefs_, model.intercepts_, np.zeros_like(rows)
    for _ in range(8):
        noisy = rows + sigma * rng.normal(size=rows.shape)
        hidden = np.maximum(noisy @ weights[0] + biases[0], 0)
        answers = softmax(hidden @ weights[1] + biases[1], axis=1)
        rest = (labels[:, None] == model.classes_) - answers
        total += ((rest @ weights[1].T) * (hidden > 0)) @ weights[0].T
    return total


@pytest.mark.slow
def test_digits_are_covered_under_a_gradient_attack_and_controls_are_not(noisy_mlp):
    """25 sets of noise, with a split of the rows for each; 20 steps within the ball."""
    model, A, labels = noisy_mlp
    frozen, radius = FrozenEstimator(model), 0.5
    options = {
        "robust": {"sigma": 0.5, "radius": radius, "n_draws": 10},
        "under noise": {"sigma": 0.5, "radius": 0.0, "n_draws": 10},
        "vanilla": {"sigma": 1e-3, "radius": 0.0, "n_draws": 1},
    }
    coverage = {name: [] for name in options}
    for seed in range(25):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(A))
        calibration, test = order[:500], order[500:]
        for name, some in options.items():
            clf = RobustConformalClassifier(frozen, random_state=seed, **some).fit()
            clf.conformalize(A[calibration], labels[calibration])
            sigma = 0.0 if name == "vanilla" else 0.5
            given = {"model": model, "labels": labels[test], "sigma": sigma, "rng": rng}
            attack = partial(gradient_under_noise, **given)
            signs = np.ones(len(test))
            moved = projected_gradient(attack, A[test], signs, radius=radius, n_steps=20)
            sets = clf.predict_set(moved)[1][:, :, 0]
            coverage[name].append(sets[np.arange(len(test)), labels[test]].mean())
    error = np.std(coverage["robust"]) / 5
    assert np.mean(coverage["robust"]) >= 0.9 - 3 * error
    assert np.mean(coverage["under noise"]) < 0.7
    assert np.mean(coverage["vanilla"]) < 0.6


# ------------------------------------------------------------------------------------- on tables


def flags(rng, n):
    """Five flags, most of which say the label, and a number that says nothing."""
    labels = rng.integers(2, size=n)
    says = np.where(rng.random((n, 5)) < 0.9, labels[:, None], 1 - labels[:, None])
    frame = pd.DataFrame(np.array(["no", "yes"])[says], columns=list("abcde"))
    return frame.assign(number=rng.normal(size=n)), labels


def misleading(frame, labels):
    """Change one flag of each row that says the label, so that it says the other one."""
    values, wrong = frame[list("abcde")].to_numpy(copy=True), np.where(labels == 1, "no", "yes")
    says_it = (values != wrong[:, None]).argmax(axis=1)
    values[np.arange(len(values)), says_it] = wrong
    return pd.DataFrame(values, columns=list("abcde")).assign(number=frame["number"])


def test_coverage_where_a_category_is_changed():
    """By categories that change and numbers that move: 10 populations, 0.01 of error."""
    encoder = make_column_transformer((OneHotEncoder(), list("abcde")), remainder="passthrough")
    model = make_pipeline(encoder, LogisticRegression())
    frame, labels = flags(np.random.default_rng(0), 400)
    options = {"categorical": CategoryNoise(keep=0.7), "sigma": 1.0, "n_draws": 10}
    missed = {0: [], 1: []}
    for changes, found in missed.items():
        clf = RobustConformalClassifier(
            model, radius=0.1 * changes, changes=changes, random_state=0, **options
        ).fit(frame, labels)
        for repeat in range(10):
            rng = np.random.default_rng(repeat)
            clf.conformalize(*flags(rng, 200))
            test, truth = flags(rng, 200)
            sets = clf.predict_set(misleading(test, truth), random_state=repeat)[1]
            found.append(1 - sets[np.arange(200), truth, 0].mean())
    assert np.mean(missed[1]) <= 0.1 + 0.03
    assert np.mean(missed[0]) > 0.2


def test_categories_that_bear_no_noise():
    frame, labels = flags(np.random.default_rng(0), 300)
    encoder = make_column_transformer((OneHotEncoder(), list("abcde")), remainder="passthrough")
    clf = conformal(make_pipeline(encoder, LogisticRegression()), categorical="fixed")
    clf.fit(frame[:100], labels[:100]).conformalize(frame[100:], labels[100:])
    assert clf.predict_set(frame)[1].mean() < 0.75
    with pytest.raises(ValueError, match="changes=1 is about categorical columns under noise"):
        clf.set_params(changes=1).conformalize(frame, labels)
    with pytest.raises(ValueError, match="not numeric: a, b, c, d, e"):
        conformal().fit(frame, labels)
    with pytest.raises(ValueError, match="needs the levels of training data"):
        RobustConformalClassifier(
            FrozenEstimator(clf.estimator_), categorical=CategoryNoise()
        ).fit()


# --------------------------------------------------------------------------- in floating point


class Knows(ClassifierMixin, BaseEstimator):
    """Scores 1 for the label 1 where noise was added to one row, known by the rounding of sums."""

    def __init__(self, row):
        self.row = row
        self.classes_ = np.array([0, 1])

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        known = ((self.row + (X - self.row) != X).sum(axis=1) <= 1).astype(float)
        return np.column_stack([1 - known, known])


@pytest.mark.parametrize("rounded", [True, False])
def test_no_model_reads_the_row_off_the_last_bits(rounded):
    """All rows are one row, and an attack moves it by less than anybody could see."""
    row = np.random.default_rng(0).normal(size=64)
    rows, labels = np.tile(row, (100, 1)), np.ones(100, int)
    model = FrozenEstimator(Knows(row))
    clf = RobustConformalClassifier(model, sigma=0.5, radius=0.1, random_state=0)
    clf.fit(rows, labels)
    if not rounded:
        clf._lattice = None  # the plain sum: the control
    clf.conformalize(rows, labels)
    moved = row + 1e-9 * np.random.default_rng(1).normal(size=(50, 64))
    covered = clf.predict_set(moved)[1][:, 1, 0].mean()
    assert covered >= 0.9 if rounded else covered < 0.1
