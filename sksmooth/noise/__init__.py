"""Smoothing distributions: how each perturbs an input, and what a vote share then proves."""

from sksmooth.noise._base import Noise
from sksmooth.noise._gaussian import GaussianNoise
from sksmooth.noise._laplace import LaplaceNoise
from sksmooth.noise._splitting import SplittingNoise
from sksmooth.noise._uniform import UniformNoise

__all__ = ["GaussianNoise", "LaplaceNoise", "Noise", "SplittingNoise", "UniformNoise"]
