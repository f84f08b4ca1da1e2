"""Results: frozen records of arrays, one entry per row of X."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sksmooth.arguments._numbers import read_norm
from sksmooth.certificates._base import Certificate
from sksmooth.certificates._counts import check_draws, check_votes, positions_of, ranked_classes
from sksmooth.certificates._error_budget import ErrorBudget
from sksmooth.certificates._raw_units import budgets, checked_widths, uniform_box
from sksmooth.certificates._votes import n_bounds_of_vote, proven_by_votes
from sksmooth.inputs._containers import Inputs
from sksmooth.limits import largest_radius
from sksmooth.noise import Noise, UniformNoise
from sksmooth.noise._categories._after import AfterChanges
from sksmooth.noise._categories._columns import CategoryColumns
from sksmooth.noise._lattice import Rounding

# What is covered where the radius is one of shifts by whole pixels.
_SHIFTS = {
    "wrap": "what leaves on one side comes in on the other",
    "zeros": "what leaves is lost, and zeros come in",
}


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
        Every perturbation of at most this size, in `norm` and in the units of X (in scaled units
        where `feature_scale` is given), leaves the prediction as it is; with `top_k`, leaves the
        first class of the prediction among the `top_k` with the most votes. 0 where abstained.
        Under noise that transforms inputs it is the size of the parameter; `attack` says of what.
    abstained : ndarray of bool of shape (m,)
        Rows for which nothing was proven.
    certified : ndarray of bool of shape (m,)
        Rows for which the radius asked for was proven (`target_radius`; any radius at all where
        none was asked for).
    p_lower : ndarray of shape (m,)
        Lower confidence bound of the class probability of `prediction`.
    p_upper : ndarray of shape (m,)
        Upper confidence bound of the class probability of every other class.
    counts : ndarray of shape (m, n_classes)
        Votes per class, in the order of `classes`.
    n_draws : ndarray of shape (m,)
        Number of draws of each row, without those that selected the prediction. Where `counts`
        holds fewer votes, rounding might have changed the others: they are for nobody, and are
        counted for every class but the prediction.
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
    perturbed : {"real", "grid", "wrap", "zeros"}
        What the perturbed inputs are: any rows of real numbers; rows whose features lie on the
        levels that the smoother was told; or rows shifted by whole pixels, around a circle or with
        zeros that come in.
    shift_sigma : float or None
        Standard deviation of the whole shifts that the answers of a model were averaged over.
    shift_axes, image_shape : tuple of int or None
        Axes of the image in each row that whole shifts are along, and its shape.
    label_radius : ndarray of shape (m, top_k) or None
        With `top_k`, the radius of each class of the prediction: within it this class stays among
        the `top_k` with the most votes. They hold together. The first column is `radius`.
    selection : ndarray of shape (m, n_classes) or None
        Votes of the draws that selected the prediction, which :meth:`at` asks about `top_k`.
    noise_step : float or None
        Step of the lattice that inputs and noise were rounded to before they were added. The
        radius is smaller by what rounding may move, so that it holds in floating point. None:
        there was no sum to round.
    moved : ndarray of shape (m, 3) or None
        How far each row was moved when it was rounded, in the norms 1, 2 and inf.
    row_ids : ndarray of uint64 of shape (m,) or None
        Fingerprints of the rows, and
    fit_id : str or None
        that of the fit of the smoother: a decision is continued for the same rows and model only.
    index : pandas.Index or None
        Index of the X that was certified, where it had one.
    feature_scale : ndarray of shape (n_columns,) or None
        Scale of each column: the radius is that of ``delta / feature_scale``, and columns of scale
        0 do not change. None: it is in the units of X.
    categories : CategoryColumns or None
        Noise on the categorical columns, whose changes :meth:`radius_after` counts; `radius` is
        about rows whose categories do not change.
    levels : ndarray of int of shape (m, n_categories) or None
        Positions of the levels of each row in them.
    changes : int or None
        Number of changed categories that was asked about, together with `target_radius`.
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
        "selection",
        "moved",
        "row_ids",
        "levels",
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
    shift_sigma: float | None = None
    shift_axes: tuple[int, ...] | None = None
    image_shape: tuple[int, ...] | None = None
    selection: NDArray[np.int64] | None = None
    noise_step: float | None = None
    moved: NDArray[np.float64] | None = None
    row_ids: NDArray[np.uint64] | None = None
    fit_id: str | None = None
    index: Any = None
    feature_scale: NDArray[np.float64] | None = None
    categories: CategoryColumns | None = None
    levels: NDArray[np.int64] | None = None
    changes: int | None = None

    @property
    def attack(self) -> str | None:
        """What is covered, in words, where that is no ball of inputs: a transformation of them."""
        if self.perturbed in _SHIFTS:
            return (
                f"x shifted by whole pixels a for |a|_2 <= radius, along axes {self.shift_axes} of "
                f"{self.image_shape}: {_SHIFTS[self.perturbed]}"
            )
        return None if self.noise is None else self.noise.attack

    @property
    def radius_of(self) -> str | None:
        """What the radius is the size of, and its unit, where that is no perturbation of inputs."""
        if self.perturbed in _SHIFTS:
            return "shift, pixels"
        return None if self.noise is None else self.noise.radius_of

    @property
    def ranges(self) -> dict[str, NDArray[np.float64]]:
        """Ranges of the parameters of a transformation that are covered, by their names.

        Each is an array of shape (m, 2). Empty where the radius is one of perturbations of inputs.
        """
        return {} if self.noise is None else self.noise.ranges(self.radius)

    @property
    def _input_ball(self) -> tuple[NDArray[np.float64], float]:
        if self.attack is not None:
            raise ValueError(
                f"This certificate is about no ball of inputs. It covers {self.attack}: see ranges."
            )
        return self.radius, self.norm

    def of_inputs(self, inputs: Inputs) -> ClassificationCertificate:
        """Return the certificate with the index and the scale of the inputs that it is about.

        Quotients of X and the scale are rounded. Where inputs were rounded to a lattice, what they
        moved counts that.
        """
        about = super().of_inputs(inputs)
        if self.noise_step is not None or inputs.scale is None:
            return about
        return about._less(inputs.blur(self.norm))

    def _less(self, taken: NDArray[np.float64]) -> ClassificationCertificate:
        """Return the certificate of radii that are smaller by so much."""
        radius = np.maximum(self.radius * (1.0 - 4e-16) - taken, 0.0)
        label_radius = self.label_radius
        if label_radius is not None:
            label_radius = np.maximum(label_radius * (1.0 - 4e-16) - taken[:, None], 0.0)
        return replace(self, radius=radius, label_radius=label_radius)

    def _taken_by_quotients(self) -> NDArray[np.float64]:
        """Bound what was taken from radii of splitting noise as X was divided by a scale."""
        if self.noise_step is not None or self.feature_scale is None:
            return np.zeros(len(self))
        with np.errstate(invalid="ignore"):
            taken = self._again().radius - self.radius
        taken = np.where(np.isfinite(taken), np.maximum(taken, 0.0), 0.0)
        return np.asarray(taken * (1.0 + 1e-9))

    def radius_after(self, changes: int) -> NDArray[np.float64]:
        """Radius of numeric columns that holds after changes of categorical columns as well.

        Parameters
        ----------
        changes : int
            Number of categorical columns under noise that change, each to any other level; which
            ones is the worst choice.

        Returns
        -------
        radius : ndarray of shape (m,)
            In `norm`, and in the units of `radius`; 0 where the changes alone may change the
            prediction. With 0 changes it is `radius`. With `top_k`, that of the first class.

        Raises
        ------
        ValueError
            If there are no categorical columns under noise.
        """
        if not isinstance(changes, Integral) or isinstance(changes, bool) or changes < 0:
            raise ValueError(f"changes must be a whole number, and not negative; got {changes!r}.")
        if changes == 0:
            return self.radius
        if self.categories is None or self.noise is None or self.budget is None:
            raise ValueError(
                "This certificate is about no noise on categories: fit with categorical="
                "CategoryNoise(...) and categorical columns."
            )
        levels = None if self.categories.weights is None else self.levels
        noise: Any = AfterChanges(self.noise, self.categories, int(changes), levels)
        return proven_by_votes(
            self.counts,
            self.n_draws,
            positions_of(self.prediction, self.classes),
            self.budget,
            bilateral=self.bilateral,
            noise=noise,
            n_features=self.n_features,
            norm=self.norm,
            rounding=Rounding.of(self.noise_step, self.noise, self.n_features, self.moved),
        ).radius

    def largest_box(self, widths: ArrayLike | None = None) -> NDArray[np.float64]:
        """Half-widths of the largest box in which the prediction stays.

        Parameters
        ----------
        widths : array-like of shape (n_columns,), default=None
            Shape of the box: its half-widths up to a factor, in the units of X. None: the scale
            of the columns.

        Returns
        -------
        half_widths : ndarray of shape (m, n_columns)
            In the units of X, rounded down: each column may move by its own, all at once. For
            uniform noise it is the largest box that the votes prove, which is larger than any
            inside the ball of the radius.
        """
        inside = super().largest_box(widths)
        if not isinstance(self.noise, UniformNoise) or self.top_k > 1:
            return inside
        rounding = Rounding.of(self.noise_step, self.noise, self.n_features, self.moved)
        lead = rounding.lower(self.p_lower) - rounding.upper(self.p_upper)
        lead = np.where(self.radius > 0, np.maximum(lead, 0.0), 0.0)
        half_width, scale = float(self.noise.sigma) * np.sqrt(3), self._scale()
        exact = uniform_box(lead, half_width, scale, checked_widths(widths, scale))
        moved = np.zeros(len(self)) if self.moved is None else self.moved[:, -1]
        move = (moved + rounding.half_cell(np.inf)) * (1.0 + 1e-15)  # of every column
        shifted = np.where(exact > 0, exact - budgets(move, scale) * (1.0 + 1e-14), 0.0)
        larger = (shifted >= inside).all(axis=1, keepdims=True)  # one box or the other, no mixture
        return np.where(larger, shifted, inside)

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
        selection: NDArray[np.int64] | None = None,
        n_draws: NDArray[np.int64] | None = None,
        noise_step: float | None = None,
        moved: NDArray[np.float64] | None = None,
        categories: CategoryColumns | None = None,
        levels: NDArray[np.int64] | None = None,
        changes: int | None = None,
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
        selection : ndarray of shape (m, n_classes), optional
            Votes of the draws that selected the prediction; kept for :meth:`at`.
        n_draws : ndarray of shape (m,), optional
            Number of draws of each row, where some votes are for nobody. By default all are in
            `counts`.
        noise_step : float, optional
            Step of the lattice that inputs and noise were rounded to; the radius shrinks by what
            that may move. None: they were not rounded, and the radius is that of exact sums.
        moved : ndarray of shape (m, 3), optional
            How far each row was moved when it was rounded, in the norms 1, 2 and inf. By default
            as far as any row may.
        categories : CategoryColumns, optional
            Noise on categorical columns, and
        levels : ndarray of int of shape (m, n_categories), optional
            positions of the levels of each row in them.
        changes : int, optional
            Number of changed categories to decide on.

        Returns
        -------
        certificate : ClassificationCertificate

        Raises
        ------
        ValueError
            If `alpha` is out of range, or if predictions, votes and classes do not go together.

        References
        ----------
        .. [1] Cohen, J., Rosenfeld, E. and Kolter, Z. (2019). Certified adversarial robustness
           via randomized smoothing. ICML 2019, section 3.2.
        .. [2] Jia, J., Cao, X., Wang, B. and Gong, N. Z. (2020). Certified robustness for top-k
           predictions against adversarial perturbations via randomized smoothing. ICLR 2020
           (for `top_k`).
        """
        counts, classes = np.asarray(counts), np.asarray(classes)
        budget = alpha if isinstance(alpha, ErrorBudget) else ErrorBudget(float(alpha))
        check_votes(prediction, counts, classes, budget, top_k, target_radius)
        n_draws = counts.sum(axis=1) if n_draws is None else np.asarray(n_draws)
        check_draws(n_draws, counts)
        bilateral = bool(bilateral) and len(classes) > 2 and top_k == 1
        budget = budget.for_bounds(n_bounds_of_vote(len(classes), bilateral, top_k))
        norm = noise.norm if norm is None else read_norm(norm)
        proven = proven_by_votes(
            counts,
            n_draws,
            positions_of(prediction, classes),
            budget,
            bilateral=bilateral,
            noise=noise,
            n_features=n_features,
            norm=norm,
            rounding=Rounding.of(noise_step, noise, n_features, moved),
        )
        return cls(
            prediction=prediction,
            counts=counts,
            n_draws=n_draws,
            classes=classes,
            norm=norm,
            budget=budget,
            noise=noise,
            n_features=n_features,
            target_radius=target_radius,
            bilateral=bilateral,
            top_k=top_k,
            selection=selection,
            noise_step=noise_step,
            moved=moved,
            categories=categories,
            levels=levels,
            changes=changes,
            **proven._asdict(),
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
            Exact (its `alpha` is None) and without noise. The class probabilities are
            those of a classifier that always gives the same answer: 1 and 0.
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
        radius = self.radius_after(self.changes) if self.changes else self.radius
        proven = radius > 0
        return proven if self.target_radius is None else proven & (radius >= self.target_radius)

    @property
    def n_predicted(self) -> int:
        """Number of different classes among the (first) predictions.

        One class for all rows says that the model is constant, or that noise drowns what it goes
        by: its radii prove nothing of use, however large they are.
        """
        first = self.prediction if self.prediction.ndim == 1 else self.prediction[:, 0]
        return len(np.unique(first))

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
            noise_step=self.noise_step,
        )

    def at(
        self,
        *,
        alpha: float | None = None,
        norm: float | None = None,
        bilateral: bool | None = None,
        top_k: int | None = None,
    ) -> ClassificationCertificate:
        """Certificate from the same votes, of another statement.

        Parameters
        ----------
        alpha : float, default=None
            Failure probability in (0, 0.5). It has to be chosen before the votes are looked at,
            like any level of confidence, and so has everything that is asked for here.
        norm : float, default=None
            Norm of the radius, from 1 to ``numpy.inf``, that the noise certifies in. A radius that
            was asked for in another norm is forgotten.
        bilateral : bool, default=None
            Whether the other classes are bounded by their own votes.
        top_k : int, default=None
            Number of places that the predicted class may fall back to. The classes are ranked by
            the draws that selected the prediction.

        Returns
        -------
        certificate : ClassificationCertificate
            What is None stays as it is.

        Raises
        ------
        ValueError
            If the certificate is exact, if `alpha` is out of range, if the noise certifies nothing
            in the norm, or if the votes that ranked the classes are not known.

        Examples
        --------
        >>> import numpy as np
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = np.array([[0.0], [1.0]] * 20), np.array([0, 1] * 20)
        >>> clf = SmoothedClassifier(noise="laplace", sigma=0.2, random_state=0)
        >>> certificate = clf.fit(X, y).certify(X[:2])
        >>> bool((certificate.at(alpha=1e-6).radius < certificate.radius).all())
        True
        """
        if self.budget is None:
            raise ValueError(
                "This certificate is exact (alpha is None): it holds at every level, and there are "
                "no votes that could prove another statement."
            )
        if alpha is not None and not 0 < alpha < 0.5:
            raise ValueError(f"alpha must lie in (0, 0.5), got {alpha!r}.")
        assert self.noise is not None  # there were votes
        if (self.alpha_spent > 1).any():
            raise ValueError(
                "This certificate decides its rows together by the method of Holm, at the radius "
                "that it was asked for. Ask the certificate that it was made from."
            )
        norm = self.norm if norm is None else read_norm(norm)
        same_norm = norm == self.norm
        top_k = self.top_k if top_k is None else top_k
        other = ClassificationCertificate.from_counts(
            self._ranked(top_k),
            self.counts,
            classes=self.classes,
            noise=self.noise,
            n_features=self.n_features,
            alpha=replace(self.budget, alpha=self.budget.alpha if alpha is None else float(alpha)),
            norm=norm,
            bilateral=self.bilateral if bilateral is None else bilateral,
            top_k=top_k,
            target_radius=self.target_radius if same_norm else None,
            selection=self.selection,
            n_draws=self.n_draws,
            noise_step=self.noise_step,
            moved=self.moved,
            categories=self.categories,
            levels=self.levels,
            changes=self.changes if same_norm else None,
        )
        about = replace(other, index=self.index, feature_scale=self.feature_scale)
        taken = self._taken_by_quotients()
        return about._less(taken) if taken.any() else about

    def holm(self, radius: ArrayLike) -> ClassificationCertificate:
        """Decide all rows together at one radius, by the step-down method of Holm.

        Whoever is certified at a level of alpha over the number of rows is. The others share alpha
        among themselves then, and so on. This holds under any dependence of the rows, and so with
        draws that rows share; it certifies all rows that `simultaneous=True` does, and more.

        Parameters
        ----------
        radius : float or array-like of shape (m,)
            Radius of each row, chosen before the votes were looked at.

        Returns
        -------
        certificate : ClassificationCertificate
            `radius` is that asked for where it is proven, and 0 elsewhere: with probability at
            least ``1 - alpha`` no row is certified that should not be. Bounds are those of the
            level that a row was decided at, each by itself.

        Raises
        ------
        ValueError
            If the certificate is exact, if draws stopped when rows were decided, or with `top_k`.

        References
        ----------
        .. [1] Holm, S. (1979). A simple sequentially rejective multiple test procedure.
           Scandinavian Journal of Statistics 6, 65-70.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.neighbors import KNeighborsClassifier
        >>> from sksmooth import SmoothedClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = SmoothedClassifier(KNeighborsClassifier(), n_estimation=500, random_state=0)
        >>> certificate = clf.fit(X, y).certify(X[::10])
        >>> together = certificate.holm(0.2)
        >>> together.n_simultaneous, bool(together.certified.sum() <= certificate.certified.sum())
        (15, True)
        """
        target = np.broadcast_to(np.asarray(radius, dtype=float), len(self)).copy()
        self._refuse_holm(target)
        assert self.budget is not None
        m = max(len(self), self.n_simultaneous)
        taken = self._taken_by_quotients()
        spent, decided = np.ones(len(self)), np.zeros(len(self), bool)
        while not decided.all():
            level = m / (m - int(decided.sum()))
            spent[~decided] = level * (1.0 - 1e-15)
            budget = replace(self.budget, n_statements=m, spent=spent)
            together = replace(self, budget=budget, target_radius=target)._again()
            proven = (together.radius - taken >= target) & (together.radius > 0)
            if not (proven & ~decided).any():
                break
            decided |= proven
        if not len(self):
            return replace(self, budget=replace(self.budget, n_statements=max(m, 1)))
        return replace(together, radius=np.where(decided, target, 0.0), index=self.index)

    def _refuse_holm(self, target: NDArray[np.float64]) -> None:
        if not (np.isfinite(target) & (target > 0)).all():
            raise ValueError("radius must be positive and finite: Holm decides at a fixed radius.")
        if self.budget is None:
            raise ValueError("This certificate is exact: it holds for all rows together as it is.")
        if self.n_calls or (self.alpha_spent != 1).any():
            raise ValueError(
                "Draws of this certificate stopped when rows were decided, each at its own level. "
                "Make it without radius, then ask holm(radius), or certify with "
                "simultaneous='holm'."
            )
        if self.top_k > 1 or self.changes:
            raise ValueError("The method of Holm is for one place (top_k=1), and without changes.")

    def _again(self) -> ClassificationCertificate:
        """Return the certificate of the same votes, at the levels of its budget."""
        assert self.noise is not None  # there were votes
        assert self.budget is not None
        other = ClassificationCertificate.from_counts(
            self.prediction,
            self.counts,
            classes=self.classes,
            noise=self.noise,
            n_features=self.n_features,
            alpha=self.budget,
            norm=self.norm,
            bilateral=self.bilateral,
            top_k=self.top_k,
            target_radius=self.target_radius,
            selection=self.selection,
            n_draws=self.n_draws,
            noise_step=self.noise_step,
            moved=self.moved,
            categories=self.categories,
            levels=self.levels,
        )
        return replace(other, feature_scale=self.feature_scale)

    def _ranked(self, top_k: int) -> NDArray[Any]:
        """Return the classes that are predicted, where so many are asked for."""
        if top_k == self.top_k:
            return self.prediction
        if top_k < 1 or self.selection is None or top_k >= len(self.classes):
            raise ValueError(
                f"top_k={top_k!r} needs the votes that ranked the classes, and has to be from 1 to "
                f"{len(self.classes) - 1}, one less than the number of classes. Call certify with "
                "top_k."
            )
        return ranked_classes(self.selection, self.classes, top_k)

    def to_frame(self, *, index: Any = None) -> Any:
        """Table with one row per input.

        Parameters
        ----------
        index : pandas.Index or array-like of shape (m,), default=None
            Index of the table. None: that of the X that was certified, where it had one.

        Returns
        -------
        frame : pandas.DataFrame
            Columns `prediction`, `radius`, `certified`, `abstained`, `target_radius` where a radius
            was asked for, and where there were votes
            `p_lower`, `p_upper`, `n_draws` and one column per class, named ``votes_<class>``.
            With `top_k`, `prediction` is the first class, and the others and their radii are in
            columns `prediction_2`, `radius_2` and so on. What the statement is about is repeated
            in every row, so that it survives any file format: `norm`, `alpha` (missing where the
            certificate is exact), `n_simultaneous` (rows that share alpha), `noise`, `noise_step`
            (missing where nothing was rounded), and `n_predicted`, the number of classes that are
            predicted at all; with a `feature_scale` also `units`, which is "scaled".

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        columns = {
            "prediction": self.prediction if self.top_k == 1 else self.prediction[:, 0],
            "radius": self.radius,
            "certified": self.certified,
            "abstained": self.abstained,
        }
        for name, ends in self.ranges.items():
            columns |= {f"{name}_low": ends[:, 0], f"{name}_high": ends[:, 1]}
        if self.target_radius is not None:
            columns["target_radius"] = self.target_radius
        if self.noise is not None:
            columns |= {
                "p_lower": self.p_lower,
                "p_upper": self.p_upper,
                "n_draws": self.n_draws,
            }
            if self.label_radius is not None:
                for j in range(1, self.top_k):
                    columns[f"prediction_{j + 1}"] = self.prediction[:, j]
                    columns[f"radius_{j + 1}"] = self.label_radius[:, j]
            columns |= {f"votes_{c}": self.counts[:, j] for j, c in enumerate(self.classes)}
        return self._framed(columns, index)

    def _constants(self) -> dict[str, Any]:
        return {
            "norm": self.norm,
            **super()._constants(),
            "noise": None if self.noise is None else repr(self.noise),
            "noise_step": self.noise_step,
            "n_predicted": self.n_predicted,
            **({} if self.changes is None else {"changes": self.changes}),
            **({} if self.attack is None else {"attack": self.attack}),
            **({} if self.shift_sigma is None else {"shift_sigma": self.shift_sigma}),
        }

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
        if self.shift_sigma is not None:
            noise = f"averaged over whole shifts, sigma={self.shift_sigma:g}"
        where = " for rows on the grid" if self.perturbed == "grid" else ""
        step = "" if self.noise_step is None else f", rounded to {self.noise_step:.3g}"
        norm = f"l{self.norm:g} norm, " if self.attack is None else ""
        lines = [
            f"ClassificationCertificate: {len(self)} rows, {norm}{noise}{step}, {top}{level}{where}"
        ]
        if len(self):
            lines += [
                f"  certified {self.certified.mean():.1%}, abstained {self.abstained.mean():.1%}, "
                f"predicts {self.n_predicted} of {len(self.classes)} classes",
                f"  radius median {np.median(self.radius):.4g}, largest {self.radius.max():.4g} "
                f"of {self.max_radius():.4g} within reach{self._in_units}",
            ]
        if self.attack is not None:
            lines.append(f"  covers {self.attack}")
        if len(self) and self.categories is not None:
            most = min(3, len(self.categories))
            after = ", ".join(
                f"{np.median(self.radius_after(s)):.4g} after {s}" for s in range(1, most + 1)
            )
            lines.append(
                f"  changes of {len(self.categories)} categorical columns: radius median {after}"
            )
        if len(self) and self.noise is not None:
            lines.append(f"  draws per row {_span(self.n_draws)}")
        return "\n".join(lines)


def _span(values: NDArray[Any]) -> str:
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low} to {high}"
