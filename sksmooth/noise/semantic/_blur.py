"""Blur by the heat semigroup of the pixels, whose variances add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from scipy import fft

from sksmooth.noise._base import Noise
from sksmooth.noise.semantic._axes import SpatialNoise, along
from sksmooth.noise.semantic._base import Array, across
from sksmooth.noise.semantic._laws import ONE_SIDED

BOUNDARIES = ("reflect", "wrap")


class Blur(SpatialNoise):
    """Blur every input by a kernel of random variance.

    The kernel is the discrete analogue of the Gaussian (Lindeberg 1990): heat that spreads from
    pixel to pixel for a time v. Its variance is v, it is not negative, and blurring by v and then
    by w is blurring by ``v + w``, exactly. Votes then prove up to which further blur the prediction
    is the same. Sharpening is not covered.

    Parameters
    ----------
    sigma : float, default=1.0
        Mean of the variance v, in squared pixels.
    law : {"exponential", "half-normal", "uniform"}, default="exponential"
        Law of v, which is positive; "uniform": from 0 to ``2 * sigma``.
    boundary : {"reflect", "wrap"}, default="reflect"
        What is beyond the border: the image mirrored, or again from the other side.
    image_shape : tuple of int, default=None
        Shape of the image or series in each row, where rows are flat. None: that of the rows.
    axes : sequence of int, default=None
        Axes of it that are blurred. None: all, except for one of channels (up to 4, first or last
        of three). For series of several channels, ``axes=(-1,)``.
    pixel_sigma, tolerance : float, float or "8bit"
        As for :class:`Brightness`: noise of the pixels, and the change of them that is covered.

    Attributes
    ----------
    norm : float
        There is one parameter, so that all norms are its size.

    Notes
    -----
    The attacked input is blurred by this kernel. Filters with sampled and truncated Gaussian
    kernels, as of ``scipy.ndimage.gaussian_filter``, compose only nearly, and are other attacks:
    `tolerance` has to cover the difference.

    References
    ----------
    .. [1] Lindeberg, T. (1990). Scale-space for discrete signals. IEEE Transactions on Pattern
       Analysis and Machine Intelligence 12(3).
    .. [2] Li, L. et al. (2021). TSS: transformation-specific smoothing for robustness
       certification. CCS 2021.

    Examples
    --------
    >>> from sksmooth.noise import Blur
    >>> round(float(Blur(sigma=2.0).radius(0.99)), 3)
    7.824
    >>> Blur().transform([[0.0, 0.0, 1.0, 0.0, 0.0]], parameter=0.5).round(3)
    array([[0.021, 0.157, 0.645, 0.157, 0.021]])
    """

    parameter: ClassVar[str] = "variance"
    unit: ClassVar[str] = "squared pixels"
    laws: ClassVar[Mapping[str, type[Noise]]] = ONE_SIDED

    def __init__(
        self,
        sigma: float = 1.0,
        law: str = "exponential",
        boundary: str = "reflect",
        image_shape: Sequence[int] | None = None,
        axes: Sequence[int] | None = None,
        pixel_sigma: float | None = None,
        tolerance: float | str = 0.0,
    ) -> None:
        self.sigma = sigma
        self.law = law
        self.boundary = boundary
        self.image_shape = image_shape
        self.axes = axes
        self.pixel_sigma = pixel_sigma
        self.tolerance = tolerance

    def check_parameters(self) -> None:
        """Raise a ValueError that names the first parameter that describes no distribution."""
        super().check_parameters()
        if self.boundary not in BOUNDARIES:
            raise ValueError(
                f"The 'boundary' parameter of Blur must be one of {', '.join(BOUNDARIES)}. Got "
                f"{self.boundary!r} instead."
            )

    def _moved(self, images: Array, parameters: Array, axes: tuple[int, ...]) -> Array:
        if (parameters < 0).any():
            raise ValueError("Blur has variances from 0 on: sharpening by a negative one is none.")
        rates = self._rates(images.shape, axes)
        variance = across(parameters, images.ndim - parameters.ndim + 1)
        with np.errstate(under="ignore"):
            kept = np.exp(-variance * rates)
            if self.boundary == "reflect":
                waves = fft.dctn(images, axes=axes, norm="ortho")
                return np.asarray(fft.idctn(waves * kept, axes=axes, norm="ortho"))
            lengths = [images.shape[axis] for axis in axes]
            waves = fft.rfftn(images, axes=axes)
            return np.asarray(fft.irfftn(waves * kept, s=lengths, axes=axes))

    def _rates(self, shape: tuple[int, ...], axes: tuple[int, ...]) -> Array:
        """Rate at which each wave decays, for arrays of a shape that are transformed along axes."""
        rates = np.zeros((1,) * len(shape))
        for axis in axes:
            n = shape[axis]
            if self.boundary == "reflect":
                angles = np.pi * np.arange(n) / n
            else:  # the last axis holds half of the waves: the others follow from them
                angles = 2 * np.pi * np.arange(n // 2 + 1 if axis == axes[-1] else n) / n
            rates = rates + along(2.0 * np.sin(angles / 2) ** 2, axis, len(shape))
        return rates

    @property
    def _formula(self) -> str:
        return (
            f"x blurred by the heat kernel of variance a ({self.boundary} at the border)"
            f"{self._along}"
        )
