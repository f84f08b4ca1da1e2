"""Results about patches: frozen records of arrays, one entry per row of X."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sksmooth.certificates._base import Certificate
from sksmooth.certificates._error_budget import ErrorBudget


@dataclass(frozen=True, eq=False, repr=False)
class PatchCertificate(Certificate):
    """What has been proven about patches for m images. Nothing is left to chance.

    Where a row is certified, its prediction stays the same (or among the `top_k` classes with the
    most votes), whatever the pixels of a patch become, wherever it is.

    Slicing with an integer, a slice, a mask or an index array gives the certificate of those
    rows; ``len`` is the number of rows.

    Attributes
    ----------
    prediction : ndarray of shape (m,)
        Classes with the most votes.
    certified : ndarray of bool of shape (m,)
        Whether the statement is proven.
    counts : ndarray of int of shape (m, n_classes)
        Votes of all ablations.
    classes : ndarray of shape (n_classes,)
        Class labels, in the order of the columns of `counts`.
    patch : tuple of two int
        Height and width of a patch, in pixels.
    n_patches : int
        Number of patches that are covered together.
    top_k : int
        Number of classes among which the prediction stays.
    n_affected : int
        Largest number of ablations that see the patches.
    n_ablations : int
        Number of all ablations.
    ablation : str
        Description of the ablations.
    """

    ROW_FIELDS: ClassVar[tuple[str, ...]] = ("prediction", "certified", "counts")

    prediction: NDArray[Any]
    certified: NDArray[np.bool_]
    counts: NDArray[np.int64]
    classes: NDArray[Any]
    patch: tuple[int, int]
    n_patches: int
    top_k: int
    n_affected: int
    n_ablations: int
    ablation: str
    budget: ErrorBudget | None = None
    index: Any = None
    feature_scale: NDArray[np.float64] | None = None

    def certified_accuracy(self, y_true: ArrayLike) -> float:
        """Return the proportion of rows that are right and certified.

        Parameters
        ----------
        y_true : array-like of shape (m,)
            True labels.

        Returns
        -------
        accuracy : float
        """
        truth = np.asarray(y_true)
        if truth.shape != self.prediction.shape:
            raise ValueError(
                f"y_true must have shape {self.prediction.shape}, got {truth.shape}: one label for "
                "each row of the certificate."
            )
        return float(np.mean((self.prediction == truth) & self.certified))

    def to_frame(self, index: Any = None) -> Any:
        """Return a table with one line for each row.

        Parameters
        ----------
        index : pandas.Index, default=None
            Index of the table. None: that of the X that was certified.

        Returns
        -------
        frame : pandas.DataFrame
        """
        columns = {"prediction": self.prediction, "certified": self.certified}
        return self._framed(columns, index)

    def _constants(self) -> dict[str, Any]:
        height, width = self.patch
        size = {"patch_height": height, "patch_width": width, "n_patches": self.n_patches}
        return {**size, "top_k": self.top_k, "ablation": self.ablation}

    def __repr__(self) -> str:
        height, width = self.patch
        times = "" if self.n_patches == 1 else f"{self.n_patches} patches of "
        share = f"{self.certified.mean():.1%}" if len(self) else "nothing"
        places = "" if self.top_k == 1 else f", among the first {self.top_k} classes"
        return (
            f"PatchCertificate: {len(self)} rows, {times}{height} x {width} pixels, "
            f"{self.ablation}, exact\n"
            f"  certified {share}{places}; {self.n_affected} of {self.n_ablations} ablations may "
            "change"
        )
