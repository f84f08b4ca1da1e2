"""Distances against rational arithmetic, over the whole range of floats.

A distance that is computed too small makes a certificate wrong, and the triangle inequality does
not see it. Controls: the plain formulas fail the same test.
"""

from fractions import Fraction
from functools import partial

import mpmath
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from sksmooth.distances import (
    NAMES,
    EarthMover,
    FeatureDistance,
    JaccardBoxes,
    TotalVariation,
    WeightedJaccard,
    farthest_box,
)

LARGEST, SMALLEST = np.finfo(float).max, 5e-324
MP = mpmath.MPContext()
MP.prec = 300


def real(fraction):
    return MP.mpf(fraction.numerator) / fraction.denominator


def exactly(output):
    return [Fraction(float(value)) for value in np.ravel(output)]


def differences(a, b):
    return [x - y for x, y in zip(exactly(a), exactly(b))]


def l1(a, b):
    return real(sum(map(abs, differences(a, b))))


def l2(a, b):
    return MP.sqrt(real(sum(d * d for d in differences(a, b))))


def linf(a, b):
    return real(max(map(abs, differences(a, b))))


def angle(a, b):
    a, b = exactly(a), exactly(b)
    dot, (p, q) = sum(x * y for x, y in zip(a, b)), (sum(x * x for x in v) for v in (a, b))
    if p == 0 or q == 0:
        return MP.mpf(p != q) / 2
    return MP.atan2(MP.sqrt(real(p * q - dot * dot)), real(dot)) / MP.pi


def box_area(box):
    return max(box[2] - box[0], 0) * max(box[3] - box[1], 0)


def boxes(a, b):
    a, b = ([Fraction(0)] * 4 if is_empty(v) else exactly(v) for v in (a, b))
    both = [*map(max, a[:2], b[:2]), *map(min, a[2:], b[2:])]
    whole = box_area(a) + box_area(b) - box_area(both)
    return real(1 - box_area(both) / whole) if whole else MP.mpf(0)


def is_empty(box):
    return not (box[2] > box[0] and box[3] > box[1])


def masks(a, b):
    both = sum(bool(x != 0 and y != 0) for x, y in zip(a, b))
    either = sum(bool(x != 0 or y != 0) for x, y in zip(a, b))
    return real(1 - Fraction(both, either)) if either else MP.mpf(0)


def weights(a, b):
    a, b = exactly(a), exactly(b)
    whole = sum(map(max, a, b))
    return real(1 - sum(map(min, a, b)) / whole) if whole else MP.mpf(0)


def variation(a, b, channels=1):
    d = np.array(differences(a, b), dtype=object).reshape(-1, channels)
    changes = d[1:] - d[:-1]
    if channels == 1:
        return real(sum(abs(c) for (c,) in changes))
    return sum(MP.sqrt(real(sum(x * x for x in change))) for change in changes)


def mover(a, b):
    total, moved = Fraction(0), Fraction(0)
    for x, y in zip(exactly(a), exactly(b)):
        moved += x / sum(exactly(a)) - y / sum(exactly(b))
        total += abs(moved)
    return real(total)


def kinds(rng, n, d):
    """Outputs of every size, and such that differ in their last bits."""
    base, signs = rng.normal(size=d), rng.choice([-1.0, 1.0], size=(n, d))
    yield rng.normal(size=(n, d))
    yield 1e-170 * rng.normal(size=(n, d))
    yield SMALLEST * rng.integers(-9, 9, size=(n, d))
    yield 1e307 * rng.normal(size=(n, d))
    yield signs * LARGEST
    yield signs * 2.0 ** rng.uniform(-1070, 1020, size=(n, d))
    yield base * (1 + rng.integers(-2, 3, size=(n, d)) * 2.0**-52)
    yield base * 2.0 ** rng.integers(-1000, 1000) + rng.integers(0, 2, (n, d)) * SMALLEST
    yield 1e9 + rng.integers(0, 3, size=(n, d)) * 2.0**-23
    yield np.where(rng.random((n, d)) < 0.3, 1e-200 * rng.normal(size=(n, d)), 1.0)
    yield rng.integers(0, 3, size=(n, d)).astype(float)


def corners(rng, n, d):
    for values in kinds(rng, n, d):
        with np.errstate(over="ignore"):
            yield np.nan_to_num(np.sort(values.reshape(n, 2, 2), axis=1).reshape(n, 4))
    for size in (1e-320, 1e-170, 1.0, 1e290):
        yield size * (np.array([0.0, 0, 7, 5]) + rng.integers(-1, 2, size=(n, 4)))
        yield size * (1 + np.array([0.0, 0, 7, 5])) + np.spacing(size) * rng.integers(0, 3, (n, 4))


