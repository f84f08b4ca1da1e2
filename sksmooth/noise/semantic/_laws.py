"""Laws of the parameter of a transformation, by name."""

from __future__ import annotations

from sksmooth.noise._base import Noise
from sksmooth.noise._gaussian import GaussianNoise
from sksmooth.noise._laplace import LaplaceNoise
from sksmooth.noise._uniform import UniformNoise
from sksmooth.noise.semantic._one_sided import (
    ExponentialLaw,
    HalfNormalLaw,
    OneSidedLaw,
    PositiveUniformLaw,
)

# Of parameters that go either way, by their root mean square; then of those that only grow.
TWO_SIDED: dict[str, type[Noise]] = {
    "gaussian": GaussianNoise,
    "laplace": LaplaceNoise,
    "uniform": UniformNoise,
}
ONE_SIDED: dict[str, type[Noise]] = {
    "exponential": ExponentialLaw,
    "half-normal": HalfNormalLaw,
    "uniform": PositiveUniformLaw,
}

# What a parameter that may go either way can bear.
EITHER_WAY = {**ONE_SIDED, **TWO_SIDED}


def is_one_sided(law: Noise) -> bool:
    """Whether a law is one of parameters that only grow."""
    return isinstance(law, OneSidedLaw)
