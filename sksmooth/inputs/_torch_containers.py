"""Inputs in the containers of torch: tensors, data sets and loaders."""

from __future__ import annotations

import sys
from typing import Any

_ROWS_PER_BATCH = 256


def as_array(X: Any) -> Any:
    """Return the inputs of a tensor, data set or loader of torch as an array, and others as given.

    Parameters
    ----------
    X : object
        What the user passed. Labels beside the inputs are ignored.

    Returns
    -------
    X : ndarray of shape (m, ...) or object

    Raises
    ------
    ValueError
        If a loader gives its rows in another order each time, is empty, or if its batches do not
        start with a tensor or array of inputs.
    """
    torch: Any = sys.modules.get("torch")  # if it was never imported, X is nothing of it
    if torch is None:
        return X
    if isinstance(X, torch.Tensor):
        return _numbers(torch, X)
    data = torch.utils.data
    if isinstance(X, data.Dataset):
        X = data.DataLoader(X, batch_size=_ROWS_PER_BATCH)
    elif not isinstance(X, data.DataLoader):
        return X
    if _shuffles(data, X):
        raise ValueError(
            "X is a DataLoader that shuffles, so nobody could tell which certificate belongs to "
            "which row. Pass its dataset, or a DataLoader with shuffle=False."
        )
    batches = [_inputs(torch, batch) for batch in X]
    if not batches:
        raise ValueError("X holds no rows.")
    return _numbers(torch, torch.cat(batches))


def _shuffles(data: Any, loader: Any) -> bool:
    """Whether a loader goes through its rows in another order each time."""
    if isinstance(loader.dataset, data.IterableDataset):  # it has the order, not the loader
        return False
    order = loader.sampler if loader.batch_sampler is None else loader.batch_sampler
    if isinstance(getattr(order, "sampler", order), data.SequentialSampler):
        return False
    return _is_random(data, order) or list(order) != list(order)


def _is_random(data: Any, order: Any) -> bool:
    kinds = data.RandomSampler, data.SubsetRandomSampler, data.WeightedRandomSampler
    return isinstance(getattr(order, "sampler", order), kinds)


def _inputs(torch: Any, batch: Any) -> Any:
    first = batch[0] if isinstance(batch, (list, tuple)) and batch else batch
    if hasattr(first, "__array__") and not isinstance(first, torch.Tensor):
        first = torch.as_tensor(first)
    if not isinstance(first, torch.Tensor):
        raise ValueError(
            "A data set for X has to give one tensor of inputs per row, or such a tensor and then "
            f"its label; its batches give {type(first).__name__}."
        )
    return first


def _numbers(torch: Any, values: Any) -> Any:
    values = values.detach().cpu().resolve_conj().resolve_neg()
    # Single precision is the lowest that noise is added in, and that nets on a processor take.
    return (values.float() if values.dtype in (torch.bfloat16, torch.float16) else values).numpy()
