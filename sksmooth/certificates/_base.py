"""What all certificates share: a frozen record with one entry per input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates._error_budget import ErrorBudget

Self = TypeVar("Self", bound="Certificate")


class Certificate:
    """Base class of the records. A subclass is a frozen dataclass.

    Attributes
    ----------
    ROW_FIELDS : tuple of str
        Names of the fields with one entry per row (or None).
    prediction : ndarray of shape (m, ...)
        Answers.
    budget : ErrorBudget or None
        Who gets which part of alpha. None: the statement is exact.
    """

    ROW_FIELDS: ClassVar[tuple[str, ...]]
    prediction: NDArray[Any]
    budget: ErrorBudget | None

    @property
    def alpha(self) -> float | None:
        """Probability that the statement is wrong; None: it is exact."""
        return None if self.budget is None else self.budget.alpha

    @property
    def n_simultaneous(self) -> int:
        """Number of statements among which `alpha` is shared."""
        return 1 if self.budget is None else self.budget.n_statements

    @classmethod
    def concatenate(cls: type[Self], certificates: Iterable[Self]) -> Self:
        """Join the certificates of several batches of rows, in order.

        Parameters
        ----------
        certificates : iterable of certificates
            At least one. They must agree in everything but their rows.

        Returns
        -------
        certificate : object of the class

        Raises
        ------
        ValueError
            If there are none, if they were made in different ways, or if they are joint
            statements about rows.
        """
        parts = list(certificates)
        if not parts:
            raise ValueError("concatenate needs at least one certificate.")
        first = parts[0]
        for other in parts[1:]:
            first._refuse_to_join(other)
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in first._row_fields()
        }
        if first.budget is not None and len(parts) > 1:
            budgets: Any = [part.budget for part in parts]
            joined["budget"] = ErrorBudget.joined(budgets, [len(part) for part in parts])
        return _replaced(first, joined)

    def _refuse_to_join(self: Self, other: Self) -> None:
        mine, theirs = self._kind(), other._kind()
        for name, value in mine.items():
            if value != theirs[name]:
                raise ValueError(
                    f"Certificates of different kinds cannot be joined: {name} is {value} in one "
                    f"and {theirs[name]} in another."
                )

    def _kind(self) -> dict[str, Any]:
        """Return what certificates have to agree in to be joined."""
        fixed = {n: _as_text(v) for n, v in vars(self).items() if n not in self.ROW_FIELDS}
        given = {n: "not given" if getattr(self, n) is None else "given" for n in self.ROW_FIELDS}
        shared = () if self.budget is None else ("n_statements", "n_calls")
        level = {"alpha": self.alpha, **{n: getattr(self.budget, n) for n in shared}}
        fixed.pop("budget")
        return {**level, **fixed, **given}

    def _row_fields(self) -> list[str]:
        return [name for name in self.ROW_FIELDS if getattr(self, name) is not None]

    def __len__(self) -> int:
        return len(self.prediction)

    def __getitem__(self: Self, rows: Any) -> Self:
        if isinstance(rows, (int, np.integer)):
            rows = [range(len(self))[rows]]  # also raises IndexError, which ends a loop
        chosen: dict[str, Any] = {name: getattr(self, name)[rows] for name in self._row_fields()}
        budget: Any = None if self.budget is None else self.budget[rows]
        return _replaced(self, {"budget": budget, **chosen})


def _replaced(certificate: Self, values: dict[str, Any]) -> Self:
    replaced: Self = replace(certificate, **values)  # type: ignore[type-var]
    return replaced


def _as_text(value: Any) -> str:
    return str(value.tolist()) if isinstance(value, np.ndarray) else str(value)
