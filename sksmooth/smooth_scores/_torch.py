"""Torch modules and skorch nets.

A stack of linear layers and smooth activations is read into a `NetworkScore`. Any other module
gives its value and, by automatic differentiation, its gradient; the Lipschitz constant is then the
user's. torch and skorch are not imported here: whoever has such a model has imported them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sksmooth.smooth_scores._activations import (
    ELU,
    GELU,
    LOGISTIC,
    SILU,
    SOFTPLUS,
    TANH,
    Activation,
)
from sksmooth.smooth_scores._base import EPS, TINY, Floats, SmoothScore
from sksmooth.smooth_scores._linear import LinearScore
from sksmooth.smooth_scores._networks import NetworkScore

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


# Beyond this threshold of Softplus the line differs from it by less than 1e-8.
_SMOOTH_THRESHOLD = 20


def is_torch(model: Any) -> bool:
    """Whether a model is a torch module, or a skorch net around one."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(_module_of(model), torch.nn.Module)


def _module_of(model: Any) -> Any:
    return getattr(model, "module_", model)


def score_of_module(model: Any) -> SmoothScore:
    """Return the score of a torch module or a fitted skorch net, in evaluation mode.

    Parameters
    ----------
    model : torch.nn.Module or fitted skorch.NeuralNet
        With one output for two classes (a logit), or one per class.
    """
    module = _module_of(model)
    if any(part._forward_hooks or part._forward_pre_hooks for part in module.modules()):
        return ModuleScore(_as_double(module), None, "it has hooks, which may do anything")
    try:
        return _read(list(_flat(module)))
    except _Unreadable as reason:
        return ModuleScore(_as_double(module), None, str(reason))


def answers_of_module(module: Any, X: Floats) -> Any:
    """Index of the class that a bare module gives to each row: that of the largest output.

    A single output is a probability if all are between 0 and 1, else a logit.
    """
    double = _as_double(module)
    inputs = ModuleScore(double, None, "")._inputs(X)
    outputs = _array(double(inputs).reshape(len(X), -1))
    if outputs.shape[1] > 1:
        return outputs.argmax(axis=1)
    is_probability = ((outputs >= 0) & (outputs <= 1)).all()
    return (outputs[:, 0] > (0.5 if is_probability else 0.0)).astype(int)


class _Unreadable(Exception):
    """The module is no stack of linear layers and smooth activations."""


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


def _read(layers: list[Any]) -> SmoothScore:
    """Network of a list of layers; affine maps are joined until an activation comes."""
    hidden: list[tuple[Floats, Floats]] = []
    activations: list[Activation] = []
    pending: tuple[Floats, Floats] | None = None
    for layer in _without_last_nonlinearity(layers):
        kind = _kind(layer)
        if kind in ("Dropout", "AlphaDropout", "Identity", "Flatten"):
            continue
        if kind in ("Linear", "BatchNorm1d"):
            pending = _join(pending, _affine(layer))
            continue
        activation, scale = _activation(layer)
        if pending is None:
            raise _Unreadable(f"{kind} comes before the first linear layer")
        hidden.append((pending[0] * scale, pending[1] * scale))
        activations.append(activation)
        pending = np.eye(len(pending[0])) / scale, np.zeros(len(pending[0]))
    if pending is None:
        raise _Unreadable("there is no linear layer in it")
    weights, bias = _margin_of_two(*pending)
    return (
        NetworkScore(hidden, activations, weights, bias) if hidden else LinearScore(weights, bias)
    )


def _without_last_nonlinearity(layers: list[Any]) -> list[Any]:
    """Softmax, and sigmoid of one output, do not change which class wins."""
    one_output = getattr(layers[-2], "out_features", None) == 1 if len(layers) > 1 else False
    last = _kind(layers[-1])
    if last in ("Softmax", "LogSoftmax") or (last in ("Sigmoid", "LogSigmoid") and one_output):
        return layers[:-1]
    return layers


def _margin_of_two(weights: Floats, bias: Floats) -> tuple[Floats, Floats]:
    if len(weights) != 2:
        return weights, bias
    return weights[1:] - weights[:1], bias[1:] - bias[:1]


