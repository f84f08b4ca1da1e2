"""Exact certificates of decision trees."""

import csv
import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
from marginal_reference import tree_probabilities
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.base_models._boxes import Boxes, Interval
from sksmooth.base_models._trees import boxes_of
from sksmooth.certifiers.exact import _certifier
from sksmooth.certifiers.exact._boxes import BoxVote
from sksmooth.engine import _parallel
from sksmooth.noise import GaussianNoise, LaplaceNoise, UniformNoise
from sksmooth.noise._marginals import marginal_of

NOISE = {"gaussian": GaussianNoise, "laplace": LaplaceNoise, "uniform": UniformNoise}

with (Path(__file__).parent / "golden_trees.csv").open(newline="") as file:
    GOLDEN = list(csv.DictReader(file))


def boxes_of_definition(tree, n_features):
    """Boxes of a tree ``[feature, threshold, left, right]`` with numbers for leaves."""
    boxes = []

    def visit(node, sides):
        if not isinstance(node, list):
            boxes.append((list(sides.values()), int(node > 0.5)))
            return
        f, t, left, right = node
        side = sides.get(f, Interval(f, -np.inf, np.inf))
        visit(left, {**sides, f: Interval(f, side.low, min(side.high, t))})
        visit(right, {**sides, f: Interval(f, max(side.low, t), side.high)})

    visit(tree, {})
    return Boxes.of(boxes, n_features=n_features, n_classes=2)


@pytest.mark.parametrize(
    "row", [r for r in GOLDEN if r["model"] == "forest" and len(json.loads(r["definition"])) == 1]
)
def test_golden_trees(row):
    x, (tree,) = np.array([json.loads(row["x"])]), json.loads(row["definition"])
    noise = NOISE[row["family"]](float(row["sigma"]))
    vote = BoxVote(noise, boxes_of_definition(tree, x.shape[1]), marginal_of(noise))
    expected = float(row["hard_share"])
    assert_allclose(vote.probabilities(x)[0, 1], expected, rtol=1e-9, atol=1e-300)
    law = vote.law(x)
    assert law.upper[0, 1] >= expected * (1 - 1e-15)
    assert law.tail[0, 1] >= (1 - expected) * (1 - 1e-15)


def small_problem(n_classes=3, **options):
    return make_classification(
        200, 5, n_informative=4, n_redundant=0, n_classes=n_classes, random_state=0, **options
    )


def smoothed(model, X, y, **options):
    defaults = {"noise": "gaussian", "sigma": 0.5, "n_augment": 2, "random_state": 0}
    return SmoothedClassifier(model, **{**defaults, **options}).fit(X, y)


@pytest.mark.parametrize("family", NOISE)
@pytest.mark.parametrize(
    "model", [DecisionTreeClassifier(max_leaf_nodes=12), ExtraTreeClassifier(max_depth=4)]
)
def test_bounds_hold_the_exact_probabilities(model, family):
    X, y = small_problem()
    clf = smoothed(clone(model), X, y, noise=family)
    rows = np.vstack([X[:8], 8 * X[8:12]])
    vote = clf._voter(clf._read(rows))
    law = vote.law(rows)
    tree = clf.estimator_.tree_
    labels = tree.value[:, 0].argmax(axis=1)
    for i, x in enumerate(rows):
        exact = tree_probabilities(tree, family, 0.5, x, labels, 3)
        for c in range(3):
            rest = mpmath.fsum(p for b, p in enumerate(exact) if b != c)
            assert exact[c] <= law.upper[i, c] <= float(exact[c]) * (1 + 1e-9) + 2e-12
            assert rest <= law.tail[i, c] <= float(rest) * (1 + 1e-9) + 2e-12
        assert_allclose(law.probabilities[i], [float(p) for p in exact], rtol=1e-9, atol=1e-13)


