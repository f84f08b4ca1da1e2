"""Certificates as rows of a store, and back, exact to the bit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates import ClassificationCertificate
from sksmooth.exceptions import StoreError
from sksmooth.store._base import COLUMNS, Row, as_json

_MOVED = ("moved_1", "moved_2", "moved_inf")


def statement_of(certificate: ClassificationCertificate) -> dict[str, Any]:
    """Return what a certificate is about, without its rows, as JSON can hold it."""
    empty = replace(certificate.with_index(None)[:0], fit_id=None)
    return empty.to_dict()


def to_rows(
    certificate: ClassificationCertificate,
    first: int,
    row_ids: NDArray[np.uint8],
    labels: Sequence[str] | None,
) -> list[Row]:
    """Return the rows of a certificate.

    Parameters
    ----------
    certificate : ClassificationCertificate of length m
        Results.
    first : int
        Number of the first row.
    row_ids : ndarray of shape (m, n_bytes)
        Digests of the rows.
    labels : sequence of str of length m, or None
        True labels, as JSON.
    """
    spent = None if certificate.budget is None else certificate.alpha_spent
    moved = [None] * 3 if certificate.moved is None else list(certificate.moved.T)
    columns = {
        "row": list(range(first, first + len(certificate))),
        "row_id": [digest.tobytes().hex() for digest in row_ids],
        "prediction": label_texts(certificate.prediction),
        "radius": _numbers(certificate.radius),
        "p_lower": _numbers(certificate.p_lower),
        "p_upper": _numbers(certificate.p_upper),
        "n_draws": _numbers(certificate.n_draws),
        "counts": _lists(certificate.counts),
        "selection": _lists(certificate.selection),
        "alpha_spent": _numbers(spent),
        "target_radius": _numbers(certificate.target_radius),
        **{name: _numbers(values) for name, values in zip(_MOVED, moved, strict=True)},
        "label_radius": _lists(certificate.label_radius),
        "levels": _lists(certificate.levels),
        "label": labels,
    }
    none = [None] * len(certificate)
    filled = [none if columns[name] is None else columns[name] for name in COLUMNS]
    return list(zip(*filled, strict=True))


def to_certificate(
    statement: dict[str, Any], rows: Sequence[Row], fit_id: str | None = None
) -> ClassificationCertificate:
    """Return the certificate of rows.

    Parameters
    ----------
    statement : dict
        Of `statement_of`.
    rows : sequence of tuple
        Of `to_rows`.
    fit_id : str, default=None
        Identifies the fit whose votes they are, where they are to be continued.
    """
    empty = ClassificationCertificate.from_dict(statement)
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    values: dict[str, Any] = {
        name: _array(columns[name], like) for name, like in _arrays_of(empty).items()
    }
    position = {text: i for i, text in enumerate(label_texts(empty.classes))}
    found = [_positions(text, position) for text in columns["prediction"]]
    values["prediction"] = empty.classes[np.array(found, np.intp)]
    if empty.moved is not None:
        values["moved"] = np.array([columns[name] for name in _MOVED]).T.copy()
    budget = empty.budget
    if budget is not None and np.ndim(budget.spent):
        budget = replace(budget, spent=np.array(columns["alpha_spent"]))
    if empty.row_ids is not None:
        ids = [int(digest[:16], 16) for digest in columns["row_id"]]
        values["row_ids"] = np.array(ids, np.uint64)
        values["fit_id"] = fit_id
    return replace(empty, budget=budget, **values)


def label_texts(labels: NDArray[Any]) -> list[str]:
    """Return labels as JSON, which tells 1 from "1"."""
    try:
        return [as_json(label) for label in labels.tolist()]
    except TypeError:
        raise StoreError(
            f"Labels of type {type(labels.tolist()[0]).__name__} cannot be written to a file. Use "
            "labels that are numbers or texts."
        ) from None


def _arrays_of(empty: ClassificationCertificate) -> dict[str, NDArray[Any]]:
    """Return the fields of a certificate that are columns of the same name."""
    names = [n for n in empty.ROW_FIELDS if n in COLUMNS and n != "prediction"]
    return {n: getattr(empty, n) for n in names if getattr(empty, n) is not None}


def _array(values: Sequence[Any], like: NDArray[Any]) -> NDArray[Any]:
    if like.ndim > 1:
        return np.array([json.loads(text) for text in values], like.dtype)
    return np.array(values, like.dtype)


def _positions(text: str, position: dict[str, int]) -> Any:
    if text in position:
        return position[text]
    return [position[as_json(label)] for label in json.loads(text)]


def _numbers(values: NDArray[Any] | None) -> list[Any] | None:
    return None if values is None else values.tolist()


def _lists(values: NDArray[Any] | None) -> list[str] | None:
    return None if values is None else [as_json(row) for row in values.tolist()]
