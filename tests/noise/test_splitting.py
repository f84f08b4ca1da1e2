"""Splitting noise: its pieces, and a certificate checked against every shift of a few points."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sksmooth.noise import SplittingNoise

SQRT3 = np.sqrt(3)


def exact_probability(answer, x, lam):
    """Probability of an answer to one feature, by integration over the place of the cuts."""
    cuts = (np.arange(20_000) + 0.5) / 20_000
    noise = SplittingNoise(lam / SQRT3)
    return answer(noise.apply(np.array([x]), cuts[:, None])[:, 0]).mean()


@pytest.mark.parametrize("lam", [0.1, 0.25, 0.5, 0.7, 2.0])
def test_pieces_hold_the_feature_and_are_as_wide_as_stated(lam):
    noise = SplittingNoise(lam / SQRT3)
    x = np.linspace(0, 1, 101)[None]
    draws = noise.draw(500, (101,), np.random.default_rng(0), float)
    middle = noise.apply(x, draws)
    assert (middle >= 0).all()
    assert (middle <= 1).all()
    assert (np.abs(middle - x) <= lam + 1e-12).all()
    for cut in draws[:5, 0]:  # one cut for all features: those of one piece get one value
        values = noise.apply(x[0], np.full(101, cut))
        steps = np.count_nonzero(np.diff(values))
        assert steps in (np.floor(1 / (2 * lam)), np.ceil(1 / (2 * lam)))


@pytest.mark.parametrize("lam", [0.2, 0.45, 0.5, 0.9])
def test_a_change_meets_a_cut_as_often_as_stated(lam):
    noise = SplittingNoise(lam / SQRT3)
    draws = noise.draw(200_000, (1,), np.random.default_rng(1), float)
    for x, change in [(0.1, 0.05), (0.7, 0.2), (0.33, 0.5)]:
        changed = noise.apply(np.array([x]), draws) != noise.apply(np.array([x + change]), draws)
        expected = min(1.0, change / (2 * lam))
        assert abs(changed.mean() - expected) <= 4 * np.sqrt(0.25 / 200_000) + 1e-12
    # negative control: the same test notices cuts at half the distance
    wrong = SplittingNoise(lam / SQRT3 / 2)
    changed = wrong.apply(np.array([0.1]), draws) != wrong.apply(np.array([0.15]), draws)
    assert abs(changed.mean() - 0.05 / (2 * lam)) > 4 * np.sqrt(0.25 / 200_000)


@pytest.mark.parametrize("lam", [0.3, 0.5, 0.8])
def test_certificate_holds_and_is_attained_by_a_threshold(lam):
    """The probability that the piece ends above t falls with slope 1 / (2 lam)."""
    noise = SplittingNoise(lam / SQRT3)

    def answer(middle):
        return middle >= 0.5

    p_of = np.array([exact_probability(answer, x, lam) for x in np.linspace(0, 1, 41)])
    assert (np.abs(np.diff(p_of)) <= (1 / 40) / (2 * lam) + 1e-4).all()
    x = 0.9 if lam < 0.5 else 0.95
    p = exact_probability(answer, x, lam)
    radius = float(noise.radius(p))
    inside = np.linspace(max(0, x - radius), x, 30)
    assert all(exact_probability(answer, x2, lam) >= 0.5 - 1e-4 for x2 in inside)


def test_features_outside_the_unit_interval_keep_the_certificate():
    noise = SplittingNoise(0.2)
    draws = noise.draw(100_000, (1,), np.random.default_rng(0), float)
    lam = 0.2 * SQRT3
    for x, change in [(-0.3, 0.1), (1.1, 0.2), (0.95, 0.1)]:
        changed = noise.apply(np.array([x]), draws) != noise.apply(np.array([x + change]), draws)
        assert changed.mean() <= change / (2 * lam) + 4 * np.sqrt(0.25 / 100_000)


def test_cuts_are_uniform():
    draws = SplittingNoise(0.3).draw(50_000, (2,), np.random.default_rng(0), np.float32)
    assert stats.kstest(draws[:, 0].astype(float), "uniform").pvalue > 1e-3


def test_radius_is_that_of_a_lipschitz_probability():
    lam = 0.5 * SQRT3
    assert_allclose(SplittingNoise(0.5).radius(0.9), 2 * lam * 0.4, rtol=1e-12)
    assert_allclose(SplittingNoise(0.5).radius(0.6, 0.1), lam * 0.5, rtol=1e-12)
    with pytest.raises(ValueError, match="certifies in the norm 1 only"):
        SplittingNoise(0.5).radius(0.9, norm=2)
