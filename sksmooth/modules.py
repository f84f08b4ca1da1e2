"""Trained torch modules as classifiers."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator

from sksmooth.smooth_scores import smooth_score
from sksmooth.smooth_scores._torch import score_of_module
from sksmooth.structure import structure_of
from sksmooth.structure._torch import layers_of_module

__all__ = ["ModuleClassifier", "TorchExecution", "as_classifier"]

_OUT_OF_MEMORY = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)


@dataclass(frozen=True)
class TorchExecution:
    """How a module is called.

    Attributes
    ----------
    autocast : torch.dtype or None, default=None
        Compute in this dtype where torch deems it safe, such as ``torch.bfloat16``. This is another
        base model, whose answers differ a little.
    channels_last : bool, default=False
        Keep images of shape (m, channels, height, width) with their channels last in memory, which
        is faster for many convolutional nets.
    """

    autocast: torch.dtype | None = None
    channels_last: bool = False


def as_classifier(module, *, classes, device=None, execution=None):
    """Return a trained module as a base model.

    Parameters
    ----------
    module : torch.nn.Module
        One logit per class for every row; in evaluation mode. It is moved to `device`.
    classes : array-like of shape (n_classes,)
        Labels, in the order of the logits.
    device : str or torch.device, default=None
        Where it runs. None: where its weights are.
    execution : TorchExecution, default=None
        How it is called. None: as it is.

    Returns
    -------
    model : sklearn.frozen.FrozenEstimator of ModuleClassifier

    Raises
    ------
    ValueError
        If the module is in training mode and answers at random, or by its batch.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.modules import as_classifier
    >>> module = torch.nn.Linear(2, 3).eval()
    >>> X, y = np.zeros((6, 2), np.float32), np.arange(6) % 3
    >>> clf = SmoothedClassifier(as_classifier(module, classes=[0, 1, 2]), n_estimation=100)
    >>> len(clf.fit(X, y).certify(X))
    6
    """
    model = ModuleClassifier(module, classes=classes, device=device, execution=execution)
    model.refuse_training_mode()
    if device is not None:
        module.to(device)
    return FrozenEstimator(model)


class ModuleClassifier(ClassifierMixin, BaseEstimator):
    """Classifier that asks a trained module; made by :func:`as_classifier`.

    Calls that do not fit into the memory of the device are halved until they do.

    Parameters
    ----------
    module : torch.nn.Module
        One logit per class for every row.
    classes : array-like of shape (n_classes,)
        Labels, in the order of the logits.
    device : str or torch.device, default=None
        Where it runs.
    execution : TorchExecution, default=None
        How it is called.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, in the order of the logits.
    """

    def __init__(self, module, *, classes, device=None, execution=None):
        self.module = module
        self.classes = classes
        self.device = device
        self.execution = execution

    @property
    def classes_(self):
        """Labels, in the order of the logits."""
        return np.asarray(self.classes)

    def __sklearn_is_fitted__(self):
        return True

    def fit(self, X, y=None):
        """Leave the module as it is.

        Parameters
        ----------
        X, y : object
            Ignored.

        Returns
        -------
        self : ModuleClassifier
        """
        return self

    def predict(self, X):
        """Label with the largest logit.

        Parameters
        ----------
        X : array-like of shape (m, ...)
            Inputs.

        Returns
        -------
        y : ndarray of shape (m,)
        """
        return self.classes_[self._for_rows(X, lambda logits: logits.argmax(dim=1))]

    def predict_proba(self, X):
        """Softmax of the logits.

        Parameters
        ----------
        X : array-like of shape (m, ...)
            Inputs.

        Returns
        -------
        shares : ndarray of shape (m, n_classes)
            In the order of `classes_`.
        """
        return self._for_rows(X, lambda logits: logits.float().softmax(dim=1))

    def refuse_training_mode(self):
        """Raise a ValueError if the answers would be random, or depend on the other rows."""
        for name, part in self.module.named_modules():
            if part.training and _changes_in_training(part):
                where = f" (layer {name})" if name else ""
                raise ValueError(
                    f"The module is in training mode, in which {type(part).__name__}{where} "
                    "answers at random or by the other rows of a batch. Call module.eval() first."
                )

    def _for_rows(self, X, answer):
        self.refuse_training_mode()
        rows = torch.from_numpy(np.ascontiguousarray(X))
        with torch.inference_mode():
            return self._in_halves(rows, answer)

    def _in_halves(self, rows, answer):
        try:
            return answer(self._logits(rows)).cpu().numpy()
        except _OUT_OF_MEMORY:
            if len(rows) < 2:
                raise
        return np.concatenate([self._in_halves(half, answer) for half in rows.tensor_split(2)])

    def _logits(self, rows):
        execution = self.execution or TorchExecution()
        weight = next(self.module.parameters(), rows)
        rows = rows.to(weight.device)
        if execution.channels_last and rows.ndim == 4:
            rows = rows.contiguous(memory_format=torch.channels_last)
        with torch.autocast(
            rows.device.type, dtype=execution.autocast, enabled=execution.autocast is not None
        ):
            logits = self.module(rows)
        expected = (len(rows), len(self.classes_))
        if tuple(logits.shape) != expected:
            raise ValueError(
                f"The module returned an array of shape {tuple(logits.shape)} for {len(rows)} rows "
                f"and {len(self.classes_)} classes; one logit per row and class is needed."
            )
        return logits


def _changes_in_training(part):
    """Whether a layer without its parts answers otherwise in training mode."""
    if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
        return True
    if isinstance(part, (torch.nn.modules.dropout._DropoutNd, torch.nn.RReLU)):
        return True
    dropout = getattr(part, "dropout", 0.0)  # of recurrent nets and attention
    return isinstance(dropout, float) and dropout > 0


@smooth_score.register
def _(model: ModuleClassifier):
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


@structure_of.register
def _(model: ModuleClassifier):
    return None if model.execution is not None else layers_of_module(model.module, model.classes_)
