"""Votes of a base model on all ablations of inputs, and certificates against patches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._answers import predicted_classes
from sksmooth.certificates._patches import PatchCertificate
from sksmooth.certifiers.ablation._votes import (
    certified_by_count,
    certified_by_place,
    counted,
    ranked_labels,
)
from sksmooth.engine._copies import CopySampler
from sksmooth.noise import AblationNoise


@dataclass(frozen=True)
class ImageLayout:
    """How the rows of X are images.

    Attributes
    ----------
    shape : tuple of int
        Shape of one row.
    image : tuple of two int
        Height and width.
    channel_axis : int or None
        Axis of the channels among those of a row; None: there are none.
    """

    shape: tuple[int, ...]
    image: tuple[int, int]
    channel_axis: int | None = None

    @classmethod
    def of(
        cls, shape: tuple[int, ...], image_shape: tuple[int, int] | None, channel_axis: int
    ) -> ImageLayout:
        """Read the layout off the shape of one row, or say why it is none."""
        if len(shape) == 1:
            image = (1, shape[0]) if image_shape is None else image_shape
            if image[0] * image[1] != shape[0]:
                raise ValueError(
                    f"image_shape={image_shape} is an image of {image[0] * image[1]} pixels, and "
                    f"X has {shape[0]} features."
                )
            return cls(shape, image)
        if image_shape is not None:
            raise ValueError(
                f"image_shape={image_shape} is for rows of features, and those of X have shape "
                f"{shape}. Leave it out."
            )
        if len(shape) == 2:
            return cls(shape, (shape[0], shape[1]))
        if len(shape) == 3:
            axis = channel_axis % 3
            height, width = (n for i, n in enumerate(shape) if i != axis)
            return cls(shape, (height, width), axis)
        raise ValueError(f"Rows of shape {shape} are no images: they have one to three axes.")

    @property
    def encoded_axis(self) -> int:
        """Axis, from the end, that is twice as long where what is absent has channels."""
        return -1 if self.channel_axis is None else self.channel_axis - 3

    def draws(self, masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Masks of images as masks of rows: all channels of a pixel are kept together."""
        if self.channel_axis is not None:
            return np.expand_dims(masks, 1 + self.channel_axis)
        return masks.reshape(len(masks), *self.shape)


@dataclass(frozen=True)
class AblatedVotes:
    """A classifier as a function from marked images to positions of its classes.

    Attributes
    ----------
    model : object with predict
        Fitted base model.
    classes : ndarray of shape (n_classes,)
        Its labels, sorted.
    noise : AblationNoise
        How absent pixels are encoded.
    axis : int
        Of :attr:`ImageLayout.encoded_axis`.
    """

    model: Any
    classes: NDArray[Any]
    noise: AblationNoise
    axis: int

    def __call__(self, X: NDArray[Any], n_rows: int) -> NDArray[np.intp]:
        """Return the position of the class that the model gives to each image."""
        encoded = self.noise.encode(X, self.axis)
        return predicted_classes(self.model, encoded, n_rows, self.classes)


@dataclass(frozen=True)
class PatchCertifier:
    """Certifies that no patch changes the class with the most votes among all ablations.

    Attributes
    ----------
    sampler : CopySampler
        Of the votes.
    layout : ImageLayout
        How rows are images.
    classes : ndarray of shape (n_classes,)
        Class labels, sorted.
    """

    sampler: CopySampler
    layout: ImageLayout
    classes: NDArray[Any]

    @property
    def _noise(self) -> AblationNoise:
        noise: Any = self.sampler.streams.noise
        return noise

    def counts(self) -> NDArray[np.int64]:
        """Count the votes of every input for every class."""
        return self._votes(partial(counted, n_classes=len(self.classes)))

    def certify(self, patch: tuple[int, int], n_patches: int, top_k: int) -> PatchCertificate:
        """Certify against patches of some height and width, at any places.

        Parameters
        ----------
        patch : tuple of two int
            Height and width.
        n_patches : int
            Number of patches, which are bounded by what each of them changes at the most.
        top_k : int
            Places among the classes with the most votes that the first one is to keep.
        """
        n_classes = len(self.classes)
        votes = self._votes(np.asarray)
        counts = counted(votes, n_classes)
        label = ranked_labels(counts, 1)[:, 0]
        seen = self._noise.places(self.layout.image, patch)
        n_affected = min(int(seen.sum(axis=1).max()) * n_patches, votes.shape[1])
        if n_patches == 1:
            certified = certified_by_place(votes, label, seen, n_classes, top_k=top_k)
        else:
            certified = certified_by_count(counts, label, n_affected, top_k=top_k)
        return PatchCertificate(
            prediction=self.classes[label],
            certified=certified,
            counts=counts,
            classes=self.classes,
            patch=patch,
            n_patches=n_patches,
            top_k=top_k,
            n_affected=n_affected,
            n_ablations=votes.shape[1],
            ablation=repr(self._noise),
            index=self.sampler.inputs.index,
        )

    def _votes(self, work: Any) -> Any:
        draws = self.layout.draws(self._noise.masks(self.layout.image))
        return np.concatenate(self.sampler.of_draws(work, draws))
