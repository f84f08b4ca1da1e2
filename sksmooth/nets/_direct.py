"""Nets of skorch without their loader, which takes most of the time of small nets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin
from skorch import NeuralNetClassifier, NeuralNetRegressor

from sksmooth.nets._calls import answers, label_positions, probabilities
from sksmooth.nets._layouts import laid_out
from sksmooth.nets._skorch import (
    loads_rows_as_they_are,
    module_of_net,
    output_of_net,
    predicts_largest_output,
)
from sksmooth.nets._trained_modules import AlreadyTrained
from sksmooth.voters._direct import directly


class _Direct(AlreadyTrained):
    """A fitted net; its module is asked.

    Parameters
    ----------
    net : skorch.NeuralNet
        Fitted; with nothing of its own between X and the module.
    module : torch.nn.Module
        Its module, laid out to be fast.
    """

    def __init__(self, net: Any, module: Any) -> None:
        self.net = net
        self.module = module

    @classmethod
    def of(cls, net: Any) -> Any:
        """Net that is asked directly."""
        return cls(net, laid_out(module_of_net(net)))

    def _ask(self, method: str, X: Any, how: Any) -> NDArray[Any]:
        """Ask the module as skorch does, or skorch itself about what is no array."""
        if not isinstance(X, np.ndarray):  # of a DataFrame the module gets the columns by name
            found: NDArray[Any] = getattr(self.net, method)(X)
            return found
        found = how(self.module, X, output_of_net(self.net))
        return found


class DirectClassifier(ClassifierMixin, _Direct):
    """Classifier whose classes are the numbers of the outputs."""

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels, in the order of the outputs."""
        return np.asarray(self.net.classes_)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the number of the largest output."""
        return self._ask("predict", X, label_positions)

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the outputs as skorch makes probabilities of them."""
        return self._ask("predict_proba", X, probabilities)


class DirectRegressor(RegressorMixin, _Direct):
    """Regressor that gives the outputs."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the outputs as skorch gives them."""
        return self._ask("predict", X, answers)


@directly.register
def direct_classifier(model: NeuralNetClassifier) -> Any:
    """Return the module of a net that gives the label of its largest output."""
    return DirectClassifier.of(model) if predicts_largest_output(model) else model


@directly.register
def _(model: NeuralNetRegressor) -> Any:
    plain = loads_rows_as_they_are(model) and model.predict_nonlinearity in ("auto", None)
    return DirectRegressor.of(model) if plain else model
