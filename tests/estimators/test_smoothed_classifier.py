"""SmoothedClassifier: what it promises to scikit-learn users."""

import pickle
import warnings
from copy import copy

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_array_equal
from scipy import sparse, special, stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import estimator_html_repr

from sksmooth import SmoothedClassifier
from sksmooth.bounds import clopper_pearson_lower
from sksmooth.exceptions import NoiseCollapseWarning, UnreachableRadiusError
from sksmooth.noise import GaussianNoise
from sksmooth.noise._lattice import Rounding


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def smoother(estimator=None, **params):
    return SmoothedClassifier(
        estimator,
        **{"n_estimation": 200, "random_state": 0, "sigma": 0.3, "structure": "off", **params},
    )


# ---------------------------------------------------------------------------- the certificate


def test_certificate_is_cohens(iris):
    """Selection by one set of votes, the bound from another, the radius of the bound."""
    X, y = iris
    clf = smoother().fit(X, y)
    certificate = clf.certify(X)
    assert_array_equal(certificate.counts.sum(axis=1), 200)
    top = np.searchsorted(clf.classes_, certificate.prediction)
    p_lower = clopper_pearson_lower(certificate.counts[np.arange(150), top], 200, 0.001)
    assert_array_equal(certificate.p_lower, p_lower)
    rounding = Rounding.of(clf.noise_step_, clf.noise_, 4, certificate.moved)
    radius = rounding.shrunk(clf.noise_.radius(rounding.lower(p_lower)), 2)
    assert_array_equal(certificate.radius, radius)
    np.testing.assert_allclose(radius, np.maximum(clf.noise_.radius(p_lower), 0), atol=3e-5)
    assert certificate.alpha == 0.001


def test_predict_is_the_prediction_of_the_certificate(iris):
    X, y = iris
    clf = smoother(sigma=1.0).fit(X, y)
    assert_array_equal(clf.predict(X), clf.certify(X).prediction)
    shares = clf.predict_proba(X)
    assert_array_equal(clf.classes_[shares.argmax(axis=1)], clf.predict(X))
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_votes_have_the_probability_of_the_smoothed_classifier(iris):
    """A linear base model has a closed form."""
    X, y = iris[0][50:], iris[1][50:]
    clf = smoother(n_estimation=20_000).fit(X, y)
    model = clf.estimator_
    margin = model.decision_function(X) / np.linalg.norm(model.coef_)
    p_second = special.ndtr(margin / 0.3)
    votes = clf.certify(X).counts[:, 1]
    pvalues = [stats.binomtest(int(v), 20_000, p).pvalue for v, p in zip(votes, p_second)]
    assert min(pvalues) > 1e-3 / len(X)


def test_selection_and_estimation_use_different_noise(iris):
    X, y = iris
    clf = smoother(n_selection=200, n_estimation=200, sigma=1.0).fit(X, y)
    assert (clf.predict_proba(X) * 200 != clf.certify(X).counts).any()


def test_rows_do_not_depend_on_each_other(iris):
    X, y = iris
    clf = smoother(sigma=1.0).fit(X, y)
    whole = clf.certify(X)
    order = np.random.default_rng(0).permutation(150)
    assert_array_equal(clf.certify(X[order]).counts, whole.counts[order])
    assert_array_equal(clf.certify(X[40:41]).counts, whole.counts[40:41])
    again = clf.set_params(n_jobs=2, batch_size=17).certify(X)
    assert_array_equal(again.counts, whole.counts)


def test_deciding_a_radius(iris):
    X, y = iris
    clf = smoother().fit(X, y)
    largest = clf.set_params(n_estimation=5000).certify(X).radius
    for wanted in (0.0, 0.3, np.linspace(0, 0.9, 150)):
        decision = clf.certify(X, radius=wanted)
        agree = decision.certified == ((largest >= wanted) & (largest > 0))
        assert agree.mean() >= 0.98
        assert_array_equal(decision.certified, decision.radius >= np.maximum(wanted, 1e-300))
        assert decision.n_draws.mean() < 1000
        assert decision.n_draws.max() <= 5000


