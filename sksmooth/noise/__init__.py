"""Smoothing distributions: how each perturbs an input, and what a class probability then proves."""

from sksmooth.noise._ablation import AblationNoise
from sksmooth.noise._base import Noise
from sksmooth.noise._categories import CategoryNoise
from sksmooth.noise._gaussian import GaussianNoise
from sksmooth.noise._laplace import LaplaceNoise
from sksmooth.noise._make import make_noise
from sksmooth.noise._mixed_norm import MixedNormNoise
from sksmooth.noise._splitting import SplittingNoise
from sksmooth.noise._sup_norm import SupNormNoise
from sksmooth.noise._uniform import UniformNoise
from sksmooth.noise.semantic import (
    Blur,
    Brightness,
    BrightnessContrast,
    Contrast,
    Gamma,
    Shift,
)

__all__ = [
    "AblationNoise",
    "Blur",
    "Brightness",
    "BrightnessContrast",
    "CategoryNoise",
    "Contrast",
    "Gamma",
    "GaussianNoise",
    "LaplaceNoise",
    "MixedNormNoise",
    "Noise",
    "Shift",
    "SplittingNoise",
    "SupNormNoise",
    "UniformNoise",
    "make_noise",
]
