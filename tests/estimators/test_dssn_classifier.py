"""Deterministic smoothing with splitting noise: exact, and exactly as far as it says."""

import pickle
from copy import copy
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sksmooth import (
    ClassificationCertificate,
    DSSNClassifier,
    certified_accuracy_score,
    make_certified_scorer,
)
from sksmooth.certifiers.splits._grid import Grid
from sksmooth.certifiers.splits._shifts import Splits


class Arbitrary(ClassifierMixin, BaseEstimator):
    """Any function at all of the split values: a random label for each point."""

    def __init__(self, n_classes=3, seed=0):
        self.n_classes = n_classes
        self.seed = seed

    def fit(self, X, y):
        self.classes_ = np.arange(self.n_classes)
        return self

    def predict_proba(self, X):
        shares = [self._random(row) for row in X]
        return np.array(shares) / np.sum(shares, axis=1, keepdims=True)

    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)

    def _random(self, row):
        words = np.ascontiguousarray(row).view(np.uint32).tolist()
        return np.random.default_rng([self.seed, *words]).random(self.n_classes) ** 3


def small(q, sigma, n_features, seed, **params):
    """Smoother of an arbitrary function, and all rows on its grid."""
    X = np.array(list(product(range(q + 1), repeat=n_features)), dtype=float)
    params = {"n_steps": q, "feature_range": (0, q), "n_augment": 0, **params}
    clf = DSSNClassifier(Arbitrary(seed=seed), sigma=sigma, random_state=seed, **params)
    return clf.fit(X, np.arange(len(X)) % 3), X


def least_distance(X, prediction, cost):
    """Cost of the cheapest row of another class, for each row."""
    steps = np.abs(X[:, None] - X)
    total = cost(steps).sum(axis=2)
    total[prediction[:, None] == prediction] = np.inf
    return total.min(axis=1)


CASES = [(2, 0.3, 3), (3, 0.4, 2), (4, 0.2, 2), (4, 0.6, 2), (5, 0.15, 2), (5, 0.8, 1), (3, 1.1, 2)]


@pytest.mark.parametrize("vote", ["hard", "soft"])
@pytest.mark.parametrize(("q", "sigma", "n_features"), CASES)
def test_no_row_within_the_radius_has_another_class(q, sigma, n_features, vote):
    attained, rows = 0, 0
    for seed in range(6):
        clf, X = small(q, sigma, n_features, seed, vote=vote)
        certificate = clf.certify(X)
        prediction = certificate.prediction
        assert_array_equal(prediction, clf.predict(X))
        nearest = least_distance(X, prediction, lambda steps: steps)
        assert (nearest > certificate.radius).all()
        attained, rows = attained + (nearest == certificate.radius + 1).sum(), rows + len(X)
        # Rounding moves a feature by k steps once it has moved by k - 1/2.
        real = clf.certify(X, perturbation="real")
        nearest = least_distance(X, prediction, lambda steps: np.maximum(steps - 0.5, 0))
        assert (nearest > real.radius).all()
        assert (real.perturbed, certificate.perturbed) == ("real", "grid")
    if vote == "hard" and sigma < 0.5:  # with more, the grid often ends before
        assert attained > 0.1 * rows


def test_radius_on_the_grid_is_too_large_for_real_perturbations():
    wrong = 0
    for seed in range(6):
        clf, X = small(4, 0.6, 2, seed)
        certificate = clf.certify(X)
        real = least_distance(X, certificate.prediction, lambda steps: np.maximum(steps - 0.5, 0))
        wrong += (real <= certificate.radius).sum()
    assert wrong > 0


def test_check_notices_one_step_too_many():
    wrong = 0
    for seed in range(6):
        clf, X = small(4, 0.6, 2, seed)
        certificate = clf.certify(X)
        nearest = least_distance(X, certificate.prediction, lambda steps: steps)
        wrong += (nearest <= certificate.radius + 1).sum()
    assert wrong > 0