def test_decisions_do_not_depend_on_how_the_work_is_cut(iris):
    X, y = iris
    clf = smoother(sigma=1.0, n_estimation=3000).fit(X, y)
    whole = clf.certify(X, radius=0.5)
    assert len(np.unique(whole.n_draws)) > 3
    order = np.random.default_rng(0).permutation(150)
    for options in ({}, {"n_jobs": 2, "batch_size": 99}):
        part = clf.set_params(**options).certify(X[order], radius=0.5)
        assert_array_equal(part.counts, whole.counts[order])
        assert_array_equal(part.certified, whole.certified[order])
    assert_array_equal(clf.certify(X[7:8], radius=0.5).counts, whole.counts[7:8])


def test_votes_of_a_decision_are_the_first_votes_of_the_full_certificate(iris):
    X, y = iris
    clf = smoother(sigma=1.0, n_estimation=2000).fit(X, y)
    decision = clf.certify(X, radius=0.5)
    to_the_end = decision.n_draws == 2000
    assert to_the_end.any()
    assert_array_equal(decision.counts[to_the_end], clf.certify(X).counts[to_the_end])


def test_going_on_from_an_earlier_decision(iris):
    X, y = iris
    clf = smoother(sigma=1.0, n_estimation=300).fit(X, y)
    first = clf.certify(X, radius=0.5)
    again = clf.set_params(n_estimation=20_000).certify(X, radius=0.5, start=first)
    assert (first.n_calls, again.n_calls) == (1, 2)
    assert (again.counts >= first.counts).all()
    assert again.certified[first.certified].all()
    assert_array_equal(again.counts[first.certified], first.counts[first.certified])
    assert again.certified.sum() > first.certified.sum()
    assert again.n_draws.max() > 300
    assert (again.alpha_spent[again.n_draws > 300] < 0.1).all()  # the second call has a tenth
    assert_array_equal(again.prediction, first.prediction)


def test_going_on_uses_new_draws(iris):
    """The votes after going on are those of one long stream: no draw is used twice."""
    X, y = iris
    clf = smoother(sigma=1.0, n_estimation=300).fit(X, y)
    first = clf.certify(X, radius=0.5)
    clf.set_params(n_estimation=3000)
    again = clf.certify(X, radius=0.5, start=first)
    last = int(again.n_draws.max())
    assert 2000 < last <= 3000
    to_the_end = again.n_draws == last
    full = clf.set_params(n_estimation=last).certify(X)
    assert_array_equal(again.counts[to_the_end], full.counts[to_the_end])


def test_going_on_accepts_a_radius_that_only_earlier_votes_reach(iris):
    X, y = iris
    clf = smoother(n_estimation=2000).fit(X, y)
    first = clf.certify(X, radius=0.75)
    largest = first.radius.max()
    again = clf.certify(X, radius=largest, start=first)
    assert_array_equal(again.certified, first.radius == largest)


def test_what_cannot_be_continued(iris):
    X, y = iris
    clf = smoother().fit(X, y)
    first = clf.certify(X, radius=0.1)
    with pytest.raises(ValueError, match="start spent all of its alpha on a fixed number"):
        clf.certify(X, radius=0.1, start=clf.certify(X))
    with pytest.raises(ValueError, match="start has 150 rows and X has 10"):
        clf.certify(X[:10], radius=0.1, start=first)
    with pytest.raises(ValueError, match="pass the radius to decide on"):
        clf.certify(X, start=first)
    with pytest.raises(ValueError, match="must be a ClassificationCertificate, got dict"):
        clf.certify(X, radius=0.1, start={})
    with pytest.raises(ValueError, match="too small to go on with; use at least 64"):
        copy(clf).set_params(n_estimation=63).certify(X, radius=0.1, start=first)
    with pytest.raises(ValueError, match="start brings its own bilateral"):
        clf.certify(X, radius=0.1, start=first, bilateral=True)
    with pytest.raises(ValueError, match=r"other rows than X: row 0 differs \(150 in all\)"):
        clf.certify(X[::-1], radius=0.1, start=first)
    with pytest.raises(ValueError, match="made by another fit of the model"):
        smoother().fit(X, y[::-1]).certify(X, radius=0.1, start=first)
    for remedy in (clf.certify(X, radius=0.1, start=first), clf.certify(X[::-1], radius=0.1)):
        assert len(remedy) == 150


