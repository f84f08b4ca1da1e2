"""Contrast, then brightness."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sksmooth.noise import BrightnessContrast, Contrast

X = np.random.default_rng(0).random((5, 4, 3))


@pytest.mark.parametrize("center", [0.0, 0.5])
def test_multiplies_then_adds(center):
    noise = BrightnessContrast(center=center)
    expected = Contrast(center=center).transform(X, 0.4) + 0.2
    assert_allclose(noise.transform(X, [[0.4, 0.2]]), expected, atol=1e-15)
    # an offset before a factor is one that is scaled by it
    twice = noise.transform(noise.transform(X, [[0.4, 0.2]]), [[-1.1, 0.7]])
    once = noise.transform(X, [[-0.7, 0.7 + 0.2 * np.exp(-1.1)]])
    assert np.abs(twice - once).max() < 1e-12


def test_draws_are_independent_normal_pairs():
    draws = BrightnessContrast(0.3, 0.6).draw(20_000, (4,), np.random.default_rng(0), np.float64)
    assert draws.shape == (20_000, 2)
    assert stats.kstest(draws[:, 0], "norm", (0, 0.6)).pvalue > 1e-3
    assert stats.kstest(draws[:, 1], "norm", (0, 0.3)).pvalue > 1e-3
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.03


def test_radius_is_one_of_a_box_in_units_of_both():
    noise = BrightnessContrast(0.2, 0.4)
    radius = noise.radius([0.9, 0.99])
    ranges = noise.ranges(radius)
    assert_allclose(ranges["brightness"][:, 1], radius)
    assert_allclose(ranges["log_factor"][:, 1], 2 * radius)
    assert_allclose(ranges["factor"][:, 0], np.exp(-2 * radius))
    corner = noise.least_probability([0.9, 0.99], contrast=2 * radius, brightness=-radius)
    assert (corner > 0.5).all()
    assert "|k| <= 2 radius" in noise.attack


def test_contrast_alone_loses_nothing():
    noise = BrightnessContrast(0.3, 0.3)
    least = noise.least_probability(0.99, contrast=-0.5, brightness=0.0)
    assert_allclose(least, stats.norm.cdf(stats.norm.ppf(0.99) - 0.5 / 0.3), rtol=1e-9)
    assert noise.least_probability(0.2, contrast=2.0, brightness=9.0) >= 0


def test_what_is_no_law_is_refused():
    for bad in (0, 1.5, np.nan, True, "wide"):
        with pytest.raises(ValueError, match="'contrast_sigma' parameter of BrightnessContrast"):
            BrightnessContrast(contrast_sigma=bad).radius(0.9)
    with pytest.raises(ValueError, match="must be one of gaussian"):
        BrightnessContrast(law="uniform").radius(0.9)
    with pytest.raises(ValueError, match="finite numbers"):
        BrightnessContrast().least_probability(0.9, contrast=np.nan, brightness=0.0)
