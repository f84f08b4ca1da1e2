"""Exact certificates of boosted stumps and other additive models."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.base_models._additive import AdditiveScore, StepFunction, additive_score
from sksmooth.certifiers.exact import _additive
from sksmooth.certifiers.exact._additive import AdditiveVote
from sksmooth.noise import GaussianNoise, LaplaceNoise, UniformNoise
from sksmooth.noise._marginals import marginal_of

NOISE = {"gaussian": GaussianNoise, "laplace": LaplaceNoise, "uniform": UniformNoise}

with (Path(__file__).parent / "golden_trees.csv").open(newline="") as file:
    GOLDEN = [row for row in csv.DictReader(file) if row["model"] == "stumps"]

MODELS = {
    "gb": GradientBoostingClassifier(max_depth=1, n_estimators=40, random_state=0),
    "gb exponential": GradientBoostingClassifier(
        loss="exponential", max_leaf_nodes=2, n_estimators=20, init="zero", random_state=0
    ),
    "hgb": HistGradientBoostingClassifier(
        interaction_cst="no_interactions", max_leaf_nodes=6, max_iter=30, random_state=0
    ),
    "hgb stumps": HistGradientBoostingClassifier(max_depth=1, max_iter=30, random_state=0),
    "ada": AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=30, random_state=0),
}


def score_of_definition(definition, n_features):
    """Step functions of stumps ``[feature, threshold, left, right]``."""
    by_feature = {}
    for f, t, left, right in definition["stumps"]:
        by_feature.setdefault(f, []).append((t, left, right))
    functions = []
    for f, stumps in by_feature.items():
        ends = np.unique([t for t, _, _ in stumps])
        inside = np.r_[ends, ends[-1] + 1]
        values = sum(np.where(inside <= t, left, right) for t, left, right in stumps)
        functions.append(StepFunction(f, ends, values.astype(float)))
    return AdditiveScore(n_features, definition["base"], tuple(functions), 1e-14, True)


@pytest.mark.parametrize("row", GOLDEN)
@pytest.mark.parametrize("enumerate_all", [True, False])
def test_golden_stumps(row, enumerate_all, monkeypatch):
    if not enumerate_all:
        monkeypatch.setattr(_additive, "_FEW_OUTCOMES", 0)
    x = np.array([json.loads(row["x"])])
    noise = NOISE[row["family"]](float(row["sigma"]))
    score = score_of_definition(json.loads(row["definition"]), x.shape[1])
    law = AdditiveVote(noise, score, marginal_of(noise)).law(x)
    expected = float(row["hard_share"])
    assert law.tail[0, 0] >= expected * (1 - 1e-14)  # a score of 0 counts on both sides
    assert law.tail[0, 1] >= (1 - expected) * (1 - 1e-14) - 1e-15
    if enumerate_all:
        assert_allclose(law.tail[0, 0], expected, rtol=1e-9, atol=1e-12)
    else:
        assert_allclose(law.tail[0, 0], expected, atol=2e-2)


def small_problem():
    return make_classification(300, 6, n_informative=4, n_redundant=0, random_state=0)


def smoothed(model, X, y, **options):
    defaults = {"noise": "gaussian", "sigma": 0.5, "n_augment": 2, "random_state": 0}
    return SmoothedClassifier(clone(model), **{**defaults, **options}).fit(X, y)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "family",
    [f if f == "gaussian" else pytest.param(f, marks=pytest.mark.slow) for f in NOISE],
)
def test_probabilities_are_those_of_many_draws(name, family):
    X, y = small_problem()
    options = {"n_selection": 5000, "n_estimation": 20_000}
    clf = smoothed(MODELS[name], X, y, noise=family, **options)
    assert clf.fast_votes_ is True
    exact, p = clf.certify(X[:60]), clf.predict_proba(X[:60])
    assert exact.alpha is None
    assert_array_equal(clf.predict(X[:60]), exact.prediction)
    assert_array_equal(clf.classes_[p.argmax(axis=1)], exact.prediction)
    sampled = clf.set_params(structure="off").certify(X[:60])
    error = np.sqrt(np.maximum(p[:, 1] * p[:, 0], 1e-5) / 20_000)
    assert (np.abs(sampled.counts[:, 1] / 20_000 - p[:, 1]) < 4.5 * error + 2e-3).all()
    same = exact.prediction == sampled.prediction
    assert same.mean() > 0.95
    assert (exact.radius >= sampled.radius)[same].mean() > 0.98


def test_frames_and_labels_of_any_kind():
    X, y = small_problem()
    frame = pd.DataFrame(X, columns=list("abcdef"))
    names = np.array(["no", "yes"])[y]
    clf = smoothed(MODELS["gb"], frame, names)
    certificate = clf.certify(frame)
    assert certificate.alpha is None
    assert set(certificate.prediction) == {"no", "yes"}
    assert len(certificate.to_frame()) == len(X)


def test_a_score_that_is_always_positive_proves_one_class_only():
    """What is impossible on one side must not pass for impossible on the other."""
    noise = GaussianNoise(0.5)
    functions = tuple(StepFunction(f, np.arange(8.0), np.arange(9.0)) for f in range(5))
    for constant, side in ((1.0, 1), (-50.0, 0)):
        score = AdditiveScore(5, constant, functions, 1e-12, True)
        law = AdditiveVote(noise, score, marginal_of(noise)).law(np.full((2, 5), 3.0))
        assert (law.tail[:, side] == 0).all()
        assert (law.tail[:, 1 - side] == 1).all()
        proven = AdditiveVote(noise, score, marginal_of(noise)).prove(np.full((2, 5), 3.0), 2, 1)
        assert (proven.ranked == side).all()
        assert (proven.radius == np.inf).all()
    constant = AdditiveScore(5, -1.0, (), 1e-12, True)
    law = AdditiveVote(noise, constant, marginal_of(noise)).law(np.zeros((3, 5)))
    assert_array_equal(law.tail, [[0, 1]] * 3)


def test_missing_values_have_their_own_term():
    rng = np.random.default_rng(0)
    X, y = small_problem()
    X[rng.random(X.shape) < 0.2] = np.nan
    model = clone(MODELS["hgb"]).fit(X, y)
    score, noise = additive_score(model), GaussianNoise(0.5)
    assert_allclose(score.of(X), model.decision_function(X), atol=1e-12)
    found = AdditiveVote(noise, score, marginal_of(noise)).probabilities(X[:20])[:, 1]
    draws = noise.draw(20_000, (6,), rng, float)
    sampled = [model.predict(x + draws).mean() for x in X[:20]]
    assert_allclose(found, sampled, atol=5 * 0.5 / np.sqrt(20_000))


def attack(certificate, X, vote, factor, rng):
    """Count rows whose exact vote changes within `factor` times the radius."""
    winner = np.searchsorted(certificate.classes, certificate.prediction)
    fallen, d = 0, X.shape[1]
    for i in np.flatnonzero((certificate.radius > 0) & np.isfinite(certificate.radius)):
        x, reach = X[i], certificate.radius[i] * factor
        crossing = []
        for f in vote.score.functions:
            step = np.zeros((len(f.ends), d))
            step[:, f.feature] = f.ends - x[f.feature]
            crossing.append(step)
        gradient = np.zeros((1, d))
        for j in range(d):
            moved = np.vstack([x, x])
            moved[:, j] += [-0.05, 0.05]
            gradient[0, j] = np.diff(vote.probabilities(moved)[:, winner[i]])[0]
        several = [np.vstack(crossing), np.eye(d), -np.eye(d), rng.normal(size=(10, d)), -gradient]
        directions = np.vstack(several)
        length = np.linalg.norm(directions, certificate.norm, axis=1, keepdims=True)
        directions = directions[length[:, 0] > 0] / length[length[:, 0] > 0]
        moved = x + reach * directions
        fallen += bool((vote.law(moved).upper[:, winner[i]] < 0.5).any())
    return fallen


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_attacks_inside_the_radius_fail_and_beyond_it_succeed():
    """One feature decides in the control, so that the radius is tight."""
    rng = np.random.default_rng(0)
    X, y = small_problem()
    X, y = np.tile(X, (4, 1)) + rng.normal(size=(1200, 6)), np.tile(y, 4)
    n_attacked = n_fallen = 0
    for name in ("gb", "ada"):
        clf = smoothed(FrozenEstimator(clone(MODELS[name]).fit(X[:300], y[:300])), X, y)
        certificate, vote = clf.certify(X), clf._voter(clf._read(X[:1]))
        n_attacked += int((certificate.radius > 0).sum())
        n_fallen += attack(certificate, X, vote, 1 - 1e-9, rng)
    assert n_attacked > 2000
    assert n_fallen == 0
    steps = clone(MODELS["gb"]).set_params(n_estimators=5).fit(X[:, :1], y)
    clf = smoothed(FrozenEstimator(steps), X[:, :1], y)
    certificate, vote = clf.certify(X[:400, :1]), clf._voter(clf._read(X[:1, :1]))
    assert attack(certificate, X[:400, :1], vote, 1 - 1e-9, rng) == 0
    assert attack(certificate, X[:400, :1], vote, 1.05, rng) > 50


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gb", "hgb"])
@pytest.mark.parametrize("family", ["gaussian", "laplace"])
def test_agrees_with_a_million_draws(name, family):
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    clf = smoothed(MODELS[name], X, y, noise=family, n_augment=5, n_estimation=1_000_000)
    rows = X[:: 6 if family == "gaussian" else 25]
    exact, p = clf.certify(rows), clf.predict_proba(rows)[:, 1]
    sampled = clf.set_params(structure="off").certify(rows)
    error = np.sqrt(np.maximum(p * (1 - p), 1e-7) / 1e6)
    assert (np.abs(sampled.counts[:, 1] / 1e6 - p) < 4 * error + 5e-4).all()
    same = exact.prediction == sampled.prediction
    assert same.mean() > 0.97
    assert (exact.radius >= sampled.radius)[same].mean() >= 0.999
