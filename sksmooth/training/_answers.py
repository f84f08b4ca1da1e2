"""Denoisers in torch: those that are called, and the loss of those that keep answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNetRegressor
from skorch.dataset import Dataset
from torch.nn import functional


class AnswerKeepingLoss(torch.nn.Module):
    """Cross-entropy of a classifier on denoised inputs, against its labels on clean ones.

    The stability objective of denoised smoothing (Salman et al. 2020, section 3.2). The weights of
    the classifier are no parameters of it, so that no optimizer moves them.

    Parameters
    ----------
    classifier : torch.nn.Module, or FrozenEstimator of a fitted skorch net
        Gives one logit per class; it is used in evaluation mode.
    """

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        classifier = getattr(classifier, "estimator", classifier)  # of a FrozenEstimator
        module = getattr(classifier, "module_", classifier)
        if not isinstance(module, torch.nn.Module):
            raise ValueError(
                "loss='stability' needs the gradients of a classifier in torch (a module, or a "
                "FrozenEstimator of a fitted net in skorch), got "
                f"{type(classifier).__name__}. Use loss='mse'."
            )
        self._classifier = (module,)  # in a tuple it is no part of this module

    def forward(self, denoised: Any, clean: Any) -> Any:
        """Return the mean loss over rows.

        Parameters
        ----------
        denoised, clean : torch.Tensor of shape (m, ...)
            Inputs of the classifier.
        """
        (classifier,) = self._classifier
        with evaluating(classifier.to(denoised.device)):
            with torch.no_grad():
                labels = classifier(clean).argmax(dim=1)
            return functional.cross_entropy(classifier(denoised), labels)


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
