"""Samplers have the law that the certificates assume, and the certificates are those of the law.

Everything is checked against densities written out here, not against what the package uses.
"""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sksmooth.noise import GaussianNoise, LaplaceNoise, MixedNormNoise, SupNormNoise, UniformNoise
from sksmooth.noise._radii._likelihood_ratio import CubeLaw, SimplexLaw, SphereLaw
from sksmooth.noise._radii._tabulated import TabulatedTradeOff, settled, threshold
from sksmooth.noise._radii._trade_off import LaplaceTradeOff, NormalTradeOff

WITH_K = [GaussianNoise, LaplaceNoise, MixedNormNoise, SupNormNoise]
DIMENSIONS = [1, 2, 16, 784, 3072]


def sup(z):
    return np.abs(z).max(axis=-1)


def log_density(family, z, k):
    """Logarithm of the density at unit scale, up to a constant."""
    square = np.einsum("...i,...i->...", z, z)
    if family is GaussianNoise:
        return -k / 2 * np.log(square) - square / 2
    if family is LaplaceNoise:
        size = np.abs(z).sum(axis=-1)
        return -k * np.log(size) - size
    if family is MixedNormNoise:
        return -k * np.log(sup(z)) - square / 2
    return -k * np.log(sup(z)) - sup(z) ** 2 / 2


def unit(family, d, k):
    """The sigma at which the scale of the density is one."""
    if family is LaplaceNoise:
        return np.sqrt(2 * (d - k) * (d - k + 1) / (d * (d + 1)))
    if family is SupNormNoise:
        return np.sqrt((d - k) * (d + 2) / (3 * d))
    return np.sqrt((d - k) / d)


def draw(family, n, d, k, seed=0, dtype=np.float64):
    noise = family(unit(family, d, k), k)
    return noise.draw(n, (d,), np.random.default_rng(seed), dtype).astype(float)


def worst_shift(family, d, r):
    if family in (GaussianNoise, LaplaceNoise):
        return r * np.eye(d)[0]
    return np.full(d, r)


# ------------------------------------------------------------------------------- samplers


def rows_for(d):
    return max(600, 60_000 // d)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", DIMENSIONS)
@pytest.mark.parametrize("family", WITH_K)
def test_size_has_its_law(family, d, dtype):
    """The natural size is a chi or gamma variable; for the mixed family the l2 norm is chi too."""
    k = 0.4 * d
    z = draw(family, rows_for(d), d, k, dtype=dtype)
    if family is LaplaceNoise:
        size, law = np.abs(z).sum(axis=1), stats.gamma(d - k)
    else:
        size = sup(z) if family is SupNormNoise else np.linalg.norm(z, axis=1)
        law = stats.chi(d - k)
    assert stats.kstest(size, law.cdf).pvalue > 1e-3
    wrong = stats.gamma(d) if family is LaplaceNoise else stats.chi(d)
    assert stats.kstest(size, wrong.cdf).pvalue < 1e-6  # the control: k is noticed


@pytest.mark.parametrize("d", DIMENSIONS)
@pytest.mark.parametrize("family", WITH_K)
def test_moments(family, d):
    z = draw(family, rows_for(d), d, 0.4 * d)
    expected = unit(family, d, 0.4 * d) ** 2
    square = (z**2).mean(axis=1)
    assert abs(square.mean() - expected) < 4.5 * square.std() / np.sqrt(len(z))
    assert abs(z[:, 0].mean()) < 4.5 * z[:, 0].std() / np.sqrt(len(z))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [2, 16, 784, 3072])
def test_marginals(d, dtype):
    k, n = 0.4 * d, 5000 if d < 100 else 1500
    z = draw(GaussianNoise, n, d, k, dtype=dtype)
    cosine = z[:, 0] / np.linalg.norm(z, axis=1)
    assert stats.kstest((cosine + 1) / 2, stats.beta((d - 1) / 2, (d - 1) / 2).cdf).pvalue > 1e-3
    z = draw(LaplaceNoise, n, d, k, dtype=dtype)
    part = np.abs(z[:, 0]) / np.abs(z).sum(axis=1)
    assert stats.kstest(part, stats.beta(1, d - 1).cdf).pvalue > 1e-3
    assert abs((z > 0).mean() - 0.5) < 4 / np.sqrt(4 * z.size)
    z = draw(SupNormNoise, n, d, k, dtype=dtype) / 1.0
    inner = np.abs(z[:, 0]) / sup(z)
    assert abs((inner > 1 - 1e-6).mean() - 1 / d) < 4 * np.sqrt(1 / d / n)
    assert stats.kstest(inner[inner < 1 - 1e-6], "uniform").pvalue > 1e-3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", DIMENSIONS)
