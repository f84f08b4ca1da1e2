"""Noise on the parameter of a transformation: what votes prove about brightness, blur or shift."""

from sksmooth.noise.semantic._blur import Blur
from sksmooth.noise.semantic._brightness import Brightness
from sksmooth.noise.semantic._brightness_contrast import BrightnessContrast
from sksmooth.noise.semantic._contrast import Contrast
from sksmooth.noise.semantic._gamma import Gamma
from sksmooth.noise.semantic._shift import Shift

__all__ = ["Blur", "Brightness", "BrightnessContrast", "Contrast", "Gamma", "Shift"]
