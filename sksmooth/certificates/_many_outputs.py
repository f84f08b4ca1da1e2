"""Results about many outputs of one input: frozen records of arrays, one entry per row of X."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sksmooth.certificates._base import Certificate
from sksmooth.certificates._error_budget import ErrorBudget
from sksmooth.noise import Noise


@dataclass(frozen=True, eq=False, repr=False)
class MultiOutputCertificate(Certificate):
    """What has been proven about the outputs of a smoothed classifier for m inputs.

    For each row: with probability at least ``1 - alpha``, fewer than `n_wrong` of its certified
    outputs have another class than `prediction` at some input within `radius`. With ``n_wrong=1``
    all of them stay.

    Slicing with an integer, a slice, a mask or an index array gives the certificate of those
    rows; ``len`` is the number of rows.

    Attributes
    ----------
    prediction : ndarray of shape (m, ...)
        Class of each output.
    certified : ndarray of bool of shape (m, ...)
        Outputs about which the statement is. The others abstain.
    votes : ndarray of int of shape (m, ...)
        Votes for `prediction`, of `n_draws`.
    radius : float
        Size of the perturbations that are covered.
    norm : float
        Norm of the radius.
    n_draws : int
        Number of votes.
    n_wrong : int
        Number of wrong claims about one row that is too many.
    budget : ErrorBudget
        Who gets which part of alpha.
    noise : Noise
        The smoothing distribution.
    noise_step : float or None
        Step of the lattice that inputs and noise were rounded to.
    """

    ROW_FIELDS: ClassVar[tuple[str, ...]] = ("prediction", "certified", "votes")

    prediction: NDArray[Any]
    certified: NDArray[np.bool_]
    votes: NDArray[np.int64]
    radius: float
    norm: float
    n_draws: int
    n_wrong: int
    budget: ErrorBudget | None
    noise: Noise
    noise_step: float | None = None
    index: Any = None
    feature_scale: NDArray[np.float64] | None = None

    @property
    def _input_ball(self) -> tuple[NDArray[np.float64], float]:
        return np.full(len(self), self.radius), self.norm

    def certified_accuracy(self, y_true: ArrayLike) -> float:
        """Return the proportion of outputs, of all rows, that are right and certified.

        Parameters
        ----------
        y_true : array-like of shape (m, ...)
            True classes.

        Returns
        -------
        accuracy : float
        """
        truth = self._truth(y_true)
        return float(np.mean((self.prediction == truth) & self.certified))

    def mean_iou(self, y_true: ArrayLike) -> float:
        """Bound the mean intersection over union of segmentations from below.

        Parameters
        ----------
        y_true : array-like of shape (m, ...)
            True classes.

        Returns
        -------
        mean_iou : float
            Least mean, over the classes in `y_true`, of intersection over union, pixels of all rows
            counted together, if each output that is not certified has the worst class. With
            ``n_wrong=1`` it holds with a probability of at least 1 minus `alpha` for each row.

        Raises
        ------
        ValueError
            If `n_wrong` is not 1: some claims may then be wrong.
        """
        if self.n_wrong != 1:
            raise ValueError(
                f"mean_iou counts certified outputs as right, and n_wrong={self.n_wrong} lets some "
                "be wrong. Certify with n_wrong=1."
            )
        return least_mean_iou(self._truth(y_true), self.prediction, self.certified)

    def _truth(self, y_true: ArrayLike) -> NDArray[Any]:
        truth = np.asarray(y_true)
        if truth.shape != self.prediction.shape:
            raise ValueError(
                f"y_true must have shape {self.prediction.shape}, got {truth.shape}: one class for "
                "each output."
            )
        return truth

    def to_frame(self, index: Any = None) -> Any:
        """Return a table with one line for each row.

        Parameters
        ----------
        index : pandas.Index, default=None
            Index of the table. None: that of the X that was certified.

        Returns
        -------
        frame : pandas.DataFrame
            With the number of outputs of each row, and of those that are certified.
        """
        flat = self.certified.reshape(len(self), -1)
        columns = {"n_outputs": np.full(len(self), flat.shape[1]), "n_certified": flat.sum(axis=1)}
        return self._framed(columns, index)

    def _constants(self) -> dict[str, Any]:
        about = {"radius": self.radius, "norm": self.norm, "n_wrong": self.n_wrong}
        return {**super()._constants(), **about, "noise": repr(self.noise)}

    def __repr__(self) -> str:
        level = "exact" if self.budget is None else self.budget.describe("rows")
        share = f"{self.certified.mean():.1%}" if self.certified.size else "nothing"
        most = "" if self.n_wrong == 1 else f", fewer than {self.n_wrong} of them wrong"
        return (
            f"MultiOutputCertificate: {len(self)} rows of {self.prediction.shape[1:]} outputs, "
            f"l{self.norm:g} norm, {self.noise!r}, {level}\n"
            f"  certified {share} at radius {self.radius:g}{self._in_units}{most}\n"
            f"  draws per row {self.n_draws}"
        )


def least_mean_iou(
    truth: NDArray[Any], prediction: NDArray[Any], certified: NDArray[np.bool_]
) -> float:
    """Return the least mean intersection over union if what is not certified has any class.

    Each output that is not certified can make the union of one class, other than its own, larger by
    one. The loss of a class falls with every one that it gets, so the largest losses are taken.
    """
    right, free = certified & (prediction == truth), ~certified
    classes = np.unique(truth)
    hits, unions, spare = [], [], []
    for label in classes:
        of_label = truth == label
        hits.append(int((right & of_label).sum()))
        unions.append(int((of_label | (certified & (prediction == label))).sum()))
        spare.append(int((free & ~of_label).sum()))

    def loss(c: int) -> float:
        return float(hits[c] / unions[c] - hits[c] / (unions[c] + 1))

    queue = [(-loss(c), c) for c in range(len(classes)) if spare[c]]
    heapq.heapify(queue)
    left = int(free.sum())
    while left and queue:
        _, c = heapq.heappop(queue)
        unions[c], spare[c], left = unions[c] + 1, spare[c] - 1, left - 1
        if spare[c]:
            heapq.heappush(queue, (-loss(c), c))
    return float(np.mean([h / u for h, u in zip(hits, unions, strict=True)]))
