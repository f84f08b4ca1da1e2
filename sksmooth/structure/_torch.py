"""Networks of torch in skorch whose first layer is linear or convolutional.

Imported only where a model of skorch is at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNetClassifier
from skorch.dataset import Dataset
from torch import nn

from sksmooth._monte_carlo import DrawStream
from sksmooth._rows import Rows
from sksmooth.structure._base import ProjectedStream, Structure, structure_of
from sksmooth.structure._gaussian_image import image_stream, is_gaussian
from sksmooth.structure._votes import count_largest

_CONVOLUTIONS = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}

# Rows per call of the layers after the first: small enough for the caches.
_VALUES_PER_CALL, _FEWEST_DRAWS, _MOST_DRAWS = 2**18, 32, 512

# Settings of skorch's loader that leave the numbers of the rows alone.
_HARMLESS = {"batch_size", "num_workers", "persistent_workers", "pin_memory", "prefetch_factor"}


@dataclass(frozen=True)
class TorchLayers(Structure):
    """A first layer without what follows it, and the layers that follow it.

    Attributes
    ----------
    first : torch.nn.Module
        Linear or convolutional layer.
    rest : torch.nn.Module
        From its output to one score per class; the largest wins.
    flat : bool
        Whether inputs are flattened before the first layer.
    n_classes : int
        Number of classes.
    """

    first: Any
    rest: Any
    flat: bool
    n_classes: int

    @property
    def draws_per_call(self) -> int:
        """Draws whose first layer is held at a time."""
        width = self.first.weight.shape[0]
        if type(self.first) in _CONVOLUTIONS:
            width *= 256  # pixels: the order of magnitude is enough here
        return int(np.clip(_VALUES_PER_CALL // width, _FEWEST_DRAWS, _MOST_DRAWS))

    def suits(self, rows: Rows) -> bool:
        """Whether the net takes rows of this shape and dtype, and has a score per class."""
        weight = self.first.weight
        if weight.device.type != "cpu" or torch.from_numpy(np.empty(0, rows.dtype)).dtype != (
            weight.dtype
        ):
            return False
        if type(self.first) is nn.Linear:
            fits = rows.n_features == weight.shape[1] and (self.flat or len(rows.shape) == 1)
        else:
            n_axes = _CONVOLUTIONS[type(self.first)]
            fits = len(rows.shape) == n_axes + 1 and rows.shape[0] == self.first.in_channels
        if not fits:
            return False
        with torch.inference_mode():
            seen = self._first(np.zeros((1, *rows.shape), rows.dtype), self.first.bias)
            return tuple(self.rest(seen).shape) == (1, self.n_classes)

    def after(self, matrix: Any, offset: Any) -> TorchLayers | None:
        """Layers as a function of x, where they are given as one of ``matrix @ x + offset``."""
        if type(self.first) is not nn.Linear or self.flat:
            return None
        weight = self.first.weight.detach().numpy().astype(float)
        times = np.multiply if np.ndim(matrix) < 2 else np.matmul
        folded, moved = times(weight, matrix), weight @ np.asarray(offset)
        if self.first.bias is not None:
            moved = moved + self.first.bias.detach().numpy()
        first = nn.Linear(folded.shape[1], len(folded), dtype=self.first.weight.dtype)
        with torch.no_grad():
            first.weight.copy_(torch.from_numpy(folded))
            first.bias.copy_(torch.from_numpy(moved))
        return replace(self, first=first)

    def view(self, values: NDArray[Any]) -> NDArray[Any]:
        """First layer of inputs."""
        with torch.inference_mode():
            seen: NDArray[Any] = self._first(values, self.first.bias).numpy()
        return seen

    def share(self, draws: NDArray[Any]) -> Any:
        """Return what draws add to the first layer."""
        with torch.inference_mode():
            return self._first(draws, None).numpy()

    def draws(self, stream: DrawStream) -> Any:
        """Return the stream of the noise that the first layer gets from the noise of a stream."""
        matrix = self.first.weight
        linear = type(self.first) is nn.Linear
        if linear and is_gaussian(stream.noise) and matrix.shape[0] < matrix.shape[1]:
            return image_stream(stream, matrix.detach().numpy())
        return ProjectedStream(stream, self)

    def tally(self, rows: Rows, noise: Any, shared: Any) -> NDArray[np.int64]:
        """Count the votes of every row with every draw."""
        votes = np.empty((len(rows), self.n_classes), np.int64)
        shared = torch.from_numpy(shared)
        hidden = torch.empty_like(shared)
        with torch.inference_mode():
            for i, seen in enumerate(torch.from_numpy(rows.values)):
                torch.add(shared, seen, out=hidden)
                scores = self.rest(hidden).numpy()
                votes[i] = count_largest(np.ascontiguousarray(scores.T))
        return votes

    def _first(self, values: NDArray[Any], bias: Any) -> Any:
        """First layer of arrays, with another bias."""
        dtype = torch.empty(0, dtype=self.first.weight.dtype).numpy().dtype
        inputs = torch.from_numpy(np.ascontiguousarray(values, dtype=dtype))
        if type(self.first) is nn.Linear:
            return nn.functional.linear(inputs.flatten(1), self.first.weight, bias)
        return self.first._conv_forward(inputs, self.first.weight, bias)


@structure_of.register
def _(model: NeuralNetClassifier) -> TorchLayers | None:
    net: Any = getattr(model, "module_", None)
    if type(net) is not nn.Sequential or not _predicts_largest_output(model):
        return None
    if any(module._forward_hooks or module._forward_pre_hooks for module in net.modules()):
        return None
    net.eval()  # as skorch does before it predicts
    layers = list(net)
    flat = bool(layers) and type(layers[0]) is nn.Flatten and layers[0].start_dim == 1
    if flat and layers[0].end_dim != -1:
        return None
    layers = layers[flat:]
    if not layers or type(layers[0]) not in (nn.Linear, *_CONVOLUTIONS):
        return None
    if flat and type(layers[0]) is not nn.Linear:
        return None
    rest = nn.Sequential(*layers[1:]).eval()
    return TorchLayers(layers[0], rest, flat, len(model.classes_))


def _predicts_largest_output(model: Any) -> bool:
    """Whether nothing comes between X and the net, nor between its outputs and the label."""
    loader = model.get_params_for("iterator_valid")
    return (
        np.array_equal(model.classes_, np.arange(len(model.classes_)))
        and model.predict_nonlinearity in ("auto", None)
        and type(model.criterion_) in (nn.CrossEntropyLoss, nn.NLLLoss)
        and model.dataset is Dataset
        and not model.get_params_for("dataset")
        and model.iterator_valid is torch.utils.data.DataLoader
        and set(loader) <= _HARMLESS
    )
