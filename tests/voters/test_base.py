"""Votes taken with the voter of a model are those of the model on the same noise."""

import numpy as np
import pytest
from case_names import name_of_case
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from voter_cases import MODELS, mlp, smoother, votes_on_the_same_noise

from sksmooth import SmoothedClassifier
from sksmooth.noise import GaussianNoise, LaplaceNoise, UniformNoise
from sksmooth.voters import LinearScores, voter_of

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


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


def test_many_rows_are_taken_in_parts(digits, monkeypatch):
    X, y = digits
    clf = SmoothedClassifier(mlp(), n_estimation=100, random_state=0).fit(X, y)
    whole = clf.certify(X[:50]).counts
    monkeypatch.setattr("sksmooth.engine._counting._VALUES_OF_INPUTS", 20 * 7)
    assert_array_equal(clf.certify(X[:50]).counts, whole)


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
