"""Trained torch modules as classifiers."""

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator

from sksmooth.nets._calls import answers
from sksmooth.nets._execution import TorchExecution
from sksmooth.nets._layouts import laid_out
from sksmooth.nets._modules import copied, is_plain, refuse_answers_by_batch, where
from sksmooth.nets._parts import layers_of_module
from sksmooth.nets._replicas import Replicas
from sksmooth.smooth_scores import smooth_score
from sksmooth.smooth_scores._modules import score_of_module
from sksmooth.voters import voter_of
from sksmooth.voters._direct import directly


def as_classifier(module, *, classes, device=None, execution=None):
    """Return a trained module as a base model.

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
    _check(module, classes, execution)
    refuse_training_mode(module)
    devices = _as_list(device)
    if devices:
        module.to(devices[0])
    if execution is not None:
        module = execution.prepared(module)
    model = ModuleClassifier(module, classes=classes, device=device, execution=execution)
    return FrozenEstimator(model)


def _check(module, classes, execution):
    """Refuse what cannot be a module, its labels or its execution."""
    if not isinstance(module, torch.nn.Module):
        raise TypeError(
            f"module must be a torch.nn.Module, got {type(module).__name__}. A fitted net of "
            "skorch is a base model without this function: pass it in a FrozenEstimator."
        )
    if np.ndim(classes) != 1 or len(np.unique(classes)) != len(classes):
        raise ValueError(
            "classes must list one label per logit, each once, in the order of the logits; got "
            f"{classes!r}. For the labels 0 to 9 pass range(10)."
        )
    if not isinstance(execution, (TorchExecution, type(None))):
        raise TypeError(f"execution must be a TorchExecution or None, got {execution!r}.")


class ModuleClassifier(ClassifierMixin, BaseEstimator):
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
        return self.classes_[self._answers(X, lambda logits: logits.argmax(dim=1))]

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
        return self._answers(X, lambda logits: logits.float().softmax(dim=1))

    def _answers(self, X, answer):
        refuse_training_mode(self.module)
        n_classes = len(self.classes_)

        def checked(logits):
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

        try:
            return answers(self.module, X, checked, self._execution())
        except RuntimeError as error:
            _explain_precision(error, self.module, np.asarray(X).dtype)
            raise

    def _execution(self):
        return TorchExecution() if self.execution is None else self.execution


def _explain_precision(error, module, dtype):
    """Say what to do where a module failed on inputs of another precision than its weights."""
    weight = next((w for w in module.parameters() if w.is_floating_point()), None)
    if weight is not None and torch.from_numpy(np.empty(0, dtype)).dtype != weight.dtype:
        raise ValueError(
            f"The module has weights of {weight.dtype} and failed on inputs of {dtype} ({error}). "
            "Noise is added in float32 to X in float32, and in float64 to all other X: pass "
            "X.astype(numpy.float32) for a module in single precision, or convert the module."
        ) from error


def refuse_training_mode(module):
    """Refuse a module that may answer at random, or by the other rows of a call.

    Parameters
    ----------
    module : torch.nn.Module
        Looked at with all its parts.

    Raises
    ------
    ValueError
        If a part that may depend on it is in training mode, or if a part goes by the other rows in
        every mode.
    """
    refuse_answers_by_batch(module)
    for name, part in module.named_modules():
        if part.training and _may_change_in_training(part):
            raise ValueError(
                f"The module is in training mode, in which {type(part).__name__}{where(name)} "
                "may answer at random, by the other rows of a batch, or change with every call. "
                "Call module.eval() first."
            )


def _may_change_in_training(part):
    """Whether a layer without its parts may answer otherwise in training mode.

    What code of others does is not known.
    """
    package = type(part).__module__
    of_torch = package.startswith("torch.") and not package.startswith("torch.nn.utils.")
    if not (of_torch and is_plain(part)):
        return True
    if isinstance(part, torch.nn.modules.batchnorm._NormBase):  # that of instances, too
        return part.track_running_stats
    if isinstance(part, (torch.nn.modules.dropout._DropoutNd, torch.nn.RReLU)):
        return True
    dropout = getattr(part, "dropout", 0.0)  # of recurrent nets and attention
    return isinstance(dropout, float) and dropout > 0


def _as_list(device):
    """Return the devices asked for."""
    if device is None:
        return []
    return list(device) if isinstance(device, (list, tuple)) else [device]


@directly.register
def _(model: ModuleClassifier):
    if model.execution is not None:
        return model
    refuse_training_mode(model.module)
    return ModuleClassifier(laid_out(model.module), classes=model.classes, device=model.device)


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


@voter_of.register
def _(model: ModuleClassifier):
    devices = _as_list(model.device)
    modules = [model.module, *(copied(model.module).to(device) for device in devices[1:])]
    layers = [layers_of_module(module, model.classes_, model._execution()) for module in modules]
    return layers[0] if len(layers) == 1 else Replicas(tuple(layers))
