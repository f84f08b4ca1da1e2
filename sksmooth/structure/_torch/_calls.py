"""Asking a module: without gradients, on its device, in halves where its memory is short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sksmooth.structure._torch._execution import AS_IT_IS, TorchExecution

OUT_OF_MEMORY: Any = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)


def weights_device(module: Any) -> Any:
    """Device of the weights of a module; the CPU where it has none."""
    weight = next(module.parameters(), None)
    return torch.device("cpu") if weight is None else weight.device


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
    """
    rows = torch.from_numpy(np.ascontiguousarray(X)).to(weights_device(module))

    def ask(part: Any) -> Any:
        return answer(execution.scores(module, part)).cpu()

    with torch.inference_mode():
        found: NDArray[Any] = in_halves(ask, rows).numpy()
    return found


def in_halves(ask: Callable[[Any], Any], rows: Any) -> Any:
    """Ask about rows at once, or about each half of them where the device has no memory for it."""
    try:
        return ask(rows)
    except OUT_OF_MEMORY:
        if len(rows) < 2:
            raise
    return torch.cat([in_halves(ask, half) for half in rows.tensor_split(2)])
