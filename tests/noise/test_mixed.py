"""Trade-off functions of the mixed family: against another formula, and many digits."""

import csv
from pathlib import Path

import mixed_reference
import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksmooth.noise import GaussianNoise, MixedNormNoise
from sksmooth.noise._mixed_norm._mixed_norm import draw_unit
from sksmooth.noise._mixed_norm._trade_off import MixedNormTradeOff, Spectrum, settled
from sksmooth.noise._mixed_norm._transform import MixedTransform, range_of_size

CASES = [(64, 20.0, 0.094), (784, 250.0, 0.0015), (784, 250.0, 0.039), (3072, 500.0, 0.007)]


def reference(d, k, r, u, grow=2.5):
    low, _, high = range_of_size(d, k)
    return mixed_reference.transform(d, k, r, u, grow, (np.exp(low), np.exp(high)))


@pytest.mark.parametrize(("d", "k", "r"), CASES)
def test_transform_is_that_of_another_formula(d, k, r):
    transform = MixedTransform.of(d, k, r)
    x = np.sqrt(-8 * np.log(transform.at(np.zeros(1))[0]))
    u = np.linspace(0, 20 / x, 12)
    assert_allclose(transform.at(u), reference(d, k, r, u), atol=1e-12)
    without_k = MixedTransform.of(d, 0.9 * k, r).at(u)
    assert np.abs(without_k - reference(d, k, r, u)).max() > 1e-4  # the control


@pytest.mark.parametrize(("d", "k", "r"), CASES)
def test_the_other_formula_has_the_right_masses(d, k, r):
    """At the frequencies -i/2 and i/2 it is E[L] and E[1], which are one."""
    for u in (-0.5j, 0.5j):
        assert_allclose(reference(d, k, r, np.array([u]))[0], 1, atol=1e-12)
    too_coarse = reference(d, k, r, np.array([-0.5j]), 0.3)[0]
    assert abs(too_coarse - 1) > 1e-12  # the control


@pytest.mark.parametrize(("d", "k", "r"), [(32, 10.0, 0.15), (64, 20.0, 0.1), (784, 250.0, 0.004)])
def test_capped_mean_is_that_of_draws(d, k, r):
    n, log_m = 40_000, np.array([-1.5, -0.4, 0.0, 0.8])
    z = draw_unit(n, d, k, np.random.default_rng(4))
    moved, size = (np.abs(x).max(axis=1) for x in (z - r, z))
    log_ratio = -k * np.log(moved / size) + r * z.sum(axis=1) - d * r * r / 2
    capped = np.exp(np.minimum(log_ratio[:, None], log_m))
    error = 4 * capped.std(axis=0) / np.sqrt(n) + 1e-12
    computed = MixedNormTradeOff(d, k).spectrum(r).capped_mean(log_m)
    assert (np.abs(computed - capped.mean(axis=0)) < error).all()
    with_less = MixedNormTradeOff(d, 0.9 * k).spectrum(r).capped_mean(log_m)
    assert (np.abs(with_less - capped.mean(axis=0)) > error).any()  # the control


@pytest.mark.parametrize("d", [32, 784, 150_528])
def test_without_k_it_is_the_normal_transform(d):
    for size in (0.05, 1.0, 5.0):
        u = np.linspace(0, 8 / size, 20)
        got = MixedTransform.of(d, 0.0, size / np.sqrt(d), 1.5).at(u)
        assert_allclose(got, np.exp(-(size**2) * (0.25 + u * u) / 2), atol=2e-13)


@pytest.mark.parametrize(("d", "k"), [(32, 10.0), (784, 100.0), (150_528, 1000.0)])
def test_capped_mean_far_out_and_on_finer_nodes(d, k):
    """``H(inf) = 1``, and the slack covers nodes that were not compared before."""
    trade_off, slack = settled(MixedNormTradeOff(d, k))
    assert slack < 1e-11
    spectrum = trade_off.spectrum(2 * np.sqrt(d - k) / d)
    log_m = np.linspace(-5, 5, 11)
    fine = Spectrum.of(d, k, 2 * np.sqrt(d - k) / d, 2.0)
    gap = np.abs(fine.capped_mean(log_m) - spectrum.capped_mean(log_m))
    assert (gap <= spectrum.error(log_m, slack)).all()
    assert spectrum.capped_mean(np.array([6.0 * spectrum.x]))[0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("d", "k", "remedy"),
    [
        (1, 0.5, "from 32 features on. Use k=0, or"),
        (31, 2, "from 32 features on. Use k=0, or"),
        (64, 30, "for this number of features up to k=21. Use a smaller k, or"),
        (150_528, 60_000, "for this number of features up to k=11889. Use a smaller k, or"),
    ],
)
def test_where_the_integral_is_not_accurate_there_is_no_certificate(d, k, remedy):
    message = f"MixedNormNoise with k={k} has no certificate for {d} features.*{remedy} noise="
    with pytest.raises(ValueError, match=message):
        MixedNormNoise(0.5, k).radius(0.9, n_features=d)


