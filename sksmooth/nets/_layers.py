"""A net whose first layer is applied to x and to z apart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sksmooth.engine._streams import DrawStream
from sksmooth.inputs._containers import Inputs
from sksmooth.nets._calls import largest, refuse_nan, rows_per_call, tensor_of, watched
from sksmooth.nets._draws import DeviceStream
from sksmooth.nets._execution import AS_IT_IS, TorchExecution
from sksmooth.nets._failures import OUT_OF_MEMORY
from sksmooth.nets._modules import weights_device
from sksmooth.nets._noise import torch_dtype
from sksmooth.voters._base import FastVoter, ProjectedStream
from sksmooth.voters._gaussian_image import image_stream, is_gaussian
from sksmooth.voters._votes import count_largest

# Errors of scores that are reckoned with: in units in the last place, and in TensorFloat32, which
# keeps eleven bits of each factor.
_ROUNDINGS, _REDUCED_PRECISION = 128, 2.0**-11


@dataclass(frozen=True)
class TorchLayers(FastVoter):
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
    execution : TorchExecution
        How `rest` is called.
    """

    shaping: Any
    first: Any
    rest: Any
    n_classes: int
    execution: TorchExecution = AS_IT_IS
    _room: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def device(self) -> Any:
        """Device of the weights."""
        has_weights = any(True for _ in self.first.parameters())
        return weights_device(self.first if has_weights else self.rest)

    @property
    def _is_on_cpu(self) -> bool:
        return bool(self.device.type == "cpu")

    def draws_per_call(self, inputs: Inputs) -> int:
        """Draws whose first layer is held at a time."""
        return rows_per_call(self.device, max(inputs.n_features, self._room.get("widest", 1)))

    def suits(self, inputs: Inputs) -> bool:
        """Whether the net takes inputs of this shape and dtype, and has a score per class."""
        weights = [*self.first.parameters(), *self.rest.parameters()]
        if len({weight.device for weight in weights}) > 1:
            return False
        if type(self.first) is not nn.Identity:
            if self.first.weight.dtype != torch_dtype(inputs.dtype):
                return False
        try:
            scores = self._try(np.zeros((2, *inputs.shape), inputs.dtype))
        except Exception:  # of whatever kind: the model itself, asked next, has the better message
            return False
        return isinstance(scores, torch.Tensor) and tuple(scores.shape) == (2, self.n_classes)

    def _try(self, values: NDArray[Any]) -> Any:
        """Scores of a few rows; how wide the layers are is remembered."""
        with torch.no_grad():
            hidden, n_rows = self._first(values), len(values)
            scores, widest = watched(lambda: self._scores(hidden), n_rows, self.execution)
        self._room["widest"] = widest
        return scores

    def after(self, matrix: Any, offset: Any) -> TorchLayers | None:
        """Layers as a function of x, where they are given as one of ``matrix @ x + offset``."""
        if type(self.first) is not nn.Linear or len(self.shaping):
            return None
        weight = self.first.weight.detach().cpu().numpy().astype(float)
        times = np.multiply if np.ndim(matrix) < 2 else np.matmul
        folded, moved = times(weight, matrix), weight @ np.asarray(offset)
        if self.first.bias is not None:
            moved = moved + self.first.bias.detach().cpu().numpy()
        first = nn.Linear(folded.shape[1], len(folded), dtype=self.first.weight.dtype)
        first.to(self.device)
        with torch.no_grad():
            first.weight.copy_(torch.from_numpy(folded))
            first.bias.copy_(torch.from_numpy(moved))
        return replace(self, first=first)

    def embed_inputs(self, values: NDArray[Any]) -> Any:
        """First layer of inputs, on the device; in arrays of numpy on the CPU."""
        with torch.no_grad():
            seen = self._first(values)
        return seen.numpy() if self._is_on_cpu else seen

    def embed_noise(self, draws: Any) -> Any:
        """Return what draws add to the first layer, on the device."""
        with torch.no_grad():
            return self._first(draws, with_bias=False)

    def embed_stream(self, stream: DrawStream) -> Any:
        """Return the stream of the noise that the first layer gets from the noise of a stream."""
        if not self._is_on_cpu:
            return DeviceStream(stream, self)
        once = len(stream.shape) == 1 and not len(self.shaping)  # not at each place of a sequence
        on_rows = type(self.first) is nn.Linear and once
        fewer = on_rows and self.first.out_features < self.first.in_features
        if fewer and is_gaussian(stream.noise):
            return image_stream(stream, self.first.weight.detach().numpy())
        return ProjectedStream(stream, self)

    def count_votes(self, inputs: Inputs, noise: Any, draws: Any) -> NDArray[np.int64]:
        """Count the votes of every input with every draw; the counts leave the device at once."""
        seen, draws = self.moved(inputs.values), self.moved(draws)
        dtype = torch_dtype(inputs.dtype)
        per_call = min(self.draws_per_call(inputs), self._room.get("cells", 2**62))
        step = max(1, per_call // len(draws))
        shape = len(seen), self.n_classes + 2
        counted = torch.zeros(shape, dtype=torch.int64, device=self.device)
        with torch.no_grad():
            for first in range(0, len(seen), step):  # what is kept lies in one place of the memory
                counted[first : first + step] = self._votes(
                    seen[first : first + step], draws, dtype
                )
        votes: NDArray[np.int64] = counted.cpu().numpy()
        refuse_nan(votes[:, -1] > 0)
        return votes[:, :-2]

    def moved(self, values: Any) -> Any:
        """Return an array as a tensor on the device."""
        if not isinstance(values, torch.Tensor):
            values = tensor_of(values)
        return values.to(self.device)

    def _votes(self, seen: Any, draws: Any, dtype: Any) -> Any:
        """Votes of inputs with draws, in halves where the device has no memory for all at once.

        The last two columns count the draws whose vote rounding might change, and those without an
        answer, where a score is NaN. Sums of inputs themselves are exact, and take the dtype of
        inputs afterwards.
        """
        cells = len(seen) * len(draws)
        if cells <= self._room.get("cells", cells):
            try:
                hidden = (draws + seen[:, None]).flatten(0, 1)
                if type(self.first) is nn.Identity:
                    hidden = hidden.to(dtype)
                count = _by_class if self._is_on_cpu else _by_draw
                return count(self._scores(hidden).detach(), len(seen), self._doubt())
            except OUT_OF_MEMORY:
                if cells < 2:
                    raise
                self._room["cells"] = cells // 2
        if len(seen) > 1:
            return torch.cat([self._votes(half, draws, dtype) for half in seen.tensor_split(2)])
        first, second = (self._votes(seen, half, dtype) for half in draws.tensor_split(2))
        return first + second

    def _doubt(self) -> float:
        """Return the rounding error of a score that is reckoned with, as part of the largest score.

        This is no proven bound: it is `_ROUNDINGS` units in the last place, or those of products
        in reduced precision where the device may use it. Without a layer that is applied to x and
        z apart, the net is asked about their exact sum, and there is no such error.
        """
        if type(self.first) is nn.Identity:
            return 0.0
        coarse = self.device.type == "cuda" and (
            torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32
        )
        unit = torch.finfo(self.first.weight.dtype).eps
        return float(max(_ROUNDINGS * unit, _REDUCED_PRECISION if coarse else 0.0))

    def _scores(self, hidden: Any) -> Any:
        return self.execution.scores(self.rest, hidden)

    def _first(self, values: Any, with_bias: bool = True) -> Any:
        """First layer of arrays."""
        inputs = self.shaping(self.moved(values))
        if type(self.first) is nn.Identity:
            return inputs
        inputs = inputs.to(self.first.weight.dtype)
        bias = self.first.bias if with_bias else None
        if type(self.first) is nn.Linear:
            return nn.functional.linear(inputs, self.first.weight, bias)
        return self.first._conv_forward(inputs, self.first.weight, bias)


def _by_class(scores: Any, n_inputs: int, doubt: float) -> Any:
    """Votes of each of several inputs, class by class, which is how a processor does it fastest."""
    wide = scores if scores.dtype != torch.bfloat16 else scores.float()  # numpy knows no bfloat16
    of_inputs = wide.numpy().reshape(n_inputs, -1, scores.shape[1])
    votes = np.zeros((n_inputs, scores.shape[1] + 2), np.int64)
    for of_input, votes_of_input in zip(of_inputs, votes, strict=True):
        by_class = np.ascontiguousarray(of_input.T)
        error = doubt * _finite_sizes(by_class) if doubt else 0.0
        votes_of_input[:-2] = count_largest(by_class, error)
    if wide.sum().isnan():
        votes[:, -1] = np.isnan(of_inputs).any(axis=2).sum(axis=1)
    return torch.from_numpy(votes)


def _finite_sizes(scores: NDArray[Any]) -> NDArray[Any]:
    """Largest size of a finite score in each column."""
    sizes: NDArray[Any] = np.abs(scores).max(axis=0)
    if np.isfinite(sizes).all():
        return sizes
    return np.nan_to_num(np.abs(scores), nan=0.0, posinf=0.0).max(axis=0)


def _by_draw(scores: Any, n_inputs: int, doubt: float) -> Any:
    """Votes of each of several inputs, draw by draw, without waiting for the device."""
    n_classes = scores.shape[1]
    winners = largest(scores) % (n_classes + 2)  # NaN: the last
    if doubt and n_classes > 1:
        first, second = scores.topk(2, dim=1).values.unbind(1)
        sizes = scores.abs().nan_to_num(nan=0.0, posinf=0.0).amax(dim=1)
        close = ~(first - second > doubt * sizes) & (winners < n_classes)
        winners = winners.masked_fill(close, n_classes)
    shape = n_inputs, n_classes + 2
    winners = winners.reshape(n_inputs, -1)
    votes = torch.zeros(shape, dtype=torch.int64, device=scores.device)
    return votes.scatter_add_(1, winners, torch.ones_like(winners))
