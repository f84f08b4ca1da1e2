"""The contract of what votes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.inputs._containers import Inputs


class Voter(ABC):
    """A base model as votes for classes, of inputs under noise.

    Attributes
    ----------
    n_classes : int
        Number of classes.
    """

    n_classes: int

    @abstractmethod
    def draws_per_call(self, inputs: Inputs) -> int | None:
        """Draws that one call holds, for all inputs; None: a call may be of any size."""

    def embed(self, inputs: Inputs) -> Inputs:
        """Return inputs that hold what the votes need of them."""
        return inputs

    def embed_stream(self, stream: Any) -> Any:
        """Return the stream of what the votes need of the draws of a stream."""
        return stream

    @abstractmethod
    def count_votes(self, inputs: Inputs, noise: Any, draws: Any) -> NDArray[np.int64]:
        """Count the votes of every input, as `embed` gives it, with every draw.

        Parameters
        ----------
        inputs : Inputs of length m
            Of `embed`.
        noise : Noise
            Distribution of the draws.
        draws : object of length n
            Taken from a stream of `embed_stream`.

        Returns
        -------
        counts : ndarray of shape (m, n_classes)
            Each row sums to n, less the votes that rounding might change: those are for nobody,
            and a certificate counts them against the class it is about.
        """
