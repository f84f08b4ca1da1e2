"""The best sampled output against brute force."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from sksmooth.certifiers.center._best_sample import SquaredDistances, best_sample_point
from sksmooth.distances import NAMES, Euclidean, FunctionDistance


def radii(distance, candidates, outputs, h):
    d = distance.between(distance.points(candidates), distance.points(outputs))
    return np.sort(d, axis=1)[:, h - 1]


SAMPLES = {
    "normal": lambda rng: rng.normal(size=(301, 5)),
    "far from zero": lambda rng: 1e7 + rng.normal(size=(300, 3)),
    "outliers": lambda rng: rng.standard_cauchy(size=(201, 4)) ** 3,
    "huge": lambda rng: 10 ** rng.uniform(15, 130, size=(101, 3)),
    "tiny": lambda rng: 1e-170 * rng.normal(size=(101, 3)),
    "below the normal numbers": lambda rng: 5e-324 * rng.integers(-9, 9, size=(101, 3)),
    "at the upper end": lambda rng: 1.7e308 * rng.uniform(-1, 1, size=(101, 3)),
    "of every size": lambda rng: 2.0 ** rng.uniform(-1070, 1020, size=(101, 3)),
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
            counts = SquaredDistances(points, np.median(points, axis=0)).count_within(
                points, radius
            )
            true = np.count_nonzero(d <= radius, axis=1)
            assert (counts >= true).all()
            assert (counts <= true + 3).all()  # and hardly too large


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


def test_rounding_does_not_prune():
    """What a far candidate says of near ones is rounded by more than these differ.

    Leaves are at 3 from one another and at `reach` from a candidate; the far one is at 1e10 from
    all leaves. So its bound of the radius of a candidate is the radius itself, but for rounding.
    """
    reach = np.full(34, 2.0)
    reach[0], reach[-1] = 2 - 5e-8, 2 - 1e-7
    kinds = np.repeat([0, 1, 2], [1, 34, 66])  # the far one, candidates, leaves
    table = np.full((101, 101), 3.0)
    table[1:35, 35:] = reach[:, None]
    table[0, 1:35], table[0, 35:] = 1e10 - reach, 1e10
    table = np.triu(table, 1) + np.triu(table, 1).T
    distance = FunctionDistance(lambda a, b: table[a, b])
    best, radius = best_sample_point(*[np.arange(101)] * 2, distance, 51, are_sampled=True)
    assert kinds[best] == 1
    assert radius == 2 - 1e-7


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e150, 1e300])
def test_counts_by_products_do_not_depend_on_the_unit(scale):
    points = np.random.default_rng(2).normal(size=(500, 7))
    origin, radius = np.zeros(7), 2.5
    plain = SquaredDistances(points, origin).count_within(points, radius)
    counts = SquaredDistances(points * scale, origin).count_within(points * scale, radius * scale)
    np.testing.assert_allclose(counts, plain, atol=1)
