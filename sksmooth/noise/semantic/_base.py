"""The contract of noise on the parameter of a transformation."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.utils.metadata_routing import UNUSED

from sksmooth.arguments._numbers import read_number, read_numbers
from sksmooth.noise._base import Noise
from sksmooth.noise._radii._trade_off import TradeOff
from sksmooth.noise.semantic._laws import EITHER_WAY, is_one_sided

Array = NDArray[np.float64]


class SemanticNoise(Noise):
    """Base class of the noise that transforms inputs by a random parameter.

    The transformations T compose exactly: ``T_b(T_a(x)) = T_{a+b}(x)``. So noise of the parameter
    hides a change of it as noise of an input hides a change of that, and votes on ``T_b(x)`` prove
    for which a the answer for ``T_a(x)`` is the same (Fischer, Baader and Vechev 2020; Li et al.
    2021). A subclass is final and defines :meth:`transform` and the words for what it does.

    Attributes
    ----------
    sigma : float
        Root mean square of the parameter; the mean of a law that is positive.
    law : str
        Name of the law of the parameter.
    """

    norm: ClassVar[float] = 2
    law: str

    # `transform` takes a parameter, and is no step of a Pipeline that is passed one.
    __metadata_request__transform: ClassVar[dict[str, str]] = {"parameter": UNUSED}

    # Name of the parameter, its unit, and the laws that it may have.
    parameter: ClassVar[str]
    unit: ClassVar[str]
    laws: ClassVar[Mapping[str, type[Noise]]] = EITHER_WAY

    def check_parameters(self) -> None:
        """Raise a ValueError that names the first parameter that describes no distribution."""
        super().check_parameters()
        if not (isinstance(self.law, str) and self.law in self.laws):
            raise ValueError(
                f"The 'law' parameter of {type(self).__name__} must be one of "
                f"{', '.join(sorted(self.laws))}. Got {self.law!r} instead."
            )

    @property
    def parameter_law(self) -> Noise:
        """Law of each parameter, as a noise."""
        return self.laws[self.law](sigma=self.sigma)

    @property
    def one_sided(self) -> bool:
        """Whether only parameters from 0 on are drawn, and covered."""
        return is_one_sided(self.parameter_law)

    def n_parameters(self, shape: tuple[int, ...] | None = None) -> int:
        """Return the number of parameters for inputs of a shape."""
        return 1

    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        """Draw parameters; see :meth:`Noise.draw`.

        Returns
        -------
        draws : ndarray of shape (n, n_parameters)
        """
        self.check_parameters()
        parameters = self.parameter_law.draw(n, (self.n_parameters(shape),), rng, np.float64)
        return parameters.astype(dtype, copy=False)

    def apply(self, X: NDArray[Any], draws: NDArray[Any]) -> NDArray[Any]:
        """Transform inputs by drawn parameters; see :meth:`Noise.apply`."""
        transformed = self._transformed(np.asarray(X, np.float64), draws.astype(np.float64))
        return transformed.astype(draws.dtype, copy=False)

    @abstractmethod
    def _transformed(self, X: Array, parameters: Array) -> Array:
        """Transform inputs of shape (..., *shape) by parameters of shape (..., n_parameters)."""

    def transform(self, X: ArrayLike, parameter: ArrayLike) -> Array:
        r"""Transform inputs by given parameters: the attacks that a certificate is about.

        Parameters
        ----------
        X : array-like of shape (m, \*shape)
            Inputs.
        parameter : float, or array-like of shape (m,) or (m, n_parameters)
            In the unit of `sigma`.

        Returns
        -------
        transformed : ndarray of shape (m, \*shape)
            In double precision, neither clipped nor rounded.
        """
        self.check_parameters()
        rows = read_numbers("X", X)
        self.check_inputs(rows)
        given = read_numbers("parameter", parameter)
        n_parameters = self.n_parameters(rows.shape[1:])
        try:
            given = given if given.ndim > 1 else given[..., None]
            each = np.broadcast_to(given, (len(rows), n_parameters))
        except ValueError:
            raise ValueError(
                f"parameter must be a number, one number for each of {len(rows)} rows, or an array "
                f"of shape ({len(rows)}, {n_parameters}); got shape {np.shape(parameter)}."
            ) from None
        return self._transformed(rows, each)

    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Trade-off function of the law of the parameter; see :meth:`Noise.trade_off`.

        Parameters
        ----------
        n_features : int, optional
            Number of features of one input; not that of the parameters.
        norm : float, optional
            Norm of several parameters; with one, all norms are its size.
        """
        if norm is not None and not read_number("norm", norm) >= 1:
            raise ValueError(f"norm must be a number p in [1, inf], got {norm!r}.")
        return self.of_parameters(norm)

    def of_parameters(self, norm: float | None) -> tuple[TradeOff, float]:
        """Trade-off function of the law of the parameters, and its unit, in a norm of them."""
        return self.parameter_law.trade_off(1)

    def reach(self, n_features: int | None = None) -> float:
        """Size that hardly any parameter exceeds; see :meth:`Noise.reach`."""
        return self.parameter_law.reach(1)

    @property
    def radius_of(self) -> str:
        """What a radius is the size of, and its unit."""
        return f"{self.parameter}, {self.unit}"

    @property
    def attack(self) -> str:
        """What a certificate covers, in words."""
        return (
            f"{self._formula} for {self._bounds} (a: {self.radius_of}); the attacked input is "
            f"neither clipped nor rounded{self._exceptions}"
        )

    @property
    def _bounds(self) -> str:
        """Which parameters are covered."""
        return "0 <= a <= radius" if self.one_sided else "|a| <= radius"

    @property
    @abstractmethod
    def _formula(self) -> str:
        """What becomes of x at the parameter a."""

    @property
    def _exceptions(self) -> str:
        """What the statement leaves open, after a comma or semicolon."""
        return ", and computed without error"

    def ranges(self, radius: NDArray[np.float64]) -> dict[str, Array]:
        """Return the ranges of parameters that radii cover, by the names of the parameters.

        Parameters
        ----------
        radius : ndarray of shape (m,)
            Radii.

        Returns
        -------
        ranges : dict of str to ndarray of shape (m, 2)
            Lower and upper end.
        """
        low = np.zeros_like(radius) if self.one_sided else -radius
        return {self.parameter.replace(" ", "_"): np.stack([low, radius], axis=-1)}


def exponentials(ranges: Array) -> Array:
    """Return ranges of factors, rounded inwards, from those of their logarithms."""
    with np.errstate(over="ignore"):
        factors = np.exp(ranges)
    return np.asarray(factors * np.array([1.0 + 1e-15, 1.0 - 1e-15]))


def across(parameters: Array, n_axes: int) -> Array:
    """Return one parameter per input, of shape (..., 1), with axes to broadcast over an input."""
    return parameters.reshape(*parameters.shape[:-1], *(1,) * n_axes)
