"""Where draws come from: draw i of a stream is a function of the seed, the purpose and i."""

from __future__ import annotations

import hashlib
import math
import operator
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.inputs._containers import Inputs
from sksmooth.inputs._table import STRIDE, TableSchema
from sksmooth.noise import Noise
from sksmooth.noise._base import is_added
from sksmooth.noise._lattice import Lattice

# One block of draws is generated from one seed: large enough to pay for its generator, small
# enough that batches of any size are cut from it without waste.
_BLOCK_VALUES = 2**16
_MAX_BLOCK = 128


class Purpose(IntEnum):
    """What randomness is for. Draws of one purpose are never used for another."""

    AUGMENTATION = 0
    COLLAPSE_CHECK = 1
    SELECTION = 2
    ESTIMATION = 3
    BASE_MODEL = 4
    PILOT = 5
    SCORING = 6
    SCORES = 7
    OFFSETS = 8
    CALIBRATION = 9
    PREDICTION_SETS = 10


def derived_seed(seed: int, purpose: Purpose) -> int:
    """Seed of streams that share no draw with those of another."""
    sequence = np.random.SeedSequence(int(seed), spawn_key=(purpose,))
    return int(sequence.generate_state(1, np.uint64)[0])


@dataclass(frozen=True)
class DrawStream:
    """An endless, reproducible sequence of draws of a noise.

    Attributes
    ----------
    noise : Noise
        Distribution of the draws.
    seed : int
        Entropy shared by all streams of an estimator.
    purpose : Purpose
        Selects the stream.
    shape : tuple of int
        Shape of what one draw is for, and of the draw itself where the noise is added.
    dtype : dtype
        Dtype of the draws.
    most_per_block : int
        Largest number of draws that share one seed.
    noisy : ndarray of bool, or None
        Columns that bear noise, where the others of a draw are 0; None: all.
    lattice : Lattice or None
        What draws are rounded to, which are made in float64 then.
    table : TableSchema or None
        Categorical columns, and the noise on them.
    """

    noise: Noise
    seed: int
    purpose: Purpose
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    most_per_block: int = _MAX_BLOCK
    lattice: Lattice | None = None
    noisy: NDArray[np.bool_] | None = field(default=None, compare=False)
    table: TableSchema | None = field(default=None, compare=False)
    _memory: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        """Other processes draw for themselves."""
        return {**self.__dict__, "_memory": {}}

    @property
    def block_size(self) -> int:
        """Number of draws that share one seed; no function of the rows."""
        wanted = _BLOCK_VALUES // max(1, math.prod(self.shape))
        return min(max(wanted, 1), self.most_per_block)

    def take(self, start: int, stop: int) -> NDArray[Any]:
        """Return the draws numbered `start` to `stop` - 1."""
        start, stop, size = operator.index(start), operator.index(stop), self.block_size
        draws = np.empty((stop - start, *self._block(start // size).shape[1:]), self.dtype)
        for block in range(start // size, -(-stop // size)):
            first = max(start, block * size)
            last = min(stop, (block + 1) * size)
            draws[first - start : last - start] = self._block(block)[
                first - block * size : last - block * size
            ]
        return draws

    def _block(self, index: int) -> NDArray[Any]:
        """Draw a block, unless it is the last one: calls that end within a block go on with it."""
        known, draws = self._memory.get("last", (None, None))
        if known != index:
            draws = self._draw_block(index)
            self._memory["last"] = index, draws
        return draws

    def _draw_block(self, index: int) -> NDArray[Any]:
        seed = np.random.SeedSequence(self.seed, spawn_key=(self.purpose, index))
        rng = np.random.Generator(np.random.PCG64(seed))
        if self.noisy is None:
            return self._draw_numbers(self.shape, rng)
        draws = np.zeros((self.block_size, *self.shape), self.dtype)
        if self.noisy.any():
            draws[:, self.noisy] = self._draw_numbers((int(self.noisy.sum()),), rng)
        if self.table is not None and self.table.law is not None:
            how = self.table.law.draw(self.block_size, rng)
            draws[:, self.table.positions] = how * STRIDE
        return draws

    def _draw_numbers(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        if self.lattice is None:
            return self.noise.draw(self.block_size, shape, rng, self.dtype)
        draws = self.noise.draw(self.block_size, shape, rng, np.float64)
        return self.lattice.rounded_draws(draws)


@dataclass(frozen=True)
class Streams:
    """The draws of one call of an estimator, for every purpose.

    Attributes
    ----------
    noise : Noise
        Distribution of the draws.
    seed : int
        Entropy of the call.
    lattice : Lattice or None
        What inputs and draws are rounded to before they are added; None: nothing is.
    """

    noise: Noise
    seed: int
    lattice: Lattice | None = None

    def of(self, purpose: Purpose, inputs: Inputs) -> DrawStream:
        """Return the stream of a purpose, which all inputs share.

        Noise that a model is trained on is part of no proof, and is not rounded. Cuts of splitting
        noise are drawn in double precision: it is no sum, and for a draw its answer depends on the
        input through whole numbers alone.
        """
        lattice, dtype = self.lattice, inputs.dtype
        if purpose == Purpose.AUGMENTATION:
            lattice = None
        elif lattice is not None:
            dtype = lattice.dtype
        elif not is_added(self.noise):
            dtype = np.dtype(np.float64)
        return DrawStream(
            self.noise,
            self.seed,
            purpose,
            inputs.shape,
            dtype,
            lattice=lattice,
            noisy=inputs.noisy,
            table=None if inputs.layout is None else inputs.layout.table,
        )

    def of_each(self, purpose: Purpose, inputs: Inputs) -> list[DrawStream]:
        """Return a stream for each input, keyed by its content: different inputs share nothing.

        Equal inputs have equal streams.
        """
        shared = self.of(purpose, inputs)
        return [replace(shared, seed=seed) for seed in _seeds_by_content(inputs, self.seed)]


def _seeds_by_content(inputs: Inputs, seed: int) -> list[int]:
    """Seeds of 256 bits, one for each input."""
    values = inputs[:].values.astype(float) + 0.0  # minus zero is zero
    return [
        int.from_bytes(hashlib.sha256(str(seed).encode() + b"|" + row.tobytes()).digest(), "big")
        for row in values.reshape(len(inputs), -1)
    ]
