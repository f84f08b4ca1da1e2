"""Certificates as JSON: exact to the bit, readable without this package, and without pickle."""

from __future__ import annotations

import gzip
import json
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sksmooth._optional import import_extra
from sksmooth.certificates._error_budget import ErrorBudget
from sksmooth.distances import Distance
from sksmooth.noise import Noise
from sksmooth.noise._categories._columns import CategoryColumns
from sksmooth.transformations import Transformation

_VERSION = 1

# Objects of these kinds are written by the name of their class and their parameters.
_ROOMS: dict[type, str] = {
    Noise: "sksmooth.noise",
    Distance: "sksmooth.distances",
    Transformation: "sksmooth.transformations",
}

# Fields that records did not always have. Where one is missing, there was no such thing.
_LATER_FIELDS = ("noise_step", "moved", "shift_sigma", "shift_axes", "image_shape")

# Numbers that JSON does not know.
_NOT_FINITE = {"inf": np.inf, "-inf": -np.inf, "nan": np.nan}

T = TypeVar("T")


def to_dict(certificate: Any) -> dict[str, Any]:
    """Return the record of a certificate."""
    values = {f.name: _encoded(getattr(certificate, f.name)) for f in fields(certificate)}
    return {"kind": type(certificate).__name__, "version": _VERSION, **values}


def from_dict(cls: type[T], record: Any) -> T:
    """Return the certificate of a record."""
    name = cls.__name__
    if not isinstance(record, dict) or record.get("kind") != name:
        kind = record.get("kind") if isinstance(record, dict) else type(record).__name__
        raise ValueError(f"This is no record of a {name}, but of {kind!r}.")
    if record.get("version") != _VERSION:
        raise ValueError(
            f"This {name} has version {record.get('version')!r} of the format, and only "
            f"{_VERSION} is known. Install the version of sksmooth that wrote it."
        )
    known = {f.name for f in fields(cls)}  # type: ignore[arg-type]
    values = {key: _decoded(value) for key, value in record.items() if key in known}
    missing = known - set(values)
    if lacking := missing - set(_LATER_FIELDS):
        raise ValueError(f"The record lacks {', '.join(sorted(lacking))}.")
    return cls(**values, **dict.fromkeys(missing))


def write(certificate: Any, path: str | Path) -> None:
    """Write the record of a certificate, whole or not at all."""
    path = Path(path)
    text = json.dumps(to_dict(certificate), allow_nan=False)
    part = path.with_name(path.name + ".part")
    data = text.encode()
    part.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    part.replace(path)


def read(path: str | Path) -> Any:
    """Return a record that was written."""
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    try:
        return json.loads(data)
    except ValueError as error:
        raise ValueError(f"{path} is no saved certificate: {error}") from error


def _encoded(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {"array": _entries(value), "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, ErrorBudget):
        return {"budget": {f.name: _encoded(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, CategoryColumns):
        return {"categories": [value.keep, value.scheme, value.n_levels, value.weights]}
    for base, room in _ROOMS.items():
        if isinstance(value, base):
            return _encoded_object(value, room)
    if hasattr(value, "to_list") and hasattr(value, "names"):  # the index of a DataFrame
        return {"index": [_entry(e) for e in value.to_list()], "names": list(value.names)}
    return _entry(value)


def _encoded_object(value: Any, room: str) -> dict[str, Any]:
    name = type(value).__name__
    if getattr(import_module(room), name, None) is not type(value):
        raise ValueError(
            f"{value!r} is not a class of {room}, and no file can hold it. Keep such a certificate "
            "with joblib.dump, and load it where the class is known."
        )
    parameters = {key: _encoded(entry) for key, entry in value.get_params(deep=False).items()}
    return {"object": name, "room": room, "parameters": parameters}


def _entries(array: NDArray[Any]) -> list[Any]:
    if array.dtype.kind in "Mm":
        array = array.astype(np.int64)
    entries: list[Any] = array.ravel().tolist()
    return entries if array.dtype.kind in "biuU" else [_entry(entry) for entry in entries]


def _entry(value: Any) -> Any:
    """Return what JSON knows."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return {"number": str(value)}
    if isinstance(value, (tuple, list)):
        return {"tuple": [_entry(entry) for entry in value]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "isoformat"):
        return {"time": value.isoformat()}
    raise ValueError(
        f"{value!r} of type {type(value).__name__} cannot be written to a file. Use labels, "
        "parameters and an index that are numbers or texts."
    )


def _decoded(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        entries = [_decoded(entry) for entry in value["array"]]
        dtype = np.dtype(value["dtype"])
        if dtype.kind == "O":
            array = np.empty(len(entries), object)
            array[:] = entries
        else:
            array = np.array(entries, np.int64 if dtype.kind in "Mm" else dtype).astype(dtype)
        return array.reshape(value["shape"])
    if "budget" in value:
        return ErrorBudget(**{key: _decoded(entry) for key, entry in value["budget"].items()})
    if "categories" in value:
        keep, scheme, n_levels, weights = value["categories"]
        rows = None if weights is None else tuple(tuple(row) for row in weights)
        return CategoryColumns(keep, scheme, tuple(n_levels), rows)
    if "object" in value:
        return _decoded_object(value)
    if "index" in value:
        return _decoded_index(value)
    if "tuple" in value:
        return tuple(_decoded(entry) for entry in value["tuple"])
    if "time" in value:
        return value["time"]
    return _NOT_FINITE[value["number"]]


def _decoded_object(value: dict[str, Any]) -> Any:
    if value["room"] not in _ROOMS.values():
        raise ValueError(f"{value['room']!r} is no place of classes that a certificate rests on.")
    cls = getattr(import_module(value["room"]), value["object"], None)
    if not (isinstance(cls, type) and issubclass(cls, tuple(_ROOMS))):
        raise ValueError(f"{value['object']!r} is not known in {value['room']}.")
    return cls(**{key: _decoded(entry) for key, entry in value["parameters"].items()})


def _decoded_index(value: dict[str, Any]) -> Any:
    pandas = import_extra("pandas", extra="pandas", user="A certificate with the index of its X")
    entries = [_decoded(entry) for entry in value["index"]]
    if len(value["names"]) > 1:
        return pandas.MultiIndex.from_tuples(entries, names=value["names"])
    return pandas.Index(entries, name=value["names"][0])
