"""Coverage of the rank rule under the strongest attack, which is known in closed form here.

The score of the label 1 is the first feature; nothing can be worse for it than to move that feature
down by the whole radius. The second feature makes rows different, and does nothing else.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import special

from sksmooth.bounds import calibration_level
from sksmooth.bounds._calibration import worst_case
from sksmooth.bounds._calibration_ranks import CopyRanks
from sksmooth.certifiers.conformal._label_sets import LabelSets
from sksmooth.certifiers.conformal._rank_rule import RankRule
from sksmooth.engine._copies import CopySampler
from sksmooth.engine._streams import Purpose, Streams
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise, LaplaceNoise, UniformNoise

ALPHA, N_CALIBRATION, N_TEST, N_REPEATS = 0.1, 199, 50, 120


def first_feature(X, n_rows):
    """Scores of the labels 0 and 1."""
    return np.column_stack([-X[:, 0], X[:, 0]])


def population(rng, n, gap, share):
    """Rows of two kinds: a share of them has scores that are lower by a gap."""
    return np.column_stack([-gap * (rng.random(n) < share), rng.normal(size=n)])


def rule_for(noise, radius, m, k, k_test):
    level = calibration_level(ALPHA, m=m, k=k, k_test=k_test, noise=noise, radius=radius)
    return RankRule((CopyRanks(m, k, k_test, level),))


def sampler(X, seed, noise, m, cls=CopySampler):
    return cls(first_feature, read_inputs(X, owner=None), Streams(noise, seed), m)


def miss(rule, noise, attack, *, gap=0.0, share=0.0, cls=CopySampler):
    """Proportion of test rows, moved by the attack, whose sets miss the label 1.

    Over independent calibration and test rows and noise; its standard error is below 0.005, as all
    rows of a repeat share a threshold and nothing else.
    """
    m, missed = rule.levels[0].n_copies, 0.0
    for repeat in range(N_REPEATS):
        rng = np.random.default_rng(repeat)
        X = population(rng, N_CALIBRATION, gap, share)
        sets = LabelSets(sampler(X, 2 * repeat, noise, m, cls), rule)
        thresholds = sets.calibrate(np.ones(len(X), int), 2, by_class=False)
        X = population(rng, N_TEST, gap, share) - [attack, 0]
        _, found = LabelSets(sampler(X, 2 * repeat + 1, noise, m), rule).predict(thresholds)
        missed += 1 - found[:, 1, 0].mean()
    return missed / N_REPEATS


# Noise of unit scale, its least probability one unit away, ranks, and the worst population: how far
# the lower scores lie below the others, and how many of them there are.
ATTACKED = [
    (GaussianNoise(1.0), 0.5, (1, 1, 1), 0.0, 0.0),
    (GaussianNoise(1.0), 0.5, (10, 6, 4), 1.5, 0.09),
    (GaussianNoise(1.0), 0.5, (10, 6, 4), 0.0, 0.0),
    (GaussianNoise(1.0), 1.0, (30, 18, 6), 1.0, 0.09),
    (LaplaceNoise(1.0), 0.3, (5, 3, 2), 1.5, 0.08),
    (UniformNoise(1.0), 0.1, (10, 6, 5), 1.0, 0.09),
]


@pytest.mark.parametrize(("noise", "radius", "ranks", "gap", "share"), ATTACKED)
def test_attacked_sets_miss_as_seldom_as_they_say(noise, radius, ranks, gap, share):
    rule = rule_for(noise, radius, *ranks)
    assert miss(rule, noise, radius, gap=gap, share=share) <= ALPHA + 0.015


@dataclass(frozen=True)
class SharedNoise(CopySampler):
    """All rows of calibration share their noise, as rows that are certified may."""

    def by_position(self, work, *given):
        draws = self.streams.of(Purpose.CALIBRATION, self.inputs).take(0, self.n_copies)
        noisy = self.inputs.values[:, None] + draws
        scores = first_feature(noisy.reshape(-1, 2), None)
        return [work(scores.reshape(*noisy.shape[:2], 2), *given)]


def test_controls_miss_too_often():
    """The same rows, the same test, and a rule that is a little wrong."""
    noise, radius, rows = GaussianNoise(1.0), 0.5, {"gap": 0.0, "share": 0.0}
    right = rule_for(noise, radius, 10, 6, 4)
    level = right.levels[0].level
    next_rank = RankRule((CopyRanks(10, 6, 6, level),))
    assert miss(next_rank, noise, radius, **rows) > ALPHA + 0.05
    plain = RankRule((CopyRanks(10, 6, 6, ALPHA),))  # split conformal on noisy copies
    assert miss(plain, noise, radius, **rows) > ALPHA + 0.1
    assert miss(plain, noise, 0.0, **rows) == pytest.approx(ALPHA, abs=0.015)


def test_shared_calibration_noise_voids_coverage_without_any_attack():
    noise = GaussianNoise(1.0)
    for ranks in ((1, 1, 1), (10, 6, 6)):
        rule = RankRule((CopyRanks(*ranks, ALPHA),))
        assert miss(rule, noise, 0.0) <= ALPHA + 0.015
        assert miss(rule, noise, 0.0, cls=SharedNoise) == pytest.approx(0.5, abs=0.1)


def test_coverage_by_class():
    """One class scores far lower; with one threshold for all it is missed nearly always."""
    noise, radius, m = GaussianNoise(1.0), 0.5, 10
    rule = rule_for(noise, radius, m, 6, 4)
    missed = {True: np.zeros(2), False: np.zeros(2)}
    for repeat in range(60):
        rng = np.random.default_rng(repeat)
        labels = (rng.random(400) < 0.06).astype(int)
        X = np.column_stack([2.0 * labels - 3.0, rng.normal(size=400)])
        for by_class, total in missed.items():
            sets = LabelSets(sampler(X, repeat, noise, m), rule)
            limits = sets.calibrate(np.zeros(400, int) + labels, 2, by_class=by_class)
            for label in (0, 1):
                total[label] += miss_of(rule, noise, limits, repeat, label, radius)
    assert (missed[True] / 60 <= ALPHA + 0.025).all()
    assert missed[False][1] / 60 > 0.3


def miss_of(rule, noise, limits, seed, label, radius):
    """Miss of one class, whose score is moved to the wrong side by the radius."""
    side = 1.0 if label else -1.0
    X = np.column_stack([np.full(50, 2.0 * label - 3.0), np.arange(50)])
    X[:, 0] -= side * radius
    _, sets = LabelSets(sampler(X, seed + 10_000, noise, 10), rule).predict(limits)
    return 1 - sets[:, label, 0].mean()


def test_poisoned_rows_are_paid_for():
    """Replaced rows with large scores raise the threshold, unless the rule allows for them."""
    noise, radius, m, n_poisoned = GaussianNoise(1.0), 0.5, 10, 8
    level = rule_for(noise, radius, m, 6, 4).levels
    missed = {0: 0.0, n_poisoned: 0.0}
    for allowed in missed:
        rule = RankRule(level, n_poisoned=allowed)
        for repeat in range(100):
            X = np.column_stack([np.zeros(200), np.random.default_rng(repeat).normal(size=200)])
            X[:n_poisoned, 0] = 100.0
            sets = LabelSets(sampler(X, repeat, noise, m), rule)
            limits = sets.calibrate(np.ones(200, int), 2, by_class=False)
            missed[allowed] += miss_of_label(rule, noise, limits, repeat, radius)
    assert missed[n_poisoned] / 100 <= ALPHA + 0.01
    assert missed[0] / 100 > missed[n_poisoned] / 100 + 0.02


def miss_of_label(rule, noise, limits, seed, radius):
    X = np.column_stack([np.full(100, -radius), np.arange(100)])
    _, sets = LabelSets(sampler(X, seed + 10_000, noise, 10), rule).predict(limits)
    return 1 - sets[:, 1, 0].mean()


def test_the_rows_at_hand_mislead_seldom():
    """Exactly: the miss of a threshold is known, as scores have a known law."""
    noise, radius, n, delta = GaussianNoise(1.0), 0.5, 150, 0.05
    ranks = rule_for(noise, radius, 1, 1, 1).levels
    exceeded = {None: 0, delta: 0}
    for pac_delta in exceeded:
        rule = RankRule(ranks, pac_delta=pac_delta)
        for repeat in range(300):
            X = np.column_stack([np.zeros(n), np.random.default_rng(repeat).normal(size=n)])
            sets = LabelSets(sampler(X, repeat, noise, 1), rule)
            limit = float(sets.calibrate(np.ones(n, int), 2, by_class=False)[0])
            exceeded[pac_delta] += special.ndtr(limit + radius) > ALPHA
    assert exceeded[delta] / 300 <= delta + 0.03
    assert exceeded[None] / 300 > 0.3


def test_several_levels_share_their_draws():
    noise, rng = GaussianNoise(1.0), np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    ranks = [rule_for(noise, 0.3, 10, k, k - 2).levels[0] for k in (4, 6, 8)]
    labels = rng.integers(2, size=80)
    together = LabelSets(sampler(X, 0, noise, 10), RankRule(tuple(ranks)))
    limits = together.calibrate(labels, 2, by_class=False)
    predicted, sets = together.predict(limits)
    assert sets.shape == (80, 2, 3)
    for i, one in enumerate(ranks):
        alone = LabelSets(sampler(X, 0, noise, 10), RankRule((one,)))
        limit = alone.calibrate(labels, 2, by_class=False)
        np.testing.assert_array_equal(limit, limits[i : i + 1])
        np.testing.assert_array_equal(alone.predict(limit)[1][:, :, 0], sets[:, :, i])
    np.testing.assert_array_equal(predicted, together.likeliest())


def test_worst_case_of_the_tests_is_that_of_the_noise():
    """What a shift does to the miss probability of one copy of the score, in closed form."""
    q = np.array([0.01, 0.1, 0.5])
    worst = worst_case(GaussianNoise(1.0), 0.5)(q)
    np.testing.assert_allclose(worst, special.ndtr(special.ndtri(q) + 0.5), rtol=1e-10)
