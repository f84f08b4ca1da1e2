"""Losses of robust training: one small class for each published method.

A method is called with the net and a batch, and returns the parts of its loss, weighted, and the
outputs of the net that go with the labels. `view` is how it sees the net under noise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch.nn import functional

from sksmooth.attacks._gradient_search import (
    TINY,
    Bounds,
    climb,
    ddn_search,
    mean_log_probabilities,
    pgd_search,
)
from sksmooth.noise import GaussianNoise

Parts = dict[str, Any]


class Method(ABC):
    """Base class of the methods: parameters, and a loss of the net on a batch."""

    @abstractmethod
    def parts(self, net: Any, X: Any, y: Any) -> tuple[Parts, Any]:
        """Return the weighted parts of the loss, and outputs (logits) of shape (m, n_classes).

        Parameters
        ----------
        net : RobustNetClassifier
            Offers `noises`, `logits`, `class_loss`, `searching` and `epoch`.
        X : torch.Tensor of shape (m, ...)
            Inputs.
        y : torch.Tensor of shape (m,)
            Indices of the classes.
        """

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the parts."""
        return ("class_loss",)

    def check(self, net: Any) -> None:
        """Raise a ValueError that names a parameter which cannot work."""
        for name, least in _LEAST.items():
            value = getattr(self, name, least)
            if value is not None and not value >= least:
                raise ValueError(f"method__{name} must be at least {least}, got {value!r}.")


_LEAST = {
    "n_noise": 1,
    "n_steps": 1,
    "weight": 0,
    "entropy_weight": 0,
    "radius": 0,
    "step": 0,
    "warmup_epochs": 0,
    "deferred_epochs": 0,
}


def _class_loss(net: Any, logits: Any, y: Any) -> Any:
    """Mean loss over all draws and rows."""
    return net.class_loss(logits.flatten(0, 1), y.repeat(len(logits)))


def _divergence(targets: Any, logits: Any) -> Any:
    """Kullback-Leibler divergence of each row's output from a target distribution."""
    ours = functional.log_softmax(logits, dim=-1)
    return functional.kl_div(ours, targets.expand_as(ours), reduction="none").sum(dim=-1)


@dataclass(frozen=True)
class Gaussian(Method):
    """Cross-entropy on noisy inputs (Cohen, Rosenfeld and Kolter 2019)."""

    n_noise: int = 1

    def parts(self, net: Any, X: Any, y: Any) -> tuple[Parts, Any]:
        """Return the class loss; see :meth:`Method.parts`."""
        logits = net.logits(X, net.noises(X, self.n_noise))
        return {"class_loss": _class_loss(net, logits, y)}, mean_log_probabilities(logits)


