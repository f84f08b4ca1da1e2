"""Every distance against naive definitions, golden values and its own contract."""

import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone

from sksmooth import distances
from sksmooth.distances import NAMES, EarthMover, JaccardBoxes, TotalVariation

NAN = np.nan
CHECKER = [[0, 1], [1, 0]]
CORNER = np.zeros((2, 2, 3))
CORNER[1, 1] = [1, 2, 3]
GOLDEN = [
    ("jaccard_boxes", [0, 0, 2, 2], [1, 1, 3, 3], 0.8571428571428571),
    ("jaccard_boxes", [0, 0, 2, 2], [0, 0, 2, 2], 0.0),
    ("jaccard_boxes", [0, 0, 1, 1], [1, 0, 2, 1], 1.0),
    ("jaccard_boxes", [0, 0, 4, 4], [1, 1, 3, 3], 0.75),
    ("jaccard_boxes", [0, 0, 2, 2], [NAN] * 4, 1.0),
    ("jaccard_boxes", [NAN] * 4, [NAN] * 4, 0.0),
    ("jaccard_boxes", [0, 0, 2, 2], [3, 3, 1, 1], 1.0),
    ("jaccard_boxes", [5, 5, 5, 5], [1, 1, 1, 1], 0.0),
    ("jaccard_masks", [1, 1, 0, 0], [1, 0, 1, 0], 0.6666666666666666),
    ("jaccard_masks", [0, 0, 0, 0], [0, 0, 0, 0], 0.0),
    ("jaccard_masks", [0, 0, 0, 0], [1, 0, 0, 0], 1.0),
    ("jaccard_masks", [1, 1, 1, 1], [1, 1, 1, 0], 0.25),
    ("dice", [1, 1, 0, 0], [1, 0, 1, 0], 0.5),
    ("weighted_jaccard", [1, 2], [2, 1], 0.5),
    ("weighted_jaccard", [0, 0], [0, 0], 0.0),
    ("angular", [1, 0], [0, 1], 0.5),
    ("angular", [1, 0], [-3, 0], 1.0),
    ("angular", [1, 0], [1, 1], 0.25),
    ("angular", [2, 2], [5, 5], 0.0),
    ("angular", [0, 0], [1, 0], 0.5),
    ("angular", [0, 0], [0, 0], 0.0),
    ("angular", [1, 0], [1, 1e-9], 3.183098861837907e-10),
    ("angular", [1e-300, 0], [1e300, 1e300], 0.25),
    ("cosine", [1, 0], [1, 1], 1 - np.sqrt(0.5)),
    ("cosine", [1, 0], [-1, 0], 2.0),
    ("total_variation", [1, 3, 2], [0, 0, 0], 3.0),
    ("total_variation", [1, 3, 2], [5, 7, 6], 0.0),
    ("total_variation", [0, 1, 0, 1], [1, 0, 1, 0], 6.0),
    ("total_variation", CHECKER, [[1, 0], [0, 1]], 8.0),
    ("total_variation", CORNER, np.zeros((2, 2, 3)), 12.0),
    ("total_variation", CORNER[::-1, ::-1], np.zeros((2, 2, 3)), 12.0),
    ("earth_mover", [1, 0, 0], [0, 0, 1], 2.0),
    ("earth_mover", [0.5, 0.5, 0], [0, 0.5, 0.5], 1.0),
    ("earth_mover", [2, 2, 0], [0, 0, 1], 1.5),
    ("l1", [0, 0], [3, -4], 7.0),
    ("l2", [0, 0], [3, -4], 5.0),
    ("linf", [0, 0], [3, -4], 4.0),
    ("squared_euclidean", [0, 0], [3, -4], 25.0),
    ("discrete", ["a"], ["b"], 1.0),
    ("discrete", ["a"], ["a"], 0.0),
]


@pytest.mark.parametrize(("name", "a", "b", "distance"), GOLDEN)
def test_golden(name, a, b, distance):
    metric = NAMES[name]()
    assert metric(np.asarray(a)[None], b)[0] == pytest.approx(distance, rel=1e-12, abs=1e-15)
    assert metric(np.asarray(b)[None], a)[0] == pytest.approx(distance, rel=1e-12, abs=1e-15)


def outputs_for(name, n, rng):
    if name == "jaccard_boxes":
        return np.sort(rng.integers(0, 5, (n, 2, 2)), axis=1).reshape(n, 4) + 0.0
    if name in ("jaccard_masks", "dice", "discrete"):
        return rng.integers(0, 2, (n, 4))
    if name in ("earth_mover", "weighted_jaccard"):
        return rng.exponential(size=(n, 5)) + 1e-3
    if name == "total_variation":
        return rng.normal(size=(n, 3, 4, 2))
    return rng.normal(size=(n, 3))


