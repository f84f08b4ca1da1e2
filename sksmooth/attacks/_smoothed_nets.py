"""An attack on smoothed nets, to see how far certificates are from what breaks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sksmooth.arguments._numbers import read_norm
from sksmooth.attacks._gradient_search import (
    TINY,
    Bounds,
    mean_log_probabilities,
    pgd_search,
)
from sksmooth.engine._seeds import seed_from
from sksmooth.estimators import DSSNClassifier
from sksmooth.inputs._containers import read_inputs
from sksmooth.nets._module_classifier import ModuleClassifier
from sksmooth.nets._modules import evaluating, weights_device
from sksmooth.nets._noise import draw_like, perturb


def attack_smoothed(
    smoother: Any,
    X: ArrayLike,
    y: ArrayLike,
    *,
    radius: float,
    norm: float = 2,
    n_steps: int = 20,
    n_noise: int = 32,
    bounds: Bounds = None,
    batch_size: int = 64,
    random_state: Any = None,
) -> NDArray[Any]:
    """Attack a smoothed net by projected gradient ascent through samples of its noise.

    Every row is moved, within a ball, to where the probability of its label, averaged over noise,
    is small (SmoothAdv-PGD [1]_). What survives an attack may still fail under a better one, so
    that the accuracy on attacked inputs is an upper bound of the robust accuracy, as certified
    accuracy is a lower one.

    Parameters
    ----------
    smoother : SmoothedClassifier
        Fitted; its base model is a classifier of skorch or one of
        :func:`sksmooth.nets.as_classifier`.
    X : array-like of shape (m, ...)
        Inputs.
    y : array-like of shape (m,)
        Labels that the attack leads away from: the true ones, or those predicted.
    radius : float
        Largest perturbation, in `norm` and in the units of X. Each step has the length
        ``2 radius / n_steps``.
    norm : {2, numpy.inf}, default=2
        Norm of the perturbation.
    n_steps : int, default=20
        Number of steps.
    n_noise : int, default=32
        Draws of the noise for each row, the same ones in every step. With one draw this is an
        attack on the base model.
    bounds : tuple of two floats, default=None
        Least and largest value of a feature, such as (0, 1). X has to lie within.
    batch_size : int, default=64
        Rows that are attacked together; each call of the net has `n_noise` times as many.
    random_state : int, RandomState instance or None, default=None
        Seed of the noise.

    Returns
    -------
    attacked : ndarray of the shape of X
        No row is further than `radius` from its row of X. float32 stays, other numbers become
        float64.

    Raises
    ------
    ValueError
        If a parameter cannot work, a label is none of the net's, or the base model is no net.

    See Also
    --------
    RobustNetClassifier : Trains against this attack with ``method="smoothadv"``.

    References
    ----------
    .. [1] Salman, H. et al. (2019). Provably robust deep learning via adversarially trained
       smoothed classifiers. NeurIPS 2019, section 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.nets import as_classifier
    >>> from sksmooth.attacks import attack_smoothed
    >>> module = torch.nn.Linear(1, 2).eval()
    >>> module.load_state_dict({"weight": torch.tensor([[-1.0], [1.0]]), "bias": torch.zeros(2)})
    <All keys matched successfully>
    >>> X, y = np.array([[-0.4], [0.7]], np.float32), np.array([0, 1])
    >>> clf = SmoothedClassifier(as_classifier(module, classes=[0, 1]), sigma=0.5).fit(X, y)
    >>> attack_smoothed(clf, X, y, radius=0.5, random_state=0).round(2)
    array([[0.1],
           [0.2]], dtype=float32)
    """
    check_is_fitted(smoother)
    if isinstance(smoother, DSSNClassifier) or not hasattr(smoother, "noise_"):
        raise ValueError(
            f"attack_smoothed draws noise, which {type(smoother).__name__} does not. Attack a "
            'SmoothedClassifier of the same net (for splits of levels: noise="splitting").'
        )
    norm = read_norm(norm)
    _check_parameters(radius, norm, n_steps, n_noise, batch_size)
    rows, net = read_inputs(X, owner=smoother), _Net.of(smoother.estimator_)
    check_consistent_length(rows.values, y)
    values, y = rows.values.astype(rows.dtype, copy=False), net.positions(y)
    if bounds is not None and ((values < bounds[0]) | (values > bounds[1])).any():
        raise ValueError(f"X has values outside of bounds={bounds!r}.")
    rng, attacked = np.random.default_rng(seed_from(random_state)), values.copy()
    options: dict[str, Any] = {"radius": radius, "norm": norm, "n_steps": n_steps, "bounds": bounds}
    with evaluating(net.module):
        for first in range(0, len(values) if radius else 0, batch_size):
            part = slice(first, first + batch_size)
            centres = net.tensor(values[part])
            noises = [draw_like(smoother.noise_, centres, rng) for _ in range(n_noise)]
            smoothed = net.under(smoother.noise_, noises)
            labels = torch.from_numpy(y[part]).to(centres.device)
            found = pgd_search(smoothed, centres, labels, **options)
            attacked[part] += (found - centres).cpu().numpy()
    return _held_within(attacked, values, radius, norm, bounds)


@dataclass(frozen=True)
class _Net:
    """A module, its labels in the order of its outputs, and how these become logits."""

    module: Any
    labels: NDArray[Any] | None
    logits: Callable[[Any], Any]

    @classmethod
    def of(cls, model: Any) -> _Net:
        if isinstance(model, FrozenEstimator):
            model = model.estimator
        if isinstance(model, ModuleClassifier):
            return cls(model.module, model.classes_, lambda outputs: outputs)
        if _is_net_of_skorch(model):
            return cls(model.module_, None, _logits_of_net(model))
        raise ValueError(
            "attack_smoothed follows gradients of a net in skorch, or of as_classifier(module, "
            f"...), got a smoother of {type(model).__name__}. Wrap a torch module by as_classifier."
        )

    def tensor(self, values: NDArray[Any]) -> Any:
        """Return inputs of the module."""
        weight = next(self.module.parameters(), torch.zeros(()))
        return torch.from_numpy(values).to(weights_device(self.module), weight.dtype)

    def positions(self, y: ArrayLike) -> NDArray[np.int64]:
        """Return the outputs that belong to labels; those of skorch are their numbers."""
        y = np.asarray(y)
        if self.labels is None:
            if y.dtype.kind not in "iu" or (y < 0).any():
                raise ValueError(f"y has to be indices of classes, as in skorch, got {y!r}.")
            return y.astype(np.int64)
        order = np.argsort(self.labels)
        places = np.searchsorted(self.labels, y, sorter=order).clip(max=len(order) - 1)
        found: NDArray[np.int64] = order[places].astype(np.int64)
        if (self.labels[found] != y).any():
            raise ValueError(f"y has labels that the net does not know; it knows {self.labels!r}.")
        return found

    def under(self, noise: Any, draws: list[Any]) -> Callable[[Any], Any]:
        """Return the function from inputs to the logarithms of their mean probabilities."""

        def of_inputs(X: Any) -> Any:
            noisy = torch.cat([perturb(noise, X, draws_of_each) for draws_of_each in draws])
            logits = self.logits(self.module(noisy))
            return mean_log_probabilities(logits.unflatten(0, (len(draws), len(X))))

        return of_inputs


def _is_net_of_skorch(model: Any) -> bool:
    """Whether a model is a classifier of skorch, which need not be installed."""
    name = "skorch.classifier", "NeuralNetClassifier"
    return any((kind.__module__, kind.__name__) == name for kind in type(model).__mro__)


def _logits_of_net(model: Any) -> Callable[[Any], Any]:
    """Return what makes logits of the outputs of the module of a net of skorch."""
    if isinstance(model.criterion_, torch.nn.CrossEntropyLoss):
        return lambda outputs: outputs
    probabilities = import_module("sksmooth.nets._skorch").output_of_net(model)
    return lambda outputs: probabilities(outputs).clamp_min(TINY).log()


def _check_parameters(radius: float, norm: float, n_steps: int, n_noise: int, batch: int) -> None:
    """Refuse what cannot work."""
    if not 0 <= radius < math.inf:
        raise ValueError(f"radius must be finite and not negative, got {radius!r}.")
    if norm not in (2, math.inf):
        raise ValueError(f"norm must be 2 or numpy.inf, got {norm!r}.")
    for name, value in {"n_steps": n_steps, "n_noise": n_noise, "batch_size": batch}.items():
        if not (isinstance(value, (int, np.integer)) and value >= 1):
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}.")


def _held_within(
    attacked: NDArray[Any], X: NDArray[Any], radius: float, norm: float, bounds: Bounds
) -> NDArray[Any]:
    """Attacked rows none of which is further than the radius from X, rounding included.

    A row outside by a last digit would seem to break a certificate.
    """
    if bounds is not None:
        attacked = attacked.clip(*bounds)
    for _ in range(3):
        size = _sizes(attacked, X, norm)
        factor = np.where(size > radius, radius / np.maximum(size, 1e-300) * (1 - 1e-6), 1.0)
        step = (attacked.astype(float) - X) * factor.reshape(-1, *[1] * (X.ndim - 1))
        attacked = (X + step).astype(X.dtype)
    outside = _sizes(attacked, X, norm) > radius
    attacked[outside] = X[outside]  # a radius below the resolution of the numbers
    return attacked


def _sizes(attacked: NDArray[Any], X: NDArray[Any], norm: float) -> NDArray[np.float64]:
    """Norm of what was added to each row."""
    added = attacked.reshape(len(X), -1).astype(float) - X.reshape(len(X), -1)
    size: NDArray[np.float64] = np.linalg.norm(added, norm, axis=1)
    return size
