"""Tables with categorical columns: levels as whole numbers, and the user's frame again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.inputs._containers import Inputs, read_inputs
from sksmooth.inputs._schema import InputSchema

# A level a that noise changes is the number a + STRIDE * v, where v says how: noise is added to
# categories as to numbers, and what the sum means is known to the container.
STRIDE = 2**26


@dataclass(frozen=True, eq=False)
class CategoryColumn:
    """A categorical column.

    Attributes
    ----------
    position : int
        Among all columns.
    label : object
        Name of the column.
    levels : tuple
        Every level; None stands for a missing value.
    missing : object
        What a missing value is in this column: that which was met first. Models tell None and NaN
        apart.
    """

    position: int
    label: Any
    levels: tuple[Any, ...]
    missing: Any = None


@dataclass(frozen=True, eq=False)
class TableSchema:
    """Categorical columns of a table.

    Attributes
    ----------
    categories : tuple of CategoryColumn
        In the order of the columns.
    law : CategoryColumns or None
        Noise on them; None: they bear none.
    template : DataFrame
        That of fit, without rows: its class, labels and dtypes.
    """

    categories: tuple[CategoryColumn, ...]
    law: Any
    template: Any

    @property
    def positions(self) -> NDArray[np.intp]:
        """Positions of the categorical columns."""
        return np.array([column.position for column in self.categories], np.intp)


@dataclass(frozen=True, eq=False)
class TableOf:
    """Rebuild a data frame from numbers and the numbers of levels.

    Attributes
    ----------
    schema : TableSchema
        Of fit, with the levels of what was read.
    """

    schema: TableSchema

    @property
    def columns(self) -> Any:
        """Labels of the columns."""
        return self.schema.template.columns

    def __call__(self, values: NDArray[Any]) -> Any:
        """Return values, and levels that noise may have changed, as the user gave them."""
        columns = {label: values[:, j] for j, label in enumerate(self.columns)}
        how, codes = np.divmod(np.rint(values[:, self.schema.positions]).astype(np.int64), STRIDE)
        if self.schema.law is not None:
            codes = self.schema.law.apply(codes, how)
        for column, of_column in zip(self.schema.categories, codes.T, strict=True):
            columns[column.label] = self._column(column, of_column)
        return type(self.schema.template)(columns)

    def by_name(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values with a number for the name of each level.

        Levels that were not seen at fit are numbered anew in each call: their codes do not tell
        them apart.
        """
        named = values.copy()
        for column in self.schema.categories:
            names = np.array([_number_of(level) for level in column.levels])
            named[:, column.position] = names[values[:, column.position].astype(np.intp)]
        return named

    def _column(self, column: CategoryColumn, codes: NDArray[np.int64]) -> Any:
        like = self.schema.template[column.label]
        if str(like.dtype) == "category":  # of pandas; the token and missing values have no code
            known = np.where(codes < len(like.cat.categories), codes, -1)
            return type(like.array).from_codes(known, dtype=like.dtype)
        names = [column.missing if level is None else level for level in column.levels]
        levels = np.empty(len(names) + 1, dtype=object)
        levels[:] = [*names, column.missing]  # the token is the last
        if hasattr(like, "iloc"):
            return type(like)(levels[codes], dtype=like.dtype)
        return type(like)(column.label, levels[codes].tolist(), dtype=like.dtype)


def _number_of(level: Any) -> float:
    """Return a whole number below 2 ** 52 that only equal levels share, but for chance."""
    return float(int.from_bytes(sha256(repr(level).encode()).digest()[:6], "big"))


def category_labels(X: Any) -> list[Any]:
    """Labels of the columns of a data frame that hold names."""
    if not hasattr(X, "columns"):
        return []
    labels = list(X.columns)
    if len(set(labels)) < len(labels):
        return []  # such columns cannot be told apart; others say so
    return [label for label in labels if not _holds_numbers(X[label])]


def _holds_numbers(column: Any) -> bool:
    if str(column.dtype).lower() in ("category", "categorical", "enum"):
        return False
    return np.asarray(column).dtype.kind in "biufc"


def read_levels(X: Any, labels: Sequence[Any], noise: Any = None) -> TableSchema:
    """Read the levels of categorical columns off training data, and off their dtype.

    Parameters
    ----------
    X : DataFrame
        Training data.
    labels : sequence
        Of categorical columns.
    noise : CategoryNoise, default=None
        Noise on them; None: they bear none.
    """
    places = {label: j for j, label in enumerate(X.columns)}
    columns = tuple(
        CategoryColumn(places[label], label, _levels(X[label]), _missing_in(X[label]))
        for label in labels
    )
    for column in columns:
        _refuse_too_many(column)
    law = None
    if noise is not None:
        law = noise.columns([len(column.levels) for column in columns])
    return TableSchema(columns, law, X[:0])


