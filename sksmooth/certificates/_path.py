"""What has been proven about images under a transformation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates._base import Certificate
from sksmooth.certificates._error_budget import ErrorBudget
from sksmooth.noise import Noise
from sksmooth.transformations import Transformation


@dataclass(frozen=True, eq=False, repr=False)
class PathCertificate(Certificate):
    """By how much m images may be transformed without a change of the prediction.

    Slicing with an integer, a slice, a mask or an index array gives the certificate of those
    rows; ``len`` is the number of rows.

    Attributes
    ----------
    prediction : ndarray of shape (m,)
        Class of each image, whether or not anything was proven about it.
    left, right : ndarray of shape (m,)
        For every parameter from `left`, which is not positive, to `right`, which is not negative,
        the transformed image has the class `prediction`. In the unit of the transformation. Both
        are 0 where abstained.
    abstained : ndarray of bool of shape (m,)
        Rows for which nothing was proven, not even for the image itself.
    certified : ndarray of bool of shape (m,)
        Rows for which the whole range that was asked for was proven.
    symmetric : ndarray of shape (m,)
        Largest parameter that was proven to both sides.
    n_anchors : ndarray of int of shape (m,)
        Transformed images that were voted on.
    n_draws : ndarray of int of shape (m,)
        Noisy images that the model was asked about, those that selected the prediction included.
        0 where class probabilities were known.
    classes : ndarray of shape (n_classes,)
        Labels of the classes.
    transformation : Transformation
        What was asked about: what is done to images, and the range of its parameter.
    tolerance : float
        How far the attacked image may be from the transformed one besides, in l2 and in the units
        of X.
    rho : float
        Largest radius of a ball around an anchor, in l2, where noise is added.
    shape : tuple of int
        Shape of one input.
    before : str or None
        What images went through before noise was added.
    budget : ErrorBudget or None
        Who gets which part of alpha. None: the statement is exact.
    alpha : float or None
        Probability, for each row, that its statement is wrong; for all rows together where
        `n_simultaneous` is above 1. None: the statement is exact.
    n_simultaneous : int
        Number of rows among which `alpha` is shared.
    noise : Noise
        The smoothing distribution.
    statement : str
        What is proven, and what is not, in words.
    index : pandas.Index or None
        Index of the X that was certified, where it had one.

    See Also
    --------
    sksmooth.certify_path : Makes one.
    """

    ROW_FIELDS: ClassVar[tuple[str, ...]] = ("prediction", "left", "right", "n_anchors", "n_draws")

    prediction: NDArray[Any]
    left: NDArray[np.float64]
    right: NDArray[np.float64]
    n_anchors: NDArray[np.int64]
    n_draws: NDArray[np.int64]
    classes: NDArray[Any]
    transformation: Transformation
    tolerance: float
    rho: float
    shape: tuple[int, ...]
    noise: Noise
    budget: ErrorBudget | None
    before: str | None = None
    index: Any = None

    @property
    def abstained(self) -> NDArray[np.bool_]:
        """Rows for which nothing was proven."""
        return (self.left == 0) & (self.right == 0)

    @property
    def certified(self) -> NDArray[np.bool_]:
        """Rows for which the whole range that was asked for was proven."""
        largest = self.transformation.largest
        return (self.left <= -largest) & (self.right >= largest)

    @property
    def symmetric(self) -> NDArray[np.float64]:
        """Largest parameter that was proven to both sides."""
        return np.minimum(-self.left, self.right)

    def max_radius(self) -> float:
        """Largest parameter that was asked about, to either side.

        Returns
        -------
        radius : float
            In the unit of the transformation.
        """
        return self.transformation.largest

    @property
    def statement(self) -> str:
        """What is proven, and what is not, in words."""
        what, unit = self.transformation, self.transformation.unit
        behind = "" if self.before is None else f" behind {self.before}"
        room = "" if not self.tolerance else f", and everything within {self.tolerance:.4g} of it"
        if self.budget is None:
            chance = "This is exact."
        else:
            rows = "all rows together" if self.n_simultaneous > 1 else "each row"
            chance = (
                f"For {rows} this is wrong with a probability of at most {self.alpha:g}, over the "
                "noise that was drawn."
            )
        return (
            f"For every t from left to right ({unit}), the image of {what.layout(self.shape)} "
            f"{what.words}, t being how far, by bilinear interpolation with zeros outside{room} "
            f"(l2, in the units of X), is given the class `prediction` by the smoothed classifier"
            f"{behind}. {chance} Nothing is said about other interpolations or borders, unless "
            "their images are as near as that; about parameters beyond left and right; about other "
            "changes of the image; or about the base model without noise."
        )

    def to_frame(self, *, index: Any = None) -> Any:
        """Table with one row per input.

        Parameters
        ----------
        index : pandas.Index or array-like of shape (m,), default=None
            Index of the table. None: that of the X that was certified, where it had one.

        Returns
        -------
        frame : pandas.DataFrame
            Columns `prediction`, `left`, `right`, `certified`, `abstained`, `n_anchors` and
            `n_draws`. What the statement is about is repeated in every row: `transformation`,
            `unit`, `tolerance`, `before`, `noise`, `alpha` (missing where the certificate is
            exact) and `n_simultaneous`.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        names = ("prediction", "left", "right", "certified", "abstained", "n_anchors", "n_draws")
        return self._framed({name: getattr(self, name) for name in names}, index)

    def _constants(self) -> dict[str, Any]:
        return {
            "transformation": repr(self.transformation),
            "unit": self.transformation.unit,
            "tolerance": self.tolerance,
            "before": self.before,
            "noise": repr(self.noise),
            **super()._constants(),
        }

    def _refuse_to_join(self, other: PathCertificate) -> None:
        super()._refuse_to_join(other)
        if self.n_simultaneous > 1:
            raise ValueError(
                "Joint statements cannot be joined: each may be wrong with probability "
                f"alpha={self.alpha}, and so would be any part of each. Certify all rows in "
                "one call with simultaneous=True."
            )

    def __repr__(self) -> str:
        level = "exact" if self.budget is None else self.budget.describe("rows")
        room = f", tolerance {self.tolerance:.4g}" if self.tolerance else ""
        behind = "" if self.before is None else f" behind {self.before}"
        lines = [
            f"PathCertificate: {len(self)} rows, {self.transformation!r}{room}, "
            f"{self.noise!r}{behind}, {level}"
        ]
        if len(self):
            unit = self.transformation.unit
            lines += [
                f"  whole range certified {self.certified.mean():.1%}, abstained "
                f"{self.abstained.mean():.1%}",
                f"  left median {np.median(self.left):.4g}, right median "
                f"{np.median(self.right):.4g} of {self.transformation.largest:g} {unit}",
                f"  draws per row median {np.median(self.n_draws):.0f}, anchors median "
                f"{np.median(self.n_anchors):.0f}",
            ]
        return "\n".join(lines)
