"""Center smoothing: certificates for outputs in a metric space."""

import math
from dataclasses import replace
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from sksmooth.certificates import ErrorBudget
from sksmooth.certifiers._options import check_curve, check_n_radii, check_radius
from sksmooth.certifiers.center._certify import CenterCertifier
from sksmooth.certifiers.center._ranks import CenterBounds
from sksmooth.certifiers.center._rules import METHODS, choose_rule
from sksmooth.distances import NAMES, Distance
from sksmooth.distances._checks import as_distance, check_distance
from sksmooth.estimators._base_regressor import BaseOutputSmoother
from sksmooth.estimators._stored import refuse_store


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
    feature_scale : {"std", "iqr"}, array-like of shape (n_features,), dict or None, default=None
        What one unit of `sigma` and of radii means in each column, for tables with columns in
        unlike units. "std": the standard deviation of the column in the training data; "iqr": its
        interquartile range (where that is 0, the standard deviation). A dictionary gives numbers
        or these names for some columns; the others take "std". 0: the column gets no noise, and
        every statement is about inputs that do not change it. None: the units of X.
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
        Guarantee, for ``center="sample"``, that the radius of the centre is within `beta` of the
        best. It is checked for every answer, and where it cannot be shown the answer abstains
        (see :meth:`predict_or_abstain`). 1.05 to 1.5 suits outputs with hundreds of
        coordinates. None: what the way to find the centre guarantees, without abstention.
    group_size : int or "auto", default="auto"
        Also certify through the distances between averages of so many outputs and further
        outputs, which in high dimensions proves much more than the factor of "sample" does.
        Sizes above 1 need a distance with averages and draw further outputs. 0: off. "auto": 1
        for "sample" with all candidates and ``beta=None``, else 0.
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
    feature_scale_ : ndarray of shape (n_features,) or None
        Scale of each column, fixed at `fit`.
    noise_step_ : float
        Step, a power of two, of the lattice that inputs and noise are rounded to before they are
        added, so that their sum is exact.
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

    _PARAMETERS_OF_CALLS = BaseOutputSmoother._PARAMETERS_OF_CALLS | {"integrate_alpha"}

    def __init__(
        self,
        estimator=None,
        *,
        distance="euclidean",
        sigma=0.25,
        feature_scale=None,
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
        self.feature_scale = feature_scale
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
        return self._certifier(self._read(X)).answer()[0]

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
            Rows for which the guarantee of `beta` could not be shown; none for ``beta=None``.
        """
        outputs, guaranteed = self._certifier(self._read(X)).answer()
        return outputs, ~guaranteed

    def certify(self, X, *, radius=None, output_radius=None, store=None):
        """Bound how far the smoothed output moves when a row is perturbed.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        radius : float or array-like of shape (m,), default=None
            Size of the perturbation: l2 norm, in the units of X, or in scaled units where there is
            a `feature_scale`.
        output_radius : float, default=None
            The other way round: a distance between outputs, chosen before sampling, for which
            the largest input radius is wanted. One of the two is given.
        store : None
            Results of this estimator cannot be written to a store yet.

        Returns
        -------
        certificate : RegressionCertificate
            For each row and every input x' within its `input_radius`: with probability at least
            ``1 - alpha`` over the noise, ``predict(x')`` is within `output_radius` of
            `prediction` (or abstains, where `beta` is given).

        Raises
        ------
        UnreachableRadiusError
            If the draws are too few for the radius; the message has the largest one.
        ValueError
            If X or a parameter cannot work; the message says which and what to do.
        """
        refuse_store(store, self)
        if (radius is None) == (output_radius is None):
            raise ValueError("Give either radius (of inputs) or output_radius, and not both.")
        inputs = self._read(X)
        certifier = self._certifier(inputs)
        if output_radius is not None:
            found = certifier.certify_output_radius(output_radius).of_inputs(inputs)
            proven = np.maximum(found.input_radius - inputs.blur(2), 0.0)
            return replace(found, input_radius=proven)
        radii = check_radius(radius, len(inputs), positive=True)[None]
        return self._certified(certifier, inputs, radii)[0]

    def certify_curve(self, X, radii):
        """Certify several sizes of the perturbation from one sample, so that all hold together.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        radii : array-like of shape (n_radii,)
            Sizes of the perturbation: l2 norm, in the units of X, or in scaled units.

        Returns
        -------
        certificates : list of RegressionCertificate
            One per radius. For each row the balls of all radii are large enough together: the
            level of the certifying draws is shared (union bound).
        """
        inputs = self._read(X)
        radii = check_curve(radii, len(inputs))
        return self._certified(self._certifier(inputs, len(radii)), inputs, radii)

    def max_radius(self, *, n_radii=1):
        """Largest input radius that the numbers of draws can certify.

        Parameters
        ----------
        n_radii : int, default=1
            Number of radii that :meth:`certify_curve` is asked for.

        Returns
        -------
        radius : float
            In the units of X, or in scaled units; 0 where nothing can be certified.
        """
        self._check_ready()
        check_n_radii(n_radii)
        return self._bounds(n_radii).max_radius(self.noise_.sigma)

    def _check_levels(self):
        if self.integrate_alpha and self.group_size not in ("auto", 0):
            raise ValueError("integrate_alpha=True and group_size > 0 exclude each other.")

    def _prepare(self, outputs):
        """Settle the distance and how centres are found."""
        self.distance_ = as_distance(self.distance)
        check_distance(self.distance_, outputs)
        n_candidates = None if self.n_candidates is None else int(self.n_candidates)
        rule = choose_rule(self.distance_, self.output_shape_, self.center, self.beta, n_candidates)
        averages = self.distance_.averages(outputs[:1, None])
        if averages is None and (self.n_average > 1 or self.group_size not in ("auto", 0, 1)):
            raise ValueError(
                f"Outputs have no average under {self.distance_!r}: n_average must be 1 and "
                f"group_size 0, 1 or 'auto'; got {self.n_average!r} and {self.group_size!r}."
            )
        size = self.group_size if self.group_size == "auto" else int(self.group_size)
        if size == "auto":
            limited = self.n_candidates is not None and self.n_candidates < self.n_center
            size = int(rule.method == "sample" and not (limited or rule.is_checked))
            size = 0 if self.integrate_alpha else size
        if size and rule.method != "sample":
            raise ValueError(f'group_size={size} needs center="sample", got {rule.method!r}.')
        if size == 1 and self.n_candidates is not None:
            raise ValueError("group_size=1 needs all candidates: n_candidates=None.")
        self._center_rule, self.center_, self.beta_, self.group_size_ = (
            rule,
            rule.method,
            rule.beta,
            size,
        )
        self._n_values = math.prod(self.distance_.points(outputs[:1]).shape[1:])
        self._bounds().needed_mass(4 if size else 2)  # refuses too few candidates

    def _bounds(self, n_radii=1):
        return CenterBounds(
            n=int(self.n_center),
            m=int(self.n_estimation),
            budget=ErrorBudget(float(self.alpha), n_radii),
            beta=self.beta_,
            gamma=self.distance_.gamma,
            n_average=int(self.n_average),
            group_size=self.group_size_,
            n_candidates=self._center_rule.n_candidates,
            is_integrated=self.integrate_alpha,
            n_values=self._n_values,
            moves=self._rounding(),
        )

    def _certifier(self, inputs, n_radii=1):
        return CenterCertifier(self._sampler(inputs), self._center_rule, self._bounds(n_radii))

    def _reads_numbers(self):
        return as_distance(self.distance).compares_numbers

    def _error_distance(self):
        return self.distance_
