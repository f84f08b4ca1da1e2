"""What inputs looked like at fit, and whether later ones look alike."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sksmooth.inputs._containers import Inputs

_MOST_NAMES = 5


@dataclass(frozen=True)
class InputSchema:
    """Columns and shape of inputs, for models that do not check them.

    Messages are those of scikit-learn, where it has one. It only looks at columns whose labels are
    all text; here any labels have to be those of fit.

    Attributes
    ----------
    shape : tuple of int
        Shape of one input.
    columns : tuple or None
        Labels of the columns of a DataFrame, in order; None for arrays.
    """

    shape: tuple[int, ...]
    columns: tuple[Any, ...] | None

    @classmethod
    def of(cls, inputs: Inputs) -> InputSchema:
        """Take the schema of inputs."""
        return cls(inputs.shape, inputs.columns)

    @property
    def n_features(self) -> int:
        """Number of features of one input."""
        return math.prod(self.shape)

    @property
    def names(self) -> tuple[str, ...] | None:
        """Labels of the columns, where all are text; else None."""
        columns = self.columns
        return columns if columns and all(isinstance(label, str) for label in columns) else None

    def check_labels(self, found: tuple[Any, ...]) -> None:
        """Refuse a data frame with other columns."""
        if found != self.columns:
            raise ValueError(_difference(found, self.columns or ()))

    def check(self, inputs: Inputs, *, owner: Any) -> None:
        """Refuse inputs that do not look alike.

        Parameters
        ----------
        inputs : Inputs
            Read from X.
        owner : estimator
            Named in messages.

        Raises
        ------
        ValueError
            If a column is unseen, missing or in another place, or if inputs have another shape.

        Warns
        -----
        UserWarning
            If only one of the two has names of columns.
        """
        found, name = InputSchema.of(inputs), type(owner).__name__
        if (found.names is None) != (self.names is None):
            _warn_of_names(name, seen_at_fit=found.names is None)
        elif None not in (found.columns, self.columns) and found.columns != self.columns:
            raise ValueError(_difference(found.columns or (), self.columns or ()))
        if found.shape == self.shape:
            return
        if len(found.shape) == len(self.shape) == 1:
            raise ValueError(
                f"X has {found.n_features} features, but {name} is expecting {self.n_features} "
                "features as input."
            )
        raise ValueError(
            f"X has inputs of shape {found.shape}, but {name} is expecting inputs of shape "
            f"{self.shape}, as in fit."
        )


def _warn_of_names(owner: str, *, seen_at_fit: bool) -> None:
    text = (
        f"X does not have valid feature names, but {owner} was fitted with feature names"
        if seen_at_fit
        else f"X has feature names, but {owner} was fitted without feature names"
    )
    warnings.warn(text, stacklevel=5)  # of the method that the user calls


def _difference(found: tuple[Any, ...], expected: tuple[Any, ...]) -> str:
    """Say in which columns X differs from that of fit."""
    text = "The feature names should match those that were passed during fit.\n"
    unseen = [label for label in found if label not in expected]
    missing = [label for label in expected if label not in found]
    if unseen:
        text += f"Feature names unseen at fit time:\n{_listed(unseen)}"
    if missing:
        text += f"Feature names seen at fit time, yet now missing:\n{_listed(missing)}"
    if not unseen and not missing:
        text += "Feature names must be in the same order as they were in fit.\n"
    return text


def _listed(labels: Iterable[Any]) -> str:
    names = sorted(map(str, labels))
    lines = [f"- {name}\n" for name in names[:_MOST_NAMES]]
    return "".join(lines) + "- ...\n" * (len(names) > _MOST_NAMES)
