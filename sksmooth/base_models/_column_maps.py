"""Steps of a Pipeline that map every column by itself, increasing: thresholds go back through them.

An increasing function of ``x`` is at most ``t`` up to some ``x``, whatever its formula is. It is
found by bisection with the public `transform`.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from sksmooth.base_models._registry import Registry

Array = NDArray[np.float64]

_ROWS_PER_CALL = 4096

# The largest number, and the exponent of powers that are taken of what is smaller.
_LARGEST, _LARGEST_POWER = float(np.finfo(np.float64).max), 150.0


class ColumnMap(ABC):
    """An increasing function of one column for each column that comes out.

    Attributes
    ----------
    n_features : int
        Length of an input.
    sources : ndarray of int of shape (n_outputs,)
        Column that each output is a function of.
    filled : ndarray of shape (n_outputs,)
        Output where the column is missing; NaN: missing, too.
    """

    n_features: int
    sources: NDArray[np.intp]
    filled: Array

    @abstractmethod
    def transform(self, rows: Array) -> Array:
        """Map an array of shape (k, n_features) to one of shape (k, n_outputs)."""

    @abstractmethod
    def pull_back(self, outputs: NDArray[np.intp], thresholds: Array) -> Array:
        """Return the largest input for which an output is at most a threshold.

        Parameters
        ----------
        outputs : ndarray of int of shape (k,)
            Columns that come out.
        thresholds : ndarray of shape (k,)
            Of these columns.

        Returns
        -------
        thresholds : ndarray of shape (k,)
            Of the columns that go in; infinite where the output is always, or never, so small; NaN
            where that is not known.
        """


@dataclass(frozen=True)
class _Step(ColumnMap):
    """A transformer of scikit-learn, asked by its `transform`, whatever it was fitted with.

    Attributes
    ----------
    transformer : object
        Fitted.
    filled : ndarray
        See above.
    largest : ndarray
        Inputs of each column up to this size are looked at.
    """

    transformer: Any
    filled: Array
    largest: Array

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Length of an input."""
        return len(self.filled)

    @property
    def sources(self) -> NDArray[np.intp]:  # type: ignore[override]
        """Each output is a function of the column in its place."""
        return np.arange(self.n_features)

    def transform(self, rows: Array) -> Array:
        """Map an array."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # the columns have no names; some rows are far out
            return np.asarray(self.transformer.transform(rows), float)

    def pull_back(self, outputs: NDArray[np.intp], thresholds: Array) -> Array:
        """Return the largest input for which an output is at most a threshold."""
        largest = self.largest[outputs]
        low, high = _ordered(-largest), _ordered(largest)
        never = ~self._at_most(_floats(low), outputs, thresholds)
        always = self._at_most(_floats(high), outputs, thresholds)
        beyond = np.where(largest < _LARGEST, np.nan, np.inf)  # no number is beyond the last
        while (low + 1 < high).any():
            middle = (low >> 1) + (high >> 1) + (low & high & 1)  # their sum would overflow
            small = self._at_most(_floats(middle), outputs, thresholds)
            low, high = np.where(small, middle, low), np.where(small, high, middle)
        return np.where(never, -beyond, np.where(always, beyond, _floats(low)))

    def _at_most(self, x: Array, outputs: NDArray[np.intp], thresholds: Array) -> NDArray[np.bool_]:
        found = np.empty(len(x))
        for first in range(0, len(x), _ROWS_PER_CALL):
            part = np.arange(first, min(first + _ROWS_PER_CALL, len(x)))
            rows = np.zeros((len(part), self.n_features))
            places = np.arange(len(part)), outputs[part]
            rows[places] = x[part]
            found[part] = self.transform(rows)[places]
        return found <= thresholds


@dataclass(frozen=True)
class _SideBySide(ColumnMap):
    """Maps of chosen columns, side by side."""

    n_features: int
    parts: tuple[tuple[NDArray[np.intp], ColumnMap], ...]

    @property
    def sources(self) -> NDArray[np.intp]:  # type: ignore[override]
        """Columns that outputs are functions of."""
        return np.concatenate([chosen[part.sources] for chosen, part in self.parts])

    @property
    def filled(self) -> Array:  # type: ignore[override]
        """Outputs where columns are missing."""
        return np.concatenate([part.filled for _, part in self.parts])

    def transform(self, rows: Array) -> Array:
        """Map an array."""
        return np.hstack([part.transform(rows[:, chosen]) for chosen, part in self.parts])

    def pull_back(self, outputs: NDArray[np.intp], thresholds: Array) -> Array:
        """Return the largest input for which an output is at most a threshold."""
        pulled, first = np.empty(len(outputs)), 0
        for _, part in self.parts:
            own = (outputs >= first) & (outputs < first + len(part.sources))
            pulled[own] = part.pull_back(outputs[own] - first, thresholds[own])
            first += len(part.sources)
        return pulled


@dataclass(frozen=True)
class _OneAfterAnother(ColumnMap):
    """Maps applied from the first to the last."""

    n_features: int
    maps: tuple[ColumnMap, ...] = ()

    @property
    def sources(self) -> NDArray[np.intp]:  # type: ignore[override]
        """Columns that outputs are functions of."""
        sources = np.arange(self.n_features)
        for step in self.maps:
            sources = sources[step.sources]
        return sources

    @property
    def filled(self) -> Array:  # type: ignore[override]
        """Outputs where columns are missing."""
        filled = np.full(self.n_features, np.nan)
        for step in self.maps:
            mapped = step.transform(np.nan_to_num(filled)[None])[0]
            filled = np.where(np.isnan(filled[step.sources]), step.filled, mapped)
        return filled

    def transform(self, rows: Array) -> Array:
        """Map an array."""
        for step in self.maps:
            rows = step.transform(rows)
        return rows

    def pull_back(self, outputs: NDArray[np.intp], thresholds: Array) -> Array:
        """Return the largest input for which an output is at most a threshold."""
        for step in reversed(self.maps):
            finite, pulled = np.isfinite(thresholds), thresholds.copy()
            pulled[finite] = step.pull_back(outputs[finite], thresholds[finite])
            outputs, thresholds = step.sources[outputs], pulled
        return thresholds


def _ordered(x: NDArray[np.float64]) -> NDArray[np.int64]:
    """Integers in the order of floats, one for each."""
    bits = x.view(np.int64)
    return np.where(bits < 0, np.iinfo(np.int64).min - bits, bits)


def _floats(ordered: NDArray[np.int64]) -> NDArray[np.float64]:
    bits = np.where(ordered < 0, np.iinfo(np.int64).min - ordered, ordered)
    return bits.view(np.float64)


@Registry
def column_map(transformer: Any) -> ColumnMap | None:
    """Return a fitted transformer as increasing functions of single columns, or None.

    Register a transformer of your own with ``column_map.register(YourTransformer)``. A registration
    is for that very class: a subclass may have a `transform` of its own.
    """
    return None


@column_map.register
def _(transformer: FrozenEstimator) -> ColumnMap | None:
    return column_map(transformer.estimator)


@column_map.register(StandardScaler)
@column_map.register(MinMaxScaler)
@column_map.register(MaxAbsScaler)
@column_map.register(RobustScaler)
@column_map.register(QuantileTransformer)
def _column_by_column(transformer: Any) -> ColumnMap:
    n_features = transformer.n_features_in_
    return _Step(transformer, np.full(n_features, np.nan), np.full(n_features, _LARGEST))


@column_map.register
def _(transformer: PowerTransformer) -> ColumnMap | None:
    if transformer.method != "yeo-johnson":
        return None
    lambdas = np.asarray(transformer.lambdas_, float)  # in float32 the power below is infinite
    steepest = np.maximum(1.0, np.abs([lambdas, 2 - lambdas]).max(axis=0))
    missing = np.full(transformer.n_features_in_, np.nan)
    return _Step(transformer, missing, 10.0 ** (_LARGEST_POWER / steepest))


@column_map.register
def _(transformer: KBinsDiscretizer) -> ColumnMap | None:
    return _column_by_column(transformer) if transformer.encode == "ordinal" else None


@column_map.register
def _(transformer: SimpleImputer) -> ColumnMap | None:
    statistics = np.asarray(transformer.statistics_)
    known = statistics.dtype.kind == "f" and np.isfinite(statistics).all()
    marked = transformer.missing_values
    if transformer.add_indicator or not (known and isinstance(marked, float) and np.isnan(marked)):
        return None
    return _Step(transformer, statistics, np.full(len(statistics), _LARGEST))


@column_map.register
def _(transformer: ColumnTransformer) -> ColumnMap | None:
    """Put the columns of all parts side by side, in the order of `transformers_`."""
    if transformer.sparse_output_:
        return None
    n_features = transformer.n_features_in_
    parts: list[tuple[NDArray[np.intp], ColumnMap]] = []
    names = getattr(transformer, "feature_names_in_", None)
    for _, part, columns in transformer.transformers_:
        chosen = _positions(columns, n_features, names)
        if part == "drop" or not len(chosen):
            continue
        passed = part in (None, "passthrough")
        mapped = _OneAfterAnother(len(chosen)) if passed else column_map(part)
        if mapped is None:
            return None
        parts.append((chosen, mapped))
    return _SideBySide(n_features, tuple(parts)) if parts else None


@column_map.register
def _(transformer: FunctionTransformer) -> ColumnMap | None:
    """Know the identity only, which passes columns through."""
    known = transformer.func is None
    return _OneAfterAnother(transformer.n_features_in_) if known else None


@column_map.register
def _(transformer: Pipeline) -> ColumnMap | None:
    steps = [step for _, step in transformer.steps if step not in (None, "passthrough")]
    maps = [step_map for step_map in map(column_map, steps) if step_map is not None]
    if len(maps) < len(steps) or not maps:
        return None
    return _OneAfterAnother(maps[0].n_features, tuple(maps))


def _positions(columns: Any, n_features: int, names: Any) -> NDArray[np.intp]:
    """Positions of columns that a ColumnTransformer was told by numbers, names, masks or slices."""
    if isinstance(columns, (str, int)):
        columns = [columns]
    if isinstance(columns, slice) and names is not None and isinstance(columns.start, str):
        order = list(names)
        return np.arange(order.index(columns.start), order.index(columns.stop) + 1)
    if not isinstance(columns, slice) and len(columns) and isinstance(columns[0], str):
        return np.array([list(names).index(name) for name in columns], np.intp)
    positions: NDArray[np.intp] = np.arange(n_features)[columns]
    return positions