def images(rng, n, d):
    """Without changes beyond the range of floats: these are infinitely far, as infinities are."""
    return (np.clip(values, -LARGEST / 2, LARGEST / 2) for values in kinds(rng, n, d))


def masses(rng, n, d):
    for values in kinds(rng, n, d):
        sizes = np.abs(values)
        yield sizes[sizes.any(axis=1)]
    yield np.where(rng.random((n, d)) < 0.5, LARGEST, 1e-300 * np.arange(1, n + 1)[:, None])


# Name: distance, exact distance, outputs, number of coordinates, and by how much the computed
# distance may be larger where it is no matter of relative rounding.
CASES = {
    "l1": (NAMES["l1"](), l1, kinds, 4, 0),
    "l2": (NAMES["l2"](), l2, kinds, 4, 0),
    "one number": (NAMES["l2"](), l2, kinds, 1, 0),
    "linf": (NAMES["linf"](), linf, kinds, 4, 0),
    "features": (FeatureDistance(lambda outputs: outputs, squared=False), l2, kinds, 3, 0),
    "angular": (NAMES["angular"](), angle, kinds, 4, 2e-15),
    "boxes": (JaccardBoxes(), boxes, corners, 4, 0),
    "masks": (NAMES["jaccard_masks"](), masks, kinds, 6, 0),
    "weights": (WeightedJaccard(), weights, masses, 4, 0),
    "mover": (EarthMover(), mover, masses, 5, 5e-14),
    "variation": (TotalVariation(), variation, images, 5, None),
    "variation of channels": (
        TotalVariation((3, 2), channel_axis=-1, channel_norm=2),
        partial(variation, channels=2),
        images,
        6,
        None,
    ),
}


def computed(distance, outputs):
    points = distance.points(outputs)
    return distance.between(points, points[:5])


def faults(d, outputs, exact, allowed):
    """Pairs whose distance is too small, too large, or wrongly 0."""
    found = []
    for i, j in np.ndindex(d.shape):
        true, got = exact(outputs[i], outputs[j]), d[i, j]
        is_low = got * MP.mpf(1 + 1e-13) < true
        is_zero_wrongly = (got == 0) != (true == 0) and (
            got == 0 or (outputs[i] == outputs[j]).all()
        )
        more = true * MP.mpf(1e-12) + 10 * MP.mpf(SMALLEST)
        if allowed is None:  # the rounding of both outputs' own changes
            more += MP.mpf(2.0**-49) * sum(map(MP.mpf, np.abs(outputs[[i, j]]).ravel()))
        elif got != 0:
            more += MP.mpf(allowed)
        is_high = got > true + more if true < LARGEST / 64 else got < LARGEST / 128
        if is_low or is_high or is_zero_wrongly or np.isnan(got):
            found.append((outputs[i], outputs[j], got, float(true)))
    return found


@pytest.mark.parametrize("case", CASES)
def test_never_too_small_nor_much_too_large(case):
    distance, exact, outputs_of, d, allowed = CASES[case]
    for outputs in outputs_of(np.random.default_rng(0), 16, d):
        assert not faults(computed(distance, outputs), outputs, exact, allowed)


@pytest.mark.parametrize("case", CASES)
def test_what_is_computed_is_a_metric(case):
    """The search for centres prunes by the triangle inequality of computed distances."""
    distance, _, outputs_of, d, _ = CASES[case]
    for outputs in outputs_of(np.random.default_rng(1), 16, d):
        points = distance.points(outputs)
        found = np.minimum(distance.between(points, points), LARGEST / 4)
        np.testing.assert_allclose(found, found.T, rtol=1e-12)
        longest = (found[:, None, :] + found.T[None, :, :]).min(axis=2)
        assert (found <= longest * (1 + 1e-12) + 20 * SMALLEST).all()