def _levels(column: Any) -> tuple[Any, ...]:
    seen = list(dict.fromkeys(_entries(column)))
    missing = (None,) if None in seen else ()
    if str(column.dtype).lower().startswith(("category", "enum")):
        return (*column.dtype.categories, *missing)
    return (*sorted((entry for entry in seen if entry is not None), key=str), *missing)


def _refuse_too_many(column: CategoryColumn) -> None:
    if len(column.levels) >= STRIDE:
        raise ValueError(
            f"Column {column.label!r} holds {len(column.levels)} levels, more than {STRIDE}: leave "
            "it out, or join rare levels."
        )


def _missing_in(column: Any) -> Any:
    """Return the first missing value as it is in the column; None where there is none."""
    entries = column.tolist() if hasattr(column, "tolist") else column.to_list()
    return next((entry for entry in entries if _is_missing(entry)), None)


def _entries(column: Any) -> list[Any]:
    entries = column.tolist() if hasattr(column, "tolist") else column.to_list()
    return [None if _is_missing(entry) else entry for entry in entries]


def _is_missing(entry: Any) -> bool:
    try:
        return entry is None or bool(entry != entry)
    except (TypeError, ValueError):  # whether NA of pandas differs from itself is not known
        return True


def codes_of(X: Any, schema: TableSchema, *, owner: str) -> tuple[NDArray[np.float64], TableSchema]:
    """Numbers of the levels in X, and the schema with levels that were not seen at fit.

    Raises
    ------
    ValueError
        If a level is new and the noise does not cover it.
    """
    codes, columns = [], []
    for column in schema.categories:
        entries = _entries(X[column.label])
        new = [e for e in dict.fromkeys(entries) if e not in column.levels]
        if new and schema.law is not None and schema.law.scheme != "token":
            raise ValueError(
                f"Column {column.label!r} holds {new[0]!r}, which {owner} has not seen at fit: the "
                f"noise with scheme={schema.law.scheme!r} does not cover it. Make it a level by a "
                "categorical dtype with all categories before fit, or use scheme='token'."
            )
        levels = (*column.levels, *new)
        place = {level: i for i, level in enumerate(levels)}
        codes.append([place[entry] for entry in entries])
        missing = column.missing if None in column.levels else _missing_in(X[column.label])
        read = replace(column, levels=levels, missing=missing)
        _refuse_too_many(read)
        columns.append(read)
    matrix = np.array(codes, dtype=np.float64).reshape(len(columns), -1).T
    return matrix, TableSchema(tuple(columns), schema.law, schema.template)


def read_table(X: Any, schema: TableSchema, *, owner: Any) -> Inputs:
    """Read a data frame with categorical columns as numbers.

    Parameters
    ----------
    X : DataFrame
        With the columns of fit.
    schema : TableSchema
        Of fit.
    owner : estimator
        Named in messages.

    Returns
    -------
    inputs : Inputs
        In float64, with levels as whole numbers.
    """
    if not hasattr(X, "columns"):
        raise ValueError(
            f"{type(owner).__name__} was fitted on a data frame with categorical columns, and X is "
            f"a {type(X).__name__}. Pass a data frame with the same columns."
        )
    check = InputSchema((len(schema.template.columns),), tuple(schema.template.columns))
    check.check_labels(tuple(X.columns))
    places = np.arange(len(X.columns))
    numeric = np.setdiff1d(places, schema.positions)
    values = np.empty((len(X), len(places)))
    index = X.index if hasattr(X, "iloc") else None
    if len(numeric):
        part = read_inputs(X[[X.columns[j] for j in numeric]], owner=owner)
        values[:, numeric] = part.values
    codes, read = codes_of(X, schema, owner=type(owner).__name__)
    values[:, schema.positions] = codes
    return Inputs(values, np.dtype(np.float64), TableOf(read), index=index)


@dataclass(frozen=True)
class _Labels:
    columns: tuple[Any, ...]


def numeric_part(inputs: Inputs, schema: TableSchema) -> Inputs:
    """Return the numeric columns of a table."""
    numeric = np.setdiff1d(np.arange(inputs.shape[0]), schema.positions)
    labels: Any = _Labels(tuple(np.array(inputs.columns, dtype=object)[numeric]))
    return Inputs(inputs.values[:, numeric], inputs.dtype, labels)


def scale_of_table(
    scale: NDArray[np.float64] | None, inputs: Inputs, schema: TableSchema
) -> NDArray[np.float64]:
    """Return the scale of all columns: 0 for categories, and 1 for numbers that have no other."""
    every = np.zeros(inputs.shape)
    numeric = np.setdiff1d(np.arange(inputs.shape[0]), schema.positions)
    every[numeric] = 1.0 if scale is None else scale
    return every