def test_joint_decisions_are_taken_up_as_joint(iris):
    X, y = iris
    clf = smoother(n_estimation=2000).fit(X, y)
    first = clf.certify(X, radius=0.2, simultaneous=True, bilateral=True)
    again = clf.certify(X, radius=0.3, start=first)
    assert again.n_simultaneous == 150
    assert again.bilateral
    assert again.alpha == first.alpha


def test_nearly_the_largest_radius_with_fewer_draws(digits):
    X, y = digits
    clf = smoother(sigma=0.25, n_estimation=10_000).fit(X[:1000], y[:1000])
    full = clf.certify(X[1000:1200])
    near = clf.certify(X[1000:1200], rtol=0.1)
    assert near.n_draws.mean() < 10_000 / 4
    assert near.radius.mean() > 0.88 * full.radius.mean()
    assert (near.alpha_spent == 1).all()
    p_lower = clopper_pearson_lower(
        near.counts[np.arange(200), near.prediction], near.n_draws, 0.001
    )
    assert_array_equal(near.p_lower, p_lower)
    assert_array_equal(clf.certify(X[1100:1101], rtol=0.1).counts, near.counts[100:101])


@pytest.mark.parametrize("rtol", [-0.1, 1, np.nan, "some"])
def test_rtol_that_is_none(iris, rtol):
    X, y = iris
    with pytest.raises(ValueError, match=r"rtol must lie in \[0, 1\)"):
        smoother().fit(X, y).certify(X, rtol=rtol)
    with pytest.raises(ValueError, match="Leave out rtol or radius"):
        smoother().fit(X, y).certify(X, rtol=0.1, radius=0.2)


def test_norms(iris):
    X, y = iris
    clf = smoother().fit(X, y)
    radius = clf.certify(X).radius
    step = clf.noise_step_  # four features; the norms of a cell differ more than those of a ball
    in_l1 = clf.set_params(norm=1).certify(X).radius
    np.testing.assert_allclose(in_l1, radius, atol=4 * step)
    assert (in_l1 <= radius).all()
    box = clf.set_params(norm=np.inf).certify(X)
    np.testing.assert_allclose(box.radius, radius / 2, atol=step)
    assert box.norm == np.inf


def test_simultaneous_and_bilateral(iris):
    X, y = iris
    clf = smoother().fit(X, y)
    joint = clf.certify(X, simultaneous=True)
    assert_array_equal(joint.radius, clf.certify(X).at(alpha=0.001 / 150).radius)
    assert joint.n_simultaneous == 150
    assert clf.certify(X, bilateral=True).bilateral


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_random_state_decides_whether_calls_repeat(iris):
    X, y = iris
    fixed = smoother(sigma=1.0).fit(X, y)
    assert_array_equal(fixed.certify(X).counts, fixed.certify(X).counts)
    fresh = smoother(sigma=1.0, random_state=None).fit(X, y)
    assert (fresh.certify(X).counts != fresh.certify(X).counts).any()
    state = np.random.RandomState(0)
    one = smoother(sigma=1.0, random_state=state).fit(X, y)
    assert_array_equal(one.certify(X).counts, one.certify(X).counts)
    two = smoother(sigma=1.0, random_state=state).fit(X, y)
    assert (one.certify(X).counts != two.certify(X).counts).any()


