"""Results of smoothed regressors: frozen records of arrays, one entry per row of X."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates._base import Certificate
from sksmooth.certificates._error_budget import ErrorBudget
from sksmooth.distances import Distance
from sksmooth.noise import Noise

_MOST_COLUMNS = 16


@dataclass(frozen=True, eq=False, repr=False)
class RegressionCertificate(Certificate):
    """What has been proven about the smoothed outputs for m inputs.

    For each row, and each perturbed input x' within `input_radius` of it: with probability at
    least ``1 - alpha``, the output that `predict` returns for x' is within `output_radius` of
    `prediction` (center smoothing), or between `lower` and `upper` (median smoothing).

    Slicing with an integer, a slice, a mask or an index array gives the certificate of those
    rows; ``len`` is the number of rows.

    Attributes
    ----------
    prediction : ndarray of shape (m, ...)
        Smoothed outputs.
    input_radius : ndarray of shape (m,)
        Size of the perturbations that are covered: l2 norm, in the units of X, or in scaled units
        where `feature_scale` is given. 0: none.
    output_radius : ndarray of shape (m,) or None
        Bound of the distance that the output moves; where nothing was proven it is infinite, or
        the largest distance that there is.
    lower, upper : ndarray of shape (m, ...) or None
        Bounds of the output itself, infinite where nothing was proven.
    smoothing_error : ndarray of shape (m,)
        Distance between `prediction` and the output of the base model for the row itself, without
        noise: what the proof costs in accuracy. Exact.
    budget : ErrorBudget
        Who gets which part of alpha.
    alpha : float
        Failure probability for each perturbed input.
    noise : Noise
        The smoothing distribution.
    distance : Distance
        Between outputs.
    beta : float or None
        Constant of the centre: 1 where it is the best there is, 2 for a sampled output.
    guaranteed : ndarray of bool of shape (m,)
        Whether the guarantee of `beta` was shown for the row itself.
    n_simultaneous : int
        Number of input radii for which the certificates hold together.
    noise_step : float or None
        Step of the lattice that inputs and noise were rounded to before they were added; the bounds
        hold in floating point. None: nothing was rounded.
    feature_scale : ndarray of shape (n_columns,) or None
        Scale of each column; 0: it does not change. None: radii are in the units of X.
    """

    ROW_FIELDS: ClassVar[tuple[str, ...]] = (
        "prediction",
        "input_radius",
        "smoothing_error",
        "guaranteed",
        "output_radius",
        "lower",
        "upper",
    )

    prediction: NDArray[Any]
    input_radius: NDArray[np.float64]
    smoothing_error: NDArray[np.float64]
    budget: ErrorBudget | None
    noise: Noise
    distance: Distance
    guaranteed: NDArray[np.bool_]
    output_radius: NDArray[np.float64] | None = None
    lower: NDArray[np.float64] | None = None
    upper: NDArray[np.float64] | None = None
    beta: float | None = None
    noise_step: float | None = None
    index: Any = None
    feature_scale: NDArray[np.float64] | None = None

    @property
    def _input_ball(self) -> tuple[NDArray[np.float64], float]:
        return self.input_radius, 2.0

    @property
    def abstained(self) -> NDArray[np.bool_]:
        """Rows for which nothing was proven: no bound, or one that holds for all outputs."""
        return ~(self._is_bounded() & self.guaranteed & (self.input_radius > 0))

    def _is_bounded(self) -> NDArray[np.bool_]:
        if self.output_radius is not None:
            return np.asarray(
                self.output_radius < self.distance.from_metric(self.distance.diameter)
            )
        if not len(self):
            return np.zeros(0, dtype=bool)
        bounds = np.stack([self._lower(), self._upper()]).reshape(2, len(self), -1)
        return np.asarray(np.isfinite(bounds).any(axis=(0, 2)))

    def output_bound(self) -> NDArray[np.float64]:
        """How far the output may be from a point within: one number per row.

        Returns
        -------
        bound : ndarray of shape (m,)
            The `output_radius`; for lower and upper bounds half the width of the interval, of the
            widest coordinate.
        """
        if self.output_radius is not None:
            return self.output_radius
        with np.errstate(invalid="ignore"):  # both infinite
            width = (self._upper() - self._lower()) / 2
        width = np.where(np.isnan(width), np.inf, width)
        return np.asarray(width.max(axis=tuple(range(1, width.ndim))))

    def _lower(self) -> NDArray[np.float64]:
        return np.full(len(self), -np.inf) if self.lower is None else self.lower

    def _upper(self) -> NDArray[np.float64]:
        return np.full(len(self), np.inf) if self.upper is None else self.upper

    def to_frame(self, *, index: Any = None) -> Any:
        """Table with one row per input.

        Parameters
        ----------
        index : pandas.Index or array-like of shape (m,), default=None
            Index of the table. None: that of the X that was certified, where it had one.

        Returns
        -------
        frame : pandas.DataFrame
            Columns `prediction` (and `lower`, `upper`; one column per coordinate, named
            ``prediction_<i>``, for vectors of at most 16 coordinates, and none for larger
            outputs), `input_radius`, `output_radius`, `smoothing_error` and `abstained`; and in
            every row what the statement is about: `norm` (of the inputs), `alpha`,
            `n_simultaneous`, `noise`, `noise_step` (missing where nothing was rounded) and
            `distance`; with a `feature_scale` also `units`, which is "scaled".

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        columns: dict[str, Any] = {}
        for name in ("prediction", "lower", "upper"):
            columns.update(_columns(name, getattr(self, name)))
        columns["input_radius"] = self.input_radius
        if self.output_radius is not None:
            columns["output_radius"] = self.output_radius
        columns["smoothing_error"] = self.smoothing_error
        columns["abstained"] = self.abstained
        return self._framed(columns, index)

    def _constants(self) -> dict[str, Any]:
        return {
            "norm": 2,
            **super()._constants(),
            "noise": repr(self.noise),
            "noise_step": self.noise_step,
            "distance": repr(self.distance),
        }

    def __repr__(self) -> str:
        level = "exact" if self.budget is None else self.budget.describe("radii")
        step = "" if self.noise_step is None else f", rounded to {self.noise_step:.3g}"
        lines = [
            f"RegressionCertificate: {len(self)} rows, {self.distance!r}, {self.noise!r}{step}, "
            f"{level}"
        ]
        if len(self):
            low, high = self.input_radius.min(), self.input_radius.max()
            lines.append(
                f"  input radius {low:.4g}{f' to {high:.4g}' if high > low else ''}"
                f"{self._in_units}, abstained "
                f"{self.abstained.mean():.1%}"
            )
            if self.output_radius is not None:
                lines.append(f"  output radius median {np.median(self.output_radius):.4g}")
            elif not self.abstained.all():
                half = np.median(self.output_bound())
                lines.append(f"  bounds: median of half the width {half:.4g}")
            lines.append(f"  smoothing error median {np.median(self.smoothing_error):.4g}")
        return "\n".join(lines)


def _columns(name: str, values: NDArray[Any] | None) -> dict[str, Any]:
    if values is None:
        return {}
    if values.ndim == 1:
        return {name: values}
    flat = values.reshape(len(values), -1)
    if flat.shape[1] > _MOST_COLUMNS:
        return {}
    return {f"{name}_{j}": flat[:, j] for j in range(flat.shape[1])}
