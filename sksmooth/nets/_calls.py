"""Asking a module: without gradients, on its device, in halves where its memory is short."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.overrides import TorchFunctionMode

from sksmooth.nets._execution import AS_IT_IS, TorchExecution
from sksmooth.nets._failures import OUT_OF_MEMORY, explained
from sksmooth.nets._modules import weights_device

# Values in the largest tensor of a call, and bounds on its rows: small enough for the caches of a
# processor, large enough to fill a device.
_ON_CPU = 2**20, 32, 512
_ON_DEVICE = 2**26, 256, 16384
_FEW = 32


def answers(
    module: Any,
    X: Any,
    answer: Callable[[Any], Any],
    execution: TorchExecution = AS_IT_IS,
) -> NDArray[Any]:
    """Ask a module about rows.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    X : array-like of shape (m, ...)
        Inputs.
    answer : callable
        Makes of the outputs for some rows, on the device, what is wanted of them.
    execution : TorchExecution
        How the module is called; it has been prepared.

    Returns
    -------
    answers : ndarray of shape (m, ...)

    Raises
    ------
    ValueError
        If the module fails on such rows for a reason that is known, with what to do.
    """
    device = weights_device(module)
    rows = tensor_of(X)

    def ask(part: Any) -> Any:
        with explained(module, part):  # layers that work in place get rows of their own
            outputs = execution.scores(module, part.to(device, copy=True))
        return answer(outputs).detach().cpu()

    with torch.no_grad():  # what a module keeps of a call in inference mode cannot be trained with
        few = rows[:_FEW]
        first, widest = watched(lambda: in_halves(ask, few), len(few), execution)
        size = rows_per_call(device, max(widest, math.prod(rows.shape[1:]), 1))
        others = rows[_FEW:].split(size) if len(rows) > _FEW else ()
        found: NDArray[Any] = torch.cat([first, *(in_halves(ask, part) for part in others)]).numpy()
    return found


def label_positions(
    module: Any, X: Any, scores: Callable[[Any], Any], execution: TorchExecution = AS_IT_IS
) -> NDArray[np.int64]:
    """Ask a module which of its scores is the largest for each row.

    Parameters
    ----------
    module, X, execution : object
        As for `answers`.
    scores : callable
        Makes of the outputs one score per class.

    Raises
    ------
    ValueError
        If a score is NaN, which is no answer.
    """
    found = answers(module, X, lambda outputs: largest(scores(outputs)), execution)
    refuse_nan(found < 0)
    return found


def probabilities(
    module: Any, X: Any, scores: Callable[[Any], Any], execution: TorchExecution = AS_IT_IS
) -> NDArray[Any]:
    """Ask a module for a probability for each class; otherwise as `label_positions`."""
    found = answers(module, X, scores, execution)
    refuse_nan(np.isnan(found))
    return found


def largest(scores: Any) -> Any:
    """Return the position of the largest score of each row; -1 where a score is NaN."""
    return scores.argmax(dim=1).masked_fill_(scores.isnan().any(dim=1), -1)


def refuse_nan(is_nan: NDArray[np.bool_]) -> None:
    """Refuse scores that are NaN, of which torch would take the first for the largest.

    Parameters
    ----------
    is_nan : ndarray of shape (m, ...)
        Whether answers are NaN.
    """
    if is_nan.any():
        rows = np.flatnonzero(is_nan.reshape(len(is_nan), -1).any(axis=1))
        raise ValueError(
            f"The module answers NaN for row {rows[0]} of its inputs ({len(rows)} such rows in "
            "all): no class wins there, so that there is nothing to certify. Look for weights that "
            "are NaN, for overflow, and for divisions by zero in the module."
        )


def tensor_of(values: Any) -> Any:
    """Return an array as a tensor, of the same memory where torch could write to it."""
    return torch.from_numpy(np.require(values, requirements=["C", "W"]))


def rows_per_call(device: Any, widest: int) -> int:
    """Return how many rows to ask about at once.

    Parameters
    ----------
    device : torch.device
        Where the module is.
    widest : int
        Number of values that a row has in the largest tensor on its way.
    """
    values, fewest, most = _ON_CPU if device.type == "cpu" else _ON_DEVICE
    return int(np.clip(values // widest, fewest, most))


def watched(ask: Callable[[], Any], n_rows: int, execution: TorchExecution) -> tuple[Any, int]:
    """Call a module for a few rows, and return its answer and the values of its widest tensor."""
    if execution.compile:  # its calls cannot be watched
        return ask(), 1
    with _LargestOutput() as widest:
        answer = ask()
    return answer, widest.n_values // max(n_rows, 1)


class _LargestOutput(TorchFunctionMode):
    """Watches calls of torch, and remembers the size of the largest tensor that came out.

    Attributes
    ----------
    n_values : int
        Its number of values.
    """

    def __init__(self) -> None:
        super().__init__()
        self.n_values = 0

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        outputs = function(*args, **(kwargs or {}))
        if isinstance(outputs, torch.Tensor):
            self.n_values = max(self.n_values, outputs.numel())
        return outputs


def in_halves(ask: Callable[[Any], Any], rows: Any) -> Any:
    """Ask about rows at once, or about each half of them where the device has no memory for it."""
    try:
        return ask(rows)
    except OUT_OF_MEMORY:
        if len(rows) < 2:
            raise
    return torch.cat([in_halves(ask, half) for half in rows.tensor_split(2)])
