"""Ablations of images: all but a band or a block of pixels is absent."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

KINDS = ("blocks", "columns", "rows")


class AblationNoise(BaseEstimator):
    """Ablations of an image, each of which keeps a band or a block of pixels and nothing else.

    There are few of them, so that all are taken, and what they prove is certain: a patch meets only
    some of them, wherever it is, and the others see nothing of it.

    Parameters
    ----------
    kind : {"columns", "rows", "blocks"}, default="columns"
        What is kept: neighbouring columns, neighbouring rows, or a square of pixels.
    size : int, default=3
        Number of columns or rows that are kept, or edge of the square.
    stride : int, default=1
        Distance between neighbouring ablations. Larger ones make fewer calls of the base model.
    wrap : bool, default=True
        Whether bands and blocks go on at the opposite edge, so that all pixels are kept by as many.
    absent : {"channels", "nan"} or float, default="channels"
        What the base model gets for pixels that are not kept. "channels": it gets twice as many
        features, x and 1 - x, and 0 in both is absent; "nan": NaN, for models that take missing
        values; a number: that number, which other pixels should not have.

    References
    ----------
    .. [1] Levine, A. and Feizi, S. (2020). (De)randomized smoothing for certifiable defense
       against patch attacks. NeurIPS 2020.

    Examples
    --------
    >>> from sksmooth.noise import AblationNoise
    >>> noise = AblationNoise("columns", size=2)
    >>> noise.masks((1, 4))[:, 0].astype(int)
    array([[1, 1, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 1, 1],
           [1, 0, 0, 1]])
    >>> noise.most_affected((1, 4), patch=(1, 1))
    2
    """

    def __init__(
        self,
        kind: str = "columns",
        size: int = 3,
        stride: int = 1,
        wrap: bool = True,
        absent: str | float = "channels",
    ) -> None:
        self.kind = kind
        self.size = size
        self.stride = stride
        self.wrap = wrap
        self.absent = absent

    def check_parameters(self) -> None:
        """Raise a ValueError that names the first parameter that describes no ablation."""
        if self.kind not in KINDS:
            raise ValueError(
                f"The 'kind' parameter of AblationNoise must be one of {', '.join(KINDS)}. Got "
                f"{self.kind!r} instead."
            )
        for name in ("size", "stride"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
                raise ValueError(
                    f"The '{name}' parameter of AblationNoise must be a whole number of at least "
                    f"1. Got {value!r} instead."
                )
        is_number = isinstance(self.absent, Real) and not isinstance(self.absent, bool)
        if not (is_number or self.absent in ("channels", "nan")):
            raise ValueError(
                "The 'absent' parameter of AblationNoise must be 'channels', 'nan' or a number. "
                f"Got {self.absent!r} instead."
            )

    def masks(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Return which pixels each ablation keeps.

        Parameters
        ----------
        shape : tuple of two int
            Height and width of an image.

        Returns
        -------
        masks : ndarray of bool of shape (n_ablations, height, width)
        """
        self.check_parameters()
        height, width = shape
        whole = np.ones((1, height), bool), np.ones((1, width), bool)
        rows = whole[0] if self.kind == "columns" else self._bands(height)
        columns = whole[1] if self.kind == "rows" else self._bands(width)
        every = rows[:, None, :, None] & columns[None, :, None, :]
        return np.asarray(every.reshape(-1, height, width))

    def _bands(self, n: int) -> NDArray[np.bool_]:
        """Positions along one axis that each band keeps."""
        size = min(int(self.size), n)
        stop = n if self.wrap else n - size + 1
        offset = np.arange(n) - np.arange(0, stop, int(self.stride))[:, None]
        return np.asarray(offset % n < size)

    def places(self, shape: tuple[int, int], patch: tuple[int, int]) -> NDArray[np.bool_]:
        """Return which ablations see a patch, for every place that it may have.

        Parameters
        ----------
        shape : tuple of two int
            Height and width of an image.
        patch : tuple of two int
            Height and width of the patch, which lies within the image.

        Returns
        -------
        seen : ndarray of bool of shape (n_places, n_ablations)
            Without places at which no more is seen than at another.
        """
        tall, wide = min(patch[0], shape[0]), min(patch[1], shape[1])
        sums = self.masks(shape).astype(np.int64).cumsum(axis=1).cumsum(axis=2)
        sums = np.pad(sums, ((0, 0), (1, 0), (1, 0)))
        inside = (
            sums[:, tall:, wide:]
            - sums[:, :-tall, wide:]
            - sums[:, tall:, :-wide]
            + sums[:, :-tall, :-wide]
        )
        return np.unique(inside.reshape(len(sums), -1).T > 0, axis=0)

    def most_affected(self, shape: tuple[int, int], patch: tuple[int, int]) -> int:
        """Return how many ablations see a patch, wherever it is, at the most."""
        return int(self.places(shape, patch).sum(axis=1).max())

    def apply(self, X: NDArray[Any], draws: NDArray[np.bool_]) -> NDArray[Any]:
        """Mark pixels that are not kept by NaN, with the broadcasting rules of numpy."""
        return np.where(draws, X, np.asarray(np.nan, X.dtype if X.dtype.kind == "f" else float))

    def encode(self, marked: NDArray[Any], axis: int = -1) -> NDArray[Any]:
        """Return what the base model gets for images in which NaN marks what is absent.

        Parameters
        ----------
        marked : ndarray
            Images, as :meth:`apply` returns them.
        axis : int, default=-1
            Axis of features, or of channels, that "channels" makes twice as long.

        Returns
        -------
        encoded : ndarray
        """
        if self.absent == "nan":
            return marked
        absent = np.isnan(marked)
        if self.absent != "channels":
            return np.where(absent, np.asarray(self.absent, marked.dtype), marked)
        zero = marked.dtype.type(0)
        parts = np.where(absent, zero, marked), np.where(absent, zero, 1 - marked)
        return np.concatenate(parts, axis=axis)

    def __repr__(self) -> str:
        parameters = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({parameters})"