def test_seed_reaches_a_base_model_that_has_none(iris):
    X, y = iris
    forest = RandomForestClassifier(n_estimators=5)
    one, two = (smoother(make_pipeline(StandardScaler(), forest)).fit(X, y) for _ in range(2))
    assert_array_equal(one.certify(X).counts, two.certify(X).counts)
    seeded = smoother(DecisionTreeClassifier(random_state=7)).fit(X, y)
    assert seeded.estimator_.random_state == 7
    assert forest.random_state is None


# ------------------------------------------------------------------------------------- fit


class Recorder(ClassifierMixin, BaseEstimator):
    """Keeps what it was fitted on."""

    def fit(self, X, y, sample_weight=None, note=None):
        self.X_, self.y_, self.sample_weight_, self.note_ = X, y, sample_weight, note
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_fit_makes_noisy_copies(iris):
    X, y = iris
    base = smoother(Recorder(), n_augment=3).fit(X, y).estimator_
    assert_array_equal(base.y_, np.tile(y, 3))
    noise = base.X_ - np.tile(X, (3, 1))
    assert abs(noise.std() / 0.3 - 1) < 4 / np.sqrt(2 * noise.size)
    assert abs(np.corrcoef(noise[:150].ravel(), noise[150:300].ravel())[0, 1]) < 0.2


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_without_augmentation_the_base_model_sees_x_itself(iris):
    X, y = iris
    assert smoother(Recorder(), n_augment=0).fit(X, y).estimator_.X_ is X
    frame = pd.DataFrame(X)
    assert smoother(Recorder(), n_augment=0).fit(frame, y).estimator_.X_ is frame


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_augmentation_noise_is_not_the_noise_of_certification(iris):
    X, y = iris
    clf = smoother(Recorder(), n_augment=1).fit(X[:100], y[:100])
    used = clf.estimator_.X_ - X[:100]
    seen = []
    clf.estimator_.predict = lambda Z: seen.append(np.asarray(Z)) or np.zeros(len(Z), int)
    clf.certify(X[:1])
    drawn = np.concatenate(seen) - X[0]
    assert not np.isin(used.round(9), drawn.round(9)).any()


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_weights_are_repeated_for_the_copies(iris):
    X, y = iris
    weight = np.arange(150.0)
    fitted = smoother(Recorder(), n_augment=2).fit(X, y, sample_weight=weight, note="kept")
    assert_array_equal(fitted.estimator_.sample_weight_, np.tile(weight, 2))
    assert fitted.estimator_.note_ == "kept"


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
@pytest.mark.parametrize(
    "meta", [AdaBoostClassifier(n_estimators=2), CalibratedClassifierCV(cv=2, ensemble=False)]
)
def test_weights_reach_the_base_model_from_above(meta):
    """Meta-estimators look for the argument of `fit`, and drop weights where it is not there."""
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    smoothed = smoother(LogisticRegression(), n_augment=2)
    weighted = clone(meta).set_params(estimator=smoothed).fit(X, y, sample_weight=1.0 + 9 * y)
    plain = clone(meta).set_params(estimator=smoothed).fit(X, y)
    assert weighted.predict(X).mean() > plain.predict(X).mean() + 0.2


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_weights_through_metadata_routing(iris):
    X, y = iris
    weight = np.arange(150.0)
    with sklearn.config_context(enable_metadata_routing=True):
        base = Recorder().set_fit_request(sample_weight=True)
        fitted = smoother(base, n_augment=2).fit(X, y, sample_weight=weight)
        assert_array_equal(fitted.estimator_.sample_weight_, np.tile(weight, 2))
        silent = Recorder().set_fit_request(sample_weight=False, note=False)
        assert smoother(silent).fit(X, y).estimator_.sample_weight_ is None
        with pytest.raises(TypeError, match="unexpected argument"):
            smoother(base).fit(X, y, unknown=1)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipe = make_pipeline(scaler, smoother(base))
        pipe.fit(X, y, sample_weight=weight)
        assert pipe[-1].estimator_.sample_weight_ is not None


