"""Noise on categorical columns, alone and together with noise on numbers."""

from sksmooth.noise._categories._noise import CategoryNoise

__all__ = ["CategoryNoise"]
