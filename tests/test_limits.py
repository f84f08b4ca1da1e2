"""How large a radius can be: golden values, and every certified radius lies below."""

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksmooth.limits import (
    iid_noise_limit,
    largest_radius,
    lipschitz_radius,
    uniform_noise_limit,
)
from sksmooth.noise import GaussianNoise, LaplaceNoise, MixedNormNoise, UniformNoise

GOLDEN = Path(__file__).parent / "noise" / "golden"
FAMILIES = {
    "gauss_l2_sigma1": GaussianNoise(1.0),
    "laplace_l1_b1": LaplaceNoise(np.sqrt(2)),
    "uniform_l1_lam1": UniformNoise(1 / np.sqrt(3)),
}


def rows(name):
    with (GOLDEN / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("column", FAMILIES)
def test_radius_of_a_unanimous_vote(column):
    for row in rows("caps"):
        got = largest_radius(FAMILIES[column], int(row["n"]), float(row["alpha"]))
        # the bound of the probability is rounded down too, which matters where it is near one half
        assert_allclose(got, float(row[column]), rtol=1e-8)
        assert got <= float(row[column])


def test_radius_of_a_unanimous_vote_for_several_places():
    one = largest_radius(GaussianNoise(1.0), 1000, 0.001)
    two = largest_radius(GaussianNoise(1.0), 1000, 0.001, top_k=2, n_classes=5)
    assert two > one
    assert largest_radius(GaussianNoise(1.0), [10, 1000], [0.1, 0.001]) == one


@pytest.mark.parametrize("row", rows("kumar"), ids=lambda row: "-".join(row.values()))
def test_limit_of_independent_noise(row):
    got = iid_noise_limit(
        float(row["p1"]),
        float(row["p2"]),
        sigma=1.0,
        n_features=int(row["d"]),
        norm=float(row["p"]),
    )
    assert_allclose(got, float(row["value"]), rtol=1e-12)


@pytest.mark.parametrize("norm", [2, 3, np.inf])
@pytest.mark.parametrize("tails", [False, True])
def test_limit_of_independent_noise_is_above_certified_radii(norm, tails):
    p = np.linspace(0.5, 0.99999, 200)
    limit = iid_noise_limit(p, sigma=0.5, n_features=64, norm=norm, gaussian_tails=tails)
    assert (GaussianNoise(0.5).radius(p, n_features=64, norm=norm) <= limit).all()
    if norm == np.inf:
        assert (UniformNoise(0.5).radius(p, n_features=64, norm=norm) <= limit).all()
        assert (MixedNormNoise(0.5).radius(p, n_features=64) <= limit).all()


def test_limit_of_light_tails_is_used_where_it_holds():
    """Laplace noise in one dimension proves more near 1 than the formula for light tails says."""
    p, noise = 1.0 - 2.0**-53, LaplaceNoise(1.0)
    unconditional = 4.0 * np.sqrt(-np.log(1.0 - p))  # sigma = 1, d = 1
    radius = noise.radius(p, n_features=1)
    assert radius > unconditional
    geometry = {"sigma": 1.0, "n_features": 1, "norm": 2}
    assert radius < iid_noise_limit(p, **geometry, gaussian_tails=True)
    inside = {"sigma": 1.0, "n_features": 64, "norm": 2}
    p = 1.0 - 1e-6  # exp(-16) is 1.1e-7
    unconditional = 4.0 * np.sqrt(-np.log(1.0 - p))
    assert_allclose(iid_noise_limit(p, **inside, gaussian_tails=True), unconditional, rtol=1e-9)
    general = iid_noise_limit(1.0 - 1e-7, **inside)
    assert iid_noise_limit(1.0 - 1e-7, **inside, gaussian_tails=True) == general


def test_radius_of_rounded_noise_is_smaller_by_half_a_cell():
    noise, step = GaussianNoise(1.0), 2.0**-12
    plain = largest_radius(noise, 1000, 0.001, n_features=16)
    rounded = largest_radius(noise, 1000, 0.001, n_features=16, noise_step=step)
    assert 2 * step <= plain - rounded < 2 * step * (1 + 1e-3)
    with pytest.raises(ValueError, match="noise_step needs n_features"):
        largest_radius(noise, 1000, 0.001, noise_step=step)


BAD_LIMITS = [
    (iid_noise_limit, {"sigma": -1.0}, "sigma must be positive and finite, got -1.0"),
    (iid_noise_limit, {"sigma": np.nan}, "sigma must be positive and finite, got nan"),
    (iid_noise_limit, {"sigma": "1"}, "sigma must be a number"),
    (iid_noise_limit, {"n_features": 0}, "n_features must be at least 1, got 0"),
    (iid_noise_limit, {"n_features": 2.5}, "n_features must be a whole number, got 2.5"),
    (iid_noise_limit, {"norm": np.nan}, r"norm must be a number p in \[1, inf\] or one of"),
    (iid_noise_limit, {"p_lower": np.nan}, r"p_lower must lie in \[1/2, 1\)"),
    (iid_noise_limit, {"p_lower": "0.9"}, "p_lower must be a number"),
    (uniform_noise_limit, {"sigma": -1.0}, "sigma must be positive and finite, got -1.0"),
    (uniform_noise_limit, {"n_features": -3}, "n_features must be at least 1, got -3"),
    (uniform_noise_limit, {"norm": "2"}, "norm must be a number"),
    (lipschitz_radius, {"margin": np.nan}, "margin must hold numbers, got nan"),
    (lipschitz_radius, {"constant": 0.0}, "constant must be positive and finite, got 0.0"),
    (lipschitz_radius, {"constant": "x"}, "constant must be a number"),
]
GOOD_LIMITS = {
    iid_noise_limit: {"p_lower": 0.9, "sigma": 1.0, "n_features": 4, "norm": 2},
    uniform_noise_limit: {"sigma": 1.0, "n_features": 4, "norm": 2},
    lipschitz_radius: {"margin": 0.5, "constant": 1.0},
}


@pytest.mark.parametrize(("function", "bad", "message"), BAD_LIMITS)
def test_arguments_out_of_range_are_refused_by_name(function, bad, message):
    assert function(**GOOD_LIMITS[function]) > 0
    with pytest.raises((ValueError, TypeError), match=message):
        function(**GOOD_LIMITS[function] | bad)


def test_limit_of_uniform_noise():
    for norm, golden in [(2, 0.25), (3, 0.12499999999999997), (np.inf, 0.03125)]:
        got = uniform_noise_limit(sigma=1 / np.sqrt(3), n_features=64, norm=norm)
        assert_allclose(got, golden, rtol=1e-12)
    best = UniformNoise(1.0).radius(1.0, n_features=64, norm=np.inf)
    assert best < uniform_noise_limit(sigma=1.0, n_features=64, norm=np.inf)


def test_lipschitz_radius_is_attained_by_linear_scores():
    """Two scores that move against each other with slope L meet at margin / (2 L)."""
    radius = lipschitz_radius([0.6, 0.0, -1.0], constant=1.5)
    assert_allclose(radius, [0.2, 0, 0], rtol=1e-12)
    assert (0.6 - 1.5 * radius[0]) >= 1.5 * radius[0]
    assert (0.6 - 1.5 * radius[0] * 1.001) < 1.5 * radius[0] * 1.001


def test_what_has_no_limit_is_refused():
    with pytest.raises(ValueError, match=r"norm must be a number p in \[2, inf\], got 1"):
        iid_noise_limit(0.9, sigma=1.0, n_features=3, norm=1)
    with pytest.raises(ValueError, match="p_lower must lie in"):
        iid_noise_limit(0.4, sigma=1.0, n_features=3, norm=2)
    with pytest.raises(ValueError, match=r"norm must be a number p in \[1, inf\]"):
        uniform_noise_limit(sigma=1.0, n_features=3, norm=0.5)
    with pytest.raises(ValueError, match="constant must be positive"):
        lipschitz_radius(1.0, constant=0.0)