@pytest.mark.parametrize(
    ("noise", "law"),
    [
        (GaussianNoise(1.0), stats.norm()),
        (LaplaceNoise(1.0), stats.laplace(scale=np.sqrt(0.5))),
        (UniformNoise(1.0), stats.uniform(-np.sqrt(3), 2 * np.sqrt(3))),
    ],
    ids=["gaussian", "laplace", "uniform"],
)
def test_independent_features_have_their_law(noise, law, d, dtype):
    z = noise.draw(max(5, 10_000 // d), (d,), np.random.default_rng(2), dtype).astype(float)
    assert stats.kstest(z.ravel(), law.cdf).pvalue > 1e-3
    assert stats.kstest(1.2 * z.ravel(), law.cdf).pvalue < 1e-3  # the control


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", DIMENSIONS)
def test_largest_coordinate_of_the_mixed_family_has_its_law(d, dtype):
    """Density ``a^-k phi(a) (2 Phi(a) - 1)^(d - 1)``, summed on a fine grid."""

    def cumulative(k):
        a = np.exp(np.linspace(-60, np.log(12), 200_001))
        log_density = (1 - k) * np.log(a) - a * a / 2
        log_density += (d - 1) * np.log(2 * stats.norm.cdf(a) - 1 + 1e-300)
        mass = np.cumsum(np.exp(log_density - log_density.max()))
        return lambda x: np.interp(x, a, mass / mass[-1])

    size = sup(draw(MixedNormNoise, rows_for(d), d, 0.4 * d, dtype=dtype))
    assert stats.kstest(size, cumulative(0.4 * d)).pvalue > 1e-3
    assert stats.kstest(size, cumulative(0.0)).pvalue < 1e-6  # the control


def test_mixed_sampler_against_weighted_normal_draws():
    """In low dimension the law is that of normal draws with weights."""
    d, k, n = 3, 0.5, 200_000
    z = draw(MixedNormNoise, n, d, k)
    normal = np.random.default_rng(1).standard_normal((n, d))
    weight = sup(normal) ** -k
    for statistic in (sup, lambda z: np.abs(z).min(axis=1), lambda z: np.abs(z[:, 0])):
        points = np.quantile(statistic(z), [0.1, 0.3, 0.5, 0.7, 0.9])
        below = statistic(normal)[:, None] <= points
        expected = (weight[:, None] * below).sum(axis=0) / weight.sum()
        assert_allclose(expected, [0.1, 0.3, 0.5, 0.7, 0.9], atol=0.008)
    unweighted = (sup(normal)[:, None] <= np.quantile(sup(z), [0.1, 0.3, 0.5])).mean(axis=0)
    assert np.abs(unweighted - [0.1, 0.3, 0.5]).max() > 0.008  # the control


def test_mixed_sampler_where_few_normal_values_are_small_enough():
    z = draw(MixedNormNoise, 4000, 16, 14.0)
    assert stats.kstest(np.linalg.norm(z, axis=1), stats.chi(2).cdf).pvalue > 1e-3


# ---------------------------------------------------------------- densities and likelihood ratios


def symmetry(family, ratio_of, d, k, r, n, seed=0):
    """Score of ``E[min(L, 2)] - 2 E[min(L, 1 / 2)]``, which is 0 for a symmetric density."""
    z = draw(family, n, d, k, seed)
    shift = worst_shift(ratio_of, d, r)
    ratio = np.exp(log_density(ratio_of, z - shift, k) - log_density(ratio_of, z, k))
    gap = np.minimum(ratio, 2) - 2 * np.minimum(ratio, 0.5)
    return gap.mean() / gap.std() * np.sqrt(n)


CASES = [
    (GaussianNoise, 4, 2.0, 0.7),
    (GaussianNoise, 64, 32.0, 1.0),
    (LaplaceNoise, 5, 3.0, 0.6),
    (LaplaceNoise, 64, 32.0, 0.9),
    (MixedNormNoise, 4, 2.0, 0.4),
    (MixedNormNoise, 64, 20.0, 0.1),
    (SupNormNoise, 4, 2.0, 0.4),
    (SupNormNoise, 64, 20.0, 0.1),
]


@pytest.mark.parametrize(("family", "d", "k", "r"), CASES)
def test_sampler_and_ratio_belong_together(family, d, k, r):
    assert abs(symmetry(family, family, d, k, r, 100_000)) < 4


def test_draws_of_another_family_are_noticed():
    """Directions of the l2 family with the ratio of the mixed one would overstate radii."""
    assert abs(symmetry(GaussianNoise, MixedNormNoise, 64, 20.0, 0.1, 100_000)) > 8


LAWS = {GaussianNoise: SphereLaw, LaplaceNoise: SimplexLaw, SupNormNoise: CubeLaw}


@pytest.mark.parametrize(
    ("family", "d", "k", "r"), [case for case in CASES if case[0] is not MixedNormNoise]
)
def test_law_of_the_ratio_is_that_of_draws(family, d, k, r):
    n = 100_000
    z = draw(family, n, d, k, seed=3)
    g = log_density(family, z, k) - log_density(family, z - worst_shift(family, d, r), k)
    t = np.quantile(g, [0.01, 0.2, 0.5, 0.8])
    below = LAWS[family](d, k).below(t, np.full(4, r))
    simulated = (g[:, None] < t).mean(axis=0)
    assert (np.abs(below - simulated) < 4 * np.sqrt(below * (1 - below) / n) + 1e-4).all()


# --------------------------------------------------------------- adversaries in low dimension

ATTACKED = [
    (GaussianNoise, 2, 1.0),
    (GaussianNoise, 3, 2.0),
    (LaplaceNoise, 2, 1.0),
    (LaplaceNoise, 3, 0.0),
    (SupNormNoise, 2, 1.0),
    (SupNormNoise, 3, 0.0),
    (UniformNoise, 2, 0.0),
    (MixedNormNoise, 32, 8.0),
]


def probability_of_best_attack(family, z, k, shift, q):
    """Probability, at the shifted input, of the set that gains most there and has q here.

    That is where L is large. Ties (of families with atoms) are broken at random, which is the
    randomised test of Neyman and Pearson.
    """
    rng = np.random.default_rng(7)

    def score(w):
        if family is UniformNoise:
            inside = (np.abs(w) <= 1).all(axis=1), (np.abs(w - shift) <= 1).all(axis=1)
            log_ratio = np.where(inside[1], np.where(inside[0], 0.0, np.inf), -np.inf)
        else:
            log_ratio = log_density(family, w - shift, k) - log_density(family, w, k)
        return log_ratio.round(9), rng.random(len(w))

    here, there = score(z), score(z + shift)
    order = np.lexsort(here[::-1])[::-1]
    last = order[int(q * len(z))]
    bound, tie = here[0][last], here[1][last]
    return ((there[0] > bound) | ((there[0] == bound) & (there[1] >= tie))).mean()


@pytest.mark.parametrize("p", [0.7, 0.95])
@pytest.mark.parametrize(("family", "d", "k"), ATTACKED)
def test_best_classifiers_break_a_larger_radius_and_not_the_stated_one(family, d, k, p):
    if family is UniformNoise:
        noise = UniformNoise(1 / np.sqrt(3))
        z = noise.draw(300_000, (d,), np.random.default_rng(5), float)
        shape = np.eye(d)[0]
    else:
        noise = family(unit(family, d, k), k)
        z = noise.draw(300_000, (d,), np.random.default_rng(5), float)
        shape = worst_shift(family, d, 1.0)
    radius = float(noise.radius(p, n_features=d))
    attack = [
        probability_of_best_attack(family, z, k, f * radius * shape, 1 - p) for f in (0.97, 1.04)
    ]
    assert attack[0] < 0.5 < attack[1]
    # no other shift of the same size does better than the worst one
    rng = np.random.default_rng(11)
    for _ in range(3):
        other = rng.normal(size=d)
        other *= 0.97 * radius / np.linalg.norm(other, 1 if family is UniformNoise else noise.norm)
        assert probability_of_best_attack(family, z, k, other, 1 - p) < 0.503


# ------------------------------------------------------------------------ quadrature and tables


@pytest.mark.parametrize("d", [2, 3, 40, 3072])
def test_quadrature_without_k_is_the_closed_form(d):
    tail, r = np.array([0.5, 0.1, 1e-6, 0.7]), np.array([0.3, 1.0, 3.0, 0.5])
    exact = NormalTradeOff().worst_case_probability(tail, r)
    got = TabulatedTradeOff(SphereLaw(d, 0.0)).worst_case_probability(tail, r)
    assert_allclose(got, exact, rtol=5e-12)
    assert (got <= exact * (1 + 1e-12)).all()


def test_small_k_is_near_the_laplace_form():
    tail, r = np.array([0.5, 0.1, 1e-6, 0.7]), np.array([0.3, 1.0, 3.0, 0.5])
    exact = LaplaceTradeOff().worst_case_probability(tail, r)
    assert_allclose(
        TabulatedTradeOff(SimplexLaw(64, 1e-6)).worst_case_probability(tail, r), exact, rtol=1e-6
    )


TABLES = [
    GaussianNoise(1.0, k=30),
    GaussianNoise(1.0, k=99.5),
    LaplaceNoise(1.0, k=30),
    SupNormNoise(1.0, k=30),
]


@pytest.mark.parametrize("noise", TABLES, ids=repr)
def test_every_radius_is_proven_by_a_finer_quadrature(noise):
    """Without slack, and with four times the nodes: between the points that made the table."""
    trade_off, _ = noise.trade_off(100)
    rng = np.random.default_rng(0)
    q = np.concatenate([0.5 - 10.0 ** -rng.uniform(0.5, 1.9, 60), 10.0 ** -rng.uniform(1, 14, 60)])
    radius = trade_off.one_sided(q)
    assert (radius > 0).all()
    law, _ = settled(trade_off.law)
    fine = law.finer().finer()
    t, below = threshold(fine, np.full(len(q), 0.5), radius)
    largest_tail = fine.below(-t, radius) - np.exp(-t) * (0.5 - below)
    assert (largest_tail >= q).all()
    farther = radius * (1 + 1e-9)
    t, below = threshold(fine, np.full(len(q), 0.5), farther)
    largest_tail = fine.below(-t, farther) - np.exp(-t) * (0.5 - below)
    assert (largest_tail < q).all()  # the control: nothing more would have been proven


def test_radius_does_not_depend_on_its_neighbours():
    noise, p = GaussianNoise(1.0, k=30), np.random.default_rng(0).uniform(0.5, 1, 500)
    together = noise.radius(p, n_features=100)
    assert (together[:20] == [noise.radius(x, n_features=100) for x in p[:20]]).all()
    assert (np.diff(noise.radius(np.sort(p), n_features=100)) > 0).all()


def test_probabilities_of_one_and_beyond_the_table():
    noise = GaussianNoise(1.0, k=30)
    p = np.array([0.5, 0.5 + 1e-9, 1 - 2.0**-53, 1.0])
    radius = noise.radius(p, n_features=100)
    assert radius[0] == radius[1] == 0
    assert 7 < radius[2] < 9
    assert radius[3] == np.inf


def test_tables_are_not_pickled():
    noise = GaussianNoise(1.0, k=30)
    before = len(pickle.dumps(noise))
    noise.radius(0.9, n_features=100)
    assert len(pickle.dumps(noise)) == before


def test_half_sums_of_one_sided_radii_would_overstate():
    """The rule that holds for the Gaussian is wrong with k."""
    noise = LaplaceNoise(unit(LaplaceNoise, 5, 3.0), 3.0)
    half_sum = (noise.radius(0.7, n_features=5) + noise.radius(0.9, n_features=5)) / 2
    assert noise.radius(0.7, 0.1, n_features=5) < 0.9 * half_sum


@pytest.mark.parametrize("family", WITH_K)
@pytest.mark.parametrize("k", [-1, np.nan, np.inf, "large", None])
def test_k_that_describes_no_law_is_refused(family, k):
    with pytest.raises(ValueError, match="The 'k' parameter of"):
        family(1.0, k).radius(0.9, n_features=64)
    with pytest.raises(ValueError, match="has to be smaller than the number of features"):
        family(1.0, 64).draw(1, (8, 8), np.random.default_rng(0), float)


class RoundedToZero:
    """A generator whose numbers of single precision are rounded to 0, as one in millions is."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def __getattr__(self, name):
        return getattr(self.rng, name)

    def standard_normal(self, shape, dtype):
        return np.zeros(shape, dtype)

    standard_exponential = standard_normal


@pytest.mark.parametrize("family", [GaussianNoise, LaplaceNoise])
@pytest.mark.parametrize("d", [1, 3])
def test_draws_of_size_zero_get_a_direction(family, d):
    noise = family(1.0, k=0.5)
    draws = noise.draw(2000, (d,), RoundedToZero(), np.float32)
    assert np.isfinite(draws).all()
    norm = {GaussianNoise: 2, LaplaceNoise: 1}[family]
    sizes = np.linalg.norm(draws.astype(float), norm, axis=1)
    usual = noise.draw(2000, (d,), np.random.default_rng(1), np.float64)
    assert stats.kstest(sizes, np.linalg.norm(usual, norm, axis=1)).pvalue > 0.01


@pytest.mark.parametrize("family", [GaussianNoise, LaplaceNoise, UniformNoise])
@pytest.mark.parametrize("sigma", [5e-324, 1e-310, 1e-300])
def test_radii_of_the_smallest_noise_are_rounded_down(family, sigma):
    """Products of numbers below 1e-308 are rounded by up to their own size: no radius is left."""
    assert family(sigma).radius(0.9) == 0
    assert family(1e-200).radius(0.9) > 0
