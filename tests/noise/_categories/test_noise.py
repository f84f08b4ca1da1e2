"""Noise on categories: golden values, other classes, and what is refused."""

import pickle
from itertools import product

import numpy as np
import pytest
from category_cases import golden_rows, numbers, probabilities_of
from scipy.optimize import linprog
from sklearn.base import clone

from sksmooth.noise import CategoryNoise
from sksmooth.noise._categories._columns import CategoryColumns

ROWS = golden_rows("categories")


def noise_and_columns(row):
    noise = CategoryNoise(float(row["keep"]), row["scheme"], probabilities_of(row))
    return noise, {"n_levels": numbers(row["n_levels"]), "levels": numbers(row["x"])}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['scheme']}-{row['s']}")
def test_golden(row):
    noise, columns = noise_and_columns(row)
    p_lower, p_upper, s = float(row["p_lower"]), float(row["p_upper"]), int(row["s"])
    least = noise.least_probability(p_lower, changes=s, **columns)
    golden = float(row["least_share_after_s_changes"])
    assert golden - 1e-12 <= least <= golden * (1 + 1e-12)
    most = noise.largest_probability(p_upper, changes=s, **columns)
    golden = float(row["largest_share_after_s_changes"])
    assert golden * (1 - 1e-12) <= most <= golden + 1e-12
    assert noise.largest_changes(p_lower, **columns) == int(row["largest_s_binary"])


def test_the_column_with_the_most_levels_is_the_worst():
    noise = CategoryNoise(0.8)
    least = noise.least_probability(0.97, changes=1, n_levels=[2, 6])
    assert least == noise.least_probability(0.97, changes=1, n_levels=[6])
    assert round(float(least), 2) == 0.4
    fewest = noise.least_probability(0.97, changes=1, n_levels=[2])
    assert fewest > 0.7  # the control: the column with the fewest levels claims too much


def test_the_published_probabilities_that_are_needed():
    """The least p that proves 1, 2, ... changes, as the guide prints them."""
    for keep, scheme, n, wanted in [
        (0.1, "token", 2, [0.6, 0.69, 0.771, 0.844]),
        (0.8, "uniform", 2, [0.875, 0.969, 0.9922, 0.9928]),
        (0.5, "uniform", 3, [0.75, 0.813, 0.844, 0.879]),
        (0.5, "uniform", 10, [0.944, 0.969, 0.991, 0.997]),
    ]:
        noise = CategoryNoise(keep, scheme)
        for s, p in enumerate(wanted, start=1):
            above, below = p + 6e-4, p - 6e-4
            assert noise.largest_changes(above, n_levels=[n] * 4) >= s
            assert noise.largest_changes(below, n_levels=[n] * 4) < s


def laws(noise, row, n_levels):
    """Probabilities of all outcomes of a row with levels 0, 1, ... in every column."""
    joint = np.ones(1)
    for level, n in zip(row, n_levels):
        one = np.full(n, (1 - noise.keep) / (n - 1))
        one[level] = noise.keep
        joint = np.multiply.outer(joint, one).ravel()
    return joint


def largest_lead_of_another(before, after, p, top_k):
    """Most that all of `top_k` others can be ahead, over randomised classifiers: a linear program.

    Variables: for each outcome, the probability of each of the classes; then the lead.
    """
    n, c = len(before), len(p)
    costs = np.append(np.zeros(n * c), -1.0)
    sums = np.zeros((n, n * c + 1))
    for i in range(n):
        sums[i, i * c : (i + 1) * c] = 1
    rows, limits = [], []
    for label in range(c):
        row = np.zeros(n * c + 1)
        row[label : n * c : c] = before
        rows.append(-row if label == 0 else row)  # at least p of the first, at most of the others
        limits.append(-p[0] if label == 0 else p[label])
    for label in range(1, top_k + 1):
        row = np.zeros(n * c + 1)
        row[0 : n * c : c] += after
        row[label : n * c : c] -= after
        row[-1] = 1
        rows.append(row)
        limits.append(0)
    bounds = [(0, 1)] * (n * c) + [(None, None)]
    found = linprog(costs, rows, limits, sums, np.ones(n), bounds)
    return -found.fun


def random_case(rng):
    n_levels = [int(n) for n in rng.integers(2, 4, 2)]
    noise = CategoryNoise(float(rng.uniform(0.55, 0.9)))
    first = rng.uniform(0.5, 0.995)
    others = np.sort((1 - first) * rng.dirichlet(np.ones(3)))[::-1]
    return noise, n_levels, first, others


