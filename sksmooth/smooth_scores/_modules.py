"""Torch modules and skorch nets.

A stack of affine layers and smooth activations is read into a `NetworkScore`. Any other module
gives its value and, by automatic differentiation, its gradient; the Lipschitz constant is then the
user's. torch and skorch are not imported here: whoever has such a model has imported them.
"""

from __future__ import annotations

import sys
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from sksmooth.base_models._registry import own_methods
from sksmooth.smooth_scores._base import SmoothScore
from sksmooth.smooth_scores._module_layers import UnreadableError, read_layers
from sksmooth.smooth_scores._norms import EPS, TINY, Floats
from sksmooth.smooth_scores._registry import smooth_score


def is_torch(model: Any) -> bool:
    """Whether a model is a torch module, or a skorch net around one."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(_module_of(model), torch.nn.Module)


def asks_module(model: Any) -> bool:
    """Whether a model answers by a torch module of its own, so that it takes single precision."""
    return is_torch(model) or is_torch(getattr(model, "module", None))


def _module_of(model: Any) -> Any:
    return getattr(model, "module_", model)


def _answers_as_its_module(model: Any) -> bool:
    return is_torch(model) and not {"predict", "predict_proba"} & set(own_methods(model))


@smooth_score.register_kind(_answers_as_its_module)
def score_of_module(model: Any, shape: tuple[int, ...] | None = None) -> SmoothScore:
    """Return the score of a torch module or a fitted skorch net, in evaluation mode.

    Parameters
    ----------
    model : torch.nn.Module or fitted skorch.NeuralNet
        With one output for two classes (a logit), or one per class.
    shape : tuple of int or None
        Shape of one input. None: flat, or told later, by `for_inputs` of the score.
    """
    module = _module_of(model)
    try:
        return read_layers(module, shape)
    except UnreadableError as reason:
        return ModuleScore(_as_double(module), shape, str(reason))


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


def _array(tensor: Any) -> Floats:
    return np.asarray(tensor.detach().cpu().double().numpy())


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
        """Give the module inputs of this shape, which its layers may have to be read."""
        return score_of_module(self.module, shape)

    def value(self, X: Floats) -> Floats:
        """Scores."""
        return _array(self._scores(self._inputs(X)))

    def gradient(self, X: Floats) -> Floats:
        """Gradients, one backward pass per score; rows do not see each other."""
        torch = sys.modules["torch"]
        inputs = self._inputs(X).requires_grad_(True)
        with torch.enable_grad():
            outputs = self._scores(inputs)
            gradients = [
                torch.autograd.grad(column.sum(), inputs, retain_graph=True)[0]
                for column in outputs.unbind(dim=1)
            ]
        return np.stack([_array(each).reshape(X.shape) for each in gradients], axis=1)

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
