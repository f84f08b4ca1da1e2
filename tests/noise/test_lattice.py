"""Inputs and noise on one lattice: sums are exact, and radii shrink by what rounding may move."""

from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from scipy import special, stats

from sksmooth.noise import (
    GaussianNoise,
    LaplaceNoise,
    MixedNormNoise,
    SupNormNoise,
    UniformNoise,
)
from sksmooth.noise._base import Noise
from sksmooth.noise._lattice import NO_ROUNDING, Lattice, Rounding

FAMILIES = [
    GaussianNoise(0.3),
    LaplaceNoise(0.3),
    UniformNoise(0.3),
    GaussianNoise(0.3, k=3.5),
    LaplaceNoise(0.3, k=3.5),
    SupNormNoise(0.3, k=2),
    MixedNormNoise(0.3, k=2),
]


def drawn(noise, n=2000, d=4, dtype=np.float64, seed=0):
    return noise.draw(n, (d,), np.random.default_rng(seed), dtype)


# ------------------------------------------------------------------------------- the step


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("noise", FAMILIES, ids=repr)
@pytest.mark.parametrize("largest", [0.0, 1.0, 255.0, 1e4])
def test_step_is_a_power_of_two_that_suits_noise_and_inputs(noise, dtype, largest):
    lattice = Lattice.of(noise, largest, 4, dtype)
    assert np.frexp(lattice.step)[0] == 0.5
    assert lattice.step <= noise.sigma * 2.0**-10
    assert lattice.largest_input >= 4 * largest
    if dtype == np.float64:
        assert lattice.step > noise.sigma * 2.0**-17


def test_float32_gets_a_coarser_step_or_sums_in_float64():
    steps = [Lattice.of(GaussianNoise(1.0), largest, 4, np.float32) for largest in (1, 1e3, 1e4)]
    assert [lattice.dtype for lattice in steps] == [np.float32, np.float32, np.float64]
    assert steps[0].step == steps[2].step == 2.0**-16 < steps[1].step


def test_sigma_below_what_float64_resolves_is_refused():
    with pytest.raises(
        ValueError, match=r"sigma=1e-10 is too small for X with values up to 1e\+06"
    ):
        Lattice.of(GaussianNoise(1e-10), 1e6, 4, np.float64)
    Lattice.of(GaussianNoise(1e-10), 1.0, 4, np.float64)  # centred


class Heavy(GaussianNoise):
    """A family that does not say how far its draws reach."""

    reach = Noise.reach


def test_families_that_say_nothing_get_the_bound_of_chebyshev():
    lattice = Lattice.of(Heavy(1.0), 1.0, 4, np.float32)
    assert lattice.dtype == np.float64
    assert lattice.reach == 2.0**20
    assert lattice.rounded_draws(np.array([1e9, -1e9])).tolist() == [2.0**20, -(2.0**20)]


@pytest.mark.parametrize("noise", FAMILIES, ids=repr)
def test_no_draw_is_beyond_the_reach(noise):
    draws = drawn(noise, 200_000)
    assert np.abs(draws).max() <= noise.reach(4) <= 2.0**20 * noise.sigma
    assert noise.reach(4) < 150 * noise.sigma


def test_reach_is_a_quantile_of_two_to_the_minus_sixty():
    assert 2 * special.ndtr(-GaussianNoise(1.0).reach() / 1.0) < 2.0**-60
    assert np.exp(-LaplaceNoise(1.0).reach() * np.sqrt(2)) < 2.0**-60
    for d, k in ((1, 0.5), (4, 3.5), (784, 700)):
        gauss, laplace = GaussianNoise(1.0, k).reach(d), LaplaceNoise(1.0, k).reach(d)
        s, b = np.sqrt(d / (d - k)), np.sqrt(d * (d + 1) / (2 * (d - k) * (d - k + 1)))
        for tail in (stats.chi.sf(gauss / s, d - k), stats.gamma.sf(laplace / b, d - k)):
            assert 2.0**-60.1 < tail <= 2.0**-60


