"""Balls around a few transformed images that together hold all of them.

The images T_t x form a curve. At parameters t_0, t_1, ... close to each other the distance to an
anchor is measured; in between it is at most (d_k + d_{k+1} + S (t_{k+1} - t_k)) / 2, where S bounds
the speed of the curve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from sksmooth.transformations._base import Array, Transformation
from sksmooth.transformations._speed import speed_bounds

# Between two measured distances the curve may move so much of the radius of a ball.
_FINENESS = 0.2

# Pieces whose speed is bounded together, and numbers in images that are made together.
_PIECES_AT_ONCE, _VALUES_AT_ONCE = 64, 2**16

# More measured distances than this are not waited for.
_MOST_STEPS = 1_000_000


class Anchor(NamedTuple):
    """A transformed image, and the part of the curve that lies in a ball around it.

    Attributes
    ----------
    parameter : float
        Of the image.
    end : float
        The ball holds the curve from the end of the one before to this parameter.
    distance : float
        Radius of the ball: bound of the l2 distance, with all that images may differ besides.
    """

    parameter: float
    end: float
    distance: float


@dataclass(frozen=True)
class Curve:
    """The transformed images of one image, on one side of it, as a smoother sees them.

    Attributes
    ----------
    transformation : Transformation
        What is done to the image.
    image : ndarray of shape (channels, height, width)
        Image.
    end : float
        Last parameter; negative on the other side.
    seen : callable
        Returns images of shape (n, channels, height, width) as they are when noise is added, as
        rows of numbers.
    stretch : float
        Factor by which `seen` enlarges distances at the most.
    """

    transformation: Transformation
    image: Array
    end: float
    seen: Callable[[Array], Array]
    stretch: float = 1.0

    def speeds(self) -> Iterator[tuple[Array, Array]]:
        """Edges of pieces that follow upon each other, and bounds of the speed in them."""
        n_pieces = max(1, int(np.ceil(abs(self.end) / self.transformation.piece - 1e-9)))
        edges = np.linspace(0.0, self.end, n_pieces + 1)
        for first in range(0, n_pieces, _PIECES_AT_ONCE):
            some = edges[first : first + _PIECES_AT_ONCE + 1]
            bounds = speed_bounds(self.transformation, self.image, some)
            yield some, bounds * self.stretch

    def steps(self, radius: float) -> Iterator[tuple[Array, Array]]:
        """Parameters to measure at, and how far the curve may move from each to the next."""
        for edges, bounds in self.speeds():
            width = np.abs(np.diff(edges))
            n_steps = np.ceil(bounds * width / (_FINENESS * radius))
            n_steps = np.maximum(n_steps, 1).astype(np.int64)
            self._refuse_too_many(n_steps, radius)
            inner = np.arange(n_steps.sum()) - np.repeat(np.cumsum(n_steps) - n_steps, n_steps)
            cuts = np.repeat(edges[:-1], n_steps)
            cuts += inner * np.repeat(np.diff(edges) / n_steps, n_steps)
            yield np.append(cuts, edges[-1]), np.repeat(bounds * width / n_steps, n_steps)

    def _refuse_too_many(self, n_steps: Array, radius: float) -> None:
        if n_steps.sum() > _MOST_STEPS:
            raise ValueError(
                f"The transformed images move so fast that {int(n_steps.sum())} balls of radius "
                f"{radius:.3g} would be needed for a small part of the range. Scale the images, "
                "or use a larger sigma."
            )


@dataclass
class _Measured:
    """The part of a curve that is at hand: parameters, images, and lengths of steps."""

    curve: Curve
    radius: float
    parameters: Array = field(default_factory=lambda: np.zeros(1))
    moves: Array = field(default_factory=lambda: np.zeros(0))
    images: Array | None = None
    _more: Iterator[tuple[Array, Array]] | None = None
    _waiting: tuple[Array, Array] = field(default_factory=lambda: (np.zeros(0), np.zeros(0)))

    def holds(self, last: int) -> bool:
        """Whether the curve has a step number `last` from here, which is measured if need be."""
        while self.images is None or len(self.images) <= last:
            if not self._extend():
                return False
        return True

    def distances(self, anchor: int, first: int, last: int) -> Array:
        """Distances from the image of a step to those of others, the last included."""
        assert self.images is not None  # `holds` was asked
        away = self.images[first : last + 1] - self.images[anchor]
        return np.sqrt(np.einsum("ij,ij->i", away, away))

    def gaps(self, anchor: int, first: int, last: int) -> Array:
        """Bounds of the distance from an image on the steps between two others."""
        measured = self.distances(anchor, first, last)
        return (measured[:-1] + measured[1:] + self.moves[first:last]) / 2

    def forget(self, n: int) -> None:
        """Begin after `n` steps."""
        assert self.images is not None
        self.parameters, self.moves = self.parameters[n:], self.moves[n:]
        self.images = self.images[n:]

    def _extend(self) -> bool:
        if self.images is None:
            self.images = self._seen(self.parameters)
            self._more = self.curve.steps(self.radius)
            return True
        assert self._more is not None
        if not len(self._waiting[0]):
            following = next(self._more, None)
            if following is None:
                return False
            self._waiting = following[0][1:], following[1]
        at_once = max(1, _VALUES_AT_ONCE // self.images.shape[1])
        parameters, moves = (values[:at_once] for values in self._waiting)
        self._waiting = self._waiting[0][at_once:], self._waiting[1][at_once:]
        self.images = np.concatenate([self.images, self._seen(parameters)])
        self.parameters = np.concatenate([self.parameters, parameters])
        self.moves = np.concatenate([self.moves, moves])
        return True

    def _seen(self, parameters: Array) -> Array:
        images = self.curve.transformation.moved(self.curve.image, parameters)
        return self.curve.seen(images)


def cover(curve: Curve, radius: float, allowance: float) -> Iterator[Anchor]:
    """Cover a curve by balls, from the image itself on.

    Greedy: each anchor is the furthest that still reaches back to the end of the one before, and
    reaches as far on as it can. It looks at the image alone, and not at any vote.

    Parameters
    ----------
    curve : Curve
        What is covered.
    radius : float
        Largest radius of a ball.
    allowance : float
        How far images may differ from those of the curve besides; below `radius`. It is part of
        the radius of every ball.

    Yields
    ------
    anchor : Anchor
    """
    most = radius - allowance
    measured = _Measured(curve, most)
    measured.holds(0)
    while measured.holds(1):
        anchor, back = _furthest_anchor(measured, most)
        end, on = _furthest_end(measured, anchor, most)
        distance = max(back, on) * (1 + 1e-12) + allowance
        yield Anchor(float(measured.parameters[anchor]), float(measured.parameters[end]), distance)
        measured.forget(end)


def _furthest_anchor(measured: _Measured, most: float) -> tuple[int, float]:
    """Last step from whose image a ball reaches back to the first, and its radius."""
    anchor, reach = 0, 0.0
    while measured.holds(anchor + 1):
        back = float(measured.gaps(anchor + 1, 0, anchor + 1).max())
        if back > most:
            break
        anchor, reach = anchor + 1, back
    return anchor, reach


def _furthest_end(measured: _Measured, anchor: int, most: float) -> tuple[int, float]:
    """Last step that a ball around the image of another reaches, and its radius."""
    end, reach = anchor, 0.0
    while measured.holds(end + 1):
        on = float(measured.gaps(anchor, end, end + 1)[0])
        if on > most:
            break
        end, reach = end + 1, max(reach, on)
    return end, reach
