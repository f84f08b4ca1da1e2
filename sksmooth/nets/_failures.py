"""Why a module fails on inputs, where that can be told, and what to do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from sksmooth.nets._modules import in_brackets

OUT_OF_MEMORY: Any = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)

# Axes of one input beside its channels.
_AXES: dict[type, tuple[str, ...]] = {
    nn.Conv1d: ("length",),
    nn.Conv2d: ("height", "width"),
    nn.Conv3d: ("depth", "height", "width"),
}


@contextmanager
def explained(module: Any, inputs: Any) -> Iterator[None]:
    """Replace an error of a module by one that says what to do, where it is known why it failed.

    Parameters
    ----------
    module : torch.nn.Module
        Called inside the context.
    inputs : torch.Tensor of shape (m, ...)
        What it is called with.
    """
    try:
        yield
    except OUT_OF_MEMORY:
        raise
    except (RuntimeError, ValueError, IndexError) as error:
        raise_explained(module, inputs, error)
        raise


def raise_explained(module: Any, inputs: Any, error: Exception) -> None:
    """Raise a ValueError that says what to do, if it is known why a module failed on inputs."""
    remedy = _remedy(module, inputs, error)
    if remedy is not None:
        kind, shape = str(inputs.dtype).removeprefix("torch."), tuple(inputs.shape[1:])
        raise ValueError(
            f"The module failed on inputs of {kind} and shape {shape} ({error}). {remedy}"
        ) from error


def _remedy(module: Any, inputs: Any, error: Exception) -> str | None:
    if "embedding" in str(error):
        return (
            "It looks up tokens, and noise cannot be added to their numbers. Smooth what comes "
            "after that: pass the embeddings as X, and the rest of the module."
        )
    weight = next((w for w in module.parameters() if w.is_floating_point()), None)
    if weight is not None and weight.dtype != inputs.dtype:
        return _remedy_of_precision(weight.dtype)
    return _remedy_of_shape(module, tuple(inputs.shape[1:]))


def _remedy_of_precision(of_weights: Any) -> str:
    told = (
        f"Its weights are {of_weights}, and noise is added in float32 to X in float32, and in "
        "float64 to all other X:"
    )
    if of_weights == torch.float32:
        return f"{told} pass X.astype(numpy.float32)."
    if of_weights == torch.float64:
        return f"{told} pass X.astype(numpy.float64), or call module.float()."
    return (
        f"{told} call module.float(). It still computes in {of_weights} with "
        f"execution=TorchExecution(autocast={of_weights})."
    )


def _remedy_of_shape(module: Any, shape: tuple[int, ...]) -> str | None:
    """Say what the first layer takes, where that is something else."""
    for name, layer in module.named_modules():
        where = f"{type(layer).__name__}{in_brackets(name)}"
        if type(layer) in _AXES:
            return _remedy_of_images(where, layer.in_channels, _AXES[type(layer)], shape)
        if type(layer) is nn.Linear:
            return _remedy_of_rows(where, layer.in_features, shape)
    return None


def _remedy_of_images(
    where: str, n_channels: int, axes: tuple[str, ...], shape: tuple[int, ...]
) -> str | None:
    if len(shape) == len(axes) + 1 and shape[0] == n_channels:
        return None
    wanted = ", ".join([str(n_channels), *axes])
    told = f"Its layer {where} takes inputs of shape ({wanted})"
    if len(shape) == 1:
        return f"{told}: pass X.reshape(len(X), {wanted})."
    if len(shape) == len(axes) and n_channels == 1:
        return f"{told}: pass X[:, numpy.newaxis]."
    if len(shape) == len(axes) + 1 and shape[-1] == n_channels:
        return f"{told}: pass numpy.moveaxis(X, -1, 1), with the channels first."
    return f"{told}, and X has others."


def _remedy_of_rows(where: str, n_features: int, shape: tuple[int, ...]) -> str | None:
    if shape and shape[-1] == n_features:
        return None
    told = f"Its layer {where} takes {n_features} features per input"
    if math.prod(shape) == n_features:
        return f"{told}: pass X.reshape(len(X), -1), or put torch.nn.Flatten() before it."
    return f"{told}, and X has {math.prod(shape)}."
