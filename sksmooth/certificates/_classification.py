"""Results: frozen records of arrays, one entry per row of X."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sksmooth._optional import import_extra
from sksmooth.bounds import clopper_pearson_lower, clopper_pearson_upper, runner_up_upper_bound
from sksmooth.certificates._base import Certificate
from sksmooth.certificates._error_budget import ErrorBudget
from sksmooth.limits import largest_radius
from sksmooth.noise import Noise


@dataclass(frozen=True, eq=False, repr=False)
class ClassificationCertificate(Certificate):
    """What has been proven about the predictions for m inputs.

    Slicing with an integer, a slice, a mask or an index array gives the certificate of those
    rows; ``len`` is the number of rows.

    Attributes
    ----------
    prediction : ndarray of shape (m,), or (m, top_k) where `top_k` is above 1
        Class of each row, whether or not anything was proven about it; with `top_k` the classes
        with the most votes, in their order.
    radius : ndarray of shape (m,)
        Every perturbation of at most this size, in `norm` and in the units of X, leaves the
        prediction as it is; with `top_k`, leaves the first class of the prediction among the
        `top_k` with the most votes. 0 where abstained.
    abstained : ndarray of bool of shape (m,)
        Rows for which nothing was proven.
    certified : ndarray of bool of shape (m,)
        Rows for which the radius asked for was proven (`target_radius`; any radius at all where
        none was asked for).
    p_lower : ndarray of shape (m,)
        Lower confidence bound of the vote share of `prediction`.
    p_upper : ndarray of shape (m,)
        Upper confidence bound of the vote share of every other class.
    counts : ndarray of shape (m, n_classes)
        Votes per class, in the order of `classes`.
    n_draws : ndarray of shape (m,)
        Number of votes of each row that `counts` holds. The draws that selected the prediction
        are not among them.
    classes : ndarray of shape (n_classes,)
        Labels of the classes.
    norm : float
        Norm of the radius: 1, 2 or ``numpy.inf``.
    budget : ErrorBudget or None
        Who gets which part of alpha. None: the statement is exact.
    alpha : float or None
        Probability, for each row, that its statement is wrong; for all rows together where
        `n_simultaneous` is above 1. None: the statement is exact.
    noise : Noise or None
        The smoothing distribution. None: the certificate is of a classifier that is not smoothed
        by noise; there are no votes, and their shares are 1 and 0.
    n_features : int
        Number of features of one input.
    target_radius : ndarray of shape (m,) or None
        Radius that was asked for.
    bilateral : bool
        Whether the shares of the other classes were bounded too.
    n_simultaneous : int
        Number of rows among which `alpha` is shared.
    alpha_spent : ndarray of shape (m,)
        Part of the `alpha` of a row that its bounds were computed with: 1 where the number of
        draws was fixed in advance; less where sampling stopped when the row was decided.
    n_calls : int
        Number of sequential calls that the votes come from; 0 where the number of draws was
        fixed in advance.
    top_k : int
        Number of places that the predicted class may fall back to.
    perturbed : {"real", "grid"}
        What the perturbed inputs are: any rows of real numbers, or rows whose features lie on the
        levels that the smoother was told.
    label_radius : ndarray of shape (m, top_k) or None
        With `top_k`, the radius of each class of the prediction: within it this class stays among
        the `top_k` with the most votes. They hold together. The first column is `radius`.
    """

    ROW_FIELDS: ClassVar[tuple[str, ...]] = (
        "prediction",
        "radius",
        "p_lower",
        "p_upper",
        "counts",
        "n_draws",
        "target_radius",
        "label_radius",
    )

    prediction: NDArray[Any]
    radius: NDArray[np.float64]
    p_lower: NDArray[np.float64]
    p_upper: NDArray[np.float64]
    counts: NDArray[np.int64]
    n_draws: NDArray[np.int64]
    classes: NDArray[Any]
    norm: float
    budget: ErrorBudget | None
    noise: Noise | None
    n_features: int
    target_radius: NDArray[np.float64] | None = None
    bilateral: bool = False
    top_k: int = 1
    label_radius: NDArray[np.float64] | None = None
    perturbed: str = "real"

    @classmethod
    def from_counts(
        cls,
        prediction: NDArray[Any],
        counts: NDArray[np.int64],
        *,
        classes: NDArray[Any],
        noise: Noise,
        n_features: int,
        alpha: float | ErrorBudget,
        norm: float | None = None,
        bilateral: bool = False,
        top_k: int = 1,
        target_radius: NDArray[np.float64] | None = None,
    ) -> ClassificationCertificate:
        """Certify predictions from the votes on noisy copies.

        Parameters
        ----------
        prediction : ndarray of shape (m,) or (m, top_k)
            Labels, chosen independently of `counts`.
        counts : ndarray of shape (m, n_classes)
            Votes per class.
        classes : ndarray of shape (n_classes,)
            Labels of the columns of `counts`, sorted.
        noise : Noise
            Distribution of the noise that the votes were taken under.
        n_features : int
            Number of features of one input.
        alpha : float or ErrorBudget
            Failure probability of the certificate of one row, in (0, 0.5), or how it is shared.
        norm : float, optional
            Norm of the radius; the natural norm of the noise by default.
        bilateral : bool, default=False
            Bound the shares of the other classes by their own votes. Half of `alpha` goes to
            the predicted class and half to the others. With two classes this says nothing new,
            and is not done.
        top_k : int, default=1
            Certify that a label stays among this many with the most votes. The shares of all
            classes are bounded then, at alpha divided by their number.
        target_radius : ndarray of shape (m,), optional
            Radius to decide on.

        Returns
        -------
        certificate : ClassificationCertificate

        References
        ----------
        .. [1] Cohen, J., Rosenfeld, E. and Kolter, Z. (2019). Certified adversarial robustness
           via randomized smoothing. ICML 2019, section 3.2.
        .. [2] Jia, J., Cao, X., Wang, B. and Gong, N. Z. (2020). Certified robustness for top-k
           predictions against adversarial perturbations via randomized smoothing. ICLR 2020
           (for `top_k`).
        """
        bilateral = bilateral and len(classes) > 2 and top_k == 1
        budget = alpha if isinstance(alpha, ErrorBudget) else ErrorBudget(float(alpha))
        budget = budget.for_bounds(n_bounds_of_vote(len(classes), bilateral, top_k))
        norm = noise.norm if norm is None else norm
        n_draws, top = counts.sum(axis=1), _positions(prediction, classes)
        level = np.broadcast_to(np.asarray(budget.of_one_bound, dtype=float), n_draws.shape)
        label_radius = None
        if top_k > 1:
            p_lower, p_upper, label_radius = _certify_labels(
                counts, top, n_draws, level, noise=noise, n_features=n_features, norm=norm
            )
            radius = label_radius[:, 0]
        else:
            votes = np.take_along_axis(counts, top[:, None], axis=1)[:, 0]
            p_lower = clopper_pearson_lower(votes, n_draws, level)
            p_upper = 1.0 - p_lower
            if bilateral:
                runner_up = runner_up_upper_bound(counts, top, n_draws, level)
                p_upper = np.minimum(runner_up, p_upper)
            radius = noise.radius(p_lower, p_upper, n_features=n_features, norm=norm)
        return cls(
            prediction=prediction,
            radius=radius,
            p_lower=p_lower,
            p_upper=p_upper,
            counts=counts,
            n_draws=n_draws,
            classes=classes,
            norm=norm,
            budget=budget,
            noise=deepcopy(noise),
            n_features=n_features,
            target_radius=target_radius,
            bilateral=bilateral,
            top_k=top_k,
            label_radius=label_radius,
        )

    @classmethod
    def without_votes(
        cls,
        prediction: NDArray[Any],
        radius: NDArray[np.float64],
        *,
        classes: NDArray[Any],
        norm: float,
        n_features: int,
        target_radius: NDArray[np.float64] | None = None,
    ) -> ClassificationCertificate:
        """Certificate of a classifier whose radii are known in closed form.

        Parameters
        ----------
        prediction : ndarray of shape (m,)
            Labels.
        radius : ndarray of shape (m,)
            Radii, rounded down.
        classes : ndarray of shape (n_classes,)
            Labels of the classes, sorted.
        norm : float
            Norm of the radii.
        n_features : int
            Number of features of one input.
        target_radius : ndarray of shape (m,), optional
            Radius to decide on.

        Returns
        -------
        certificate : ClassificationCertificate
            Exact (its `alpha` is None) and without noise. The vote shares are those of
            a classifier that always gives the same answer: 1 and 0.
        """
        m = len(prediction)
        return cls(
            prediction=prediction,
            radius=radius,
            p_lower=np.ones(m),
            p_upper=np.zeros(m),
            counts=np.zeros((m, len(classes)), np.int64),
            n_draws=np.zeros(m, np.int64),
            classes=classes,
            norm=norm,
            budget=None,
            noise=None,
            n_features=n_features,
            target_radius=target_radius,
        )

    @property
    def alpha_spent(self) -> NDArray[np.float64]:
        """Part of the alpha of each row that its bounds were computed with."""
        spent = 1.0 if self.budget is None else self.budget.spent
        return np.broadcast_to(np.asarray(spent, dtype=float), len(self))

    @property
    def n_calls(self) -> int:
        """Number of sequential calls that the votes come from."""
        return 0 if self.budget is None else self.budget.n_calls

    @property
    def abstained(self) -> NDArray[np.bool_]:
        """Rows for which nothing was proven."""
        return self.radius <= 0

    @property
    def certified(self) -> NDArray[np.bool_]:
        """Rows for which the radius asked for was proven."""
        proven = ~self.abstained
        return (
            proven if self.target_radius is None else proven & (self.radius >= self.target_radius)
        )

    def max_radius(self) -> float:
        """Largest radius that any row could have reached: that of a unanimous vote.

        Returns
        -------
        radius : float
            0 for no rows; infinite where the certificate is exact.
        """
        if self.budget is None:
            return np.inf
        if not len(self):
            return 0.0
        assert self.noise is not None  # there were votes
        return largest_radius(
            self.noise,
            self.n_draws,
            self.budget.of_one_bound,
            n_features=self.n_features,
            norm=self.norm,
            top_k=self.top_k,
            n_classes=len(self.classes),
        )

    def at(self, *, alpha: float) -> ClassificationCertificate:
        """Certificate from the same votes at another level.

        Parameters
        ----------
        alpha : float
            Failure probability in (0, 0.5). It has to be chosen before the votes are looked at,
            like any level of confidence.

        Returns
        -------
        certificate : ClassificationCertificate

        Raises
        ------
        ValueError
            If the certificate is exact, or `alpha` is out of range.
        """
        if self.budget is None:
            raise ValueError("This certificate is exact (alpha is None): it holds at every level.")
        if not 0 < alpha < 0.5:
            raise ValueError(f"alpha must lie in (0, 0.5), got {alpha!r}.")
        assert self.noise is not None  # there were votes
        return ClassificationCertificate.from_counts(
            self.prediction,
            self.counts,
            classes=self.classes,
            noise=self.noise,
            n_features=self.n_features,
            alpha=replace(self.budget, alpha=float(alpha)),
            norm=self.norm,
            bilateral=self.bilateral,
            top_k=self.top_k,
            target_radius=self.target_radius,
        )

    def to_frame(self) -> Any:
        """Table with one row per input.

        Returns
        -------
        frame : pandas.DataFrame
            Columns `prediction`, `radius`, `certified`, `abstained`, and where there were votes
            `p_lower`, `p_upper`, `n_draws` and one column per class, named ``votes_<class>``.
            With `top_k`, `prediction` is the first class, and the others and their radii are in
            columns `prediction_2`, `radius_2` and so on.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        pandas = import_extra("pandas", extra="pandas", user="ClassificationCertificate.to_frame")
        columns = {
            "prediction": self.prediction if self.top_k == 1 else self.prediction[:, 0],
            "radius": self.radius,
            "certified": self.certified,
            "abstained": self.abstained,
        }
        if self.noise is None:
            return pandas.DataFrame(columns)
        columns |= {"p_lower": self.p_lower, "p_upper": self.p_upper, "n_draws": self.n_draws}
        if self.label_radius is not None:
            for j in range(1, self.top_k):
                columns[f"prediction_{j + 1}"] = self.prediction[:, j]
                columns[f"radius_{j + 1}"] = self.label_radius[:, j]
        votes = {f"votes_{c}": self.counts[:, j] for j, c in enumerate(self.classes)}
        return pandas.DataFrame({**columns, **votes})

    def _refuse_to_join(self, other: ClassificationCertificate) -> None:
        super()._refuse_to_join(other)
        if self.n_simultaneous > 1:
            raise ValueError(
                "Joint statements cannot be joined: each may be wrong with probability "
                f"alpha={self.alpha}, and so would be any part of each. Certify all rows in "
                "one call with simultaneous=True."
            )

    def __repr__(self) -> str:
        level = "exact" if self.budget is None else self.budget.describe("rows")
        top = f"top {self.top_k}, " if self.top_k > 1 else ""
        noise = "without noise" if self.noise is None else repr(self.noise)
        where = " for rows on the grid" if self.perturbed == "grid" else ""
        lines = [
            f"ClassificationCertificate: {len(self)} rows, l{self.norm:g} norm, {noise}, "
            f"{top}{level}{where}"
        ]
        if len(self):
            lines += [
                f"  certified {self.certified.mean():.1%}, abstained {self.abstained.mean():.1%}",
                f"  radius median {np.median(self.radius):.4g}, largest {self.radius.max():.4g} "
                f"of {self.max_radius():.4g} within reach",
            ]
        if len(self) and self.noise is not None:
            lines.append(f"  draws per row {_span(self.n_draws)}")
        return "\n".join(lines)


