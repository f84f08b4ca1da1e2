"""Radii of nearest neighbours: against golden values, the plain formula, programs and attacks."""

import itertools
import tracemalloc

import numpy as np
import pytest
from case_names import name_of_case
from scipy.optimize import linprog, minimize
from scipy.spatial.distance import cdist

from sksmooth.certifiers.local_bias import _neighbor_radii, _neighbor_search
from sksmooth.certifiers.local_bias._neighbor_radii import ReferencePoints, ways_to_lose
from sksmooth.certifiers.local_bias._screening import ScreeningPoints

NORMS = [1, 2, np.inf]
METHODS = ["nearest", "pairwise", "exact"]
DUAL = {1: np.inf, 2: 2, np.inf: 1}

POINTS = np.array(
    [
        [0.0, 0.3],
        [-0.27, -0.89],
        [-0.45, -0.99],
        [0.06, 1.34],
        [-0.49, -0.62],
        [0.49, 0.36],
        [0.11, -0.93],
        [-0.03, 0.7],
        [-1.34, -0.46],
        [-1.9, -1.29],
        [-1.84, -0.24],
        [-1.27, 0.27],
    ]
)
LABELS = np.array([1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0])
# x, norm, label of the nearest, radius by the nearest, pairwise, exact, and with 3 neighbours
GOLDEN = [
    (
        [0.16, -0.19],
        2,
        1,
        0.147571262074409,
        0.147571262074409,
        0.14757126207440896,
        0.08499382401932054,
    ),
    (
        [0.16, -0.19],
        1,
        1,
        0.1486734693877551,
        0.1486734693877551,
        0.1486734693877551,
        0.08530674846625763,
    ),
    (
        [0.16, -0.19],
        np.inf,
        1,
        0.13245454545454544,
        0.13245454545454544,
        0.13245454545454544,
        0.07855932203389826,
    ),
    (
        [-2.52, -0.54],
        2,
        1,
        0.18755118639536142,
        0.18755118639536142,
        0.1875511863953614,
        0.5589429971648125,
    ),
    (
        [-2.52, -0.54],
        1,
        1,
        0.18785714285714294,
        0.18785714285714294,
        0.18785714285714294,
        0.5615068493150687,
    ),
    (
        [-2.52, -0.54],
        np.inf,
        1,
        0.1777027027027028,
        0.1777027027027028,
        0.17770270270270283,
        0.5123750000000001,
    ),
    (
        [-0.05, 0.11],
        2,
        1,
        0.31955204656469477,
        0.31955204656469477,
        0.3195520465646947,
        0.13435028842544403,
    ),
    (
        [-0.05, 0.11],
        1,
        1,
        0.32193877551020406,
        0.32193877551020406,
        0.32193877551020406,
        0.1431818181818182,
    ),
    (
        [-0.05, 0.11],
        np.inf,
        1,
        0.28681818181818175,
        0.28681818181818175,
        0.28681818181818175,
        0.095,
    ),
]


@pytest.mark.parametrize(("x", "norm", "label", "paper", "pairwise", "exact", "three"), GOLDEN)
def test_golden_values(x, norm, label, paper, pairwise, exact, three):
    x = np.array([x])
    reference = ReferencePoints(POINTS, LABELS, 2)
    for method, value in zip(METHODS, (paper, pairwise, exact)):
        radii = reference.radii(x, norm, method)
        assert radii.label[0] == label
        assert radii.radius[0, label] == 0
        assert radii.radius[0, 1 - label] == pytest.approx(value, rel=1e-12)
        assert 0.999999 * value < radii.certified()[0, 1 - label] < value
    three_neighbors = ReferencePoints(POINTS, LABELS, 2, n_neighbors=3)
    radii = three_neighbors.radii(x, norm, "pairwise")
    assert radii.radius.max() == pytest.approx(three, rel=1e-12)


def dual_norm(vectors, norm):
    return np.linalg.norm(vectors, DUAL[norm], axis=1)