def test_rows_between_levels():
    """Real rows, rounded: nothing nearer than the radius is rounded to another class."""
    rng = np.random.default_rng(0)
    for seed in range(4):
        clf, X = small(3, 0.5, 2, seed, off_grid="round")
        between = rng.uniform(-0.7, 3.7, size=(40, 2))
        certificate = clf.certify(between, perturbation="real")
        borders = np.stack([X - 0.5, X + 0.5])
        borders[0][X == 0], borders[1][X == 3] = -np.inf, np.inf
        gap = np.maximum(borders[0][None] - between[:, None], between[:, None] - borders[1][None])
        away = np.maximum(gap, 0).sum(axis=2)
        away[certificate.prediction[:, None] == clf.predict(X)] = np.inf
        assert (away.min(axis=1) >= certificate.radius).all()
        with pytest.raises(ValueError, match="Ask for perturbation='real'"):
            clf.certify(between)


# ------------------------------------------------------------------------------------ real data


@pytest.fixture(scope="module")
def fitted(digits_on_levels):
    X, y = digits_on_levels
    base = RandomForestClassifier(10, random_state=0)
    clf = DSSNClassifier(base, n_steps=16, feature_range=(0, 16), n_augment=3, random_state=0)
    return clf.fit(X[:800], y[:800])


@pytest.fixture(scope="module")
def digits_on_levels():
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


def splits_of(clf):
    """What the base model of a classifier for digits sees."""
    low, high = map(np.asarray, clf.feature_range_)
    return Splits(Grid(low, high, clf.n_steps_), clf.n_shifts_, clf.offsets_, np.dtype(float))


def test_certificate_of_digits(fitted, digits_on_levels):
    X, y = digits_on_levels
    certificate = fitted.certify(X[800:900])
    assert certificate.alpha is None
    assert certificate.norm == 1
    assert (certificate.counts.sum(axis=1) == fitted.n_shifts_).all()
    assert (certificate.radius == np.rint(certificate.radius)).all()
    assert certified_accuracy_score(y[800:900], certificate, radius=1) > 0.5
    assert "exact for rows on the grid" in repr(certificate)
    parts = [certificate[:30], certificate[30:]]
    assert len(ClassificationCertificate.concatenate(parts)) == 100
    with pytest.raises(ValueError, match="perturbed is grid in one and real in another"):
        ClassificationCertificate.concatenate(
            [certificate, fitted.certify(X[:2], perturbation="real")]
        )


def test_shares_are_those_of_a_plain_loop(fitted, digits_on_levels):
    X, _ = digits_on_levels
    rows = X[800:804]
    votes = np.zeros((4, 10))
    for shift in range(fitted.n_shifts_):
        split = splits_of(fitted).perturb(rows.astype(int), np.array([shift]))[:, 0]
        votes[np.arange(4), fitted.estimator_.predict(split)] += 1
    assert_allclose(fitted.predict_proba(rows), votes / fitted.n_shifts_, rtol=1e-12)


def test_noise_is_that_of_its_certificates(fitted, digits_on_levels):
    certificate = fitted.certify(digits_on_levels[0][:2])
    assert repr(fitted.noise_) == repr(certificate.noise)
    assert fitted.noise_.sigma == pytest.approx(fitted.lam_ / np.sqrt(3), rel=1e-15)


def test_what_belongs_to_fit_is_not_changed_later(fitted, digits_on_levels):
    rows = digits_on_levels[0][:2]
    for params in ({"sigma": 1.0}, {"n_steps": 4}, {"levels": [0.0, 1.0]}):
        with pytest.raises(ValueError, match="after fit, where it has its effect"):
            copy(fitted).set_params(**params).certify(rows)
    copy(fitted).set_params(vote="soft", off_grid="round").predict(rows)


@pytest.mark.parametrize("params", [{"n_jobs": 2}, {"batch_size": 7}, {"batch_size": 5000}])
def test_results_do_not_depend_on_how_the_work_is_cut(params, fitted, digits_on_levels):
    rows = digits_on_levels[0][800:860]
    expected = fitted.certify(rows)
    other = copy(fitted).set_params(**params)
    assert_array_equal(other.certify(rows).counts, expected.counts)
    assert_array_equal(other.certify(rows[::-1]).counts, expected.counts[::-1])


def test_decisions_are_those_of_the_whole_and_cheaper(fitted, digits_on_levels):
    rows = digits_on_levels[0][800:900]
    whole = fitted.certify(rows)
    for radius in (0, 1, 3.5, np.full(100, 5.0)):
        decided = fitted.certify(rows, radius=radius)
        assert_array_equal(decided.prediction, whole.prediction)
        assert_array_equal(decided.certified, (whole.radius >= radius) & (whole.radius > 0))
        assert (decided.radius <= whole.radius).all()
        assert decided.n_draws.mean() < 0.95 * fitted.n_shifts_
    assert_array_equal(fitted.predict(rows), whole.prediction)


