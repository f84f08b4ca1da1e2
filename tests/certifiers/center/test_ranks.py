"""The theorems of center smoothing, by simulation, with controls that the same tests catch."""

import numpy as np
import pytest
from scipy import special, stats

from sksmooth.bounds import upper_quantile_rank
from sksmooth.certificates import ErrorBudget
from sksmooth.certifiers.center._ranks import CenterBounds, Ranks
from sksmooth.certifiers.center._rules import CenterRule, choose_rule
from sksmooth.distances import Discrete, Euclidean

N, M, ALPHA = 51, 200, 0.1
REPETITIONS = 2000
LIMIT = ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / REPETITIONS)


def bounds(*, alpha=ALPHA, n_radii=1, **options):
    budget = ErrorBudget(alpha, n_radii)
    return CenterBounds(**{"n": N, "m": M, "budget": budget, "beta": 1.0, "gamma": 1.0, **options})


def worst_failure(ranks, shift, n_average=1):
    """Chance that the ball is missed in the worst case: outputs are a half-space of the noise.

    Outputs at x are uniform (the distance is the value), at x' the noise has moved by `shift` in
    the worst direction.
    """
    rng = np.random.default_rng(0)
    radius = np.sort(rng.random((REPETITIONS, M)), axis=1)[:, ranks.ball - 1]
    true_shift = np.sqrt(n_average) * shift
    moved = special.ndtr(special.ndtri(radius) - true_shift)
    inside = rng.binomial(N, moved)
    return np.mean(inside < N // 2 + 1)


@pytest.mark.parametrize("is_integrated", [False, True])
@pytest.mark.parametrize("shift", [0.3, 1.0])
def test_a_ball_of_the_certified_rank_is_hit(is_integrated, shift):
    ranks = bounds(is_integrated=is_integrated).ranks(shift)
    assert worst_failure(ranks, shift) <= LIMIT
    without_shift = bounds(is_integrated=is_integrated).ranks(0.0)
    assert worst_failure(without_shift, shift) > LIMIT


def test_the_integrated_rank_uses_up_alpha():
    ranks = bounds(is_integrated=True).ranks(0.5)
    assert ALPHA / 2 < worst_failure(ranks, 0.5) <= LIMIT


def test_the_split_events_hold_each():
    """Misprints of the published algorithm would make the ball too small far too often."""
    rng = np.random.default_rng(1)
    shift, b = 0.5, bounds()
    p = special.ndtr(special.ndtri(b.needed_mass(2)) + shift)
    draws = np.sort(rng.random((REPETITIONS, M)), axis=1)
    limit = ALPHA / 2 + 3 * np.sqrt(ALPHA / 2 / REPETITIONS)
    assert np.mean(draws[:, b.ranks(shift).ball - 1] < p) <= limit
    misprint = int(np.ceil(M * (p + np.sqrt(np.log(2 / ALPHA)) / (2 * M))))
    assert np.mean(draws[:, misprint - 1] < p) > limit


def test_averages_are_shifted_by_the_root_of_their_size():
    shift, b = 0.5, bounds(n_average=4)
    ranks = b.ranks(b.shift(shift, 1.0))
    assert worst_failure(ranks, shift, n_average=4) <= LIMIT
    without_root = bounds().ranks(bounds().shift(shift, 1.0))
    assert worst_failure(without_root, shift, n_average=4) > LIMIT


@pytest.mark.parametrize("shift", [0.1, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("options", [{}, {"is_integrated": True}, {"group_size": 1}])
def test_the_largest_shift_is_where_ranks_end(shift, options):
    b = bounds(**options)
    largest = b.max_shift()
    assert (b.ranks(shift) is not None) == (shift <= largest)
    assert b.ranks(largest - 1e-3) is not None
    assert b.ranks(largest + 1e-3) is None
    assert bounds(n_radii=5, **options).max_shift() < largest


def test_golden_largest_shifts():
    for m, paper, wanted in ((10**4, 2.01, 3.24), (10**5, 2.44, 3.84), (10**6, 2.82, 4.37)):
        b = bounds(n=10**4, m=m, alpha=0.01)
        assert b.max_shift() == pytest.approx(wanted, abs=0.006)
        assert b.max_shift() > paper


def sign_outputs(rng, x, n):
    return np.sign(x + rng.normal(size=n) + 1e-300)[:, None]


def staircase(rng, x, n):
    return np.floor(2 * (x + rng.normal(size=n)))[:, None]


def linear(rng, x, n):
    return (np.array([x, 0, 0]) + rng.normal(size=(n, 3))) @ np.array([[1.0, 0.2], [0, 1], [3, 0]])


@pytest.mark.parametrize("model", [sign_outputs, staircase, linear])
@pytest.mark.parametrize("group_size", [0, 1])
@pytest.mark.parametrize("x", [0.3, 1.3])
def test_two_answers_are_as_near_as_certified(model, group_size, x):
    """End to end: answers for x and for a worst x' are within the bound."""
    rng, distance = np.random.default_rng(3), Euclidean()
    b, shift, repetitions = bounds(beta=2.0, group_size=group_size), 0.5, 300
    rule, ranks, failed = CenterRule(distance, "sample", 2.0), b.ranks(shift), 0
    for _ in range(repetitions):
        here, there = (rule.find(model(rng, at, N)) for at in (x, x - shift))
        fresh = model(rng, x, M)
        to_center = distance(fresh, here.output)
        pairs = np.linalg.norm(fresh[::2] - fresh[1::2], axis=1)[: M // 2]
        failed += distance([there.output], here.output)[0] > b.output_radius(
            ranks, to_center, pairs
        )
    assert failed / repetitions <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / repetitions)


def labels(rng, x, n):
    return (x + rng.normal(size=(n, 1)) > 0).astype(int)


@pytest.mark.parametrize("shifted", [True, False])
def test_labels_on_the_border(shifted):
    """Answers 0 and 1 are at distance 1, so a bound below 1 is wrong whenever they differ."""
    rng, distance = np.random.default_rng(4), Discrete()
    b, shift, wrong = bounds(), 1.0, 0
    ranks, rule = b.ranks(shift if shifted else 0.0), CenterRule(distance, "finite", 1.0)
    for _ in range(REPETITIONS):
        here, there = (rule.find(labels(rng, at, N)) for at in (0.6, 0.6 - shift))
        bound = b.output_radius(ranks, distance(labels(rng, 0.6, M), here.output), np.empty(0))
        wrong += distance([there.output], here.output)[0] > bound
    assert (wrong / REPETITIONS <= LIMIT) == shifted


@pytest.mark.parametrize("size", [1, 2])
def test_pairs_bound_the_radius_of_the_center(size):
    """Outputs are 0 on a half-space and all different elsewhere.

    Control: a rank for pairs that only have to be as near as they are where the half is lost.
    """
    rng, shift, n, m = np.random.default_rng(8), 0.3, 201, 900
    b = bounds(n=n, m=m, group_size=size)
    n_pairs = m // (size + 1)
    p = special.ndtr(special.ndtri(b.pair_mass) + np.sqrt(size + 1) * shift)
    at_x = p ** (1 / (size + 1))  # share of zeros: a group and its partner are all zero
    border = special.ndtr(shift - 0.05)  # just too few zeros at x'
    control = upper_quantile_rank(n_pairs, 1 - 0.8 * border ** (size + 1), ALPHA / 4)
    ranks = {True: b.ranks(shift).pair, False: control}
    failed = dict.fromkeys(ranks, 0)
    for share in (at_x, border):
        there = special.ndtr(special.ndtri(share) - shift)
        zeros_here = rng.random((REPETITIONS, n_pairs, size + 1)) < share
        pairs_at_zero = zeros_here.all(axis=2).sum(axis=1)
        too_few = rng.binomial(n, there, REPETITIONS) < (n + 1) // 2
        for valid, rank in ranks.items():
            failed[valid] = max(failed[valid], np.mean(too_few & (pairs_at_zero >= rank)))
    limit = ALPHA / 2 + 3 * np.sqrt(ALPHA / 2 / REPETITIONS)
    assert failed[True] <= limit < failed[False]


def test_a_guaranteed_beta_holds_where_it_was_shown():
    rng = np.random.default_rng(5)
    rule = choose_rule(Euclidean(), (60,), "auto", 1.3, None)
    b, shift, failed, shown = bounds(beta=1.3), 0.5, 0, 0
    for _ in range(100):
        here = rng.normal(size=(N, 60))
        there = rng.normal(size=(N, 60)) + shift * np.eye(60)[0]
        a, c = rule.find(here), rule.find(there)
        bound = b.output_radius(
            b.ranks(shift), Euclidean()(rng.normal(size=(M, 60)), a.output), np.empty(0)
        )
        shown += c.guaranteed
        failed += c.guaranteed and np.linalg.norm(a.output - c.output) > bound
    assert shown > 50
    assert failed == 0


def test_the_inverse_bound_covers():
    """The certified input radius is too large with probability alpha / 2 at the most."""
    b, rng, target = bounds(), np.random.default_rng(6), 0.8
    true = stats.norm.ppf(target) - stats.norm.ppf(b.needed_mass(2))
    found = np.array([b.input_radius(rng.random(M), 2 * target, 1.0) for _ in range(REPETITIONS)])
    limit = ALPHA / 2 + 3 * np.sqrt(ALPHA / 2 / REPETITIONS)
    assert 0 < np.mean(found > true) <= limit
    assert found.mean() > true / 3
    assert b.input_radius(np.ones(M), 0.1, 1.0) == 0


def test_a_center_must_not_be_certified_with_its_own_sample():
    """The best of many balls looks larger, on the sample that chose it, than it is.

    Outputs are vertices of a random graph at distance 1 or 2: each ball of radius 1 holds 55 %.
    """
    rng, n, size, h = np.random.default_rng(7), 101, 400, 51
    near = np.triu(rng.random((size, size)) < 0.55, 1)
    d = np.where(near | near.T, 1.0, 2.0)
    np.fill_diagonal(d, 0.0)
    k = upper_quantile_rank(n, 0.42, ALPHA)  # a ball that holds 58 %
    shared, separate, repetitions = 0, 0, 400
    for _ in range(repetitions):
        sample, fresh = rng.integers(0, size, n), rng.integers(0, size, n)
        counts = (d[np.ix_(sample, sample)] <= 1).sum(axis=1)
        center = sample[counts.argmax()]
        assert counts.max() >= h
        too_small = (d[center] <= 1).mean() < 0.58
        shared += too_small and np.sort(d[center, sample])[k - 1] <= 1
        separate += too_small and np.sort(d[center, fresh])[k - 1] <= 1
    limit = ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / repetitions)
    assert separate / repetitions <= limit < shared / repetitions


def test_gamma_and_diameter():
    assert bounds(beta=4.0, gamma=2.0).output_radius(
        Ranks(M, None), np.ones(M), np.empty(0)
    ) == pytest.approx(10.0)


def test_few_candidates_cost_alpha_or_are_refused():
    assert bounds(n_candidates=8).needed_mass(2) > bounds().needed_mass(2)
    with pytest.raises(ValueError, match="at least 6"):
        bounds(n_candidates=2).needed_mass(2)


@pytest.mark.parametrize("is_integrated", [False, True])
def test_every_part_of_alpha_is_that_of_the_budget(is_integrated):
    """Radii share the level at the input itself; that of a perturbed input is theirs in common."""
    b = bounds(n_radii=5, is_integrated=is_integrated)
    assert b.needed_mass(2) == bounds().needed_mass(2)
    assert b.ranks(b.max_shift() - 1e-3) is not None
    assert b.ranks(b.max_shift() + 1e-3) is None
    assert b.ranks(0.5).ball > bounds(is_integrated=is_integrated).ranks(0.5).ball