def plain_radius(points, labels, x, norm, n_classes):
    """The formula of the paper, for all points of every other label."""
    nearest = points[np.linalg.norm(points - x, axis=1).argmin()]
    own = labels[np.linalg.norm(points - x, axis=1).argmin()]
    radius = np.zeros(n_classes)
    for other in set(range(n_classes)) - {own}:
        competitors = points[labels == other]
        gain = ((nearest - competitors) * (2 * x - nearest - competitors)).sum(axis=1)
        radius[other] = (
            gain / (2 * np.linalg.norm(nearest - competitors, DUAL[norm], axis=1))
        ).min()
    return radius


def plain_pairwise(points, labels, x, norm, n_classes):
    """For each other point the best of all points that are not of its label."""
    own = labels[np.linalg.norm(points - x, axis=1).argmin()]
    radius = np.zeros(n_classes)
    for other in set(range(n_classes)) - {own}:
        bounds = []
        for point in points[labels == other]:
            competitors = points[labels != other]
            gain = ((competitors - point) * (2 * x - competitors - point)).sum(axis=1)
            bounds.append((gain / (2 * dual_norm(competitors - point, norm))).max())
        radius[other] = min(bounds)
    return radius


def some_points(n, d, n_classes=2, seed=0, spread=1.0):
    """Clusters that overlap."""
    rng = np.random.default_rng(seed)
    labels = np.append(np.arange(n_classes), rng.integers(n_classes, size=n - n_classes))
    return spread * rng.normal(size=(n, d)) + labels[:, None], labels


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("shape", [(300, 2), (200, 30), (150, 90)], ids=name_of_case)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("is_even", [True, False])
def test_search_finds_what_the_plain_formula_gives(norm, shape, n_classes, is_even):
    """Also where a few features, which are looked at first, hold most of the distances."""
    spread = np.ones(shape[1]) if is_even else 0.5 ** (np.arange(shape[1]) % 12.0)
    points, labels = some_points(*shape, n_classes)
    points, X = points * spread, some_points(40, shape[1], n_classes, seed=1)[0] * spread
    reference = ReferencePoints(points, labels, n_classes)
    assert (reference.screening.n_front < shape[1]) == (not is_even and shape[1] > 2)
    found = reference.radii(X, norm, "nearest").radius
    expected = [plain_radius(points, labels, x, norm, n_classes) for x in X]
    # less what rounding leaves undecided
    np.testing.assert_allclose(found, np.maximum(expected, 0), rtol=1e-12, atol=1e-11)
    assert (found <= np.maximum(expected, 0) * (1 + 1e-14) + 1e-14).all()


@pytest.mark.parametrize("norm", [1, np.inf])
@pytest.mark.parametrize("n_front", [3, 20, 40])
def test_distances_in_single_precision_are_never_too_small(norm, n_front):
    """Also where features cancel, and points agree in single precision."""
    points = np.random.default_rng(0).normal(size=(200, 40)) * 0.5 ** np.arange(40)
    points[::2] += 1e-9 * np.random.default_rng(1).normal(size=(100, 40))
    points[1::2] = points[::2] * (1 + 1e-9)
    screening = ScreeningPoints(points)
    found = screening.dual_distances(7, np.arange(200), norm, n_front) * screening.unit
    true = np.linalg.norm(points - points[7], DUAL[norm], axis=1)
    assert (found >= true).all()
    if n_front == 40:
        np.testing.assert_allclose(found, true, atol=1e-4)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_pairwise_is_the_best_of_all_pairs_where_there_are_few(norm, n_classes):
    points, labels = some_points(33, 3, n_classes)
    X = some_points(40, 3, n_classes, seed=1)[0]
    found = ReferencePoints(points, labels, n_classes).radii(X, norm, "pairwise").radius
    expected = [plain_pairwise(points, labels, x, norm, n_classes) for x in X]
    np.testing.assert_allclose(found, np.maximum(expected, 0), rtol=1e-12, atol=1e-14)


