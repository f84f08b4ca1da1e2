"""What all certificates share: a frozen record with one entry per row of X."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from html import escape
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sksmooth._optional import import_extra
from sksmooth.certificates._error_budget import ErrorBudget
from sksmooth.certificates._raw_units import ball, box, budgets, checked_widths
from sksmooth.certificates._storage import from_dict, read, to_dict, write
from sksmooth.inputs._containers import Inputs
from sksmooth.noise import Noise

Self = TypeVar("Self", bound="Certificate")


class Certificate:
    """Base class of the records. A subclass is a frozen dataclass.

    A certificate owns its values: arrays are read-only, and what it is made from is copied.

    Attributes
    ----------
    ROW_FIELDS : tuple of str
        Names of the fields with one entry per row (or None).
    prediction : ndarray of shape (m, ...)
        Answers.
    budget : ErrorBudget or None
        Who gets which part of alpha. None: the statement is exact.
    index : pandas.Index or None
        Index of the X that was certified, where it had one.
    feature_scale : ndarray of shape (n_columns,) or None
        Scale of each column: radii are in scaled units, and columns of scale 0 do not change.
        None: radii are in the units of X.
    """

    ROW_FIELDS: ClassVar[tuple[str, ...]]
    prediction: NDArray[Any]
    budget: ErrorBudget | None
    index: Any
    feature_scale: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Take possession of the values."""
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                object.__setattr__(self, name, _read_only(value))
            elif isinstance(value, Noise):
                object.__setattr__(self, name, value.frozen())
        if self.budget is not None and isinstance(self.budget.spent, np.ndarray):
            spent = _read_only(self.budget.spent)
            object.__setattr__(self, "budget", replace(self.budget, spent=spent))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

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
        TypeError
            If one of them is something else.
        ValueError
            If there are none, if they were made in different ways, or if they are joint
            statements about rows.
        """
        parts = list(certificates)
        if not parts:
            raise ValueError("concatenate needs at least one certificate.")
        first = parts[0]
        for other in parts:
            if type(other) is not cls:
                raise TypeError(f"Only {cls.__name__}s can be joined, got {type(other).__name__}.")
        for other in parts[1:]:
            first._refuse_to_join(other)
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in first._row_fields()
        }
        if first.budget is not None and len(parts) > 1:
            budgets: Any = [part.budget for part in parts]
            joined["budget"] = ErrorBudget.joined(budgets, [len(part) for part in parts])
        if all(part.index is not None for part in parts):
            joined["index"] = first.index.append([part.index for part in parts[1:]])
        return _replaced(first, {"index": None, **joined})

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
        others = (*self.ROW_FIELDS, "budget", "index", "fit_id")
        fixed = {n: _as_text(v) for n, v in vars(self).items() if n not in others}
        given = {n: "not given" if getattr(self, n) is None else "given" for n in self.ROW_FIELDS}
        shared = () if self.budget is None else ("n_statements", "n_calls")
        level = {"alpha": self.alpha, **{n: getattr(self.budget, n) for n in shared}}
        return {**level, **fixed, **given}

    def _row_fields(self) -> list[str]:
        return [name for name in self.ROW_FIELDS if getattr(self, name) is not None]

    def with_index(self: Self, index: Any) -> Self:
        """Return the certificate with the index of the X that was certified, or None."""
        return _replaced(self, {"index": index})

    def of_inputs(self: Self, inputs: Inputs) -> Self:
        """Return the certificate with the index and the scale of the inputs that it is about."""
        return _replaced(self, {"index": inputs.index, "feature_scale": inputs.scale})

    @property
    def _input_ball(self) -> tuple[NDArray[np.float64], float]:
        """Radius of the inputs that are covered, and its norm."""
        raise NotImplementedError

    def _scale(self) -> NDArray[np.float64]:
        """Scale of each column; ones where radii are in the units of X."""
        if self.feature_scale is not None:
            return self.feature_scale
        n_features = getattr(self, "n_features", None)
        if n_features is None:
            raise ValueError(
                "The number of columns is not known to this certificate. Set feature_scale of the "
                "estimator, for instance to an array of ones."
            )
        return np.ones(n_features)

    def column_budget(self) -> NDArray[np.float64]:
        """How far each column may move, if it is the only one that does.

        Returns
        -------
        budget : ndarray of shape (m, n_columns)
            In the units of X: the radius times the scale of the column, rounded down. 0 for
            columns of scale 0: they must not change.
        """
        return budgets(self._input_ball[0], self._scale())

    def raw_radius(self, p: float) -> NDArray[np.float64]:
        """Radius of the largest lp ball in the units of X in which the statement holds.

        Parameters
        ----------
        p : float
            From 1 to ``numpy.inf``.

        Returns
        -------
        radius : ndarray of shape (m,)
            Rounded down; of perturbations that leave columns of scale 0 as they are.
        """
        if not (isinstance(p, Real) and p >= 1):
            raise ValueError(f"p must be a number in [1, inf], got {p!r}.")
        radius, norm = self._input_ball
        return ball(radius, self._scale(), norm, float(p))

    def largest_box(self, widths: ArrayLike | None = None) -> NDArray[np.float64]:
        """Half-widths of the largest box in which the statement holds.

        Parameters
        ----------
        widths : array-like of shape (n_columns,), default=None
            Shape of the box: its half-widths up to a factor, in the units of X. None: the scale
            of the columns.

        Returns
        -------
        half_widths : ndarray of shape (m, n_columns)
            In the units of X, rounded down: each column may move by its own, all at once.
        """
        radius, norm = self._input_ball
        scale = self._scale()
        return box(radius, scale, norm, checked_widths(widths, scale))

    def __len__(self) -> int:
        return len(self.prediction)

    def __getitem__(self: Self, rows: Any) -> Self:
        chosen_rows = self._positions(rows)
        chosen: dict[str, Any] = {n: getattr(self, n)[chosen_rows] for n in self._row_fields()}
        budget: Any = None if self.budget is None else self.budget[chosen_rows]
        index = None if self.index is None else self.index[chosen_rows]
        return _replaced(self, {"budget": budget, "index": index, **chosen})

    def _positions(self, rows: Any) -> Any:
        """Return rows as numpy takes them: one axis stays one axis."""
        if isinstance(rows, slice):
            return rows
        if isinstance(rows, (int, np.integer)) and not isinstance(rows, bool):
            return [range(len(self))[rows]]  # also raises IndexError, which ends a loop
        positions = np.asarray(rows)
        if positions.size == 0 and positions.ndim == 1:
            return positions.astype(np.intp)
        is_mask = positions.dtype.kind == "b" and positions.shape == (len(self),)
        if not (is_mask or (positions.dtype.kind in "iu" and positions.ndim == 1)):
            raise IndexError(
                f"Rows of a certificate are chosen by a whole number, a slice, a mask of length "
                f"{len(self)} or an array of whole numbers; got {rows!r}."
            )
        return positions

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, theirs = to_dict(self), to_dict(other)
        mine.pop("fit_id", None), theirs.pop("fit_id", None)  # two fits may agree in everything
        return bool(mine == theirs)

    __hash__ = None  # type: ignore[assignment]

    def _constants(self) -> dict[str, Any]:
        """Return what the statement is about, as columns that are the same in every row."""
        constants = {"alpha": self.alpha, "n_simultaneous": self.n_simultaneous}
        return constants if self.feature_scale is None else {**constants, "units": "scaled"}

    @property
    def _in_units(self) -> str:
        """Which units radii are in, where it is not those of X."""
        if self.feature_scale is None:
            return ""
        categories = getattr(self, "categories", None)
        n_fixed = int((self.feature_scale == 0).sum()) - len(categories or ())
        fixed = f"; {n_fixed} of {len(self.feature_scale)} columns must not change"
        scaled = not np.isin(self.feature_scale, (0.0, 1.0)).all()
        return " in scaled units" * scaled + fixed * (n_fixed > 0)

    def _framed(self, columns: dict[str, Any], index: Any) -> Any:
        user = f"{type(self).__name__}.to_frame"
        pandas = import_extra("pandas", extra="pandas", user=user)
        constants = {name: [value] * len(self) for name, value in self._constants().items()}
        frame = pandas.DataFrame({**columns, **constants})
        index = self.index if index is None else index
        return frame if index is None else frame.set_axis(index, axis=0)

    def _repr_html_(self) -> str:
        title, *lines = (escape(line) for line in repr(self).split("\n"))
        items = "".join(f"<li>{line.strip()}</li>" for line in lines)
        return f"<div><strong>{title}</strong><ul>{items}</ul></div>"

    def to_dict(self) -> dict[str, Any]:
        """Return the certificate as numbers, texts, lists and dictionaries, exact to the bit.

        Returns
        -------
        record : dict
            What :meth:`from_dict` takes, and :mod:`json` writes.
        """
        return to_dict(self)

    @classmethod
    def from_dict(cls: type[Self], record: dict[str, Any]) -> Self:
        """Return the certificate of a record.

        Parameters
        ----------
        record : dict
            Of :meth:`to_dict`.

        Returns
        -------
        certificate : object of this class

        Raises
        ------
        ValueError
            If it is no record of such a certificate.
        """
        return from_dict(cls, record)

    def save(self, path: str | Path) -> None:
        """Write the certificate to a file, as JSON, exact to the bit and without pickle.

        Parameters
        ----------
        path : str or Path
            File; one whose name ends in ``.gz`` is compressed.

        Raises
        ------
        ValueError
            If the certificate rests on noise or a distance of your own, which no file can hold.
        """
        write(self, path)

    @classmethod
    def load(cls: type[Self], path: str | Path) -> Self:
        """Return a certificate that was saved.

        Parameters
        ----------
        path : str or Path
            File of :meth:`save`.

        Returns
        -------
        certificate : object of this class
            Equal to the one that was saved.
        """
        return from_dict(cls, read(path))


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array that cannot be written to, a copy of one that can."""
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def _replaced(certificate: Self, values: dict[str, Any]) -> Self:
    replaced: Self = replace(certificate, **values)  # type: ignore[type-var]
    return replaced


def _as_text(value: Any) -> str:
    return str(value.tolist()) if isinstance(value, np.ndarray) else str(value)
