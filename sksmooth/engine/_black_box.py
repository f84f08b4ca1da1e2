"""The base model as a function: its labels, its probabilities, its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._names import name_of
from sksmooth.engine._voter import Voter
from sksmooth.inputs._containers import Inputs
from sksmooth.noise import Noise


@dataclass(frozen=True)
class BlackBoxVoter(Voter):
    """The base model as a function from inputs to class indices.

    Attributes
    ----------
    model : object with predict
        Fitted base model.
    classes : ndarray of shape (n_classes,)
        Its labels, sorted.
    """

    model: Any
    classes: NDArray[Any]

    def __call__(self, X: Any, n_rows: int) -> NDArray[np.intp]:
        """Index of the class that the model gives to each of the `n_rows` rows of X."""
        labels = np.asarray(self.model.predict(X))
        if labels.shape not in ((n_rows,), (n_rows, 1)):
            raise ValueError(
                f"{name_of(self.model)}.predict returned an array of shape "
                f"{labels.shape} for {n_rows} rows; one label per row is needed."
            )
        labels = labels.reshape(n_rows)
        indices = self._index(labels)
        if indices is None:
            unknown = sorted({str(label) for label in labels} - {str(c) for c in self.classes})
            raise ValueError(
                f"{name_of(self.model)}.predict returned labels outside its classes: "
                f"{', '.join(unknown[:5])}. Known classes: "
                f"{', '.join(str(c) for c in self.classes[:10])}. A classifier is needed, whose "
                "classes_ (or the labels given to fit) list all that it predicts."
            )
        return indices

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes."""
        return len(self.classes)

    def draws_per_call(self, rows: Inputs) -> None:
        """None: as many inputs and draws as fill a call."""
        return None

    def count_votes(self, rows: Inputs, noise: Noise, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Votes of one call of the base model: every row with every draw."""
        noisy = noise.perturb(rows.values, draws).reshape(-1, *rows.shape)
        indices = self(rows.to_container(noisy), len(noisy)).reshape(len(rows), len(draws))
        cells = indices + np.arange(len(rows))[:, None] * self.n_classes
        counts = np.bincount(cells.ravel(), minlength=len(rows) * self.n_classes)
        return counts.reshape(-1, self.n_classes)

    def _index(self, labels: NDArray[Any]) -> NDArray[np.intp] | None:
        last = len(self.classes) - 1
        if self._classes_are_indices and labels.dtype.kind in "iu":
            known = labels.size == 0 or (labels.min() >= 0 and labels.max() <= last)
            return labels.astype(np.intp, copy=False) if known else None
        try:
            indices = np.minimum(np.searchsorted(self.classes, labels), last)
        except TypeError:  # labels that do not compare with the classes
            return None
        return indices if (self.classes[indices] == labels).all() else None

    @property
    def _classes_are_indices(self) -> bool:
        classes = self.classes
        return classes.dtype.kind in "iu" and bool((classes == np.arange(len(classes))).all())


@dataclass(frozen=True)
class ProbabilitySums(BlackBoxVoter):
    """The base model as a function from inputs to probabilities, in whole units.

    Sums of whole numbers do not depend on their order, so they are the same however the work is
    cut.
    """

    UNIT: ClassVar[int] = 2**40

    def count_votes(self, rows: Inputs, noise: Any, draws: NDArray[Any]) -> NDArray[np.int64]:
        """Sum up the probabilities of every row over the draws, in units of 1 / UNIT."""
        noisy = noise.perturb(rows.values, draws).reshape(-1, *rows.shape)
        shares = np.asarray(self.model.predict_proba(rows.to_container(noisy)), dtype=float)
        if shares.shape != (len(noisy), self.n_classes):
            raise ValueError(
                f"{name_of(self.model)}.predict_proba returned an array of shape {shares.shape} "
                f"for {len(noisy)} rows and {self.n_classes} classes."
            )
        if not ((shares >= 0) & (shares <= 1 + 1e-6)).all():
            raise ValueError(
                f"{name_of(self.model)}.predict_proba returned numbers outside [0, 1]."
            )
        order: Any = np.argsort(getattr(self.model, "classes_", self.classes))
        units = np.floor(np.minimum(shares[:, order], 1.0) * self.UNIT).astype(np.int64)
        return units.reshape(len(rows), len(draws), self.n_classes).sum(axis=1)


@dataclass(frozen=True)
class Responder:
    """The base model as a function from inputs to outputs.

    Attributes
    ----------
    model : object
        Fitted base model.
    method : str
        Its method that returns one output per row.
    shape : tuple of int or None
        Shape of one output; None: not known yet.
    """

    model: Any
    method: str
    shape: tuple[int, ...] | None = None

    def __call__(self, X: Any, n_rows: int) -> NDArray[Any]:
        """Return the outputs for the `n_rows` rows of X."""
        outputs = np.asarray(getattr(self.model, self.method)(X))
        name = f"{name_of(self.model)}.{self.method}"
        if outputs.ndim == 0 or len(outputs) != n_rows:
            raise ValueError(
                f"{name} returned an array of shape {outputs.shape} for {n_rows} rows; one "
                "output per row is needed."
            )
        if self.shape is not None and outputs.shape[1:] != self.shape:
            raise ValueError(
                f"{name} returned outputs of shape {outputs.shape[1:]}, and of shape "
                f"{self.shape} at fit. All outputs need one shape: pad them, or return a fixed "
                "number of boxes."
            )
        return outputs
