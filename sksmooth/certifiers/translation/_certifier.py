"""From the answers for all shifts of an input to a certificate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates import ClassificationCertificate
from sksmooth.certifiers.translation._shifts import (
    ShiftGrid,
    all_around,
    class_probabilities_around,
    class_probabilities_within,
    content_margins,
    keeps_lead,
    radius_of,
    shifted,
)
from sksmooth.engine._batch_size import default_batch_size
from sksmooth.engine._black_box import BlackBoxVoter
from sksmooth.engine._parallel import Workers, naming, progress_bar
from sksmooth.inputs._containers import Inputs

# Shifts beyond so many standard deviations are left out of the law of those with zeros.
_DEVIATIONS = 4.0


@dataclass(frozen=True)
class TranslationCertifier:
    """Asks a model about shifts of inputs, and says up to which its answer stays.

    Attributes
    ----------
    model : BlackBoxVoter
        Model, as a function to class indices.
    image_shape : tuple of int
        Shape of the image in each input.
    axes : tuple of int
        Axes that are shifted along.
    wrap : bool
        Whether what leaves comes in on the other side; else zeros do.
    sigma : float or None
        Standard deviation of the whole shifts that answers are averaged over; None: those of the
        model itself are certified.
    max_shift : int or None
        Largest shift along each axis; None: all that differ.
    batch_size : int or None
        Largest number of images per call; None: a default.
    n_jobs : int or None
        Number of workers.
    verbose : int or bool
        Whether progress is shown.
    """

    model: BlackBoxVoter
    image_shape: tuple[int, ...]
    axes: tuple[int, ...]
    wrap: bool
    sigma: float | None = None
    max_shift: int | None = None
    batch_size: int | None = None
    n_jobs: int | None = None
    verbose: Any = False

    def certify(self, inputs: Inputs) -> ClassificationCertificate:
        """Certify every input."""
        tasks = ((inputs[i : i + 1], i) for i in range(len(inputs)))
        bar = progress_bar(len(inputs), "shifting", " rows", shown=self.verbose)
        found = []
        with Workers(self.n_jobs) as workers, bar:
            for result in workers.map(self._certify_one, tasks, ordered=True):
                found.append(result)
                bar.update()
        labels, radii, lower, upper = (np.array(column) for column in zip(*found, strict=True))
        classes = self.model.classes
        return ClassificationCertificate(
            prediction=classes[labels],
            radius=radii,
            p_lower=lower,
            p_upper=upper,
            counts=np.zeros((len(inputs), len(classes)), np.int64),
            n_draws=np.zeros(len(inputs), np.int64),
            classes=classes,
            norm=2,
            budget=None,
            noise=None,
            n_features=inputs.n_features,
            perturbed="wrap" if self.wrap else "zeros",
            shift_sigma=self.sigma,
            shift_axes=self.axes,
            image_shape=self.image_shape,
        )

    def _certify_one(self, one: Inputs, number: int) -> tuple[int, float, float, float]:
        """Return class, radius, and the probabilities of the class and of the next one."""
        if self.sigma is None:
            return self._of_the_model(one, number)
        return self._of_the_average(one, number, float(self.sigma))

    def _of_the_model(self, one: Inputs, number: int) -> tuple[int, float, float, float]:
        grid = self._limited(self._every_shift())
        labels = self._answers(one, number, grid)
        label = int(labels[_origin(grid)])
        return label, radius_of(labels == label, grid, self._first_missing(grid)), 1.0, 0.0

    def _of_the_average(
        self, one: Inputs, number: int, sigma: float
    ) -> tuple[int, float, float, float]:
        n_classes = self.model.n_classes
        if self.wrap:
            grid = self._every_shift()
            labels = self._answers(one, number, grid)
            probabilities = class_probabilities_around(labels, n_classes, grid, sigma)
            missing = np.inf if self.max_shift is None else self.max_shift + 1.0
        else:
            image = one.values.reshape(self.image_shape)
            grid = self._limited(content_margins(image, self.axes))
            reach = int(np.ceil(_DEVIATIONS * sigma))
            wider = ShiftGrid(
                tuple(a - reach for a in grid.low), tuple(b + reach for b in grid.high)
            )
            labels = self._answers(one, number, wider)
            probabilities = class_probabilities_within(labels, n_classes, reach, sigma)
            missing = grid.first_missing()
        here = probabilities[_origin(grid)]
        label = int(here.argmax())
        stays = keeps_lead(probabilities, label)
        radius = radius_of(stays, grid, missing)
        others = np.delete(here, label).max(initial=0.0)
        return label, radius, float(here[label]), float(others)

    def _every_shift(self) -> ShiftGrid:
        lengths = tuple(self.image_shape[axis] for axis in self.axes)
        if self.wrap:
            return all_around(lengths)
        return ShiftGrid(tuple(-n for n in lengths), lengths)  # the last leave nothing

    def _limited(self, grid: ShiftGrid) -> ShiftGrid:
        if self.max_shift is None:
            return grid
        most = self.max_shift
        return ShiftGrid(
            tuple(max(a, -most) for a in grid.low), tuple(min(b, most) for b in grid.high)
        )

    def _first_missing(self, grid: ShiftGrid) -> float:
        """Length of the shortest shift that the grid has no equal of."""
        if self.max_shift is None or grid == self._every_shift():
            return np.inf
        return self.max_shift + 1.0

    def _answers(self, one: Inputs, number: int, grid: ShiftGrid) -> NDArray[np.intp]:
        """Classes of all shifts of an input in a grid."""
        per_call = self.batch_size or default_batch_size(one)
        image, shifts = one.values.reshape(self.image_shape), iter(grid)
        answers = []
        while some := list(islice(shifts, per_call)):
            rows = np.stack([shifted(image, shift, self.axes, self.wrap) for shift in some])
            rows = rows.reshape(len(some), *one.shape).astype(one.dtype, copy=False)
            with naming(f"shifts {some[0]} to {some[-1]} of row {number} of X"):
                answers.append(self.model(one.to_container(rows), len(rows)))
        return np.concatenate(answers).reshape(grid.shape)


def _origin(grid: ShiftGrid) -> tuple[int, ...]:
    """Position of no shift."""
    return tuple(-a for a in grid.low)