def distance_to_cells(points, labels, x, norm):
    """Distance to the cells of the other label, by a solver of scipy for each of them."""
    own = labels[np.linalg.norm(points - x, axis=1).argmin()]
    d, best = len(x), np.inf
    for point in points[labels != own]:
        competitors = points[labels == own]
        A = 2 * (point - competitors)
        b = ((competitors - point) * (2 * x - competitors - point)).sum(axis=1)
        if norm == 2:
            result = minimize(
                lambda step: step @ step,
                point - x,
                jac=lambda step: 2 * step,
                constraints={
                    "type": "ineq",
                    "fun": lambda s, A=A, b=b: A @ s - b,
                    "jac": lambda s, A=A: A,
                },
                method="SLSQP",
                options={"ftol": 1e-14, "maxiter": 500},
            )
            value = result.fun**0.5
        else:
            cost = np.ones(2 * d) if norm == 1 else np.append(np.zeros(d), 1.0)
            if norm == 1:
                rows, limits = np.hstack([-A, A]), (0, None)
            else:
                eye, one = np.eye(d), np.ones((d, 1))
                bounds_rows = np.vstack([np.hstack([eye, -one]), np.hstack([-eye, -one])])
                rows = np.vstack([np.hstack([-A, 0 * A[:, :1]]), bounds_rows])
                b, limits = np.append(b, np.zeros(2 * d)), (None, None)
            right = np.append(-b[: len(A)], np.zeros(len(rows) - len(A)))
            value = linprog(cost, A_ub=rows, b_ub=right, bounds=limits).fun
        best = min(best, value)
    return best


@pytest.mark.parametrize("norm", NORMS)
def test_exact_radius_is_the_distance_to_the_cells(norm):
    points, labels = some_points(60, 3, seed=3)
    X = some_points(12, 3, seed=4)[0]
    found = ReferencePoints(points, labels, 2).radii(X, norm, "exact")
    for x, label, radius in zip(X, found.label, found.radius):
        expected = distance_to_cells(points, labels, x, norm)
        assert radius[1 - label] == pytest.approx(expected, rel=1e-6)
        assert radius[1 - label] <= expected * (1 + 1e-7)


def votes_of(reference, X):
    """Labels by sorting all distances."""
    labels = np.repeat(
        np.arange(len(reference.places)), [p.stop - p.start for p in reference.places]
    )
    nearest = labels[np.argsort(cdist(X, reference.points), axis=1)[:, : reference.n_neighbors]]
    votes = (nearest[:, :, None] == np.arange(len(reference.places))).sum(axis=1)
    return votes.argmax(axis=1)


