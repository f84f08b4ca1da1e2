"""The contract of a smoothing distribution."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from copy import deepcopy
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy import special
from sklearn.base import BaseEstimator

from sksmooth.arguments._numbers import (
    read_count,
    read_norm,
    read_probabilities,
)
from sksmooth.noise._radii._trade_off import TradeOff

_HARDLY_EVER = 2.0**-60

# Products near the smallest doubles are rounded by more than their relative precision.
_SMALLEST_RADIUS = 1e-290


class Noise(BaseEstimator, ABC):
    """Base class of every smoothing distribution.

    A noise is a value: it holds parameters and no state, so `get_params`, `set_params`,
    :func:`sklearn.base.clone` and ``repr`` come from scikit-learn. A subclass is final and
    defines :meth:`draw`, :meth:`trade_off` and the class attribute `norm`; :meth:`apply` too where
    the noise is not added. What a class probability proves is derived here, once for all families.

    Attributes
    ----------
    sigma : float
        Root mean square of the perturbation per feature, in the units of the input: it means
        the same for every family.
    norm : float
        Natural norm of the family: the one in which its certificate is tight (1, 2 or
        ``numpy.inf``).
    """

    norm: ClassVar[float]
    sigma: float

    @property
    def attack(self) -> str | None:
        """What a certificate covers, in words, where that is no ball of inputs; else None."""
        return None

    @property
    def radius_of(self) -> str | None:
        """What a radius is the size of, and its unit, where that is no perturbation of inputs."""
        return None

    def check_parameters(self) -> None:
        """Raise a ValueError that names the first parameter that describes no distribution."""
        if isinstance(self.sigma, bool) or not (
            isinstance(self.sigma, Real) and 0 < self.sigma < math.inf
        ):
            raise ValueError(
                f"The 'sigma' parameter of {type(self).__name__} must be a positive finite "
                f"number, in the units of X. Got {self.sigma!r} instead."
            )

    def check_k(self, n_features: int | None = None) -> float:
        """Return `k` where it describes a distribution on as many features, or say why not."""
        k: Any = getattr(self, "k", 0)
        if not (isinstance(k, Real) and 0 <= float(k) < math.inf):
            raise ValueError(
                f"The 'k' parameter of {type(self).__name__} must be a finite number, and not "
                f"negative. Got {k!r} instead."
            )
        if k and n_features is None:
            raise ValueError(f"k={k!r} needs n_features: the law of the noise depends on it.")
        if n_features is not None and not k <= n_features - 0.5:
            raise ValueError(
                f"k={k!r} of {type(self).__name__} has to be smaller than the number of features, "
                f"which is {n_features}, by one half at least: beyond, the noise is all but a "
                "point, or no distribution."
            )
        return float(k)

    def frozen(self) -> Any:
        """Return a copy whose parameters cannot be set: the noise of a certificate.

        Returns
        -------
        noise : Noise
            `clone` makes one of it that can be changed.
        """
        copied = deepcopy(self)
        copied.__dict__["_is_frozen"] = True
        return copied

    def __setattr__(self, name: str, value: Any) -> None:
        if vars(self).get("_is_frozen", False):
            raise AttributeError(
                f"This {type(self).__name__} belongs to a certificate, whose radii rest on it: "
                f"{name} cannot be set. Take sklearn.base.clone of it."
            )
        super().__setattr__(name, value)

    @abstractmethod
    def draw(
        self, n: int, shape: tuple[int, ...], rng: np.random.Generator, dtype: DTypeLike
    ) -> NDArray[Any]:
        r"""Draw noise that does not depend on any input.

        Parameters
        ----------
        n : int
            Number of independent draws.
        shape : tuple of int
            Shape of one input.
        rng : numpy.random.Generator
            Source of randomness.
        dtype : dtype
            float32 or float64.

        Returns
        -------
        draws : ndarray of shape (n, \*shape)
            Of another shape, (n, ...), where the noise is not added.
        """

    def for_inputs(self, shape: tuple[int, ...]) -> Noise:
        """Return this noise for inputs of a shape, or raise a ValueError that says why not."""
        return self

    def ranges(self, radius: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return the ranges of parameters that radii cover, of shape (m, 2), by their names."""
        return {}

    def check_inputs(self, values: NDArray[Any]) -> None:
        r"""Raise a ValueError where inputs, of shape (m, \*shape), cannot be perturbed."""

    @abstractmethod
    def trade_off(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[TradeOff, float]:
        """Return the trade-off function of this noise in a norm, and its unit of length.

        Parameters
        ----------
        n_features : int, optional
            Number of features of one input; needed only where the function depends on it.
        norm : float, optional
            Norm of the radius. By default the natural norm of the family.

        Returns
        -------
        trade_off : TradeOff
            Trade-off function of the law of unit scale and its shifted copies.
        unit : float
            Length, in the units of the input, of one unit of its radii.

        Raises
        ------
        ValueError
            If the family proves nothing in this norm or dimension.
        """

    def reach(self, n_features: int | None = None) -> float:
        """Size that hardly any coordinate of a draw exceeds; draws are clipped to it.

        Parameters
        ----------
        n_features : int, optional
            Number of features of one input. Without it, or where a family does not say more, the
            bound is that of Chebyshev, which holds for all.

        Returns
        -------
        reach : float
            In the units of the input; exceeded with a probability of ``2 ** -40`` at the most,
            and in the families here, where the number of features is given, of ``2 ** -60``.
        """
        return 2.0**20 * float(self.sigma)

    def apply(self, X: NDArray[Any], draws: NDArray[Any]) -> NDArray[Any]:
        r"""Perturb inputs by draws, with the broadcasting rules of numpy.

        Parameters
        ----------
        X : ndarray of shape (..., \*shape)
            Inputs.
        draws : ndarray of shape (..., \*shape)
            Draws of :meth:`draw`; the leading axes broadcast against those of `X`, and are as many
            where the noise is not added.

        Returns
        -------
        noisy : ndarray
            Perturbed inputs in the broadcast shape and in the dtype of `draws`: the sum, in most
            families.
        """
        return np.add(X, draws, dtype=draws.dtype, casting="same_kind")

    def radius(
        self,
        p_lower: ArrayLike,
        p_upper: ArrayLike | None = None,
        *,
        n_features: int | None = None,
        norm: float | None = None,
    ) -> Any:
        """Radius around an input within which the predicted class stays the most probable.

        Parameters
        ----------
        p_lower : float or array-like
            Lower bound of the probability of the predicted class.
        p_upper : float or array-like, optional
            Upper bound of the probability of every other class. By default ``1 - p_lower``.
        n_features : int, optional
            Number of features of one input; needed only where the radius depends on it.
        norm : float, optional
            Norm in which the radius is measured. By default the natural norm of the family.

        Returns
        -------
        radius : float or ndarray
            Never more than what the probabilities prove; 0 where they prove nothing.

        Raises
        ------
        ValueError
            If a probability lies outside [0, 1], or if the family proves nothing in this norm or
            dimension.
        """
        self.check_parameters()
        tail, runner_up = tail_and_runner_up(p_lower, p_upper)
        return self._radius(tail, runner_up, n_features, norm)

    def tail_radius(
        self,
        tail: ArrayLike,
        runner_up: ArrayLike | None = None,
        *,
        n_features: int | None = None,
        norm: float | None = None,
    ) -> Any:
        """:meth:`radius` for a class whose probability is given as one minus it.

        A tail keeps its relative precision where the probability itself would round to one.

        Parameters
        ----------
        tail : float or array-like
            Upper bound of the probability of all classes but the predicted one.
        runner_up : float or array-like, optional
            Upper bound of the probability of every single one of them. By default `tail`.
        n_features, norm : object
            As for :meth:`radius`.

        Returns
        -------
        radius : float or ndarray

        Examples
        --------
        >>> from sksmooth.noise import GaussianNoise
        >>> round(float(GaussianNoise(1.0).tail_radius(1e-100)), 3)
        21.273
        """
        self.check_parameters()
        rest = read_probabilities("tail", tail)
        most = rest if runner_up is None else read_probabilities("runner_up", runner_up)
        rest, most = np.broadcast_arrays(rest, most)
        return self._radius(rest, np.minimum(most, rest), n_features, norm)

    def _radius(
        self,
        tail: NDArray[np.float64],
        runner_up: NDArray[np.float64],
        n_features: int | None,
        norm: float | None,
    ) -> Any:
        trade_off, unit = self._trade_off(n_features, norm)
        radius = trade_off.radius(tail.ravel(), runner_up.ravel()).reshape(tail.shape)
        return scaled_down(radius, unit)[()]

    def _trade_off(self, n_features: Any, norm: Any) -> tuple[TradeOff, float]:
        """Trade-off function for arguments as a user gives them."""
        return self.trade_off(
            None if n_features is None else read_count("n_features", n_features, 1),
            None if norm is None else read_norm(norm),
        )

    def top_radius(
        self,
        p_lower: ArrayLike,
        p_others: ArrayLike,
        top_k: int,
        *,
        n_features: int | None = None,
        norm: float | None = None,
    ) -> Any:
        """Radius around an input within which a class stays among the `top_k` most probable.

        Parameters
        ----------
        p_lower : array-like of shape (...)
            Lower bounds of the probability of the class.
        p_others : array-like of shape (..., n_classes - 1)
            Upper bounds of the probabilities of all other classes, in any order. All bounds of a
            row have to hold together.
        top_k : int
            At least 1; with 1 it is :meth:`radius` for the largest of `p_others`.
        n_features : int, optional
            Number of features of one input; needed only where the radius depends on it.
        norm : float, optional
            Norm in which the radius is measured. By default the natural norm of the family.

        Returns
        -------
        radius : float or ndarray of shape (...)
            Infinite where there are fewer than `top_k` other classes.

        References
        ----------
        .. [1] Jia, J., Cao, X., Wang, B. and Gong, N. Z. (2020). Certified robustness for top-k
           predictions against adversarial perturbations via randomized smoothing. ICLR 2020,
           Theorem 1.

        Examples
        --------
        >>> from sksmooth.noise import GaussianNoise
        >>> round(float(GaussianNoise(1.0).top_radius(0.3, [0.4, 0.2, 0.1], top_k=3)), 4)
        0.3786
        """
        self.check_parameters()
        top_k = read_count("top_k", top_k, 1)
        tail, _ = tail_and_runner_up(p_lower, None)
        trade_off, unit = self._trade_off(n_features, norm)
        joint = strongest_together(p_others, top_k, tail)
        if joint is None:
            return np.full(tail.shape, np.inf)[()]
        radius = trade_off.top_radius(tail.ravel(), joint.reshape(tail.size, top_k))
        return scaled_down(radius.reshape(tail.shape), unit)[()]

    def __repr__(self) -> str:
        parameters = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({parameters})"

    def perturb(self, X: NDArray[Any], draws: NDArray[Any]) -> NDArray[Any]:
        r"""Perturb every input by every draw.

        Parameters
        ----------
        X : ndarray of shape (m, \*shape)
            Inputs.
        draws : ndarray of shape (n, \*shape)
            Draws of :meth:`draw`, shared by all inputs.

        Returns
        -------
        noisy : ndarray of shape (m, n, \*shape)
        """
        return self.apply(X[:, None], draws[None])


def tail_of(name: str, p_lower: ArrayLike) -> NDArray[np.float64]:
    """Return one minus a probability: exact for a double in [1/2, 1], below it rounded up."""
    lower = read_probabilities(name, p_lower)
    tail = 1.0 - lower
    return np.where(lower < 0.5, np.minimum(np.nextafter(tail, 2.0), 1.0), tail)


def tail_and_runner_up(
    p_lower: ArrayLike, p_upper: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one minus the probability of a class, and the largest probability of any other.

    All probabilities sum to one, so no other class can have more than the tail.
    """
    tail = tail_of("p_lower", p_lower)
    if p_upper is None:
        return tail, tail
    upper = read_probabilities("p_upper", p_upper)
    try:
        tail, upper = np.broadcast_arrays(tail, upper)
    except ValueError:
        raise ValueError(
            f"p_lower has shape {tail.shape} and p_upper {upper.shape}: they must go together."
        ) from None
    return tail, np.minimum(upper, tail)


def strongest_together(
    p_others: ArrayLike, top_k: int, tail: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Bound the joint probabilities of the weakest 1, 2, ... of the strongest `top_k` others.

    None: there are fewer than `top_k` other classes. All probabilities sum to one, so none of the
    bounds is above the tail.
    """
    others = np.sort(read_probabilities("p_others", p_others), axis=-1)
    if others.shape[-1] < top_k:
        return None
    joint = np.cumsum(others[..., others.shape[-1] - top_k :], axis=-1) * (1.0 + 1e-15 * top_k)
    return np.minimum(joint, tail[..., None])


def scaled_down(radius: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """Radius in the units of the input, rounded down."""
    scaled: NDArray[np.float64] = radius * (unit * (1.0 - 4e-16))
    return np.where(scaled < _SMALLEST_RADIUS, 0.0, scaled)


def with_directions(flat: NDArray[Any], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give draws of size 0 a direction, in place, and return the sizes of all.

    Single precision rounds a coordinate to 0 once in millions; where it is the only one, nothing
    is left to scale.
    """
    lost = sizes == 0
    if not lost.any():
        return sizes
    flat[lost] = 0.0
    flat[lost, 0] = 1.0
    return np.where(lost, 1.0, sizes)


def is_added(noise: Noise) -> bool:
    """Whether a noise is added to inputs; splitting noise replaces them."""
    return type(noise).apply is Noise.apply


def rounded_up(value: float, dtype: np.dtype[Any]) -> Any:
    """Return the smallest number of a dtype that is not below the value.

    Noise a little wider than stated is on the safe side.
    """
    rounded = np.asarray(value, dtype=dtype)
    if float(rounded) >= float(value):
        return rounded
    return np.nextafter(rounded, np.asarray(np.inf, dtype=dtype))


def largest_gamma(shape: float) -> float:
    """Quantile of a gamma variable of unit scale, which is exceeded hardly ever; rounded up."""
    return float(special.gammainccinv(shape, _HARDLY_EVER)) * (1 + 1e-9)


def largest_length(n_dimensions: float) -> float:
    """Quantile of the length of a normal vector, which is exceeded hardly ever; rounded up."""
    return math.sqrt(2.0 * largest_gamma(n_dimensions / 2))


def inscribed_ball(inner: float, outer: float, n_features: int | None) -> float:
    """Radius of the largest lp ball (`inner`) inside the unit ball of the norm `outer`.

    Raises
    ------
    ValueError
        If `inner` is no norm, or `n_features` is missing where it matters.
    """
    if not inner >= 1:
        raise ValueError(f"norm must be a number p in [1, inf], got {inner!r}.")
    if inner <= outer:
        return 1.0
    if n_features is None:
        raise ValueError(f"norm={inner!r} needs n_features: the l{outer:g} ball is converted.")
    return float(n_features ** (1.0 / inner - 1.0 / outer)) * (1.0 - 1e-14)
