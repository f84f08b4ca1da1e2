"""Radii of the locally biased classifier: golden values, limits, and attacks."""

import numpy as np
import pytest
from smooth_models import fitted, make_models, rows_like, trained_modules

from sksmooth.certifiers.local_bias._bias import LocalBias, root
from sksmooth.certifiers.local_bias._neighbor_radii import ReferencePoints
from sksmooth.smooth_scores import smooth_score
from sksmooth.smooth_scores._activations import power
from sksmooth.smooth_scores._affine import AffineInput
from sksmooth.smooth_scores._linear import LinearScore
from sksmooth.smooth_scores._networks import NetworkScore
from sksmooth.smooth_scores._quadratic import QuadraticScore
from sksmooth.smooth_scores._user import GivenLipschitz

NORMS = [1, 2, np.inf]
DUAL = {1: np.inf, 2: 2, np.inf: 1}

# alpha, margin of the winner, dual norm, Lipschitz constant, whether the label agrees, radius
GOLDEN_RADII = [
    (0.0, 1.0, 1.0, 1.0, True, 0.7320508075688773),
    (0.0, 3.0, 1.0, 1.0, True, 1.6457513110645905),
    (0.0, 3.0, 1.0, 1.0, False, 1.6457513110645905),
    (0.0, 1.0, 0.0, 1.0, True, 1.414213562373095),
    (0.0, 2.0, 1.0, 0.0, True, 2.0),
    (0.0, 2.0, 1.0, 0.0, False, 2.0),
    (0.5, 1.0, 1.0, 1.0, True, 0.79128784747792),
    (0.5, 3.0, 1.0, 1.0, True, 1.6457513110645905),
    (0.5, 3.0, 1.0, 1.0, False, 1.1925824035672519),
    (0.5, 1.0, 0.0, 1.0, True, 1.414213562373095),
    (0.5, 2.0, 1.0, 0.0, True, 2.5),
    (0.5, 2.0, 1.0, 0.0, False, 1.5),
    (1.0, 1.0, 1.0, 1.0, True, 0.8284271247461902),
    (1.0, 3.0, 1.0, 1.0, True, 1.6457513110645905),
    (1.0, 3.0, 1.0, 1.0, False, 0.8284271247461902),
    (1.0, 1.0, 0.0, 1.0, True, 1.414213562373095),
    (1.0, 2.0, 1.0, 0.0, True, 3.0),
    (1.0, 2.0, 1.0, 0.0, False, 1.0),
    (4.0, 1.0, 1.0, 1.0, True, 0.9160797830996161),
    (4.0, 3.0, 1.0, 1.0, True, 1.6457513110645905),
    (4.0, 1.0, 0.0, 1.0, True, 1.414213562373095),
    (4.0, 2.0, 1.0, 0.0, True, 6.0),
]

# alpha, norm, score, dual norm, distance to the other label, radius
GOLDEN_LINEAR = [
    (0.0, 2, 7.0, 5.0, 1.3416407864998738, 1.4),
    (0.0, 1, 7.0, 4.0, 1.5, 1.75),
    (0.0, np.inf, 7.0, 7.0, 1.0, 1.0),
    (0.05, 2, 7.0, 5.0, 1.3416407864998738, 1.35),
    (0.05, 1, 7.0, 4.0, 1.5, 1.7),
    (0.05, np.inf, 7.0, 7.0, 1.0, 1.0),
    (0.5, 2, 7.0, 5.0, 1.3416407864998738, 1.3416407864998738),
    (0.5, 1, 7.0, 4.0, 1.5, 1.5),
    (0.5, np.inf, 7.0, 7.0, 1.0, 1.0),
]


def bias(
    score, points, labels, alpha, norm, *, method="pairwise", is_local=True, n_classes=2, voters=1
):
    reference = ReferencePoints(points, labels, n_classes, voters)
    return LocalBias(score, reference, alpha, norm, method, is_local)


