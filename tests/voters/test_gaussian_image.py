"""Gaussian noise that is drawn behind a matrix has the law of noise that went through it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from voter_cases import largest_z, mlp, smoother

from sksmooth import SmoothedClassifier
from sksmooth.engine._streams import DrawStream, Purpose
from sksmooth.noise import GaussianNoise
from sksmooth.voters import LinearScores

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


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


def test_counts_have_the_law_of_the_black_box(iris):
    X, y = iris
    base = make_pipeline(StandardScaler(), LogisticRegression())
    auto = smoother(base).fit(X, y).certify(X[::3])
    off = smoother(base, structure="off").fit(X, y)
    assert (auto.counts != off.certify(X[::3]).counts).any()
    assert largest_z(auto.counts, off.certify(X[::3]).counts) < 4.5
    off.noise_.set_params(sigma=0.54)  # the comparison notices other noise
    assert largest_z(auto.counts, off.certify(X[::3]).counts) > 4.5


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
