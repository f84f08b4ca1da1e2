"""Brightness: one number for all features, on a lattice where the pixels bear no noise."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sksmooth.noise import Brightness
from sksmooth.noise.semantic._brightness import rounded_alike
from sksmooth.noise.semantic._pixels import on_lattice, step_of

X = np.random.default_rng(0).random((5, 4, 3))


def test_sums_are_exact_and_hold_the_rounded_row():
    noise = Brightness(0.3)
    draws = noise.draw(200, (4, 3), np.random.default_rng(0), np.float64)
    noisy = noise.perturb(X, draws)
    assert noisy.shape == (5, 200, 4, 3)
    rounded = noise.perturb(X, np.zeros((1, 1)))
    assert np.abs(rounded[:, 0] - X).max() <= 1.34 * 0.3 / 2**16
    # differences of pixels do not depend on the draw: nothing gives it away
    assert (noisy - noisy[..., :1, :1] == rounded - rounded[..., :1, :1]).all()
    plain = X[:, None] + np.random.default_rng(0).normal(0, 0.3, (1, 200, 1, 1))
    assert (plain - plain[..., :1, :1] != (X - X[..., :1, :1])[:, None]).any()  # control


@pytest.mark.parametrize("digits", ["bytes", "single", "double"])
def test_an_offset_moves_the_rounded_input_as_a_whole(digits):
    rng = np.random.default_rng(0)
    rows = {
        "bytes": rng.integers(0, 256, (50, 30)) / 255,
        "single": rng.random((50, 30), np.float32).astype(float),
        "double": rng.random((50, 30)),
    }[digits]
    step, offsets = step_of(0.3), rng.normal(size=(200, 1, 1))
    x, attacked = rounded_alike(rows, step, 1), rounded_alike(rows + offsets, step, 2)
    assert (x == on_lattice(x, step)).all()
    assert np.abs(x - rows).max() <= 1.34 * step
    moved = attacked - x
    assert (moved == moved[..., :1]).all()
    assert np.abs(moved - offsets).max() <= step * (1 + 1e-9)
    plain = on_lattice(rows + offsets, step) - on_lattice(rows, step)
    assert (plain != plain[..., :1]).any()  # control: each feature by itself


def test_radius_counts_rounding_where_the_number_of_features_is_known():
    noise = Brightness(0.3)
    loss = noise.radius(0.9) - noise.radius(0.9, n_features=12)
    assert 0.3 * 2**-18 < loss < 0.3 * 2**-14
    assert noise.radius(0.9, n_features=12) == noise.radius(0.9, n_features=150_528)


def test_noise_of_pixels_comes_after_the_offset():
    noise = Brightness(0.5, pixel_sigma=0.1)
    draws = noise.draw(4000, (4, 3), np.random.default_rng(0), np.float64)
    assert draws.shape == (4000, 13)
    noisy = noise.perturb(X[:1], draws)[0]
    rest = noisy - X[0] - draws[:, 0, None, None]
    assert stats.kstest(rest.ravel(), "norm", (0, 0.1)).pvalue > 1e-3
    assert stats.kstest(draws[:, 0], "norm", (0, 0.5)).pvalue > 1e-3
    assert np.abs(np.corrcoef(draws.T) - np.eye(13)).max() < 0.07


def test_joint_radius_is_that_of_two_normal_shifts():
    both = stats.norm.ppf(0.99)
    noise = Brightness(0.5, pixel_sigma=0.1, tolerance=0.05)
    assert_allclose(noise.radius(0.99), 0.5 * np.sqrt(both**2 - 0.25), rtol=1e-12)
    assert noise.set_params(tolerance=0.3).radius(0.99) == 0
    eight = Brightness(0.5, pixel_sigma=0.1, tolerance="8bit")
    size = np.sqrt(784) / 510 / 0.1
    found = eight.radius(0.99, n_features=784)
    assert_allclose(found, 0.5 * np.sqrt(both**2 - size**2), rtol=1e-3)
    assert found < 0.5 * np.sqrt(both**2 - size**2)
    with pytest.raises(ValueError, match="'8bit' needs n_features"):
        eight.radius(0.99)


@pytest.mark.parametrize("law", ["gaussian", "uniform", "laplace", "exponential", "half-normal"])
def test_joint_radius_with_no_tolerance_is_that_of_the_law(law):
    alone, joint = Brightness(0.5, law), Brightness(0.5, law, pixel_sigma=0.1)
    for p in ([0.9], [0.6, 0.3], [0.45, 0.3]):
        assert_allclose(joint.radius(*p), alone.radius(*p), rtol=1e-9)
        assert joint.radius(*p) <= alone.radius(*p) * (1 + 2e-12)  # where the search stops
        further = joint.set_params(tolerance=0.01).radius(*p)
        assert 0 <= further < alone.radius(*p)
        joint.set_params(tolerance=0.0)


def test_refusals_have_a_remedy():
    with pytest.raises(ValueError, match=r"set pixel_sigma, for instance to 0\.1"):
        Brightness(tolerance="8bit").radius(0.9, n_features=4)
    assert Brightness(pixel_sigma=0.1, tolerance="8bit").radius(0.99, n_features=4) > 0
    for bad in (0, -1.0, np.nan, "small", True):
        with pytest.raises(ValueError, match="'pixel_sigma' parameter of Brightness"):
            Brightness(pixel_sigma=bad).radius(0.9)
    for bad in (-1.0, np.nan, "7bit", True, None):
        with pytest.raises(ValueError, match="'tolerance' parameter of Brightness"):
            Brightness(pixel_sigma=0.1, tolerance=bad).radius(0.9)
    with pytest.raises(ValueError, match="sigma=1e-06 is too small for X"):
        Brightness(1e-6).check_inputs(X)
    with pytest.raises(ValueError, match="pixel_sigma=1e-06 is too small for X"):
        Brightness(pixel_sigma=1e-6).check_inputs(X)


def test_words_name_what_is_covered():
    assert "neither clipped nor rounded" in Brightness().attack
    joint = Brightness(pixel_sigma=0.1, tolerance=0.05).attack
    assert "any change of its pixels of at most 0.05 in l2" in joint


@pytest.mark.parametrize("angle", [0.3, 0.8, 1.2])
def test_models_that_read_offset_and_pixels_change_where_the_joint_radius_ends(angle):
    """A model that adds up the offset and a pattern of pixels is all but the worst there is."""
    sigma, pixel_sigma, d, quantile = 0.5, 0.1, 100, stats.norm.ppf(0.9)
    pattern = np.tile([1.0, -1.0], d // 2) / np.sqrt(d)
    tolerance = np.sin(angle) * quantile * pixel_sigma
    noise = Brightness(sigma, pixel_sigma=pixel_sigma, tolerance=tolerance)
    radius = noise.radius(0.9)
    assert_allclose(radius, np.cos(angle) * quantile * sigma, rtol=1e-12)
    draws = noise.draw(40_000, (d,), np.random.default_rng(0), np.float64)
    for part, changes in ((0.0, False), (0.97, False), (1.03, True)):
        attacked = part * (radius + tolerance * pattern)[None]
        noisy = noise.perturb(attacked, draws)[0]
        score = np.cos(angle) / sigma * noisy.mean(axis=1)
        score += np.sin(angle) / pixel_sigma * (noisy @ pattern)
        share = (score < quantile).mean()
        assert (share < 0.5) == changes
        if part == 0:
            assert_allclose(share, 0.9, atol=0.006)
