"""Sampling that stops when a row is decided: its error by exact computation and by simulation."""

import numpy as np
import pytest
from case_names import name_of_case
from numpy.testing import assert_array_equal
from scipy import special, stats

from sksmooth.bounds import clopper_pearson_lower, plan_looks
from sksmooth.certificates import ClassificationCertificate, ErrorBudget
from sksmooth.certifiers._stopping import (
    count_as_needed,
    decide,
    draws_for_radius,
    optimistic_counts,
    scaled_votes,
)
from sksmooth.noise import GaussianNoise

NOISE = GaussianNoise(1.0)
CLASSES = np.array([0, 1])


@pytest.mark.parametrize("cap", [1, 50, 64, 65, 1000, 100_000])
def test_plan(cap):
    looks = plan_looks(cap)
    sizes = [look.n_draws for look in looks]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == cap
    assert looks[-1].alpha_spent >= 0.45 - 1e-12


def test_later_calls_look_where_their_cap_does_not_matter():
    """The cap of a later call may depend on votes that were seen, so nothing may depend on it."""
    long = plan_looks(10**6, 1)
    for cap in (63, 64, 1000, 54_321):
        assert plan_looks(cap, 1) == [look for look in long if look.n_draws <= cap]


def test_all_calls_together_spend_no_more_than_alpha():
    spent = sum(look.alpha_spent for call in range(60) for look in plan_looks(10**5, call))
    assert spent <= 1 + 1e-12


def error_of_plans(p, alpha, looks):
    """Exact probability that, at any of the looks, the lower bound exceeds the class probability p.

    Forward recursion over the number of votes; mass that was ever wrong is taken out. Whatever
    rule stops the sampling, the probability to stop on a wrong bound is no larger.
    """
    mass, n = np.array([1.0]), 0
    for look in sorted(looks):
        if look.n_draws > n:
            step = stats.binom.pmf(np.arange(look.n_draws - n + 1), look.n_draws - n, p)
            mass, n = np.convolve(mass, step), look.n_draws
        bound = clopper_pearson_lower(np.arange(n + 1), n, alpha * look.alpha_spent)
        mass[bound > p] = 0
    return 1 - mass.sum()


@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize("caps", [(2000,), (500, 2000), (100, 400, 2000)], ids=name_of_case)
def test_error_by_exact_computation(alpha, caps):
    """One call, or several that go on from each other, looked at as often as possible."""
    looks = [look for call, cap in enumerate(caps) for look in plan_looks(cap, call)]
    for p in (0.5, 0.6, 0.7, 0.841, 0.933, 0.977, 0.99):
        assert error_of_plans(p, alpha, looks) <= alpha


def test_exact_computation_catches_looks_at_the_full_level():
    bold = [look._replace(alpha_spent=1.0) for look in plan_looks(2000)]
    assert error_of_plans(0.7, 0.05, bold) > 0.05


def simulate(p, radius, alpha, cap, m, rng, start=None, n_earlier_calls=0):
    """Decide m rows whose class probability is p by the code that `certify` runs."""
    counts = np.zeros((m, 2), np.int64) if start is None else start.counts.copy()
    spent = np.full(m, 0.1) if start is None else np.array(start.alpha_spent)

    def count(positions, first_draw, n_draws):
        votes = rng.binomial(n_draws, p, size=len(positions))
        return np.stack([n_draws - votes, votes], axis=1)

    def certify(positions, votes, alpha_spent):
        return ClassificationCertificate.from_counts(
            np.ones(len(positions), int),
            votes,
            classes=CLASSES,
            noise=NOISE,
            alpha=ErrorBudget(alpha, spent=alpha_spent, n_calls=n_earlier_calls + 1),
            n_features=1,
            target_radius=np.full(len(positions), radius),
        )

    looks = plan_looks(cap, n_earlier_calls)
    decide(count, certify, counts, spent, np.ones(m, int), looks, lambda n: None)
    return certify(np.arange(m), counts, spent)


def rate_of_wrong_decisions(radius, alpha, m, rng):
    """Rate of rows certified whose class probability is just below what the radius needs."""
    p = special.ndtr(radius) * (1 - 1e-9)
    first = simulate(p, radius, alpha, 500, m, rng)
    again = simulate(p, radius, alpha, 5000, m, rng, start=first, n_earlier_calls=1)
    assert again.certified[first.certified].all()
    return again.certified.mean()


@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize("radius", [0.2, 1.0, 2.0])
def test_wrong_decisions_by_simulation(radius, alpha):
    m = 50_000
    wrong = rate_of_wrong_decisions(radius, alpha, m, np.random.default_rng(0))
    assert wrong <= alpha + 3 * np.sqrt(alpha / m)
    assert wrong > alpha / 20  # the level is made use of


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize("radius", [0.0, 0.5, 1.0, 2.0])
def test_wrong_decisions_of_a_million_rows(radius, alpha):
    rng = np.random.default_rng(1)
    wrong = [rate_of_wrong_decisions(radius, alpha, 100_000, rng) for _ in range(10)]
    assert np.mean(wrong) <= alpha + 3 * np.sqrt(alpha / 1e6)


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0])
def test_little_is_lost_against_a_fixed_number_of_draws(radius):
    """Power where it is hardest: where the bound of all draws succeeds half of the time."""
    rng, cap, m = np.random.default_rng(0), 10_000, 4000
    needed = special.ndtr(radius)
    edge = needed + 3.1 * np.sqrt(needed * (1 - needed) / cap)
    for p, allowed in ((edge + 0.6 * (1 - edge), 0.001), (edge, 0.12)):
        fixed = clopper_pearson_lower(rng.binomial(cap, p, m), cap, 0.001) >= needed
        sequential = simulate(p, radius, 0.001, cap, m, rng).certified
        assert sequential.mean() >= fixed.mean() - allowed


