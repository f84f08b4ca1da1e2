"""Anchors: their balls hold the whole curve, on dense sweeps; and they are few."""

import numpy as np
import pytest
from image_cases import TRANSFORMATIONS, blob, golden_image

from sksmooth.transformations import LowPass, Rotation, Translation
from sksmooth.transformations._cover import Curve, cover


def as_they_are(images):
    return images.reshape(len(images), -1)


def largest_distances(curve, anchors, n=60):
    """Largest distance from each anchor, on a sweep of its part of the curve."""
    start, found = 0.0, []
    for anchor in anchors:
        t = np.linspace(start, anchor.end, n)
        seen = curve.seen(curve.transformation.moved(curve.image, np.append(t, anchor.parameter)))
        found.append(np.linalg.norm(seen[:-1] - seen[-1], axis=1).max())
        start = anchor.end
    return np.array(found)


CASES = {
    "rotation": ("rotation", 60.0),
    "rotation left": ("rotation", -60.0),
    "zoom": ("zoom", 0.2),
    "shear": ("shear", -0.3),
    "translation": ("translation", 2.0),
}


@pytest.mark.parametrize("case", CASES)
def test_balls_hold_the_curve(case):
    kind, end = CASES[case]
    curve = Curve(TRANSFORMATIONS[kind], golden_image("wave", 9, 8)[None], end, as_they_are)
    anchors = list(cover(curve, 0.4, 0.05))
    ends = np.array([anchor.end for anchor in anchors])
    assert ends[-1] == end
    assert (np.diff(np.abs(ends)) > 0).all()
    stated = np.array([anchor.distance for anchor in anchors])
    assert (stated <= 0.4 * (1 + 1e-9)).all()
    true = largest_distances(curve, anchors)
    assert (true + 0.05 <= stated).all()
    assert (true[:-1] > 0.8 * 0.35).mean() > 0.9  # controls: smaller balls do not, and few suffice


def test_anchors_lie_in_their_part():
    curve = Curve(Rotation(90), blob()[None], 90.0, as_they_are)
    start = 0.0
    for anchor in cover(curve, 0.3, 0.0):
        assert start <= anchor.parameter <= anchor.end
        start = anchor.end


def test_what_does_not_change_needs_one_anchor():
    still = np.zeros((1, 6, 6))
    assert list(cover(Curve(Rotation(30), still, -30.0, as_they_are), 0.1, 0.01)) == [
        (-30.0, -30.0, 0.01)
    ]


def test_distances_are_measured_behind_filters():
    image, low_pass = blob()[None], LowPass(1.0)
    filtered = Curve(Translation(3), image, 3.0, lambda x: as_they_are(low_pass.filtered(x)))
    plain = Curve(Translation(3), image, 3.0, as_they_are)
    few, many = (list(cover(curve, 0.2, 0.0)) for curve in (filtered, plain))
    assert len(few) < len(many)
    true = largest_distances(filtered, few)
    assert (true <= [anchor.distance for anchor in few]).all()


def test_a_stretch_is_taken_into_account():
    doubled = Curve(Translation(3), blob()[None], 3.0, lambda x: 2 * as_they_are(x), 2.0)
    plain = Curve(Translation(3), blob()[None], 3.0, as_they_are)
    ours, theirs = list(cover(doubled, 0.4, 0.0)), list(cover(plain, 0.2, 0.0))
    assert [a.end for a in ours] == [a.end for a in theirs]


def test_few_anchors_are_asked_for_at_a_time():
    """What is far out is not computed before it is needed."""
    calls = []

    def seen(images):
        calls.append(len(images))
        return as_they_are(images)

    anchors = cover(Curve(Rotation(180), golden_image("wave", 28, 28)[None], 180.0, seen), 0.3, 0)
    next(anchors)
    first = sum(calls)
    assert first < 400
    for _ in zip(range(50), anchors):
        pass
    assert sum(calls) > first


def test_curves_that_are_too_long_are_refused():
    image = 1e9 * golden_image("wave", 9, 9)[None]
    with pytest.raises(ValueError, match=r"Scale the images"):
        next(cover(Curve(Rotation(30), image, 30.0, as_they_are), 0.1, 0.0))
