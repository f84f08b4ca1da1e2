"""The contract of a fast voter."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._registry import Registry
from sksmooth.engine._streams import DrawStream
from sksmooth.engine._voter import Voter
from sksmooth.inputs._containers import Inputs
from sksmooth.noise import Noise


class FastVoter(Voter):
    """A base model whose answer to ``x + z`` is made of what it sees of x and of z.

    What it sees of a draw z is computed once for all inputs; what it sees of an input x is computed
    once for all draws. What is left for each pair is much less than a call of the model, and the
    votes are those of the model on the same noise, up to the rounding of sums.
    """

    @abstractmethod
    def draws_per_call(self, inputs: Inputs) -> int:
        """Draws whose embedding is held at a time, for inputs as `embed` gives them."""

    @abstractmethod
    def suits(self, inputs: Inputs) -> bool:
        """Whether the model takes inputs of this shape and dtype."""

    @abstractmethod
    def after(self, matrix: Any, offset: Any) -> FastVoter | None:
        """Voter as a function of x, where this one is given ``matrix @ x + offset``.

        A vector stands for a diagonal matrix. None: not known.
        """

    @abstractmethod
    def embed_inputs(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what the votes need of inputs, one row per input."""

    @abstractmethod
    def embed_noise(self, draws: NDArray[Any]) -> Any:
        """Return what the votes need of draws: any object of their length."""

    def embed(self, inputs: Inputs) -> Inputs:
        """Return inputs that hold what the votes need of them."""
        rows = inputs[:].values
        wide = np.result_type(rows.dtype, inputs.dtype)  # no digit of a rounded input is lost
        values = self.embed_inputs(rows.astype(wide, copy=False))
        return Inputs(values, inputs.dtype, inputs.to_container)

    def embed_stream(self, stream: DrawStream) -> Any:
        """Return the stream of what the votes need of the draws of a stream."""
        return ProjectedStream(stream, self)


@dataclass(frozen=True)
class ProjectedStream:
    """The draws of a stream, as a voter sees them.

    Attributes
    ----------
    stream : DrawStream
        Draws for the inputs: those that the model itself would be asked about.
    voter : FastVoter
        Its `embed_noise` is applied to them.
    """

    stream: DrawStream
    voter: FastVoter

    @property
    def noise(self) -> Noise:
        """Distribution of the draws."""
        return self.stream.noise

    @property
    def block_size(self) -> int:
        """Number of draws that share one seed."""
        return self.stream.block_size

    def take(self, start: int, stop: int) -> Any:
        """Return what the votes need of the draws numbered `start` to `stop` - 1."""
        return self.voter.embed_noise(self.stream.take(start, stop))


@Registry
def voter_of(model: Any) -> FastVoter | None:
    """Return what is known of how a fitted classifier sees its inputs, or None.

    Register a classifier of your own with ``voter_of.register(YourClassifier)``; its votes
    have to be those of its `predict`, for classes in the order of its `classes_`. A registration
    is for that very class: a subclass may have a `predict` of its own.
    """
    return None
