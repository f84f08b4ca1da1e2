"""Nets of skorch: what stands between X and the module, and between its outputs and the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.dataset import Dataset
from skorch.utils import to_numpy
from torch import nn

from sksmooth.base_models._failures import Explain, explanation_of
from sksmooth.base_models._one_row import Asked, comparable_answers
from sksmooth.nets._failures import raise_explained
from sksmooth.nets._layers import TorchLayers
from sksmooth.nets._modules import refuse_answers_by_batch
from sksmooth.nets._parts import layers_of_module
from sksmooth.voters._base import voter_of

# Settings of skorch's loader that leave the numbers of the rows alone.
_HARMLESS = {"batch_size", "num_workers", "persistent_workers", "pin_memory", "prefetch_factor"}


@voter_of.register
def layers_of_net(model: NeuralNetClassifier) -> TorchLayers | None:
    """Layers of a fitted net, whose labels are those of its largest outputs."""
    if not hasattr(model, "module_") or not predicts_largest_output(model):
        return None
    return layers_of_module(module_of_net(model), model.classes_)


def module_of_net(model: Any) -> Any:
    """Return the module of a fitted net in evaluation mode, as skorch has it where it predicts."""
    module = model.module_.eval()
    refuse_answers_by_batch(module)
    return module


def output_of_net(model: Any) -> Callable[[Any], Any]:
    """Return what skorch makes of the outputs of the module of a net."""
    last = model._get_predict_nonlinearity()
    return lambda outputs: last(outputs[0] if isinstance(outputs, tuple) else outputs)


def predicts_largest_output(model: Any) -> bool:
    """Whether nothing comes between X and the net, nor between its outputs and the label."""
    return (
        np.array_equal(model.classes_, np.arange(len(model.classes_)))
        and model.predict_nonlinearity in ("auto", None)
        and type(model.criterion_) in (nn.CrossEntropyLoss, nn.NLLLoss)
        and loads_rows_as_they_are(model)
    )


def loads_rows_as_they_are(model: Any) -> bool:
    """Whether the module is given the rows of X as they are."""
    return (
        model.dataset is Dataset
        and not model.get_params_for("dataset")
        and model.iterator_valid is torch.utils.data.DataLoader
        and set(model.get_params_for("iterator_valid")) <= _HARMLESS
    )


@comparable_answers.register
def probabilities_of_net(model: NeuralNetClassifier) -> Asked:
    """Probabilities are compared: labels hide how far they are apart."""
    module_of_net(model)  # names a layer that goes by the batch
    return model.predict_proba, None


@comparable_answers.register
def _(model: NeuralNetRegressor) -> Asked:
    return model.predict, None


@explanation_of.register
def explanation_of_classifier(model: NeuralNetClassifier) -> Explain:
    """Say what is wrong with labels or inputs, if it is that."""

    def explain(error: Exception, X: Any, y: Any) -> None:
        if y is not None:
            refuse_labels(y)
        _explain_inputs(model, error, X)
        if isinstance(error, IndexError) and "Target" in str(error):
            raise ValueError(f"{error} {_NUMBERED}") from error

    return explain


@explanation_of.register
def _(model: NeuralNetRegressor) -> Explain:
    def explain(error: Exception, X: Any, y: Any) -> None:
        _explain_inputs(model, error, X)
        kind = getattr(y, "dtype", None)
        if isinstance(kind, np.dtype) and kind.kind == "f" and kind != np.float32:
            raise ValueError(
                f"The net failed on targets of {kind} ({error}). Pass y.astype(numpy.float32) for "
                "a module in single precision."
            ) from error

    return explain


def _explain_inputs(model: Any, error: Exception, X: Any) -> None:
    module = getattr(model, "module_", None)
    if module is not None and isinstance(X, np.ndarray) and X.dtype.kind in "biuf":
        raise_explained(module, torch.from_numpy(X[:1]), error)


_NUMBERED = (
    "Labels of a net are the numbers of its outputs: 0, 1, and so on, one output for each. Number "
    "them with sklearn.preprocessing.LabelEncoder().fit_transform(y)."
)


def refuse_labels(y: Any) -> None:
    """Refuse labels that are no numbers of outputs."""
    labels = np.asarray(to_numpy(y))
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"y has shape {labels.shape} and dtype {labels.dtype}, and a net needs one whole "
            f"number per row. {_NUMBERED}"
        )
    if labels.size and labels.min() < 0:
        raise ValueError(f"y has the label {labels.min()}. {_NUMBERED}")


def refuse_labels_beyond(y: Any, n_outputs: int) -> None:
    """Refuse labels for which a net has no output; y is a tensor."""
    if y.numel() and int(y.max()) >= n_outputs:
        raise ValueError(
            f"y has the label {int(y.max())}, and the module has {n_outputs} outputs, for the "
            f"labels 0 to {n_outputs - 1}. {_NUMBERED}"
        )
