"""The contract of a structure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import singledispatch
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sksmooth._monte_carlo import DrawStream
from sksmooth._rows import Rows
from sksmooth.noise import Noise


class Structure(ABC):
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
    def draws_per_call(self, rows: Rows) -> int:
        """Draws whose shared part is held at a time, for rows as `view` gives them."""

    @abstractmethod
    def suits(self, rows: Rows) -> bool:
        """Whether the model takes rows of this shape and dtype."""

    @abstractmethod
    def after(self, matrix: Any, offset: Any) -> Structure | None:
        """Structure as a function of x, where it is given as one of ``matrix @ x + offset``.

        A vector stands for a diagonal matrix. None: not known.
        """

    @abstractmethod
    def view(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what the votes need of inputs, one row per input."""

    @abstractmethod
    def share(self, draws: NDArray[Any]) -> Any:
        """Return what the votes need of draws: any object of their length."""

    @abstractmethod
    def tally(self, rows: Rows, noise: Any, shared: Any) -> NDArray[np.int64]:
        """Count the votes of every row, as `view` gives it, with every draw."""

    def draws(self, stream: DrawStream) -> Any:
        """Return the stream of the shared parts of the draws of a stream."""
        return ProjectedStream(stream, self)

    def rows(self, rows: Rows) -> Rows:
        """Return rows that hold what the votes need."""
        values = self.view(rows[:].values.astype(rows.dtype, copy=False))
        return Rows(values, values.dtype, rows.as_given)


@dataclass(frozen=True)
class ProjectedStream:
    """The draws of a stream, as a structure sees them.

    Attributes
    ----------
    stream : DrawStream
        Draws for the inputs: those that the model itself would be asked about.
    structure : Structure
        Its `share` is applied to them.
    """

    stream: DrawStream
    structure: Structure

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
def structure_of(model: Any) -> Structure | None:
    """Return what is known of how a fitted classifier sees its inputs, or None.

    Register a classifier of your own with ``structure_of.register(YourClassifier)``; its votes
    have to be those of its `predict`, for classes in the order of its `classes_`. A registration
    is for that very class: a subclass may have a `predict` of its own.
    """
    return None


@singledispatch
def asked_directly(model: Any) -> Any:
    """Return a model with the answers of a fitted one that is faster to ask; or the model itself.

    For models that are asked for every vote. A registration is for that very class, as in
    :func:`structure_of`.
    """
    return model


@asked_directly.register
def _(model: FrozenEstimator) -> Any:
    return directly(model.estimator)


@asked_directly.register
def _(model: Pipeline) -> Any:
    *steps, (name, last) = model.steps
    direct = directly(last)
    return model if direct is last else Pipeline([*steps, (name, direct)])


def directly(model: Any) -> Any:
    """Return a model that gives the answers of a fitted one, fast."""
    return asked_directly(model) if _is_known(model, asked_directly) else model


def known_structure(model: Any) -> Structure | None:
    """Structure of a model whose very class is registered and whose methods are those of it."""
    return structure_of(model) if _is_known(model, structure_of) else None


# Packages that need not be installed: what is known of their models is imported where one is met.
_ROOMS_OF_PACKAGES = {"skorch": "sksmooth.structure._torch"}


def _is_known(model: Any, registry: Any) -> bool:
    """Whether the very class of a model is registered, and its methods are those of the class."""
    room = _ROOMS_OF_PACKAGES.get(type(model).__module__.partition(".")[0])
    if room is not None:
        import_module(room)
    if type(model) not in registry.registry:
        return False
    return not any(callable(getattr(type(model), name, None)) for name in vars(model))
