"""Are certificates true? Against classifiers whose robust radius is known.

A certificate is wrong if some input within its radius belongs to another class than the
prediction. The share of wrong certificates must not exceed alpha. Rows that share their noise
fail together, so the error of a share is estimated from independent seeds.
"""

import numpy as np
import pytest
from scipy import special
from scipy.spatial import cKDTree
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator

from sksmooth import SmoothedClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")

SIGMA = 0.5


def certify(model, X, *, seed, alpha, n_estimation, bilateral=False):
    """Certify fitted on nothing: the model is frozen and knows its classes."""
    y = np.resize(model.classes_, len(X))
    clf = SmoothedClassifier(
        FrozenEstimator(model),
        sigma=SIGMA,
        alpha=alpha,
        n_estimation=n_estimation,
        n_selection=30,
        random_state=seed,
    )
    return clf.fit(X, y).certify(X, bilateral=bilateral)


def share_of_wrong(wrong):
    """Mean over seeds, and how far it may lie from the truth: three standard errors."""
    per_seed = np.array([w.mean() for w in wrong])
    return per_seed.mean(), 3 * per_seed.std(ddof=1) / np.sqrt(len(per_seed))


class HalfSpace(ClassifierMixin, BaseEstimator):
    """Class 1 where ``w @ x + b > 0``; smoothing with Gaussian noise leaves it as it is."""

    classes_ = np.array([0, 1])
    w, b = np.array([3.0, -1.0, 2.0]), 0.7

    def predict(self, X):
        return (X @ self.w + self.b > 0).astype(int)

    def distance(self, X):
        """Signed distance to the boundary, where the smoothed classifier changes too."""
        return (X @ self.w + self.b) / np.linalg.norm(self.w)


def wrong_for_half_space(certificate, X):
    distance = HalfSpace().distance(X)
    right = certificate.prediction == (distance > 0)
    return (certificate.radius > 0) & ~(right & (certificate.radius <= np.abs(distance)))


# Rows whose vote shares run from 0.5 to 0.99: where certificates can fail at all.
HALF_SPACE_ROWS = np.outer(np.linspace(-2.3, 2.3, 50) * SIGMA, HalfSpace.w) / (
    HalfSpace.w @ HalfSpace.w
) * np.linalg.norm(HalfSpace.w) - HalfSpace.b * HalfSpace.w / (HalfSpace.w @ HalfSpace.w)


@pytest.fixture(scope="module")
def half_space_certificates():
    """20,000 certificates at alpha = 0.05."""
    rows = HALF_SPACE_ROWS
    return [
        certify(HalfSpace(), rows, seed=seed, alpha=0.05, n_estimation=300) for seed in range(400)
    ]


def test_linear_certificates_fail_at_most_as_often_as_alpha(half_space_certificates):
    wrong = [wrong_for_half_space(c, HALF_SPACE_ROWS) for c in half_space_certificates]
    share, error = share_of_wrong(wrong)
    assert share <= 0.05 + error
    assert share > 0.02  # and alpha is made use of: for half-spaces the certificate is tight


def test_linear_check_catches_certificates_of_another_level(half_space_certificates):
    bold = [wrong_for_half_space(c.at(alpha=0.2), HALF_SPACE_ROWS) for c in half_space_certificates]
    share, error = share_of_wrong(bold)
    assert share > 0.05 + error


def test_linear_certificates_at_a_small_alpha(half_space_certificates):
    """At most 20 wrong ones are expected of 20,000; 40 are allowed (a probability of 2e-5)."""
    wrong = [
        wrong_for_half_space(c.at(alpha=0.001), HALF_SPACE_ROWS) for c in half_space_certificates
    ]
    assert np.sum(wrong) <= 40


CELLS, EXTENT, FINE = 7, 3.0, 241


class Patchwork(ClassifierMixin, BaseEstimator):
    """Random classes on a grid of cells in the plane; the outermost cells reach to infinity."""

    def __init__(self, seed=0, n_classes=3):
        self.seed = seed
        self.n_classes = n_classes
        self.classes_ = np.arange(n_classes)
        self.cells_ = np.random.default_rng(seed).integers(n_classes, size=(CELLS, CELLS))
        self.edges_ = np.linspace(-EXTENT, EXTENT, CELLS - 1)

    def predict(self, X):
        i, j = (np.searchsorted(self.edges_, X[:, axis]) for axis in (0, 1))
        return self.cells_[i, j]

    def smoothed_scores(self, first, second):
        """Exact class probabilities at all pairs of coordinates: products of normal masses."""
        edges = np.concatenate([[-np.inf], self.edges_, [np.inf]])
        mass = [
            np.diff(special.ndtr((edges - at[:, None]) / SIGMA), axis=1) for at in (first, second)
        ]
        return np.stack([mass[0] @ (self.cells_ == c) @ mass[1].T for c in self.classes_], axis=-1)


def farthest_safe_distance(model, X):
    """Class of the smoothed classifier at X, and distance to the nearest fine-grid point that has
    another one."""
    axis = np.linspace(-EXTENT - 1, EXTENT + 1, FINE)
    winner = model.smoothed_scores(axis, axis).argmax(axis=-1).ravel()
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    own = np.array([model.smoothed_scores(x[:1], x[1:])[0, 0].argmax() for x in np.atleast_2d(X)])
    distance = np.full(len(X), np.inf)
    for c in np.unique(own):
        others = points[winner != c]
        if len(others):
            distance[own == c] = cKDTree(others).query(X[own == c])[0]
    return own, distance


@pytest.fixture(scope="module", params=[False, True], ids=["one-sided", "bilateral"])
def patchwork_certificates(request):
    """20,000 certificates of 20 random functions at alpha = 0.05, with the truth about them."""
    results = []
    for function in range(20):
        model = Patchwork(function)
        X = np.random.default_rng(function).uniform(-EXTENT, EXTENT, size=(50, 2))
        truth = farthest_safe_distance(model, X)
        for seed in range(20):
            certificate = certify(
                model, X, seed=seed, alpha=0.05, n_estimation=300, bilateral=request.param
            )
            results.append((certificate, *truth))
    return results


def wrong_for_patchwork(certificate, own, distance):
    right = certificate.prediction == own
    return (certificate.radius > 0) & ~(right & (certificate.radius <= distance))


def test_certificates_of_random_functions(patchwork_certificates):
    share, error = share_of_wrong([wrong_for_patchwork(*r) for r in patchwork_certificates])
    assert sum(len(r[0]) for r in patchwork_certificates) == 20_000
    assert share <= 0.05 + error
    certified = np.mean([r[0].certified.mean() for r in patchwork_certificates])
    assert certified > 0.3  # the claim is not empty


def test_certificates_of_random_functions_at_a_small_alpha(patchwork_certificates):
    """20 wrong ones of 20,000 would be the limit for tight certificates; these are not."""
    wrong = [wrong_for_patchwork(c.at(alpha=0.001), *t) for c, *t in patchwork_certificates]
    assert np.sum(wrong) <= 20


def test_patchwork_check_catches_radii_that_are_too_large(patchwork_certificates):
    """Without a confidence bound and with twice the radius, the same check fails."""
    wrong = []
    for certificate, own, distance in patchwork_certificates:
        bold = 2 * certificate.at(alpha=0.499).radius
        wrong.append((bold > 0) & ~((certificate.prediction == own) & (bold <= distance)))
    share, error = share_of_wrong(wrong)
    assert share > 0.05 + error
