"""Noise from a name and parameters, as the estimators take it."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from sksmooth.noise._base import Noise
from sksmooth.noise._categories import CategoryNoise
from sksmooth.noise._gaussian import GaussianNoise
from sksmooth.noise._laplace import LaplaceNoise
from sksmooth.noise._mixed_norm import MixedNormNoise
from sksmooth.noise._splitting import SplittingNoise
from sksmooth.noise._uniform import UniformNoise

FAMILIES: dict[str, Any] = {
    "gaussian": GaussianNoise,
    "laplace": LaplaceNoise,
    "splitting": SplittingNoise,
    "uniform": UniformNoise,
}

# What `sigma` and `k` are where the user says nothing.
DEFAULTS = {"sigma": 0.25, "k": 0}


def make_noise(
    noise: str | Noise, *, sigma: float = 0.25, k: float = 0, norm: float | None = None
) -> Noise:
    """Return the distribution that a name and parameters stand for.

    Parameters
    ----------
    noise : {"gaussian", "laplace", "uniform", "splitting"} or Noise
        A name takes its scale from `sigma` and its shape from `k`; an object brings its own
        parameters, and is copied.
    sigma : float, default=0.25
        Root mean square of the noise per feature, in the units of X.
    k : float, default=0
        How much denser the centre is.
    norm : float, default=None
        Norm of the radius: "gaussian" with ``k > 0`` and the norm ``numpy.inf`` is
        :class:`MixedNormNoise`.

    Returns
    -------
    noise : Noise

    Raises
    ------
    ValueError
        If an object comes with a `sigma` or `k` that differs from its own, if it describes no
        distribution, or if `k` has no meaning for the family.
    """
    if isinstance(noise, Noise):
        for name, value in (("sigma", sigma), ("k", k)):
            if value not in (DEFAULTS[name], getattr(noise, name, 0)):
                raise ValueError(
                    f"{name}={value!r} has no effect: noise={noise!r} brings its "
                    f"own parameters. Set noise__{name} instead."
                )
        noise.check_parameters()
        copied: Noise = clone(noise)
        return copied
    if isinstance(noise, CategoryNoise):
        raise ValueError(
            f"noise={noise!r} is for categorical columns: pass categorical={noise!r} instead, and "
            "leave noise, which is added to the numbers, at a name."
        )
    if noise not in FAMILIES:
        raise ValueError(
            "The 'noise' parameter must be an object of sksmooth.noise or one of "
            f"{', '.join(sorted(FAMILIES))}; got {noise!r}."
        )
    family = FAMILIES[noise]
    if k and "k" not in family().get_params():
        raise ValueError(
            f"k={k!r} has no meaning for noise={noise!r}. Leave it at 0, or use "
            "noise='gaussian' or 'laplace'."
        )
    if k and family is GaussianNoise and norm == np.inf:
        family = MixedNormNoise
    made: Noise = family(sigma=sigma, k=k) if k else family(sigma=sigma)
    made.check_parameters()
    return made
