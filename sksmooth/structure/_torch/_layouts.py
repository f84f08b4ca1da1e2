"""The order in memory in which a processor is fastest with images.

Each convolution of torch turns its inputs into blocks of channels, on which it works, and its
outputs back. Within a chain of layers they can stay in blocks (torch calls them MKLDNN tensors),
which takes half of the time or less. A net that is no chain is given images with their channels
last, which is nearly as good. The numbers are the same, up to the rounding of sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from sksmooth.structure._torch._calls import OUT_OF_MEMORY

Step = Callable[[Any], Any]


class BlockedChain(nn.Sequential):
    """Layers one after another, those in a row that can work on blocks without leaving them."""

    def __init__(self, *layers: Any) -> None:
        super().__init__(*layers)
        self.training = False  # and that of the layers, which are the user's, is left alone
        self._steps = _steps(list(layers))

    def forward(self, inputs: Any) -> Any:
        """Return what the layers make of inputs."""
        for step in self._steps:
            inputs = step(inputs)
        return inputs


class ChannelsLast(nn.Module):
    """A net that is given images with their channels last, unless its code cannot take them.

    Attributes
    ----------
    net : torch.nn.Module
        It sees the same images, in another order in memory.
    """

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.training = False
        self.net = net
        self._works = True

    def forward(self, inputs: Any) -> Any:
        """Return what the net makes of inputs."""
        if self._works and inputs.ndim == 4:
            try:
                return self.net(inputs.contiguous(memory_format=torch.channels_last))
            except OUT_OF_MEMORY:
                raise
            except RuntimeError:  # such as that of a view, which is for the usual order
                self._works = False
        return self.net(inputs)


def laid_out(net: Any) -> Any:
    """Return a net with the outputs of another in evaluation mode, faster on the CPU.

    A net with a part in training mode is returned as it is.
    """
    convolutions = [part for part in net.modules() if isinstance(part, nn.Conv2d)]
    on_cpu = all(part.weight.device.type == "cpu" for part in convolutions)
    if not (convolutions and on_cpu and torch.backends.mkldnn.is_available()):
        return net
    if any(part.training for part in net.modules() if not list(part.children())):
        return net
    layers = list(_flat(net)) if _is_chain(net) else [net]
    in_chain = any(map(_is_convolution, layers))
    return BlockedChain(*layers) if in_chain else ChannelsLast(net)


def _flat(chain: Any) -> Iterator[Any]:
    """Layers of a chain, and of chains in it, without those that change nothing."""
    for layer in chain:
        if _is_chain(layer):
            yield from _flat(layer)
        elif not (type(layer) in (nn.Identity, nn.Dropout, nn.Dropout2d) and is_plain(layer)):
            yield layer


def _is_chain(layer: Any) -> bool:
    return type(layer) is nn.Sequential and is_plain(layer)


def is_plain(layer: Any) -> bool:
    """Whether calling a layer does what its class does, and nothing else."""
    return not (layer._forward_hooks or layer._forward_pre_hooks or "forward" in vars(layer))


def _is_convolution(layer: Any) -> bool:
    return type(layer) is nn.Conv2d and _on_blocks(layer) is not None


def _steps(layers: list[Any]) -> list[Step]:
    """Functions of a chain, with runs of layers that can work on blocks around convolutions."""
    steps: list[Step] = []
    for can, run in groupby(layers, key=lambda layer: _on_blocks(layer) is not None):
        part = list(run)
        if can and any(map(_is_convolution, part)):
            steps += [_to_blocks, *(_on_blocks(layer) or layer for layer in part), _from_blocks]
        else:
            steps += part
    return steps


def _to_blocks(values: Any) -> Any:
    return values.to_mkldnn()


def _from_blocks(values: Any) -> Any:
    return values.to_dense()


def _on_blocks(layer: Any) -> Step | None:
    """Return the function of a layer on blocks, or None where it has none."""
    numbers = [*layer.parameters(), *layer.buffers()]
    if not is_plain(layer) or not all(_fits(values) for values in numbers):
        return None
    maker = _MAKERS.get(type(layer))
    return maker(layer) if maker is not None else None


def _fits(values: Any) -> bool:
    is_count = not values.is_floating_point()
    return is_count or (values.dtype == torch.float32 and values.device.type == "cpu")


def _blocked(values: Any) -> Any:
    return None if values is None else values.detach().to_mkldnn()


def _convolution(layer: Any) -> Step | None:
    if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        return None
    weight, bias = _blocked(layer.weight), _blocked(layer.bias)
    places = layer.stride, layer.padding, layer.dilation, layer.groups
    return lambda blocks: functional.conv2d(blocks, weight, bias, *places)


def _batch_norm(layer: Any) -> Step | None:
    if layer.running_mean is None or layer.weight is None:
        return None
    mean, variance = _blocked(layer.running_mean), _blocked(layer.running_var)
    scale, shift, eps = _blocked(layer.weight), _blocked(layer.bias), layer.eps
    return lambda blocks: functional.batch_norm(blocks, mean, variance, scale, shift, eps=eps)


def _relu(layer: Any) -> Step:
    return torch.relu_  # blocks are a copy, or come out of the layer before


def _max_pool(layer: Any) -> Step | None:
    return layer if not layer.return_indices and layer.dilation in (1, (1, 1)) else None


def _average_pool(layer: Any) -> Step | None:
    return None if layer.divisor_override is not None else layer


_MAKERS: dict[type, Callable[[Any], Step | None]] = {
    nn.Conv2d: _convolution,
    nn.BatchNorm2d: _batch_norm,
    nn.ReLU: _relu,
    nn.MaxPool2d: _max_pool,
    nn.AvgPool2d: _average_pool,
}
