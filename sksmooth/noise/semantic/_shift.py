"""Shifts by any number of pixels, by the Fourier transform, which compose on odd sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sksmooth.noise._base import Noise
from sksmooth.noise._images import read_axes, read_shape
from sksmooth.noise._radii._trade_off import TradeOff
from sksmooth.noise.semantic._axes import SpatialNoise, along
from sksmooth.noise.semantic._base import Array, across
from sksmooth.noise.semantic._laws import TWO_SIDED


class Shift(SpatialNoise):
    """Move every input around a circle, by a random number of pixels or samples.

    What leaves on one side comes in on the other. Shifts by parts of a pixel interpolate by the
    Fourier transform, so that a shift by s and then by t is one by ``s + t``, exactly. Votes then
    prove for which shifts the prediction is the same.

    Parameters
    ----------
    sigma : float, default=1.0
        Root mean square of the shift along each axis, in pixels.
    law : {"gaussian", "uniform", "laplace"}, default="gaussian"
        Law of the shift along each axis.
    image_shape : tuple of int, default=None
        Shape of the image or series in each row, where rows are flat. None: that of the rows.
    axes : sequence of int, default=None
        Axes of it that are shifted along. None: all, except for one of channels (up to 4, first or
        last of three). For series of several channels, ``axes=(-1,)``.
    pixel_sigma, tolerance : float, float or "8bit"
        As for :class:`Brightness`: noise of the pixels, and the change of them that is covered.

    Attributes
    ----------
    norm : float
        Norm of shifts along several axes: 2 for "gaussian", 1 for the others.

    Notes
    -----
    Axes that are shifted along need odd lengths: on an even one the wave that changes sign at every
    pixel cannot be shifted by parts of one, and shifts do not compose. Append a row of zeros to X
    there; the attack is then a shift of the larger image.

    Shifts by parts of a pixel ring at edges, by up to a tenth of a step. For shifts by whole
    pixels, :func:`sksmooth.certify_translation` needs no noise.

    Examples
    --------
    >>> from sksmooth.noise import Shift
    >>> Shift().transform([[0.0, 1.0, 2.0, 4.0, 8.0]], parameter=1.0).round(6) + 0.0
    array([[8., 0., 1., 2., 4.]])
    >>> round(float(Shift(sigma=2.0).radius(0.99)), 3)
    4.653
    """

    parameter: ClassVar[str] = "shift"
    unit: ClassVar[str] = "pixels"
    laws: ClassVar[Mapping[str, type[Noise]]] = TWO_SIDED

    def __init__(
        self,
        sigma: float = 1.0,
        law: str = "gaussian",
        image_shape: Sequence[int] | None = None,
        axes: Sequence[int] | None = None,
        pixel_sigma: float | None = None,
        tolerance: float | str = 0.0,
    ) -> None:
        self.sigma = sigma
        self.law = law
        self.image_shape = image_shape
        self.axes = axes
        self.pixel_sigma = pixel_sigma
        self.tolerance = tolerance

    def check_parameters(self) -> None:
        """Raise a ValueError that names the first parameter that describes no distribution."""
        super().check_parameters()
        if self.image_shape is not None:
            self._refuse_even_lengths(read_shape(self.image_shape))

    def check_inputs(self, values: NDArray[Any]) -> None:
        """Refuse inputs of other shapes, or of even lengths; see :meth:`Noise.check_inputs`."""
        super().check_inputs(values)
        self._refuse_even_lengths(self.shape_of(values.shape[1:]))

    def _refuse_even_lengths(self, shape: tuple[int, ...]) -> None:
        even = [axis for axis in read_axes(self.axes, shape) if shape[axis] % 2 == 0]
        if even:
            raise ValueError(
                f"Shift needs odd lengths, and inputs of shape {shape} have {shape[even[0]]} along "
                f"axis {even[0]}: shifts by parts of a pixel do not compose there. Append one row "
                "of zeros along it (numpy.pad), which is then shifted, too."
            )

    @property
    def norm(self) -> float:  # type: ignore[override]
        """Norm of shifts along several axes."""
        return self.parameter_law.norm

    def n_parameters(self, shape: tuple[int, ...] | None = None) -> int:
        """Return the number of axes that inputs of a shape are shifted along."""
        if self.image_shape is None and shape is None:
            raise ValueError("Shift needs image_shape: the number of axes depends on it.")
        return len(self.axes_of(() if shape is None else shape))

    def of_parameters(self, norm: float | None) -> tuple[TradeOff, float]:
        """Trade-off function of the shifts; see :meth:`SemanticNoise.of_parameters`."""
        n_axes = None if norm in (None, self.norm) else self.n_parameters()
        if n_axes == 1:
            return super().of_parameters(norm)
        return self.parameter_law.trade_off(n_axes, norm)

    def _moved(self, images: Array, parameters: Array, axes: tuple[int, ...]) -> Array:
        lengths = [images.shape[axis] for axis in axes]
        waves = fft.rfftn(images, axes=axes)
        n_axes = images.ndim
        for j, (axis, n) in enumerate(zip(axes, lengths, strict=True)):
            numbers = fft.rfftfreq(n, 1 / n) if axis == axes[-1] else fft.fftfreq(n, 1 / n)
            turns = across(np.fmod(parameters[..., j : j + 1], n) / n, n_axes - parameters.ndim + 1)
            waves = waves * np.exp(-2j * np.pi * turns * along(numbers, axis, n_axes))
        return np.asarray(fft.irfftn(waves, s=lengths, axes=axes))

    @property
    def _formula(self) -> str:
        return f"x shifted by a around a circle (Fourier transform){self._along}"

    @property
    def _bounds(self) -> str:
        several = self.image_shape is None or self.n_parameters() > 1
        return f"|a|_{self.norm:g} <= radius" if several else super()._bounds

    def ranges(self, radius: NDArray[np.float64]) -> dict[str, Array]:
        """Range of the shift, or of the size of several; see :meth:`SemanticNoise.ranges`."""
        if self.image_shape is not None and self.n_parameters() == 1:
            return super().ranges(radius)
        return {"shift_size": np.stack([np.zeros_like(radius), radius], axis=-1)}
