"""The contract of a smoothing distribution."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.base import BaseEstimator

from sksmooth.noise._radii._trade_off import Overlap


class Noise(BaseEstimator, ABC):
    """Base class of every smoothing distribution.

    A noise is a value: it holds parameters and no state, so `get_params`, `set_params`,
    :func:`sklearn.base.clone` and ``repr`` come from scikit-learn. A subclass is final and
    defines :meth:`draw`, :meth:`overlap` and the class attribute `norm`; :meth:`apply` too where
    the noise is not added. What a vote share proves is derived here, once for all families.

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

    def check_parameters(self) -> None:
        """Raise a ValueError that names the first parameter that describes no distribution."""
        if not (isinstance(self.sigma, Real) and 0 < self.sigma < math.inf):
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
        """

    @abstractmethod
    def overlap(
        self, n_features: int | None = None, norm: float | None = None
    ) -> tuple[Overlap, float]:
        """Return what the law of this noise proves in a norm, and its unit of length.

        Parameters
        ----------
        n_features : int, optional
            Number of features of one input; needed only where the overlap depends on it.
        norm : float, optional
            Norm of the radius. By default the natural norm of the family.

        Returns
        -------
        overlap : Overlap
            Overlap of the law of unit scale with its shifted copies.
        unit : float
            Length, in the units of the input, of one unit of its radii.

        Raises
        ------
        ValueError
            If the family proves nothing in this norm or dimension.
        """

    def apply(self, X: NDArray[Any], draws: NDArray[Any]) -> NDArray[Any]:
        r"""Perturb inputs by draws, with the broadcasting rules of numpy.

        Parameters
        ----------
        X : ndarray of shape (..., \*shape)
            Inputs.
        draws : ndarray of shape (..., \*shape)
            Draws of :meth:`draw`; the leading axes broadcast against those of `X`.

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
        """Radius around an input within which the majority vote cannot change.

        Parameters
        ----------
        p_lower : float or array-like
            Lower bound of the vote share of the winning class.
        p_upper : float or array-like, optional
            Upper bound of the vote share of every other class. By default ``1 - p_lower``.
        n_features : int, optional
            Number of features of one input; needed only where the radius depends on it.
        norm : float, optional
            Norm in which the radius is measured. By default the natural norm of the family.

        Returns
        -------
        radius : float or ndarray
            Never more than what the shares prove; 0 where they prove nothing.

        Raises
        ------
        ValueError
            If a share lies outside [0, 1], or if the family proves nothing in this norm or
            dimension.
        """
        self.check_parameters()
        missing, rival = _check_shares(p_lower, p_upper)
        overlap, unit = self.overlap(n_features, norm)
        radius = overlap.radius(missing.ravel(), rival.ravel()).reshape(missing.shape)
        return _scaled(radius, unit)[()]

    def top_radius(
        self,
        p_lower: ArrayLike,
        p_others: ArrayLike,
        top_k: int,
        *,
        n_features: int | None = None,
        norm: float | None = None,
    ) -> Any:
        """Radius around an input within which a class stays among the `top_k` with most votes.

        Parameters
        ----------
        p_lower : array-like of shape (...)
            Lower bounds of the vote share of the class.
        p_others : array-like of shape (..., n_classes - 1)
            Upper bounds of the vote shares of all other classes, in any order. All bounds of a
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
        missing, _ = _check_shares(p_lower, None)
        others = np.sort(_as_shares("p_others", p_others), axis=-1)
        overlap, unit = self.overlap(n_features, norm)
        if others.shape[-1] < top_k:
            return np.full(missing.shape, np.inf)[()]
        joint = np.cumsum(others[..., others.shape[-1] - top_k :], axis=-1) * (1.0 + 1e-15 * top_k)
        joint = np.minimum(joint, missing[..., None])  # the shares of all classes sum to one
        radius = overlap.top_radius(missing.ravel(), joint.reshape(missing.size, top_k))
        return _scaled(radius.reshape(missing.shape), unit)[()]

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


def _as_shares(name: str, values: ArrayLike) -> NDArray[np.float64]:
    shares = np.asarray(values, dtype=float)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"{name} must lie in [0, 1], got {shares}.")
    return shares


def _check_shares(
    p_lower: ArrayLike, p_upper: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the winner lacks to a share of one, and the largest share of any other class.

    One minus a double in [1/2, 1] is exact; below it is rounded up. The shares of all classes sum
    to one, so no other class can have more than what the winner lacks.
    """
    lower = _as_shares("p_lower", p_lower)
    missing = 1.0 - lower
    missing = np.where(lower < 0.5, np.minimum(np.nextafter(missing, 2.0), 1.0), missing)
    if p_upper is None:
        return missing, missing
    missing, upper = np.broadcast_arrays(missing, _as_shares("p_upper", p_upper))
    return missing, np.minimum(upper, missing)


def _scaled(radius: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """Radius in the units of the input, rounded down."""
    scaled: NDArray[np.float64] = radius * (unit * (1.0 - 4e-16))
    return scaled


def rounded_up(value: float, dtype: np.dtype[Any]) -> Any:
    """Return the smallest number of a dtype that is not below the value.

    Noise a little wider than stated is on the safe side.
    """
    rounded = np.asarray(value, dtype=dtype)
    if float(rounded) >= float(value):
        return rounded
    return np.nextafter(rounded, np.asarray(np.inf, dtype=dtype))


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