@pytest.mark.parametrize(
    ("alpha", "margin", "gradient_norm", "curvature", "agrees", "radius"), GOLDEN_RADII
)
def test_golden_radii_of_the_boundary(alpha, margin, gradient_norm, curvature, agrees, radius):
    """Where the neighbours' label cannot change: one reference point only."""
    gradient_norm = gradient_norm or 1e-300  # a gradient of 0 by its limit
    score = GivenLipschitz(LinearScore(np.array([[gradient_norm]]), np.array([margin])), curvature)
    points, label = np.zeros((1, 1)), np.array([1 if agrees else 0])
    winner, found = bias(score, points, label, alpha, 2).certify(np.zeros((1, 1)))
    assert winner[0] == 1
    assert found[0] / (1 - 1e-9) == pytest.approx(radius, rel=1e-9)
    assert found[0] < radius


@pytest.mark.parametrize(
    ("alpha", "norm", "score", "gradient_norm", "away", "radius"), GOLDEN_LINEAR
)
def test_golden_radii_of_a_linear_score(alpha, norm, score, gradient_norm, away, radius):
    """Score 3 x + 4 y, reference points (2, 1) apart, and an input whose score is 7."""
    x = np.array([[1.0, 1.0]])
    linear = LinearScore(np.array([[3.0, 4.0]]), np.zeros(1))
    assert linear.value(x)[0, 0] == score
    step = np.array([2.0, 1.0])  # border through x - 1.5 * (1, 0) orthogonal to it
    middle = x[0] - 1.5 * np.array([1.0, 0.0])
    points = np.array([middle + step, middle - step])
    labels = np.array([1, 0])
    reference = ReferencePoints(points, labels, 2)
    assert reference.radii(x, norm, "nearest").radius[0, 0] == pytest.approx(away, rel=1e-12)
    winner, found = bias(linear, points, labels, alpha, norm, method="nearest").certify(x)
    assert winner[0] == 1
    assert found[0] / (1 - 1e-9) == pytest.approx(radius, rel=1e-9)
    assert found[0] < radius


def test_root_in_its_limits():
    margin = np.array([1.0, 1.0, 1.0, 0.0, -1.0, 1.0, 1e-200])
    gradient_norm = np.array([2.0, 0.0, 0.0, 0.0, 1.0, np.inf, 1.0])
    curvature = np.array([0.0, 2.0, 0.0, 0.0, 1.0, np.inf, 1.0])
    assert root(margin, gradient_norm, curvature).tolist() == [
        0.5,
        1.0,
        np.inf,
        0.0,
        0.0,
        0.0,
        1e-200,
    ]
    tiny = root(
        np.full(3, 1e-200), np.array([1e-200, 0.0, 1e-200]), np.array([0.0, 1e-200, 1e-200])
    )
    assert tiny == pytest.approx([1.0, 2**0.5, 3**0.5 - 1])
    rng = np.random.default_rng(0)
    margin, gradient_norm, curvature = rng.exponential(size=(3, 100))
    r = root(margin, gradient_norm, curvature)
    np.testing.assert_allclose(gradient_norm * r + curvature * r**2 / 2, margin, rtol=1e-13)


def base_of(name):
    """A fitted model or module, and its data."""
    if not name.startswith("torch: "):
        return fitted(name)
    return trained_modules()[name.removeprefix("torch: ")]


