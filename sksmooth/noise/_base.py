"""The contract of a smoothing distribution."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.base import BaseEstimator


class Noise(BaseEstimator, ABC):
    """Base class of every smoothing distribution.

    A noise is a value: it holds parameters and no state, so `get_params`, `set_params`,
    :func:`sklearn.base.clone` and ``repr`` come from scikit-learn. A subclass is final and
    defines :meth:`draw`, :meth:`apply`, :meth:`radius` and the class attribute `norm`.

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
            Perturbed inputs in the broadcast shape and in the dtype of `draws`.
        """

    @abstractmethod
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
        """

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


def check_shares(p_lower: ArrayLike, p_upper: ArrayLike | None) -> tuple[Any, Any]:
    """Return the bounds of the vote shares as arrays, where they are shares.

    Returns
    -------
    p_lower, p_upper : ndarray
        With `p_upper` defaulting to ``1 - p_lower`` and never above it: the shares of all
        classes sum to one. One minus a double in [1/2, 1] is exact, so nothing is lost here.
    """
    lower = np.asarray(p_lower, dtype=float)
    upper = 1.0 - lower if p_upper is None else np.asarray(p_upper, dtype=float)
    for name, share in (("p_lower", lower), ("p_upper", upper)):
        if not ((share >= 0) & (share <= 1)).all():
            raise ValueError(f"{name} must lie in [0, 1], got {share}.")
    return lower, np.minimum(upper, 1.0 - lower)
