"""Fingerprints: what tells one model, one set of rows or one list of labels from another."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
from joblib.hashing import NumpyHasher
from numpy.typing import NDArray

from sksmooth.exceptions import StoreError
from sksmooth.store._base import as_json

# Bytes of the digest of a row that are kept.
ROW_BYTES = 16


class _ContentHasher(NumpyHasher):
    """Hashes what objects hold, not where they are in memory, nor who holds them twice."""

    def __init__(self) -> None:
        super().__init__(hash_name="sha256", coerce_mmap=True)

    def save(self, obj: Any) -> None:
        """Take the numbers of what is written in a way that is not the same each time.

        Tensors of torch name addresses, trees of nearest neighbours count their own calls, and what
        is between the fields of a record is anything. Generators of random numbers move on, and
        are no part of what a model answers.
        """
        if isinstance(obj, np.ndarray) and obj.dtype.names:
            obj = ("records", [(n, np.ascontiguousarray(obj[n])) for n in obj.dtype.names])
        elif hasattr(obj, "detach") and hasattr(obj, "numpy") and hasattr(obj, "device"):
            obj = ("tensor", obj.detach().cpu().numpy())
        elif hasattr(obj, "get_arrays") and hasattr(obj, "reset_n_calls"):
            obj = ("tree", [np.asarray(array) for array in obj.get_arrays()])
        elif isinstance(obj, (np.random.RandomState, np.random.Generator)):
            obj = ("generator", type(obj).__name__)
        super().save(obj)


def content_fingerprint(values: dict[str, Any], *, name: str) -> str:
    """Return the fingerprint of what a fitted model holds.

    Parameters
    ----------
    values : dict
        Attributes by name.
    name : str
        What messages call the model.

    Raises
    ------
    StoreError
        If it cannot be pickled.
    """
    try:
        # arrays and shared parts as they are after they were written, which they may have been
        written = pickle.loads(pickle.dumps(values, protocol=5))
        digest: str = _ContentHasher().hash(written)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise StoreError(
            f"{name} cannot be told from other models, because it cannot be pickled: {error}. "
            "Define its classes and functions in a module, by name."
        ) from error
    return digest


def rows_fingerprint(row_ids: NDArray[np.uint8], shape: Sequence[int], dtype: Any) -> str:
    """Return the fingerprint of rows in their order, from the digests of each."""
    head = as_json([len(row_ids), [int(n) for n in shape], np.dtype(dtype).str])
    return hashlib.sha256(head.encode() + b"\n" + row_ids.tobytes()).hexdigest()


def labels_fingerprint(labels: Sequence[str]) -> str:
    """Return the fingerprint of labels, each given as JSON."""
    return hashlib.sha256("\n".join(labels).encode()).hexdigest()


def seed_commitment(seed: str, data: str, model: str) -> str:
    """Return what binds a run to its seed without telling it."""
    return hashlib.sha256(f"seed {seed} of data {data} and model {model}".encode()).hexdigest()
