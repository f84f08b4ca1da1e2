"""Multi-layer perceptrons: the first layer is linear, so it is applied to x and to z apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special
from sklearn.neural_network import MLPClassifier

from sksmooth.engine._streams import DrawStream
from sksmooth.inputs._containers import Inputs
from sksmooth.voters._base import FastVoter, ProjectedStream, voter_of
from sksmooth.voters._gaussian_image import image_stream, is_gaussian
from sksmooth.voters._votes import count_largest, count_positive

# What is held of the draws of a call, and what is computed from it for one input, should stay
# in the second-level cache; products of longer vectors are slower.
_VALUES_PER_CALL, _FEWEST_DRAWS, _MOST_DRAWS = 90_000, 256, 896

Layer = tuple[NDArray[Any], NDArray[Any]]


@dataclass(frozen=True)
class HiddenLayers(FastVoter):
    """Scores of layers ``x -> activation(W @ x + b)``, the last without an activation.

    The largest score wins; a single one decides by its sign.

    Attributes
    ----------
    layers : tuple of (matrix, offset)
        Matrices of shape (n_outputs, n_inputs).
    activation : callable
        Applied to an array in place.
    """

    layers: tuple[Layer, ...]
    activation: Callable[[NDArray[Any]], Any]

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes: one per score, or two."""
        return max(2, len(self.layers[-1][0]))

    def draws_per_call(self, inputs: Inputs) -> int:
        """Draws whose first layer is held at a time."""
        wanted = _VALUES_PER_CALL // len(self.layers[0][0])
        return min(max(_FEWEST_DRAWS, wanted), _MOST_DRAWS)

    def suits(self, inputs: Inputs) -> bool:
        """Whether inputs have the right length, and a precision that the layers keep."""
        matrix = self.layers[0][0]
        return inputs.shape == matrix.shape[1:] and matrix.dtype == inputs.dtype

    def after(self, matrix: Any, offset: Any) -> HiddenLayers:
        """Layers as a function of x, where they are given as one of ``matrix @ x + offset``."""
        first, bias = self.layers[0]
        wide = np.asarray(first, dtype=float)
        times = np.multiply if np.ndim(matrix) < 2 else np.matmul
        folded = times(wide, matrix).astype(first.dtype)
        moved = (bias + wide @ np.asarray(offset)).astype(bias.dtype)
        return replace(self, layers=((folded, moved), *self.layers[1:]))

    def embed_inputs(self, values: NDArray[Any]) -> NDArray[Any]:
        """First layer of inputs, before the activation."""
        matrix, offset = self.layers[0]
        return values.astype(matrix.dtype, copy=False) @ matrix.T + offset

    def embed_noise(self, draws: NDArray[Any]) -> NDArray[Any]:
        """Return what draws add to the first layer."""
        return draws.astype(self.layers[0][0].dtype, copy=False) @ self.layers[0][0].T

    def embed_stream(self, stream: DrawStream) -> Any:
        """Return the stream of the noise that the first layer gets from the noise of a stream."""
        matrix = self.layers[0][0]
        if is_gaussian(stream.noise) and len(matrix) < matrix.shape[1]:
            return image_stream(stream, matrix)
        return ProjectedStream(stream, self)

    def count_votes(self, inputs: Inputs, noise: Any, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Count the votes of every input with every draw."""
        by_unit = np.ascontiguousarray(draws.T)
        hidden = np.empty_like(by_unit)
        votes = np.empty((len(inputs), self.n_classes), np.int64)
        for i, seen in enumerate(inputs.values):
            np.add(by_unit, seen[:, None], out=hidden)
            scores = self._scores(hidden)
            votes[i] = count_positive(scores[0]) if len(scores) == 1 else count_largest(scores)
        return votes

    def _scores(self, hidden: NDArray[Any]) -> NDArray[Any]:
        """Scores from what the first layer gives, one column per draw; overwrites it."""
        for matrix, offset in self.layers[1:]:
            self.activation(hidden)
            hidden = matrix @ hidden
            hidden += offset[:, None]
        return hidden


def _identity(values: NDArray[Any]) -> None:
    pass


def _logistic(values: NDArray[Any]) -> None:
    special.expit(values, out=values)


def _tanh(values: NDArray[Any]) -> None:
    np.tanh(values, out=values)


def _relu(values: NDArray[Any]) -> None:
    floor = np.zeros((len(values), 1), values.dtype)  # half the time that a number takes
    np.maximum(values, floor, out=values)


_ACTIVATIONS = {"identity": _identity, "logistic": _logistic, "tanh": _tanh, "relu": _relu}


@voter_of.register
def _(model: MLPClassifier) -> HiddenLayers | None:
    n_outputs, n_classes = model.n_outputs_, len(model.classes_)
    if n_outputs != (1 if n_classes == 2 else n_classes) or model.out_activation_ == "identity":
        return None
    layers = tuple(
        (np.ascontiguousarray(matrix.T), offset)
        for matrix, offset in zip(model.coefs_, model.intercepts_, strict=True)
    )
    return HiddenLayers(layers, _ACTIVATIONS[model.activation])