def test_frozen_model_is_left_as_it_is(iris):
    X, y = iris
    model = LogisticRegression(max_iter=500).fit(X, y)
    coef = model.coef_.copy()
    clf = smoother(FrozenEstimator(model)).fit(X[:60], y[:60])
    assert_array_equal(clf.estimator_.coef_, coef)
    assert_array_equal(clf.classes_, [0, 1, 2])  # not only those of the rows given to fit
    assert clf.certify(X).certified.mean() > 0.5


def test_frozen_model_that_is_no_estimator(iris):
    class Rule:
        def predict(self, X):
            return np.where(np.asarray(X)[:, 2] < 2.5, "small", "large")

    X, y = iris
    clf = smoother(FrozenEstimator(Rule())).fit(X, np.where(y == 0, "small", "large"))
    assert_array_equal(clf.classes_, ["large", "small"])
    assert clf.certify(X[:5]).prediction.tolist() == ["small"] * 5


def test_model_that_collapses_under_noise_is_reported(digits):
    X, y = digits
    frozen = FrozenEstimator(KNeighborsClassifier(1).fit(X, y))
    with pytest.warns(NoiseCollapseWarning, match=r"right on 100% .* only on \d+% .*sigma=2.0"):
        smoother(frozen, sigma=2.0).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        smoother(frozen, sigma=0.1).fit(X, y)
        smoother(LogisticRegression(max_iter=1000), sigma=0.25).fit(X, y)


# -------------------------------------------------------------------- inputs of every kind


def test_data_frames_reach_the_base_model_with_their_names(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"])
    clf = smoother().fit(frame, y)
    assert_array_equal(clf.feature_names_in_, ["sl", "sw", "pl", "pw"])
    assert_array_equal(clf.certify(frame).counts, smoother().fit(X, y).certify(X).counts)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        clf.predict(X[:2])
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(frame.rename(columns={"sl": "other"}))


def test_columns_are_selected_by_name_inside_the_base_model(iris):
    X, y = iris
    frame = pd.DataFrame(X, columns=["sl", "sw", "pl", "pw"])
    base = make_pipeline(
        make_column_transformer((StandardScaler(), ["pl", "pw"])), LogisticRegression()
    )
    assert smoother(base).fit(frame, y).score(frame, y) > 0.9


def test_polars_frames(iris):
    X, y = iris
    frame = pl.DataFrame(X, schema=["sl", "sw", "pl", "pw"])
    clf = smoother().fit(frame, y)
    if hasattr(clf.estimator_, "feature_names_in_"):  # not for polars before scikit-learn 1.7
        assert list(clf.feature_names_in_) == ["sl", "sw", "pl", "pw"]
    assert_array_equal(clf.certify(frame).counts, smoother().fit(X, y).certify(X).counts)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["setosa", "versicolor", "virginica"]),
        np.array(["setosa", "versicolor", "virginica"], dtype=object),
        np.array([10, -3, 7]),
        np.array([0.0, 1.0, 2.0]),
    ],
    ids=["str", "object", "gaps", "float"],
)
def test_labels_of_every_kind(iris, labels):
    X, y = iris
    clf = smoother().fit(X, labels[y])
    assert_array_equal(clf.classes_, np.sort(labels))
    assert set(clf.predict(X)) <= set(labels)
    assert clf.score(X, labels[y]) > 0.9
    certificate = clf.certify(X)
    assert (certificate.prediction == labels[y])[~certificate.abstained].mean() > 0.9


def test_boolean_labels(iris):
    X, y = iris
    clf = smoother().fit(X, y == 0)
    assert clf.predict(X).dtype == bool
    assert clf.score(X, y == 0) > 0.95


