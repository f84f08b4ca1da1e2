"""What every smoothing distribution has to do."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from sksmooth.noise import (
    GaussianNoise,
    LaplaceNoise,
    MixedNormNoise,
    SplittingNoise,
    SupNormNoise,
    UniformNoise,
)

ADDED = [GaussianNoise, LaplaceNoise, MixedNormNoise, SupNormNoise, UniformNoise]
FAMILIES = [*ADDED, SplittingNoise]


@pytest.fixture(params=FAMILIES, ids=lambda family: family.__name__)
def family(request):
    return request.param


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3, 4)])
def test_draws_have_the_shape_and_dtype_asked_for(family, shape, dtype):
    draws = family(sigma=0.5).draw(7, shape, np.random.default_rng(0), dtype)
    assert draws.shape == (7, *shape)
    assert draws.dtype == dtype


@pytest.mark.parametrize("family", ADDED)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigma_is_the_root_mean_square_per_feature(family, dtype):
    draws = family(sigma=0.7).draw(100_000, (4,), np.random.default_rng(0), dtype)
    # four standard errors of the mean of 4e5 squares of a Laplace value: 4 sqrt(5 / 4e5)
    assert_allclose(np.mean(draws.astype(float) ** 2) / 0.49, 1, atol=0.015)
    assert_allclose(draws.mean(), 0, atol=4 * 0.7 / np.sqrt(4e5))


def test_perturb_pairs_every_row_with_every_draw(family):
    noise = family(sigma=0.3)
    X = np.random.default_rng(1).normal(size=(3, 2, 2)).astype(np.float32)
    draws = noise.draw(4, (2, 2), np.random.default_rng(0), np.float32)
    noisy = noise.perturb(X, draws)
    assert noisy.shape == (3, 4, 2, 2)
    assert noisy.dtype == np.float32
    for i in range(3):
        for j in range(4):
            assert (noisy[i, j] == noise.apply(X[i], draws[j])).all()


def test_integers_are_perturbed_in_the_dtype_of_the_draws(family):
    noise = family(sigma=0.3)
    X = np.arange(6, dtype=np.uint8).reshape(2, 3)
    draws = noise.draw(4, (3,), np.random.default_rng(0), np.float64)
    noisy = noise.perturb(X, draws)
    assert noisy.dtype == np.float64
    assert_allclose(noisy, noise.perturb(X.astype(float), draws))


def test_radius_grows_with_the_probability_and_with_sigma(family):
    p = np.linspace(0.5, 1 - 1e-9, 200)
    radius = family(sigma=0.5).radius(p, n_features=8)
    assert radius[0] == 0
    assert (np.diff(radius) >= 0).all()
    assert (np.diff(radius[p > 0.508]) > 0).all()  # linf families are not computed below
    assert_allclose(family(sigma=1.5).radius(p, n_features=8), 3 * radius, rtol=1e-9)


def test_nothing_is_proven_without_a_majority(family):
    noise = family(sigma=0.5)
    assert (noise.radius([0.0, 0.1, 0.5], n_features=8) == 0).all()
    assert noise.radius(0.3, 0.3, n_features=8) == 0
    assert noise.radius(0.0, 0.0, n_features=8) == 0


def test_a_probability_of_one_proves_every_radius_or_the_largest_of_the_family(family):
    assert family(sigma=0.5).radius(1.0, n_features=8) > 0


def test_upper_bound_never_counts_beyond_the_complement(family):
    noise = family(sigma=0.5)
    assert noise.radius(0.8, 0.9, n_features=8) == noise.radius(0.8, n_features=8)


@pytest.mark.parametrize("bounds", [(1.1, None), (-0.1, None), (np.nan, None), (0.7, 1.2)])
def test_probabilities_outside_the_unit_interval_are_refused(family, bounds):
    with pytest.raises(ValueError, match=r"p_(lower|upper) must lie in \[0, 1\]"):
        family(sigma=0.5).radius(*bounds, n_features=8)


@pytest.mark.parametrize("sigma", [0, -1.0, np.nan, np.inf, "large", None])
def test_sigma_that_is_no_scale_is_refused(family, sigma):
    with pytest.raises(ValueError, match=r"The 'sigma' parameter of .* must be a positive finite"):
        family(sigma=sigma).radius(0.9, n_features=8)
    with pytest.raises(ValueError, match="The 'sigma' parameter"):
        family(sigma=sigma).draw(1, (2,), np.random.default_rng(0), float)


def test_is_a_value(family):
    noise = family(sigma=0.5)
    assert clone(noise).get_params() == noise.get_params()
    assert pickle.loads(pickle.dumps(noise)).get_params() == noise.get_params()
    assert noise.set_params(sigma=2.0).sigma == 2.0
    assert "sigma=2.0" in repr(noise)
