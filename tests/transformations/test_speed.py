"""The bound of the speed of transformed images, against golden values and dense sweeps."""

import numpy as np
import pytest
from image_cases import TRANSFORMATIONS, golden, golden_image, image_of

from sksmooth.transformations import Rotation, Translation
from sksmooth.transformations._base import pixels
from sksmooth.transformations._speed import boxes, speed_bounds


def distance_bound(transformation, image, anchor, low, high, n, shrink=1.0):
    """Bound of the largest distance from an anchor, from n intervals."""
    edges = np.linspace(low, high, n + 1)
    fixed = transformation.moved(image, np.array([anchor]))
    away = transformation.moved(image, edges) - fixed
    measured = np.linalg.norm(away.reshape(n + 1, -1), axis=1)
    speeds = shrink * speed_bounds(transformation, image, edges)
    return ((measured[:-1] + measured[1:] + speeds * np.diff(edges)) / 2).max()


@pytest.mark.parametrize("kind", TRANSFORMATIONS)
def test_golden_distances(kind):
    for row in golden("distances.csv"):
        if row["kind"] != kind:
            continue
        image, transformation = image_of(row)[None], TRANSFORMATIONS[kind]
        low, high, anchor = (float(row[name]) for name in ("lo", "hi", "anchor"))
        bound = distance_bound(transformation, image, anchor, low, high, 200)
        assert bound >= float(row["true_max_l2"]) - 1e-9
        assert bound <= float(row["bound_200_subintervals"]) * (1 + 1e-7) + 1e-9
        speed = speed_bounds(transformation, image, np.linspace(low, high, 201)).max()
        assert speed >= float(row["true_max_speed"]) - 1e-9


def sweeps():
    rng = np.random.default_rng(0)
    images = [
        golden_image("wave", 9, 7)[None],
        np.rint(rng.random((1, 7, 10))),
        rng.standard_normal((3, 8, 8)),
        np.pad(np.ones((1, 3, 3)), ((0, 0), (1, 2), (3, 1))),
    ]
    for kind, transformation in TRANSFORMATIONS.items():
        piece = 12 * transformation.piece
        for image in images:
            for start in rng.uniform(-10, 10, 4) * piece:
                yield kind, transformation, image, start, start + piece * rng.uniform(0.2, 1)


def steepest(transformation, image, low, high):
    """Largest quotient of distances on a fine grid of an interval."""
    t = np.linspace(low, high, 400)
    moved = transformation.moved(image, t).reshape(len(t), -1)
    return (np.linalg.norm(np.diff(moved, axis=0), axis=1) / np.diff(t)).max()


def test_no_sweep_is_faster():
    ratios = []
    for _, transformation, image, low, high in sweeps():
        bound = speed_bounds(transformation, image, np.array([low, high]))[0]
        ratios.append(steepest(transformation, image, low, high) / bound)
    assert max(ratios) <= 1.0
    assert max(ratios) > 0.8  # bounds smaller by a fifth would be caught


def test_distance_bounds_hold_and_smaller_ones_are_caught():
    """Negative control: a bound that is 0.8 of it is exceeded on many pieces."""
    caught = 0
    for _, transformation, image, low, high in sweeps():
        bound = distance_bound(transformation, image, low, low, high, 1)
        t = np.linspace(low, high, 400)
        away = transformation.moved(image, t) - transformation.moved(image, t[:1])
        truth = np.linalg.norm(away.reshape(len(t), -1), axis=1).max()
        assert truth <= bound * (1 + 1e-12)
        caught += truth > 0.8 * bound
    assert caught > 20


def test_both_directions_are_the_same():
    image = golden_image("wave", 8, 8)[None]
    edges = np.linspace(-3.0, 5.0, 9)
    on = speed_bounds(Rotation(30), image, edges)
    np.testing.assert_array_equal(on, speed_bounds(Rotation(30), image, edges[::-1])[::-1])


def test_one_interval_bounds_all_within():
    image = golden_image("bars", 14, 14)[None]
    whole = speed_bounds(Translation(4), image, np.array([0.0, 2.5]))[0]
    parts = speed_bounds(Translation(4), image, np.linspace(0.0, 2.5, 26))
    assert parts.max() <= whole


@pytest.mark.parametrize("kind", TRANSFORMATIONS)
def test_sources_stay_in_their_boxes(kind):
    transformation, rng = TRANSFORMATIONS[kind], np.random.default_rng(3)
    size = (9, 12)
    for width in (0.01, 1.0, 30.0):
        low = rng.uniform(-50, 50) * transformation.piece * 10
        high = low + width * transformation.piece * 10
        box = boxes(transformation, size, np.array([low, high]))
        t = np.linspace(low, high, 101)[:, None, None]
        down, right = transformation.sources(t, *pixels(size))
        assert (down >= box.first_row).all()
        assert (down <= box.last_row).all()
        assert (right >= box.first_column).all()
        assert (right <= box.last_column).all()
