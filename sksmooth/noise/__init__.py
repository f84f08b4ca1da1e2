"""Smoothing distributions: how each perturbs an input, and what a vote share then proves."""

from sksmooth.noise._base import Noise
from sksmooth.noise._gaussian import GaussianNoise

__all__ = ["GaussianNoise", "Noise"]
