"""Center smoothing: certificates for outputs in a metric space."""

from functools import partial
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sksmooth.certificates import ErrorBudget, RegressionCertificate
from sksmooth.certifiers._options import check_n_radii, check_radii
from sksmooth.certifiers.center._ranks import CenterBounds
from sksmooth.certifiers.center._search import METHODS, choose_rule
from sksmooth.distances import NAMES, Distance
from sksmooth.distances._checks import as_distance, check_distance
from sksmooth.engine._parallel import for_each_row
from sksmooth.engine._sampling import outputs_of_row
from sksmooth.engine._streams import Purpose
from sksmooth.estimators._base_regressor import BaseOutputSmoother
from sksmooth.exceptions import UnreachableRadiusError

# Averages of fresh outputs that are tried as centre, for the group certificate.
_MOST_GROUPS = 1000


class CenterSmoothedRegressor(BaseOutputSmoother):
    """Model with certificates for any output that a distance compares (center smoothing).

    For an input x, the base model answers for many noisy copies of x; the smoothed answer is the
    centre of a small ball that holds half of these outputs. :meth:`certify` bounds how far it
    moves when x is perturbed, whatever the base model is: numbers, vectors, boxes, masks, images,
    labels and distributions alike.

    Parameters
    ----------
    estimator : object, default=None
        Base model: anything with `fit` and one of `predict`, `transform`, `predict_proba`. Wrap
        a model that is already fitted in :class:`sklearn.frozen.FrozenEstimator`: any other is
        trained again. None: ridge regression.
    distance : str, Distance or callable, default="euclidean"
        Distance between outputs: a name from :mod:`sksmooth.distances`, an object from there, or
        a function ``function(outputs, output)`` that is a metric.
    sigma : float, default=0.25
        Standard deviation of the Gaussian noise per feature, in the units of X.
    n_center : int, default=10_000
        Outputs per row that make the answer.
    n_candidates : int, default=None
        Sampled outputs that are tried as centre. None: all of them.
    n_estimation : int, default=10_000
        Further outputs per row that certify it. The largest radius that can be certified grows
        with their logarithm; :meth:`max_radius` tells it.
    alpha : float, default=0.01
        For each perturbed input, the probability, in (0, 0.5), that the bound is wrong.
    center : {"auto", "sample", "shorth", "branch_and_bound", "finite"}, default="auto"
        How the centre is found. "shorth": exactly, for one number. "branch_and_bound": within 5 %
        of the best, for up to four coordinates. "finite": among all labels. "sample": the best
        sampled output, then refined; within twice the best, for every metric. "auto" takes the
        first of these that the outputs and the distance allow.
    beta : float, default=None
        Promise, for ``center="sample"``, that the radius of the centre is within `beta` of the
        best. It is checked for every answer, and where it cannot be shown the answer abstains
        (see :meth:`predict_or_abstain`). 1.05 to 1.5 suits outputs with hundreds of
        coordinates. None: no promise, and no abstention.
    group_size : int or "auto", default="auto"
        Also certify through the distances between averages of so many outputs and further
        outputs, which in high dimensions proves much more than the factor of "sample" does.
        Sizes above 1 need a distance with averages and draw further outputs. 0: off. "auto": 1
        for "sample" with all candidates and no promise, else 0.
    n_average : int, default=1
        Smooth the average of so many outputs instead of one. Outputs spread less and the
        perturbation counts for more, by the root of `n_average`. Choose it before certifying.
    integrate_alpha : bool, default=False
        Average over what is not known of the ball, which proves 1 to 2 % more, instead of
        splitting alpha into one half for the certificate and one for every perturbed input.
    response_method : {"auto", "predict", "transform", "predict_proba"}, default="auto"
        Method of the base model; "auto": the first of these that it has.
    n_augment : int, default=10
        `fit` trains the base model on this many noisy copies of each row. 0: on X itself.
    batch_size : int or "auto", default="auto"
        Largest number of noisy rows per call of the base model.
    n_jobs : int, default=None
        Number of workers over rows, as in joblib: threads.
    random_state : int, RandomState instance or None, default=None
        Seed of the noise, fixed at `fit`. None takes fresh entropy at each call. An adversary who
        knows the seed before choosing the input voids the guarantee.
    verbose : int or bool, default=False
        Show a progress bar.

    Attributes
    ----------
    estimator_ : object
        Fitted base model.
    distance_ : Distance
        Distance between outputs.
    center_ : str
        How the centre is found.
    beta_ : float
        Bound of the radius of the centre over that of the best.
    group_size_ : int
        Size of the groups of the group certificate; 0: none.
    noise_ : GaussianNoise
        Distribution of the noise.
    output_shape_ : tuple of int
        Shape of one output.
    response_method_ : str
        Method of the base model.
    n_features_in_ : int
        Number of features, if the base model has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the base model has them.

    See Also
    --------
    MedianSmoothedRegressor : Tighter for numbers, and for vectors coordinate by coordinate.
    RegressionCertificate : What `certify` returns.

    Notes
    -----
    The statement is about two sampled answers, that for x and that for x'. The proof needs them
    to be independent, so the noise that makes an answer is keyed by the seed and the values of
    the row: equal rows have equal answers, different rows independent noise. The noise that
    certifies is a stream of its own. It may be shared by rows, and even by an answer for x':
    whether the certified ball is large enough (a matter of x alone) and whether a fixed ball of
    that mass holds enough of the noise at x' are two events whose probabilities are added.

    The bound needs neither a second batch of outputs nor an abstention, and is never larger than
    that of the paper for the same centre: a ball with more than half of the mass at x', by enough,
    shares a sampled output with the ball of the answer for x'.

    References
    ----------
    .. [1] Kumar, A. and Goldstein, T. (2021). Center smoothing: certified robustness for networks
       with structured outputs. NeurIPS 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sksmooth import CenterSmoothedRegressor
    >>> X, y = load_diabetes(return_X_y=True, scaled=True)
    >>> smoother = CenterSmoothedRegressor(sigma=0.05, n_center=1000, random_state=0).fit(X, y)
    >>> certificate = smoother.certify(X[:3], radius=0.02)
    >>> bool((certificate.output_radius < 100).all())
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseOutputSmoother._parameter_constraints,
        "distance": [StrOptions(set(NAMES)), Distance, callable],
        "n_center": [Interval(Integral, 2, None, closed="left")],
        "n_candidates": [Interval(Integral, 1, None, closed="left"), None],
        "n_estimation": [Interval(Integral, 1, None, closed="left")],
        "center": [StrOptions({"auto", *METHODS})],
        "beta": [Interval(Real, 1, None, closed="left"), None],
        "group_size": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "n_average": [Interval(Integral, 1, None, closed="left")],
        "integrate_alpha": ["boolean"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        distance="euclidean",
        sigma=0.25,
        n_center=10_000,
        n_candidates=None,
        n_estimation=10_000,
        alpha=0.01,
        center="auto",
        beta=None,
        group_size="auto",
        n_average=1,
        integrate_alpha=False,
        response_method="auto",
        n_augment=10,
        batch_size="auto",
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.distance = distance
        self.sigma = sigma
        self.n_center = n_center
        self.n_candidates = n_candidates
        self.n_estimation = n_estimation
        self.alpha = alpha
        self.center = center
        self.beta = beta
        self.group_size = group_size
        self.n_average = n_average
        self.integrate_alpha = integrate_alpha
        self.response_method = response_method
        self.n_augment = n_augment
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def predict(self, X):
        """Centre of the outputs for `n_center` noisy copies of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        y : ndarray of shape (m, ...)
            Smoothed outputs.
        """
        return self._centers(self._read(X))[0]

    def predict_or_abstain(self, X):
        """Answer as `predict` does, and tell which answers no certificate speaks of.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        y : ndarray of shape (m, ...)
            Smoothed outputs.
        abstained : ndarray of bool of shape (m,)
            Rows for which the promise of `beta` could not be shown. Without a promise, none.
        """
        outputs, kept = self._centers(self._read(X))
        return outputs, ~kept

    def certify(self, X, *, radius=None, output_radius=None):
        """Bound how far the smoothed output moves when a row is perturbed.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        radius : float or array-like of shape (m,), default=None
            Size of the perturbation: l2 norm, in the units of X.
        output_radius : float, default=None
            The other way round: a distance between outputs, chosen before sampling, for which
            the largest input radius is wanted. One of the two is given.

        Returns
        -------
        certificate : RegressionCertificate
            For each row and every input x' within its `input_radius`: with probability at least
            ``1 - alpha`` over the noise, ``predict(x')`` is within `output_radius` of
            `prediction` (or abstains, where `beta` is a promise).

        Raises
        ------
        UnreachableRadiusError
            If the draws are too few for the radius; the message has the largest one.
        ValueError
            If X or a parameter cannot work; the message says which and what to do.
        """
        if (radius is None) == (output_radius is None):
            raise ValueError("Give either radius (of inputs) or output_radius, and not both.")
        if output_radius is not None:
            return self._certify_output_radius(self._read(X), output_radius)
        rows = self._read(X)
        radii = check_radii(radius, len(rows))
        self._refuse_unreachable(radii.max(initial=0.0))
        return self._certificates(rows, radii[None], 1)[0]

    def certify_curve(self, X, radii):
        """Certify several sizes of the perturbation from one sample, so that all hold together.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        radii : array-like of shape (n_radii,)
            Sizes of the perturbation: l2 norm, in the units of X.

        Returns
        -------
        certificates : list of RegressionCertificate
            One per radius. For each row the balls of all radii are large enough together: the
            level of the certifying draws is shared (union bound).
        """
        rows = self._read(X)
        radii = check_radii(radii, np.size(radii))
        check_n_radii(len(radii))
        self._refuse_unreachable(radii.max(), len(radii))
        repeated = np.repeat(radii[:, None], len(rows), axis=1)
        return self._certificates(rows, repeated, len(radii))

    def max_radius(self, *, n_radii=1):
        """Largest input radius that the numbers of draws can certify.

        Parameters
        ----------
        n_radii : int, default=1
            Number of radii that :meth:`certify_curve` is asked for.

        Returns
        -------
        radius : float
            In the units of X; 0 where nothing can be certified.
        """
        check_is_fitted(self)
        check_n_radii(n_radii)
        shift = self._bounds().max_shift(n_radii)
        return max(0.0, shift) * self.noise_.sigma / np.sqrt(self.n_average) * (1 - 1e-9)

    def _check_levels(self):
        if self.integrate_alpha and self.group_size not in ("auto", 0):
            raise ValueError("integrate_alpha=True and group_size > 0 exclude each other.")

    def _prepare(self, outputs):
        """Settle the distance and how centres are found."""
        self.distance_ = as_distance(self.distance)
        check_distance(self.distance_, outputs)
        rule = choose_rule(
            self.distance_, self.output_shape_, self.center, self.beta, self.n_candidates
        )
        averages = self.distance_.averages(outputs[:1, None])
        if averages is None and (self.n_average > 1 or self.group_size not in ("auto", 0, 1)):
            raise ValueError(
                f"Outputs have no average under {self.distance_!r}: n_average must be 1 and "
                f"group_size 0, 1 or 'auto'; got {self.n_average!r} and {self.group_size!r}."
            )
        size = self.group_size
        if size == "auto":
            limited = self.n_candidates is not None and self.n_candidates < self.n_center
            size = int(rule.method == "sample" and not (limited or rule.is_promise))
            size = 0 if self.integrate_alpha else size
        if size and rule.method != "sample":
            raise ValueError(f'group_size={size} needs center="sample", got {rule.method!r}.')
        if size == 1 and self.n_candidates is not None:
            raise ValueError("group_size=1 needs all candidates: n_candidates=None.")
        self._rule, self.center_, self.beta_, self.group_size_ = rule, rule.method, rule.beta, size
        self._n_center, self._n_average = self.n_center, self.n_average
        self._bounds().needed_mass(4 if size else 2)  # refuses too few candidates

    def _bounds(self):
        return CenterBounds(
            n=self._n_center,
            m=self.n_estimation,
            alpha=self.alpha,
            beta=self.beta_,
            gamma=self.distance_.gamma,
            n_average=self._n_average,
            group_size=self.group_size_,
            n_groups=self._n_groups(),
            n_candidates=self._rule.n_candidates,
            is_integrated=self.integrate_alpha,
        )

    def _n_groups(self):
        return min(_MOST_GROUPS, self._n_center) if self.group_size_ > 1 else 0

    def _refuse_unreachable(self, radius, n_radii=1):
        largest = self.max_radius(n_radii=n_radii)
        if radius > largest:
            raise UnreachableRadiusError(
                f"radius={radius:g} cannot be certified with n_estimation={self.n_estimation}, "
                f"n_center={self._n_center}, n_average={self._n_average}, alpha={self.alpha:g} "
                f"and sigma={self.noise_.sigma:g}: the largest radius is {largest:.6g} (radius / "
                f"sigma = {largest / self.noise_.sigma:.6g}). Take more draws or a larger sigma."
            )

    def _centers(self, rows):
        """Answers for all rows, and whether the promise of beta was kept."""
        streams = self._streams_of_rows(rows)
        responder, batch = self._responder(), self._batch()
        n, b, size, groups = self._n_center, self._n_average, self.group_size_, self._n_groups()

        def center(i):
            draw = partial(
                outputs_of_row,
                responder,
                rows[i : i + 1],
                streams[i],
                batch_size=batch,
                average=self.distance_.averages,
                n_average=b,
            )
            extra = None
            if groups:
                some = draw(n_draws=groups * size, first_draw=n * b)
                extra = self.distance_.averages(some.reshape(groups, size, *some.shape[1:]))
            return self._rule.find(draw(n_draws=n), extra)

        found = for_each_row(
            center, len(rows), n_jobs=self.n_jobs, progress=self._progress("answering")
        )
        return np.stack([c.output for c in found]), np.array([c.holds for c in found])

    def _distances(self, rows, centers):
        """Distances of fresh outputs to each centre, and between groups, in the metric."""
        stream = self._streams().of(Purpose.ESTIMATION, rows)
        responder, batch, distance = self._responder(), self._batch(), self.distance_
        size = self.group_size_

        def measure(i):
            outputs = outputs_of_row(
                responder,
                rows[i : i + 1],
                stream,
                self.n_estimation,
                batch,
                average=distance.averages,
                n_average=self._n_average,
            )
            points = distance.points(outputs)
            to_center = distance.between(points, distance.points(centers[i : i + 1]))[:, 0]
            return to_center, _between_groups(distance, outputs, size) if size else to_center[:0]

        return for_each_row(
            measure, len(rows), n_jobs=self.n_jobs, progress=self._progress("certifying")
        )

    def _certificates(self, rows, radii, n_joint):
        """One certificate for each line of radii, from one sample."""
        bounds, sigma = self._bounds(), self.noise_.sigma
        ranks = {r: bounds.ranks(bounds.shift(r, sigma), n_joint) for r in np.unique(radii)}
        error, centers, kept = self._answers(rows)
        sampled = self._distances(rows, centers)
        result = []
        for line in radii:
            metric = [
                np.inf if ranks[r] is None else bounds.output_radius(ranks[r], *distances)
                for r, distances in zip(line, sampled, strict=True)
            ]
            moved = self._reported(np.array(metric, dtype=float))
            result.append(self._record(centers, kept, error, line.copy(), moved, n_joint))
        return result

    def _certify_output_radius(self, rows, output_radius):
        if not (isinstance(output_radius, Real) and 0 < output_radius < np.inf):
            raise ValueError(f"output_radius must be positive and finite, got {output_radius!r}.")
        if self.integrate_alpha:
            raise ValueError("output_radius needs integrate_alpha=False.")
        bounds = self._bounds()
        error, centers, kept = self._answers(rows)
        metric = float(self.distance_.to_metric(output_radius))
        if metric >= self.distance_.diameter:
            raise ValueError(
                f"output_radius={output_radius:g} is as large as any distance of "
                f"{self.distance_!r}: it holds for every input."
            )
        found = [
            bounds.input_radius(to_center, metric, self.noise_.sigma)
            for to_center, _ in self._distances(rows, centers)
        ]
        moved = np.full(len(rows), float(output_radius))
        return self._record(centers, kept, error, np.array(found, dtype=float), moved, 1)

    def _answers(self, rows):
        clean = self._clean_outputs(rows)
        centers, kept = self._centers(rows)
        return self._errors(centers, clean), centers, kept

    def _error_distance(self):
        return self.distance_

    def _reported(self, metric):
        finite = np.minimum(metric, self.distance_.diameter)
        return np.where(np.isfinite(metric), self.distance_.from_metric(finite), np.inf)

    def _record(self, centers, kept, error, radii, moved, n_joint):
        return RegressionCertificate(
            prediction=centers,
            input_radius=radii,
            output_radius=moved,
            smoothing_error=error,
            budget=ErrorBudget(float(self.alpha), n_joint),
            noise=clone(self.noise_),
            distance=self.distance_,
            beta=float(self.beta_),
            guaranteed=kept,
        )


def _between_groups(distance, outputs, size):
    """Distances between the average of `size` outputs and the next one, in disjoint groups."""
    n_groups = len(outputs) // (size + 1)
    groups = outputs[: n_groups * (size + 1)].reshape(n_groups, size + 1, *outputs.shape[1:])
    first = groups[:, 0] if size == 1 else distance.averages(groups[:, :size])
    a, b = distance.points(first), distance.points(groups[:, size])
    found = [distance.between(a[i : i + 1], b[i : i + 1])[0, 0] for i in range(n_groups)]
    return np.array(found)
