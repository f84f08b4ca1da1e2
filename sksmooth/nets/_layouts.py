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

from sksmooth.base_models._layers import is_plain
from sksmooth.nets._modules import goes_by_batch, is_chain

Step = Callable[[Any], Any]


class BlockedChain(nn.Sequential):
    """Layers one after another, those in a row that can work on blocks without leaving them."""

    def __init__(self, *layers: Any) -> None:
        super().__init__(*layers)
        self.training = False  # and that of the layers, which are the user's, is left alone
        self._steps = _steps(list(layers))

    def __reduce__(self) -> Any:
        """Blocks cannot be sent to other processes, which make their own."""
        return BlockedChain, tuple(self)

    def forward(self, inputs: Any) -> Any:
        """Return what the layers make of inputs."""
        return _one_after_another(self._steps, inputs)


class _OnBlocks:
    """Layers in a row that stay in blocks, where they are given finite images in single precision.

    On blocks NaN does not spread: it becomes zero, or is left out of a maximum.

    Parameters
    ----------
    layers : list of torch.nn.Module
        Called with everything else, and to complain.
    steps : list of callable
        What they do to blocks.
    """

    def __init__(self, layers: list[Any], steps: list[Step]) -> None:
        self._layers, self._steps = layers, steps

    def __call__(self, values: Any) -> Any:
        if values.ndim == 4 and values.dtype == torch.float32 and values.sum().isfinite():
            return _one_after_another(self._steps, values.to_mkldnn()).to_dense()
        return _one_after_another(self._layers, values)


def _one_after_another(steps: list[Any], values: Any) -> Any:
    for step in steps:
        values = step(values)
    return values


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
        self._works: bool | None = None

    def forward(self, inputs: Any) -> Any:
        """Return what the net makes of inputs."""
        if inputs.ndim != 4:
            return self.net(inputs)
        if self._works is None:
            self._works = _takes_channels_last(self.net, inputs)
        order = torch.channels_last if self._works else torch.contiguous_format
        return self.net(inputs.contiguous(memory_format=order))


def _takes_channels_last(net: Any, inputs: Any) -> bool:
    """Whether a net gives images like some the same outputs when their channels come last.

    Code that asks for a view fails, and code that reads the memory in an order of its own answers
    otherwise, without a word. So it is tried on noise, of which each call gets its own copy.
    """
    noise = torch.randn((2, *inputs.shape[1:]), generator=torch.Generator().manual_seed(0))
    noise = noise.to(inputs.dtype)
    try:
        found = _first_output(net(noise.clone(memory_format=torch.channels_last)))
        expected = _first_output(net(noise))
        scale = float(expected.abs().nan_to_num(0.0, 0.0).max())
        return torch.allclose(found, expected, rtol=1e-3, atol=1e-3 * scale, equal_nan=True)
    except Exception:  # whatever the net's own code cannot do; asked as it is, it will say so
        return False


def _first_output(outputs: Any) -> Any:
    return outputs[0] if isinstance(outputs, tuple) else outputs


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
    layers = list(_flat(net)) if is_chain(net) else [net]
    in_chain = any(map(_is_convolution, layers))
    return BlockedChain(*layers) if in_chain else ChannelsLast(net)


def _flat(chain: Any) -> Iterator[Any]:
    """Layers of a chain, and of chains in it, without those that change nothing."""
    for layer in chain:
        if is_chain(layer):
            yield from _flat(layer)
        elif not (type(layer) in (nn.Identity, nn.Dropout, nn.Dropout2d) and is_plain(layer)):
            yield layer


def _is_convolution(layer: Any) -> bool:
    return type(layer) is nn.Conv2d and _on_blocks(layer) is not None


def _steps(layers: list[Any]) -> list[Step]:
    """Functions of a chain, with runs of layers that can work on blocks around convolutions."""
    steps: list[Step] = []
    pairs = [(layer, _on_blocks(layer)) for layer in layers]
    for can, run in groupby(pairs, key=lambda pair: pair[1] is not None):
        part, on_blocks = map(list, zip(*run, strict=True))
        if can and any(type(layer) is nn.Conv2d for layer in part):
            steps.append(_OnBlocks(part, on_blocks))
        else:
            steps += part
    return steps


def _on_blocks(layer: Any) -> Step | None:
    """Return the function of a layer on blocks, or None where it has none."""
    numbers = [*layer.parameters(), *layer.buffers()]
    if not is_plain(layer) or not all(_fits(values) for values in numbers):
        return None
    maker = _MAKERS.get(type(layer))
    return maker(layer) if maker is not None else None


def _fits(values: Any) -> bool:
    """Whether blocks can hold weights, of which none makes NaN."""
    if not values.is_floating_point():  # a count of calls
        return True
    on_cpu = values.dtype == torch.float32 and values.device.type == "cpu"
    return on_cpu and bool(values.isfinite().all())


def _blocked(values: Any) -> Any:
    return None if values is None else values.detach().to_mkldnn()


def _convolution(layer: Any) -> Step | None:
    if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        return None
    weight, bias = _blocked(layer.weight), _blocked(layer.bias)
    places = layer.stride, layer.padding, layer.dilation, layer.groups
    return lambda blocks: functional.conv2d(blocks, weight, bias, *places)


def _batch_norm(layer: Any) -> Step | None:
    if goes_by_batch(layer) or layer.weight is None:
        return None
    mean, variance = _blocked(layer.running_mean), _blocked(layer.running_var)
    scale, shift, eps = _blocked(layer.weight), _blocked(layer.bias), layer.eps
    return lambda blocks: functional.batch_norm(blocks, mean, variance, scale, shift, eps=eps)


def _relu(layer: Any) -> Step:
    return torch.relu_  # blocks are a copy, or come out of the layer before


def _max_pool(layer: Any) -> Step | None:
    return layer if not layer.return_indices and layer.dilation in (1, (1, 1)) else None


def _average_pool(layer: Any) -> Step | None:
    # Blocks divide by the whole window, also where it reaches over the edge to fill the last one.
    return None if layer.divisor_override is not None or layer.ceil_mode else layer


_MAKERS: dict[type, Callable[[Any], Step | None]] = {
    nn.Conv2d: _convolution,
    nn.BatchNorm2d: _batch_norm,
    nn.ReLU: _relu,
    nn.MaxPool2d: _max_pool,
    nn.AvgPool2d: _average_pool,
}
