"""Contrast: a factor for all features."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksmooth.noise import Contrast

X = np.random.default_rng(0).random((5, 4, 3))


@pytest.mark.parametrize("center", [0.0, 0.5])
def test_factors_compose(center):
    noise = Contrast(center=center)
    twice = noise.transform(noise.transform(X, 0.7), -1.9)
    assert_allclose(twice, noise.transform(X, -1.2), atol=1e-12)
    assert_allclose(noise.transform(X, np.log(2)), center + 2 * (X - center), atol=1e-15)
    clipped = np.clip(noise.transform(X, 0.7), 0, 1)  # control: clipping does not compose
    assert np.abs(noise.transform(clipped, -1.9) - noise.transform(X, -1.2)).max() > 0.01


def test_draws_transform_whole_rows():
    noise = Contrast(0.3, center=0.5)
    draws = noise.draw(6, (4, 3), np.random.default_rng(0), np.float64)
    noisy = noise.perturb(X, draws)
    assert noisy.shape == (5, 6, 4, 3)
    for j in range(6):
        assert_allclose(noisy[:, j], noise.transform(X, draws[j, 0]), atol=1e-15)


def test_ranges_are_those_of_the_logarithm_and_of_the_factor():
    ranges = Contrast(0.3).ranges(np.array([0.0, np.log(2)]))
    assert_allclose(ranges["log_factor"], [[0, 0], [-np.log(2), np.log(2)]])
    assert_allclose(ranges["factor"], [[1, 1], [0.5, 2]])
    assert ranges["factor"][1, 0] >= 0.5
    assert ranges["factor"][1, 1] <= 2
    assert (Contrast(0.3, law="exponential").ranges(np.ones(3))["factor"][:, 0] >= 1).all()


def test_words():
    assert "(x - 0.5) + 0.5" in Contrast(center=0.5).attack
    assert "neither clipped nor rounded" in Contrast().attack
    assert "0 <= a <= radius" in Contrast(law="half-normal").attack


@pytest.mark.parametrize("center", [np.nan, np.inf])
def test_a_center_that_is_no_number_is_refused(center):
    with pytest.raises(ValueError, match="center must be a finite number"):
        Contrast(center=center).radius(0.9)


def test_a_parameter_of_a_shape_that_is_none_is_refused():
    with pytest.raises(ValueError, match="one number for each of 5 rows"):
        Contrast().transform(X, [0.1, 0.2])
    one_each = Contrast().transform(X, np.arange(5) / 10)
    assert_allclose(one_each[3], Contrast().transform(X[[3]], 0.3)[0])
