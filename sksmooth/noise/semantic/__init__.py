"""Noise on the parameter of a transformation: what votes prove about brightness, blur or shift."""

from sksmooth.noise.semantic._brightness import Brightness
from sksmooth.noise.semantic._contrast import Contrast

__all__ = ["Brightness", "Contrast"]
