"""What class probabilities prove about numbers after the worst changes of categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sksmooth.noise._base import Noise, scaled_down, strongest_together, tail_and_runner_up
from sksmooth.noise._categories._columns import CategoryColumns
from sksmooth.noise._categories._joint import JointTradeOff, joint_trade_off
from sksmooth.noise._categories._law import Array, ChangeLaw
from sksmooth.noise._radii._trade_off import TradeOff


@dataclass(frozen=True, eq=False)
class TradeOffAfterChanges:
    """Least probabilities after the worst changes of categories, and a shift of the numbers.

    Attributes
    ----------
    numeric : TradeOff
        Of the noise on the numbers.
    columns : CategoryColumns
        Noise on the categories.
    n_changes : int
        Number of categorical columns that change.
    """

    numeric: TradeOff
    columns: CategoryColumns
    n_changes: int

    def worst_case_probability(self, tail: Array, r: Array) -> Array:
        """Least probability of a class with ``1 - tail`` here, whatever the levels of the row."""

        def consequence(law: ChangeLaw, some: Any) -> Array:
            joint = JointTradeOff(law, self.numeric) if self.n_changes else self.numeric
            return joint.worst_case_probability(tail[some], r[some])

        return self.columns.after_worst(self.n_changes, None, len(tail), consequence)


@dataclass(frozen=True, eq=False)
class AfterChanges:
    """Noise on numbers whose radii hold after changes of categories, too.

    Attributes
    ----------
    noise : Noise
        Noise on the numbers.
    columns : CategoryColumns
        Noise on the categories.
    n_changes : int
        Number of categorical columns that change.
    levels : ndarray of int of shape (m, d) or (1, d), or None
        Levels of the rows, which matter where levels are drawn with unlike probabilities.
    """

    noise: Noise
    columns: CategoryColumns
    n_changes: int
    levels: NDArray[Any] | None = None

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOffAfterChanges, float]:
        """Trade-off function for the worst changes of any row; see :meth:`Noise.trade_off`."""
        numeric, unit = joint_trade_off(self.noise, n_features, norm)
        return TradeOffAfterChanges(numeric, self.columns, self.n_changes), unit

    def radius(
        self,
        p_lower: ArrayLike,
        p_upper: ArrayLike | None = None,
        *,
        n_features: int | None = None,
        norm: float | None = None,
    ) -> Any:
        """Radius within which the class stays the most probable; see :meth:`Noise.radius`."""
        tail, runner_up = tail_and_runner_up(p_lower, p_upper)
        trade_off, unit = joint_trade_off(self.noise, n_features, norm)

        def consequence(law: ChangeLaw, some: Any) -> Array:
            joint = JointTradeOff(law, trade_off) if self.n_changes else trade_off
            return joint.radius(tail.ravel()[some], runner_up.ravel()[some])

        radius = self.columns.after_worst(self.n_changes, self.levels, tail.size, consequence)
        return scaled_down(radius.reshape(tail.shape), unit)[()]

    def top_radius(
        self,
        p_lower: ArrayLike,
        p_others: ArrayLike,
        top_k: int,
        *,
        n_features: int | None = None,
        norm: float | None = None,
    ) -> Any:
        """Radius within which the class stays among the first; see :meth:`Noise.top_radius`."""
        tail, _ = tail_and_runner_up(p_lower, None)
        trade_off, unit = joint_trade_off(self.noise, n_features, norm)
        together = strongest_together(p_others, top_k, tail)
        if together is None:
            return np.full(tail.shape, np.inf)[()]
        together = together.reshape(tail.size, top_k)

        def consequence(law: ChangeLaw, some: Any) -> Array:
            joint = JointTradeOff(law, trade_off) if self.n_changes else trade_off
            return joint.top_radius(tail.ravel()[some], together[some])

        radius = self.columns.after_worst(self.n_changes, self.levels, tail.size, consequence)
        return scaled_down(radius.reshape(tail.shape), unit)[()]
