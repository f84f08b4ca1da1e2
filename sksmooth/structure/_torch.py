"""Networks of torch in skorch: called without the loader, and a linear first layer apart.

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

_SHAPING = (nn.Flatten, nn.Identity, nn.Unflatten)
_LINEAR = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)

# Rows per call of the layers after the first: small enough for the caches.
_VALUES_PER_CALL, _FEWEST_DRAWS, _MOST_DRAWS = 2**18, 32, 512

# Settings of skorch's loader that leave the numbers of the rows alone.
_HARMLESS = {"batch_size", "num_workers", "persistent_workers", "pin_memory", "prefetch_factor"}


@dataclass(frozen=True)
class TorchLayers(Structure):
    """A first layer without what follows it, and the layers that follow it.

    Attributes
    ----------
    shaping : torch.nn.Module
        Applied to inputs and draws before the first layer; only moves numbers.
    first : torch.nn.Module
        Linear or convolutional layer, or one that changes nothing.
    rest : torch.nn.Module
        From its output to one score per class; the largest wins.
    n_classes : int
        Number of classes.
    """

    shaping: Any
    first: Any
    rest: Any
    n_classes: int

    def draws_per_call(self, rows: Rows) -> int:
        """Draws whose first layer is held at a time."""
        return int(np.clip(_VALUES_PER_CALL // rows.n_features, _FEWEST_DRAWS, _MOST_DRAWS))

    def suits(self, rows: Rows) -> bool:
        """Whether the net takes rows of this shape and dtype, and has a score per class."""
        weights = [*self.first.parameters(), *self.rest.parameters()]
        if any(weight.device.type != "cpu" for weight in weights):
            return False
        try:
            with torch.inference_mode():
                scores = self.rest(self._first(np.zeros((2, *rows.shape), rows.dtype)))
        except (IndexError, RuntimeError, ValueError):  # the model will say it better
            return False
        return isinstance(scores, torch.Tensor) and tuple(scores.shape) == (2, self.n_classes)

    def after(self, matrix: Any, offset: Any) -> TorchLayers | None:
        """Layers as a function of x, where they are given as one of ``matrix @ x + offset``."""
        if type(self.first) is not nn.Linear or len(self.shaping):
            return None
        if self.first.weight.device.type != "cpu":
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
            seen: NDArray[Any] = self._first(values).numpy()
        return seen

    def share(self, draws: NDArray[Any]) -> Any:
        """Return what draws add to the first layer."""
        with torch.inference_mode():
            return self._first(draws, with_bias=False).numpy()

    def draws(self, stream: DrawStream) -> Any:
        """Return the stream of the noise that the first layer gets from the noise of a stream."""
        on_rows = type(self.first) is nn.Linear and not len(self.shaping)
        fewer = on_rows and self.first.out_features < self.first.in_features
        if fewer and is_gaussian(stream.noise):
            return image_stream(stream, self.first.weight.detach().numpy())
        return ProjectedStream(stream, self)

    def tally(self, rows: Rows, noise: Any, shared: Any) -> NDArray[np.int64]:
        """Count the votes of every row with every draw."""
        votes = np.empty((len(rows), self.n_classes), np.int64)
        shared, seen = torch.from_numpy(shared), torch.from_numpy(rows.values)
        n_draws, step = len(shared), max(1, self.draws_per_call(rows) // len(shared))
        with torch.inference_mode():
            for first in range(0, len(rows), step):
                hidden = (shared + seen[first : first + step, None]).flatten(0, 1)
                scores = self.rest(hidden).numpy().reshape(-1, n_draws, self.n_classes)
                for i, of_row in enumerate(scores, first):
                    votes[i] = count_largest(np.ascontiguousarray(of_row.T))
        return votes

    def _first(self, values: NDArray[Any], with_bias: bool = True) -> Any:
        """First layer of arrays."""
        inputs = self.shaping(torch.from_numpy(np.ascontiguousarray(values)))
        if type(self.first) is nn.Identity:
            return inputs
        bias = self.first.bias if with_bias else None
        if type(self.first) is nn.Linear:
            return nn.functional.linear(inputs, self.first.weight, bias)
        return self.first._conv_forward(inputs, self.first.weight, bias)


@structure_of.register
def layers_of_net(model: NeuralNetClassifier) -> TorchLayers | None:
    """Layers of a fitted net, where nothing else has a say in its labels."""
    net: Any = getattr(model, "module_", None)
    if net is None or not _predicts_largest_output(model):
        return None
    net.eval()  # as skorch does before it predicts
    return layers_of_module(net, model.classes_)


def layers_of_module(net: Any, classes: Any) -> TorchLayers:
    """Layers of a module in evaluation mode, with one score per class."""
    return TorchLayers(*_layers_apart(net), len(classes))


def _layers_apart(net: Any) -> tuple[Any, Any, Any]:
    """Split a net into what moves numbers, a linear layer, and the rest; or leave it whole."""
    whole = nn.Sequential(), nn.Identity(), net
    if type(net) is not nn.Sequential or net._forward_hooks or net._forward_pre_hooks:
        return whole
    layers = list(net)
    start = next((i for i, layer in enumerate(layers) if type(layer) not in _SHAPING), len(layers))
    front = layers[: start + 1]
    if start == len(layers) or type(front[-1]) not in _LINEAR:
        return whole
    if any(layer._forward_hooks or layer._forward_pre_hooks for layer in front):
        return whole
    rest = nn.Sequential(*layers[start + 1 :]).eval()
    return nn.Sequential(*front[:-1]), front[-1], rest


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
