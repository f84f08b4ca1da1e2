"""Nets of skorch without their loader, which takes most of the time of small nets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from skorch import NeuralNetClassifier, NeuralNetRegressor

from sksmooth.nets._calls import answers
from sksmooth.nets._layouts import laid_out
from sksmooth.nets._modules import refuse_answers_by_batch
from sksmooth.nets._skorch import loads_rows_as_they_are, predicts_largest_output
from sksmooth.voters._direct import directly


class _Direct(BaseEstimator):
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
        module = net.module_.eval()  # skorch does so before it predicts
        refuse_answers_by_batch(module)
        return cls(net, laid_out(module))

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> Any:
        """Leave the net as it is."""
        return self

    def _ask(self, method: str, X: Any, answer: Any) -> NDArray[Any]:
        """Ask the module as skorch does, or skorch itself about what is no array."""
        if not isinstance(X, np.ndarray):  # of a DataFrame the module gets the columns by name
            found: NDArray[Any] = getattr(self.net, method)(X)
            return found
        last = self.net._get_predict_nonlinearity()

        def first(outputs: Any) -> Any:
            return answer(last(outputs[0] if isinstance(outputs, tuple) else outputs))

        return answers(self.module, X, first)


class DirectClassifier(ClassifierMixin, _Direct):
    """Classifier whose classes are the numbers of the outputs."""

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels, in the order of the outputs."""
        return np.asarray(self.net.classes_)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the number of the largest output."""
        return self._ask("predict", X, lambda shares: shares.argmax(dim=1))

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the outputs as skorch makes probabilities of them."""
        return self._ask("predict_proba", X, lambda shares: shares)


class DirectRegressor(RegressorMixin, _Direct):
    """Regressor that gives the outputs."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the outputs as skorch gives them."""
        return self._ask("predict", X, lambda outputs: outputs)


@directly.register
def direct_classifier(model: NeuralNetClassifier) -> Any:
    """Return the module of a net that gives the label of its largest output."""
    return DirectClassifier.of(model) if predicts_largest_output(model) else model


@directly.register
def _(model: NeuralNetRegressor) -> Any:
    plain = loads_rows_as_they_are(model) and model.predict_nonlinearity in ("auto", None)
    return DirectRegressor.of(model) if plain else model