def test_soft_votes_are_means_of_probabilities(digits_on_levels):
    X, y = digits_on_levels
    clf = DSSNClassifier(
        GaussianNB(), n_steps=16, feature_range=(0, 16), vote="soft", n_augment=2, random_state=0
    ).fit(X[:800], y[:800])
    rows = X[800:810]
    split = splits_of(clf).perturb(rows.astype(int), np.arange(clf.n_shifts_))
    means = np.mean([clf.estimator_.predict_proba(part) for part in split], axis=1)
    assert_allclose(clf.predict_proba(rows), means, atol=1e-11)
    decided = clf.certify(rows, radius=2)
    assert_array_equal(decided.certified, clf.certify(rows).radius >= 2)
    ordered = np.sort(means, axis=1)
    steps = (ordered[:, -1] - ordered[:, -2]) * clf.n_shifts_ / 2
    assert (clf.certify(rows).radius <= steps).all()
    assert (clf.certify(rows).radius >= steps - 1 - 1e-6).all()


def test_images_and_single_precision(digits_on_levels):
    X, y = digits_on_levels
    images = (X.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
    flat = make_pipeline(FunctionTransformer(lambda Z: Z.reshape(len(Z), -1)), GaussianNB())
    clf = DSSNClassifier(flat, n_steps=16, n_augment=2, random_state=0).fit(images, y)
    assert clf.offsets_.shape == (1, 8, 8)
    certificate = clf.certify(images[:20])
    assert_array_equal(certificate.radius * 16, np.rint(certificate.radius * 16))


def test_grey_levels_are_recognised(digits_on_levels):
    X, y = digits_on_levels
    clf = DSSNClassifier(GaussianNB(), n_steps="auto", feature_range="auto", sigma=0.1)
    clf.fit(X.astype(np.int64), y)
    assert (clf.n_steps_, clf.feature_range_) == (16, (0, 16))
    assert clf.lam_ == pytest.approx(0.1 * np.sqrt(3), abs=1 / 16)


def test_ranges_of_their_own():
    """The radius counts the shortest step of all."""
    X = np.array(list(product(range(5), repeat=2))) * [1.0, 0.5]
    clf = DSSNClassifier(
        Arbitrary(), n_steps=4, feature_range=([0, 0], [4, 2]), n_augment=0, random_state=0
    ).fit(X, np.arange(25) % 3)
    certificate = clf.certify(X)
    distance = np.abs(X[:, None] - X).sum(axis=2)
    distance[certificate.prediction[:, None] == certificate.prediction] = np.inf
    assert (distance.min(axis=1) > certificate.radius).all()
    assert set(certificate.radius) <= {0, 0.5, 1.0, 1.5, 2.0}


@pytest.mark.parametrize("perturbation", ["grid", "real"])
def test_levels_at_different_distances(perturbation):
    """The radius counts the shortest step; nothing nearer has another class."""
    levels = np.array([0.0, 0.5, 2.0, 2.25, 5.0])
    X = np.array(list(product(levels, repeat=2)))
    for seed in range(6):
        clf = DSSNClassifier(Arbitrary(seed=seed), levels=levels, n_augment=0, random_state=seed)
        certificate = clf.fit(X, np.arange(25) % 3).certify(X, perturbation=perturbation)
        other = certificate.prediction[:, None] != certificate.prediction
        borders = np.concatenate([[-np.inf], (levels[1:] + levels[:-1]) / 2, [np.inf]])
        place = np.searchsorted(levels, X)
        low, high = borders[place], borders[place + 1]
        away = np.maximum(np.maximum(low[None] - X[:, None], X[:, None] - high[None]), 0).sum(2)
        on_grid = np.abs(X[:, None] - X).sum(axis=2)
        distance = np.where(other, on_grid if perturbation == "grid" else away, np.inf)
        assert (distance.min(axis=1) >= certificate.radius).all()
        if perturbation == "grid":
            assert (distance.min(axis=1) > certificate.radius).all()
    with pytest.raises(ValueError, match=r"nearest is 2\.25"):
        clf.certify([[2.3, 0.0]])
    for wrong in ([1.0], [1.0, 1.0], [0.0, np.nan]):
        with pytest.raises(ValueError, match="levels must"):
            clone(clf).set_params(levels=wrong).fit(X, np.arange(25) % 3)


@pytest.mark.filterwarnings("ignore:.*onverge")
def test_grid_search_pipeline_pickle_and_clone(digits_on_levels):
    X, y = digits_on_levels
    X, y = X[:200], y[:200]
    clf = DSSNClassifier(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=50)),
        n_steps=16,
        feature_range=(0, 16),
        n_augment=1,
        random_state=0,
    )
    search = GridSearchCV(clf, {"sigma": [0.1, 0.4]}, scoring=make_certified_scorer(1.0), cv=2)
    search.fit(X, y)
    assert search.best_score_ > 0.3
    best = search.best_estimator_
    again = pickle.loads(pickle.dumps(best))
    assert_array_equal(again.offsets_, best.offsets_)
    assert_array_equal(again.certify(X[:20]).counts, best.certify(X[:20]).counts)
    refitted = clone(best).fit(X, y)
    assert_array_equal(refitted.offsets_, best.offsets_)