def test_clear_rows_need_few_draws():
    rng = np.random.default_rng(0)
    certain = simulate(0.9999, 0.5, 0.001, 100_000, 1000, rng)
    futile = simulate(0.4, 0.5, 0.001, 100_000, 1000, rng)
    assert certain.certified.all()
    assert not futile.certified.any()
    assert np.median(certain.n_draws) <= 64
    assert np.median(futile.n_draws) <= 96


class Decisions:
    """Decides rows whose draws all vote alike, and counts the calls."""

    def __init__(self, votes, radius):
        self.votes, self.radius = np.array(votes), radius
        self.certified, self.counted, self.decided = [], [], []

    def count(self, positions, first_draw, n_draws):
        self.counted.append((positions.tolist(), first_draw, n_draws))
        return n_draws * self.votes[positions]

    def certify(self, positions, counts, alpha_spent):
        self.certified.append(positions.tolist())
        return ClassificationCertificate.from_counts(
            np.ones(len(positions), int),
            counts,
            classes=CLASSES,
            noise=NOISE,
            alpha=ErrorBudget(0.001, spent=alpha_spent, n_calls=1),
            n_features=1,
            target_radius=np.full(len(positions), self.radius),
        )

    def run(self, counts=None):
        m = len(self.votes)
        counts = np.zeros((m, 2), np.int64) if counts is None else counts
        spent, looks = np.full(m, plan_looks(10_000)[0].alpha_spent), plan_looks(10_000)
        decide(self.count, self.certify, counts, spent, np.ones(m, int), looks, self.decided.append)
        assert sum(self.decided) == m
        return counts.sum(axis=1).tolist()


def test_nothing_is_done_after_all_rows_are_decided():
    certain = Decisions([[0, 1]], radius=0.5)
    assert certain.run() == [64]
    assert certain.counted == [([0], 0, 64)]
    assert certain.certified == [[0]]
    futile = Decisions([[1, 0]], radius=0.5)
    assert futile.run() == [64]
    assert futile.certified == [[0], [0]]  # by its votes, and by optimistic ones
    assert Decisions(np.zeros((0, 2), int), radius=0.5).run() == []


def test_rows_are_certified_only_while_they_are_undecided():
    mixed = Decisions([[0, 1], [1, 0], [0, 1]], radius=0.5)
    assert mixed.run(np.array([[0, 64], [0, 0], [30, 80]])) == [64, 64, 216]
    assert mixed.counted == [([1], 0, 64), ([2], 110, 34), ([2], 144, 72)]
    assert mixed.certified == [[0, 2], [2], [1], [1], [2], [2], [2]]


def test_optimistic_counts():
    counts = np.array([[60, 30, 10], [100, 0, 0], [0, 100, 0]])
    top = np.zeros(3, int)
    optimistic = optimistic_counts(counts, top, 10_000)
    assert optimistic[0, 0] > 6000
    assert optimistic[1, 0] == 10_000
    assert optimistic[2, 0] < 1000
    assert (optimistic.sum(axis=1) <= 10_000).all()
    assert optimistic[0, 1] >= 2 * optimistic[0, 2]
    assert_array_equal(optimistic_counts(counts, top, 100), counts)  # nothing is left to come


def test_draws_for_nearly_the_radius():
    votes = np.array([1000, 990, 900, 600, 300, 1000])
    pilot, cap = np.column_stack([votes, 1000 - votes]), 100_000

    def radius_of(rows, counts):
        lower = clopper_pearson_lower(counts[:, 0], counts.sum(axis=1), 0.001)
        return NOISE.radius(lower)[:, None]

    def at(n_draws):
        return radius_of(None, scaled_votes(pilot, np.broadcast_to(n_draws, len(pilot))))

    for rtol in (0.2, 0.05, 0.01):
        needed = draws_for_radius(pilot, cap, rtol, radius_of)
        assert (at(needed) >= (1 - rtol) * at(cap)).all()
        assert (at(needed // 2) < (1 - rtol) * at(cap))[[0, 1, 2, 3, 5]].all()  # no more than that
        assert needed.max() <= cap
        assert needed[4] <= 100  # proves nothing with any number of draws
    assert (draws_for_radius(pilot, 10, 0.1, radius_of) == 10).all()


def test_scaled_votes_keep_their_proportions_and_add_up():
    rng = np.random.default_rng(0)
    votes = rng.multinomial(1000, [0.5, 0.3, 0.15, 0.05], size=50)
    n_draws = rng.integers(1, 10**6, size=50)
    scaled = scaled_votes(votes, n_draws)
    assert_array_equal(scaled.sum(axis=1), n_draws)
    assert (np.abs(scaled - votes * (n_draws[:, None] / 1000)) <= 1).all()


def test_rows_get_the_draws_they_need():
    seen = []

    def count(positions, first_draw, n_draws):
        seen.append((positions.tolist(), first_draw, n_draws))
        return np.full((len(positions), 1), n_draws)

    counts = np.zeros((3, 1), np.int64)
    count_as_needed(count, np.array([10, 40, 10]), counts)
    assert counts.ravel().tolist() == [10, 40, 10]
    assert seen == [([0, 1, 2], 0, 10), ([1], 10, 30)]
