"""What noise makes of one changed category, and which changes are worst.

Noise on a categorical column gives the level that it finds with some probability, and otherwise
something else. When an adversary changes level a to level b, the laws of what comes out differ in
three atoms: a, b and the rest. The change tells no more of itself than their likelihood ratio does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

# More sets of columns than this, none of which is worse than another, are not compared one by one.
_MOST_SETS, _MOST_STEPS = 128, 20_000


class Atom(NamedTuple):
    """An outcome of the noise.

    Attributes
    ----------
    before, after : float
        Its probability where nothing has changed, and where the column has.
    """

    before: float
    after: float


class Change(NamedTuple):
    """A change of one column from level a to level b.

    Attributes
    ----------
    kept : float
        How much more probable level a is where the column is a than where it is b.
    stray : float
        Probability of a where the column is b.
    other : float
        Probability of b where the column is a.
    rest : float
        Probability of everything else, in both cases.
    """

    kept: float
    stray: float
    other: float
    rest: float

    def atoms(self) -> tuple[Atom, Atom, Atom]:
        """Return the three outcomes that differ in their likelihood ratio."""
        return (
            Atom(self.kept + self.stray, self.stray),
            Atom(self.other, self.kept + self.other),
            Atom(self.rest, self.rest),
        )

    def at_least_as_bad_as(self, other: Change) -> bool:
        """Whether no class has more left after this change than after the other one.

        ``E[min(L, m)]`` falls with `kept` and rises with `stray` and with `other`, for every m.
        """
        return self.kept >= other.kept and self.stray <= other.stray and self.other <= other.other


class Worst(NamedTuple):
    """Sets of changes, of which the worst is among the first kind.

    Attributes
    ----------
    options : tuple of tuple of tuple of Change
        Every option holds sets of changes. What holds after each set of one option holds after all
        changes.
    """

    options: tuple[tuple[tuple[Change, ...], ...], ...]


def worst_case(columns: Sequence[Change], n_changes: int) -> Worst:
    """Find the worst changes of some of the columns.

    Parameters
    ----------
    columns : sequence of Change
        The worst change of every column.
    n_changes : int
        Number of columns that change; more than there are count as all of them.

    Returns
    -------
    worst : Worst
        Where columns are not ordered, several sets may be worst, each for some classes. With too
        many of them, two sets of changes that are worse than any are the two options.
    """
    n_changes = min(n_changes, len(columns))
    sets = _minimal_sets(columns, n_changes)
    if sets is not None:
        return Worst((tuple(sets),))
    kept = max(column.kept for column in columns)
    strays = sorted(column.stray for column in columns)
    others = sorted(column.other for column in columns)
    all_rare = tuple(_weakest(kept, stray, others[0]) for stray in strays[:n_changes])
    all_strange = tuple(_weakest(kept, strays[0], other) for other in others[:n_changes])
    return Worst(((all_rare,), (all_strange,)))


def _weakest(kept: float, stray: float, other: float) -> Change:
    """Return a change whose parts need not come from one column; its mass is rounded down."""
    return Change(kept, stray, other, max(0.0, (1.0 - kept - stray - other) - 4e-16))


def _minimal_sets(columns: Sequence[Change], n_changes: int) -> list[tuple[Change, ...]] | None:
    """Find the sets of columns that no other set is worse than; None: too many.

    Every kind of column that is worse than a member has to be used up before it.
    """
    kinds = Counter(columns)
    order = sorted(kinds, key=lambda kind: (-kind.kept, kind.stray, kind.other))
    worse = [[k for k in order[:i] if k.at_least_as_bad_as(kind)] for i, kind in enumerate(order)]
    room = [sum(kinds[kind] for kind in order[i:]) for i in range(len(order) + 1)]
    found: list[tuple[Change, ...]] = []
    open_sets: list[tuple[int, tuple[Change, ...]]] = [(0, ())]
    for _ in range(_MOST_STEPS):
        if not open_sets:
            return found
        if len(found) > _MOST_SETS:
            break
        i, chosen = open_sets.pop()
        missing = n_changes - len(chosen)
        if not missing:
            found.append(chosen)
        elif room[i] >= missing:
            counts = Counter(chosen)
            used_up = all(counts[kind] == kinds[kind] for kind in worse[i])
            most = min(kinds[order[i]], missing) if used_up else 0
            open_sets += [(i + 1, chosen + (order[i],) * n) for n in range(most + 1)]
    return None
