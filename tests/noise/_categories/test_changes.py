"""Which columns an adversary changes."""

from itertools import combinations

import numpy as np

from sksmooth.noise._categories import _changes
from sksmooth.noise._categories._changes import Change, worst_case
from sksmooth.noise._categories._law import law_of

KEEP = 0.6


def drawn(stray, other):
    return Change(KEEP, stray, other, max(0.0, 1 - KEEP - stray - other))


def random_columns(rng, n):
    return [drawn(*(0.18 * rng.random(2))) for _ in range(n)]


def left(sets, tail):
    return np.min([law_of(tuple(changes)).worst_case_probability(tail) for changes in sets], axis=0)


TAILS = np.array([0.3, 0.1, 0.03, 0.01, 0.001, 1e-5])


def test_unordered_columns_against_all_sets():
    rng, n_wrong = np.random.default_rng(0), 0
    for _ in range(60):
        d = int(rng.integers(2, 7))
        s, columns = int(rng.integers(1, d + 1)), random_columns(rng, d)
        (found,) = worst_case(columns, s).options
        truth = left(combinations(columns, s), TAILS)
        np.testing.assert_allclose(left(found, TAILS), truth, rtol=1e-12)
        by_stray = sorted(columns, key=lambda change: change.stray)[:s]
        n_wrong += (left([by_stray], TAILS) > truth * (1 + 1e-9)).any()
    assert n_wrong > 20  # the rarest present levels alone are not the worst choice


def test_ordered_columns_need_one_set():
    columns = [drawn(x, x) for x in (0.1, 0.02, 0.15, 0.02)]
    ((only,),) = worst_case(columns, 2).options
    assert only == (drawn(0.02, 0.02),) * 2


def test_too_many_sets_are_bounded_from_below(monkeypatch):
    rng = np.random.default_rng(1)
    n_near = 0
    for _ in range(40):
        columns = random_columns(rng, 6)
        truth = left(combinations(columns, 3), TAILS)
        monkeypatch.setattr(_changes, "_MOST_SETS", 0)
        options = worst_case(columns, 3).options
        monkeypatch.undo()
        assert len(options) == 2
        for option in options:
            bound = left(option, TAILS)
            assert (bound <= truth * (1 + 1e-12)).all()
            n_near += (bound > 0.3 * truth).any()
    assert n_near > 10  # it is a bound of some use


def test_the_search_gives_up_where_there_are_too_many_steps(monkeypatch):
    columns = random_columns(np.random.default_rng(2), 8)
    monkeypatch.setattr(_changes, "_MOST_STEPS", 5)
    assert len(worst_case(columns, 4).options) == 2


def test_no_change_and_more_changes_than_columns():
    columns = random_columns(np.random.default_rng(3), 3)
    assert worst_case(columns, 0).options == (((),),)
    assert worst_case(columns, 9) == worst_case(columns, 3)
    assert worst_case([], 2).options == (((),),)


def test_columns_that_differ_by_rounding_only_are_not_waited_for_in_a_circle():
    columns = [Change(KEEP, 0.1, 0.1, 0.2), Change(KEEP, 0.1, 0.1, np.nextafter(0.2, 1))]
    ((only,),) = worst_case(columns, 1).options
    assert only[0] in columns
