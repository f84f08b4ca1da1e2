"""What trained modules share as base models, whatever they answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from sksmooth.nets._calls import answers
from sksmooth.nets._execution import AS_IT_IS, TorchExecution
from sksmooth.nets._modules import refuse_training_mode

# In bfloat16, of 8 bits, with sums that are rounded in each layer.
_AUTOCAST_ROUNDING = 0.05


class AlreadyTrained(BaseEstimator):
    """Base class of models that `fit` leaves as they are."""

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> Any:
        """Leave the model as it is.

        Parameters
        ----------
        X, y : object
            Ignored.

        Returns
        -------
        self : object
        """
        return self


class TrainedModule(AlreadyTrained):
    """Base class of models that ask a trained module.

    A subclass has the parameters `module`, `device` and `execution`.
    """

    module: Any
    execution: TorchExecution | None

    def how_called(self) -> TorchExecution:
        """Return how the module is called."""
        return AS_IT_IS if self.execution is None else self.execution

    def rounding(self) -> float | None:
        """Return what rounding may do to an answer, as a part of the range; None: little."""
        return None if self.how_called().autocast is None else _AUTOCAST_ROUNDING

    def ask(self, X: Any, answer: Callable[[Any], Any], *, how: Any = answers) -> NDArray[Any]:
        """Ask the module, if its answers are those of a function; as `answers` or what `how` is."""
        refuse_training_mode(self.module)
        found: NDArray[Any] = how(self.module, X, answer, self.how_called())
        return found


def prepared(module: Any, device: Any, execution: TorchExecution | None) -> Any:
    """Return a module ready to be asked, on its (first) device.

    Raises
    ------
    TypeError
        If `module` or `execution` is something else.
    ValueError
        If the module may answer at random or by its batch, or if the execution asked for is not
        possible.
    """
    if not isinstance(module, torch.nn.Module):
        raise TypeError(
            f"module must be a torch.nn.Module, got {type(module).__name__}. A fitted net of "
            "skorch is a base model without this function: pass it in a FrozenEstimator."
        )
    if not isinstance(execution, (TorchExecution, type(None))):
        raise TypeError(f"execution must be a TorchExecution or None, got {execution!r}.")
    refuse_training_mode(module)
    devices = devices_of(device)
    if devices:
        module.to(devices[0])
    return module if execution is None else execution.prepared(module)


def devices_of(device: Any) -> list[Any]:
    """Return the devices asked for."""
    if device is None:
        return []
    return list(device) if isinstance(device, (list, tuple)) else [device]