def naive(name, a, b):
    """One pair, straight from the definition."""
    if name == "jaccard_boxes":
        cells = [
            {(x, y) for x in range(int(q[0]), int(q[2])) for y in range(int(q[1]), int(q[3]))}
            for q in (a, b)
        ]
        union = cells[0] | cells[1]
        return 1 - len(cells[0] & cells[1]) / len(union) if union else 0.0
    if name in ("jaccard_masks", "dice"):
        both, either = np.sum((a > 0) & (b > 0)), np.sum((a > 0) | (b > 0))
        jaccard = 1 - both / either if either else 0.0
        return jaccard if name == "jaccard_masks" else jaccard / (2 - jaccard)
    if name == "weighted_jaccard":
        return 1 - np.minimum(a, b).sum() / np.maximum(a, b).sum()
    if name == "total_variation":
        d, total = a - b, 0.0
        for i, j, c in np.ndindex(d.shape):
            total += abs(d[i, j, c] - d[i - 1, j, c]) if i else 0
            total += abs(d[i, j, c] - d[i, j - 1, c]) if j else 0
        return total
    if name == "earth_mover":
        return stats.wasserstein_distance(range(len(a)), range(len(b)), a, b)
    if name in ("angular", "cosine"):
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        return 1 - cosine if name == "cosine" else np.arccos(np.clip(cosine, -1, 1)) / np.pi
    if name == "discrete":
        return float((a != b).any())
    d = np.abs(a - b)
    return {
        "l1": d.sum(),
        "manhattan": d.sum(),
        "l2": np.sqrt((d**2).sum()),
        "euclidean": np.sqrt((d**2).sum()),
        "squared_euclidean": (d**2).sum(),
        "linf": d.max(),
        "chebyshev": d.max(),
    }[name]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_blocks_against_the_definition(name):
    rng = np.random.default_rng(0)
    metric, A, B = NAMES[name](), outputs_for(name, 8, rng), outputs_for(name, 5, rng)
    got = metric.from_metric(metric.between(metric.points(A), metric.points(B)))
    wanted = [[naive(name, a, b) for b in B] for a in A]
    np.testing.assert_allclose(got, wanted, atol=1e-7 if name in ("angular", "cosine") else 1e-12)
    np.testing.assert_array_equal(metric(A, B[0]), got[:, 0])
    np.testing.assert_allclose(
        metric.to_metric(got), metric.between(metric.points(A), metric.points(B)), atol=1e-7
    )
    assert clone(metric).get_params() == metric.get_params()


def worst_triangle(d):
    """Largest ratio of one side to the sum of the two others."""
    sides = d[:, None, :] + d.T[None, :, :]  # d(a, b) + d(b, c), by b = last axis
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = d[:, :, None] / sides
    return np.nanmax(np.where(sides > 0, ratio, 0))


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_certified_metric_has_its_triangle_constant(name):
    rng = np.random.default_rng(1)
    metric = NAMES[name]()
    points = metric.points(outputs_for(name, 60, rng))
    d = metric.between(points, points)
    np.testing.assert_allclose(d, d.T, atol=1e-12)
    np.testing.assert_allclose(np.diag(d), 0, atol=1e-12)
    assert d.min() >= 0
    assert d.max() <= metric.diameter
    assert worst_triangle(d) <= metric.gamma * (1 + 1e-9)


@pytest.mark.parametrize(("name", "bound"), [("squared_euclidean", 1.5), ("cosine", 1.2)])
def test_what_is_reported_has_not(name, bound):
    """Control: the check of the triangle sees distances that break it."""
    metric, outputs = NAMES[name](), np.random.default_rng(2).normal(size=(60, 2))
    points = metric.points(outputs)
    assert worst_triangle(metric.from_metric(metric.between(points, points))) > bound


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"jaccard_boxes", "discrete"}))
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_a_number_is_far(name, bad):
    metric, outputs = NAMES[name](), outputs_for(name, 4, np.random.default_rng(3)).astype(float)
    outputs[1].flat[0] = bad
    with np.errstate(invalid="ignore"):
        points = metric.points(outputs)
        d = metric.between(points, points)
    assert np.isinf(d[1, [0, 2, 3]]).all()
    assert np.isinf(d[[0, 2, 3], 1]).all()
    assert np.isfinite(np.delete(np.delete(d, 1, 0), 1, 1)).all()
    assert np.isinf(metric.from_metric(np.inf))