def _join(
    first: tuple[Floats, Floats] | None, then: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    if first is None:
        return then
    return then[0] @ first[0], then[0] @ first[1] + then[1]


def _affine(layer: Any) -> tuple[Floats, Floats]:
    if _kind(layer) == "Linear":
        weights = _array(layer.weight)
        return weights, np.zeros(len(weights)) if layer.bias is None else _array(layer.bias)
    if layer.running_mean is None:
        raise _Unreadable("BatchNorm1d without running statistics couples the rows of a batch")
    scale = (_array(layer.running_var) + layer.eps) ** -0.5
    shift = -_array(layer.running_mean) * scale
    if layer.affine:
        gain = _array(layer.weight)
        return np.diag(scale * gain), shift * gain + _array(layer.bias)
    return np.diag(scale), shift


def _activation(layer: Any) -> tuple[Activation, float]:
    """Activation f and scale s of a layer that computes ``f(s z) / s``."""
    kind = _kind(layer)
    if kind in ("Tanh", "Sigmoid", "SiLU"):
        return {"Tanh": TANH, "Sigmoid": LOGISTIC, "SiLU": SILU}[kind], 1.0
    if kind == "Softplus" and layer.threshold < _SMOOTH_THRESHOLD:
        raise _Unreadable(
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
        raise _Unreadable(
            f"{kind} has kinks, so that no Lipschitz constant of the gradient exists; use Tanh, "
            "Softplus, ELU, GELU or SiLU instead"
        )
    raise _Unreadable(f"{kind} is not among the layers that are read")


def _as_double(module: Any) -> Any:
    return deepcopy(module).double().eval().requires_grad_(False)


@dataclass(frozen=True)
class ModuleScore(SmoothScore):
    """Value and gradient of a module, by automatic differentiation in float64.

    Attributes
    ----------
    module : torch.nn.Module
        In float64 and in evaluation mode, without gradients of its parameters.
    shape : tuple of int or None
        Shape of one input; None: flat.
    why_unknown : str
        Why its Lipschitz constant is not known.
    """

    module: Any
    shape: tuple[int, ...] | None
    why_unknown: str

    def _inputs(self, X: Floats) -> Any:
        torch = sys.modules["torch"]
        place = next((p.device for p in self.module.parameters()), torch.device("cpu"))
        shape = X.shape[1:] if self.shape is None else self.shape
        return torch.as_tensor(X.reshape(len(X), *shape), dtype=torch.float64, device=place)

    def _scores(self, inputs: Any) -> Any:
        outputs = self.module(inputs)
        outputs = outputs.reshape(len(inputs), -1)
        return outputs[:, 1:] - outputs[:, :1] if outputs.shape[1] == 2 else outputs

    @property
    def kinks(self) -> str | None:
        """Why no Lipschitz constant can hold everywhere, if that is known."""
        return self.why_unknown if "kinks" in self.why_unknown else None

    def for_inputs(self, shape: tuple[int, ...]) -> SmoothScore:
        """Give the module inputs of this shape."""
        return replace(self, shape=shape)

    def value(self, X: Floats) -> Floats:
        """Scores."""
        return _array(self._scores(self._inputs(X)))

    def gradient(self, X: Floats) -> Floats:
        """Gradients, one backward pass per score; rows do not see each other."""
        torch = sys.modules["torch"]
        inputs = self._inputs(X).requires_grad_(True)
        with torch.enable_grad():
            outputs = self._scores(inputs)
            slopes = [
                torch.autograd.grad(column.sum(), inputs, retain_graph=True)[0]
                for column in outputs.unbind(dim=1)
            ]
        return np.stack([_array(slope).reshape(X.shape) for slope in slopes], axis=1)

    def rounding(self, X: Floats) -> Floats:
        """Bound for modules that are exact to a few thousand units in the last place."""
        through_inputs = (np.abs(self.gradient(X)) * np.abs(X)[:, None, :]).sum(axis=2)
        return 4096 * EPS * (1 + np.abs(self.value(X)) + through_inputs) + TINY

    def gradient_rounding(self, X: Floats) -> Floats:
        """Bound for gradients that are exact to a few thousand units in the last place."""
        return np.asarray(4096 * EPS * np.abs(self.gradient(X)).sum(axis=2) + TINY)

    def lipschitz(self, weights: Floats, norm: float) -> float:
        """Unknown."""
        raise ValueError(
            f"The Lipschitz constant of the gradient of this {type(self.module).__name__} is not "
            f"known: {self.why_unknown}. Pass it as gradient_lipschitz=, in the norm of the "
            "certificate, or certify it by SmoothedClassifier, which needs no gradient."
        )
