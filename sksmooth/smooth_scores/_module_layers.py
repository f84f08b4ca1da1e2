"""Stacks of torch layers, read into affine maps with smooth activations between them.

Affine layers on images (convolutions, average pooling) are written out as matrices: their columns
are what the layer makes of unit vectors, so that strides, padding and groups are those of torch.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from copy import deepcopy
from math import prod
from typing import Any

import numpy as np

from sksmooth.base_models._layers import is_plain
from sksmooth.smooth_scores._activations import (
    ELU,
    GELU,
    LOGISTIC,
    SILU,
    SOFTPLUS,
    TANH,
    Activation,
)
from sksmooth.smooth_scores._base import SmoothScore
from sksmooth.smooth_scores._linear import LinearScore
from sksmooth.smooth_scores._networks import NetworkScore
from sksmooth.smooth_scores._norms import Floats, compose, times

_KINKED = (
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "ReLU6",
    "Hardtanh",
    "Hardsigmoid",
    "MaxPool1d",
    "MaxPool2d",
)
_WITHOUT_EFFECT = ("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "Identity")
_NORMALIZING = ("BatchNorm1d", "BatchNorm2d")

# Affine layers on signals and images, with the number of axes of one input.
_ON_IMAGES = {
    "Conv1d": 2,
    "AvgPool1d": 2,
    "AdaptiveAvgPool1d": 2,
    "Conv2d": 3,
    "AvgPool2d": 3,
    "AdaptiveAvgPool2d": 3,
}

# Beyond this threshold of Softplus the line differs from it by less than 1e-8.
_SMOOTH_THRESHOLD = 20

# Entries of a matrix that is written out (a quarter of a gigabyte), and unit vectors at once.
_MOST_ENTRIES, _UNITS_AT_ONCE = 2**25, 256


class UnreadableError(Exception):
    """The module is no stack of affine layers and smooth activations."""


def read_layers(module: Any, shape: tuple[int, ...] | None) -> SmoothScore:
    """Return the score of a module.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode.
    shape : tuple of int or None
        Shape of one input; None: flat, or not known yet.

    Raises
    ------
    UnreadableError
        If it is no such stack, with the reason.
    """
    if not all(is_plain(part) for part in module.modules()):
        raise UnreadableError("it has hooks, or a forward of its own, which may do anything")
    reader = _Reader(shape)
    for layer in _without_last_nonlinearity(list(_flat(module))):
        reader.read(layer)
    return reader.score()


class _Reader:
    """Layers read so far; affine maps are joined until an activation comes."""

    def __init__(self, shape: tuple[int, ...] | None):
        self.shape = shape
        self.hidden: list[tuple[Floats, Floats]] = []
        self.activations: list[Activation] = []
        self.pending: tuple[Floats, Floats] | None = None

    def read(self, layer: Any) -> None:
        kind = _kind(layer)
        if kind in _WITHOUT_EFFECT:
            return
        if kind in ("Flatten", "Unflatten"):
            self.shape = self._reshaped(layer)
        elif kind == "Linear" or kind in _NORMALIZING or kind in _ON_IMAGES:
            self._join(*self._affine(layer))
        else:
            self._activate(layer)

    def score(self) -> SmoothScore:
        """Network of all layers, or linear score if there are no activations."""
        if self.pending is None:
            raise UnreadableError("there is no linear layer in it")
        matrix, bias = self.pending
        out, intercept = _margin_of_two(np.diag(matrix) if matrix.ndim == 1 else matrix, bias)
        if not self.hidden:
            return LinearScore(out, intercept)
        return NetworkScore(self.hidden, self.activations, out, intercept)

    def _join(self, matrix: Floats, bias: Floats) -> None:
        if self.pending is None:
            self.pending = matrix, bias
        else:
            inner, offset = self.pending
            self.pending = compose(matrix, inner), times(matrix, offset[None])[0] + bias

    def _activate(self, layer: Any) -> None:
        activation, scale = _activation(layer)
        if self.pending is None:
            raise UnreadableError(f"{_kind(layer)} comes before the first linear layer")
        matrix, bias = self.pending
        if matrix.ndim == 1:
            matrix = np.diag(matrix)
        self.hidden.append((matrix * scale, bias * scale))
        self.activations.append(activation)
        self.pending = np.full(len(bias), 1 / scale), np.zeros(len(bias))

    def _reshaped(self, layer: Any) -> tuple[int, ...] | None:
        """Shape of one input after a layer that only changes this."""
        is_flat = _kind(layer) == "Flatten" and (layer.start_dim, layer.end_dim) == (1, -1)
        if self.shape is None and is_flat:
            return None
        if self.shape is None and _kind(layer) == "Unflatten" and layer.dim == 1:
            sizes = tuple(layer.unflattened_size)
            if all(isinstance(size, int) and size > 0 for size in sizes):
                return sizes
        after = layer(sys.modules["torch"].zeros(2, *self._known_shape(layer))).shape
        if after[0] != 2:
            raise UnreadableError(f"{_kind(layer)} mixes the rows of a batch")
        return tuple(after[1:])

    def _affine(self, layer: Any) -> tuple[Floats, Floats]:
        """Matrix and offset of a layer; a vector stands for a diagonal matrix."""
        kind = _kind(layer)
        is_flat = self.shape is None or len(self.shape) == 1
        if kind in _NORMALIZING:
            return self._normalizing(layer)
        if kind == "Linear" and is_flat:
            weights = _array(layer.weight)
            self.shape = (len(weights),)
            return weights, np.zeros(len(weights)) if layer.bias is None else _array(layer.bias)
        shape = self._known_shape(layer)
        if len(shape) != _ON_IMAGES.get(kind, len(shape)):
            raise UnreadableError(f"{kind} needs inputs with channels, and they have shape {shape}")
        matrix, bias, self.shape = _written_out(layer, shape)
        return matrix, bias

    def _normalizing(self, layer: Any) -> tuple[Floats, Floats]:
        kind = _kind(layer)
        if layer.running_mean is None:
            raise UnreadableError(f"{kind} without running statistics couples the rows of a batch")
        scale = (_array(layer.running_var) + layer.eps) ** -0.5
        shift = -_array(layer.running_mean) * scale
        if layer.affine:
            gain = _array(layer.weight)
            scale, shift = scale * gain, shift * gain + _array(layer.bias)
        shape = self._known_shape(layer) if kind == "BatchNorm2d" else self.shape or scale.shape
        if shape[0] != len(scale):
            raise UnreadableError(f"{kind} for {len(scale)} channels gets inputs of shape {shape}")
        return np.repeat(scale, prod(shape[1:])), np.repeat(shift, prod(shape[1:]))

    def _known_shape(self, layer: Any) -> tuple[int, ...]:
        if self.shape is None:
            raise UnreadableError(
                f"{_kind(layer)} needs the shape of its inputs; give X in that shape, or put "
                "torch.nn.Unflatten in front of it"
            )
        return self.shape


def _written_out(layer: Any, shape: tuple[int, ...]) -> tuple[Floats, Floats, tuple[int, ...]]:
    """Matrix, offset, and shape of one output of an affine layer."""
    torch = sys.modules["torch"]
    plain = deepcopy(layer).cpu().double().requires_grad_(False)
    try:
        offset = plain(torch.zeros(1, *shape, dtype=torch.float64))
    except (RuntimeError, ValueError) as error:
        raise UnreadableError(f"{_kind(layer)} does not take inputs of shape {shape}") from error
    n_inputs, n_outputs = prod(shape), offset.numel()
    if n_inputs * n_outputs > _MOST_ENTRIES:
        raise UnreadableError(
            f"{_kind(layer)} maps {n_inputs} numbers to {n_outputs}, too many for a matrix of "
            f"{_MOST_ENTRIES} entries"
        )
    if getattr(plain, "bias", None) is not None:
        plain.bias = None
    matrix = np.empty((n_outputs, n_inputs))
    for start in range(0, n_inputs, _UNITS_AT_ONCE):
        units = np.eye(min(_UNITS_AT_ONCE, n_inputs - start), n_inputs, start)
        outputs = plain(torch.as_tensor(units).reshape(-1, *shape))
        matrix[:, start : start + len(units)] = _array(outputs).reshape(len(units), -1).T
    return matrix, _array(offset).ravel(), tuple(offset.shape[1:])


def _flat(module: Any) -> Iterator[Any]:
    """Layers in the order in which they are applied."""
    if _kind(module) == "Sequential":
        for child in module:  # the same layer may come several times
            yield from _flat(child)
    else:
        yield module


def _kind(layer: Any) -> str:
    """Name of a layer of torch itself; others of the same name are not it."""
    kind = type(layer)
    is_of_torch = kind.__module__.startswith("torch.nn.modules.")
    return kind.__name__ if is_of_torch else f"own {kind.__name__}"


def _array(tensor: Any) -> Floats:
    return np.asarray(tensor.detach().cpu().double().numpy())


def _without_last_nonlinearity(layers: list[Any]) -> list[Any]:
    """Softmax, and sigmoid of one output, do not change which class wins."""
    one_output = getattr(layers[-2], "out_features", None) == 1 if len(layers) > 1 else False
    last = _kind(layers[-1])
    over_classes = last in ("Softmax", "LogSoftmax") and layers[-1].dim in (None, 1, -1)
    if over_classes or (last in ("Sigmoid", "LogSigmoid") and one_output):
        return layers[:-1]
    return layers


def _margin_of_two(weights: Floats, bias: Floats) -> tuple[Floats, Floats]:
    if len(weights) != 2:
        return weights, bias
    return weights[1:] - weights[:1], bias[1:] - bias[:1]


def _activation(layer: Any) -> tuple[Activation, float]:
    """Activation f and scale s of a layer that computes ``f(s z) / s``."""
    kind = _kind(layer)
    if kind in ("Tanh", "Sigmoid", "SiLU"):
        return {"Tanh": TANH, "Sigmoid": LOGISTIC, "SiLU": SILU}[kind], 1.0
    if kind == "Softplus" and layer.threshold < _SMOOTH_THRESHOLD:
        raise UnreadableError(
            f"Softplus has kinks where it goes over to a line at threshold={layer.threshold:g}; "
            f"use {_SMOOTH_THRESHOLD} or more"
        )
    if kind == "Softplus":
        return SOFTPLUS, float(layer.beta)
    if kind == "ELU" and layer.alpha == 1:
        return ELU, 1.0
    if kind == "GELU" and layer.approximate == "none":
        return GELU, 1.0
    if kind in _KINKED:
        raise UnreadableError(
            f"{kind} has kinks, so that no Lipschitz constant of the gradient exists; use Tanh, "
            "Softplus, ELU, GELU or SiLU instead"
        )
    raise UnreadableError(f"{kind} is not among the layers that are read")