def plain_boxes(a, b):
    low, high = np.maximum(a[:, None, :2], b[:, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    area = [(v[:, 2] - v[:, 0]) * (v[:, 3] - v[:, 1]) for v in (a, b)]
    whole = area[0][:, None] + area[1] - shared
    return 1 - np.divide(shared, whole, out=np.ones_like(whole), where=whole != 0)


def plain_weights(a, b):
    apart = cdist(a, b, "cityblock")
    whole = (a.sum(axis=1)[:, None] + b.sum(axis=1) + apart) / 2
    return np.divide(apart, whole, out=np.zeros_like(apart), where=whole != 0)


def plain_mover(a, b):
    shares = [np.cumsum(v / v.sum(axis=1, keepdims=True), axis=1)[:, :-1] for v in (a, b)]
    return cdist(*shares, "cityblock")


def plain_angle(a, b):
    u, v = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return 2 / np.pi * np.arctan2(cdist(u, v), cdist(u, -v))


PLAIN = {
    "l2": cdist,
    "one number": cdist,
    "features": cdist,
    "angular": plain_angle,
    "boxes": plain_boxes,
    "weights": plain_weights,
    "mover": plain_mover,
    "variation": lambda a, b: cdist(np.diff(a), np.diff(b), "cityblock"),
}


@pytest.mark.parametrize("case", PLAIN)
def test_plain_formulas_fail(case):
    _, exact, outputs_of, d, allowed = CASES[case]
    found = 0
    with np.errstate(all="ignore"):
        for outputs in outputs_of(np.random.default_rng(0), 16, d):
            found += len(faults(PLAIN[case](outputs, outputs[:5]), outputs, exact, allowed))
    assert found


@pytest.mark.parametrize(
    ("distance", "outputs", "wanted"),
    [
        (NAMES["euclidean"](), [[1e-170], [0.0]], 1e-170),
        (NAMES["euclidean"](), [[1e200, 0], [0, 1e200]], np.sqrt(2) * 1e200),
        (NAMES["squared_euclidean"](), [[1e-150], [0.0]], 1e-300),
        (
            FeatureDistance(lambda outputs: outputs, squared=False),
            [[3e-170, 4e-170], [0, 0]],
            5e-170,
        ),
        (
            TotalVariation((2, 2), channel_axis=-1, channel_norm=2),
            [[0, 0, 3e-170, 4e-170], [0] * 4],
            5e-170,
        ),
        (JaccardBoxes(), [[0, 0, 1e-170, 1e-170], [5e-170, 5e-170, 6e-170, 6e-170]], 1.0),
        (JaccardBoxes(), [[0, 0, 2e200, 2e200], [1e200, 1e200, 3e200, 3e200]], 6 / 7),
        (EarthMover(), [[1e308, 1e308, 0], [0, 1e308, 1e308]], 1.0),
        (EarthMover(), [[1, 2, np.inf], [1, 2, 3]], np.inf),
        (EarthMover(), [[np.nan, 2, 3], [1, 2, 3]], np.inf),
        (WeightedJaccard(), [[1e308, 1e308], [1e308, 0]], 0.5),
        (WeightedJaccard(), [[np.inf, 1], [1, 1]], np.inf),
        (TotalVariation(), [[1.0, 2.0**-60], [1.0, 3 * 2.0**-60]], 2.0**-59),
    ],
)
def test_examples(distance, outputs, wanted):
    outputs = np.array(outputs, dtype=float)
    for a, b in (outputs, outputs[::-1]):
        assert distance(a[None], b)[0] == pytest.approx(wanted, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("name", "metric"), [("squared_euclidean", 1e-170), ("cosine", 1e-170), ("dice", SMALLEST)]
)
def test_a_distance_that_underflows_is_seen_by_the_certificate(name, metric):
    """What belongs to a positive metric may be rounded to 0; one step up is a bound."""
    assert 0 <= NAMES[name]().from_metric(metric) <= SMALLEST


@pytest.mark.parametrize("name", ["l2", "angular", "earth_mover"])
@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (np.array([[2**53 + 1, 1], [2**53, 1]]), "float64"),
        (np.array([[1, 1 + 1j]]), "complex"),
        (np.array([[1, 1 + np.finfo(np.longdouble).eps]], dtype=np.longdouble), "float64"),
    ],
)
def test_outputs_that_floats_cannot_tell_apart_are_refused(name, outputs, message):
    if outputs.dtype.kind == "f" and np.finfo(np.longdouble).eps == np.finfo(float).eps:
        outputs, message = np.array([[1, 1j]]), "complex"  # where there is no wider type
    with pytest.raises(ValueError, match=message):
        NAMES[name]().points(outputs)
    NAMES[name]().points(np.array([[2**53 - 1, 1]]))


def test_the_farthest_box_is_not_too_near():
    """A bound of a distance near 0 keeps its digits, and is not below the exact one."""
    rng = np.random.default_rng(0)
    box = np.array([0.0, 0, 4, 4])
    for size in (1e-200, 2.0**-50, 1e-9):
        low = box - size * rng.integers(0, 3, 4)
        bound = farthest_box(box[None], low[None], box[None])[0]
        vertices = [np.where(rng.random(4) < 0.5, low, box) for _ in range(50)]
        assert all(bound >= boxes(vertex, box) for vertex in vertices)
