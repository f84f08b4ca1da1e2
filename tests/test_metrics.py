"""Scores of certificates and the scorer for grid search."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from sksmooth import (
    CenterSmoothedRegressor,
    ClassificationCertificate,
    MedianSmoothedRegressor,
    PathCertificate,
    SmoothedClassifier,
    average_certified_radius,
    certified_accuracy_curve,
    certified_accuracy_score,
    certified_range_curve,
    make_certified_bound_scorer,
    make_certified_scorer,
)
from sksmooth.noise import GaussianNoise
from sksmooth.transformations import Rotation

Y = np.array([0, 0, 1, 1, 0, 1])


@pytest.fixture
def certificate():
    """Right, right, wrong, right with the radius of the first, abstained, right."""
    correct = np.array([900, 950, 100, 900, 500, 990])
    counts = np.stack([correct, 1000 - correct], axis=1)
    counts[Y == 1] = counts[Y == 1, ::-1]
    prediction = np.where(np.arange(6) == 2, 0, Y)
    return ClassificationCertificate.from_counts(
        prediction,
        counts,
        classes=np.array([0, 1]),
        noise=GaussianNoise(1.0),
        alpha=0.001,
        n_features=3,
    )


def test_score_counts_rows_that_are_right_and_proven(certificate):
    first, second, _, _, _, last = certificate.radius
    assert certified_accuracy_score(Y, certificate) == 4 / 6
    assert certified_accuracy_score(Y, certificate, radius=first) == 4 / 6  # the ball is closed
    assert certified_accuracy_score(Y, certificate, radius=np.nextafter(first, 9)) == 2 / 6
    assert certified_accuracy_score(Y, certificate, radius=second) == 2 / 6
    assert certified_accuracy_score(Y, certificate, radius=last) == 1 / 6
    with pytest.warns(UserWarning, match=r"radius=.* is beyond .*, the most that these draws"):
        assert certified_accuracy_score(Y, certificate, radius=last + 1) == 0
    with pytest.warns(UserWarning, match="is beyond"):
        assert certified_accuracy_score(Y, certificate, radius=certificate.max_radius() + 1) == 0


def test_curve_agrees_with_the_score(certificate):
    radii, accuracy = certified_accuracy_curve(Y, certificate)
    assert_array_equal(radii, [0, *np.unique(certificate.radius[[0, 1, 5]])])
    for r, a in zip(radii, accuracy, strict=True):
        assert a == certified_accuracy_score(Y, certificate, radius=r)
    for left, right, later in zip(radii[:-1], radii[1:], accuracy[1:], strict=True):
        middle = (left + right) / 2
        assert later == certified_accuracy_score(Y, certificate, radius=middle)


def test_average_radius_is_the_area_under_the_curve(certificate):
    radii, accuracy = certified_accuracy_curve(Y, certificate)
    area = np.sum(np.diff(radii) * accuracy[1:])
    assert_allclose(average_certified_radius(Y, certificate), area)
    assert_allclose(area, certificate.radius[[0, 1, 3, 5]].sum() / 6)


@pytest.mark.parametrize(
    "score", [certified_accuracy_score, certified_accuracy_curve, average_certified_radius]
)
def test_lengths_must_agree(score, certificate):
    with pytest.raises(ValueError, match=r"y_true has shape \(5,\), the certificate is of 6"):
        score(Y[:5], certificate)
    with pytest.raises(ValueError, match="no rows"):
        score(Y[:0], certificate[:0])


@pytest.mark.parametrize("radius", [-0.1, np.nan, np.inf])
def test_radius_must_be_one(radius, certificate):
    with pytest.raises(ValueError, match="radius must be finite and not negative"):
        certified_accuracy_score(Y, certificate, radius=radius)
    with pytest.raises(ValueError, match="radius must be finite and not negative"):
        make_certified_scorer(radius)


def test_scorer_is_the_score_of_a_certificate(digits):
    X, y = digits
    clf = SmoothedClassifier(n_estimation=5000, random_state=0).fit(X[:500], y[:500])
    expected = certified_accuracy_score(y[500:600], clf.certify(X[500:600]), radius=0.2)
    scorer = pickle.loads(pickle.dumps(make_certified_scorer(0.2)))
    score = scorer(clf, X[500:600], y[500:600])
    assert score == pytest.approx(expected, abs=0.05)
    assert scorer(clf, X[500:600], y[500:600]) == score
    assert 0.3 < expected < 1


def test_scorer_uses_draws_that_certify_does_not(digits):
    """Else a search over many models would select those that these draws flatter."""
    X, y = digits
    clf = SmoothedClassifier(GaussianNB(), n_estimation=200, random_state=0).fit(X, y)
    seen = []
    clf.estimator_.predict = lambda Z: seen.append(np.array(Z)) or np.zeros(len(Z), int)
    clf.certify(X[:1])
    asked = 1 + 3 + 8  # calls that look whether the model is a function of one row
    certified = np.concatenate(seen[asked:])
    seen.clear()
    make_certified_scorer(0.1)(clf, X[:1], y[:1])
    assert not np.isin(certified[:, 0], np.concatenate(seen[asked:])[:, 0]).any()
    unseeded = SmoothedClassifier(GaussianNB(), n_estimation=200).fit(X, y)
    assert make_certified_scorer(0.1)(unseeded, X[:20], y[:20]) > 0


def test_scorer_gives_zero_where_no_vote_could_reach(digits):
    X, y = digits
    clf = SmoothedClassifier(sigma=0.05, n_estimation=100, random_state=0).fit(X[:300], y[:300])
    assert make_certified_scorer(0.5)(clf, X[300:310], y[300:310]) == 0


def test_scorer_looks_at_the_end_of_a_pipeline(digits):
    X, y = digits
    smoother = SmoothedClassifier(sigma=0.3, n_estimation=200, random_state=0)
    pipe = make_pipeline(PCA(20, random_state=0), smoother).fit(X[:500], y[:500])
    scorer = make_certified_scorer(0.2)
    expected = scorer(pipe[-1], pipe[0].transform(X[500:600]), y[500:600])
    assert scorer(pipe, X[500:600], y[500:600]) == expected > 0.3
    alone = make_pipeline(smoother).fit(X[:500], y[:500])
    assert make_certified_scorer(0.2)(alone, X[500:600], y[500:600]) > 0.3


def test_labels_of_another_kind_are_refused(certificate):
    with pytest.raises(ValueError, match="mix labels that are text with labels that are not"):
        certified_accuracy_score(Y.astype(str), certificate)
    with pytest.raises(ValueError, match="y_true contains NaN"):
        average_certified_radius(np.where(Y == 0, np.nan, Y), certificate)


def test_scorer_looks_at_the_best_of_a_search(digits):
    X, y = digits
    scorer = make_certified_scorer(0.2)
    clf = SmoothedClassifier(GaussianNB(), n_estimation=100, random_state=0)
    search = GridSearchCV(clf, {"sigma": [0.1, 0.25]}, scoring=scorer, cv=2)
    search.fit(X[:200], y[:200])
    assert scorer(search, X[200:250], y[200:250]) == scorer(
        search.best_estimator_, X[200:250], y[200:250]
    )
    assert np.isfinite(cross_val_score(search, X[:200], y[:200], scoring=scorer, cv=2)).all()


def test_scorer_refuses_what_cannot_certify(digits):
    X, y = digits
    with pytest.raises(TypeError, match="LogisticRegression has no certify method"):
        make_certified_scorer()(LogisticRegression(max_iter=1000).fit(X, y), X, y)


def test_grid_search_over_sigma_and_base_parameters(digits):
    X, y = digits
    search = GridSearchCV(
        SmoothedClassifier(LogisticRegression(max_iter=1000), n_estimation=100, random_state=0),
        {"sigma": [0.01, 0.25], "estimator__C": [1e-4, 1.0]},
        scoring=make_certified_scorer(0.2),
        cv=3,
    ).fit(X[:300], y[:300])
    assert search.best_params_ == {"sigma": 0.25, "estimator__C": 1.0}
    assert search.best_score_ > 0.3
    assert (search.cv_results_["mean_test_score"][[0, 2]] == 0).all()  # sigma too small for 0.2


def test_grid_search_over_the_parameters_of_a_noise(digits):
    X, y = digits
    search = GridSearchCV(
        SmoothedClassifier(noise=GaussianNoise(), n_estimation=100, random_state=0),
        {"noise__sigma": [0.01, 0.25]},
        scoring=make_certified_scorer(0.2),
        cv=3,
    ).fit(X[:300], y[:300])
    assert search.best_params_ == {"noise__sigma": 0.25}
    assert search.best_estimator_.noise_.sigma == 0.25


def test_cross_validation(digits):
    X, y = digits
    clf = SmoothedClassifier(n_estimation=100, random_state=0)
    scores = cross_val_score(clf, X[:300], y[:300], scoring=make_certified_scorer(0.1), cv=3)
    assert (scores > 0.3).all()


def test_bound_scorer_is_minus_the_median():
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = X.sum(axis=1)
    smoother = CenterSmoothedRegressor(
        sigma=0.5, n_center=200, n_estimation=300, random_state=0, n_augment=1
    ).fit(X, y)
    bound = make_certified_bound_scorer(0.2)(smoother, X, y)
    # scoring has draws of its own, so agreement is not exact
    certified = np.median(smoother.certify(X, radius=0.2).output_radius)
    assert bound == pytest.approx(-certified, rel=0.3)
    assert bound != -certified
    error = make_certified_bound_scorer(of="smoothing_error")(smoother, X)
    assert error == pytest.approx(-np.median(smoother.smoothing_error(X)), abs=0.1)
    assert error > bound
    wrong = make_certified_bound_scorer(of="prediction_error")(smoother, X, y + 100)
    assert wrong == pytest.approx(-100, abs=1)
    assert make_certified_bound_scorer(50.0)(smoother, X, y) == -np.inf
    median = MedianSmoothedRegressor(sigma=0.5, n_estimation=400, random_state=0).fit(X, y)
    assert -3 < make_certified_bound_scorer(0.2)(make_pipeline(median), X, y) < 0
    with pytest.raises(ValueError, match="radius must be positive"):
        make_certified_bound_scorer()
    with pytest.raises(ValueError, match="of must be"):
        make_certified_bound_scorer(of="r2")
    with pytest.raises(ValueError, match="one output has shape"):
        smoother.prediction_error(X, np.c_[y, y])


def test_scores_of_the_other_kind_are_refused():
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    classifier = SmoothedClassifier(GaussianNB(), n_estimation=200, random_state=0).fit(X, y)
    regressor = MedianSmoothedRegressor(n_estimation=300, n_prediction=200).fit(X, y.astype(float))
    with pytest.raises(TypeError, match="make_certified_bound_scorer"):
        make_certified_scorer(0.1)(regressor, X, y)
    with pytest.raises(TypeError, match="make_certified_scorer"):
        make_certified_bound_scorer(0.1)(classifier, X, y)
    with pytest.raises(NotFittedError):
        make_certified_scorer(0.1)(SmoothedClassifier(), X, y)


def test_scores_class_by_class(certificate):
    radii = np.where(certificate.prediction == Y, certificate.radius, 0.0)
    per_class = certified_accuracy_score(Y, certificate, radius=0.1, average=None)
    expected = [(radii[Y == c] >= 0.1).mean() for c in certificate.classes]
    assert_allclose(per_class, expected)
    macro = certified_accuracy_score(Y, certificate, radius=0.1, average="macro")
    assert macro == pytest.approx(np.mean(expected))
    with pytest.raises(ValueError, match='average must be "micro" or "macro"'):
        certified_accuracy_score(Y, certificate, average="weighted")
    only = certified_accuracy_score(Y[Y == 0], certificate[Y == 0], average=None)
    assert np.isnan(only[1])


def test_weights_of_rows(certificate):
    weights = np.arange(1.0, 7.0)
    radii = np.where(certificate.prediction == Y, certificate.radius, 0.0)
    score = certified_accuracy_score(Y, certificate, sample_weight=weights)
    assert score == pytest.approx(weights[radii > 0].sum() / 21)
    mean = average_certified_radius(Y, certificate, sample_weight=weights)
    assert mean == pytest.approx(np.average(radii, weights=weights))
    repeated = np.repeat(np.arange(6), weights.astype(int))
    assert mean == pytest.approx(average_certified_radius(Y[repeated], certificate[repeated]))
    for bad in (weights[:3], -weights, np.zeros(6), np.full(6, np.nan)):
        with pytest.raises(ValueError, match="sample_weight must hold 6 numbers"):
            average_certified_radius(Y, certificate, sample_weight=bad)


def test_swapped_arguments_are_told(certificate):
    with pytest.raises(TypeError, match="seem to be swapped"):
        certified_accuracy_score(certificate, Y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.ma.masked_array([0, 1, 0], [False, True, False]), "y_true has masked values"),
        (np.eye(3), r"shape \(3, 3\); one label per row.*argmax"),
        ([], "no rows to score"),
        ([0.0, np.nan, 1.0], "y_true contains NaN"),
        (["a", "b", "a"], "mix labels that are text with labels that are not: 'a' against 0"),
    ],
)
def test_scorers_look_at_y_before_they_certify(y, message):
    class Certifies:
        classes_ = np.array([0, 1])

        def fit(self, X, y):
            self.fitted_ = True

        def certify(self, X, *, radius=None):
            raise AssertionError("too late")

    certifier = Certifies()
    certifier.fit(None, None)
    with pytest.raises(ValueError, match=message):
        make_certified_scorer(0.1)(certifier, np.zeros((3, 1)), y)


def test_scorers_refuse_the_other_kind_of_smoother():
    X = np.linspace(0, 1, 30)[:, None]
    median = MedianSmoothedRegressor(n_prediction=50, n_estimation=100).fit(X, X[:, 0])
    with pytest.raises(TypeError, match="is a regressor, and this scorer is for a classifier"):
        make_certified_scorer(0.1)(median, X, X[:, 0] > 0.5)
    clf = SmoothedClassifier(sigma=0.1).fit(X, X[:, 0] > 0.5)
    with pytest.raises(TypeError, match="is a classifier, and this scorer is for a regressor"):
        make_certified_bound_scorer(0.1)(clf, X, X[:, 0])


def test_average_radius_as_a_score():
    X = np.linspace(0, 1, 60)[:, None]
    y = (X[:, 0] > 0.5).astype(int)
    clf = SmoothedClassifier(sigma=0.1, structure="off", n_estimation=300, random_state=0)
    clf.fit(X, y)
    score = make_certified_scorer(of="radius")(clf, X, y)
    assert score == average_certified_radius(y, clf.for_scoring().certify(X))
    with pytest.raises(ValueError, match=r"radius=0.2 has no meaning with of='radius'"):
        make_certified_scorer(0.2, of="radius")


def test_a_certifier_of_a_third_party_can_be_scored_and_drawn():
    class Nearest:
        """Certifies half the distance to the nearest point of another class."""

        def __init__(self, X, y):
            self.X, self.y = X, y

        def certify(self, X, *, radius=None):
            apart = np.abs(X - self.X.T)
            nearest = self.y[apart.argmin(axis=1)]
            other = np.where(self.y == nearest[:, None], np.inf, apart).min(axis=1)
            return ClassificationCertificate.without_votes(
                nearest,
                (other - apart.min(axis=1)) / 2,
                classes=np.unique(self.y),
                norm=2,
                n_features=1,
                target_radius=None if radius is None else np.full(len(X), radius),
            )

    X, y = np.array([[0.0], [1.0]]), np.array([0, 1])
    mine, rows = Nearest(X, y), np.array([[0.1], [0.4], [0.9]])
    assert make_certified_scorer(0.2)(mine, rows, [0, 0, 1]) == pytest.approx(2 / 3)
    assert make_certified_scorer(of="radius")(mine, rows, [0, 0, 1]) == pytest.approx(0.3)


def test_scores_of_certified_ranges():
    certificate = PathCertificate(
        prediction=np.array([0, 1, 1, 0, 1]),
        left=np.array([-30.0, -2.0, -9.0, 0.0, -30.0]),
        right=np.array([30.0, 5.0, 9.0, 0.0, 30.0]),
        n_anchors=np.ones(5, np.int64),
        n_draws=np.ones(5, np.int64),
        classes=np.array([0, 1]),
        transformation=Rotation(30),
        tolerance=0.0,
        rho=0.1,
        shape=(4, 4),
        noise=GaussianNoise(0.3),
        budget=None,
    )
    y = np.array([0, 1, 1, 0, 0])  # the last is wrong, the fourth abstained
    scores = [certified_accuracy_score(y, certificate, radius=r) for r in (0, 2, 2.1, 9, 30)]
    assert scores == [0.6, 0.6, 0.4, 0.4, 0.2]
    assert average_certified_radius(y, certificate) == (30 + 2 + 9) / 5
    radii, accuracy = certified_accuracy_curve(y, certificate)
    assert_array_equal(radii, [0, 2, 9, 30])
    assert_allclose(accuracy, [0.6, 0.6, 0.4, 0.2])
    parameters, accuracy = certified_range_curve(y, certificate)
    assert_array_equal(parameters, [-30, -9, -2, 0, 5, 9, 30])
    assert_allclose(accuracy, [0.2, 0.4, 0.6, 0.6, 0.6, 0.4, 0.2])
    with pytest.warns(UserWarning, match="beyond 30"):
        assert certified_accuracy_score(y, certificate, radius=31) == 0
    with pytest.raises(TypeError, match="certify_path"):
        certified_range_curve(y, y)
    with pytest.raises(TypeError, match="swapped"):
        certified_accuracy_score(certificate, y)
