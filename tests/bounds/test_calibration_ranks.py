"""Ranks of copies and of calibration rows."""

import numpy as np
import pytest
from scipy import stats

from sksmooth.bounds import calibration_level, lower_quantile_rank
from sksmooth.bounds._calibration import worst_case
from sksmooth.bounds._calibration_ranks import calibration_rank, choose_copy_ranks, rows_needed
from sksmooth.noise import GaussianNoise


@pytest.mark.parametrize("m", [1, 2, 5, 30, 100])
@pytest.mark.parametrize("radius", [0.0, 0.25, 0.5])
def test_chosen_ranks_keep_most_of_the_level(m, radius):
    noise = GaussianNoise(0.5)
    ranks = choose_copy_ranks(0.1, m, worst_case(noise, radius))
    assert 1 <= ranks.test <= ranks.clean <= m
    exact = calibration_level(
        0.1, m=m, k=ranks.clean, k_test=ranks.test, noise=noise, radius=radius
    )
    assert ranks.level == exact
    if m >= 5:
        assert ranks.level >= 0.08
    if 1 < ranks.test < m:  # the largest that does
        more = calibration_level(
            0.1, m=m, k=ranks.clean, k_test=ranks.test + 1, noise=noise, radius=radius
        )
        assert more < ranks.level


def test_a_given_rank_is_taken():
    ranks = choose_copy_ranks(0.1, 20, worst_case(GaussianNoise(0.5), 0.25), clean=9)
    assert ranks.clean == 9
    assert ranks.test < 9
    assert ranks.level >= 0.09


def test_large_radii_take_what_is_left():
    ranks = choose_copy_ranks(0.1, 3, worst_case(GaussianNoise(0.5), 1.5))
    assert 0 < ranks.level < 0.01
    assert choose_copy_ranks(0.1, 3, worst_case(GaussianNoise(0.5), 50.0)).level == 0


@pytest.mark.parametrize(("n", "rank"), [(8, 0), (9, 1), (18, 1), (19, 2), (99, 10), (109, 11)])
def test_rank_of_split_conformal(n, rank):
    assert calibration_rank(n, 0.1) == rank


def test_rank_at_a_level_of_zero_or_without_rows():
    assert calibration_rank(1000, 0.0) == calibration_rank(0, 0.1) == 0
    assert calibration_rank(3, 0.9999) == 3


def test_rank_for_the_rows_at_hand():
    n, level, delta = 300, 0.1, 0.05
    rank = calibration_rank(n, level, pac_delta=delta)
    assert rank == lower_quantile_rank(n, level, delta)
    # the rank-th smallest of n uniform scores is a miss probability above the level seldom
    assert stats.beta.sf(level, rank, n + 1 - rank) <= delta
    assert stats.beta.sf(level, calibration_rank(n, level), n + 1 - rank) > 0.3  # the plain rank


@pytest.mark.parametrize("options", [{}, {"n_poisoned": 3}, {"pac_delta": 0.05}])
def test_rows_needed_are_the_fewest(options):
    poisoned = options.pop("n_poisoned", 0)
    needed = rows_needed(0.037, n_poisoned=poisoned, **options)
    assert calibration_rank(needed, 0.037, **options) > poisoned
    assert calibration_rank(needed - 1, 0.037, **options) <= poisoned
    if not options and not poisoned:
        assert needed == int(np.ceil(1 / 0.037)) - 1


def test_no_number_of_rows_helps_at_a_level_of_zero():
    assert rows_needed(0.0) is None
