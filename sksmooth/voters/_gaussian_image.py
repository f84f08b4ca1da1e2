"""Gaussian noise behind a matrix, drawn there: as many numbers as the matrix has rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sksmooth.engine._streams import DrawStream, Purpose, derived_seed
from sksmooth.inputs._distinct_rows import distinct_rows
from sksmooth.noise import GaussianNoise, Noise

# Short draws: a seed for many of them.
_MOST = 2048


def is_gaussian(noise: Noise) -> bool:
    """Whether a noise has the law that any matrix maps to one of its kind."""
    return type(noise) is GaussianNoise and not getattr(noise, "k", 0)


def image_stream(stream: DrawStream, matrix: NDArray[Any]) -> DrawStream:
    """Return a stream of draws with the law of ``matrix @ z``, for a stream of Gaussian draws z.

    The law is that of exact noise, which is not rounded: a voter that takes no vote within its
    rounding answers for a function of a real vector. The draws are not the images
    of the very draws of the stream.
    """
    if stream.noisy is not None:
        matrix = np.where(stream.noisy, matrix, 0)
    rows, place = distinct_rows(np.asarray(matrix, dtype=float))
    factor: Any = np.linalg.qr(rows.T, mode="r")
    factor *= np.where(np.diag(factor) < 0, -1.0, 1.0)[:, None]  # the same with any LAPACK
    image: Any = _GaussianImage(stream.noise, factor, place)
    seed = derived_seed(stream.seed, Purpose.SCORES)  # not the draws that inputs would get
    shape = (len(matrix),)
    return DrawStream(image, seed, stream.purpose, shape, matrix.dtype, most_per_block=_MOST)


@dataclass(frozen=True)
class _GaussianImage:
    """Noise ``W z`` with Gaussian z: it has the law of ``R^T g``, where ``W^T = Q R``.

    Equal rows of W get the very same numbers, so that classes which tie for a model tie here.
    """

    noise: Noise
    factor: NDArray[Any]
    place: NDArray[np.intp]

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        draws = self.noise.draw(n, (len(self.factor),), rng, np.float64) @ self.factor
        repeated = len(self.place) > len(self.factor)
        found: NDArray[Any] = draws[:, self.place] if repeated else draws
        return found.astype(dtype, copy=False)

    def reach(self, n_features: int | None = None) -> float:
        """Largest coordinate of the noise of the inputs."""
        return self.noise.reach(n_features)
