"""One scale for each column: from data, from numbers, or from names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.arguments._numbers import read_numbers
from sksmooth.inputs._containers import Inputs

# A spread this small, relative to the size of the values, is that of rounding.
_SPREAD_OF_ROUNDING = 1e-13

_MOST_NAMES = 10


def scale_of_columns(feature_scale: Any, inputs: Inputs) -> NDArray[np.float64]:
    """Return the scale of each column.

    Parameters
    ----------
    feature_scale : {"std", "iqr"}, array-like of shape (n_columns,) or mapping
        A spread of the training data (the interquartile range, or where it is 0, the standard
        deviation); numbers; or numbers and names of spreads for some columns, by label or
        position. The others take "std".
    inputs : Inputs
        Training data.

    Returns
    -------
    scale : ndarray of shape (n_columns,)
        0 only where it was given as such.

    Raises
    ------
    ValueError
        If columns have no spread, or if something is no scale or no column.
    """
    if len(inputs.shape) != 1:
        raise ValueError(
            f"feature_scale needs inputs with columns, and X has inputs of shape {inputs.shape}. "
            "Leave it at None, or scale X before this estimator."
        )
    if isinstance(feature_scale, str):
        scale = _spreads({feature_scale}, inputs)[feature_scale]
    elif isinstance(feature_scale, Mapping):
        scale = _from_mapping(feature_scale, inputs)
    else:
        scale = read_numbers("feature_scale", feature_scale)
        if scale.shape != inputs.shape:
            raise ValueError(
                f"feature_scale has shape {scale.shape}, and X has {inputs.shape[0]} columns: pass "
                "one number for each, or a dictionary for some of them."
            )
    if isinstance(feature_scale, (str, Mapping)):
        _refuse_no_spread(scale, inputs)
    _refuse_no_scale(scale)
    return scale


def scale_of_numbers(feature_scale: Any) -> NDArray[np.float64]:
    """Return the scale of each column, where there are no training data that it could be read off.

    Raises
    ------
    ValueError
        If `feature_scale` names a spread, or if a number is no scale.
    """
    if isinstance(feature_scale, (str, Mapping)):
        raise ValueError(
            f"feature_scale={feature_scale!r} is read off training data, and fit was given none. "
            "Pass one number for each column, or call fit with X and y."
        )
    scale = np.atleast_1d(read_numbers("feature_scale", feature_scale))
    if scale.ndim != 1:
        raise ValueError(
            f"feature_scale has shape {scale.shape}: pass one number for each column of X."
        )
    _refuse_no_scale(scale)
    return scale


def _from_mapping(given: Mapping[Any, Any], inputs: Inputs) -> NDArray[np.float64]:
    names = {value for value in given.values() if isinstance(value, str)}
    rest = len(given) < inputs.shape[0]
    spreads = _spreads(names | ({"std"} if rest else set()), inputs)
    scale = spreads["std"].copy() if rest else np.zeros(inputs.shape)
    for column, value in given.items():
        position = _position(column, inputs)
        scale[position] = spreads[value][position] if isinstance(value, str) else value
    return scale


def _position(column: Any, inputs: Inputs) -> int:
    labels: list[Any] = list(range(inputs.shape[0])) if inputs.columns is None else []
    labels = labels or list(inputs.columns or ())
    if column not in labels:
        shown = ", ".join(map(str, labels[:_MOST_NAMES]))
        raise ValueError(f"feature_scale names the column {column!r}; X has {shown}.")
    return labels.index(column)


def _spreads(names: set[Any], inputs: Inputs) -> dict[str, NDArray[np.float64]]:
    """Spreads of all columns by name; NaN where there is none."""
    unknown = names - {"std", "iqr"}
    if unknown:
        raise ValueError(
            f"feature_scale knows the spreads 'std' and 'iqr', got {sorted(unknown)[0]!r}."
        )
    if not names:
        return {}
    values = inputs.values.astype(float, order="C")  # sums in one order
    std = values.std(axis=0)
    rounding = _SPREAD_OF_ROUNDING * np.abs(values).max(axis=0, initial=0.0)
    std[~(std > rounding)] = np.nan
    if "iqr" not in names:
        return {"std": std}
    low, high = np.quantile(values, [0.25, 0.75], axis=0)
    return {"std": std, "iqr": np.where(high - low > rounding, high - low, std)}


def _refuse_no_spread(scale: NDArray[np.float64], inputs: Inputs) -> None:
    constant = np.flatnonzero(np.isnan(scale))
    if len(constant):
        labels = inputs.columns or tuple(range(len(scale)))
        names = [str(labels[j]) for j in constant]
        shown = ", ".join(names[:_MOST_NAMES]) + ", ..." * (len(names) > _MOST_NAMES)
        raise ValueError(
            f"These columns of the training data have no spread: {shown}. A scale cannot be read "
            "off them, and that no adversary can change them is for you to say: pass "
            f"feature_scale={{{labels[constant[0]]!r}: 0, ...}} for columns that cannot change, a "
            "positive number for those that can, or leave the columns out."
        )


def _refuse_no_scale(scale: NDArray[np.float64]) -> None:
    if not (np.isfinite(scale) & (scale >= 0)).all():
        j = int(np.flatnonzero(~(np.isfinite(scale) & (scale >= 0)))[0])
        raise ValueError(
            f"feature_scale must hold finite numbers that are not negative; got {scale[j]:g} for "
            f"column {j}."
        )
    if not (scale > 0).any():
        raise ValueError(
            "feature_scale is 0 for all columns: nothing bears noise, and nothing is to be proven. "
            "Pass a positive number for the columns that can change."
        )
