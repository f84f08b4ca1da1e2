"""What every smooth score has to do: its value, its gradient, and bounds that hold."""

import numpy as np
import pytest
from smooth_models import climb, fitted, largest_curvature, make_models, rows_like

from sksmooth.smooth_scores import smooth_score
from sksmooth.smooth_scores._norms import dual_norm

NAMES = list(make_models())
NORMS = [1, 2, np.inf]
EXACT = {"svc poly 2", "qda", "naive bayes", "qda 3", "pipeline pca"}  # constant Hessian
UNBOUNDED = {"svc poly 3", "pipeline poly"}
# The Hessian is the same everywhere, so that a ball around a row says nothing of its own.
WITHOUT_LOCAL_BOUND = {
    "lda",
    "linear svc",
    "logistic",
    "logistic 3",
    "mlp identity",
    "naive bayes",
    "naive bayes 3",
    "perceptron",
    "pipeline nb 3",
    "pipeline pca",
    "qda",
    "qda 3",
    "ridge",
    "ridge cv",
    "sgd",
    "svc linear",
}


@pytest.fixture(scope="module", params=NAMES)
def case(request):
    """Name, model, its score, data, and margins."""
    model, X, _ = fitted(request.param)
    score = smooth_score(model)
    n = score.value(X[:1]).shape[1]
    eye = np.eye(n)
    weights = [np.ones(1)] if n == 1 else [eye[0] - eye[1], eye[2] - eye[1]]
    return request.param, model, score, X, weights


def test_scores_say_what_the_model_predicts(case):
    _, model, score, X, _ = case
    X = rows_like(X, 300)
    values = score.value(X)
    winner = (values[:, 0] > 0).astype(int) if values.shape[1] == 1 else values.argmax(axis=1)
    assert np.array_equal(model.classes_[winner], model.predict(X))
    if hasattr(model, "decision_function"):
        np.testing.assert_allclose(
            values, model.decision_function(X).reshape(values.shape), rtol=1e-9, atol=1e-9
        )


def test_gradients_are_differences_of_values(case):
    _, _, score, X, _ = case
    X, step = rows_like(X, 50), 1e-6
    differences = [
        (score.value(X + e) - score.value(X - e)) / (2 * step) for e in step * np.eye(X.shape[1])
    ]
    gradient = score.gradient(X)
    np.testing.assert_allclose(
        gradient, np.stack(differences, axis=2), atol=1e-7 * np.abs(gradient).max()
    )


@pytest.mark.parametrize("norm", NORMS)
def test_no_attack_exceeds_the_lipschitz_constant(case, norm):
    """Hill climbing on the norm of the Hessian; the control is a constant that is too small."""
    name, _, score, X, margins = case
    for weights in margins:
        constant = score.lipschitz(weights, norm)
        if name in UNBOUNDED:
            assert constant == np.inf
            continue
        reached = climb(
            lambda Z, weights=weights: largest_curvature(score, weights, Z, norm),
            rows_like(X, 60),
            np.random.default_rng(0),
            scale=X.std(axis=0),
            steps=25,
        ).max()
        assert reached <= constant * (1 + 1e-6) + 1e-6
        assert reached > constant / 30 or constant == 0
        if name in EXACT and norm != np.inf:
            assert reached == pytest.approx(constant, rel=1e-4)


def test_scores_whose_hessian_varies_have_a_local_bound(case):
    name, _, score, X, _ = case
    assert (score.local_bound(X[:3]) is None) == (name in WITHOUT_LOCAL_BOUND)


@pytest.mark.parametrize("case", sorted(set(NAMES) - WITHOUT_LOCAL_BOUND), indirect=True)
@pytest.mark.parametrize("norm", NORMS)
def test_no_attack_exceeds_the_local_constants(case, norm):
    """Hill climbing within balls of several sizes around each row."""
    _, _, score, X, margins = case
    rows, rng = rows_like(X, 12), np.random.default_rng(1)
    local = score.local_bound(rows)
    last = np.zeros(len(rows))
    for share in (0.0, 0.1, 0.5, 2.0):
        radius = np.full(len(rows), share * X.std())
        bound = local.lipschitz(margins[0], norm, radius)
        assert (bound >= last).all()  # a larger ball has a larger constant
        assert (bound <= score.lipschitz(margins[0], norm) * (1 + 1e-12)).all()
        last = bound

        def keep(Z, radius=radius):
            away = Z - rows
            size = np.linalg.norm(away, norm, axis=1)
            return rows + away * np.minimum(1, radius / np.maximum(size, 1e-300))[:, None]

        reached = climb(
            lambda Z: largest_curvature(score, margins[0], Z, norm),
            rows.copy(),
            rng,
            scale=max(radius[0], 1e-12),
            steps=20,
            keep=keep,
        )
        assert (reached <= bound * (1 + 1e-5) + 1e-6).all()


def test_rounding_bounds_the_difference_of_two_ways_to_compute(case):
    """The same rows in another order and in longer arrays are summed in another order."""
    _, _, score, X, _ = case
    X = rows_like(X, 64, spread=3.0)
    order = np.random.default_rng(0).permutation(len(X))
    one_by_one = np.vstack([score.value(x[None]) for x in X])
    together = np.empty_like(one_by_one)
    together[order] = score.value(X[order])
    bound = score.rounding(X)
    assert (np.abs(one_by_one - together) <= bound).all()
    assert (bound < 1e-9 * (1 + np.abs(together).max())).all()


def test_rounding_bounds_the_difference_of_two_ways_to_take_gradients(case):
    """Rows and gradients computed one by one, and in another order."""
    _, _, score, X, _ = case
    X = rows_like(X, 64, spread=3.0)
    order = np.random.default_rng(0).permutation(len(X))
    one_by_one = np.vstack([score.gradient(x[None]) for x in X])
    together = np.empty_like(one_by_one)
    together[order] = score.gradient(X[order])
    bound = score.gradient_rounding(X)
    assert (np.abs(one_by_one - together).sum(axis=2) <= bound).all()
    assert (bound < 1e-9 * (1 + np.abs(together).sum(axis=2).max())).all()


@pytest.mark.parametrize("norm", NORMS)
def test_dual_norm_is_attained(norm):
    rng = np.random.default_rng(0)
    g = rng.normal(size=(20, 4))
    ball = rng.normal(size=(4000, 4))
    ball = np.vstack([ball, np.sign(ball), np.eye(4)[np.abs(ball).argmax(1)] * np.sign(ball)])
    ball /= np.linalg.norm(ball, norm, axis=1)[:, None]
    reached = (ball @ g.T).max(axis=0)
    assert (reached <= dual_norm(g, norm) * (1 + 1e-12)).all()
    assert (reached > 0.9 * dual_norm(g, norm)).all()


def test_dual_norm_neither_over_nor_underflows():
    for size in (1e-200, 1e200):
        assert dual_norm(np.array([3.0, 4.0]) * size, 2) == pytest.approx(5 * size, rel=1e-15)
    assert dual_norm(np.zeros((2, 3)), 2).tolist() == [0, 0]
