"""Certificates for staying among the k classes with the most votes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, special, stats
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

from sksmooth import (
    ClassificationCertificate,
    SmoothedClassifier,
    average_certified_radius,
    certified_accuracy_score,
)
from sksmooth.bounds import clopper_pearson_lower, clopper_pearson_upper
from sksmooth.certifiers._stopping import draws_for_radius
from sksmooth.noise import GaussianNoise, LaplaceNoise, SplittingNoise, UniformNoise


def worst_margin(p_label, others, top_k, r, grid):
    """Largest smallest lead that an adversary gives top_k classes over the label at distance r.

    The line through the shift is cut into cells; a linear programme says which class each cell
    votes for, with the given probabilities at 0, so that top_k others get at least t more than
    the label at r. A cell may be divided, as by a randomised test.
    """
    edges = np.concatenate([[-np.inf], np.linspace(-4, 4 + r, grid), [np.inf]])
    here, there = np.diff(special.ndtr(edges)), np.diff(special.ndtr(edges - r))
    n, probabilities = len(here), [p_label, *others]
    cost = np.zeros(n * len(probabilities) + 1)
    cost[-1] = -1
    equal = np.zeros((n + len(probabilities), len(cost)))
    for j in range(len(probabilities)):
        equal[np.arange(n), j * n + np.arange(n)] = 1
        equal[n + j, j * n : (j + 1) * n] = here
    lead = np.zeros((top_k, len(cost)))
    strongest = np.argsort(others)[::-1][:top_k] + 1
    for i, j in enumerate(strongest):
        lead[i, :n], lead[i, j * n : (j + 1) * n], lead[i, -1] = there, -there, 1
    result = optimize.linprog(
        cost,
        A_ub=lead,
        b_ub=np.zeros(top_k),
        A_eq=equal,
        b_eq=np.concatenate([np.ones(n), probabilities]),
        bounds=[(0, None)] * (len(cost) - 1) + [(None, None)],
    )
    return -result.fun


@pytest.mark.parametrize(
    ("p_label", "others", "top_k"),
    [(0.3, (0.4, 0.2, 0.1), 2), (0.3, (0.4, 0.2, 0.1), 3), (0.6, (0.3, 0.1), 1)],
)
def test_no_adversary_wins_within_the_radius_and_one_does_beyond(p_label, others, top_k):
    radius = float(GaussianNoise(1.0).top_radius(p_label, others, top_k))
    assert worst_margin(p_label, others, top_k, 0.97 * radius, 200) < 0
    assert worst_margin(p_label, others, top_k, 1.03 * radius, 200) > 0


FAMILIES = [GaussianNoise(1.0), LaplaceNoise(1.0), UniformNoise(1.0), SplittingNoise(1.0)]


@pytest.mark.parametrize("noise", [*FAMILIES, GaussianNoise(1.0, k=40)], ids=repr)
def test_one_place_is_the_bilateral_radius(noise):
    """Two implementations: formulas or a root of two terms, and a root over all sizes of sets."""
    p, q = np.array([0.6, 0.9, 0.45]), np.array([0.3, 0.05, 0.2])
    others = np.column_stack([q, q / 2])
    top = noise.top_radius(p, others, 1, n_features=64)
    assert_allclose(top, noise.radius(p, q, n_features=64), rtol=1e-9)


@pytest.mark.parametrize("noise", FAMILIES, ids=repr)
def test_more_places_prove_more(noise):
    others = [0.3, 0.2, 0.05]
    radii = [float(noise.top_radius(0.35, others, k, n_features=8)) for k in (1, 2, 3, 4)]
    assert 0 < radii[0] < radii[1] < radii[2]
    assert radii[3] == np.inf  # there are only three other classes


def test_certificate_is_that_of_simultaneous_bounds():
    counts = np.array([[60, 30, 8, 2], [40, 35, 25, 0]])
    prediction = np.array([[0, 1], [1, 0]])
    certificate = ClassificationCertificate.from_counts(
        prediction,
        counts,
        classes=np.arange(4),
        noise=GaussianNoise(1.0),
        alpha=0.04,
        n_features=3,
        top_k=2,
    )
    lower = clopper_pearson_lower(counts, 100, 0.01)
    upper = clopper_pearson_upper(counts, 100, 0.01)
    for i in range(2):
        for j in range(2):
            own = prediction[i, j]
            others = np.delete(upper[i], own)
            expected = GaussianNoise(1.0).top_radius(lower[i, own], others, 2)
            assert certificate.label_radius[i, j] == expected
    assert_array_equal(certificate.radius, certificate.label_radius[:, 0])
    assert "top 2" in repr(certificate)
    assert certificate.at(alpha=0.001).radius[0] < certificate.radius[0]
    joined = ClassificationCertificate.concatenate([certificate[:1], certificate[1:]])
    assert_array_equal(joined.label_radius, certificate.label_radius)
    frame = certificate.to_frame()
    assert_array_equal(frame["prediction_2"], [1, 0])
    assert_array_equal(frame["radius_2"], certificate.label_radius[:, 1])


def test_metrics_count_rows_whose_label_is_proven_to_stay():
    certificate = ClassificationCertificate.from_counts(
        np.array([[0, 1], [0, 1], [1, 2]]),
        np.array([[500, 490, 10], [500, 490, 10], [0, 900, 100]]),
        classes=np.arange(3),
        noise=GaussianNoise(1.0),
        alpha=0.01,
        n_features=3,
        top_k=2,
    )
    y = [0, 1, 0]  # first place, second place, not predicted
    assert certified_accuracy_score(y, certificate) == pytest.approx(2 / 3)
    radii = certificate.label_radius
    assert average_certified_radius(y, certificate) == (radii[0, 0] + radii[1, 1]) / 3
    between = (radii[0, 0] + radii[1, 1]) / 2
    assert certified_accuracy_score(y, certificate, radius=between) == pytest.approx(1 / 3)


@pytest.fixture(scope="module")
def fitted(digits):
    X, y = digits
    clf = SmoothedClassifier(GaussianNB(), sigma=0.2, n_estimation=500, random_state=0)
    return clf.fit(X[:800], y[:800])


def test_certify(fitted, digits):
    X, y = digits[0][800:900], digits[1][800:900]
    one, three = fitted.certify(X), fitted.certify(X, top_k=3)
    assert three.prediction.shape == (100, 3)
    assert_array_equal(three.prediction[:, 0], fitted.predict(X))
    assert_array_equal(three.counts, one.counts)
    assert certified_accuracy_score(y, three) > certified_accuracy_score(y, one)
    assert three.radius.max() <= three.max_radius()
    for i in range(100):
        assert len(set(three.prediction[i])) == 3


def test_decide(fitted, digits):
    X = digits[0][800:900]
    decided = fitted.certify(X, top_k=2, radius=0.1)
    assert 0.2 < decided.certified.mean() <= 1
    assert decided.n_draws.min() < 500
    more = fitted.set_params(n_estimation=2000).certify(X, radius=0.1, start=decided)
    fitted.set_params(n_estimation=500)
    assert more.top_k == 2
    assert more.certified.sum() >= decided.certified.sum()


@pytest.mark.parametrize("top_k", [0, 3, 1.5, -1])
def test_number_of_places_that_is_none(top_k):
    X, y = load_iris(return_X_y=True)
    clf = SmoothedClassifier(GaussianNB(), n_augment=1).fit(X, y)
    with pytest.raises(ValueError, match="top_k must be a whole number from 1 to 2"):
        clf.certify(X, top_k=top_k)


def test_other_classes_are_bounded_with_and_without_bilateral(fitted, digits):
    X = digits[0][800:850]
    one, two = fitted.certify(X, top_k=2), fitted.certify(X, top_k=2, bilateral=True)
    assert_array_equal(one.label_radius, two.label_radius)
    assert_array_equal(one.p_upper, two.p_upper)


@pytest.mark.parametrize("option", [{"top_k": 2}, {"bilateral": True}])
def test_fewer_draws_prove_nearly_the_radius(fitted, digits, option):
    X = digits[0][800:860]
    fitted.set_params(n_estimation=10_000)
    near, full = fitted.certify(X, rtol=0.1, **option), fitted.certify(X, **option)
    fitted.set_params(n_estimation=500)
    assert near.n_draws.sum() < 0.5 * full.n_draws.sum()
    certified = full.radius > 0
    assert (near.radius[certified] / full.radius[certified]).mean() > 0.9
    assert near.top_k == option.get("top_k", 1)
    assert near.bilateral == ("bilateral" in option)


def test_level_where_draws_are_sized_by_a_pilot():
    """Pilot, sizes, votes and bounds for 20,000 rows of known law: the rate of wrong ones."""
    rng, alpha = np.random.default_rng(0), 0.1
    p = np.array([0.45, 0.35, 0.2])

    def wrong(part_of_alpha, **kind):
        top_k = kind.get("top_k", 1)
        prediction = np.tile([0, 1], (20_000, 1)) if top_k == 2 else np.zeros(20_000, int)

        def certificate(positions, votes, level=alpha):
            return ClassificationCertificate.from_counts(
                prediction[positions], votes, classes=np.arange(3), noise=GaussianNoise(1.0),
                alpha=level, n_features=3, **kind,
            )  # fmt: skip

        def radii_of(positions, votes):
            result = certificate(positions, votes)
            return result.radius[:, None] if top_k == 1 else result.label_radius

        pilot = rng.multinomial(100, p, size=20_000)
        needed = draws_for_radius(pilot, 2000, 0.2, radii_of)
        assert len(np.unique(needed)) > 5
        votes = np.array([rng.multinomial(n, p) for n in needed])
        radius = certificate(np.arange(20_000), votes, alpha * part_of_alpha).radius
        others = np.delete(p, 0)
        return (radius > GaussianNoise(1.0).top_radius(p[0], others, top_k)).mean()

    for kind in ({"bilateral": True}, {"top_k": 2}):
        assert wrong(1.0, **kind) <= alpha + 3 * np.sqrt(alpha / 20_000)
        assert wrong(4.9, **kind) > alpha  # the control: a larger alpha is noticed


def test_level():
    """Rate of wrong certificates, from exact probabilities: a class outside of the true top two."""
    rng, n, alpha = np.random.default_rng(0), 200, 0.1
    p = np.array([0.34, 0.33, 0.33])
    counts = rng.multinomial(n, p, size=20_000)

    def wrong(level):
        certificate = ClassificationCertificate.from_counts(
            np.tile([2, 0], (len(counts), 1)),
            counts,
            classes=np.arange(3),
            noise=GaussianNoise(1.0),
            alpha=level,
            n_features=3,
            top_k=2,
        )
        truth = GaussianNoise(1.0).top_radius(p[2], np.delete(p, 2), 2)
        return (certificate.radius > truth).mean()

    assert wrong(alpha) <= alpha + 3 * np.sqrt(alpha / len(counts))
    assert stats.binomtest(int(wrong(0.499) * len(counts)), len(counts), alpha).pvalue < 1e-3
