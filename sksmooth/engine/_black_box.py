"""The base model as a function: its labels, its probabilities, its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._answers import class_probabilities, outputs, predicted_classes
from sksmooth.engine._voter import Voter
from sksmooth.inputs._containers import Inputs
from sksmooth.noise import Noise


@dataclass(frozen=True)
class BlackBoxVoter(Voter):
    """The base model as a function from inputs to class indices.

    Attributes
    ----------
    model : object with predict
        Fitted base model.
    classes : ndarray of shape (n_classes,)
        Its labels, sorted.
    """

    model: Any
    classes: NDArray[Any]

    def __call__(self, X: Any, n_rows: int) -> NDArray[np.intp]:
        """Index of the class that the model gives to each of the `n_rows` rows of X."""
        return predicted_classes(self.model, X, n_rows, self.classes)

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes."""
        return len(self.classes)

    def draws_per_call(self, inputs: Inputs) -> None:
        """None: as many inputs and draws as fill a call."""
        return None

    def count_votes(self, inputs: Inputs, noise: Noise, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Votes of one call of the base model: every input with every draw."""
        indices = self(*_perturbed(inputs, noise, draws)).reshape(len(inputs), len(draws))
        cells = indices + np.arange(len(inputs))[:, None] * self.n_classes
        counts = np.bincount(cells.ravel(), minlength=len(inputs) * self.n_classes)
        return counts.reshape(-1, self.n_classes)


@dataclass(frozen=True)
class ProbabilitySums(BlackBoxVoter):
    """The base model as a function from inputs to probabilities, in whole units.

    Sums of whole numbers do not depend on their order, so they are the same however the work is
    cut.
    """

    UNIT: ClassVar[int] = 2**40

    def count_votes(self, inputs: Inputs, noise: Noise, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Sum up the probabilities of every input over the draws, in units of 1 / UNIT."""
        perturbed = _perturbed(inputs, noise, draws)
        probabilities = class_probabilities(self.model, *perturbed, self.classes)
        units = np.floor(probabilities * self.UNIT).astype(np.int64)
        return units.reshape(len(inputs), len(draws), self.n_classes).sum(axis=1)


def _perturbed(inputs: Inputs, noise: Noise, draws: NDArray[Any]) -> tuple[Any, int]:
    """Every input with every draw, as the base model takes them, and their number."""
    noisy = noisy_copies(inputs, noise, draws)
    return inputs.to_container(noisy), len(noisy)


def noisy_copies(inputs: Inputs, noise: Noise, draws: NDArray[Any]) -> NDArray[Any]:
    """Return every input with every draw, in the dtype of the inputs.

    Their sums may need more digits to be exact; what is lost afterwards depends on the sum alone.
    """
    noisy = noise.perturb(inputs.values, draws).reshape(-1, *inputs.shape)
    return noisy.astype(inputs.dtype, copy=False)


@dataclass(frozen=True)
class Responder:
    """The base model as a function from inputs to outputs.

    Attributes
    ----------
    model : object
        Fitted base model.
    method : str
        Its method that returns one output per row.
    shape : tuple of int or None
        Shape of one output; None: not known yet.
    """

    model: Any
    method: str
    shape: tuple[int, ...] | None = None

    def __call__(self, X: Any, n_rows: int) -> NDArray[Any]:
        """Return the outputs for the `n_rows` rows of X."""
        return outputs(self.model, self.method, X, n_rows, self.shape)
