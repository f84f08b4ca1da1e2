"""Columns of a table in unlike units, some of which bear no noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Layout:
    """Which columns bear noise, and in which units.

    The numbers that noise is added to are those of the user over the scale of their column. The
    model is given them times the scale again.

    Attributes
    ----------
    scale : ndarray of shape (n_columns,)
        What noise of size 1 means in a column, in the units of X; 0 where there is none.
    table : TableSchema or None
        Categorical columns, of scale 0, and the noise on them.
    """

    scale: NDArray[np.float64]
    table: Any = None

    @property
    def noisy(self) -> NDArray[np.bool_]:
        """Columns that bear noise."""
        return self.scale > 0

    @property
    def units(self) -> NDArray[np.float64]:
        """What numbers are in multiples of; columns without noise stay as they are."""
        return np.where(self.noisy, self.scale, 1.0)

    def scaled(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the numbers of X in scaled units, off by half a unit in the last place."""
        return np.divide(values, self.units, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class ToUnitsOfX:
    """The way back from scaled units to what the user gave.

    Attributes
    ----------
    units : ndarray of shape (n_columns,)
        Of :class:`Layout`.
    to_container : callable
        Takes values in the units of X.
    """

    units: NDArray[np.float64]
    to_container: Any

    @property
    def columns(self) -> Any:
        """Labels of the columns of a DataFrame; None for arrays."""
        return getattr(self.to_container, "columns", None)

    @property
    def by_name(self) -> Any:
        """What tells equal categories from others by their names; None for arrays."""
        return getattr(self.to_container, "by_name", None)

    def __call__(self, values: NDArray[Any]) -> Any:
        """Return values in scaled units as the model takes them."""
        return self.to_container(np.multiply(values, self.units, dtype=values.dtype))