def attack(reference, x, radius, norm, rng, n=1500):
    """Labels of inputs on the sphere of a radius: random ones, and towards the other points."""
    d = len(x)
    steps = [rng.normal(size=(n, d)), np.sign(rng.normal(size=(n // 4, d))), reference.points - x]
    steps += [np.vstack([np.eye(d), -np.eye(d)])]
    if d == 2:
        steps.append(np.array(list(itertools.product(np.linspace(-1, 1, 21), repeat=d))))
    steps = np.vstack(steps)
    sizes = np.linalg.norm(steps, norm, axis=1)
    steps = steps[sizes > 0] / sizes[sizes > 0, None]
    return votes_of(reference, x + radius * steps)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_attack_changes_the_label_within_the_radius(norm, method, n_classes):
    points, labels = some_points(50, 2, n_classes, seed=5)
    X = some_points(25, 2, n_classes, seed=6)[0]
    reference, rng = ReferencePoints(points, labels, n_classes), np.random.default_rng(0)
    radii = reference.radii(X, norm, method)
    certified = radii.certified()
    broken = 0
    for x, label, row in zip(X, radii.label, certified):
        others = np.delete(np.arange(n_classes), label)
        for other in others:
            assert not (attack(reference, x, row[other], norm, rng) == other).any()
        larger = 1.05 * row[others].min() if method == "exact" else 2 * row[others].min()
        broken += (attack(reference, x, larger, norm, rng) != label).any()
    assert broken >= (0.5 if method == "exact" else 0.3) * len(X)  # the attack is able to


def attack_votes(reference, X, norm, inflation, method="pairwise"):
    """Attack every radius; count labels that were reached within it, and all that were tried."""
    rng, reached, tried = np.random.default_rng(0), 0, 0
    radii = reference.radii(X, norm, method)
    for x, label, row in zip(X, radii.label, radii.certified()):
        for other in np.flatnonzero(np.isfinite(row) & (np.arange(len(row)) != label)):
            found = attack(reference, x, inflation * row[other], norm, rng, n=600)
            near = attack(reference, x, 0.7 * inflation * row[other], norm, rng, n=200)
            reached += bool((found == other).any() or (near == other).any())
            tried += bool(row[other] > 0)
    return reached, tried


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n_neighbors", [3, 5, 7])
@pytest.mark.parametrize(("d", "n_classes"), [(2, 2), (12, 2), (2, 3), (3, 5)])
def test_no_attack_changes_a_vote_within_the_radius(norm, n_neighbors, d, n_classes):
    points, labels = some_points(60, d, n_classes, seed=7)
    X = some_points(12, d, n_classes, seed=8)[0]
    reference = ReferencePoints(points, labels, n_classes, n_neighbors)
    for method in ("nearest", "pairwise"):
        radii = reference.radii(X, norm, method)
        assert np.array_equal(radii.label, votes_of(reference, X))
        assert np.array_equal(radii.label, reference.support(X).argmax(axis=1))
        assert attack_votes(reference, X, norm, 1.0, method)[0] == 0
    reached, tried = attack_votes(reference, X, norm, 3.0)
    assert reached >= 0.2 * tried > 0  # the attack is able to


def points_of_vote(n_classes, n_neighbors, seed):
    """A few points in the plane, with all their votes and ties of votes close together."""
    rng = np.random.default_rng(seed)
    n = n_neighbors + 2 + rng.integers(8)
    labels = np.append(np.arange(n_classes), rng.integers(n_classes, size=n - n_classes))
    return ReferencePoints(rng.normal(size=(n, 2)), labels, n_classes, n_neighbors), rng


GRID = np.stack(np.meshgrid(*2 * [np.linspace(-2.5, 2.5, 201)]), axis=-1).reshape(-1, 2)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(
    ("n_classes", "n_neighbors"), [(2, 3), (3, 3), (3, 5), (4, 5), (3, 7), (5, 9)]
)
def test_votes_by_enumeration_of_the_plane(norm, n_classes, n_neighbors):
    """Every label of a fine grid is at least as far away as its radius; some are hardly farther."""
    ratios = []
    for seed in range(12):
        reference, rng = points_of_vote(n_classes, n_neighbors, seed)
        labels = votes_of(reference, GRID)
        X = rng.normal(size=(25, 2))
        radius = reference.radii(X, norm, "pairwise").certified()
        for x, row in zip(X, radius):
            away = np.linalg.norm(GRID - x, norm, axis=1)
            for label in np.unique(labels):
                distance = away[labels == label].min()
                assert distance >= row[label]
                ratios.append(row[label] / distance if row[label] else np.nan)
    assert np.nanmedian(ratios) > 0.65
    assert (np.array(ratios) > 1 / 1.2).mean() > 0.2  # radii a fifth larger would be caught


@pytest.mark.parametrize("wins_ties", [True, False])
def test_every_vote_that_loses_is_among_the_ways_to_lose(wins_ties):
    """And each way is a vote that loses, so that none is listed in vain."""
    for k, n_classes in itertools.product([1, 3, 5, 7], [2, 3, 4]):
        ways, seen = ways_to_lose(k, n_classes, wins_ties=wins_ties), set()
        for votes in itertools.product(range(k + 1), repeat=n_classes):
            own, other = votes[:2]
            if sum(votes) == k and other == max(votes) and other >= own + (not wins_ties):
                assert any(own <= a and other >= s for a, s in ways)
                seen.add((own, other))
        assert set(ways) <= seen
    assert ways_to_lose(5, 2, wins_ties=wins_ties) == [(2, 3)]


def test_votes_with_fewer_points_of_a_class_than_neighbours():
    """A class of one point cannot win a vote of five among three classes."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [8, 8, 1])
    points = rng.normal(size=(17, 2)) + labels[:, None]
    reference = ReferencePoints(points, labels, 3, 5)
    radii = reference.radii(points, 2, "pairwise")
    assert np.isinf(radii.radius[:, 2]).all()
    assert set(radii.label) == {0, 1}
    many = ReferencePoints(rng.normal(size=(150, 2)), np.arange(150) % 3, 3, 99)
    assert np.isfinite(many.radii(points, 2, "nearest").radius).all()


@pytest.mark.parametrize("norm", NORMS)
def test_better_methods_give_larger_radii(norm):
    points, labels = some_points(120, 4)
    X = some_points(50, 4, seed=1)[0]
    reference = ReferencePoints(points, labels, 2)
    nearest, pairwise, exact = (reference.radii(X, norm, m).radius.max(axis=1) for m in METHODS)
    assert (pairwise >= nearest * (1 - 1e-12)).all()
    assert (exact >= pairwise * (1 - 1e-12)).all()
    assert exact.mean() > 1.05 * nearest.mean()


def test_blocks_and_trees_do_not_change_results(monkeypatch):
    points, labels = some_points(90, 5, 3)
    X = some_points(30, 5, 3, seed=1)[0]
    whole = ReferencePoints(points, labels, 3).radii(X, 2, "pairwise")
    monkeypatch.setattr(_neighbor_radii, "ENTRIES_AT_ONCE", 500)
    monkeypatch.setattr(_neighbor_search, "ENTRIES_AT_ONCE", 64)
    monkeypatch.setattr(_neighbor_radii, "MOST_FEATURES_FOR_TREES", 0)
    reference = ReferencePoints(points, labels, 3)
    blocks = reference.radii(X, 2, "pairwise")
    assert np.array_equal(whole.label, blocks.label)
    np.testing.assert_allclose(whole.radius, blocks.radius, rtol=1e-13)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(
        reference.radii(X[order], 2, "pairwise").radius, blocks.radius[order]
    )


def test_single_precision_never_decides():
    """Points that agree in single precision, and far from the origin."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    points = 1e4 + 1e-5 * rng.normal(size=(60, 20)) + 1e-5 * labels[:, None]
    points[:20] += 1.0  # so that the unit of the set is not that of the cluster
    X = 1e4 + 1e-5 * rng.normal(size=(10, 20))
    found = ReferencePoints(points, labels, 2).radii(X, 2, "nearest")
    expected = np.array([plain_radius(points, labels, x, 2, 2) for x in X])
    assert np.array_equal(found.label, expected.argmin(axis=1))
    assert (np.abs(found.radius - expected).max(axis=1) <= found.rounding).all()
    assert expected.max() < 1e-4


def test_edges():
    points, labels = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 0.0]]), np.array([0, 1, 0])
    reference = ReferencePoints(points, labels, 3)
    X = np.array([[0.0, 0.0], [1.0, 0.0], [1e30, 0.0]])
    for norm, method in itertools.product(NORMS, METHODS):
        radii = reference.radii(X, norm, method)
        # at a point; nothing of class 2
        assert radii.radius[0] == pytest.approx([0, 1, np.inf], rel=1e-14)
        assert radii.certified()[1].tolist() == [0, 0, np.inf]  # at a tie
        assert radii.label[2] in (0, 1)  # a tie as far as floats can tell
        assert radii.certified()[2, :2].tolist() == [0, 0]
    one_class = ReferencePoints(points[[0, 2]], labels[[0, 2]], 2).radii(X[:1], 2, "exact")
    assert one_class.radius.tolist() == [[0, np.inf]]


def towards_border(step, norm):
    """Unit vector of l`norm` that goes farthest along a step."""
    if norm == 2:
        return step / np.linalg.norm(step)
    if norm == np.inf:
        return np.sign(step)
    return np.eye(len(step))[np.abs(step).argmax()] * np.sign(step)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("method", "n_neighbors"), [("pairwise", 1), ("exact", 1), ("nearest", 3)])