def case_of(name, alpha, norm, **options):
    """A biased model with some of its training rows as reference points."""
    model, X, y = base_of(name)
    labels, n_classes = np.unique(y, return_inverse=True)[1], len(np.unique(y))
    return bias(
        smooth_score(model), X[::3], labels[::3], alpha, norm, n_classes=n_classes, **options
    )


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["logistic", "svc rbf", "mlp 3", "qda 3"])
def test_no_bias_gives_the_certificate_of_the_base_model(name, norm):
    """Whatever the reference points are."""
    model, X, _ = fitted(name)
    rows = rows_like(X, 30)
    smoother = case_of(name, 0.0, norm)
    winner, radius = smoother.certify(rows)
    assert np.array_equal(model.classes_[winner], model.predict(rows))
    others = smoother.reference.points[::-1]
    labels = np.zeros(len(others), dtype=int)
    moved = bias(smoother.score, others, labels, 0.0, norm, n_classes=len(model.classes_))
    np.testing.assert_array_equal(moved.certify(rows)[1], radius)
    if name == "logistic":
        margin = np.abs(model.decision_function(rows))
        expected = margin / np.linalg.norm(model.coef_[0], DUAL[norm])
        np.testing.assert_allclose(radius, expected, rtol=2e-9)
        assert (radius < expected).all()


@pytest.mark.parametrize("norm", NORMS)
def test_a_large_bias_on_a_linear_model_gives_the_nearest_neighbour(norm):
    smoother = case_of("logistic", 1e8, norm)
    rows = rows_like(fitted("logistic")[1], 60)
    radii = smoother.reference.radii(rows, norm, "pairwise")
    winner, radius = smoother.certify(rows)
    assert np.array_equal(winner, radii.label)
    np.testing.assert_allclose(radius, radii.radius.max(axis=1), rtol=3e-9, atol=1e-12)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["logistic", "svc rbf", "mlp 3"])
def test_the_scale_of_scores_does_not_matter(name, norm):
    smoother = case_of(name, 0.7, norm)
    rows = rows_like(fitted(name)[1], 40)
    winner, radius = smoother.certify(rows)

    class Scaled(AffineInput):
        factor = 1e6

        def value(self, X):
            return self.factor * self.score.value(X)

        def gradient(self, X):
            return self.factor * self.score.gradient(X)

        def rounding(self, X):
            return self.factor * self.score.rounding(X)

        def gradient_rounding(self, X):
            return self.factor * self.score.gradient_rounding(X)

        def lipschitz(self, weights, norm):
            return self.factor * self.score.lipschitz(weights, norm)

        def around(self, X):
            return None

    n = smoother.n_classes
    scaled = Scaled(smoother.score, np.ones(rows.shape[1]), np.zeros(rows.shape[1]))
    args = smoother.reference, 0.7, norm, "pairwise", False
    plain = LocalBias(smoother.score, *args).certify(rows)
    found = LocalBias(scaled, *args).certify(rows)
    assert np.array_equal(found[0], winner)
    np.testing.assert_allclose(found[1], plain[1], rtol=1e-9)
    assert (radius >= plain[1] * (1 - 1e-9)).all()
    assert n >= 2


@pytest.mark.parametrize("alpha", [0.0, 0.1, 2.0])
@pytest.mark.parametrize("behind", [1e8, 1e13, 1e17])
def test_a_class_far_behind_does_not_blur_the_others(behind, alpha):
    """Margins over it are rounded more coarsely than those between the others."""
    rng = np.random.default_rng(0)
    coef = np.array([[0.0, 0.0], [-10.0, 0.0], [10.0, 0.0]])
    score = LinearScore(coef, np.array([-behind, 0.0, 0.0]))
    smoother = bias(score, rng.normal(size=(60, 2)), np.arange(60) % 3, alpha, 2, n_classes=3)
    rows = rng.normal(size=(100, 2))
    winner, radius = smoother.certify(rows)
    steps = rng.normal(size=(40, 2))
    steps[:2] = [1, 0], [-1, 0]
    steps *= (1 - 1e-9) / np.linalg.norm(steps, axis=1, keepdims=True)
    for x, label, r in zip(rows, winner, radius):
        assert (smoother.decide(x + r * steps).argmax(axis=1) == label).all()
    assert (radius > 0.01).mean() > 0.5
    if alpha == 0:
        assert np.array_equal(winner, np.where(rows[:, 0] > 0, 2, 1))


