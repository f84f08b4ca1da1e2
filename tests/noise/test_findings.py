"""What the guide says of the families, in figures."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sksmooth.noise import GaussianNoise, LaplaceNoise, MixedNormNoise

P = np.array([0.51, 0.6, 0.8, 0.9, 0.99, 0.999, 0.9999])


def over_gaussian(noise, n_features, p=P):
    peer = GaussianNoise(noise.sigma)
    norm = noise.norm
    return noise.radius(p, n_features=n_features) / peer.radius(p, n_features=n_features, norm=norm)


def test_in_high_dimension_the_l2_family_is_the_gaussian():
    assert_allclose(over_gaussian(GaussianNoise(0.5, 500), 3072), 1, atol=2e-4)
    assert_allclose(over_gaussian(GaussianNoise(0.5, 50_000), 150_528), 1, atol=2e-4)
    assert over_gaussian(GaussianNoise(0.5, 3060), 3072).max() < 0.95  # the control


def test_the_noise_itself_is_nearly_the_same():
    """Total variation of two laws with uniform directions is that of their sizes."""
    d, k = 3072, 500
    size = np.linspace(0.9, 1.1, 20_001) * np.sqrt(d)
    scale = np.sqrt(d / (d - k))
    one, two = stats.chi(d).pdf(size), stats.chi(d - k).pdf(size / scale) / scale
    assert np.abs(one - two).sum() * (size[1] - size[0]) / 2 == pytest.approx(0.043, abs=5e-4)


def test_few_features_leave_a_choice():
    """Less radius for probabilities near one half, and more near one."""
    for noise, d, low, high in [(GaussianNoise(1.0, 2), 4, 0.71, 1.16),
                                (GaussianNoise(1.0, 8), 16, 0.95, 1.06)]:  # fmt: skip
        ratio = over_gaussian(noise, d)
        assert_allclose(ratio[[0, -1]], [low, high], atol=0.006)
        assert (np.diff(ratio) > 0).all()


def test_the_l1_family_is_laplace_noise_in_high_dimension():
    d, k = 3072, 500
    ratio = LaplaceNoise(1.0, k).radius(P, n_features=d) / LaplaceNoise(1.0).radius(P)
    assert_allclose(ratio, 1, atol=2e-4)


@pytest.mark.parametrize(
    ("d", "k", "ratio"),
    [(64, 20, [0.59, 0.71, 0.81, 0.87, 0.91]), (3072, 250, [0.47, 0.56, 0.65, 0.69, 0.73])],
)
def test_the_mixed_family_proves_less_than_the_gaussian(d, k, ratio):
    p = np.array([0.6, 0.9, 0.99, 0.999, 0.9999])
    assert_allclose(over_gaussian(MixedNormNoise(1.0, k), d, p), ratio, atol=0.006)
