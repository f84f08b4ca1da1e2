"""Copies of a net on several devices: each worker takes one that is free."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.engine._streams import DrawStream
from sksmooth.inputs._containers import Inputs
from sksmooth.nets._layers import TorchLayers
from sksmooth.noise import Noise
from sksmooth.voters._base import FastVoter


@dataclass(frozen=True)
class _Later:
    """Draws that are made by the net that takes them."""

    n_draws: int
    on: Callable[[TorchLayers], Any]

    def __len__(self) -> int:
        return self.n_draws


@dataclass(frozen=True)
class Replicas(FastVoter):
    """The same net on several devices.

    Attributes
    ----------
    layers : tuple of TorchLayers
        One for each device.
    """

    layers: tuple[TorchLayers, ...]
    _free: Any = field(default_factory=SimpleQueue, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for number in range(len(self.layers)):
            self._free.put(number)

    def __reduce__(self) -> Any:
        """Other processes have a queue of their own."""
        return Replicas, (self.layers,)

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes."""
        return self.layers[0].n_classes

    def draws_per_call(self, inputs: Inputs) -> int:
        """Draws whose first layer is held at a time."""
        return self.layers[0].draws_per_call(inputs)

    def suits(self, inputs: Inputs) -> bool:
        """Whether the nets take inputs of this shape and dtype."""
        return all(layers.suits(inputs) for layers in self.layers)

    def after(self, matrix: Any, offset: Any) -> None:
        """Nothing is known behind other steps."""
        return None

    def embed_inputs(self, values: NDArray[Any]) -> Any:
        """First layer of inputs, on the first device."""
        return self.layers[0].embed_inputs(values)

    def embed_noise(self, draws: NDArray[Any]) -> Any:
        """Return what draws add to the first layer, on the device that takes them."""
        return _Later(len(draws), lambda layers: layers.embed_noise(draws))

    def embed_stream(self, stream: DrawStream) -> Any:
        """Return the stream of the draws as the nets see them."""
        return _Streams({str(layers.device): layers.embed_stream(stream) for layers in self.layers})

    def count_votes(self, inputs: Inputs, noise: Any, draws: Any) -> NDArray[np.int64]:
        """Count the votes of every input with every draw, on a device that is free."""
        with self._one() as layers:
            here = inputs.with_values(layers.moved(inputs.values))
            return layers.count_votes(here, noise, draws.on(layers))

    @contextmanager
    def _one(self) -> Iterator[TorchLayers]:
        number = self._free.get()
        try:
            yield self.layers[number]
        finally:
            self._free.put(number)


@dataclass(frozen=True)
class _Streams:
    """The same draws on each of several devices."""

    on: dict[str, Any]

    @property
    def noise(self) -> Noise:
        """Distribution of the draws."""
        noise: Noise = self._any.noise
        return noise

    @property
    def block_size(self) -> int:
        """Number of draws that share one seed."""
        return int(self._any.block_size)

    @property
    def _any(self) -> Any:
        return next(iter(self.on.values()))

    def take(self, start: int, stop: int) -> _Later:
        """Return the draws numbered `start` to `stop` - 1, made where they are taken."""
        return _Later(stop - start, lambda layers: self.on[str(layers.device)].take(start, stop))
