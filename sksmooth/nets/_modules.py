"""Modules of torch as objects: what calling one does, and a copy of one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import nn


def is_plain(layer: Any) -> bool:
    """Whether calling a layer does what its class does, and nothing else."""
    return not (layer._forward_hooks or layer._forward_pre_hooks or "forward" in vars(layer))


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
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is None:
            raise ValueError(
                f"{type(part).__name__}{where(name)} has no running statistics "
                "(track_running_stats=False), so its answer for a row depends on the other rows of "
                "a call, and no certificate holds for it. Train it with running statistics, or use "
                "GroupNorm or LayerNorm."
            )


def where(name: str) -> str:
    """Name of a part in brackets, for messages; nothing for the module itself."""
    return f" (layer {name})" if name else ""
