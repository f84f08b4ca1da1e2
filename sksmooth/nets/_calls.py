"""Asking a module: without gradients, on its device, in halves where its memory is short."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNetRegressor
from skorch.dataset import Dataset
from torch.overrides import TorchFunctionMode

from sksmooth.nets._execution import AS_IT_IS, TorchExecution

# Values in the largest tensor of a call, and bounds on its rows: small enough for the caches of a
# processor, large enough to fill a device.
_ON_CPU = 2**20, 32, 512
_ON_DEVICE = 2**26, 256, 16384
_FEW = 32

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
    device = weights_device(module)
    rows = tensor_of(X)

    def ask(part: Any) -> Any:  # layers that work in place get rows of their own
        return answer(execution.scores(module, part.to(device, copy=True))).detach().cpu()

    with torch.no_grad():  # what a module keeps of a call in inference mode cannot be trained with
        few = rows[:_FEW]
        first, widest = watched(lambda: in_halves(ask, few), len(few), execution)
        size = rows_per_call(device, max(widest, math.prod(rows.shape[1:]), 1))
        others = rows[_FEW:].split(size) if len(rows) > _FEW else ()
        found: NDArray[Any] = torch.cat([first, *(in_halves(ask, part) for part in others)]).numpy()
    return found


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
    with _LargestOutput() as largest:
        answer = ask()
    return answer, largest.n_values // max(n_rows, 1)


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


def bare_module(model: Any) -> Any:
    """Return a module, also that of a net of skorch whose `predict` does nothing else; or None."""
    if isinstance(model, torch.nn.Module):
        return model
    plain = type(model) is NeuralNetRegressor and model.dataset is Dataset
    plain = plain and not model.get_params_for("dataset") and "predict" not in vars(model)
    return model.module_ if plain and model.predict_nonlinearity in ("auto", None) else None


def outputs_of_module(module: Any, values: NDArray[Any]) -> NDArray[Any]:
    """Return the outputs of a module, on its device, for an array of inputs."""
    weight = next(module.parameters(), None)
    device = torch.device("cpu") if weight is None else weight.device
    with evaluating(module), torch.no_grad():
        outputs = module(torch.from_numpy(np.ascontiguousarray(values)).to(device))
    found: NDArray[Any] = outputs.cpu().numpy()
    return found


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """Hold a module in evaluation mode for a while."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:  # not all: some layers may have been frozen
            part.training = True