def test_a_zero_vector_keeps_the_triangle_inequality():
    outputs = np.array([[0, 0], [1, 0], [-1, 0], [0, 1]])
    d = distances.Angular().between(*[distances.Angular().points(outputs)] * 2)
    assert worst_triangle(d) <= 1 + 1e-12


def test_total_variation_with_the_l2_norm_over_channels():
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 3, 4, 2))
    d = a - b
    wanted = sum(np.linalg.norm(d[i, j] - d[i - 1, j]) for i in (1, 2) for j in range(4))
    wanted += sum(np.linalg.norm(d[i, j] - d[i, j - 1]) for i in range(3) for j in (1, 2, 3))
    assert TotalVariation(channel_norm=2)(a[None], b)[0] == pytest.approx(wanted)
    first = TotalVariation(channel_norm=2, channel_axis=0)
    assert first(np.moveaxis(a, -1, 0)[None], np.moveaxis(b, -1, 0))[0] == pytest.approx(wanted)
    flat = TotalVariation((3, 4, 2), channel_norm=2)
    assert flat(a.reshape(1, -1), b.ravel())[0] == pytest.approx(wanted)


def test_features_are_compared_through_the_root():
    metric = distances.FeatureDistance(lambda outputs: outputs[:, :2] * 2)
    assert metric([[1, 0, 9]], [0, 0, 0])[0] == 4
    assert metric.between(metric.points([[1, 0, 9]]), metric.points([[0, 0, 0]]))[0, 0] == 2
    assert distances.FeatureDistance(lambda o: o, squared=False)([[3, 4]], [0, 0])[0] == 5


def test_symmetrisation_by_max_and_sum():
    def rise(outputs, output):
        return np.maximum(output - outputs, 0).sum(axis=1)

    outputs, one = np.array([[0.0, 2.0], [5.0, 5.0]]), np.array([1.0, 0.0])
    for how, join in (("max", np.maximum), ("sum", np.add)):
        wanted = [join(rise(o[None], one)[0], rise(one[None], o)[0]) for o in outputs]
        np.testing.assert_allclose(distances.SymmetricDistance(rise, how=how)(outputs, one), wanted)
    own = distances.FunctionDistance(lambda A, b: np.abs(A - b).sum(axis=1))
    np.testing.assert_allclose(own(outputs, one), [3, 9])


def test_the_farthest_box_is_a_vertex():
    rng = np.random.default_rng(5)
    for _ in range(20):
        low = np.array([0, 0, 3, 3]) + rng.uniform(0, 2, 4)
        high, box = low + rng.uniform(0, 2, 4), np.array([1.0, 1, 4, 4])
        inside = np.array(list(itertools.product(*np.linspace(low, high, 5).T)))
        bound = distances.farthest_box([box], [low], [high])[0]
        assert distances.JaccardBoxes()(inside, box).max() == pytest.approx(bound, abs=1e-12)
    assert distances.farthest_box([box], [[-np.inf, 0, 0, 0]], [high])[0] == 1


@pytest.mark.parametrize(
    ("name", "outputs", "message"),
    [
        ("jaccard_boxes", [[1, 2, 3]], "four numbers"),
        ("jaccard_boxes", [[0, 0, np.inf, 1]], "infinite corner"),
        ("earth_mover", [[1, -1]], "not negative"),
        ("earth_mover", [[0, 0]], "not all zero"),
        ("weighted_jaccard", [[1, -1]], "not negative"),
        ("euclidean", [["a"]], "discrete"),
        ("total_variation", [3.0], "signals or images"),
    ],
)
def test_outputs_that_cannot_be_compared(name, outputs, message):
    with pytest.raises(ValueError, match=message):
        NAMES[name]().points(outputs)


def test_one_hot_outputs_have_a_middle_with_mass():
    distance = EarthMover()
    candidates = distance.candidate_centers(np.eye(5)[[0, 1, 2, 3, 4]])
    assert np.isfinite(distance.points(candidates)).all()


def test_boxes_beyond_the_range_of_floats_are_at_no_distance_that_is_nan():
    boxes = np.array([[0.0, 0.0, 1e200, 1e200], [0.0, 0.0, 2e200, 1e200]])
    distance = JaccardBoxes()
    with np.errstate(over="ignore", invalid="ignore"):
        found = distance.between(distance.points(boxes), distance.points(boxes))
    assert not np.isnan(found).any()
