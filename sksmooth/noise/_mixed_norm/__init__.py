"""Noise that is denser in the l-infinity norm and Gaussian in its tail."""

from sksmooth.noise._mixed_norm._mixed_norm import MixedNormNoise

__all__ = ["MixedNormNoise"]
