"""What a fitted model answers, checked: classes as their numbers, probabilities, outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._names import name_of

# Probabilities may exceed 1 by so much: sums of single precision do.
_ABOVE_ONE = 1e-6


def classes_of(model: Any, y: Any) -> NDArray[Any]:
    """Return the sorted classes of a fitted model, or those of y where it does not tell."""
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list) and len(classes) and np.ndim(classes[0]) > 0:
        raise ValueError(
            f"{name_of(model)} has several outputs; certify one classifier per output."
        )
    return np.unique(y if classes is None else classes)


def class_indices(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp] | None:
    """Positions of labels among sorted classes; None where a label is none of them."""
    last = len(classes) - 1
    if labels.dtype.kind in "iu" and _are_indices(classes):
        known = labels.size == 0 or (labels.min() >= 0 and labels.max() <= last)
        return labels.astype(np.intp, copy=False) if known else None
    try:
        indices = np.minimum(np.searchsorted(classes, labels), last)
    except TypeError:  # labels that do not compare with the classes
        return None
    return indices if np.all(classes[indices] == labels) else None


def _are_indices(classes: NDArray[Any]) -> bool:
    return classes.dtype.kind in "iu" and bool((classes == np.arange(len(classes))).all())


def predicted_classes(model: Any, X: Any, n_rows: int, classes: NDArray[Any]) -> NDArray[np.intp]:
    """Ask a model for labels.

    Parameters
    ----------
    model : object with predict
        Fitted model.
    X : object of length n_rows
        Inputs, as the model takes them.
    n_rows : int
        Number of inputs.
    classes : ndarray of shape (n_classes,)
        Labels that it may give, sorted.

    Returns
    -------
    indices : ndarray of int of shape (n_rows,)
        Positions of the labels among the classes.
    """
    labels = np.asarray(model.predict(X))
    if labels.shape not in ((n_rows,), (n_rows, 1)):
        raise ValueError(
            f"{name_of(model)}.predict returned an array of shape {labels.shape} for {n_rows} "
            "rows; one label per row is needed."
        )
    labels = labels.reshape(n_rows)
    indices = class_indices(labels, classes)
    if indices is None:
        foreign, known = _foreign(labels, classes)
        raise ValueError(
            f"{name_of(model)}.predict returned labels outside its classes: {foreign}. Known "
            f"classes: {known}. A classifier is needed, whose classes_ (or the labels given to "
            "fit) list all that it predicts."
        )
    return indices


def class_probabilities(
    model: Any, X: Any, n_rows: int, classes: NDArray[Any]
) -> NDArray[np.float64]:
    """Ask a model for the probabilities of classes.

    Parameters
    ----------
    model : object with predict_proba
        Fitted model.
    X, n_rows, classes : object
        As for `predicted_classes`.

    Returns
    -------
    probabilities : ndarray of shape (n_rows, n_classes)
        In the order of `classes`, between 0 and 1.
    """
    found = np.asarray(model.predict_proba(X), dtype=float)
    if found.shape != (n_rows, len(classes)):
        raise ValueError(
            f"{name_of(model)}.predict_proba returned an array of shape {found.shape} for "
            f"{n_rows} rows and {len(classes)} classes."
        )
    if not ((found >= 0) & (found <= 1 + _ABOVE_ONE)).all():
        raise ValueError(f"{name_of(model)}.predict_proba returned numbers outside [0, 1].")
    return np.minimum(found[:, _order_of_columns(model, "predict_proba", classes)], 1.0)


def decision_values(model: Any, X: Any, n_rows: int, classes: NDArray[Any]) -> NDArray[np.float64]:
    """Ask a model for the decision function of classes.

    Parameters
    ----------
    model : object with decision_function
        Fitted model.
    X, n_rows, classes : object
        As for `predicted_classes`.

    Returns
    -------
    values : ndarray of shape (n_rows, n_classes)
        In the order of `classes`; of two, the first has minus the value of the second.
    """
    found = np.asarray(model.decision_function(X), dtype=float)
    if found.shape == (n_rows,) and len(classes) == 2:
        found = np.column_stack([-found, found])
    if found.shape != (n_rows, len(classes)):
        raise ValueError(
            f"{name_of(model)}.decision_function returned an array of shape {found.shape} for "
            f"{n_rows} rows and {len(classes)} classes; one value per class is needed."
        )
    return np.asarray(found[:, _order_of_columns(model, "decision_function", classes)])


def _order_of_columns(model: Any, method: str, classes: NDArray[Any]) -> NDArray[np.intp]:
    """Order in which the columns of an answer are those of sorted classes."""
    columns = np.asarray(getattr(model, "classes_", classes))
    order = np.argsort(columns)
    if not np.array_equal(columns[order], classes):
        foreign, known = _foreign(columns, classes)
        raise ValueError(
            f"{name_of(model)}.{method} is about other classes: {foreign}. Known classes: "
            f"{known}. Fit again after a change of the base model."
        )
    return np.asarray(order)


def outputs(
    model: Any, method: str, X: Any, n_rows: int, shape: tuple[int, ...] | None = None
) -> NDArray[Any]:
    """Ask a model for outputs.

    Parameters
    ----------
    model : object
        Fitted model.
    method : str
        Its method that returns one output per row.
    X, n_rows : object
        As for `predicted_classes`.
    shape : tuple of int or None, default=None
        Shape that one output has to have; None: any.

    Returns
    -------
    outputs : ndarray of shape (n_rows, ...)
    """
    found = np.asarray(getattr(model, method)(X))
    name = f"{name_of(model)}.{method}"
    if found.ndim == 0 or len(found) != n_rows:
        raise ValueError(
            f"{name} returned an array of shape {found.shape} for {n_rows} rows; one output per "
            "row is needed."
        )
    if shape is not None and found.shape[1:] != shape:
        raise ValueError(
            f"{name} returned outputs of shape {found.shape[1:]}, and of shape {shape} at fit. "
            "All outputs need one shape: pad them, or return a fixed number of boxes."
        )
    return found


def _foreign(labels: NDArray[Any], classes: NDArray[Any]) -> tuple[str, str]:
    """Texts of some labels that are no classes, and of some classes."""
    known = classes.tolist()
    foreign = [label for label in labels.tolist() if label not in known]
    alike = {str(label) for label in foreign} & {str(label) for label in known}
    text = repr if alike else str  # "0" against 0
    return ", ".join(sorted(set(map(text, foreign)))[:5]), ", ".join(map(text, known[:10]))