@pytest.mark.parametrize("d", [2, 12])
def test_points_of_two_classes_nearly_on_each_other(norm, method, n_neighbors, d):
    """Computed distances to them are in the wrong order, or equal, well before the border."""
    rng, certified = np.random.default_rng(0), 0
    for gap in 10.0 ** -np.arange(3, 14):
        own, apart = rng.normal(size=(n_neighbors, d)), rng.normal(size=d)
        points = np.vstack([own, own + gap * apart])
        reference = ReferencePoints(points, np.repeat([0, 1], n_neighbors), 2, n_neighbors)
        X = own[0] + rng.normal(size=(15, d))
        radii = reference.radii(X, norm, method)
        for x, label, radius in zip(X, radii.label, radii.certified().max(axis=1)):
            step = towards_border(apart if label == 0 else -apart, norm)
            shares = 1 - 10.0 ** -np.arange(1, 13)
            moved = x + radius * shares[:, None] * step
            moved = moved[np.linalg.norm(moved - x, norm, axis=1) < radius]
            assert (reference.support(moved).argmax(axis=1) == label).all()
            certified += radius > 0.1
    assert certified > 60


@pytest.mark.parametrize("size", [1e-321, 1e-300, 1e-161, 1e-150, 1e-50, 1e50, 1e160, 1e307])
@pytest.mark.parametrize("d", [2, 12])
def test_units_of_inputs_do_not_matter(size, d):
    """Also where squares, or single precision, under- or overflow."""
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    points = size * rng.uniform(-1, 1, size=(60, d))
    X = size * rng.uniform(-1, 1, size=(20, d))
    reference = ReferencePoints(points, labels, 2)
    radii = reference.radii(X, 2, "pairwise")
    ordinary = ReferencePoints(points / size, labels, 2).radii(X / size, 2, "pairwise")
    assert np.array_equal(radii.label, ordinary.label)
    np.testing.assert_allclose(
        radii.radius / size, ordinary.radius, rtol=1e-9, atol=0.05 if size < 1e-320 else 1e-12
    )
    steps = rng.normal(size=(300, d))
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    for x, label, radius in zip(X, radii.label, radii.certified().max(axis=1)):
        moved = x + 0.99 * radius * steps
        if size > 1e-320:  # else steps are rounded to a few lengths
            assert (reference.support(moved).argmax(axis=1) == label).all()


