"""When to look at votes that come in, and what of alpha each look may spend."""

from __future__ import annotations

import math
from typing import NamedTuple

from sksmooth.arguments._numbers import read_count

# Most rows are decided within a hundred draws; a finer growth saves little.
_FIRST_LOOK, _LOOK_GROWTH, _MOST_LOOKS = 64, 1.5, 60

# The first call spends this part of alpha, and each later one this part of what is left.
_PART_OF_A_CALL = 0.9


class Look(NamedTuple):
    """A moment at which votes are looked at, and what of alpha it may spend.

    Attributes
    ----------
    n_draws : int
        Votes per row at this moment.
    alpha_spent : float
        Part of alpha that the bounds of this moment have, between 0 and 1.
    """

    n_draws: int
    alpha_spent: float


def plan_looks(cap: int, n_earlier_calls: int = 0) -> list[Look]:
    """Plan when to look at votes that come in, at a joint level.

    A group-sequential plan: the exact bound of Clopper and Pearson is evaluated at numbers of
    draws that grow geometrically, each time with a part of alpha fixed in advance. By the union
    bound the lower bounds of all looks hold together with probability ``1 - alpha``, so sampling
    may stop at any of them, for any reason. Half of the first call's part of alpha is kept for
    the cap, where a row that is hard to decide gets almost the bound of a fixed number of draws.

    Sampling may be taken up again. Later calls have parts of alpha of their own, and because their
    cap may have been chosen after the first votes were seen, they look only at numbers of draws
    (and spend only parts) that do not depend on it.

    Parameters
    ----------
    cap : int
        Largest number of draws.
    n_earlier_calls : int, default=0
        Number of plans that were already followed for the same rows. Call number i (from 0) has
        ``0.9 * 0.1 ** i`` of alpha; all calls together have no more than all of it.

    Returns
    -------
    looks : list of Look
        With increasing numbers of draws. The last is at `cap` in the first call, and the last of
        64, 96, 144, ... up to it in later ones.

    References
    ----------
    .. [1] Jennison, C. and Turnbull, B. W. (1999). Group sequential methods with applications to
       clinical trials. Chapman and Hall, chapter 7 (error spending).

    Examples
    --------
    >>> from sksmooth.bounds import plan_looks
    >>> [look.n_draws for look in plan_looks(1000)]
    [64, 96, 144, 216, 324, 486, 729, 1000]
    >>> round(sum(look.alpha_spent for look in plan_looks(1000)), 12)
    0.9
    """
    cap, n_earlier_calls = (
        read_count("cap", cap, 1),
        read_count("n_earlier_calls", n_earlier_calls, 0),
    )
    part = _PART_OF_A_CALL * (1 - _PART_OF_A_CALL) ** n_earlier_calls
    grid = [math.ceil(_FIRST_LOOK * _LOOK_GROWTH**i) for i in range(_MOST_LOOKS)]
    if n_earlier_calls:
        return [Look(n, part / _MOST_LOOKS) for n in grid if n <= cap]
    early = [n for n in grid if n < cap]
    of_cap = part / 2 if early else part
    return [*(Look(n, part / 2 / len(early)) for n in early), Look(cap, of_cap)]