def quadratic(shift):
    """Log densities of two normal classes with the same variances."""
    means, factors = np.array([[-shift, 0.0], [shift, 0.0]]), np.array([np.eye(2)] * 2)
    return QuadraticScore.of(factors, means, np.array([0.0, 1.0]))


def square_units(shift):
    """Difference of two squares, as in a polynomial kernel."""
    weights, biases = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([shift, -shift])
    out = np.array([[0.5, -0.5]])
    return NetworkScore([(weights, biases)], [power(2)], out, np.ones(1))


@pytest.mark.parametrize("score", [quadratic, square_units])
def test_rounding_elsewhere_counts_where_quadratic_terms_cancel(score):
    """Terms far out are huge, and their difference is as uncertain as that."""
    for shift in 10.0 ** -np.arange(2, 10):
        smoother = bias(score(shift), np.eye(2), np.array([0, 1]), 0.0, 2, is_local=False)
        winner, radius = smoother.certify(np.zeros((1, 2)))
        away = radius[0] * np.linspace(-1, 1, 2001) * (1 - 1e-12)
        moved = np.column_stack([away, np.zeros(len(away))])
        assert winner[0] == 1
        assert (smoother.decide(moved)[:, 1] > 0).all()
        if shift > 1e-4:
            assert radius[0] > 0.99 / (2 * shift)


def paper_radius(smoother, rows):
    """Theorem 8 of the paper: the smaller of a neighbour's radius and a boundary's."""
    label = smoother.reference.support(rows).argmax(axis=1)
    radii = smoother.reference.radii(rows, smoother.norm, "nearest").radius.max(axis=1)
    score, curvature = smoother.score, smoother.score.lipschitz(np.ones(1), smoother.norm)
    gradient_norm = np.linalg.norm(score.gradient(rows)[:, 0], DUAL[smoother.norm], axis=1)
    biased = score.value(rows)[:, 0] + smoother.alpha * gradient_norm * np.where(label == 1, 1, -1)
    a = smoother.alpha * curvature + gradient_norm
    if curvature == 0:
        return np.minimum(radii, np.abs(biased) / a)
    return np.minimum(radii, (np.sqrt(a**2 + 4 * curvature * np.abs(biased)) - a) / (2 * curvature))


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("alpha", [0.0, 0.3, 3.0])
@pytest.mark.parametrize("name", ["logistic", "svc rbf", "mlp tanh", "gpc rbf"])
def test_never_smaller_than_the_formula_of_the_paper(name, alpha, norm):
    smoother = case_of(name, alpha, norm)
    rows = rows_like(fitted(name)[1], 100)
    paper, (_, radius) = paper_radius(smoother, rows), smoother.certify(rows)
    assert (radius >= paper * (1 - 1e-8) - 1e-9).all()
    assert radius.mean() > 1.02 * paper.mean()