def test_the_remedies_certify():
    assert MixedNormNoise(0.5, 0).radius(0.9, n_features=31) > 0
    assert MixedNormNoise(0.5, 21).radius(0.9, n_features=64) > 0
    for d, k in [(1, 0.5), (31, 2.0), (64, 30.0)]:
        assert GaussianNoise(sigma=0.5, k=k).radius(0.9, n_features=d, norm=np.inf) > 0


# --------------------------------------------------- the one golden value that is not exact enough


def gauss(n, low, high):
    x, w = np.polynomial.legendre.leggauss(n)
    return [mpmath.mpf(v) for v in low + (high - low) * (x + 1) / 2], w * (high - low) / 2


def log_of_norm(d, k, span):
    def density(a):
        return 2 * d * a**-k * mpmath.npdf(a) * mpmath.erf(a / mpmath.sqrt(2)) ** (d - 1)

    nodes = ((mpmath.exp(x), w) for x, w in zip(*gauss(64, *np.log(span)), strict=True))
    return mpmath.log(sum(w * a * density(a) for a, w in nodes))


def points(d, k, r, span):
    """Largest, minus smallest, phase per frequency, number of others, and logarithmic weight."""
    nodes = [(skew, w * (d - 1), False) for skew, w in zip(*gauss(14, 0.0, float(r)), strict=True)]
    constant = mpmath.log(2 * d) - d * r * r / 8 - log_of_norm(d, k, span)
    for log_h, wide in zip(*gauss(56, *np.log(span)), strict=True):
        h = mpmath.exp(log_h)
        for skew, w, on_edge in [*nodes, (r, 1.0, True)]:
            s, t = h + skew / 2, h - skew / 2
            near, far = h + (r - skew) / 2, h + (r + skew) / 2
            normal = mpmath.npdf(s) * (1 if on_edge else mpmath.npdf(t))
            weight = constant + mpmath.log(wide * w * normal) - k / 2 * mpmath.log(near * far)
            turn = r * (s if on_edge else skew) + k * mpmath.log(far / near)
            yield s, t, turn, d - 1 - (not on_edge), weight + log_h


def transform_in_many_digits(r, u, chosen):
    """``E[L^(1/2 + iu)]`` with the error function of complex numbers."""
    w, root = u * r, mpmath.sqrt(2)
    total = mpmath.mpf(0)
    for s, t, turn, power, weight in chosen:
        above = mpmath.erfc((s - 1j * w) / root) / 2 + mpmath.erfc((t + 1j * w) / root) / 2
        inside = mpmath.log(1 - above) - w * w / 2
        total += mpmath.re(mpmath.exp(weight + power * inside + 1j * u * turn))
    return total


def largest_tail(d, k, r):
    """The largest ``1 - p`` for which p proves the radius, at the best threshold."""
    spectrum = settled(MixedNormTradeOff(d, k))[0].spectrum(r)
    log_m = best_threshold(spectrum)
    low, _, high = range_of_size(d, k)
    with mpmath.workdps(20):
        r, m = mpmath.mpf(r), mpmath.exp(mpmath.mpf(log_m))
        chosen = [p for p in points(d, k, r, np.exp([low, high])) if is_felt(p)]
        # a rule of other nodes than that of the package, less the normal law of the same size
        x, end = spectrum.x, float(spectrum.u[-1])
        total = mpmath.mpf(0)
        for u, weight in zip(*gauss(120, 0.0, end), strict=True):
            excess = transform_in_many_digits(r, u, chosen) - mpmath.exp(
                -x * x * (0.25 + u * u) / 2
            )
            total += weight * mpmath.cos(u * log_m) * excess / (0.25 + u * u)
        normal = mpmath.ncdf(log_m / x - x / 2) + m * mpmath.ncdf(-log_m / x - x / 2)
        return float(normal + mpmath.sqrt(m) * total / mpmath.pi - m / 2)


def is_felt(point):
    s, t, _, power, weight = point
    return weight + power * mpmath.log(1 - mpmath.ncdf(-s) - mpmath.ncdf(-t)) > -44


def best_threshold(spectrum):
    """``P(L > m)`` is one half."""
    low, high = -spectrum.x, spectrum.x
    for _ in range(60):
        middle = (low + high) / 2
        above = spectrum.probability_above(np.array([middle]))[0] > 0.5
        low, high = (middle, high) if above else (low, middle)
    return low


@pytest.mark.slow
def test_the_golden_radius_that_is_exceeded_is_too_small():
    """d = 784, k = 250, p = 0.6: a radius larger by 1.9e-10 of it is proven, one by 2.2e-10 not."""
    with (Path(__file__).parent / "golden" / "mixed_linf.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["d"], row["k"]) == ("784", "250.0")]
    golden = {row["p_lower"]: float(row["radius"]) for row in rows}["0.6"]
    assert largest_tail(784, 250.0, golden * (1 + 1.9e-10)) > 0.4
    assert largest_tail(784, 250.0, golden * (1 + 2.2e-10)) < 0.4  # the control: it is sharp
    radius = float(MixedNormNoise(np.sqrt((784 - 250) / 784), 250).radius(0.6, n_features=784))
    assert golden < radius < golden * (1 + 1.9e-10)