def test_frozen_model_is_left_as_it_is(digits_on_levels):
    X, y = digits_on_levels
    model = GaussianNB().fit(X, y)
    clf = DSSNClassifier(FrozenEstimator(model), n_steps=16, feature_range=(0, 16)).fit(X, y)
    assert clf.estimator_.estimator is model


def test_offsets_follow_the_seed(digits_on_levels):
    X, y = digits_on_levels
    options = {"n_steps": 16, "feature_range": (0, 16), "n_augment": 1}
    first, second, other, fresh = (
        DSSNClassifier(GaussianNB(), random_state=seed, **options).fit(X, y).offsets_
        for seed in (0, 0, 1, None)
    )
    assert_array_equal(first, second)
    assert (first != other).any()
    assert (first != fresh).any()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            3.25,
            r"X has 3.25 at row 2, feature 5, which is not one of the 17 levels; the nearest is 3",
        ),
        (17.0, "the nearest is 16"),
        (-1.0, "the nearest is 0"),
    ],
)
def test_values_off_the_grid(value, message, fitted, digits_on_levels):
    X = digits_on_levels[0][:5].copy()
    X[2, 5] = value
    with pytest.raises(ValueError, match=message):
        fitted.certify(X)
    with pytest.raises(ValueError, match=message):
        fitted.predict(X)


def test_other_errors(fitted, digits_on_levels):
    X, y = digits_on_levels
    with pytest.raises(ValueError, match="perturbation must be"):
        fitted.certify(X[:2], perturbation="any")
    with pytest.raises(ValueError, match="radius must be finite"):
        fitted.certify(X[:2], radius=-1)
    with pytest.raises(ValueError, match="features"):
        fitted.certify(X[:2, :5])
    with pytest.raises(ValueError, match=r"sigma=0\.001 is too small for n_steps=16 steps"):
        clone(fitted).set_params(sigma=0.001).fit(X, y)


def test_advice_on_whole_numbers_leads_to_a_fit(digits_on_levels):
    """Whoever starts with the defaults, and follows what each message says."""
    X, y = digits_on_levels
    clf = DSSNClassifier(GaussianNB(), sigma=0.3, n_augment=1, random_state=0)
    advice = r"fit X\.astype\(int\) with n_steps='auto' and feature_range='auto', which .* it\.$"
    with pytest.raises(ValueError, match=advice):
        clf.fit(X, y)
    clf.set_params(n_steps="auto", feature_range="auto")
    with pytest.raises(ValueError, match=r"pass X\.astype\(int\), or n_steps=16\."):
        clf.fit(X, y)
    whole = clf.fit(X.astype(int), y).certify(X[:50])
    assert whole.certified.mean() > 0.5
    numbers = clone(clf).set_params(n_steps=16).fit(X, y).certify(X[:50])
    assert_array_equal(numbers.radius, whole.radius)


