"""The rows of X as numbers that noise can be added to, and the way back to what the user gave."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_array

from sksmooth.arguments._numbers import refuse_masked
from sksmooth.inputs._layout import Layout, ToUnitsOfX
from sksmooth.inputs._torch_containers import as_array


class Inputs:
    """Inputs to be perturbed: the rows of X as numbers.

    Parameters
    ----------
    array : ndarray of shape (m, ...)
        The rows, in their own dtype.
    dtype : dtype
        Dtype of their noisy copies: float32 stays, everything else becomes float64.
    to_container : callable
        Turns noisy values back into the container of the user's X: an array, or a DataFrame with
        the same columns.
    chosen : ndarray of int, default=None
        Positions in `array` of the rows that are meant; None: all. They are copied only when
        their values are asked for, so choosing among many rows costs no memory.
    index : pandas.Index, default=None
        Index of X, where it has one.
    layout : Layout, default=None
        Columns that bear noise, and their units, which `array` is in. None: all do, and it is in
        those of X.
    """

    def __init__(
        self,
        array: NDArray[Any],
        dtype: np.dtype[Any],
        to_container: Callable[[NDArray[Any]], Any],
        chosen: NDArray[np.intp] | None = None,
        index: Any = None,
        layout: Layout | None = None,
    ) -> None:
        self._array = array
        self._chosen = chosen
        self.dtype = dtype
        self.to_container = to_container
        self.index = index
        self.layout = layout

    @property
    def values(self) -> NDArray[Any]:
        """The rows that are meant, in their own dtype."""
        return self._array if self._chosen is None else self._array[self._chosen]

    def with_values(self, array: NDArray[Any]) -> Inputs:
        """Return other numbers for the same container."""
        return Inputs(array, self.dtype, self.to_container, layout=self.layout)

    def arranged(self, layout: Layout | None) -> Inputs:
        """Return rows in the units of X as noise is added to them in a layout."""
        if layout is None:
            return self
        if layout.scale.shape != self.shape:
            raise ValueError(
                f"X has inputs of shape {self.shape}, and feature_scale is one of "
                f"{len(layout.scale)} columns. Pass X with these columns."
            )
        values = layout.scaled(self.values)
        back = ToUnitsOfX(layout.units, self.to_container)
        return Inputs(values, self.dtype, back, index=self.index, layout=layout)

    def on(self, lattice: Any) -> Inputs:
        """Return the rows rounded to the points of a lattice; None: as they are."""
        if lattice is None:
            return self
        rounded = lattice.rounded(self.values)
        if self.noisy is not None:
            rounded[:, ~self.noisy] = self.values[:, ~self.noisy]
        return self.with_values(rounded)

    def __len__(self) -> int:
        return len(self._array if self._chosen is None else self._chosen)

    def __getitem__(self, rows: Any) -> Inputs:
        part: Any = rows if self._chosen is None else self._chosen[rows]
        return self.with_values(self._array[part])

    def choose(self, positions: NDArray[np.intp]) -> Inputs:
        """Return the rows at some positions, without copying them yet."""
        chosen = positions if self._chosen is None else self._chosen[positions]
        return Inputs(self._array, self.dtype, self.to_container, chosen, layout=self.layout)

    def digests(self) -> NDArray[np.uint8]:
        """Return the first bytes of a hash of each row, shape (m, 16)."""
        values = self.values.astype(self.dtype) + 0.0  # minus zero is zero
        named = getattr(self.to_container, "by_name", None)
        values = np.ascontiguousarray(values if named is None else named(values))
        digests = b"".join(sha256(row.tobytes()).digest()[:16] for row in values)
        return np.frombuffer(digests, np.uint8).reshape(-1, 16)

    def fingerprints(self) -> NDArray[np.uint64]:
        """Return a number for each row that equal rows share, and others hardly ever do."""
        return self.digests()[:, :8].copy().view(">u8")[:, 0].astype(np.uint64)

    def numbers(self, rows: slice) -> Sequence[int]:
        """Positions in X of the rows of a slice, for messages."""
        if self._chosen is None:
            return range(len(self._array))[rows]
        numbers: list[int] = self._chosen[rows].tolist()
        return numbers

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self._array.shape[1:]

    @property
    def n_features(self) -> int:
        """Number of features of one row that bear noise; 1 where only categories do."""
        return math.prod(self.shape) if self.noisy is None else max(1, int(self.noisy.sum()))

    @property
    def noisy(self) -> NDArray[np.bool_] | None:
        """Columns that bear noise; None: all."""
        return None if self.layout is None or self.layout.noisy.all() else self.layout.noisy

    @property
    def under_noise(self) -> NDArray[Any]:
        """The numbers that noise is added to, of the rows that are meant."""
        return self.values if self.noisy is None else self.values[:, self.noisy]

    def blur(self, norm: float) -> NDArray[np.float64]:
        """How far the quotients of each row, and of one nearby, may be from exact ones, rounded up.

        Each is off by half a unit in the last place; 0 where nothing was divided.
        """
        if self.layout is None:
            return np.zeros(len(self))
        size = np.linalg.norm(self.under_noise, norm, axis=1)
        return np.asarray(2.0**-51 * size * (1.0 + 1e-9))

    @property
    def scale(self) -> NDArray[np.float64] | None:
        """Scale of each column; None: the units are those of X."""
        return None if self.layout is None else self.layout.scale

    @property
    def columns(self) -> tuple[Any, ...] | None:
        """Labels of the columns of a DataFrame; None for arrays."""
        columns = getattr(self.to_container, "columns", None)
        return None if columns is None else tuple(columns)


def read_inputs(X: Any, *, owner: Any) -> Inputs:
    """Read X, or say which part of it noise cannot be added to.

    Parameters
    ----------
    X : array-like or DataFrame of shape (m, ...), or tensor, Dataset or DataLoader of torch
        Inputs as the user gave them.
    owner : estimator
        Named in messages of scikit-learn.

    Returns
    -------
    rows : Inputs

    Notes
    -----
    Rows of single precision stay so; of half precision, whole numbers and all others become rows
    of double precision, which is what the base model gets.

    Raises
    ------
    ValueError
        If X is sparse, masked, ragged, not numeric (the columns are named), complex, empty, or
        holds NaN or infinity (row and column are named), or if it is a loader that shuffles.
    TypeError
        If X is nothing that has rows.
    """
    X = as_array(X)
    _refuse_sparse(X)
    refuse_masked("X", X)
    _refuse_what_has_no_rows(X)
    try:
        values = check_array(
            X, dtype="numeric", ensure_all_finite=False, allow_nd=True, estimator=owner
        )
        if values.dtype.kind == "O":  # lists of Decimal, Fraction or None
            values = values.astype(np.float64)
    except (TypeError, ValueError) as error:
        _refuse_columns_that_are_not_numbers(X, error)
        raise
    if hasattr(X, "columns") or values.dtype.kind not in "biuf":
        _refuse_columns_that_are_not_numbers(X, TypeError(f"Got dtype {values.dtype}."))
    values = _in_double_precision(values)
    _refuse_non_finite(values, X)
    dtype = np.dtype(np.float32 if values.dtype == np.float32 else np.float64)
    return Inputs(values, dtype, _way_back(X), index=X.index if _is_pandas(X) else None)


@dataclass(frozen=True)
class _PandasLike:
    """Rebuild a pandas DataFrame (a class, so that it can be sent to other processes)."""

    cls: Any
    columns: Any

    def __call__(self, values: NDArray[Any]) -> Any:
        return self.cls(values, columns=self.columns)


@dataclass(frozen=True)
class _PolarsLike:
    """Rebuild a polars DataFrame."""

    cls: Any
    columns: Any

    def __call__(self, values: NDArray[Any]) -> Any:
        return self.cls(values, schema=self.columns)


def _identity(values: NDArray[Any]) -> NDArray[Any]:
    return values


def _is_pandas(X: Any) -> bool:
    return hasattr(X, "iloc") and hasattr(X, "columns")


def _way_back(X: Any) -> Callable[[NDArray[Any]], Any]:
    if _is_pandas(X):
        return _PandasLike(type(X), X.columns)
    if hasattr(X, "schema") and hasattr(X, "columns"):
        return _PolarsLike(type(X), list(X.columns))
    return _identity


def _in_double_precision(values: NDArray[Any]) -> NDArray[Any]:
    """Refuse numbers of extended precision that are none of double precision."""
    if values.dtype.kind != "f" or values.dtype.itemsize <= 8:
        return values
    with np.errstate(over="ignore"):
        doubles = values.astype(np.float64)
    lost = (doubles != values) & ~np.isnan(values)
    if lost.any():
        place = tuple(int(i) for i in np.argwhere(lost)[0])
        raise ValueError(
            f"X holds {values[place]!r} at {place}, which is no number of double precision, and "
            "models and certificates are. Pass X.astype(float), if these numbers will do."
        )
    return doubles


def _refuse_sparse(X: Any) -> None:
    if sparse.issparse(X):
        raise ValueError(
            "Sparse X is not supported: noise makes every entry non-zero. "
            "Pass X.toarray(), or reduce X first (for instance with TruncatedSVD)."
        )
    if _is_pandas(X):
        columns = [
            str(name)
            for name, dtype in zip(X.columns, X.dtypes, strict=True)
            if type(dtype).__name__ == "SparseDtype"
        ]
        if columns:
            raise ValueError(
                f"Sparse columns are not supported: {', '.join(columns)}. Noise makes every "
                "entry non-zero. Pass X.sparse.to_dense()."
            )


def _refuse_what_has_no_rows(X: Any) -> None:
    _refuse_rows_elsewhere(X)
    try:
        array = X if hasattr(X, "shape") else np.asarray(X)
    except ValueError:
        raise ValueError("X is ragged: all of its rows need the same number of features.") from None
    if not np.shape(array):
        raise TypeError(
            f"X must be an array, a data frame or a list of rows, got {type(X).__name__}. Make a "
            "list of an iterator, or a pandas.DataFrame of a dictionary."
        )
    if getattr(array, "dtype", None) is not None and np.iscomplexobj(array):
        raise ValueError(
            "Complex data not supported: noise is added to real numbers. Pass X.real, or real and "
            "imaginary parts as columns (numpy.hstack([X.real, X.imag]))."
        )


def _refuse_rows_elsewhere(X: Any) -> None:
    """Refuse tables that are not computed yet, and those that are no data frame of ours."""
    remedy = None
    if hasattr(X, "collect"):
        remedy = "collect"  # lazy frames of polars
    elif hasattr(X, "compute") and hasattr(X, "columns"):
        remedy = "compute"  # frames of dask
    elif hasattr(X, "to_pandas") and not hasattr(X, "columns"):
        remedy = "to_pandas"
    elif hasattr(X, "to_pandas") and hasattr(X, "column_names"):
        remedy = "to_pandas"  # tables of pyarrow, whose columns have no names
    if remedy is not None:
        raise TypeError(
            f"X must be an array, a data frame of pandas or polars, or a list of rows, got "
            f"{type(X).__module__}.{type(X).__qualname__}. Pass X.{remedy}()."
        )


def _refuse_columns_that_are_not_numbers(X: Any, error: Exception) -> None:
    if _is_text(X):
        raise type(error)(
            "Noise can only be added to numbers, and X is one column of texts. Turn them into "
            "numbers before this estimator: embeddings, or few features of a vectorizer "
            f"(sklearn.pipeline.make_pipeline(TfidfVectorizer(), TruncatedSVD(...))). {error}"
        ) from error
    columns = [name for name, column in _columns(X) if not _is_numeric(column)]
    if columns:
        raise type(error)(
            f"Noise can only be added to numbers, and these columns of X are not numeric: "
            f"{', '.join(columns)}. Encode them before this estimator (for instance with "
            f"sklearn.preprocessing.OneHotEncoder(sparse_output=False)), or leave them out. "
            "SmoothedClassifier takes them with categorical='fixed', if no adversary changes them, "
            "or with categorical=CategoryNoise(...). "
            f"{error}"
        ) from error


def _columns(X: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(X, "columns"):
        for j, name in enumerate(X.columns):
            yield str(name), X.iloc[:, j] if _is_pandas(X) else X[name]
        return
    values = np.asarray(X)
    if values.ndim == 2:
        yield from ((str(j), values[:, j]) for j in range(values.shape[1]))


def _is_text(X: Any) -> bool:
    values = np.asarray(X)
    return values.ndim == 1 and values.size > 0 and isinstance(values[0], str)


def _is_numeric(column: Any) -> bool:
    if str(column.dtype).lower() in ("category", "categorical"):
        return False  # its codes are names, whatever they look like
    values = np.asarray(column)
    if values.dtype.kind in "biufc":  # complex numbers are refused elsewhere, as such
        return True
    if values.dtype.kind != "O":
        return False
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True


def _refuse_non_finite(values: NDArray[Any], X: Any) -> None:
    if values.dtype.kind != "f":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum()):  # no array of the size of X in the common case
            return
    bad = np.argwhere(~np.isfinite(values))
    if not len(bad):  # only the sum overflowed
        return
    row, *position = (int(i) for i in bad[0])
    value = "NaN" if np.isnan(values[tuple(bad[0])]) else "infinity"
    where = str(X.columns[position[0]]) if hasattr(X, "columns") else _in_words(position)
    raise ValueError(
        f"X contains {value} at row {row}, column {where} ({len(bad)} such entries in all). "
        "No certificate exists for such a row: impute or drop it, or put "
        "sklearn.impute.SimpleImputer before this estimator."
    )


def _in_words(position: list[int]) -> str:
    return str(position[0]) if len(position) == 1 else str(tuple(position))