def steps_of_attack(rng, n, d, norm):
    """Directions of length 1, among them corners and axes, where norms and signs matter."""
    steps = np.vstack(
        [rng.normal(size=(n, d)), np.sign(rng.normal(size=(n // 4, d))), np.eye(d), -np.eye(d)]
    )
    return steps / np.linalg.norm(steps, norm, axis=1)[:, None]


def attack(smoother, x, radius, winner, norm, rng, n=100, rounds=3):
    """Look for an input of another class within a radius: at random, then around the worst.

    Returns
    -------
    found : bool
        Whether some input within the radius is of another class.
    """
    d = len(x)
    directions = [steps_of_attack(rng, n, d, norm)]
    gradient = smoother.score.gradient(x[None])[0]
    towards = np.vstack(
        [smoother.reference.points - x, gradient, -gradient, np.sign(gradient), -np.sign(gradient)]
    )
    sizes = np.linalg.norm(towards, norm, axis=1)
    directions.append(towards[sizes > 0] / sizes[sizes > 0, None])
    steps = np.vstack(directions)
    for _ in range(rounds):
        points = x + radius * np.vstack([steps, steps * rng.uniform(0, 1, (len(steps), 1))])
        decision = smoother.decide(points)
        if (decision.argmax(axis=1) != winner).any():
            return True
        lead = decision[:, winner] - np.delete(decision, winner, axis=1).max(axis=1)
        worst = points[np.argsort(lead)[:10]] - x
        steps = np.repeat(worst, n // 10, axis=0) + 0.3 * radius * rng.normal(
            size=(n // 10 * 10, d)
        )
        steps /= np.maximum(np.linalg.norm(steps, norm, axis=1), 1e-300)[:, None]
    return False


TORCH = ["softplus", "elu, one logit", "gelu, three classes", "silu and tanh"]
NEIGHBORS = [
    {"method": "nearest"},
    {"method": "pairwise"},
    {"method": "exact"},
    {"method": "pairwise", "voters": 3},
    {"method": "nearest", "voters": 5},
]
NAMES = [*make_models(), *(f"torch: {name}" for name in TORCH)]


def count_broken(name, alpha, norm, n_rows, seed, inflation=1.0, **options):
    """Certificates, and how many of them an attack breaks."""
    smoother = case_of(name, alpha, norm, **options)
    rng = np.random.default_rng(seed)
    rows = rows_like(base_of(name)[1], n_rows, seed=seed)
    winner, radius = smoother.certify(rows)
    proven = np.flatnonzero((radius > 0) & np.isfinite(radius))
    broken = [
        attack(smoother, rows[i], inflation * radius[i], winner[i], norm, rng) for i in proven
    ]
    return len(proven), np.count_nonzero(broken)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", NAMES)
def test_no_attack_breaks_a_certificate(name, norm):
    """Every family, with biases from none to large; more than 5,700 certificates in all."""
    n_certificates = 0
    for seed, alpha in enumerate([0.0, 0.1, 0.5, 2.0]):
        n, broken = count_broken(name, alpha, norm, 13, seed, **NEIGHBORS[seed])
        assert broken == 0
        n_certificates += n
    assert n_certificates >= 48


@pytest.mark.parametrize("norm", NORMS)
def test_the_attack_breaks_radii_that_are_too_large(norm):
    """The control: a radius that is 1.5 times as large is broken for a fair share of rows."""
    n, broken = np.sum(
        [count_broken(name, 0.5, norm, 20, 0, inflation=1.5) for name in NAMES[::3]], axis=0
    )
    assert broken > 0.3 * n
    linear = [count_broken(name, 0.2, norm, 40, 0, inflation=1.02) for name in ("logistic", "lda")]
    assert np.sum(linear, axis=0)[1] > 0.5 * np.sum(linear, axis=0)[0]


@pytest.mark.slow
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", NAMES)
def test_no_attack_breaks_any_of_many_certificates(name, norm):
    """More than 65,000 certificates in all."""
    n_certificates = 0
    for seed in range(10):
        for alpha in (0.0, 0.1, 0.5, 2.0, 20.0):
            options = NEIGHBORS[seed % len(NEIGHBORS)]
            n, broken = count_broken(name, alpha, norm, 12, seed, **options)
            assert broken == 0
            n_certificates += n
    assert n_certificates >= 550


def test_local_constants_prove_more():
    rows = rows_like(fitted("svc rbf")[1], 200)
    local = case_of("svc rbf", 0.1, 2).certify(rows)[1]
    everywhere = case_of("svc rbf", 0.1, 2, is_local=False).certify(rows)[1]
    assert (local >= everywhere).all()
    assert local.mean() > 1.3 * everywhere.mean()


def test_a_score_that_ties_proves_nothing():
    score = LinearScore(np.array([[1.0, 1.0]]), np.array([-0.3]))
    points, labels = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 1])
    on_border = np.array([[0.1, 0.2], [0.15, 0.15]])
    assert bias(score, points, labels, 0.0, 2).certify(on_border)[1].tolist() == [0, 0]