@pytest.mark.parametrize("d", [2, 12])
def test_inputs_too_far_away_to_tell_points_apart(d):
    """Nothing is certified, where a label that no point has is infinitely far away all the same."""
    points, labels = some_points(20, d)
    reference = ReferencePoints(points, labels, 3)
    X = np.array([[1e20], [1e160], [1.7e308]]) * np.ones(d)
    radii = reference.radii(X, 2, "pairwise")
    assert (radii.certified()[:, :2] == 0).all()
    assert np.array_equal(reference.support(X).argmax(axis=1), radii.label)
    assert np.isinf(radii.certified()[:, 2]).all()


def test_rounding_bounds_the_error_of_the_formula():
    """Against exact rational arithmetic, where the differences cancel."""
    from fractions import Fraction

    rng = np.random.default_rng(0)
    points, labels = 1e3 * rng.normal(size=(2, 6)), np.array([0, 1])
    across = rng.normal(size=6)
    across -= points[0] * (across @ points[0]) / (points[0] @ points[0])
    X = points.mean(axis=0) + 1e-9 * across + 100 * rng.normal(size=(40, 6))
    X -= (
        ((X - points.mean(axis=0)) @ (points[1] - points[0]))[:, None]
        * (points[1] - points[0])
        / ((points[1] - points[0]) @ (points[1] - points[0]))
    )
    found = ReferencePoints(points, labels, 2).radii(X, 2, "nearest")
    exact = [[Fraction(float(v)) for v in row] for row in points]
    for x, label, radius, rounding in zip(X, found.label, found.radius, found.rounding):
        own, other = exact[label], exact[1 - label]
        gain = sum((a - b) * (2 * Fraction(float(v)) - a - b) for a, b, v in zip(own, other, x))
        size = 2 * sum((a - b) ** 2 for a, b in zip(own, other)) ** 0.5
        assert abs(float(gain) / float(size) - radius[1 - label]) <= rounding + 1e-15


@pytest.mark.parametrize("norm", NORMS)
def test_memory_is_that_of_a_block(norm, monkeypatch):
    """However many rows and points there are; with blocks as large as all, the test notices."""
    points, labels = some_points(4000, 20)
    X = some_points(1000, 20, seed=1)[0]
    reference = ReferencePoints(points, labels, 2)
    reference.radii(X[:2], norm, "pairwise")

    def peak():
        tracemalloc.start()
        reference.radii(X, norm, "pairwise")
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size / 2**20

    assert peak() > 14  # all distances, in single precision
    monkeypatch.setattr(_neighbor_radii, "ENTRIES_AT_ONCE", 2**16)
    assert peak() < 5
