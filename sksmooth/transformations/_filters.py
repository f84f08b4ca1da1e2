"""Linear filters that bring images nearer to each other, never apart."""

from __future__ import annotations

from abc import abstractmethod
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sksmooth.inputs._containers import Inputs, read_inputs
from sksmooth.transformations._base import Array, pixels
from sksmooth.transformations._layout import read_layout


class ImageFilter(TransformerMixin, BaseEstimator):
    """Base class of linear filters of images whose spectral norm is at most 1.

    Two images are no farther apart behind such a filter, in l2. A subclass defines `filtered`, and
    `check_parameters`.
    """

    image_shape: tuple[int, ...] | None
    channels: str | None

    @abstractmethod
    def filtered(self, images: Array) -> Array:
        """Filter images of shape (n, channels, height, width)."""

    @abstractmethod
    def check_parameters(self) -> None:
        """Raise a ValueError that names the parameter that describes no filter."""

    def fit(self, X: Any, y: Any = None) -> ImageFilter:
        """Look at the shape of images.

        Parameters
        ----------
        X : array-like of shape (m, height, width), (m, height, width, c), (m, c, height, width) \
                or (m, d)
            Images.
        y : None
            Ignored.

        Returns
        -------
        self : object of this class

        Raises
        ------
        ValueError
            If X holds no images, or if a parameter is out of range.
        """
        self.check_parameters()
        self.layout_ = read_layout(
            read_inputs(X, owner=self).shape, self.image_shape, self.channels
        )
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Filter images.

        Parameters
        ----------
        X : array-like of the shape of fit
            Images.

        Returns
        -------
        filtered : ndarray of the shape of X
            float32 where X is, else float64; computed in float64.

        Raises
        ------
        ValueError
            If images have another shape than in fit.
        """
        check_is_fitted(self, "layout_")
        self.check_parameters()
        inputs = read_inputs(X, owner=self)
        self._refuse_other_shape(inputs)
        filtered = self.filtered(self.layout_.images(inputs.values))
        return self.layout_.rows(filtered).astype(inputs.dtype, copy=False)

    def _refuse_other_shape(self, inputs: Inputs) -> None:
        if inputs.shape != self.layout_.shape:
            raise ValueError(
                f"X has inputs of shape {inputs.shape}, but {type(self).__name__} is expecting "
                f"inputs of shape {self.layout_.shape}, as in fit."
            )

    def _positive(self, name: str) -> float:
        value = getattr(self, name)
        if isinstance(value, bool) or not (isinstance(value, Real) and 0 < float(value) < np.inf):
            raise ValueError(
                f"The {name!r} parameter of {type(self).__name__} must be a positive finite "
                f"number of pixels. Got {value!r} instead."
            )
        return float(value)


class LowPass(ImageFilter):
    """Low pass: removes the finest detail, which moves most when an image is turned or shifted.

    Heat flows between neighbouring pixels, and not across the border: every frequency k of a
    cosine transform along an axis of n pixels is multiplied by
    ``exp(-width ** 2 * (1 - cos(pi * k / n)))``. It keeps the mean and the range of an image.

    Parameters
    ----------
    width : float, default=1.0
        Standard deviation of the kernel, in pixels.
    image_shape : tuple of int, default=None
        Shape of one image: (height, width), or with channels. None: that of the inputs; rows of
        d numbers are then taken for square images.
    channels : {"first", "last"}, default=None
        Where channels lie. None: the axis that is not height and width, or has 4 entries at most.

    Attributes
    ----------
    layout_ : object
        How inputs are images.

    Notes
    -----
    Before a smoother, in a Pipeline, it shortens the way that images go under a transformation
    more than the images themselves, so that :func:`~sksmooth.certify_path` proves more.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.transformations import LowPass
    >>> image = np.zeros((1, 3, 3))
    >>> image[0, 1, 1] = 1.0
    >>> LowPass(0.5).fit_transform(image).round(2)
    array([[[0.01, 0.08, 0.01],
            [0.08, 0.63, 0.08],
            [0.01, 0.08, 0.01]]])
    """

    def __init__(
        self,
        width: float = 1.0,
        image_shape: tuple[int, ...] | None = None,
        channels: str | None = None,
    ) -> None:
        self.width = width
        self.image_shape = image_shape
        self.channels = channels

    def check_parameters(self) -> None:
        """Refuse a width that is no positive number."""
        self._positive("width")

    def filtered(self, images: Array) -> Array:
        """Filter images of shape (n, channels, height, width)."""
        height, width = (self._matrix(n) for n in images.shape[2:])
        found: Array = height @ images @ width
        return found

    def _matrix(self, n: int) -> Array:
        """Filter along an axis of n pixels, a symmetric matrix."""
        cosines: Array = fft.dct(np.eye(n), axis=0, norm="ortho")
        kept = np.exp(-(float(self.width) ** 2) * (1.0 - np.cos(np.pi * np.arange(n) / n)))
        found: Array = (cosines.T * kept) @ cosines
        return found


class Vignette(ImageFilter):
    """Vignette: fades an image to zero around the circle in it, where rotation moves most.

    Parameters
    ----------
    fade : float, default=4.0
        Width of the ring in which images fade, in pixels, inside the largest circle around the
        centre. In it pixels are multiplied by numbers that fall from 1 to 0 like a cosine; outside
        of the circle they become 0.
    image_shape : tuple of int, default=None
        Shape of one image: (height, width), or with channels. None: that of the inputs; rows of
        d numbers are then taken for square images.
    channels : {"first", "last"}, default=None
        Where channels lie. None: the axis that is not height and width, or has 4 entries at most.

    Attributes
    ----------
    layout_ : object
        How inputs are images.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth.transformations import Vignette
    >>> Vignette(fade=2.0).fit_transform(np.ones((1, 5, 5)))[0].round(2)
    array([[0.  , 0.04, 0.15, 0.04, 0.  ],
           [0.04, 0.57, 0.85, 0.57, 0.04],
           [0.15, 0.85, 1.  , 0.85, 0.15],
           [0.04, 0.57, 0.85, 0.57, 0.04],
           [0.  , 0.04, 0.15, 0.04, 0.  ]])
    """

    def __init__(
        self,
        fade: float = 4.0,
        image_shape: tuple[int, ...] | None = None,
        channels: str | None = None,
    ) -> None:
        self.fade = fade
        self.image_shape = image_shape
        self.channels = channels

    def check_parameters(self) -> None:
        """Refuse a width that is no positive number."""
        self._positive("fade")

    def filtered(self, images: Array) -> Array:
        """Filter images of shape (n, channels, height, width)."""
        size = images.shape[2:]
        outside = np.hypot(*pixels(size)) - (min(size) / 2 - float(self.fade))
        part = np.clip(outside / float(self.fade), 0.0, 1.0)
        return images * (1.0 + np.cos(np.pi * part)) / 2
