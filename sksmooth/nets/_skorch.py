"""Nets of skorch: what stands between X and the module, and between its outputs and the label."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.dataset import Dataset
from torch import nn

from sksmooth.nets._layers import TorchLayers
from sksmooth.nets._modules import refuse_answers_by_batch
from sksmooth.nets._parts import layers_of_module
from sksmooth.voters._base import voter_of

# Settings of skorch's loader that leave the numbers of the rows alone.
_HARMLESS = {"batch_size", "num_workers", "persistent_workers", "pin_memory", "prefetch_factor"}


@voter_of.register
def layers_of_net(model: NeuralNetClassifier) -> TorchLayers | None:
    """Layers of a fitted net, where nothing else has a say in its labels."""
    net: Any = getattr(model, "module_", None)
    if net is None or not predicts_largest_output(model):
        return None
    net.eval()  # as skorch does before it predicts
    refuse_answers_by_batch(net)
    return layers_of_module(net, model.classes_)


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