# ------------------------------------------------------------------------------- exact sums


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("noise", FAMILIES, ids=repr)
def test_sums_are_exact_and_the_same_noise_for_every_row(noise, dtype):
    rng = np.random.default_rng(1)
    X = (rng.normal(size=(20, 4)) * 10.0 ** rng.integers(-8, 1, size=(20, 4))).astype(dtype)
    lattice = Lattice.of(noise, np.abs(X).max(), 4, dtype)
    rows, draws = lattice.rounded(X), lattice.rounded_draws(drawn(noise))
    noisy = noise.perturb(rows, draws)
    assert noisy.dtype == lattice.dtype
    steps = noisy.astype(float) / lattice.step
    assert (steps == np.rint(steps)).all()
    assert (noisy - rows[:, None] == draws).all()  # bit by bit
    for i, j in zip(range(20), range(0, 2000, 100)):
        for k in range(4):
            total = Fraction(float(rows[i, k])) + Fraction(float(draws[j, k]))
            assert Fraction(float(noisy[i, j, k])) == total
    plain = noise.perturb(X, drawn(noise).astype(dtype))  # the negative control
    assert (plain - X[:, None] != plain[:1] - X[:1, None]).any()


def test_rows_at_the_border_of_the_range_have_exact_sums():
    for dtype in (np.float32, np.float64):
        lattice = Lattice.of(GaussianNoise(1.0), 1.0, 4, dtype)
        row = lattice.rounded(np.array([lattice.largest_input, -lattice.largest_input]))
        draw = lattice.rounded_draws(np.array([100.0, -100.0]))
        total = [Fraction(float(a)) + Fraction(float(b)) for a, b in zip(row, draw)]
        assert [Fraction(float(v)) for v in row + draw] == total


# ------------------------------------------------------------------------------- the law


def cells_of(noise, lattice, n, seed):
    """Draws by the number of their cell."""
    steps = lattice.rounded_draws(drawn(noise, n, 1, seed=seed)).ravel() / lattice.step
    return np.rint(steps).astype(np.int64)


def exact_law(noise):
    sigma = noise.sigma
    if type(noise) is GaussianNoise:
        return stats.norm(scale=sigma)
    if type(noise) is LaplaceNoise:
        return stats.laplace(scale=sigma / np.sqrt(2))
    return stats.uniform(-np.sqrt(3) * sigma, 2 * np.sqrt(3) * sigma)


def p_value(noise, lattice, n_draws, scale=1.0):
    """Chi-square of the cells -2^11 to 2^11 - 1, and of what is outside."""
    half, law = 2**11, exact_law(noise)
    borders = (np.arange(-half, half + 1) - 0.5) * lattice.step
    masses = np.diff(law.cdf(borders * scale), prepend=0.0, append=1.0)
    counts = np.zeros(2 * half + 2)
    for seed in range(-(-n_draws // 10**6)):
        cells = cells_of(noise, lattice, min(n_draws, 10**6), seed)
        counts += np.bincount(np.clip(cells + half + 1, 0, 2 * half + 1), minlength=2 * half + 2)
    expected = masses * counts.sum()
    large = expected > 20
    assert large.sum() > 1000
    counts = np.append(counts[large], counts[~large].sum())
    expected = np.append(expected[large], expected[~large].sum())
    if not expected[-1]:
        if counts[-1]:
            return 0.0
        counts, expected = counts[:-1], expected[:-1]
    return stats.chisquare(counts, expected).pvalue


COARSE = Lattice(2.0**-11, np.dtype(float), 100.0)


@pytest.mark.parametrize("noise", FAMILIES[:3], ids=repr)
def test_rounded_noise_has_the_masses_of_the_cells(noise):
    """Each cell of the lattice has the mass that the exact law has in it."""
    assert p_value(noise, COARSE, 2_000_000) > 1e-3
    assert p_value(noise, COARSE, 2_000_000, scale=1.02) < 1e-3  # the negative control


@pytest.mark.slow
@pytest.mark.parametrize("noise", FAMILIES[:3], ids=repr)
def test_rounded_noise_has_the_masses_of_the_cells_in_many_draws(noise):
    lattice = Lattice(2.0**-14, np.dtype(float), 100.0)
    assert p_value(noise, lattice, 10**8) > 1e-3
    assert p_value(noise, lattice, 10**8, scale=1.005) < 1e-3  # the negative control


@pytest.mark.parametrize("noise", FAMILIES[:3], ids=repr)
def test_moments_of_rounded_noise(noise):
    lattice = Lattice.of(noise, 1.0, 1, np.float64)
    draws = lattice.rounded_draws(drawn(noise, 1_000_000, 1)) / noise.sigma
    fourth = exact_law(noise).stats("k") + 3
    assert abs(draws.mean()) < 4e-3
    assert abs((draws**2).mean() - 1) < 4 * np.sqrt((fourth - 1) / 1e6)
    assert abs((draws**3).mean()) < 0.05
    assert abs((draws**4).mean() / fourth - 1) < 0.05


# ------------------------------------------------------------------------------- what it costs


def exact_root(value):
    """Rational number just above the root of a rational one."""
    scaled = value * 4**200
    return Fraction(isqrt(scaled.numerator // scaled.denominator) + 1, 2**200)


def parts_of(lattice, row):
    pairs = zip(lattice.rounded(row), row)
    return [abs(Fraction(float(point)) - Fraction(float(value))) for point, value in pairs]


def lengths_of(parts):
    return sum(parts), exact_root(sum(p * p for p in parts)), max(parts)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8, np.bool_])
def test_what_rows_move_is_never_understated(dtype):
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(30, 7)) * 10.0 ** rng.integers(-12, 3, size=(30, 7))).astype(dtype)
    lattice = Lattice.of(GaussianNoise(40.0), 1e4, 7, np.float64)
    moved = lattice.moved(X)
    for row, found in zip(X, moved):
        parts = parts_of(lattice, row)
        for ours, exact in zip(found, lengths_of(parts)):
            assert Fraction(ours) >= exact - Fraction(1, 2**190)
            assert ours <= float(exact) * (1 + 1e-12) + 1e-50
    if dtype not in (np.float32, np.float64):
        assert (moved == 0).all()


