"""The contract of a vote whose law is known, and what class probabilities prove."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sksmooth.noise import Noise

Array = NDArray[np.float64]

# Smaller probabilities may be the product of numbers that underflowed.
_TINY = 1e-300


class Proven(NamedTuple):
    """What is proven of m rows.

    Attributes
    ----------
    ranked : ndarray of int of shape (m, top_k)
        Positions of the most probable classes, in their order.
    p_lower, p_upper : ndarray of shape (m,)
        Bounds of the probability of the first of them, and of every other class.
    radius : ndarray of shape (m, top_k)
        Within it each class stays among the `top_k` most probable.
    """

    ranked: NDArray[np.intp]
    p_lower: Array
    p_upper: Array
    radius: Array


class ExactVote(ABC):
    """A smoothed classifier whose class probabilities are known.

    Attributes
    ----------
    n_classes : int
        Number of classes.
    """

    n_classes: int

    @property
    @abstractmethod
    def values_per_row(self) -> int:
        """Numbers that are held for each row, about."""

    @abstractmethod
    def suits(self, shape: tuple[int, ...]) -> bool:
        """Whether inputs have the shape that the model takes."""

    @abstractmethod
    def classify(self, values: Array) -> NDArray[np.intp]:
        """Positions of the classes that the model gives to inputs without noise."""

    @abstractmethod
    def probabilities(self, values: Array) -> Array:
        """Class probabilities of inputs under noise, shape (m, n_classes).

        The class with the largest, the first of equals, is the prediction.
        """

    @abstractmethod
    def prove(self, values: Array, norm: float, top_k: int) -> Proven:
        """Return predictions of inputs and their radii in a norm."""


class ClassLaw(NamedTuple):
    """Class probabilities of m rows, and bounds of them.

    Attributes
    ----------
    probabilities : ndarray of shape (m, n_classes)
        Their largest is the prediction.
    upper : ndarray of shape (m, n_classes)
        Upper bounds.
    tail : ndarray of shape (m, n_classes)
        Upper bounds of the joint probability of all other classes, precise where they are small.
    """

    probabilities: Array
    upper: Array
    tail: Array


@dataclass(frozen=True)
class VoteByLaw(ExactVote):
    """A vote whose class probabilities prove a radius by the trade-off function of the noise.

    Attributes
    ----------
    noise : Noise
        Distribution of the noise.
    """

    noise: Noise

    @abstractmethod
    def law(self, values: Array) -> ClassLaw:
        """Class probabilities of inputs, and bounds of them."""

    def prove(self, values: Array, norm: float, top_k: int) -> Proven:
        """Return predictions of inputs and their radii in a norm."""
        law = self.law(values)
        ranked = np.argsort(-law.probabilities, axis=1, kind="stable")[:, :top_k]
        geometry: dict[str, Any] = {"n_features": values.shape[1], "norm": norm}
        radius = np.empty(ranked.shape)
        for j in range(top_k):
            own = ranked[:, j, None]
            tail = np.take_along_axis(law.tail, own, axis=1)[:, 0]
            others = law.upper[np.arange(self.n_classes) != own].reshape(len(values), -1)
            if top_k == 1:
                radius[:, j] = self.noise.tail_radius(tail, others.max(axis=1), **geometry)
            else:
                radius[:, j] = self.noise.top_radius(_lower(tail), others, top_k, **geometry)
            if j == 0:
                p_lower, p_upper = _lower(tail), np.minimum(others.max(axis=1), tail)
        return Proven(ranked, p_lower, p_upper, radius)


def _lower(tail: Array) -> Array:
    """One minus a probability, rounded down."""
    return np.maximum(np.nextafter(1.0 - tail, -1.0), 0.0)


def rounded_up(probability: Array, rounding: float, slack: float, possible: Any) -> Array:
    """Upper bounds of probabilities that were computed with an error.

    Parameters
    ----------
    probability : ndarray
        As computed.
    rounding, slack : float
        Bounds of its relative and absolute error.
    possible : ndarray of bool
        Whether it can be anything but 0.
    """
    bound = np.minimum(probability * (1.0 + rounding) + (slack + _TINY), 1.0)
    return np.where(possible, bound, 0.0)
