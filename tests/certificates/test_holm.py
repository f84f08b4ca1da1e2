"""All rows together at one radius: the step-down method of Holm."""

import numpy as np
import pytest
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from sksmooth import (
    ClassificationCertificate,
    SmoothedClassifier,
    certified_accuracy_interval,
)
from sksmooth.certificates import ErrorBudget
from sksmooth.noise import GaussianNoise

N, ALPHA, RADIUS = 1000, 0.01, 0.1


def certificate_of(votes, n_statements=1):
    votes = np.asarray(votes)
    return ClassificationCertificate.from_counts(
        np.zeros(len(votes), int),
        np.column_stack([votes, N - votes]),
        classes=np.arange(2),
        noise=GaussianNoise(0.5),
        n_features=3,
        alpha=ErrorBudget(ALPHA, n_statements),
    )


def by_p_values(votes, alpha=ALPHA):
    """Holm's procedure as it is in the books."""
    p_values = stats.binom.sf(votes - 1, N, stats.norm.cdf(RADIUS / 0.5))
    order, rejected = np.argsort(p_values, kind="stable"), np.zeros(len(votes), bool)
    for i, j in enumerate(order):
        if p_values[j] > alpha / (len(votes) - i):
            break
        rejected[j] = True
    return rejected


@pytest.mark.parametrize("seed", range(20))
def test_the_rows_are_those_of_the_books(seed):
    rng = np.random.default_rng(seed)
    votes = rng.binomial(N, rng.uniform(0.55, 0.7, rng.integers(1, 80)))
    together = certificate_of(votes).holm(RADIUS)
    assert np.array_equal(together.certified, by_p_values(votes))
    assert set(together.radius) <= {0.0, RADIUS}
    assert together.n_simultaneous == len(votes)
    bonferroni = certificate_of(votes, len(votes)).radius >= RADIUS
    assert (together.certified >= bonferroni).all()


def test_it_gains_rows_over_bonferroni():
    votes = np.r_[np.full(80, 900), np.full(20, 634)]
    joint = certificate_of(votes, 100)
    assert (joint.radius >= RADIUS).sum() == 80
    assert joint.holm(RADIUS).certified.sum() == 100


def test_wrong_rows_are_as_rare_as_it_says_with_shared_draws():
    """Rows on the border, all with the same votes: any of them wrong is one event."""
    rng = np.random.default_rng(0)
    border = stats.norm.cdf(RADIUS / 0.5) - 1e-9
    n_repeats, alpha = 1000, ALPHA * 20
    wrong = 0
    for votes in rng.binomial(N, border, n_repeats):
        rows = np.full(20, votes)
        certificate = certificate_of(np.r_[rows, 990]).at(alpha=alpha)
        wrong += certificate.holm(RADIUS).certified[:20].any()
    assert wrong / n_repeats <= alpha
    alone = certificate_of(rng.binomial(N, border, 2000)).at(alpha=alpha)
    each = (alone.radius >= RADIUS).reshape(-1, 20)
    assert each.any(axis=1).mean() > alpha  # the control: rows by themselves


def test_certify_by_holm(two_classes):
    X, y = two_classes
    forest = RandomForestClassifier(10, max_depth=3, random_state=0)
    clf = SmoothedClassifier(forest, n_estimation=500, random_state=0, structure="off", sigma=0.5)
    clf.fit(X, y)
    together = clf.certify(X[::5], radius=0.2, simultaneous="holm")
    assert together == clf.certify(X[::5], simultaneous=True).holm(0.2)
    assert together.certified.sum() >= clf.certify(X[::5]).at().holm(0.2).certified.sum()
    interval = certified_accuracy_interval(y[::5], together, radius=0.2)
    assert (interval.method, interval.upper) == ("joint", 1.0)
    assert interval.confidence == pytest.approx(0.949)
    alone = certified_accuracy_interval(y[::5], clf.certify(X[::5]), radius=0.2)
    assert alone.method == "shared"
    assert alone.lower < interval.lower
    own = certified_accuracy_interval(y[::5], clf.certify(X[::5]), radius=0.2, independent=True)
    assert own.method == "independent"
    exact = SmoothedClassifier(LogisticRegression(), random_state=0).fit(X, y)
    certificate = exact.certify(X[::5], radius=0.2, simultaneous="holm")
    assert certificate.alpha is None
    assert certified_accuracy_interval(y[::5], certificate, radius=0.2).method == "exact"


REFUSED = [
    ({}, "decides all rows at a radius that is fixed in advance"),
    ({"radius": 0.2, "top_k": 2}, "leave out rtol, start and top_k"),
    ({"radius": 0.2, "rtol": 0.1}, "leave out rtol, start and top_k"),
    ({"radius": 0.0}, "radius must be positive and finite"),
    ({"radius": 0.2, "store": "run.sqlite"}, "compares all rows, and a store takes them one by"),
    ({"radius": 0.2, "changes": 1}, "cannot be combined with changes"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_has_no_meaning_is_refused(iris, options, message):
    X, y = iris
    clf = SmoothedClassifier(LogisticRegression(max_iter=500), n_estimation=100, random_state=0)
    clf.fit(X, y)
    with pytest.raises(ValueError, match=message):
        clf.certify(X[:3], simultaneous="holm", **options)


def test_certificates_without_the_votes_for_it_are_refused(iris):
    X, y = iris
    clf = SmoothedClassifier(LogisticRegression(max_iter=500), n_estimation=100, random_state=0)
    clf.fit(X, y)
    with pytest.raises(ValueError, match="Draws of this certificate stopped when rows were"):
        clf.certify(X[:3], radius=0.1).holm(0.1)
    with pytest.raises(ValueError, match="is for one place"):
        clf.certify(X[:3], top_k=2).holm(0.1)
    with pytest.raises(ValueError, match="This certificate is exact"):
        clf.fit(X[50:], y[50:]).certify(X[50:53]).holm(0.1)
    votes = np.r_[np.full(80, 900), np.full(20, 634)]
    together = certificate_of(votes).holm(RADIUS)
    with pytest.raises(ValueError, match="Ask the certificate that it was made from"):
        together.at(alpha=0.1)
    assert together == ClassificationCertificate.from_dict(together.to_dict())
    assert len(certificate_of([900])[:0].holm(0.1)) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"radius": -1}, "radius must be finite and not negative"),
        ({"beta": 0}, "beta"),
        ({"independent": "no"}, "independent must be True or False, got 'no'"),
    ],
)
def test_wrong_intervals_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        certified_accuracy_interval(np.zeros(3), certificate_of([900] * 3), **options)
