"""What certificates of many rows say of the population that the rows come from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sksmooth.arguments._numbers import read_level
from sksmooth.bounds._proportions import clopper_pearson_lower

_FORMS = ("exact", "independent", "joint", "shared")


def population_lower_bound(
    n_certified: ArrayLike, n_rows: ArrayLike, *, alpha: float, beta: float, noise: str
) -> Any:
    """Lower confidence bound of the part of a population that is robust and right.

    Rows are drawn independently from the population. Some of their certificates may be wrong.

    Parameters
    ----------
    n_certified : int or array-like of int
        Number of rows that are certified and right.
    n_rows : int or array-like of int
        Number of rows.
    alpha : float
        Level of the certificates: of each row, or of all together for "joint". Without meaning for
        "exact".
    beta : float
        Probability that the bound fails; for "joint" it comes on top of `alpha`.
    noise : {"shared", "independent", "joint", "exact"}
        How certificates may fail. "shared": together, as where rows share their draws; their
        number is bounded by Markov's inequality, at half of `beta`. "independent": each with draws
        of its own. "joint": with probability `alpha` for all rows together (Bonferroni, Holm).
        "exact": never.

    Returns
    -------
    lower : float or ndarray
        The bound is exceeded by the true part with probability at least ``1 - beta``
        (``1 - alpha - beta`` for "joint"). No upper bound follows from certificates.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    A row that is not robust is certified with probability at most alpha, so the certified part is
    theta + alpha (1 - theta) at most, on average. With draws of its own for each row the number of
    certified rows is binomial with that part. With shared draws the part of wrong certificates is
    random itself; it exceeds alpha / gamma with probability gamma at most.

    Examples
    --------
    >>> from sksmooth.bounds import population_lower_bound
    >>> for noise in ("shared", "independent"):
    ...     print(f"{population_lower_bound(300, 500, alpha=0.001, beta=0.05, noise=noise):.4f}")
    0.5371
    0.5622
    """
    if noise not in _FORMS:
        raise ValueError(f"noise must be one of {', '.join(_FORMS)}; got {noise!r}.")
    beta = read_level("beta", beta)
    if noise in ("exact", "joint"):
        return clopper_pearson_lower(n_certified, n_rows, beta)
    wrong = read_level("alpha", alpha)
    if noise == "shared":
        wrong, beta = wrong / (beta / 2) * (1.0 + 1e-15), beta / 2
    observed = clopper_pearson_lower(n_certified, n_rows, beta)
    if wrong >= 1:
        return np.zeros_like(observed)[()]
    return np.maximum((observed - wrong) / (1.0 - wrong) - 1e-15, 0.0)[()]
