"""The lattice that inputs and noise live on, so that proofs hold in floating point.

Theory speaks of x + z. A computer rounds the sum, and the last bits of what is left depend on x: a
model may read x off them, and no vote is worth anything. So x and z are rounded to multiples of one
step, a power of two, before they are added. Their sum is then exact, and the law of the noisy input
depends on the rounded x alone, through an exact shift.

For a real vector w let F(w) be the answer of the model to w rounded to the lattice. For x on the
lattice round(x + Z) = x + round(Z), so the votes taken are votes of the smoothed F at the rounded
x, and all that is proven holds for it there. The smoothed classifier gives to every input the
answer at its nearest lattice point. That of x' is no farther from that of x than x' is from x, by
more than both inputs move when they are rounded: what x moves is measured, what x' moves is half
the diameter of a cell at the most (:class:`Rounding`).

The problem was found by Jin, J., Ohrimenko, O. and Rubinstein, B. (2022), and solved in another way
by Voracek, V. and Hein, M. (2023), Sound randomized smoothing in floating-point arithmetic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.noise._base import Noise

# Steps per sigma that are aimed at, and that are needed, as powers of two.
_WANTED, _FEWEST = 16, 10

# Inputs may be larger than those of the training data by this factor.
_ROOM = 4.0

# A draw and one of the ideal law differ by so much of the larger of its scale and its size: tables
# of samplers, logarithms and products are rounded. Hardly any size is beyond so many sigma.
_GENERATOR_ROUNDING, _LARGEST_DRAW = 2.0**-50, 30.0

# Probability that a coordinate of a draw differs by more: tabulated areas are off in their last
# bits, and draws beyond the reach of a noise are clipped to it.
_GENERATOR_FAILURE = 2.0**-39

# A part of the step that squares do not underflow for.
_SMALLEST_PART = 2.0**-200

# Numbers of inputs that are looked at together: 16 MB.
_VALUES_AT_ONCE = 2**21

# The norms that the distance of an input to the lattice is kept in.
_NORMS = (1.0, 2.0, np.inf)


@dataclass(frozen=True)
class Lattice:
    """Multiples of a step.

    Attributes
    ----------
    step : float
        A power of two.
    dtype : dtype
        Of sums: float32 or float64.
    reach : float
        Largest coordinate of a draw.
    """

    step: float
    dtype: np.dtype[Any]
    reach: float

    @classmethod
    def of(cls, noise: Noise, largest: float, n_features: int | None, dtype: Any) -> Lattice:
        """Choose the step for a noise, and for inputs as large as those of the training data.

        Parameters
        ----------
        noise : Noise
            Smoothing distribution.
        largest : float
            Largest absolute value of the training data.
        n_features : int or None
            Number of features of one input; None: not known.
        dtype : dtype
            Of the inputs; where float32 does not hold the sums, they are formed in float64.

        Raises
        ------
        ValueError
            If sigma is too small for numbers as large as these.
        """
        sigma, reach = float(noise.sigma), noise.reach(n_features)
        for kind in (np.dtype(dtype), np.dtype(np.float64)):
            step = _power_of_two(sigma * 2.0**-_WANTED)
            while step * 2.0 ** (_precision(kind) - 2) < _ROOM * largest + reach:
                step *= 2.0
            if 0 < step <= sigma * 2.0**-_FEWEST:
                return cls(step, kind, reach)
        raise ValueError(
            f"sigma={sigma:g} is too small for X with values up to {largest:g}: noise that is "
            "added to numbers as large is rounded away. Centre or scale X, or use a larger sigma."
        )

    @property
    def largest_input(self) -> float:
        """Largest absolute value of an input whose sums with noise are exact."""
        return self.step * 2.0 ** (_precision(self.dtype) - 1) - self.reach - self.step

    def rounded(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the nearest multiples of the step, in the dtype of sums."""
        nearest = np.divide(values, self.step, dtype=np.float64)
        np.rint(nearest, out=nearest)
        nearest *= self.step
        return nearest.astype(self.dtype, copy=False)

    def rounded_draws(self, draws: NDArray[np.float64]) -> NDArray[Any]:
        """Return draws as multiples of the step, none of them beyond the reach."""
        return self.rounded(np.clip(draws, -self.reach, self.reach))

    def moved(self, values: NDArray[Any], *, divided: bool = False) -> NDArray[np.float64]:
        """Return how far inputs move when they are rounded, in the norms 1, 2 and inf.

        Parameters
        ----------
        values : ndarray of shape (m, ...)
            Inputs.
        divided : bool, default=False
            Whether inputs are quotients, and so off by half a unit in the last place, as those near
            to them are.

        Returns
        -------
        distances : ndarray of shape (m, 3)
            Rounded up. The differences are exact: both numbers are multiples of the last place of
            the smaller, and no more than half a step apart.
        """
        flat, found = values.reshape(len(values), -1), np.empty((len(values), len(_NORMS)))
        at_once = max(1, _VALUES_AT_ONCE // max(1, flat.shape[1]))
        for first in range(0, len(flat), at_once):
            rows = flat[first : first + at_once]
            parts = np.abs(rows - self.rounded(rows).astype(np.float64)).astype(np.float64)
            parts /= self.step
            np.maximum(parts, _SMALLEST_PART, out=parts, where=parts > 0)
            distances = _norms(parts) * self.step
            if divided:
                distances += 2.0**-51 * _norms(rows)
            found[first : first + at_once] = distances
        return found * (1 + 2.0**-50 * (flat.shape[1] + 8))


@dataclass(frozen=True)
class Rounding:
    """What the rounding of inputs and draws takes from certificates.

    Attributes
    ----------
    step : float or None
        Step of the lattice; None: nothing was rounded, and nothing is taken.
    failure : float
        Probability, of each draw, that it and one of the ideal law are rounded to different points.
    n_features : int
        Number of features of one input.
    moved : ndarray of shape (m, 3) or None
        How far the inputs moved when they were rounded (:meth:`Lattice.moved`). None: as far as
        any may.
    """

    step: float | None
    failure: float
    n_features: int
    moved: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls,
        step: float | None,
        noise: Noise,
        n_features: int | None,
        moved: NDArray[np.float64] | None = None,
    ) -> Rounding:
        """Return what a step takes from certificates under a noise.

        A coordinate of a draw, and one of the ideal law that is coupled to it, are rounded to
        different multiples of the step only if the border between two cells is between them. They
        are apart by ``2 ** -50`` of the scale or of their own size, and the density hardly varies
        within a cell, so that this has a probability of twice that distance over the step.
        """
        if step is None:
            return cls(None, 0.0, 0)
        if n_features is None:
            raise ValueError("noise_step needs n_features: what rounding moves depends on it.")
        largest = max(float(noise.sigma), min(noise.reach(n_features), _LARGEST_DRAW * noise.sigma))
        wrong_cell = 2.0 * _GENERATOR_ROUNDING * largest / step * (1 + 2.0**-8)
        return cls(step, n_features * (wrong_cell + _GENERATOR_FAILURE), n_features, moved)

    def lower(self, p_lower: Any) -> Any:
        """Return a lower bound of a class probability under the ideal law, here and nearby."""
        return p_lower if self.step is None else np.maximum(p_lower - self._shift, 0.0)

    def upper(self, p_upper: Any) -> Any:
        """Return an upper bound of a class probability under the ideal law, here and nearby."""
        return p_upper if self.step is None else np.minimum(p_upper + self._shift, 1.0)

    def half_cell(self, norm: float) -> float:
        """Return how far any input may move when it is rounded, rounded up."""
        if self.step is None:
            return 0.0
        return float(self.step / 2 * self.n_features ** (1.0 / norm) * (1 + 1e-12))

    def shrunk(self, radius: Any, norm: float) -> Any:
        """Return radii less what the input and one within the radius move, rounded down."""
        if self.step is None:
            return radius
        half = self.half_cell(norm)
        own = half if self.moved is None else _in_norm(self.moved, norm)
        return np.maximum(np.asarray(radius) * (1 - 4e-16) - (own + half) * (1 + 1e-15), 0.0)[()]

    @property
    def _shift(self) -> float:
        # once for the draws that were made, and once for those of the input that was moved
        return 2.0 * self.failure * (1 + 1e-9)


NO_ROUNDING = Rounding(None, 0.0, 0)


def _norms(rows: NDArray[Any]) -> NDArray[np.float64]:
    return np.stack([np.linalg.norm(rows, p, axis=1) for p in _NORMS], axis=1)


def _in_norm(distances: NDArray[np.float64], p: float) -> NDArray[np.float64]:
    """Bound the lp norm of vectors by the norms that are kept: its logarithm is convex in 1 / p."""
    low, high = (0, 1) if p < 2 else (1, 2)
    part = 2.0 / p - 1.0 if p < 2 else 2.0 / p  # of the lower of the two norms
    bound = distances[:, low] ** part * distances[:, high] ** (1.0 - part)
    return np.asarray(bound * (1 + 1e-12))


def _precision(dtype: np.dtype[Any]) -> int:
    return int(np.finfo(dtype).nmant) + 1


def _power_of_two(value: float) -> float:
    """Return the largest power of two that is not above a number; 0 for 0."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(0.5, exponent) if mantissa else 0.0