@pytest.mark.parametrize("top_k", [1, 2])
def test_other_classes_against_a_linear_program(top_k):
    """Certified exactly where no randomised classifier of four classes gets others ahead."""
    rng, verdicts = np.random.default_rng(top_k), []
    for _ in range(40):
        noise, n_levels, first, others = random_case(rng)
        s = int(rng.integers(1, 3))
        leads = []
        for target in product((0, 1), repeat=2):
            if sum(target) == s:
                before, after = (laws(noise, row, n_levels) for row in ((0, 0), target))
                leads.append(largest_lead_of_another(before, after, [first, *others], top_k))
        if abs(max(leads)) < 1e-6:
            continue
        if top_k == 1:
            changes = noise.largest_changes(first, others[0], n_levels=n_levels)
        else:
            changes = noise.largest_top_changes(first, others, top_k, n_levels=n_levels)
        verdicts.append(changes >= s)
        assert verdicts[-1] == (max(leads) < 0)
    assert 5 < sum(verdicts) < len(verdicts) - 5


def test_one_bound_against_two():
    noise = CategoryNoise(0.8)
    p = np.linspace(0.5, 1, 50)
    one = noise.largest_changes(p, n_levels=[2] * 5)
    two = noise.largest_changes(p, (1 - p) / 3, n_levels=[2] * 5)
    assert (two >= one).all()
    assert (two > one).any()
    assert (one == noise.largest_changes(p, 1 - p, n_levels=[2] * 5)).all()
    assert (noise.largest_top_changes(p, (1 - p)[:, None] / 2, 2, n_levels=[2] * 5) == 5).all()


def test_levels_that_are_not_known_count_as_the_worst():
    pi = [[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]]
    noise = CategoryNoise(0.6, "draw", pi)
    for s in (1, 2):
        each = [
            noise.least_probability(0.99, changes=s, levels=row)
            for row in product(range(3), range(3))
        ]
        unknown = noise.least_probability(0.99, changes=s)
        assert unknown <= min(each) + 1e-15
        assert unknown > 0.5 * min(each)
    rows = np.array(list(product(range(3), range(3))))
    many = noise.least_probability(np.full(9, 0.99), changes=2, levels=rows)
    np.testing.assert_array_equal(many, each)


def test_more_changes_than_columns_are_all_columns():
    noise = CategoryNoise(0.9)
    two, three = (noise.least_probability(0.9999, changes=s, n_levels=[4, 3]) for s in (2, 3))
    assert two == three > 0


def test_a_column_with_one_level_cannot_change():
    noise = CategoryNoise(0.8)
    assert noise.least_probability(0.9, changes=1, n_levels=[1]) == pytest.approx(0.9)
    one = noise.least_probability(0.97, changes=2, n_levels=[1, 3])
    assert one == noise.least_probability(0.97, changes=1, n_levels=[3])


def test_is_a_value():
    noise = CategoryNoise(0.7, "draw", [[0.5, 0.5]])
    assert clone(noise).get_params() == noise.get_params()
    assert pickle.loads(pickle.dumps(noise)).get_params() == noise.get_params()
    assert noise.set_params(keep=0.9).keep == 0.9


@pytest.mark.parametrize(
    ("noise", "arguments", "message", "remedy"),
    [
        (CategoryNoise(1.0), {}, "'keep' parameter", CategoryNoise(0.9)),
        (CategoryNoise(np.nan), {}, "'keep' parameter", CategoryNoise(0.9)),
        (
            CategoryNoise(0.8, "hide"),
            {},
            "one of draw, token, uniform",
            CategoryNoise(0.8, "token"),
        ),
        (CategoryNoise(0.8, "token", [[1.0]]), {}, "no meaning", CategoryNoise(0.8, "token")),
        (CategoryNoise(0.2), {}, r"below 1/3.*Use keep of 0\.3333", CategoryNoise(0.3334)),
        (CategoryNoise(0.2), {}, "or scheme='token'", CategoryNoise(0.2, "token")),
        (CategoryNoise(0.8, "draw", [[0.5, 0.6]]), {}, "sum to 1", CategoryNoise(0.8, "draw")),
        (
            CategoryNoise(0.8, "draw", [[0.5, 0.5]]),
            {},
            "does not agree",
            CategoryNoise(0.8, "draw", [[0.5, 0.3, 0.2]]),
        ),
        (CategoryNoise(), {"changes": -1}, "not negative", CategoryNoise()),
        (CategoryNoise(), {"changes": 0.5}, "whole number", CategoryNoise()),
        (CategoryNoise(), {"n_levels": None}, "n_levels is needed", CategoryNoise()),
        (CategoryNoise(), {"n_levels": [0]}, "at least 1", CategoryNoise()),
        (CategoryNoise(), {"levels": [0.5]}, "whole numbers for 1 columns", CategoryNoise()),
        (CategoryNoise(), {"levels": [3]}, "positions of levels", CategoryNoise()),
        (CategoryNoise(), {"p": 1.2}, "must lie in", CategoryNoise()),
    ],
)
def test_what_describes_no_noise_is_refused(noise, arguments, message, remedy):
    good = {"p": 0.9, "changes": 1, "n_levels": [3]}
    with pytest.raises(ValueError, match=message):
        noise.least_probability(**good | arguments)
    remedy.least_probability(**good)