def test_tails_keep_their_relative_precision():
    tree = boxes_of_definition([0, 0.0, 0.0, [1, 0.0, 0.0, 1.0]], 2)
    noise = GaussianNoise(1.0)
    vote = BoxVote(noise, tree, marginal_of(noise))
    law = vote.law(np.array([[29.0, 30.0]]))
    tail = np.exp(np.logaddexp(special.log_ndtr(-29.0), special.log_ndtr(-30.0)))
    assert tail < 1e-180
    assert_allclose(law.tail[0, 1], tail, rtol=1e-11)
    proven = vote.prove(np.array([[29.0, 30.0]]), 2, 1)
    assert_allclose(proven.radius[0, 0], 29.0, rtol=1e-3)
    assert proven.radius[0, 0] < 29.0
    # what underflows is not taken for nothing
    far = vote.prove(np.array([[100.0, 100.0]]), 2, 1)
    assert 37 < far.radius[0, 0] < 38


def test_several_classes_use_the_runner_up():
    X, y = small_problem()
    clf = smoothed(DecisionTreeClassifier(max_leaf_nodes=12), X, y)
    certificate = clf.certify(X)
    ahead = certificate.p_upper < 1 - certificate.p_lower
    assert ahead.any()
    assert (certificate.p_upper <= 1 - certificate.p_lower + 1e-15).all()
    both = (special.ndtri(certificate.p_lower) - special.ndtri(certificate.p_upper)) / 4
    near = certificate.radius < 2  # beyond, p_lower is rounded to few digits of its tail
    assert_allclose(certificate.radius[near], np.maximum(both, 0)[near], rtol=1e-7, atol=1e-12)
    top = clf.certify(X, top_k=2)
    assert top.label_radius.shape == (len(X), 2)
    assert_array_equal(top.prediction[:, 0], certificate.prediction)
    assert (top.label_radius[:, 0] >= certificate.radius - 1e-9).all()
    probabilities = clf.predict_proba(X)
    assert_array_equal(clf.classes_[probabilities.argmax(axis=1)], certificate.prediction)
    assert_allclose(probabilities.sum(axis=1), 1)
    assert_array_equal(clf.predict(X), certificate.prediction)


@pytest.mark.parametrize("family", NOISE)
def test_no_votes_are_drawn_and_the_options_of_certify_work(family):
    X, y = small_problem(2)
    clf = smoothed(DecisionTreeClassifier(max_depth=3), X, y, noise=family)
    certificate = clf.certify(X)
    assert certificate.alpha is None
    assert certificate.n_draws.max() == 0
    assert clf.fast_votes_ is True
    decided = clf.certify(X, radius=0.2)
    assert_array_equal(decided.certified, certificate.radius >= 0.2)
    in_linf = clf.certify(X[:3], simultaneous=True) if family == "gaussian" else certificate
    assert in_linf.alpha is None
    sampled = clf.set_params(structure="off").certify(X[:3])
    assert sampled.alpha is not None


def test_rows_do_not_depend_on_workers_or_blocks(monkeypatch):
    X, y = small_problem()
    clf = smoothed(DecisionTreeClassifier(), X, y)
    expected, probabilities = clf.certify(X), clf.predict_proba(X)
    monkeypatch.setattr(_certifier, "_VALUES_PER_TASK", 1000)
    monkeypatch.setattr(_parallel, "_FEW_VALUES", 1)
    clf.set_params(n_jobs=2)
    assert_allclose(clf.certify(X).radius, expected.radius, rtol=1e-9)
    assert_allclose(clf.certify(X[::-1]).radius[::-1], expected.radius, rtol=1e-9)
    assert_allclose(clf.predict_proba(X), probabilities, rtol=1e-12)


def test_constant_trees_are_certified_everywhere():
    noise = GaussianNoise(0.5)
    boxes = Boxes.of([((), 1)], n_features=5, n_classes=2)
    proven = BoxVote(noise, boxes, marginal_of(noise)).prove(np.zeros((3, 5)), 2, 1)
    assert (proven.radius == np.inf).all()
    assert (proven.ranked == 1).all()


