"""Who gets which part of alpha."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ErrorBudget:
    """The failure probability of a certificate, and how it is shared (union bound).

    Attributes
    ----------
    alpha : float
        Probability that the statement is wrong: that of one input, or of all together where they
        share it.
    n_statements : int
        Number of statements that share alpha: inputs of a joint certificate, radii of a curve.
    n_bounds : int
        Number of confidence bounds that each statement rests on.
    spent : float or ndarray of shape (m,)
        Part of the alpha of an input that its bounds have: 1 where the number of draws was fixed
        in advance; less where sampling stopped when the input was decided; more where it takes over
        parts of others, in the step-down method of Holm.
    n_calls : int
        Number of sequential calls that the votes come from; 0 where the number of draws was fixed
        in advance.
    """

    alpha: float
    n_statements: int = 1
    n_bounds: int = 1
    spent: NDArray[np.float64] | float = 1.0
    n_calls: int = 0

    @property
    def of_one_bound(self) -> Any:
        """Probability that one confidence bound is wrong."""
        return self.spent * (self.alpha / self.n_statements / self.n_bounds)

    def check(self) -> None:
        """Refuse what shares out no failure probability."""
        if not 0 < self.alpha < 0.5:
            raise ValueError(f"alpha must lie in (0, 0.5), got {self.alpha!r}.")
        if not (isinstance(self.n_statements, Integral) and self.n_statements >= 1):
            raise ValueError(
                f"n_statements must be a whole number of at least 1, got {self.n_statements!r}."
            )
        spent = np.asarray(self.spent)
        if not ((spent > 0) & (spent <= self.n_statements)).all():
            most = "1" if self.n_statements == 1 else str(self.n_statements)
            raise ValueError(f"spent must lie in (0, {most}], got {self.spent!r}.")

    def for_bounds(self, n_bounds: int) -> ErrorBudget:
        """Return the budget of statements that rest on so many bounds each."""
        return replace(self, n_bounds=n_bounds)

    def __getitem__(self, rows: Any) -> ErrorBudget:
        spent = np.asarray(self.spent)
        return replace(self, spent=spent[rows]) if spent.ndim else self

    @staticmethod
    def joined(budgets: list[ErrorBudget], lengths: list[int]) -> ErrorBudget:
        """Return the budget of the inputs of several, which differ in what is spent at most."""
        parts = [np.broadcast_to(b.spent, n) for b, n in zip(budgets, lengths, strict=True)]
        if all(np.ndim(b.spent) == 0 and b.spent == budgets[0].spent for b in budgets):
            return budgets[0]
        return replace(budgets[0], spent=np.concatenate(parts))

    def describe(self, statements: str) -> str:
        """Return the level in words; statements that share it are called so."""
        joint = f" jointly for {self.n_statements} {statements}" if self.n_statements > 1 else ""
        return f"alpha={self.alpha:g}{joint}"
