"""Rules that find centres, and what they guarantee."""

import numpy as np
import pytest

from sksmooth.certifiers.center._best_sample import best_sample_point
from sksmooth.certifiers.center._few_dimensions import shorth
from sksmooth.certifiers.center._rules import (
    CenterRule,
    CenterSearch,
    choose_rule,
    lower_bound,
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
    search = CenterSearch(Euclidean(), TRIANGLE)
    search.h = 3
    assert 1 - 1e-5 < lower_bound(search) <= 1  # computed in single precision, rounded down
    search.try_sample(None)
    search.refine()
    assert search.radius == pytest.approx(1.0)


@pytest.mark.parametrize("scale", [1e-310, 1e-170, 1.0, 1e300])
@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("dimension", [2, 30])
def test_lower_bounds_are_below_every_center(norm, dimension, scale):
    rng = np.random.default_rng(3)
    for _ in range(5):
        outputs, distance = scale * rng.normal(size=(41, dimension)), NAMES[norm]()
        search = CenterSearch(distance, outputs)
        bound = lower_bound(search)
        search.try_sample(None)
        search.refine()
        trials = search.output + rng.normal(size=(2000, dimension)) * search.radius * 0.1
        assert 0 < bound <= min(search.radius, radii(distance, trials, outputs, search.h).min())


def test_refinement_helps_and_never_hurts():
    rng = np.random.default_rng(4)
    for name in ("l1", "l2", "linf", "angular", "total_variation"):
        search = CenterSearch(NAMES[name](), rng.normal(size=(101, 50)) + 1)
        search.try_sample(None)
        before = search.radius
        search.refine()
        assert search.radius < before
        assert search.radius == radii(search.distance, search.output[None], search.outputs, 51)[0]


def test_a_guarantee_is_shown_or_admitted_to_be_missing():
    high = np.random.default_rng(5).normal(size=(200, 300))
    shown = choose_rule(Euclidean(), (300,), "auto", 1.2, None).find(high)
    missing = choose_rule(Euclidean(), (300,), "auto", 1.001, None).find(high)
    assert shown.guaranteed
    assert not missing.guaranteed


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
    with pytest.raises(ValueError, match="guarantee"):
        choose_rule(Euclidean(), (3,), "branch_and_bound", 1.5, None)


@pytest.mark.parametrize("method", ["shorth", "branch_and_bound", "sample"])
def test_outputs_that_are_not_numbers(method):
    rule = CenterRule(Euclidean(), method, 1.0)
    values = np.array([1.0, 2, np.nan, 3, 2])[:, None]
    center = rule.find(values)
    assert np.isfinite(center.output).all()
    assert center.radius <= 1
    assert rule.find(np.full((5, 1), np.nan)).radius == np.inf
