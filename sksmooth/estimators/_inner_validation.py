"""Rows that base models hold out of their own training, where each row has several noisy copies."""

import warnings
from numbers import Integral

from sklearn.frozen import FrozenEstimator

from sksmooth.base_models._names import name_of

# They have no CV in their names, and hold rows out nevertheless.
_SPLITTERS = {
    "SequentialFeatureSelector",
    "StackingClassifier",
    "StackingRegressor",
    "TargetEncoder",
}

# From so many rows on, early_stopping="auto" stops early.
_ROWS_FOR_AUTO = 10_000


def takes_groups(model):
    """Whether a model splits its rows by the groups that are passed to its fit."""
    return _is_search(model) and hasattr(model.cv, "set_split_request")


def _is_search(model):
    """Whether a model is a search of scikit-learn, whose fit takes groups."""
    return all(hasattr(model, name) for name in ("cv", "refit", "return_train_score"))


def warn_of_copies_on_both_sides(model, n_copies, n_rows, stacklevel):
    """Warn, once, of a part of a model that holds out copies of rows that it learns from.

    Parameters
    ----------
    model : estimator
        About to be fitted.
    n_copies : int
        Number of noisy copies of each row.
    n_rows : int
        Number of rows of X.
    stacklevel : int
        As in :func:`warnings.warn`.
    """
    found = next(_held_out(model, n_copies * n_rows), None)
    if n_copies < 2 or found is None:
        return
    part, parameter = found
    by_groups = ""
    if part is model and _is_search(model):
        by_groups = (
            ", or a splitter that takes groups, such as "
            "cv=sklearn.model_selection.StratifiedGroupKFold(5), which is told the row of each copy"
        )
    warnings.warn(
        f"{name_of(part)} holds rows out of its training "
        f"({parameter}={getattr(part, parameter)!r}), and each row of X has n_augment={n_copies} "
        "noisy copies, which come to both sides: what it measures there is too good, and what it "
        f"chooses by that overfits. Use n_augment=1{by_groups}.",
        UserWarning,
        stacklevel=stacklevel + 1,
    )


def _held_out(model, n_rows):
    """Yield the parts of a model that hold rows out, and the parameter that says so."""
    if isinstance(model, FrozenEstimator) or not hasattr(model, "get_params"):
        return
    params = model.get_params(deep=False)
    if not takes_groups(model):
        parameter = _parameter(type(model).__name__, params, n_rows)
        if parameter is not None:
            yield model, parameter
    for value in params.values():
        parts = value if isinstance(value, (list, tuple)) else [value]
        for part in parts:
            inner = part[1] if isinstance(part, tuple) and len(part) > 1 else part
            if not isinstance(inner, type):
                yield from _held_out(inner, n_rows)


def _parameter(kind, params, n_rows):
    """Return the parameter by which a model of a kind holds rows out, or None."""
    is_split = kind.endswith("CV") or kind in _SPLITTERS
    frozen = isinstance(params.get("estimator"), FrozenEstimator)
    if is_split and "cv" in params and params["cv"] != "prefit" and not frozen:
        return "cv"
    if params.get("oob_score") not in (None, False):
        return "oob_score"
    early = params.get("early_stopping")
    if early is True or (early == "auto" and n_rows > _ROWS_FOR_AUTO):
        return "early_stopping"
    if "validation_fraction" in params and isinstance(params.get("n_iter_no_change"), Integral):
        return "n_iter_no_change" if early is None else None
    return None
