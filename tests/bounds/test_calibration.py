"""Levels of calibration against values in closed form or from 400,000 nodes, and by simulation."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from sksmooth.bounds import calibration_level
from sksmooth.bounds._calibration import worst_case
from sksmooth.noise import (
    CategoryNoise,
    GaussianNoise,
    LaplaceNoise,
    MixedNormNoise,
    SplittingNoise,
    UniformNoise,
)


def golden():
    with (Path(__file__).parent / "golden" / "calibration_level.csv").open() as file:
        return list(csv.DictReader(file))


def noise_and_radius(row):
    x = float(row["x"])
    return {
        "gaussian_l2": (GaussianNoise(0.5), 0.5 * x),
        "laplace_l1": (LaplaceNoise(np.sqrt(2)), x),
        "lipschitz": (UniformNoise(1 / np.sqrt(3)), 2 * x),
    }[row["family"]]


@pytest.mark.parametrize("row", golden(), ids=lambda row: "-".join(list(row.values())[:7]))
def test_golden_levels(row):
    noise, radius = noise_and_radius(row)
    ranks = {name: int(row[name]) for name in ("m", "k", "m_test", "k_test")}
    level = calibration_level(float(row["alpha"]), noise=noise, radius=radius, **ranks)
    exact = float(row["alpha_calibration"])
    assert level <= exact * (1 + 1e-5)
    assert level >= exact * (1 - 1e-2)


@pytest.mark.parametrize("noise", [GaussianNoise(0.5), LaplaceNoise(0.5), SplittingNoise(0.5)])
@pytest.mark.parametrize("alpha", [0.01, 0.1])
def test_one_copy_has_a_closed_form(noise, alpha):
    """The least probability at the radius of what has probability alpha here."""
    trade_off, unit = noise.trade_off()
    for radius in (0.001, 0.1, 0.3, 1.0):
        distance = np.array([radius / unit])
        exact = float(trade_off.worst_case_probability(np.array([1 - alpha]), distance)[0])
        level = calibration_level(alpha, noise=noise, radius=radius)
        assert level <= max(exact, 0) * (1 + 1e-9)
        assert level >= exact * (1 - 1e-3) - 1e-9


def test_without_perturbation_it_is_split_conformal():
    for m, k in ((1, 1), (30, 20), (7, 7)):
        level = calibration_level(0.1, m=m, k=k, noise=GaussianNoise(), radius=0)
        assert 0.1 * (1 - 1e-3) <= level <= 0.1
        assert calibration_level(0.1, m=m, k=k, noise=GaussianNoise(), radius=0.05) < 0.1
    assert calibration_level(0.1, m=30, k=20, k_test=21, noise=GaussianNoise(), radius=0) < 0.1


def test_a_function_stands_for_a_noise():
    noise = GaussianNoise(0.5)
    worst = worst_case(noise, 0.25)
    by_function = calibration_level(0.1, m=10, k=6, k_test=4, noise=worst)
    assert by_function == calibration_level(0.1, m=10, k=6, k_test=4, noise=noise, radius=0.25)

    def own(q):
        return special.ndtr(special.ndtri(q) + 0.5)

    by_formula = calibration_level(0.1, m=10, k=6, k_test=4, noise=own)
    assert by_formula == pytest.approx(by_function, rel=3e-3)


@pytest.mark.parametrize("noise", [GaussianNoise(0.3, k=6), LaplaceNoise(0.3, k=3)])
def test_families_from_tables_and_other_norms(noise):
    level = calibration_level(0.1, m=10, k=6, k_test=4, noise=noise, radius=0.05, n_features=8)
    assert 0.01 < level < 0.1
    converted = calibration_level(
        0.1, m=10, k=6, k_test=4, noise=GaussianNoise(0.3), radius=0.05, n_features=4, norm=np.inf
    )
    assert converted == pytest.approx(
        calibration_level(0.1, m=10, k=6, k_test=4, noise=GaussianNoise(0.3), radius=0.1), rel=3e-3
    )
    mixed = MixedNormNoise(0.3, k=4)
    assert calibration_level(0.1, noise=mixed, radius=0.01, n_features=64) > 0


# --------------------------------------------------------------------------- by exact populations


def misses(mixture, m, k, worst=None):
    """Probability that fewer than k of m copies hit, over a population of miss probabilities."""
    q, weights = np.array(mixture).T
    q = q if worst is None else worst(q)
    return float(weights @ stats.binom.cdf(k - 1, m, 1 - q))


def worst_mixture(m, k, k_test, level, worst):
    """Population of two kinds of rows with the clean misses allowed and the most under attack."""
    q = special.ndtr(np.linspace(-8, 8, 600))
    g = stats.binom.cdf(k - 1, m, 1 - q)
    attacked = stats.binom.cdf(k_test - 1, m, 1 - worst(q))
    best, found = 0.0, [(0.0, 1.0)]
    low, high = np.flatnonzero(g <= level), np.flatnonzero(g > level)
    for i in low:
        share = (level - g[i]) / (g[high] - g[i])
        value = (1 - share) * attacked[i] + share * attacked[high]
        j = int(value.argmax())
        if value[j] > best:
            best = value[j]
            found = [(q[i], 1 - share[j]), (q[high[j]], share[j])]
    return found


CASES = [(1, 1, 1, 0.5), (10, 6, 4, 0.5), (30, 18, 13, 0.5), (5, 5, 5, 0.1), (10, 8, 7, 0.2)]


@pytest.mark.parametrize(("m", "k", "k_test", "shift"), CASES)
def test_no_population_misses_more_and_one_misses_as_much(m, k, k_test, shift):
    """Exactly: the attack in closed form on the worst mixture of two kinds of rows."""
    worst = worst_case(GaussianNoise(1.0), shift)
    level = calibration_level(0.1, m=m, k=k, k_test=k_test, noise=worst)
    mixture = worst_mixture(m, k, k_test, level, worst)
    assert misses(mixture, m, k) == pytest.approx(level)
    attacked = misses(mixture, m, k_test, worst)
    assert 0.099 < attacked <= 0.1 + 1e-12
    too_much = worst_mixture(m, k, k_test, 1.05 * level, worst)
    assert misses(too_much, m, k_test, worst) > 0.1
    if k_test < m:  # the next rank at the same level
        assert misses(worst_mixture(m, k, k_test + 1, level, worst), m, k_test + 1, worst) > 0.101


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": 1.5}, "alpha must lie in"),
        ({"k": 3}, "k is a rank among m copies and must lie between 1 and m=1, got k=3"),
        ({"m": 4, "k": 2, "k_test": 5}, "k_test is a rank among m_test copies"),
        ({"radius": None}, "radius=None is no size"),
        ({"radius": -1}, "radius must be finite and not negative, got -1"),
        ({"radius": np.inf}, "radius must be finite"),
        ({"noise": 0.3}, "noise must be an object of sksmooth.noise"),
        ({"noise": lambda q: q}, "come without one"),
        ({"noise": SplittingNoise(), "norm": 2}, "certifies in the norm 1 only"),
    ],
)
def test_wrong_arguments(arguments, message):
    right = {"alpha": 0.1, "noise": GaussianNoise(), "radius": 0.1}
    with pytest.raises(ValueError, match=message):
        calibration_level(**right | arguments)


def test_changes_of_categories():
    """A function that need not be concave: the worst of several changes of categories."""
    noise = CategoryNoise(keep=0.3, scheme="draw", probabilities=[[0.5, 0.5], [0.1, 0.9]])

    def worst(q):
        return noise.largest_probability(q, changes=1)

    level = calibration_level(0.2, m=10, k=6, k_test=2, noise=worst)
    q = np.linspace(0, 1, 2001)
    g = stats.binom.cdf(5, 10, 1 - q)
    attacked = stats.binom.cdf(1, 10, 1 - worst(q))
    low, high = np.flatnonzero(attacked <= 0.2), np.flatnonzero(attacked > 0.2)
    share = (0.2 - attacked[low, None]) / (attacked[high] - attacked[low, None])
    exact = ((1 - share) * g[low, None] + share * g[high]).min()  # of mixtures of two kinds
    assert 0.98 * exact <= level <= exact * (1 + 1e-3)  # on a grid, which exact is too large by