def attack(certificate, X, vote, factor, rng):
    """Count rows whose exact vote changes within `factor` times the radius."""
    rows = np.flatnonzero(certificate.radius > 0)
    winner = np.searchsorted(certificate.classes, certificate.prediction)
    boxes, fallen = vote.boxes, np.zeros(len(X), bool)
    for i in rows:
        x, reach = X[i], certificate.radius[i] * factor
        steps = [rng.normal(size=(40, X.shape[1])), np.eye(X.shape[1]), -np.eye(X.shape[1])]
        # towards the thresholds: to the borders of the intervals, and to whole boxes
        ends = np.where(np.isfinite(boxes.low), boxes.low, boxes.high) - x[boxes.feature]
        crossing = np.zeros((len(ends), X.shape[1]))
        crossing[np.arange(len(ends)), boxes.feature] = ends
        others = boxes.labels != winner[i]
        towards = np.zeros((len(boxes.labels), X.shape[1]))
        padded = np.vstack([crossing, np.zeros((1, X.shape[1]))])
        for side in boxes.sides.T:
            towards += padded[side]
        directions = np.vstack([*steps, crossing, towards[others]])
        length = np.linalg.norm(directions, certificate.norm, axis=1, keepdims=True)
        directions = directions[length[:, 0] > 0] / length[length[:, 0] > 0]
        moved = x + reach * np.vstack([directions, directions[rng.permutation(len(directions))]])
        fallen[i] = (vote.probabilities(moved).argmax(axis=1) != winner[i]).any()
    return int(fallen.sum())


def test_attacks_inside_the_radius_fail_and_beyond_it_succeed():
    """A half-space is the worst case, so radii of stumps are tight: five percent more are wrong."""
    rng = np.random.default_rng(0)
    X, y = small_problem(2)
    X, y = np.tile(X, (5, 1)) + rng.normal(size=(1000, 5)), np.tile(y, 5)
    n_attacked = n_fallen = n_beyond = 0
    for depth, family, norm in [(1, "gaussian", 2), (4, "gaussian", 2), (3, "laplace", 1)]:
        model = FrozenEstimator(DecisionTreeClassifier(max_depth=depth).fit(X, y))
        clf = smoothed(model, X, y, noise=family)
        certificate, vote = clf.certify(X), clf._voter(clf._read(X[:1]))
        assert certificate.norm == norm
        n_attacked += int((certificate.radius > 0).sum())
        n_fallen += attack(certificate, X, vote, 1 - 1e-9, rng)
        n_beyond += attack(certificate, X, vote, 1.05, rng)
    assert n_attacked > 2000
    assert n_fallen == 0
    assert n_beyond > 500


def test_missing_values_take_their_branch():
    rng = np.random.default_rng(0)
    X, y = small_problem(2, shuffle=True)
    X[rng.random(X.shape) < 0.2] = np.nan
    model = DecisionTreeClassifier(max_leaf_nodes=10, random_state=0).fit(X, y)
    boxes, noise = boxes_of(model), GaussianNoise(0.5)
    assert not boxes.missing.all()
    x32 = X.astype(np.float32).astype(float)
    assert_array_equal(boxes.classify(x32), model.predict(X))
    vote = BoxVote(noise, boxes, marginal_of(noise))
    draws = noise.draw(20_000, (5,), np.random.default_rng(1), float)
    found = vote.probabilities(X[:20])[:, 1]
    sampled = [model.predict(x + draws).mean() for x in X[:20]]
    assert_allclose(found, sampled, atol=5 * 0.5 / np.sqrt(20_000))
    assert_allclose(vote.probabilities(X).sum(axis=1), 1, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("family", NOISE)
def test_agrees_with_a_million_draws(family):
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    options = {"noise": family, "alpha": 0.001, "n_estimation": 1_000_000}
    model = DecisionTreeClassifier(max_depth=5, random_state=0)
    clf = smoothed(model, X, y, n_augment=5, **options)
    rows = X[::15]
    exact, p = clf.certify(rows), clf.predict_proba(rows)[:, 1]
    clf.set_params(structure="off")
    sampled = clf.certify(rows)
    proportion = sampled.counts[:, 1] / 1e6
    error = np.sqrt(np.maximum(p * (1 - p), 1e-7) / 1e6)
    assert (np.abs(proportion - p) < 4.5 * error).all()
    same = exact.prediction == sampled.prediction
    assert same.mean() > 0.95
    assert (exact.radius >= sampled.radius)[same].mean() >= 0.999