def test_images(digits):
    class Flat(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            assert X.ndim == 3
            self.model_ = GaussianNB().fit(X.reshape(len(X), -1), y)
            self.classes_ = self.model_.classes_
            return self

        def predict(self, X):
            assert X.shape[1:] == (8, 8)
            return self.model_.predict(X.reshape(len(X), -1))

    X, y = digits
    images = X.reshape(-1, 8, 8).astype(np.float32)
    clf = smoother(Flat()).fit(images[:300], y[:300])
    certificate = clf.certify(images[300:320])
    assert certificate.n_features == 64
    assert certificate.certified.any()


def test_single_class(iris):
    X, _ = iris
    clf = smoother(DummyClassifier()).fit(X, np.zeros(150, int))
    certificate = clf.certify(X)
    np.testing.assert_allclose(certificate.radius, certificate.max_radius(), rtol=1e-4)
    assert (certificate.radius <= certificate.max_radius()).all()


# ------------------------------------------------------------ company of other estimators


def test_inside_and_around_a_pipeline(iris):
    X, y = iris
    inside = smoother(make_pipeline(StandardScaler(), LogisticRegression())).fit(X, y)
    around = make_pipeline(StandardScaler(), smoother()).fit(X, y)
    assert inside.score(X, y) > 0.9
    assert around.score(X, y) > 0.9
    assert inside.n_features_in_ == 4


def test_cross_val_predict(iris):
    X, y = iris
    assert (cross_val_predict(smoother(), X, y) == y).mean() > 0.9
    assert cross_val_predict(smoother(), X, y, method="predict_proba").shape == (150, 3)


def test_voting_and_calibration_around_it(iris):
    X, y = iris
    vote = VotingClassifier([("a", smoother()), ("b", GaussianNB())], voting="soft").fit(X, y)
    assert vote.score(X, y) > 0.9
    assert CalibratedClassifierCV(smoother(), cv=2).fit(X, y).score(X, y) > 0.8


@pytest.mark.parametrize(
    "copy",
    [
        lambda clf, folder: pickle.loads(pickle.dumps(clf)),
        lambda clf, folder: joblib.load(joblib.dump(clf, folder / "clf.joblib")[0]),
    ],
    ids=["pickle", "joblib"],
)
def test_copies_certify_alike(iris, tmp_path, copy):
    X, y = iris
    clf = smoother(sigma=1.0).fit(X, y)
    assert_array_equal(copy(clf, tmp_path).certify(X).counts, clf.certify(X).counts)


def test_clone_has_the_parameters_and_no_fit(iris):
    X, y = iris
    clf = smoother(LogisticRegression(C=0.5), noise=GaussianNoise(0.3)).fit(X, y)
    again = clone(clf)
    assert again.get_params()["estimator__C"] == 0.5
    assert again.get_params()["noise__sigma"] == 0.3
    with pytest.raises(NotFittedError):
        again.predict(X)


def test_output_configuration_is_unharmed(iris):
    X, y = iris
    with sklearn.config_context(transform_output="pandas"):
        base = make_pipeline(StandardScaler(), LogisticRegression())
        counts = smoother(base).fit(X, y).certify(X).counts
    assert_array_equal(counts, smoother(base).fit(X, y).certify(X).counts)


def test_html_and_text(iris):
    clf = smoother(LogisticRegression(C=0.5))
    assert "LogisticRegression" in estimator_html_repr(clf)
    assert "sigma=0.3" in repr(clf)
    assert "LogisticRegression" in estimator_html_repr(clf.fit(*iris))


# ------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sigma": 0}, "'sigma' parameter of SmoothedClassifier must be a float in the range"),
        ({"sigma": np.inf}, "'sigma' parameter"),
        ({"sigma": np.nan}, "'sigma' parameter"),
        ({"alpha": 0.5}, r"'alpha' parameter .* in the range \(0.0, 0.5\). Got 0.5"),
        ({"alpha": 0}, "'alpha' parameter"),
        ({"noise": "cauchy"}, "'noise' parameter"),
        ({"norm": 0.5}, "'norm' parameter"),
        ({"n_selection": 0}, "'n_selection' parameter"),
        ({"n_augment": -1}, "'n_augment' parameter"),
        ({"batch_size": 0}, "'batch_size' parameter"),
        ({"n_jobs": 0}, "'n_jobs' parameter"),
        ({"estimator": "tree"}, "'estimator' parameter"),
        ({"n_estimation": 9}, r"n_estimation=9 is too small.*Use n_estimation >= 10"),
        ({"noise": GaussianNoise(0.1), "sigma": 2.0}, r"sigma=2.0 has no effect.*noise__sigma"),
        ({"noise": GaussianNoise(-1), "sigma": 0.25}, "'sigma' parameter of GaussianNoise"),
    ],
)
def test_parameters_that_cannot_work_are_refused_at_fit(iris, params, message):
    with pytest.raises(ValueError, match=message):
        smoother(**{"estimator": Recorder(), **params}).fit(*iris)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": 0.7}, "'alpha' parameter"),
        ({"n_estimation": 9}, r"n_estimation=9 is too small.*Use n_estimation >= 10"),
        ({"batch_size": "huge"}, "'batch_size' parameter"),
    ],
)
def test_parameters_set_after_fit_are_checked_at_certify(iris, params, message):
    X, y = iris
    clf = smoother().fit(X, y).set_params(**params)
    with pytest.raises(ValueError, match=message):
        clf.certify(X)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_nothing_is_sampled_before_the_checks(iris):
    X, y = iris
    clf = smoother(Recorder()).fit(X, y)
    clf.estimator_.predict = None
    with pytest.raises(ValueError, match="NaN"):
        clf.certify(np.full((2, 4), np.nan))