def test_columns_are_a_value_of_their_own():
    columns = CategoryNoise(0.8, "draw", [[0.25, 0.75]]).columns()
    assert isinstance(columns, CategoryColumns)
    assert columns.n_levels == (2,)
    assert len(columns) == 1
    assert hash(columns) == hash(CategoryNoise(0.8, "draw", [[0.25, 0.75]]).columns([2]))


SAMPLED = [
    CategoryNoise(0.7, "token"),
    CategoryNoise(0.7, "uniform"),
    CategoryNoise(0.7, "draw"),
    CategoryNoise(0.7, "draw", [[0.5, 0.5], [0.1, 0.2, 0.6, 0.1], [1.0]]),
]


def marginal(noise, j, level, n_levels):
    """Probabilities of the levels of a column, and of the token."""
    law = np.zeros(n_levels + 1)
    rest = 1 - noise.keep
    if noise.scheme == "token":
        law[-1] = rest
    elif noise.scheme == "uniform" and n_levels > 1:
        law[:-1] = rest / (n_levels - 1)
        law[level] = 0
    elif noise.scheme == "draw":
        pi = noise.probabilities[j] if noise.probabilities else np.full(n_levels, 1 / n_levels)
        law[:-1] = rest * np.array(pi)
    law[level] += noise.keep if law.sum() < 0.9 else 0
    return law / law.sum() if n_levels == 1 and noise.scheme == "uniform" else law


@pytest.mark.parametrize(
    "noise", SAMPLED, ids=lambda noise: f"{noise.scheme}-{noise.probabilities}"
)
def test_draws_have_the_law_that_the_bounds_assume(noise):
    n, row, n_levels = 40_000, [1, 2, 0], [2, 4, 1]
    draws = noise.draw(n, np.random.default_rng(0), n_levels=n_levels)
    noisy = noise.apply(row, draws, n_levels=n_levels)
    assert noisy.shape == (n, 3)
    for j, (level, k) in enumerate(zip(row, n_levels)):
        found = np.bincount(noisy[:, j] % (k + 1), minlength=k + 1) / n  # the token is the last
        np.testing.assert_allclose(found, marginal(noise, j, level, k), atol=5 / (2 * np.sqrt(n)))
    # columns are independent of each other
    kept = noisy[:, :2] == row[:2]
    assert abs(np.corrcoef(kept.T)[0, 1]) < 5 / np.sqrt(n)


def test_every_row_is_perturbed_by_every_draw():
    noise, n_levels = CategoryNoise(0.6), [3, 4]
    draws = noise.draw(5, np.random.default_rng(0), n_levels=n_levels)
    rows = np.array([[0, 1], [2, 3]])
    noisy = noise.apply(rows[:, None], draws, n_levels=n_levels)
    assert noisy.shape == (2, 5, 2)
    for row, of_row in zip(rows, noisy):
        assert (of_row == noise.apply(row, draws, n_levels=n_levels)).all()


def disagrees(noise, n_levels, x, y, claimed, n=200_000):
    """Whether sampled probabilities of the worst classifier contradict a claimed least one."""
    rng = np.random.default_rng(1)
    before, after = (
        noise.apply(row, noise.draw(n, rng, n_levels=n_levels), n_levels=n_levels) for row in (x, y)
    )

    def in_class(rows):  # all but the outcomes that show what the columns were changed to
        return ~(rows == y).all(axis=1)

    p, q = in_class(before).mean(), in_class(after).mean()
    margin = 5 * np.sqrt(0.25 / n)
    return q + margin < claimed(p - margin)


@pytest.mark.parametrize("scheme", ["uniform", "draw"])
def test_samples_of_the_worst_classifier_keep_what_is_claimed(scheme):
    noise, n_levels, x, y = CategoryNoise(0.55, scheme), [3, 4], [0, 1], [2, 3]

    def least(p, changes=2):
        return noise.least_probability(p, changes=changes, n_levels=n_levels)

    assert not disagrees(noise, n_levels, x, y, least)
    assert disagrees(noise, n_levels, x, y, lambda p: least(p, changes=1))  # the control


@pytest.mark.parametrize("levels", [[[0, 4]], [[-1, 0]], [[0.5, 0]]])
def test_levels_that_are_none_are_not_perturbed(levels):
    noise = CategoryNoise(0.7)
    draws = noise.draw(1, np.random.default_rng(0), n_levels=[3, 4])
    with pytest.raises(ValueError, match="levels must"):
        noise.apply(levels, draws, n_levels=[3, 4])
    noise.apply([[0, 3]], draws, n_levels=[3, 4])
