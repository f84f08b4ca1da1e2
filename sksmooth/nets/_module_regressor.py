"""Trained torch modules as regressors."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.frozen import FrozenEstimator

from sksmooth.base_models._one_row import comparable_answers
from sksmooth.nets._execution import TorchExecution
from sksmooth.nets._layouts import laid_out
from sksmooth.nets._modules import copied, refuse_training_mode
from sksmooth.nets._trained_modules import TrainedModule, prepared
from sksmooth.voters._direct import directly


def as_regressor(
    module: Any, *, device: Any = None, execution: TorchExecution | None = None
) -> Any:
    """Return a trained module as a base model whose outputs are numbers.

    For :class:`sksmooth.CenterSmoothedRegressor` (vectors, masks, images, boxes, ...) and
    :class:`sksmooth.MedianSmoothedRegressor` (numbers and vectors).

    Parameters
    ----------
    module : torch.nn.Module
        One output of any one shape for every row; in evaluation mode. It is moved to `device`.
    device : str or torch.device, default=None
        Where it runs. None: where its weights are.
    execution : TorchExecution, default=None
        How it is called; what changes weights or code is done now, to a copy of the module. None:
        the module as it is.

    Returns
    -------
    model : sklearn.frozen.FrozenEstimator of ModuleRegressor

    Raises
    ------
    TypeError
        If `module` or `execution` is something else.
    ValueError
        If the module is in training mode and may answer at random, if it answers by its batch, or
        if the execution asked for is not possible.

    See Also
    --------
    as_classifier : For modules with one logit per class.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sksmooth import MedianSmoothedRegressor
    >>> from sksmooth.nets import as_regressor
    >>> module = torch.nn.Linear(2, 1).eval()
    >>> X = np.zeros((6, 2), np.float32)
    >>> reg = MedianSmoothedRegressor(as_regressor(module), n_estimation=200).fit(X)
    >>> len(reg.certify(X, radius=0.1))
    6
    """
    module = prepared(module, device, execution)
    return FrozenEstimator(ModuleRegressor(module, device=device, execution=execution))


def in_evaluation_mode(module: Any) -> Any:
    """Return a module as a base model, of a copy where a part of it is in training mode."""
    if any(part.training for part in module.modules()):
        module = copied(module).eval()
    return as_regressor(module)


class ModuleRegressor(RegressorMixin, TrainedModule):
    """Regressor that asks a trained module; made by :func:`as_regressor`.

    Calls that do not fit into the memory of the device are halved until they do.

    Parameters
    ----------
    module : torch.nn.Module
        One output of any one shape for every row.
    device : str or torch.device, default=None
        Where it runs.
    execution : TorchExecution, default=None
        How it is called.
    """

    def __init__(
        self, module: Any, *, device: Any = None, execution: TorchExecution | None = None
    ) -> None:
        self.module = module
        self.device = device
        self.execution = execution

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the outputs of the module.

        Parameters
        ----------
        X : array-like of shape (m, ...)
            Inputs.

        Returns
        -------
        outputs : ndarray of shape (m, ...)

        Raises
        ------
        ValueError
            If the module fails on X, or returns anything else than one tensor of real numbers.
        """
        return self.ask(X, _numbers)


def _numbers(outputs: Any) -> Any:
    """Return outputs as numbers that numpy has."""
    if not isinstance(outputs, torch.Tensor):
        raise ValueError(
            f"The module returned a {type(outputs).__name__}; one tensor of outputs is needed. "
            "Wrap it in a module that returns that alone."
        )
    if outputs.ndim == 0:
        raise ValueError("The module returned one number for all rows; each needs an output.")
    if outputs.is_complex():
        raise ValueError(
            "The module returned complex numbers. Wrap it in a module that returns real ones, "
            "such as torch.view_as_real(outputs)."
        )
    return outputs.float() if outputs.dtype in (torch.float16, torch.bfloat16) else outputs


@comparable_answers.register
def _(model: ModuleRegressor) -> Any:
    return model.predict, model.rounding()


@directly.register
def _(model: ModuleRegressor) -> ModuleRegressor:
    if model.execution is not None:
        return model
    refuse_training_mode(model.module)
    return ModuleRegressor(laid_out(model.module), device=model.device)
