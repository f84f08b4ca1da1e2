"""Which part of a net is linear and comes first, and what follows it."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from torch import nn

from sksmooth.base_models._layers import is_plain
from sksmooth.nets._execution import AS_IT_IS, TorchExecution
from sksmooth.nets._layers import TorchLayers
from sksmooth.nets._layouts import laid_out
from sksmooth.nets._modules import is_chain

_SHAPING = (nn.Flatten, nn.Identity, nn.Unflatten)
_LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def layers_of_module(net: Any, classes: Any, execution: TorchExecution = AS_IT_IS) -> TorchLayers:
    """Layers of a module in evaluation mode, with one score per class."""
    if execution != AS_IT_IS:
        return TorchLayers(nn.Sequential(), nn.Identity(), net, len(classes), execution)
    shaping, first, rest = _layers_apart(net)
    return TorchLayers(shaping, first, laid_out(rest), len(classes))


def _layers_apart(net: Any) -> tuple[Any, Any, Any]:
    """Split a net into what moves numbers, a linear layer, and the rest; or leave it whole."""
    whole = nn.Sequential(), nn.Identity(), net
    if not is_chain(net):
        return whole
    layers = list(net)
    shaping = list(takewhile(lambda layer: type(layer) in _SHAPING and is_plain(layer), layers))
    rest = layers[len(shaping) :]
    if rest and type(rest[0]) in _LINEAR and is_plain(rest[0]):
        return nn.Sequential(*shaping), rest[0], _together(rest[1:])
    return nn.Sequential(*shaping), nn.Identity(), _together(rest)


def _together(layers: list[Any]) -> Any:
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)
