"""Multi-layer perceptrons: the first layer is linear, so it is applied to x and to z apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special
from sklearn.neural_network import MLPClassifier

from sksmooth.engine._streams import DrawStream
from sksmooth.inputs._containers import Inputs
from sksmooth.voters._base import FastVoter, ProjectedStream, voter_of
from sksmooth.voters._gaussian_image import image_stream, is_gaussian
from sksmooth.voters._rounding import (
    FUNCTION_ROUNDING,
    of_image,
    of_sum,
    reach_of,
    unit_roundoff,
)
from sksmooth.voters._votes import are_open, count_largest, count_positive

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
        """First layer of inputs, before the activation, and the most that its terms sum up to.

        It is computed in double precision, so that a layer in single precision gets each number
        with one rounding.
        """
        matrix, offset = self.layers[0]
        wide = matrix.astype(float, copy=False)
        seen = values.astype(float, copy=False) @ wide.T + offset
        sizes = np.abs(values).astype(float, copy=False) @ np.abs(wide).T + np.abs(offset)
        most = np.nextafter(sizes.max(axis=1).astype(matrix.dtype), np.inf, dtype=matrix.dtype)
        return np.column_stack([seen.astype(matrix.dtype, copy=False), most])

    def embed_noise(self, draws: NDArray[Any]) -> NDArray[Any]:
        """Return what draws add to the first layer."""
        matrix = self.layers[0][0]
        seen = draws.astype(float, copy=False) @ matrix.astype(float, copy=False).T
        return seen.astype(matrix.dtype, copy=False)

    def embed_stream(self, stream: DrawStream) -> Any:
        """Return the stream of the noise that the first layer gets from the noise of a stream."""
        matrix = self.layers[0][0]
        if is_gaussian(stream.noise) and len(matrix) < matrix.shape[1]:
            return image_stream(stream, matrix)
        return ProjectedStream(stream, self)

    def count_votes(self, inputs: Inputs, noise: Any, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Count the votes of every input with every draw, but for those within `doubts`.

        What is within them in single precision is computed again in double precision, from the
        same first layer.
        """
        by_unit = np.ascontiguousarray(draws.T)
        hidden = np.empty_like(by_unit)
        votes = np.empty((len(inputs), self.n_classes), np.int64)
        own, per_size = self.doubts(inputs.values, noise)
        sizes = np.abs(by_unit).max(axis=0, initial=0.0)
        is_single = by_unit.dtype != np.float64
        closer = self.doubts(inputs.values, noise, np.float64) if is_single else None
        for i, seen in enumerate(inputs.values[:, :-1]):
            np.add(by_unit, seen[:, None], out=hidden)
            scores, doubt = self._scores(hidden), per_size * sizes + own[i]
            votes[i] = _count(scores, doubt)
            if closer is not None and votes[i].sum() < scores.shape[1]:
                some = are_open(scores, doubt)
                draws_left, doubt = by_unit[:, some].astype(float), closer[1] * sizes[some]
                scores = self._in_double._scores(draws_left + seen[:, None].astype(float))
                votes[i] += _count(scores, doubt + closer[0][i])
        return votes

    def doubts(
        self, embedded: NDArray[Any], noise: Any, dtype: Any = None
    ) -> tuple[NDArray[Any], Any]:
        """Bound what rounding may do to the difference of two scores.

        In the first layer, what is seen of the input and of a draw is a sum of as many products
        as there are features, rounded once more to the precision of the layers, and added. Noise
        that is drawn behind the layer has the law that `of_image` says. From layer to layer an
        error of the inputs grows by ``|W|``, and a sum of n products adds `of_sum` of
        ``|W| |h| + |b|``. No activation grows faster than its argument, nor is larger than one
        more than it; its own rounding is `FUNCTION_ROUNDING` units in the last place. All this is
        linear in the sizes of the first layer.

        Parameters
        ----------
        embedded : ndarray of shape (m, n_units + 1)
            Of `embed_inputs`.
        noise : Noise or None
            Distribution of the draws.
        dtype : dtype, default=None
            Of what follows the first layer. None: that of the layers.

        Returns
        -------
        own : ndarray of shape (m,)
            Bound for each input, if what the draws add to the first layer were 0.
        per_size : float
            What is added to it for each unit of the largest number that a draw adds.
        """
        (matrix, _), u = self.layers[0], unit_roundoff(self.layers[0][0].dtype)
        n_units, n_features = matrix.shape
        most = float(np.abs(matrix).sum(axis=1, dtype=float).max())
        noise_size = reach_of(noise, n_features) * most
        image = of_image(n_features, n_units) * np.sqrt(n_units) * noise_size
        size = np.abs(embedded[:, :-1]).astype(float)
        terms = embedded[:, -1:].astype(float) + noise_size
        error = 4 * u * size + of_sum(n_features) * terms + image
        ones = np.ones((1, n_units))
        kind = np.dtype(matrix.dtype if dtype is None else dtype)
        own = self._grown(error, size, 1.0, kind)
        (per_size,) = self._grown(4 * u * ones, ones, 0.0, kind)
        return own.astype(kind), kind.type(per_size)

    def _grown(self, error: Any, size: Any, constant: float, dtype: Any) -> NDArray[np.float64]:
        """Twice the largest error of a score, from errors and sizes of the first layer."""
        for matrix, offset in self.layers[1:]:
            size = size + constant
            error = error + FUNCTION_ROUNDING * unit_roundoff(dtype) * size
            grows = np.abs(matrix).astype(float).T
            size = size @ grows + constant * np.abs(offset)
            error = error @ grows + of_sum(len(grows), dtype) * size
        return np.asarray(2 * error.max(axis=1) * (1 + 1e-5))

    @cached_property
    def _in_double(self) -> HiddenLayers:
        """The same layers, computed in double precision."""
        wide = ((matrix.astype(float), offset.astype(float)) for matrix, offset in self.layers)
        return replace(self, layers=tuple(wide))

    def _scores(self, hidden: NDArray[Any]) -> NDArray[Any]:
        """Scores from what the first layer gives, one column per draw; overwrites it."""
        for matrix, offset in self.layers[1:]:
            self.activation(hidden)
            hidden = matrix @ hidden
            hidden += offset[:, None]
        return hidden


def _count(scores: NDArray[Any], doubt: NDArray[Any]) -> NDArray[np.int64]:
    """Votes by the largest score, or by the sign of a single one."""
    if len(scores) == 1:
        return count_positive(scores[0], doubt)
    return count_largest(scores, doubt)


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
