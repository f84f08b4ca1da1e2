"""Modules of torch as objects: what calling one does, where it is, and copies of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from sksmooth.base_models._layers import is_plain


def is_chain(module: Any) -> bool:
    """Whether a module calls its parts one after another, and does nothing else."""
    return type(module) is nn.Sequential and is_plain(module)


def weights_device(module: Any) -> Any:
    """Device of the weights of a module; the CPU where it has none."""
    weight = next(module.parameters(), None)
    return torch.device("cpu") if weight is None else weight.device


def copied(module: Any) -> Any:
    """Return a copy of a module.

    Weights that a hook computes before each call, as those of ``torch.nn.utils.weight_norm``, are
    results of other tensors, which torch refuses to copy; they are copied as numbers.
    """
    computed = [
        values
        for part in module.modules()
        for values in vars(part).values()
        if isinstance(values, torch.Tensor) and not values.is_leaf
    ]
    return deepcopy(module, {id(values): values.detach().clone() for values in computed})


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


def goes_by_batch(layer: Any) -> bool:
    """Whether a layer is batch normalisation whose answer depends on the other rows of a call."""
    return isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.running_mean is None


def refuse_answers_by_batch(module: Any) -> None:
    """Refuse a module whose answer for a row depends on the other rows, also in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
        Looked at with all its parts.

    Raises
    ------
    ValueError
        If it has batch normalisation without running statistics.
    """
    for name, part in module.named_modules():
        if goes_by_batch(part):
            raise ValueError(
                f"{type(part).__name__}{in_brackets(name)} has no running statistics "
                "(track_running_stats=False), so its answer for a row depends on the other rows of "
                "a call, and no certificate holds for it. Train it with running statistics, or use "
                "GroupNorm or LayerNorm."
            )


def refuse_training_mode(module: Any) -> None:
    """Refuse a module that may answer at random, or by the other rows of a call.

    Parameters
    ----------
    module : torch.nn.Module
        Looked at with all its parts.

    Raises
    ------
    ValueError
        If a part that may depend on it is in training mode, or if a part goes by the other rows in
        every mode.
    """
    refuse_answers_by_batch(module)
    for name, part in module.named_modules():
        if part.training and _may_change_in_training(part):
            raise ValueError(
                f"The module is in training mode, in which {type(part).__name__}"
                f"{in_brackets(name)} may answer at random, by the other rows of a batch, or "
                "change with every call. Call module.eval() first."
            )


def _may_change_in_training(part: Any) -> bool:
    """Whether a layer without its parts may answer otherwise in training mode.

    What code of others does is not known.
    """
    package = type(part).__module__
    of_torch = package.startswith("torch.") and not package.startswith("torch.nn.utils.")
    if not (of_torch and is_plain(part)):
        return True
    if isinstance(part, nn.modules.batchnorm._NormBase):  # that of instances, too
        return bool(part.track_running_stats)
    if isinstance(part, (nn.modules.dropout._DropoutNd, nn.RReLU)):
        return True
    dropout = getattr(part, "dropout", 0.0)  # of recurrent nets and attention
    return isinstance(dropout, float) and dropout > 0


def in_brackets(name: str) -> str:
    """Name of a part in brackets, for messages; nothing for the module itself."""
    return f" (layer {name})" if name else ""
