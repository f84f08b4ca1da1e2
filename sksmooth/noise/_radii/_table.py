"""Tables of certified radii: one per family, dimension and k; then a radius costs microseconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from scipy import special

from sksmooth.noise._radii._quadrature import Array

_NODES, _CHECKS = 14, 9
_ROUNDING_OF_TAIL = 4e-13
_SMALLEST_LOG = -230.0
_WIDEST, _NARROWEST = 1.6, 0.1
_NEWTON_STEPS, _STEP_DOWN = 4, 2e-12
_STRIDE = 8


class Extent(NamedTuple):
    """What a table covers, and how well.

    Attributes
    ----------
    resolution, reach : float
        Normal quantiles of the smallest and the largest probability in the table: smaller ones
        prove nothing, larger ones no more than the last.
    start : float
        A radius of about the size that is typical for the family.
    tolerance : float
        Relative error at which a piece is not cut further.
    """

    resolution: float = 1e-6
    reach: float = 8.3  # the tail is down to the spacing of doubles
    start: float = 1.0
    tolerance: float = 2e-12


@dataclass(frozen=True)
class RadiusTable:
    """Piecewise polynomials for ``log z`` as a function of ``log r``.

    z is the normal quantile of the class probability that proves the radius r. In these
    coordinates every family is nearly a straight line. Each piece was compared with the function
    itself between its nodes, and its error is allowed for.

    Attributes
    ----------
    edges : ndarray of shape (n + 1,)
        Ends of the pieces, in log r.
    at_edges : ndarray of shape (n + 1,)
        log z there.
    pieces : ndarray of shape (n, n_coefficients)
        Chebyshev coefficients.
    slack : ndarray of shape (n,)
        Error of each piece to allow for, in log z.
    """

    edges: Array
    at_edges: Array
    pieces: Array
    slack: Array

    @classmethod
    def of(cls, largest_tail: Callable[[Array], Array], extent: Extent) -> RadiusTable:
        """Tabulate a function.

        Parameters
        ----------
        largest_tail : callable
            From radii, an array, to the largest ``1 - p`` for which a probability of p proves
            them, rounded down. Decreasing.
        extent : Extent
            What to cover.
        """

        def log_z(log_r: Array) -> Array:
            z = -special.ndtri(np.maximum(largest_tail(np.exp(log_r)), 1e-300))
            return np.log(np.maximum(z, 1e-300))

        low, high = _range(log_z, extent)
        n = max(1, int(np.ceil((high - low) / _WIDEST)))
        open_pieces = list(pairwise(np.linspace(low, high, n + 1)))
        done: list[tuple[float, float, Array, float]] = []
        while open_pieces:
            ends = np.array(open_pieces)
            open_pieces = []
            coefficients, error, allowed = _fit(log_z, ends, extent.tolerance)
            for (a, b), piece, off, tolerance in zip(
                ends, coefficients, error, allowed, strict=True
            ):
                if off <= tolerance or b - a <= _NARROWEST:
                    done.append((a, b, piece, 3.0 * max(off, tolerance / 3)))
                else:
                    open_pieces += [(a, (a + b) / 2), ((a + b) / 2, b)]
        done.sort(key=lambda piece: piece[0])
        pieces = np.array([piece for _, _, piece, _ in done])
        at_edges = np.append(chebyshev.chebval(-1.0, pieces.T), chebyshev.chebval(1.0, pieces[-1]))
        return cls(
            np.array([a for a, *_ in done] + [done[-1][1]]),
            at_edges,
            pieces,
            np.array([slack for *_, slack in done]),
        )

    def radius(self, tail: Array) -> Array:
        """Certified radius of class probabilities ``1 - tail``, rounded down.

        Parameters
        ----------
        tail : ndarray of shape (m,)
            In [0, 1].

        Returns
        -------
        radius : ndarray of shape (m,)
            Each was put back into the table, and found not to need more than the probability.
            Infinite for a probability of one.
        """
        distinct, inverse = np.unique(tail, return_inverse=True)
        radius = np.where(distinct <= 0, np.inf, 0.0)
        some = np.flatnonzero((distinct > 0) & (distinct < 0.5))[::-1]  # increasing radius
        if len(some):
            radius[some] = self._of_log_z(np.log(-special.ndtri(distinct[some])))
        return radius[inverse]

    def _of_log_z(self, log_z: Array) -> Array:
        radius = np.zeros(len(log_z))
        first = np.searchsorted(log_z, self.at_edges)
        first[-1] = len(log_z)
        for i, (start, stop) in enumerate(pairwise(first)):
            if start < stop:
                radius[start:stop] = np.exp(self._in_piece(i, log_z[start:stop]))
        return radius

    def _in_piece(self, i: int, log_z: Array) -> Array:
        """Solve for log r in one piece, or at the end of the piece before it."""
        a, b = self.edges[i], self.edges[i + 1]
        piece, slope = self.pieces[i], chebyshev.chebder(self.pieces[i])
        wanted = log_z - self.slack[i]
        rise = self.at_edges[i + 1] - self.at_edges[i]
        x = np.clip(2.0 * (wanted - self.at_edges[i]) / rise - 1.0, -1.0, 1.0)
        for _ in range(_NEWTON_STEPS):
            off = chebyshev.chebval(x, piece) - wanted
            x = np.clip(x - off / chebyshev.chebval(x, slope), -1.0, 1.0)
        for _ in range(3):
            too_far = chebyshev.chebval(x, piece) > wanted
            if not too_far.any():
                break
            x = np.where(too_far, np.maximum(x - _STEP_DOWN, -1.0), x)
        log_r = (a + b) / 2 + x * (b - a) / 2
        unproven = chebyshev.chebval(x, piece) > wanted  # by the slack, at the start of a piece
        if unproven.any():
            log_r[unproven] = self._in_piece(i - 1, log_z[unproven]) if i else -np.inf
        return log_r


def _fit(
    log_z: Callable[[Array], Array], ends: Array, tolerance: float
) -> tuple[Array, Array, Array]:
    """Fit pieces; return coefficients, errors between the nodes, and the errors to be met."""
    nodes = chebyshev.chebpts1(_NODES)
    checks = np.cos(np.linspace(0.0, np.pi, _CHECKS))
    middle, half = ends.mean(axis=1)[:, None], np.diff(ends, axis=1) / 2
    points = middle + half * np.concatenate([nodes, checks])
    values = log_z(points.ravel()).reshape(points.shape)
    at_nodes, at_checks = values[:, :_NODES], values[:, _NODES:]
    values_to_coefficients = np.linalg.inv(chebyshev.chebvander(nodes, _NODES - 1))
    coefficients: Any = at_nodes @ values_to_coefficients.T
    fitted: Any = chebyshev.chebval(checks, coefficients.T, tensor=True)
    error: Any = np.abs(fitted - at_checks).max(axis=1)
    allowed: Any = tolerance + _ROUNDING_OF_TAIL * np.exp(-values.min(axis=1))
    return coefficients, error, allowed


def _range(log_z: Callable[[Array], Array], extent: Extent) -> tuple[float, float]:
    """Logarithms of radii at which z leaves the range of the table, to within a small step."""
    middle = float(np.log(extent.start))

    def first_beyond(points: Any, wanted: float, side: float) -> int | None:
        beyond = np.flatnonzero((log_z(points) - wanted) * side >= 0)
        return int(beyond[0]) if len(beyond) else None

    ends = []
    for z, step in ((extent.resolution, -1.0), (extent.reach, 0.5)):
        wanted, start, first = float(np.log(z)), middle, None
        while first is None and abs(start) < -_SMALLEST_LOG:
            first = first_beyond(start + step * np.arange(_STRIDE), wanted, step)
            start += step * (_STRIDE if first is None else first)
        inner: Array = start + step * (np.arange(1.0, _STRIDE + 1) / _STRIDE - 1.0)
        first = first_beyond(inner, wanted, step)
        ends.append(float(inner[-1 if first is None else first]))
    return ends[0], ends[1]