def test_draws_that_cannot_carry_a_joint_level(iris):
    X, y = iris
    clf = smoother(n_estimation=12).fit(X, y)
    clf.certify(X)
    with pytest.raises(ValueError, match=r"n_estimation=12 is too small .* Use n_estimation >= 18"):
        clf.certify(X, simultaneous=True)


def test_radius_out_of_reach(iris):
    X, y = iris
    clf = smoother().fit(X, y)
    ceiling = clf.noise_.radius(clopper_pearson_lower(200, 200, 0.45 * 0.001))
    message = f"No row can be certified at radius=2: .* proves {ceiling:.4g} at most"
    with pytest.raises(UnreachableRadiusError, match=message):
        clf.certify(X, radius=2)
    with pytest.raises(UnreachableRadiusError, match="n_estimation=400 would reach it"):
        clf.certify(X, radius=ceiling + 1e-3)
    clf.set_params(n_estimation=400).certify(X, radius=ceiling + 1e-3)
    per_row = np.full(150, 2.0)
    per_row[0] = 0.1
    assert not clf.certify(X, radius=per_row).certified[1:].any()


@pytest.mark.parametrize(
    ("radius", "message"),
    [
        (-1, "finite and not negative"),
        (np.nan, "finite and not negative"),
        ([0.1, 0.2], r"one number per row \(shape \(150,\)\)"),
    ],
)
def test_radius_that_is_none(iris, radius, message):
    X, y = iris
    with pytest.raises(ValueError, match=message):
        smoother().fit(X, y).certify(X, radius=radius)


def test_inputs_that_noise_cannot_be_added_to(iris):
    X, y = iris
    clf = smoother()
    with pytest.raises(ValueError, match="Sparse X"):
        clf.fit(sparse.csr_matrix(X), y)
    broken = X.copy()
    broken[3, 2] = np.nan
    with pytest.raises(ValueError, match="row 3, column 2"):
        clf.fit(broken, y)
    with pytest.raises(ValueError, match="row 3, column 2"):
        clf.fit(X, y).predict(broken)
    with pytest.raises(ValueError, match="columns of X are not numeric: colour"):
        clf.fit(pd.DataFrame({"colour": ["red"] * 150}), y)


