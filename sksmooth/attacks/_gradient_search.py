"""Search for inputs near given ones on which a smoothed net is wrong.

The net is seen through ``log_probabilities``, a function from a batch to the logarithm of its
probabilities averaged over noise (Salman et al. 2019): its gradient is that of the smoothed net,
estimated on these draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

Bounds = tuple[float, float] | None

# Probabilities below this count as this, so that their logarithms are finite.
TINY = 1e-20


def mean_log_probabilities(outputs: Any) -> Any:
    """Logarithm of the probabilities averaged over draws.

    Computed from logarithms, so that it has a gradient also where the net is all but sure.

    Parameters
    ----------
    outputs : torch.Tensor of shape (n_noise, m, n_classes)
        Logits, or logarithms of probabilities, under each draw.

    Returns
    -------
    log_probabilities : torch.Tensor of shape (m, n_classes)
    """
    return functional.log_softmax(outputs, dim=-1).logsumexp(dim=0) - math.log(len(outputs))


def pgd_search(
    log_probabilities: Callable[[Any], Any],
    X: Any,
    y: Any,
    *,
    radius: float,
    n_steps: int,
    bounds: Bounds = None,
    norm: float = 2,
) -> Any:
    """Projected gradient ascent of the loss in the ball around every row.

    Parameters
    ----------
    log_probabilities : callable
        From a batch to log-probabilities of shape (m, n_classes).
    X : torch.Tensor of shape (m, ...)
        Centres of the balls.
    y : torch.Tensor of shape (m,)
        Index of the right class.
    radius : float
        Radius of the balls. Each of the `n_steps` steps has the length ``2 radius / n_steps``.
    n_steps : int
        Number of steps.
    bounds : tuple of two floats, optional
        Least and largest value of a feature.
    norm : {2, inf}, default=2
        Norm of the balls; in the l-infinity ball the steps follow the signs of the gradient.

    Returns
    -------
    found : torch.Tensor of shape (m, ...)
    """
    found = X.detach()
    for _ in range(n_steps):
        direction = _direction(log_probabilities, found, y)[0]
        direction = direction.sign() if norm == math.inf else direction
        found = found + 2 * radius / n_steps * direction
        found = _within(found, X, radius, bounds, norm)
    return found


def ddn_search(
    log_probabilities: Callable[[Any], Any],
    X: Any,
    y: Any,
    *,
    radius: float,
    n_steps: int,
    bounds: Bounds = None,
    init_norm: float,
    gamma: float,
) -> Any:
    """Search with a norm that grows while the net is right and shrinks where it is wrong.

    Rony et al. (2019), cut to the ball: the smallest perturbation found on which the net is wrong,
    or the last one where there is none, where the published code goes back to the input.

    Parameters
    ----------
    log_probabilities, X, y, radius, n_steps, bounds
        As in `pgd_search`.
    init_norm : float
        First norm of the perturbations.
    gamma : float
        Part of itself by which a norm grows or shrinks in a step.

    Returns
    -------
    found : torch.Tensor of shape (m, ...)
    """
    moved, found = X.detach(), X.detach()
    norm = X.new_full((len(X),), init_norm)
    smallest = X.new_full((len(X),), math.inf)
    for step in range(n_steps):
        direction, is_wrong = _direction(log_probabilities, moved, y)
        size = _norms(moved - X)
        better = is_wrong & (size < smallest)
        smallest = torch.where(better, size, smallest)
        found = torch.where(_like(better, X), moved, found)
        rate = 0.01 + 0.99 * (1 + math.cos(math.pi * step / n_steps)) / 2
        norm = norm * torch.where(is_wrong, 1 - gamma, 1 + gamma)
        delta = moved + rate * direction - X
        delta = delta * _like(norm / _norms(delta).clamp_min(1e-12), X)
        moved = _clipped(X + delta, bounds)
    found = torch.where(_like(torch.isinf(smallest), X), moved, found)
    return _within(found, X, radius, bounds)


def climb(
    log_probabilities: Callable[[Any], Any],
    X: Any,
    y: Any,
    *,
    step: float,
    n_steps: int,
    bounds: Bounds = None,
) -> list[Any]:
    """Gradient ascent without a ball (Jeong et al. 2021): where every step has led.

    Returns
    -------
    path : list of torch.Tensor
        Of length ``n_steps + 1``; it begins with X.
    """
    path = [X.detach()]
    for _ in range(n_steps):
        ahead = path[-1] + step * _direction(log_probabilities, path[-1], y)[0]
        path.append(_clipped(ahead, bounds))
    return path


def _direction(log_probabilities: Callable[[Any], Any], X: Any, y: Any) -> tuple[Any, Any]:
    """Return unit vectors along which the loss grows, and whether the net is wrong."""
    X = X.detach().requires_grad_()
    with torch.enable_grad():
        found = log_probabilities(X)
        loss = functional.nll_loss(found, y, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, X)
    norms = _norms(gradient)
    flat = norms <= 1e-30
    if flat.any():
        gradient = torch.where(_like(flat, X), _any_directions(X), gradient)
        norms = _norms(gradient)
    return gradient / _like(norms, X), found.argmax(dim=1) != y


def _any_directions(X: Any) -> Any:
    """Return directions for rows without a gradient, where any is as good: always the same."""
    generator = torch.Generator(X.device).manual_seed(0)
    return torch.randn(X.shape, generator=generator, dtype=X.dtype, device=X.device)


def _norms(X: Any) -> Any:
    return X.flatten(1).norm(dim=1)


def _like(values: Any, X: Any) -> Any:
    """One value per row, as it broadcasts against the rows."""
    return values.view(-1, *[1] * (X.ndim - 1))


def _clipped(X: Any, bounds: Bounds) -> Any:
    return X if bounds is None else X.clamp(*bounds)


def _within(found: Any, X: Any, radius: float, bounds: Bounds, norm: float = 2) -> Any:
    """Found inputs, moved back into the ball around X and into the bounds."""
    delta = _clipped(found, bounds) - X
    if norm == math.inf:
        return X + delta.clamp(-radius, radius)
    excess = (_norms(delta) / radius).clamp_min(1.0)
    return X + delta / _like(excess, X)
