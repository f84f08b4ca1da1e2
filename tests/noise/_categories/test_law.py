"""Bounds after changes, against enumeration of outcomes and of classifiers."""

from itertools import product
from math import prod

import numpy as np
import pytest

from sksmooth.noise._categories import _law
from sksmooth.noise._categories._changes import Change
from sksmooth.noise._categories._columns import CategoryColumns
from sksmooth.noise._categories._law import ChangeLaw, law_of

SCHEMES = ("token", "uniform", "draw")


def outcomes(scheme, keep, weights, level):
    """Probability of every outcome of one column: its levels, and the token."""
    n = len(weights)
    law = np.zeros(n + 1)
    if scheme == "token":
        law[n] = 1 - keep
    elif scheme == "uniform":
        law[:n] = (1 - keep) / (n - 1)
        law[level] = 0
    else:
        law[:n] = (1 - keep) * np.array(weights) / sum(weights)
    law[level] += keep
    return law


def law_of_row(scheme, keep, weights, row):
    """Probability of every outcome of a row, as one long array."""
    laws = [outcomes(scheme, keep, w, level) for w, level in zip(weights, row)]
    joint = np.ones(1)
    for law in laws:
        joint = np.multiply.outer(joint, law).ravel()
    return joint


def best_test(before, after, tail):
    """Least probability after, by sorting all outcomes: Neyman and Pearson, in full.

    A class gives up the outcomes that gain most, as far as it may be without them.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        order = np.argsort(-np.where(before > 0, after / before, np.inf))
    left, least = tail, 1.0
    for i in order:
        given_up = min(before[i], left)
        least -= after[i] * (given_up / before[i] if before[i] > 0 else 1.0)
        left -= given_up
    return max(least, 0.0)


def changed_columns(scheme, keep, weights, x, y):
    columns = CategoryColumns(
        keep, scheme, tuple(map(len, weights)), weights if scheme == "draw" else None
    )
    changes = []
    for j, (a, b) in enumerate(zip(x, y)):
        if a == b:
            continue
        if scheme == "draw":
            total = sum(weights[j])
            stray, other = ((1 - keep) * weights[j][level] / total for level in (a, b))
            changes.append(Change(keep, stray, other, max(0, 1 - keep - stray - other)))
        else:
            changes += [columns.worst_changes(None)[j]]
    return tuple(changes)


def random_table(rng, most=3):
    scheme = SCHEMES[rng.integers(3)]
    d = int(rng.integers(1, most + 1))
    weights = tuple(tuple(map(int, rng.integers(1, 9, rng.integers(2, 5)))) for _ in range(d))
    keep = float(np.round(rng.uniform(0.55, 0.95), 2))
    x = tuple(int(rng.integers(len(w))) for w in weights)
    return scheme, keep, weights, x


def test_equals_the_best_test_on_all_outcomes():
    rng, n_changes = np.random.default_rng(0), 0
    for _ in range(40):
        scheme, keep, weights, x = random_table(rng)
        for y in product(*(range(len(w)) for w in weights)):
            before, after = (law_of_row(scheme, keep, weights, row) for row in (x, y))
            law = law_of(changed_columns(scheme, keep, weights, x, y))
            for tail in (0.4, 0.1, 0.01, 1e-4):
                truth = best_test(before, after, tail)
                got = law.worst_case_probability(np.array([tail]))[0]
                assert truth - 3e-12 <= got <= truth + 1e-15
            n_changes += 1
    assert n_changes > 300


def every_classifier(n):
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_classifier_on_up_to_sixteen_outcomes_has_less(scheme):
    keep, weights = (
        (0.3, ((1, 2, 3), (1, 1, 1))) if scheme == "token" else (0.7, ((1, 2, 3, 1),) * 2)
    )
    gaps = []
    for x in product(*(range(len(w)) for w in weights)):
        for y in product(*(range(len(w)) for w in weights)):
            before, after = (law_of_row(scheme, keep, weights, row) for row in (x, y))
            used = (before > 0) | (after > 0)
            if x == y or x > y:
                continue
            classifiers = every_classifier(used.sum())
            p, q = (classifiers @ law[used] for law in (before, after))
            law = law_of(changed_columns(scheme, keep, weights, x, y))
            bound = law.worst_case_probability(np.clip(1 - p, 0, 1))
            assert (bound <= q + 1e-12).all()
            gaps.append((q - bound).min())
    assert min(gaps) < 1e-12  # attained


def test_masses_of_many_changes_sum_to_one():
    rho = 0.2 / 999
    for change, n in (
        (Change(0.8 - rho, rho, rho, 998 * rho), 20),
        (Change(0.1, 0.45, 0.45, 0.0), 400),
        (Change(0.3, 0.35, 0.25, 0.1), 100),
    ):
        law = law_of((change,) * n)
        assert abs(law.before.sum() - 1) < 1e-12
        assert abs(law.after.sum() - 1) < 1e-12


def unlike(n):
    return tuple(
        Change(0.75 - 0.2 / (j + 2), 0.2 / (j + 2), 0.25 / (j + 3), 0.25 - 0.25 / (j + 3))
        for j in range(n)
    )


def test_a_grid_of_ratios_is_on_the_safe_side_and_hardly_below(monkeypatch):
    tail = np.array([0.2, 0.01, 1e-4, 1e-6])
    exact = law_of.__wrapped__(unlike(9)).worst_case_probability(tail)
    monkeypatch.setattr(_law, "_MOST_ATOMS", 0)
    on_grid = law_of.__wrapped__(unlike(9)).worst_case_probability(tail)
    assert (on_grid <= exact * (1 + 1e-12)).all()
    assert (on_grid >= exact * (1 - 1e-3)).all()
    assert (on_grid > 0).any()


def test_merging_ratios_claims_too_much():
    """What the grid must not do: give atoms of unlike ratios one ratio."""
    law = law_of(unlike(6))
    groups = np.floor(law.log_ratio / 0.5).astype(int)
    groups -= groups.min()
    masses = [np.bincount(groups, mass) for mass in (law.before, law.after)]
    merged = ChangeLaw(*(mass[masses[0] > 0] for mass in masses), slack=law.slack)
    tail = np.array([0.01, 1e-3, 1e-4])
    assert (merged.worst_case_probability(tail) > 1.001 * law.worst_case_probability(tail)).any()


def test_a_token_leaves_what_it_hides():
    law = law_of((Change(0.1, 0.0, 0.0, 0.9),) * 2)
    np.testing.assert_allclose(
        law.worst_case_probability(np.array([0.01, 0.3, 0.9])), [0.8, 0.51, 0.0], rtol=1e-12
    )


def test_nothing_is_left_where_noise_hides_nothing():
    law = law_of((Change(0.5, 0.0, 0.0, 0.0),))
    assert (law.worst_case_probability(np.array([0.0, 0.5])) == 0).all()


def test_all_is_left_without_a_change():
    tail = np.array([0.0, 0.3, 1.0])
    np.testing.assert_allclose(law_of(()).worst_case_probability(tail), 1 - tail, rtol=2e-13)


def test_kinds_of_changes_are_independent():
    kinds = Change(0.5, 0.1, 0.1, 0.3), Change(0.6, 0.2, 0.05, 0.15)
    law = law_of((kinds[0], kinds[1], kinds[1]))
    pairs = [
        (prod(a.before for a in atoms), prod(a.after for a in atoms))
        for atoms in product(kinds[0].atoms(), kinds[1].atoms(), kinds[1].atoms())
    ]
    before, after = np.array(pairs).T
    for tail in (0.3, 0.05, 0.001):
        got = law.worst_case_probability(np.array([tail]))[0]
        assert abs(got - best_test(before, after, tail)) < 1e-12
