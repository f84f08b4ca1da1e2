"""Trained torch modules as classifiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.frozen import FrozenEstimator

from sksmooth.base_models._one_row import comparable_answers
from sksmooth.nets._calls import label_positions, probabilities
from sksmooth.nets._execution import TorchExecution
from sksmooth.nets._layouts import laid_out
from sksmooth.nets._modules import copied, refuse_training_mode
from sksmooth.nets._parts import layers_of_module
from sksmooth.nets._replicas import Replicas
from sksmooth.nets._trained_modules import TrainedModule, devices_of, prepared
from sksmooth.smooth_scores import smooth_score
from sksmooth.smooth_scores._modules import score_of_module
from sksmooth.voters import voter_of
from sksmooth.voters._direct import directly


def as_classifier(
    module: Any, *, classes: Any, device: Any = None, execution: TorchExecution | None = None
) -> Any:
    """Return a trained module as a base model that classifies.

    On the CPU it votes with the noise that any other model would get. On another device the noise
    is drawn there, of the same law, and only vote counts come back.

    Parameters
    ----------
    module : torch.nn.Module
        One logit per class for every row; in evaluation mode. It is moved to `device`.
    classes : array-like of shape (n_classes,)
        Labels, in the order of the logits.
    device : str, torch.device or list of them, default=None
        Where it runs. Several: a copy of the module on each, for as many workers (`n_jobs` of the
        smoother). None: where its weights are.
    execution : TorchExecution, default=None
        How it is called; what changes weights or code is done now, to a copy of the module. None:
        the module as it is.

    Returns
    -------
    model : sklearn.frozen.FrozenEstimator of ModuleClassifier

    Raises
    ------
    TypeError
        If `module` or `execution` is something else.
    ValueError
        If `classes` are no list of different labels, if the module is in training mode and may
        answer at random, if it answers by its batch, or if the execution asked for is not
        possible.

    See Also
    --------
    as_regressor : For modules whose outputs are numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.nets import as_classifier
    >>> module = torch.nn.Linear(2, 3).eval()
    >>> X, y = np.zeros((6, 2), np.float32), np.arange(6) % 3
    >>> clf = SmoothedClassifier(as_classifier(module, classes=[0, 1, 2]), n_estimation=100)
    >>> len(clf.fit(X, y).certify(X))
    6
    """
    if np.ndim(classes) != 1 or len(np.unique(classes)) != len(classes):
        raise ValueError(
            "classes must list one label per logit, each once, in the order of the logits; got "
            f"{classes!r}. For the labels 0 to 9 pass range(10)."
        )
    module = prepared(module, device, execution)
    model = ModuleClassifier(module, classes=classes, device=device, execution=execution)
    return FrozenEstimator(model)


class ModuleClassifier(ClassifierMixin, TrainedModule):
    """Classifier that asks a trained module; made by :func:`as_classifier`.

    Calls that do not fit into the memory of the device are halved until they do.

    Parameters
    ----------
    module : torch.nn.Module
        One logit per class for every row.
    classes : array-like of shape (n_classes,)
        Labels, in the order of the logits.
    device : str, torch.device or list of them, default=None
        Where it runs.
    execution : TorchExecution, default=None
        How it is called.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, in the order of the logits.
    """

    def __init__(
        self,
        module: Any,
        *,
        classes: Any,
        device: Any = None,
        execution: TorchExecution | None = None,
    ) -> None:
        self.module = module
        self.classes = classes
        self.device = device
        self.execution = execution

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels, in the order of the logits."""
        return np.asarray(self.classes)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Label with the largest logit.

        Parameters
        ----------
        X : array-like of shape (m, ...)
            Inputs.

        Returns
        -------
        y : ndarray of shape (m,)

        Raises
        ------
        ValueError
            If the module fails on X, or answers NaN or anything else than one logit per class.
        """
        return self.classes_[self.ask(X, self._checked(lambda z: z), how=label_positions)]

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Softmax of the logits.

        Parameters
        ----------
        X : array-like of shape (m, ...)
            Inputs.

        Returns
        -------
        probabilities : ndarray of shape (m, n_classes)
            In the order of `classes_`.

        Raises
        ------
        ValueError
            As `predict`.
        """
        softmax = self._checked(lambda logits: logits.float().softmax(dim=1))
        return self.ask(X, softmax, how=probabilities)

    def _checked(self, answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
        n_classes = len(self.classes_)

        def of_logits(logits: Any) -> Any:
            if not isinstance(logits, torch.Tensor):
                raise ValueError(
                    f"The module returned a {type(logits).__name__}; one tensor of logits is "
                    "needed. Wrap it in a module that returns the logits alone."
                )
            if logits.ndim != 2 or logits.shape[1] != n_classes:
                raise ValueError(
                    f"The module returned an array of shape {tuple(logits.shape)} for some rows "
                    f"and {n_classes} classes; one logit per row and class is needed."
                )
            return answer(logits)

        return of_logits


@comparable_answers.register
def _(model: ModuleClassifier) -> Any:
    return model.predict_proba, model.rounding()


@directly.register
def _(model: ModuleClassifier) -> ModuleClassifier:
    if model.execution is not None:
        return model
    refuse_training_mode(model.module)
    return ModuleClassifier(laid_out(model.module), classes=model.classes, device=model.device)


@smooth_score.register
def _(model: ModuleClassifier) -> Any:
    if not np.array_equal(model.classes_, np.unique(model.classes_)):
        raise ValueError(
            f"classes={model.classes!r} of the module are not sorted. LocallyBiasedSmoother takes "
            "the logits in the order of sorted classes: put them, and the outputs, in order."
        )
    if model.execution is not None and model.execution.autocast is not None:
        raise ValueError(
            f"autocast={model.execution.autocast} rounds the answers of the module, which is then "
            "not smooth. Leave it out, or certify it by SmoothedClassifier."
        )
    return score_of_module(model.module)


@voter_of.register
def _(model: ModuleClassifier) -> Any:
    copies = [copied(model.module).to(device) for device in devices_of(model.device)[1:]]
    layers = [
        layers_of_module(module, model.classes_, model.how_called())
        for module in (model.module, *copies)
    ]
    return layers[0] if len(layers) == 1 else Replicas(tuple(layers))