@dataclass(frozen=True)
class Stability(Method):
    """Cross-entropy on clean inputs, and of the noisy answers against the clean ones.

    Li, Chen, Wang and Carin (2019), with the weight that Jeong and Shin (2020) gave it in their
    runs on MNIST, and on CIFAR-10 for sigma 0.25 and 0.5 (1 for sigma 1).
    """

    weight: float = 2.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the parts."""
        return ("class_loss", "stability_loss")

    def parts(self, net: Any, X: Any, y: Any) -> tuple[Parts, Any]:
        """Return both parts; see :meth:`Method.parts`."""
        clean = net.infer(X)
        noisy = net.logits(X, net.noises(X, 1))[0]
        answers = functional.softmax(clean, dim=-1)
        change = -(answers * functional.log_softmax(noisy, dim=-1)).sum(dim=-1).mean()
        parts = {"class_loss": net.class_loss(clean, y), "stability_loss": self.weight * change}
        return parts, noisy


@dataclass(frozen=True)
class SmoothAdv(Method):
    """Cross-entropy on noisy copies of inputs on which the smoothed net does worst.

    Salman et al. (2019): found by projected gradient ascent ("pgd") or by decoupling direction and
    norm ("ddn") through the probabilities averaged over draws, and trained under the same draws.
    Defaults: the run that they publish for sigma 0.25 on CIFAR-10 (radius 1, 10 steps, 8 draws, a
    radius that grows over the first 10 of 150 epochs). For sigma 0.5 there: radius 2, 2 steps, 8
    draws. Jeong and Shin (2020) on MNIST, for all sigma: radius 1, 10 steps, 4 draws.
    """

    attack: str = "pgd"
    radius: float = 1.0
    n_steps: int = 10
    n_noise: int = 8
    warmup_epochs: int = 10
    init_norm: float | None = None
    gamma: float = 0.05
    bounds: Bounds = None

    def check(self, net: Any) -> None:
        """Also refuse attacks that do not exist."""
        super().check(net)
        if self.attack not in ("pgd", "ddn"):
            raise ValueError(f"method__attack must be 'pgd' or 'ddn', got {self.attack!r}.")

    def parts(self, net: Any, X: Any, y: Any) -> tuple[Parts, Any]:
        """Return the class loss on what was found; see :meth:`Method.parts`."""
        noises = net.noises(X, self.n_noise)
        logits = net.logits(self.search(net, X, y, noises), noises)
        return {"class_loss": _class_loss(net, logits, y)}, mean_log_probabilities(logits)

    def search(self, net: Any, X: Any, y: Any, noises: Any) -> Any:
        """Find inputs within the radius, which grows over the first epochs."""
        radius = self.radius * warm(net.epoch, self.warmup_epochs)
        if not radius:
            return X
        options: dict[str, Any] = {"radius": radius, "n_steps": self.n_steps, "bounds": self.bounds}
        with net.searching():
            view = _smoothed(net, noises)
            if self.attack == "pgd":
                return pgd_search(view, X, y, **options)
            first = radius if self.init_norm is None else self.init_norm
            return ddn_search(view, X, y, init_norm=first, gamma=self.gamma, **options)


@dataclass(frozen=True)
class Consistency(Method):
    """Cross-entropy on noisy inputs, and how far the answers of one input are from their mean.

    Jeong and Shin (2020): the divergence of each answer from the mean of the draws, and the entropy
    of that mean. Defaults: their runs for sigma 0.5 on CIFAR-10 and 0.25 on MNIST. The weight is 20
    for sigma 0.25 on CIFAR-10, and 5 for sigma 0.5 and 1 on MNIST.
    """

    n_noise: int = 2
    weight: float = 10.0
    entropy_weight: float = 0.5

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the parts."""
        return ("class_loss", "consistency_loss", "entropy_loss")

    def check(self, net: Any) -> None:
        """Also refuse a single draw, which agrees with itself."""
        super().check(net)
        if self.n_noise < 2:
            raise ValueError(f"method__n_noise must be at least 2, got {self.n_noise!r}.")

    def parts(self, net: Any, X: Any, y: Any) -> tuple[Parts, Any]:
        """Return the three parts; see :meth:`Method.parts`."""
        logits = net.logits(X, net.noises(X, self.n_noise))
        mean = functional.softmax(logits, dim=-1).mean(dim=0)
        log_mean = mean.clamp_min(TINY).log()
        parts = {
            "class_loss": _class_loss(net, logits, y),
            "consistency_loss": self.weight * _divergence(mean, logits).mean(),
            "entropy_loss": self.entropy_weight * -(mean * log_mean).sum(dim=-1).mean(),
        }
        return parts, log_mean


