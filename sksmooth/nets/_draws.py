"""The draws of a stream, made on the device of a net."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from sksmooth.engine._streams import DrawStream
from sksmooth.nets._noise import draw_on
from sksmooth.noise import Noise

# One block of draws is made from one seed: large, since a device does much at a time.
_BLOCK_VALUES = 2**22
_MOST_PER_BLOCK = 4096


@dataclass(frozen=True)
class DeviceStream:
    """An endless, reproducible sequence of draws on a device, as a net sees them.

    Draw number i depends on the seed, the stream, i and the kind of the device. The draws are other
    numbers than those that numpy draws for the same seed, of the same law.

    Attributes
    ----------
    stream : DrawStream
        Gives noise, seed, shape and dtype.
    layers : TorchLayers
        Its `embed_noise` is applied to the draws, on its device.
    """

    stream: DrawStream
    layers: Any
    _memory: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def noise(self) -> Noise:
        """Distribution of the draws."""
        return self.stream.noise

    @property
    def block_size(self) -> int:
        """Number of draws that share one seed."""
        wanted = _BLOCK_VALUES // max(1, math.prod(self.stream.shape))
        return min(max(wanted, 1), _MOST_PER_BLOCK)

    def take(self, start: int, stop: int) -> Any:
        """Return the shared part of the draws numbered `start` to `stop` - 1."""
        size = self.block_size
        blocks = range(start // size, -(-stop // size))
        parts = [
            self._block(block)[max(0, start - block * size) : stop - block * size]
            for block in blocks
        ]
        return self.layers.embed_noise(parts[0] if len(parts) == 1 else torch.cat(parts))

    def _block(self, index: int) -> Any:
        known, draws = self._memory.get("last", (None, None))
        if known != index:
            draws = self._draw_block(index)
            self._memory["last"] = index, draws
        return draws

    def _draw_block(self, index: int) -> Any:
        stream = self.stream
        seed = np.random.SeedSequence(stream.seed, spawn_key=(stream.purpose, index))
        size, device = self.block_size, self.layers.device
        shape = stream.shape if stream.noisy is None else (int(stream.noisy.sum()),)
        law = stream.noise, size, shape, stream.dtype, seed, stream.lattice
        draws = draw_on(device, *law)
        if stream.noisy is None:
            return draws
        spread = torch.zeros((size, *stream.shape), dtype=draws.dtype, device=device)
        spread[:, torch.from_numpy(stream.noisy).to(device)] = draws
        return spread
