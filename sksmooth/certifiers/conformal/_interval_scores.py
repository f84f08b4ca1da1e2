"""Scores of numbers by intervals: a number fits an interval the better, the less it has to grow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._answers import outputs

Array = NDArray[np.float64]

# Ends of intervals are moved outwards by so much of the numbers that they are made of: by more than
# the roundings of the score that they stand for.
_OUTWARDS = 1e-15


class Intervals(NamedTuple):
    """Intervals that grow: ``[lower - t scale, upper + t scale]`` holds what scores at least -t."""

    lower: Array
    upper: Array
    scale: Array

    def scores(self, y: Array) -> Array:
        """Scores of numbers; those of intervals with NaN are the worst."""
        with np.errstate(invalid="ignore", over="ignore"):
            found = -np.maximum(self.lower - y, y - self.upper) / self.scale
        return np.where(np.isnan(found), -np.inf, found)

    def grown(self, t: float) -> tuple[Array, Array]:
        """Return ends for a finite t, rounded outwards; infinity and minus infinity for none."""
        with np.errstate(invalid="ignore", over="ignore"):
            step = t * self.scale
            slack = _OUTWARDS * (np.abs(step) + np.maximum(np.abs(self.lower), np.abs(self.upper)))
            low, high = self.lower - step - slack, self.upper + step + slack
            is_one = low <= high
        return np.where(is_one, low, np.inf), np.where(is_one, high, -np.inf)


def around_output(answers: NDArray[Any]) -> tuple[Any, Any]:
    """One number, from which others are apart by the absolute residual."""
    if answers.ndim == 2 and answers.shape[1] == 1:
        answers = answers[:, 0]
    if answers.ndim != 1:
        raise ValueError(
            f"conformity_score='absolute' needs one number for each row, and the base model "
            f"returns outputs of shape {answers.shape[1:]}. Use conformity_score='cqr' for two "
            "quantiles."
        )
    return answers, answers


def between_quantiles(answers: NDArray[Any]) -> tuple[Any, Any]:
    """Lower and upper quantiles, in two columns (conformalized quantile regression)."""
    if answers.ndim != 2 or answers.shape[1] != 2:
        raise ValueError(
            "conformity_score='cqr' needs two numbers for each row, a lower and an upper quantile, "
            f"and the base model returns outputs of shape {answers.shape[1:]}. Use "
            "conformity_score='absolute' for one number."
        )
    return answers[:, 0], answers[:, 1]


INTERVALS: dict[str, Callable[[NDArray[Any]], tuple[Any, ...]]] = {
    "absolute": around_output,
    "cqr": between_quantiles,
}


@dataclass(frozen=True)
class IntervalOutputs:
    """A regressor as a function from inputs to intervals.

    Attributes
    ----------
    model : object with predict
        Fitted base model.
    intervals : callable
        From what the model answers to lower ends, upper ends and, where they grow by unlike
        amounts, scales, each of shape (n_rows,).
    """

    model: Any
    intervals: Callable[[NDArray[Any]], Any]

    def __call__(self, X: Any, n_rows: int) -> Array:
        """Return lower ends, upper ends and scales, as columns."""
        answers = outputs(self.model, "predict", X, n_rows)
        found = [np.asarray(part, dtype=float) for part in self.intervals(answers)]
        if len(found) == 2:
            found.append(np.ones(n_rows))
        if len(found) != 3 or any(part.shape != (n_rows,) for part in found):
            shapes = ", ".join(str(part.shape) for part in found)
            raise ValueError(
                "conformity_score must return lower ends, upper ends and, if intervals grow by "
                f"unlike amounts, scales, each of shape ({n_rows},); got shapes {shapes}."
            )
        if not (found[2] > 0).all():
            raise ValueError(
                f"conformity_score returned a scale of {found[2].min():g}: scales are positive. "
                "Add a small number."
            )
        return np.column_stack(found)
