"""Statements about the population hold as often as they say, and the wrong one does not."""

import numpy as np
import pytest

from sksmooth.bounds import population_lower_bound

# rows, certified, alpha, beta; independent, shared (Markov at half of beta), joint
GOLDEN = [
    (500, 300, 0.001, 0.05, 0.5621533382872541, 0.5370539575447522, 0.5625911849489669),
    (500, 300, 0.01, 0.05, 0.5581729140898655, 0.25928633207160345, 0.5625911849489669),
    (10000, 6123, 0.001, 0.01, 0.6004731804032214, 0.4995606964900669, 0.6008727072228182),
    (200, 200, 0.001, 0.05, 0.9851180788475755, 0.9809631871300665, 0.9851329607687279),
]


@pytest.mark.parametrize("golden", GOLDEN)
def test_golden_values(golden):
    m, c, alpha, beta, *wanted = golden
    for noise, value in zip(("independent", "shared", "joint"), wanted):
        found = population_lower_bound(c, m, alpha=alpha, beta=beta, noise=noise)
        assert found <= value * (1 + 1e-12)
        assert found >= value * (1 - 1e-9)


def test_markov_says_nothing_where_alpha_is_large():
    assert population_lower_bound(99, 100, alpha=0.1, beta=0.05, noise="shared") == 0
    many = population_lower_bound([9, 90], 100, alpha=0.001, beta=0.05, noise="shared")
    assert many.shape == (2,)


def failures(noise, wrong_parts, theta=0.5, m=20_000, alpha=0.01, beta=0.05, n_repeats=4000):
    """How often the bound is above the truth, for parts of wrong certificates."""
    rng = np.random.default_rng(0)
    robust = rng.binomial(m, theta, n_repeats)
    wrong = rng.binomial(m - robust, wrong_parts(rng, n_repeats, alpha))
    bound = population_lower_bound(robust + wrong, m, alpha=alpha, beta=beta, noise=noise)
    return (bound > theta).mean()


def independent(rng, n, alpha):
    return np.full(n, alpha)


def together(rng, n, alpha):
    """One time in ten a tenth of the rows fail at once: alpha each, and all on the same draws."""
    return np.where(rng.random(n) < 0.1, alpha / 0.1, 0.0)


def test_bounds_fail_as_seldom_as_they_say():
    error = 3 * np.sqrt(0.05 * 0.95 / 4000)
    assert failures("independent", independent) <= 0.05 + error
    assert failures("shared", independent) <= 0.05 + error
    assert failures("shared", together) <= 0.05 + error


def test_the_formula_for_independent_draws_fails_on_shared_ones():
    assert failures("independent", together) > 0.08


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": "other"}, "noise must be one of exact, independent, joint, shared"),
        ({"beta": 0}, "beta"),
        ({"beta": 1.5}, "beta"),
        ({"alpha": 0}, "alpha"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    given = {"alpha": 0.01, "beta": 0.05, "noise": "shared", **options}
    with pytest.raises(ValueError, match=message):
        population_lower_bound(3, 5, **given)
