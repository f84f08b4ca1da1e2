"""The contract of a structure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._registry import is_known
from sksmooth.engine._streams import DrawStream
from sksmooth.inputs._containers import Inputs
from sksmooth.noise import Noise


class Voter(ABC):
    """A base model whose answer to ``x + z`` is made of what it sees of x and of z.

    What it sees of a draw z is computed once and shared by all rows; what it sees of a row x is
    computed once and shared by all draws. What is left for each pair is much less than a call of
    the model, and the votes are those of the model on the same noise, up to the rounding of sums.

    Attributes
    ----------
    n_classes : int
        Number of classes.
    """

    n_classes: int

    @abstractmethod
    def draws_per_call(self, rows: Inputs) -> int:
        """Draws whose shared part is held at a time, for rows as `view` gives them."""

    @abstractmethod
    def suits(self, rows: Inputs) -> bool:
        """Whether the model takes rows of this shape and dtype."""

    @abstractmethod
    def after(self, matrix: Any, offset: Any) -> Voter | None:
        """Voter as a function of x, where it is given as one of ``matrix @ x + offset``.

        A vector stands for a diagonal matrix. None: not known.
        """

    @abstractmethod
    def view(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what the votes need of inputs, one row per input."""

    @abstractmethod
    def share(self, draws: NDArray[Any]) -> Any:
        """Return what the votes need of draws: any object of their length."""

    @abstractmethod
    def tally(self, rows: Inputs, noise: Any, shared: Any) -> NDArray[np.int64]:
        """Count the votes of every row, as `view` gives it, with every draw."""

    def draws(self, stream: DrawStream) -> Any:
        """Return the stream of the shared parts of the draws of a stream."""
        return ProjectedStream(stream, self)

    def rows(self, rows: Inputs) -> Inputs:
        """Return rows that hold what the votes need."""
        values = self.view(rows[:].values.astype(rows.dtype, copy=False))
        return Inputs(values, values.dtype, rows.to_container)


@dataclass(frozen=True)
class ProjectedStream:
    """The draws of a stream, as a structure sees them.

    Attributes
    ----------
    stream : DrawStream
        Draws for the inputs: those that the model itself would be asked about.
    structure : Voter
        Its `share` is applied to them.
    """

    stream: DrawStream
    structure: Voter

    @property
    def noise(self) -> Noise:
        """Distribution of the draws."""
        return self.stream.noise

    @property
    def block_size(self) -> int:
        """Number of draws that share one seed."""
        return self.stream.block_size

    def take(self, start: int, stop: int) -> Any:
        """Return the shared part of the draws numbered `start` to `stop` - 1."""
        return self.structure.share(self.stream.take(start, stop))


@singledispatch
def voter_of(model: Any) -> Voter | None:
    """Return what is known of how a fitted classifier sees its inputs, or None.

    Register a classifier of your own with ``voter_of.register(YourClassifier)``; its votes
    have to be those of its `predict`, for classes in the order of its `classes_`. A registration
    is for that very class: a subclass may have a `predict` of its own.
    """
    return None


def known_voter(model: Any) -> Voter | None:
    """Voter of a model whose very class is registered and whose methods are those of it."""
    return voter_of(model) if is_known(model, voter_of) else None