def _positions(prediction: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    """Positions of labels among the classes, which have to be sorted and hold them all."""
    if not (classes[:-1] < classes[1:]).all():
        raise ValueError(f"classes must be sorted and distinct, got {classes}.")
    positions = np.minimum(np.searchsorted(classes, prediction), len(classes) - 1)
    if not (classes[positions] == prediction).all():
        raise ValueError(f"prediction holds labels that are not among the classes {classes}.")
    return positions


def n_bounds_of_vote(n_classes: int, bilateral: bool, top_k: int) -> int:
    """Return how many confidence bounds the certificate of one row rests on."""
    if top_k > 1:
        return n_classes
    return 2 if bilateral and n_classes > 2 else 1


def _certify_labels(
    counts: NDArray[np.int64],
    labels: NDArray[np.intp],
    n_draws: NDArray[np.int64],
    alpha: NDArray[np.float64],
    **geometry: Any,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Radii within which labels stay among as many as there are; all bounds hold together.

    Returns
    -------
    p_lower, p_upper : ndarray of shape (m,)
        Of the first label and of its strongest competitor.
    radius : ndarray of shape (m, top_k)
    """
    upper = clopper_pearson_upper(counts, n_draws[:, None], alpha[:, None])
    top_k, noise = labels.shape[1], geometry.pop("noise")
    radius, strongest = np.zeros(labels.shape), np.zeros(labels.shape)
    p_lower = np.zeros(labels.shape)
    for j in range(top_k):
        own = labels[:, j, None]
        votes = np.take_along_axis(counts, own, axis=1)[:, 0]
        others = upper[np.arange(counts.shape[1]) != own].reshape(len(counts), counts.shape[1] - 1)
        p_lower[:, j] = clopper_pearson_lower(votes, n_draws, alpha)
        strongest[:, j] = others.max(axis=1, initial=0.0)
        radius[:, j] = noise.top_radius(p_lower[:, j], others, top_k, **geometry)
    return p_lower[:, 0], np.minimum(strongest[:, 0], 1.0 - p_lower[:, 0]), radius


def _span(values: NDArray[Any]) -> str:
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low} to {high}"
