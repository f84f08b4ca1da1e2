"""Contrast and brightness together: integrals, and boxes that they prove."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, special, stats
from semantic_images import golden_rows

from sksmooth.noise.semantic._box import (
    BoxTradeOff,
    box_probability,
    least_probability,
)


def test_least_probabilities_to_many_digits():
    for row in golden_rows("semantic_box.csv"):
        sk, sb, k0, b0, p = (float(row[c]) for c in ("sigma_k", "sigma_b", "k0", "b0", "p"))
        expected = float(row["least_share_after_exp(k0)*x+b0"])
        found = least_probability(*(np.array([v]) for v in (1 - p, k0 / sk, abs(b0) / sb)), sk)
        assert_allclose(found, expected, rtol=0, atol=1e-9)
        assert found <= expected + 2e-12


def worst_probability(p, k, b, spread, n=400_000):
    """The same by simulation: the set of pairs with the smallest likelihood ratios."""
    rng = np.random.default_rng(0)

    def log_ratio(u, w):
        s = np.exp(spread * (u - k)) * b
        return k * u - k * k / 2 + s * w - s * s / 2

    before = log_ratio(*rng.normal(size=(2, n)))
    u = rng.normal(size=n) + k
    w = rng.normal(size=n) + np.exp(spread * (u - k)) * b
    return (log_ratio(u, w) < np.quantile(before, p)).mean()


@pytest.mark.parametrize("spread", [0.1, 0.5, 1.0])
@pytest.mark.parametrize(("k", "b"), [(0.5, 0.5), (-1.0, 0.3), (1.5, 2.0), (0.0, 0.4), (2.0, 0.0)])
def test_least_probabilities_are_those_of_the_worst_set(spread, k, b):
    for p in (0.6, 0.95):
        found = least_probability(*(np.array([v]) for v in (1 - p, k, b)), spread)[0]
        simulated = (
            worst_probability(p, k, b, spread) if b else stats.norm.cdf(stats.norm.ppf(p) - abs(k))
        )
        assert_allclose(found, simulated, atol=0.006)


def reference(tail, k, b, spread):
    """The same by so many nodes that the rule sees every corner."""
    u = np.linspace(-9.5, 9.5, 200_001)
    weights = stats.norm.pdf(u) * (u[1] - u[0])

    def exceeded(t, moved):
        s = np.exp(spread * (u + moved - k)) * b
        with np.errstate(over="ignore"):
            least = (t - k * (u + moved) + k * k / 2) / s + s / 2
        return special.ndtr((s if moved else 0) - least) @ weights

    t = optimize.brentq(lambda t: exceeded(t, 0) - tail, -60, 60, xtol=1e-6)
    return 1 - exceeded(t, k) + np.exp(t) * (exceeded(t, 0) - tail)


@pytest.mark.parametrize("spread", [0.3, 1.0])
@pytest.mark.parametrize("k", [-3.0, 3.0])
def test_corners_of_the_integrand_are_not_over_stated(spread, k):
    """A small offset beside a large factor, where a few thousand nodes are not enough."""
    for b in (0.01, 0.05, 0.2):
        exact = reference(0.01, k, b, spread)
        found = least_probability(*(np.array([v]) for v in (0.01, k, b)), spread)[0]
        assert exact - 0.002 < found < exact + 1e-7
    tiny = least_probability(*(np.array([v]) for v in (0.01, k, 1e-6)), spread)[0]
    none = least_probability(*(np.array([v]) for v in (0.01, k, 0.0)), spread)[0]
    assert none - 0.004 < tiny < none


def test_boxes_are_those_of_the_specification():
    for p, proved, true in ((0.9, 0.310, 0.316), (0.99, 0.561, 0.575)):
        contrast = np.array([stats.norm.ppf(p) / 2])
        keeps = [
            box_probability(np.array([1 - p]), contrast, np.array([b / 0.3]), 0.3)[0]
            for b in (proved - 0.001, proved + 0.001, 2 * true)
        ]
        assert keeps[0] > 0.5 > keeps[1] > keeps[2]


@pytest.mark.parametrize("spread", [0.1, 0.3, 1.0])
def test_every_point_of_a_box_keeps_what_is_proven(spread):
    tail = np.array([0.05])
    radius = BoxTradeOff(spread).radius(tail, tail)
    sides = np.linspace(-1, 1, 21) * radius
    edges = [(s, e * radius[0]) for s in sides for e in (0.5, 1)] + [
        (e * radius[0], s) for s in sides for e in (-1, 1)
    ]
    k, b = np.array(edges).T
    all_tails = np.full(len(k), tail[0])
    assert (least_probability(all_tails, k, np.abs(b), spread) > 0.5).all()
    further = least_probability(all_tails, 1.25 * k, 1.25 * np.abs(b), spread)
    assert (further < 0.5).any()  # control


def test_radii_are_proven_by_every_cell_and_grow():
    trade_off = BoxTradeOff(0.3)
    tail = np.array([0.4, 0.1, 0.01, 0.1, 0.6, 0.5])
    runner_up = np.array([0.4, 0.1, 0.01, 0.05, 0.2, 0.5])
    radius = trade_off.radius(tail, runner_up)
    assert (np.diff(radius[:3]) > 0).all()
    assert radius[3] > radius[1]
    assert radius[5] == 0
    some = radius > 0
    least = trade_off.worst_case_probability(tail[some], radius[some])
    most = 1 - trade_off.worst_case_probability(runner_up[some], radius[some])
    assert (least > most).all()
    least = trade_off.worst_case_probability(tail[some], 1.01 * radius[some])
    most = 1 - trade_off.worst_case_probability(runner_up[some], 1.01 * radius[some])
    assert (least < most).all()
