"""Noise drawn on the device of a net."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from sksmooth.engine._streams import DrawStream
from sksmooth.noise import GaussianNoise, LaplaceNoise, Noise, UniformNoise
from sksmooth.noise._base import rounded_up

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
        return draw_on(self.layers.device, stream.noise, self.block_size, stream, seed)


def draw_on(
    device: Any, noise: Noise, n_draws: int, stream: DrawStream, seed: np.random.SeedSequence
) -> Any:
    """Draw noise on a device; families without a sampler there are drawn by numpy and moved.

    The device draws in double precision: single-precision samplers do not reach the tails of the
    law, which a certificate counts on.
    """
    draw = _SAMPLERS.get(type(noise))
    if draw is None or getattr(noise, "k", False) or device.type == "mps":  # which has no doubles
        rng = np.random.Generator(np.random.PCG64(seed))
        return torch.from_numpy(noise.draw(n_draws, stream.shape, rng, stream.dtype)).to(device)
    noise.check_parameters()
    generator = torch.Generator(device)
    generator.manual_seed(int(seed.generate_state(1, np.uint64)[0]) >> 1)
    empty = torch.empty((n_draws, *stream.shape), dtype=torch.float64, device=device)
    wide = draw(empty, generator).to(_torch_dtype(stream.dtype))
    return wide.mul_(float(rounded_up(_scale(noise), stream.dtype)))


def _normal(empty: Any, generator: Any) -> Any:
    return empty.normal_(generator=generator)


def _laplace(empty: Any, generator: Any) -> Any:
    empty.exponential_(generator=generator)
    signs = torch.randint(
        0, 2, empty.shape, dtype=torch.int8, device=empty.device, generator=generator
    )
    return empty.mul_(2 * signs - 1)


def _uniform(empty: Any, generator: Any) -> Any:
    return empty.uniform_(-1.0, 1.0, generator=generator)


_SAMPLERS: dict[type, Any] = {
    GaussianNoise: _normal,
    LaplaceNoise: _laplace,
    UniformNoise: _uniform,
}


def _scale(noise: Any) -> float:
    """Return what the unit law is multiplied by."""
    factor = {LaplaceNoise: 1 / math.sqrt(2), UniformNoise: math.sqrt(3)}
    return float(noise.sigma) * factor.get(type(noise), 1.0)


def _torch_dtype(dtype: np.dtype[Any]) -> Any:
    return torch.from_numpy(np.empty(0, dtype)).dtype
