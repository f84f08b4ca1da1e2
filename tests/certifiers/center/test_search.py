"""Centres of samples against brute force."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from sksmooth.certifiers.center._search import (
    CenterRule,
    _Search,
    _SquaredDistances,
    best_sample_point,
    branch_and_bound,
    choose_rule,
    lower_bound,
    shorth,
)
from sksmooth.distances import NAMES, Discrete, Euclidean, FunctionDistance, Manhattan

TRIANGLE = np.array([[1.0, 0.0], [-0.5, 0.8660254037844386], [-0.5, -0.8660254037844386]])


def radii(distance, candidates, outputs, h):
    d = distance.between(distance.points(candidates), distance.points(outputs))
    return np.sort(d, axis=1)[:, h - 1]


def test_golden_centers():
    line = np.array([0.0, 1, 2, 10, 11])
    assert shorth(line, 3) == (1.0, 1.0)
    assert best_sample_point(line[:, None], line[:, None], Euclidean(), 3) == (1, 1.0)
    pairs = np.array([0.0, 0, 4, 4, 100])
    assert shorth(pairs, 3) == (2.0, 2.0)
    assert best_sample_point(pairs[:, None], pairs[:, None], Euclidean(), 3)[1] == 4.0
    _, radius = best_sample_point(TRIANGLE, TRIANGLE, Euclidean(), 3)
    assert radius == pytest.approx(np.sqrt(3))
    search = _Search(Euclidean(), TRIANGLE)
    search.h = 3
    assert 1 - 1e-5 < lower_bound(search) <= 1  # computed in single precision, rounded down
    search.try_sample(None)
    search.refine()
    assert search.radius == pytest.approx(1.0)


SAMPLES = {
    "normal": lambda rng: rng.normal(size=(301, 5)),
    "far from zero": lambda rng: 1e7 + rng.normal(size=(300, 3)),
    "outliers": lambda rng: rng.standard_cauchy(size=(201, 4)) ** 3,
    "huge": lambda rng: 10 ** rng.uniform(15, 130, size=(101, 3)),
    "lattice": lambda rng: rng.integers(0, 3, (200, 3)).astype(float),
    "equal": lambda rng: np.ones((50, 2)),
    "bad": lambda rng: np.where(rng.random((200, 1)) < 0.3, np.nan, rng.normal(size=(200, 4))),
    "mostly bad": lambda rng: np.where(np.arange(50)[:, None] < 40, np.inf, np.ones((50, 2))),
    "two": lambda rng: rng.normal(size=(2, 2)),
    "one": lambda rng: rng.normal(size=(1, 2)),
}


@pytest.mark.parametrize("name", ["l1", "l2", "linf", "squared_euclidean", "angular"])
@pytest.mark.parametrize("kind", SAMPLES)
def test_best_sample_point_is_exact(name, kind):
    outputs, distance = SAMPLES[kind](np.random.default_rng(0)), NAMES[name]()
    with np.errstate(invalid="ignore"):
        points, h = distance.points(outputs), (len(outputs) + 1) // 2
        wanted = radii(distance, outputs, outputs, h)
    best, radius = best_sample_point(points, points, distance, h, are_sampled=True)
    assert radius == wanted.min()
    if np.isfinite(radius):
        assert wanted[best] == radius


@pytest.mark.parametrize("gamma", [1.0, 2.0])
def test_pruning_respects_the_triangle_constant(gamma):
    """A squared distance pruned as a metric would lose the best point; with 2 it does not."""
    rng = np.random.default_rng(1)
    lost = 0
    for _ in range(30):
        x = rng.normal(size=(120, 1)) ** 3
        x = x[np.argsort(-np.abs(x[:, 0]))]  # bad candidates first
        distance = FunctionDistance(lambda A, b: ((A - b) ** 2).sum(axis=1), gamma=gamma)
        _, radius = best_sample_point(x, x, distance, 60, are_sampled=True)
        lost += radius != radii(distance, x, x, 60).min()
    assert (lost > 0) == (gamma == 1.0)


def test_counts_by_products_are_never_too_small():
    rng = np.random.default_rng(2)
    for scale in (1e-6, 1.0, 1e6):
        points = 50 + scale * rng.normal(size=(500, 7))
        d = Euclidean().between(points, points)
        for radius in np.quantile(d, [0.01, 0.5]):
            counts = _SquaredDistances(points, np.median(points, axis=0)).count_within(
                points, radius
            )
            true = np.count_nonzero(d <= radius, axis=1)
            assert (counts >= true).all()
            assert (counts <= true + 3).all()  # and hardly too large


@pytest.mark.parametrize("n", [1, 2, 5, 20, 21])
def test_shorth_is_the_best_of_all_centers(n):
    rng = np.random.default_rng(n)
    for values in (rng.normal(size=n), rng.integers(0, 4, n) + 0.0, rng.standard_cauchy(n)):
        h = (n + 1) // 2
        middle, radius = shorth(values, h)
        halves = ((values[:, None] + values) / 2).ravel()  # the optimum is among them
        assert radius <= np.sort(np.abs(halves[:, None] - values), axis=1)[:, h - 1].min() + 1e-12
        assert radius == np.sort(np.abs(values - middle))[h - 1]


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_branch_and_bound_is_near_the_optimum(norm, dimension):
    rng = np.random.default_rng(dimension)
    for make in (rng.normal, rng.standard_cauchy, rng.exponential):
        points, distance = make(size=(15, dimension)), NAMES[norm]()
        best, start = best_sample_point(points, points, distance, 8)
        middle, radius, holds = branch_and_bound(points, 8, distance.norm, points[best], start)
        assert holds
        assert radius == pytest.approx(radii(distance, middle[None], points, 8)[0])
        grid = np.linspace(
            *np.quantile(points, [0, 1], axis=0), {1: 2001, 2: 101, 3: 25}[dimension]
        )
        grid = np.stack(np.meshgrid(*grid.T, indexing="ij"), axis=-1).reshape(-1, dimension)
        assert radius <= 1.05 * radii(distance, grid, points, 8).min() * (1 + 1e-9)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("dimension", [2, 30])
def test_lower_bounds_are_below_every_center(norm, dimension):
    rng = np.random.default_rng(3)
    for _ in range(5):
        outputs, distance = rng.normal(size=(41, dimension)), NAMES[norm]()
        search = _Search(distance, outputs)
        bound = lower_bound(search)
        search.try_sample(None)
        search.refine()
        trials = search.output + rng.normal(size=(2000, dimension)) * search.radius * 0.1
        assert 0 < bound <= min(search.radius, radii(distance, trials, outputs, search.h).min())


def test_refinement_helps_and_never_hurts():
    rng = np.random.default_rng(4)
    for name in ("l1", "l2", "linf", "angular", "total_variation"):
        search = _Search(NAMES[name](), rng.normal(size=(101, 50)) + 1)
        search.try_sample(None)
        before = search.radius
        search.refine()
        assert search.radius < before
        assert search.radius == radii(search.distance, search.output[None], search.outputs, 51)[0]


def test_a_promise_is_kept_or_admitted():
    high = np.random.default_rng(5).normal(size=(200, 300))
    kept = choose_rule(Euclidean(), (300,), "auto", 1.2, None).find(high)
    broken = choose_rule(Euclidean(), (300,), "auto", 1.001, None).find(high)
    assert kept.holds
    assert not broken.holds


def test_vertices_that_were_not_sampled_may_be_the_center():
    """A star: its leaves are at 2 from each other, and at 1 from the middle."""
    star = FunctionDistance(
        lambda A, b: np.where(A == b, 0.0, np.where((A == 0) | (b == 0), 1.0, 2.0)),
        space=np.arange(6),
    )
    leaves = np.array([1, 2, 3, 4, 5])
    rule = choose_rule(star, (), "auto", None, None)
    assert (rule.method, rule.beta) == ("finite", 1.0)
    center = rule.find(leaves)
    assert (center.output, center.radius) == (0, 1.0)
    assert best_sample_point(leaves, leaves, star, 3)[1] == 2.0


def test_the_choice_follows_the_outputs():
    def chosen(distance, shape):
        rule = choose_rule(distance, shape, "auto", None, None)
        return rule.method, rule.beta

    assert chosen(Euclidean(), ()) == ("shorth", 1.0)
    assert chosen(Manhattan(), (2, 2)) == ("branch_and_bound", 1.05)
    assert chosen(Discrete(), ()) == ("finite", 1.0)
    assert chosen(Euclidean(), (5,)) == ("sample", 2.0)
    assert chosen(NAMES["jaccard_boxes"](), (4,)) == ("sample", 2.0)
    assert chosen(FunctionDistance(None, gamma=2.0), (3,)) == ("sample", 4.0)
    with pytest.raises(ValueError, match="shorth"):
        choose_rule(Euclidean(), (3,), "shorth", None, None)
    with pytest.raises(ValueError, match="promise"):
        choose_rule(Euclidean(), (3,), "branch_and_bound", 1.5, None)


@pytest.mark.parametrize("method", ["shorth", "branch_and_bound", "sample"])
def test_outputs_that_are_not_numbers(method):
    rule = CenterRule(Euclidean(), method, 1.0)
    values = np.array([1.0, 2, np.nan, 3, 2])[:, None]
    center = rule.find(values)
    assert np.isfinite(center.output).all()
    assert center.radius <= 1
    assert rule.find(np.full((5, 1), np.nan)).radius == np.inf


def test_candidates_that_are_as_many_as_the_sample_are_no_sample():
    """What is known of sampled points must not prune other candidates of their number."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        table = squareform(pdist(rng.normal(size=(20, 3)), "cityblock"))
        distance = FunctionDistance(lambda a, b, table=table: table[a, b])
        points, candidates = rng.integers(20, size=16), rng.permutation(20)[:16]
        best, radius = best_sample_point(points, candidates, distance, 9)
        expected = np.sort(table[candidates][:, points], axis=1)[:, 8]
        assert radius == expected.min()
        assert expected[best] == radius
