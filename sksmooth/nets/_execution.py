"""How a module is called: the precision, the layout and the code that its calls run in."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sksmooth.base_models._layers import is_plain
from sksmooth.nets._modules import copied, goes_by_batch

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass(frozen=True)
class TorchExecution:
    """How a module is called.

    What is asked for here may round sums in another order than the module as it is, and autocast
    rounds coarsely: the certificates are those of the module called so.

    Attributes
    ----------
    autocast : torch.dtype or None, default=None
        Compute in this dtype where torch deems it safe, such as ``torch.bfloat16``. This is another
        base model, whose answers differ a little.
    channels_last : bool, default=False
        Keep images of shape (m, channels, height, width) with their channels last in memory, which
        is faster for many convolutional nets.
    fold_batch_norm : bool, default=False
        Put batch normalisation into the weights of the convolution before it. The module has to be
        one that ``torch.fx`` can trace.
    compile : bool, default=False
        Compile the module with ``torch.compile``, which needs a C++ compiler and some time at the
        first call.
    """

    autocast: torch.dtype | None = None
    channels_last: bool = False
    fold_batch_norm: bool = False
    compile: bool = False

    def prepared(self, module: Any) -> Any:
        """Return a module as these settings want it; a copy, where they change its weights.

        Raises
        ------
        ValueError
            If batch normalisation cannot be folded, because the module cannot be traced.
        """
        if self.fold_batch_norm:
            module = _folded(module)
        if self.channels_last:
            module = _with_channels_last(copied(module))
        return torch.compile(module, dynamic=True) if self.compile else module

    def scores(self, module: Any, inputs: Any) -> Any:
        """Return the outputs of a prepared module for inputs on its device."""
        if self.channels_last and inputs.ndim == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with self._precision(inputs.device.type):
            return module(inputs)

    def _precision(self, device: str) -> AbstractContextManager[Any]:
        if self.autocast is None:
            return nullcontext()
        return torch.autocast(device, dtype=self.autocast)


AS_IT_IS = TorchExecution()


def _with_channels_last(module: Any) -> Any:
    """Put the channels of filters of images last in a module; other filters stay as they are."""
    for weight in module.parameters():
        if weight.ndim == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return module


def _folded(module: Any) -> Any:
    """Return a copy of a module with batch normalisation inside the convolutions before it."""
    try:
        traced = fx.symbolic_trace(copied(module))
    except Exception as error:  # whatever the code of the module cannot do with a symbol
        raise ValueError(
            f"fold_batch_norm=True needs a module that torch.fx can trace, and "
            f"{type(module).__name__} is none: {error} Leave it False."
        ) from error
    if any("_tensor_constant" in str(node.target) for node in traced.graph.nodes):
        raise ValueError(
            f"fold_batch_norm=True is refused: {type(module).__name__} makes tensors that do not "
            "depend on its input while it is called, which would be frozen. Leave it False, or "
            "make them buffers of the module."
        )
    parts = dict(traced.named_modules())
    calls = Counter(node.target for node in traced.graph.nodes if node.op == "call_module")
    read = {node.target.rpartition(".")[0] for node in traced.graph.nodes if node.op == "get_attr"}
    for node in list(traced.graph.nodes):
        before: Any = node.args[0] if node.args else None
        if not (_is_one_of(node, parts, _NORMS) and _is_one_of(before, parts, _CONVOLUTIONS)):
            continue
        once = len(before.users) == calls[before.target] == calls[node.target] == 1
        if once and before.target not in read:
            both = fuse_conv_bn_eval(parts[before.target], parts[node.target])
            where, _, name = before.target.rpartition(".")
            setattr(traced.get_submodule(where), name, both)
            node.replace_all_uses_with(before)
            traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced.eval()


def _is_one_of(node: Any, parts: dict[str, Any], kinds: tuple[type, ...]) -> bool:
    """Whether a node of a traced module calls a layer of one of some kinds, and nothing else.

    Batch normalisation that goes by the batch cannot be put into weights.
    """
    if getattr(node, "op", None) != "call_module":
        return False
    layer = parts[node.target]
    return type(layer) in kinds and is_plain(layer) and not goes_by_batch(layer)