def test_advice_on_numbers_between_levels_leads_to_a_fit(digits_on_levels):
    X, y = digits_on_levels[0] / 16 + 0.01, digits_on_levels[1]
    clf = DSSNClassifier(GaussianNB(), n_steps="auto", feature_range="auto", n_augment=1)
    with pytest.raises(ValueError, match=r"is float64 and holds 0\.01\. Pass n_steps\."):
        clf.fit(X, y)
    clf.set_params(n_steps=17, feature_range=(0, 17 / 16))
    with pytest.raises(ValueError, match=r"Or pass off_grid='round'\.$"):
        clf.fit(X, y)
    certificate = clf.set_params(off_grid="round").fit(X, y).certify(X[:50], perturbation="real")
    assert certificate.certified.mean() > 0.5


def test_columns_of_bytes_that_are_no_grey_levels(digits_on_levels):
    """0/1 columns in 8 bits are what they are in 64: levels 0 to 255 would never be cut apart."""
    X, y = (digits_on_levels[0] > 8), digits_on_levels[1]
    options = {"n_steps": "auto", "feature_range": "auto", "sigma": 1.2, "random_state": 0}
    certificates = [
        DSSNClassifier(GaussianNB(), **options).fit(X.astype(kind), y).certify(X.astype(kind))
        for kind in (np.uint8, np.int64)
    ]
    assert certificates[0] == certificates[1]
    assert certificates[0].radius.max() <= 2 * 1.2
    assert (certificates[0].prediction == y).mean() > 0.6


def scaled(**options):
    ranges = {"n_steps": 4, "feature_range": ([0, 0], [4, 2]), "n_augment": 0, "random_state": 0}
    return DSSNClassifier(Arbitrary(), **ranges | options)


def test_a_radius_in_parts_of_ranges_is_that_of_the_unit_range():
    """As if every feature had been divided by the width of its range before."""
    X = np.array([[i, j / 2] for i in range(5) for j in range(5)], float)
    y = np.arange(25) % 2
    ours = scaled(feature_scale="range").fit(X, y)
    unit = scaled(feature_range=(0, 1)).fit(X / [4, 2], y)
    raw = scaled().fit(X, y)
    for perturbation in ("grid", "real"):
        options = {"perturbation": perturbation}
        mine, other = ours.certify(X, **options), unit.certify(X / [4, 2], **options)
        if (mine.prediction == other.prediction).all():
            np.testing.assert_allclose(mine.radius, other.radius)
        # in the units of X a step of the first column counts as one of the second
        np.testing.assert_allclose(raw.certify(X, **options).radius, 2 * mine.radius)
        np.testing.assert_allclose(mine.column_budget(), mine.radius[:, None] * [4, 2])
    assert "in scaled units" in repr(mine)
    assert ours.feature_scale_.tolist() == [4, 2]


def test_within_a_radius_in_parts_of_ranges_no_level_has_another_class():
    X = np.array([[i, j / 2] for i in range(5) for j in range(5)], float)
    clf = scaled(feature_scale="range").fit(X, np.arange(25) % 2)
    certificate = clf.certify(X)
    distance = (np.abs(X[:, None] - X) / [4, 2]).sum(axis=2)
    inside = distance <= certificate.radius[:, None] + 1e-12
    differs = certificate.prediction[:, None] != certificate.prediction
    assert inside.sum() > 25  # some radius reaches another level
    assert not (inside & differs).any()
    too_far = distance <= 2 * certificate.radius[:, None] + 0.51  # the control
    assert (too_far & differs).any()


def test_ranges_of_columns_are_read_off_the_training_data():
    X = np.array([[0.0, 10], [4, 12], [2, 11]])
    clf = DSSNClassifier(
        GaussianNB(), feature_range="columns", n_steps=2, n_augment=1, random_state=0
    ).fit(X, [0, 1, 1])
    assert [bound.tolist() for bound in clf.feature_range_] == [[0, 10], [4, 12]]
    constant = np.column_stack([X, np.ones(3)])
    with pytest.raises(ValueError, match=r"no range: 2\. Pass feature_range=\(low, high\)"):
        clone(clf).fit(constant, [0, 1, 1])
    remedy = clone(clf).set_params(feature_range=([0, 10, 0], [4, 12, 2]))
    remedy.fit(constant, [0, 1, 1])


def test_ranges_and_levels_exclude_each_other():
    X = np.array([[0.0], [1.0], [3.0]])
    with pytest.raises(ValueError, match="needs equal steps"):
        DSSNClassifier(levels=[0, 1, 3], feature_scale="range").fit(X, [0, 1, 1])