@dataclass(frozen=True)
class Macer(Method):
    """Cross-entropy of the mean answer, and the certified radius where it is right and small.

    Zhai et al. (2020), for Gaussian noise: probabilities sharpened by `beta` stand for votes; rows
    whose radius is more than ``gamma sigma / 2`` are left alone. Defaults: their run for sigma 0.25
    on CIFAR-10 (64 rows a batch, learning rate 0.01, 440 epochs). On MNIST, Jeong and Shin (2020)
    give the radius the weight 16 (6 for sigma 1), from the thirtieth of ninety epochs on.
    """

    n_noise: int = 16
    weight: float = 12.0
    gamma: float = 8.0
    beta: float = 16.0
    deferred_epochs: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the parts."""
        return ("class_loss", "radius_loss")

    def check(self, net: Any) -> None:
        """Also refuse noise whose radius is another."""
        super().check(net)
        if type(net.noise_) is not GaussianNoise or net.noise_.k:
            raise ValueError(
                f"method='macer' maximizes the radius of Gaussian noise with k=0, got "
                f"noise={net.noise_!r}. Use another method, such as 'consistency'."
            )

    def parts(self, net: Any, X: Any, y: Any) -> tuple[Parts, Any]:
        """Return both parts; see :meth:`Method.parts`."""
        logits = net.logits(X, net.noises(X, self.n_noise))
        log_mean = mean_log_probabilities(logits)
        lack = self._lack_of_radius(logits, y) * net.noise_.sigma / 2
        weight = self.weight if net.epoch > self.deferred_epochs else 0.0
        parts = {
            "class_loss": net.class_loss(log_mean, y),
            "radius_loss": weight * lack / len(X),
        }
        return parts, log_mean

    def _lack_of_radius(self, logits: Any, y: Any) -> Any:
        """Sum, over rows that are right, of what is missing to `gamma`."""
        votes = functional.softmax(self.beta * logits, dim=-1).mean(dim=0)
        (first, second), (winner, _) = (part.unbind(dim=-1) for part in votes.topk(2, dim=-1))
        with torch.no_grad():
            distance = torch.special.ndtri(first) - torch.special.ndtri(second)
            counts = (winner == y) & (distance <= self.gamma) & (second > 0) & (first < 1)
        distance = torch.special.ndtri(first[counts]) - torch.special.ndtri(second[counts])
        return (self.gamma - distance).sum()


@dataclass(frozen=True)
class SmoothMix(Method):
    """Cross-entropy on noisy inputs, and less sure answers on the way to where the net is wrong.

    Jeong et al. (2021): inputs are mixed with those that an unrestricted ascent finds, and mean
    answers with the uniform distribution, in the same ratio below one half. With `from_step` the
    point after so many steps takes the place of the input. Defaults: their runs on CIFAR-10, whose
    steps are twice sigma long. On MNIST their steps are 1 long, 4 of them for sigma 0.5 and 8 for
    sigma 1, with 4 draws.
    """

    n_noise: int = 2
    n_steps: int = 4
    step: float | None = None
    weight: float = 5.0
    from_step: int = 0
    warmup_epochs: int = 10
    bounds: Bounds = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the parts."""
        return ("class_loss", "mix_loss")

    def check(self, net: Any) -> None:
        """Also refuse a start behind the end."""
        super().check(net)
        if not 0 <= self.from_step < self.n_steps:
            raise ValueError(
                f"method__from_step must be at least 0 and less than n_steps={self.n_steps}, got "
                f"{self.from_step!r}."
            )

    def parts(self, net: Any, X: Any, y: Any) -> tuple[Parts, Any]:
        """Return both parts; see :meth:`Method.parts`."""
        noises = net.noises(X, self.n_noise)
        ramp = warm(net.epoch, self.warmup_epochs)
        start, end = self._ends(net, X, y, noises, ramp)
        logits = net.logits(start, noises)
        mean = functional.softmax(logits, dim=-1).mean(dim=0)
        weight = net.uniform(len(X), X) / 2
        mixed = torch.lerp(start, end, weight.view(-1, *[1] * (X.ndim - 1)))
        targets = torch.lerp(mean, torch.full_like(mean, 1 / mean.shape[1]), weight[:, None])
        right = (mean.argmax(dim=-1) == y).to(mean.dtype)
        mix_loss = (right * _divergence(targets, net.logits(mixed, noises))).mean()
        parts = {
            "class_loss": _class_loss(net, logits, y),
            "mix_loss": self.weight * ramp * mix_loss,
        }
        return parts, mean.clamp_min(TINY).log()

    def _ends(self, net: Any, X: Any, y: Any, noises: Any, ramp: float) -> tuple[Any, Any]:
        """Where mixing starts and ends; the start moves away from X over the first epochs."""
        step = 2 * net.noise_.sigma if self.step is None else self.step
        with net.searching():
            path = climb(
                _smoothed(net, noises),
                X,
                y,
                step=step,
                n_steps=self.n_steps,
                bounds=self.bounds,
            )
        moved = path[self.from_step] - X
        most = ramp * step * self.from_step
        return X + (moved.renorm(2, 0, most) if self.from_step else 0), path[-1]


def warm(epoch: int, n_epochs: int) -> float:
    """Share that grows to one over the first epochs, counted from 1."""
    return min(1.0, epoch / n_epochs) if n_epochs else 1.0


def _smoothed(net: Any, noises: Any) -> Any:
    return lambda X: mean_log_probabilities(net.logits(X, noises))


METHODS: dict[str, type[Method]] = {
    "consistency": Consistency,
    "gaussian": Gaussian,
    "macer": Macer,
    "smoothadv": SmoothAdv,
    "smoothmix": SmoothMix,
    "stability": Stability,
}


def make_method(name: str, params: dict[str, Any]) -> Method:
    """Return the method of a name, or say what there is."""
    if name not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {name!r}.")
    known = [field.name for field in fields(METHODS[name])]  # type: ignore[arg-type]
    unknown = sorted(set(params) - set(known))
    if unknown:
        raise ValueError(
            f"method={name!r} has no parameter {', '.join(unknown)}. It has: {', '.join(known)} "
            "(each as method__...)."
        )
    return METHODS[name](**params)
