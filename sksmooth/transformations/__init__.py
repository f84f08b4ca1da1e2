"""Transformations of images with one parameter, and filters that make them certify further."""

from sksmooth.transformations._base import Transformation
from sksmooth.transformations._filters import ImageFilter, LowPass, Vignette
from sksmooth.transformations._rotation import Rotation
from sksmooth.transformations._shear import Shear
from sksmooth.transformations._translation import Translation
from sksmooth.transformations._zoom import Zoom

__all__ = [
    "ImageFilter",
    "LowPass",
    "Rotation",
    "Shear",
    "Transformation",
    "Translation",
    "Vignette",
    "Zoom",
]
