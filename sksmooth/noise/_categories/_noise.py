"""Noise on categories: the public distribution."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from sksmooth.arguments._numbers import read_probabilities
from sksmooth.noise._base import Noise, strongest_together, tail_and_runner_up, tail_of
from sksmooth.noise._categories._after import AfterChanges
from sksmooth.noise._categories._columns import CategoryColumns, lead, top_lead
from sksmooth.noise._categories._law import Array, ChangeLaw

SCHEMES = ("draw", "token", "uniform")

# Units of the probabilities of levels: they are drawn by whole numbers.
_UNITS = 2**52


class CategoryNoise(BaseEstimator):
    """Noise that replaces the level of a categorical column now and then.

    Each column is left alone with probability `keep`, independently of the others. What votes
    under this noise prove is how many columns an adversary can change, each to any level. No
    distance between levels is assumed.

    Parameters
    ----------
    keep : float, default=0.8
        Probability with which a column is left alone, in (0, 1).
    scheme : {"uniform", "token", "draw"}, default="uniform"
        What a column that is not left alone becomes: any other level, with equal probabilities;
        a token that says that the level is missing; or a level that is drawn with fixed
        probabilities, whatever it was.
    probabilities : sequence of array-like, default=None
        For ``scheme="draw"``: the probability of every level, for each column. None: all levels
        of a column are equally probable.

    Notes
    -----
    All bounds are exact: for each there is a classifier that attains it. Which columns change, and
    to what, is the worst choice: with "uniform" the columns with the most levels, with "draw"
    the rarest other level of each. With "token" all columns and levels are alike, seen before or
    not; with the others, only changes to levels that are counted (or, with "draw", to levels of
    probability 0) are covered.

    A token proves something for classes with little more than one half, if `keep` is small: one
    change needs ``keep < 0.5``. Replacement works with any `keep`, and needs probabilities near
    one.

    References
    ----------
    .. [1] Lee, G.-H., Yuan, Y., Chang, S. and Jaakkola, T. (2019). Tight certificates of
       adversarial robustness for randomly smoothed classifiers. NeurIPS 2019 ("uniform").
    .. [2] Levine, A. and Feizi, S. (2020). Robustness certificates for sparse adversarial attacks
       by randomized ablation. AAAI 2020 ("token").
    .. [3] Bojchevski, A., Klicpera, J. and Guennemann, S. (2020). Efficient robustness
       certificates for discrete data: sparsity-aware randomized smoothing for graphs, images and
       more. ICML 2020 (levels in groups of equal likelihood ratio).

    Examples
    --------
    >>> from sksmooth.noise import CategoryNoise
    >>> noise = CategoryNoise(keep=0.8, scheme="uniform")
    >>> print(noise.least_probability([0.97, 0.999], changes=1, n_levels=[3, 5]).round(3))
    [0.52  0.984]
    >>> print(noise.largest_changes([0.97, 0.999], n_levels=[3, 5]))
    [1 2]
    """

    def __init__(
        self,
        keep: float = 0.8,
        scheme: str = "uniform",
        probabilities: Sequence[ArrayLike] | None = None,
    ) -> None:
        self.keep = keep
        self.scheme = scheme
        self.probabilities = probabilities

    def check_parameters(self) -> None:
        """Raise a ValueError that names the first parameter that describes no distribution."""
        if not (isinstance(self.keep, Real) and 0 < self.keep < 1):
            raise ValueError(
                "The 'keep' parameter of CategoryNoise must be a number between 0 and 1, both "
                f"excluded. Got {self.keep!r} instead."
            )
        if self.scheme not in SCHEMES:
            raise ValueError(
                f"The 'scheme' parameter of CategoryNoise must be one of {', '.join(SCHEMES)}. "
                f"Got {self.scheme!r} instead."
            )
        if self.probabilities is not None and self.scheme != "draw":
            raise ValueError(
                f"probabilities have no meaning for scheme={self.scheme!r}. Leave them out, or use "
                "scheme='draw'."
            )

    def columns(self, n_levels: Sequence[int] | None = None) -> CategoryColumns:
        """Return the noise on columns with some numbers of levels.

        Parameters
        ----------
        n_levels : sequence of int of length d, optional
            Number of levels of each column, all that an adversary may use; may be left out where
            `probabilities` are given.

        Returns
        -------
        columns : CategoryColumns

        Raises
        ------
        ValueError
            If a parameter describes no distribution on these columns.
        """
        self.check_parameters()
        weights = None
        if self.probabilities is not None:
            weights = tuple(_weights(j, p) for j, p in enumerate(self.probabilities))
            lengths = [len(w) for w in weights]
            if n_levels is not None and list(n_levels) != lengths:
                raise ValueError(
                    f"n_levels={list(n_levels)} does not agree with probabilities, which are for "
                    f"columns of {lengths} levels."
                )
            n_levels = lengths
        n_levels = _checked_levels(n_levels)
        if self.scheme == "draw" and weights is None:
            weights = tuple((1,) * n for n in n_levels)
        if self.scheme == "uniform":
            self._refuse_misleading(n_levels)
        return CategoryColumns(float(self.keep), self.scheme, n_levels, weights)

    def _refuse_misleading(self, n_levels: tuple[int, ...]) -> None:
        fewest = min((n for n in n_levels if n > 1), default=None)
        if fewest is not None and self.keep * fewest < 1:
            raise ValueError(
                f"keep={self.keep!r} is below 1/{fewest}: in a column with {fewest} levels every "
                f"other level would be more probable than the one that is there. Use keep of "
                f"{1 / fewest:.4g} or more, or scheme='token'."
            )

    def draw(
        self, n: int, rng: np.random.Generator, *, n_levels: Sequence[int] | None = None
    ) -> NDArray[np.int64]:
        """Draw noise that does not depend on any row.

        Parameters
        ----------
        n : int
            Number of independent draws.
        rng : numpy.random.Generator
            Source of randomness.
        n_levels : sequence of int of length d, optional
            Number of levels of each column; may be left out where `probabilities` are given.

        Returns
        -------
        draws : ndarray of int of shape (n, d)
            For :meth:`apply`.
        """
        return self.columns(n_levels).draw(n, rng)

    def apply(
        self, levels: ArrayLike, draws: NDArray[np.int64], *, n_levels: Sequence[int] | None = None
    ) -> NDArray[Any]:
        """Perturb levels by draws, with the broadcasting rules of numpy.

        Parameters
        ----------
        levels : array-like of int of shape (..., d)
            Positions of the levels of each row.
        draws : ndarray of int of shape (..., d)
            Of :meth:`draw`.
        n_levels : sequence of int of length d, optional
            As for :meth:`draw`.

        Returns
        -------
        noisy : ndarray of int
            Positions of levels; -1 for the token.

        Examples
        --------
        >>> import numpy as np
        >>> from sksmooth.noise import CategoryNoise
        >>> noise = CategoryNoise(keep=0.8, scheme="token")
        >>> draws = noise.draw(3, np.random.default_rng(1), n_levels=[2, 5])
        >>> print(noise.apply([1, 4], draws, n_levels=[2, 5]))
        [[ 1 -1]
         [ 1 -1]
         [ 1  4]]
        """
        columns = self.columns(n_levels)
        rows = _checked_rows(np.asarray(levels).reshape(-1, len(columns)), columns)
        assert rows is not None
        return columns.apply(rows.reshape(np.shape(levels)), draws)

    def least_probability(
        self,
        p: ArrayLike,
        *,
        changes: int,
        n_levels: Sequence[int] | None = None,
        levels: ArrayLike | None = None,
    ) -> Any:
        """Least probability of a class after the worst changes of some columns.

        Parameters
        ----------
        p : float or array-like
            Probability of the class (or a lower bound) before the changes.
        changes : int
            Number of columns that are changed, each to any other level. More than there are count
            as all of them.
        n_levels : sequence of int of length d, optional
            Number of levels of each column; may be left out where `probabilities` are given.
        levels : array-like of int of shape (d,) or (m, d), optional
            Positions of the levels of each row among those of `probabilities`. They only matter
            with ``scheme="draw"``. None: the worst that a row can hold.

        Returns
        -------
        p_least : float or ndarray
            Rounded down.
        """
        columns, n_changes, rows = self._read(changes, n_levels, levels)
        tail = tail_of("p", p)

        def consequence(law: ChangeLaw, some: Any) -> Array:
            return law.worst_case_probability(tail.ravel()[some])

        left = columns.after_worst(n_changes, rows, tail.size, consequence)
        return left.reshape(tail.shape)[()]

    def largest_probability(
        self,
        p: ArrayLike,
        *,
        changes: int,
        n_levels: Sequence[int] | None = None,
        levels: ArrayLike | None = None,
    ) -> Any:
        """Largest probability of a class after the worst changes; see :meth:`least_probability`.

        Returns
        -------
        p_largest : float or ndarray
            Rounded up.
        """
        columns, n_changes, rows = self._read(changes, n_levels, levels)
        others = read_probabilities("p", p)

        def consequence(law: ChangeLaw, some: Any) -> Array:
            return law.worst_case_probability(others.ravel()[some])

        left = columns.after_worst(n_changes, rows, others.size, consequence)
        return np.minimum(1.0 - left + 2e-16, 1.0).reshape(others.shape)[()]

    def largest_changes(
        self,
        p_lower: ArrayLike,
        p_upper: ArrayLike | None = None,
        *,
        n_levels: Sequence[int] | None = None,
        levels: ArrayLike | None = None,
    ) -> Any:
        """Largest number of columns that can change while the class stays the most probable.

        Parameters
        ----------
        p_lower : float or array-like
            Lower bound of the probability of the predicted class.
        p_upper : float or array-like, optional
            Upper bound of the probability of every other class. By default ``1 - p_lower``.
        n_levels, levels
            As in :meth:`least_probability`.

        Returns
        -------
        n_changes : int or ndarray of int
            At most the number of columns; 0 where the class may not even be ahead.
        """
        columns, _, rows = self._read(0, n_levels, levels)
        tail, runner_up = tail_and_runner_up(p_lower, p_upper)

        def consequence(law: ChangeLaw, some: Any) -> Array:
            return lead(law, tail.ravel()[some], runner_up.ravel()[some])

        largest = _largest(columns, rows, tail.size, consequence)
        return largest.reshape(tail.shape)[()]

    def largest_top_changes(
        self,
        p_lower: ArrayLike,
        p_others: ArrayLike,
        top_k: int,
        *,
        n_levels: Sequence[int] | None = None,
        levels: ArrayLike | None = None,
    ) -> Any:
        """Largest number of columns that can change while a class stays among the `top_k` ones.

        Parameters
        ----------
        p_lower : array-like of shape (...)
            Lower bounds of the probability of the class.
        p_others : array-like of shape (..., n_classes - 1)
            Upper bounds of the probabilities of all other classes, in any order.
        top_k : int
            At least 1.
        n_levels, levels
            As in :meth:`least_probability`.

        Returns
        -------
        n_changes : int or ndarray of int
        """
        columns, _, rows = self._read(0, n_levels, levels)
        tail, _ = tail_and_runner_up(p_lower, None)
        joint = strongest_together(p_others, top_k, tail)
        if joint is None:
            return np.full(tail.shape, len(columns))[()]
        joint = joint.reshape(tail.size, top_k)

        def consequence(law: ChangeLaw, some: Any) -> Array:
            return top_lead(law, tail.ravel()[some], joint[some])

        largest = _largest(columns, rows, tail.size, consequence)
        return largest.reshape(tail.shape)[()]

    def radius_after(
        self,
        noise: Noise,
        p_lower: ArrayLike,
        p_upper: ArrayLike | None = None,
        *,
        changes: int,
        n_levels: Sequence[int] | None = None,
        levels: ArrayLike | None = None,
        n_features: int | None = None,
        norm: float | None = None,
    ) -> Any:
        """Radius within which numbers can move, too, after the worst changes of categories.

        Parameters
        ----------
        noise : GaussianNoise or LaplaceNoise with ``k=0``, or UniformNoise
            Noise on the numeric columns, independent of that on the categories.
        p_lower : float or array-like
            Lower bound of the probability of the predicted class, under both kinds of noise.
        p_upper : float or array-like, optional
            Upper bound of the probability of every other class. By default ``1 - p_lower``.
        changes : int
            Number of categorical columns that are changed.
        n_levels, levels
            As in :meth:`least_probability`.
        n_features : int, optional
            Number of numeric columns; needed only where the radius depends on it.
        norm : float, optional
            Norm of the radius. By default the natural norm of `noise`.

        Returns
        -------
        radius : float or ndarray
            Rounded down; 0 where the changes alone may change the prediction.

        Raises
        ------
        ValueError
            If no joint certificate is known for the noise.

        Examples
        --------
        >>> from sksmooth.noise import CategoryNoise, GaussianNoise
        >>> categories = CategoryNoise(keep=0.8, scheme="uniform")
        >>> for changes in range(4):
        ...     print(categories.radius_after(
        ...         GaussianNoise(1.0), 0.999, changes=changes, n_levels=[3, 3, 3]
        ...     ).round(2))
        3.09
        2.57
        1.9
        0.0
        """
        columns, n_changes, rows = self._read(changes, n_levels, levels)
        noise.check_parameters()
        after = AfterChanges(noise, columns, n_changes, rows)
        return after.radius(p_lower, p_upper, n_features=n_features, norm=norm)

    def _read(
        self, changes: int, n_levels: Sequence[int] | None, levels: ArrayLike | None
    ) -> tuple[CategoryColumns, int, NDArray[np.intp] | None]:
        columns = self.columns(n_levels)
        if not isinstance(changes, Integral) or changes < 0:
            raise ValueError(f"changes must be a whole number, and not negative; got {changes!r}.")
        return columns, int(changes), _checked_rows(levels, columns)


def _largest(
    columns: CategoryColumns, levels: NDArray[np.intp] | None, n_rows: int, consequence: Any
) -> NDArray[np.intp]:
    """Count the changes until the first number after which a class may be behind."""
    largest = np.zeros(n_rows, np.intp)
    ahead = columns.after_worst(0, levels, n_rows, consequence) > 0
    for n_changes in range(1, len(columns) + 1):
        if not ahead.any():
            break
        ahead &= columns.after_worst(n_changes, levels, n_rows, consequence) > 0
        largest[ahead] = n_changes
    return largest


def _checked_levels(n_levels: Sequence[int] | None) -> tuple[int, ...]:
    if n_levels is None:
        raise ValueError("n_levels is needed: the number of levels of each column.")
    numbers = np.asarray(n_levels)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or (numbers < 1).any():
        raise ValueError(
            f"n_levels must hold the number of levels of each column, at least 1; got {n_levels!r}."
        )
    return tuple(numbers.tolist())


def _checked_rows(levels: ArrayLike | None, columns: CategoryColumns) -> NDArray[np.intp] | None:
    if levels is None:
        return None
    rows = np.atleast_2d(np.asarray(levels))
    counts = np.array(columns.n_levels)
    if rows.shape[-1] != len(counts) or rows.dtype.kind not in "iu":
        raise ValueError(
            f"levels must hold whole numbers for {len(counts)} columns, got {rows.dtype} of shape "
            f"{rows.shape}."
        )
    if (rows < 0).any() or (rows >= counts).any():
        raise ValueError(f"levels must be positions of levels, below {list(counts)}; got {rows}.")
    return rows.astype(np.intp)


def _weights(column: int, probabilities: ArrayLike) -> tuple[int, ...]:
    """Probabilities as whole numbers, which can be drawn exactly."""
    p = np.asarray(probabilities, dtype=float)
    if p.ndim != 1 or not len(p) or not (p >= 0).all() or not abs(p.sum() - 1) < 1e-9:
        raise ValueError(
            f"probabilities of column {column} must be numbers that are not negative and sum to "
            f"1, got {probabilities!r}."
        )
    return tuple(int(w) for w in np.rint(p * _UNITS))