def test_radius_is_never_above_the_radius_less_three_terms():
    """In rational arithmetic, for rows on and off the lattice, in every norm."""
    noise = GaussianNoise(0.5)
    X = np.random.default_rng(0).uniform(size=(50, 3))
    X[:10] = np.rint(X[:10] * 8) / 8
    lattice = Lattice.of(noise, 1.0, 3, np.float64)
    rounding = Rounding.of(lattice.step, noise, 3, lattice.moved(X))
    radius = np.random.default_rng(1).uniform(0, 2, size=50)
    radius[20:25] = lattice.step
    half = Fraction(lattice.step) / 2
    for place, (norm, cell) in enumerate(((1, 3 * half), (2, None), (np.inf, half))):
        shrunk = rounding.shrunk(radius, norm)
        cell = exact_root(3 * half * half) - Fraction(1, 2**199) if cell is None else cell
        for i, row in enumerate(X):
            parts = parts_of(lattice, row)
            bound = Fraction(float(radius[i])) - cell - lengths_of(parts)[place]
            assert Fraction(float(shrunk[i])) <= max(bound + Fraction(1, 2**190), 0)
            assert shrunk[i] >= float(bound) - 1e-15
        anywhere = Rounding.of(lattice.step, noise, 3).shrunk(radius, norm)
        assert (anywhere <= shrunk).all()
    assert (rounding.shrunk(radius, 1.5) <= rounding.shrunk(radius, 2)).all()
    assert (rounding.shrunk(radius, 1.5) >= rounding.shrunk(radius, 1)).all()


def test_probabilities_shrink_by_what_draws_differ_from_the_law():
    """For images at the default step: two parts in a million."""
    noise = GaussianNoise(0.5)
    rounding = Rounding.of(2.0**-17, noise, 784)
    eps, tail = 2.0**-50 * 9.3, 2.0**-40
    assert rounding.failure >= 784 * (2 * eps / 2.0**-16 + tail)
    assert rounding.failure < 1.2e-6
    assert rounding.lower(0.9) <= 0.9 - 2 * rounding.failure
    assert rounding.upper(0.1) >= 0.1 + 2 * rounding.failure
    assert rounding.lower(0.0) == 0
    assert rounding.upper(1.0) == 1


def test_nothing_rounded_takes_nothing():
    assert NO_ROUNDING.lower(0.7) == 0.7
    assert NO_ROUNDING.upper(0.7) == 0.7
    assert NO_ROUNDING.shrunk(1.0, 2) == 1.0
    assert NO_ROUNDING.half_cell(2) == 0
    assert Rounding.of(None, GaussianNoise(), 4) == NO_ROUNDING
