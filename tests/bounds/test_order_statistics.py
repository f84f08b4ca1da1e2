"""Ranks of order statistics against exact sums and golden values."""

import numpy as np
import pytest
from binomial_reference import tail
from scipy import special, stats

from sksmooth.bounds import (
    clopper_pearson_upper,
    integrated_rank,
    lower_quantile_rank,
    upper_quantile_rank,
)

# n, m, level of each event, perturbation over sigma, needed mass, quantile, rank, integrated rank
GOLDEN = [
    (100, 1000, 0.005, 0.5, 0.6311385626410759, 0.7981046501903097, 831, 795),
    (1000, 1000, 0.005, 1.0, 0.5411474466929551, 0.8650569534792123, 893, 876),
    (1000, 10000, 0.005, 1.0, 0.5411474466929551, 0.8650569534792123, 8739, 8645),
    (1001, 10000, 0.005, 1.0, 0.5406296070239909, 0.8647735155096907, 8736, 8642),
    (10000, 10000, 0.005, 3.0, 0.5129266648441788, 0.9987869448665992, 9997, 9995),
    (10000, 100000, 0.005, 2.0, 0.5129266648441788, 0.97894381634969, 98011, 97914),
    (10000, 1000000, 0.005, 2.0, 0.5129266648441788, 0.97894381634969, 979314, 978824),
]


@pytest.mark.parametrize(("n", "m", "alpha", "shift", "mass", "p", "rank", "integrated"), GOLDEN)
def test_golden_ranks(n, m, alpha, shift, mass, p, rank, integrated):
    c = n // 2 + 1
    s = clopper_pearson_upper(c - 1, n, alpha)
    assert s == pytest.approx(mass, rel=6e-12)  # it is rounded up by 4e-12
    assert special.ndtr(special.ndtri(s) + shift) == pytest.approx(p, rel=6e-12)
    assert upper_quantile_rank(m, special.ndtr(-special.ndtri(s) - shift), alpha) == rank
    assert integrated_rank(n, m, c, shift, 2 * alpha) == integrated


@pytest.mark.parametrize("n", [1, 2, 7, 30])
@pytest.mark.parametrize("p", [0.0, 1e-12, 0.05, 0.5, 0.9, 1 - 1e-12, 1.0])
@pytest.mark.parametrize("alpha", [0.21, 0.011, 1.1e-8])
def test_ranks_are_the_best_by_enumeration(n, p, alpha):
    ranks = range(1, n + 1)
    upper = [k for k in ranks if stats.binom.sf(k - 1, n, p) <= alpha]
    assert upper_quantile_rank(n, 1 - p, alpha) == (min(upper) if upper else None)
    lower = [k for k in ranks if stats.binom.cdf(k - 1, n, p) <= alpha]
    assert lower_quantile_rank(n, p, alpha) == (max(lower) if lower else None)


@pytest.mark.parametrize("n", [10**6, 10**8, 10**9])
@pytest.mark.parametrize("j", [0, 3, 999, 1000, 5000])
def test_ranks_of_many_samples_at_levels_next_to_a_tail(n, j):
    """Where bdtr of scipy is off by 5e-6."""
    p = 1 - (1 - float(clopper_pearson_upper(j, n, 0.01)))
    level = float(tail(j, n, p, 1).mass)
    assert lower_quantile_rank(n, p, level * (1 + 1e-9)) == j + 1
    assert lower_quantile_rank(n, p, level * (1 - 1e-12)) == (j or None)
    assert upper_quantile_rank(n, p, level * (1 + 1e-9)) == n - j
    assert upper_quantile_rank(n, p, level * (1 - 1e-12)) == (n - j + 1 if j else None)


@pytest.mark.parametrize("wrong", [0.0, np.nan, 0.5, 2.0])
def test_ranks_do_not_depend_on_the_inverse(monkeypatch, wrong):
    expected = [upper_quantile_rank(10**5, q, 1e-4) for q in (1e-5, 0.01, 0.5, 0.999)]
    bdtrik = special.bdtrik
    monkeypatch.setattr(special, "bdtrik", lambda *args: wrong * bdtrik(*args))
    ranks = [upper_quantile_rank(10**5, q, 1e-4) for q in (1e-5, 0.01, 0.5, 0.999)]
    assert ranks == expected


def total_failure(n, m, c, k, shift, uniform):
    """Average, over the mass of the ball, of the probability that too few samples fall into it."""
    mass = special.betaincinv(k, m - k + 1, uniform)
    moved = special.ndtr(special.ndtri(mass) - shift)
    return stats.binom.cdf(c - 1, n, moved).mean()


@pytest.mark.parametrize(
    ("n", "m", "shift", "alpha"),
    [(51, 200, 0.7, 0.1), (5, 1000, 0.3, 0.01), (1001, 30, 0.2, 0.001), (301, 1200, 1.0, 0.001)],
)
def test_the_integrated_rank_is_the_smallest(n, m, shift, alpha):
    c, uniform = n // 2 + 1, (np.arange(200_000) + 0.5) / 200_000
    k = integrated_rank(n, m, c, shift, alpha)
    assert total_failure(n, m, c, k, shift, uniform) <= alpha
    assert total_failure(n, m, c, k - 1, shift, uniform) > alpha
    assert integrated_rank(n, m, c, 20.0, alpha) is None