def test_base_models_that_do_not_classify(iris):
    X, y = iris
    with pytest.raises(ValueError, match="LinearRegression is a regressor"):
        smoother(LinearRegression()).fit(X, y)
    with pytest.raises(ValueError, match="KMeans is a clusterer"):
        smoother(FrozenEstimator(KMeans(2, n_init=1).fit(X))).fit(X, y)
    with pytest.raises(ValueError, match="predict method, which object has not"):
        smoother(FrozenEstimator(object())).fit(X, y)
    model = GaussianNB().fit(X, y)
    with pytest.raises(ValueError, match=r"None of the labels in y \(100, 101, 102\) is a class"):
        smoother(FrozenEstimator(model)).fit(X, y + 100)
    with pytest.raises(ValueError, match="MultiOutputClassifier has several outputs"):
        smoother(FrozenEstimator(MultiOutputClassifier(GaussianNB()).fit(X, y[:, None]))).fit(X, y)
    with pytest.raises(ValueError, match="Unknown label type"):
        smoother().fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples"):
        smoother().fit(X, y[:-1])


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_model_that_changes_its_mind_is_caught_at_certify(iris):
    X, y = iris
    clf = smoother(Recorder()).fit(X, y)
    clf.estimator_.predict = lambda Z: np.full(len(Z), 9)
    with pytest.raises(ValueError, match="labels outside its classes: 9"):
        clf.certify(X)
    clf.estimator_.predict = lambda Z: np.zeros(len(Z) + 1, int)
    with pytest.raises(ValueError, match="one label per row is needed"):
        clf.predict(X)


def test_wrong_number_of_features(iris):
    X, y = iris
    with pytest.raises(ValueError, match="X has 3 features"):
        smoother().fit(X, y).certify(X[:, :3])


def test_inputs_out_of_range_are_refused(iris):
    X, y = iris
    with pytest.raises(ValueError, match=r"sigma=1e-14 is too small for X with values up to 7.9"):
        smoother(sigma=1e-14).fit(X, y)
    clf = smoother(sigma=1e-8).fit(X, y)
    far = X.copy()
    far[2, 1] = 1e3
    with pytest.raises(ValueError, match=r"X holds 1000 at row 2, feature 1, beyond .*Centre or"):
        clf.certify(far)
    assert smoother(sigma=1e-8).fit(far, y).noise_step_ is not None  # the remedy
    clf = smoother().fit(X.astype(np.float32), y)
    far[2, 1] = 1e5
    with pytest.raises(ValueError, match=r"row 2, feature 1, .*in float32 are exact"):
        clf.certify(far)
    assert len(smoother().fit(far, y).certify(far)) == len(X)


def test_progress(iris, capsys):
    X, y = iris
    smoother(verbose=True).fit(X, y).certify(X)
    err = capsys.readouterr().err
    assert "selecting: 100%" in err
    assert "certifying: 100%" in err


def test_other_real_data():
    X, y = load_breast_cancer(return_X_y=True)
    base = make_pipeline(StandardScaler(), LogisticRegression())
    clf = smoother(base, sigma=2.0).fit(X, y)
    assert clf.certify(X).certified.mean() > 0.7  # sigma is in the units of X, before scaling


def test_noise_object_is_copied_at_fit(iris):
    X, y = iris
    noise = GaussianNoise(0.3)
    clf = smoother(noise=noise).fit(X, y)
    before = clf.certify(X[:5]).radius
    noise.set_params(sigma=9.0)
    assert clf.noise_.sigma == 0.3
    with pytest.raises(ValueError, match=r"noise was changed to GaussianNoise.* Call fit again"):
        clf.certify(X[:5])
    noise.set_params(sigma=0.3)
    assert_array_equal(clf.certify(X[:5]).radius, before)


@pytest.mark.parametrize("name", ["bilateral", "simultaneous"])
@pytest.mark.parametrize("value", ["False", "no", 0, 1.0, None])
def test_switches_are_true_or_false(name, value, iris):
    X, y = iris
    clf = smoother().fit(X, y)
    with pytest.raises(ValueError, match=f"{name} must be True.* or .*, got {value!r}"):
        clf.certify(X[:2], **{name: value})
    for remedy in (False, np.True_):
        assert len(clf.certify(X[:2], **{name: remedy})) == 2
