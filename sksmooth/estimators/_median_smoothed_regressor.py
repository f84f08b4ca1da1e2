"""Median smoothing: certified lower and upper bounds of numbers."""

import math
from numbers import Integral, Real
from typing import ClassVar

from sklearn.utils._param_validation import Interval

from sksmooth.certificates import ErrorBudget
from sksmooth.certifiers._median import MedianBounds, MedianCertifier
from sksmooth.certifiers._options import check_curve, check_n_radii, check_radius
from sksmooth.distances import Chebyshev
from sksmooth.estimators._base_regressor import BaseOutputSmoother
from sksmooth.estimators._stored import refuse_store


class MedianSmoothedRegressor(BaseOutputSmoother):
    """Regressor with certified lower and upper bounds (median smoothing).

    The smoothed answer is the median, or another quantile, of the base model's outputs for many
    noisy copies of the input, coordinate by coordinate. :meth:`certify` bounds it from below and
    above for every input within a radius, whatever the base model is.

    Parameters
    ----------
    estimator : object, default=None
        Base model with outputs that are numbers or arrays of numbers: anything with `fit` and one
        of `predict`, `transform`, `predict_proba`. Wrap a model that is already fitted in
        :class:`sklearn.frozen.FrozenEstimator`: any other is trained again. None: ridge
        regression.
    quantile : float, default=0.5
        Quantile in (0, 1) that is the answer; 0.5: the median.
    sigma : float, default=0.25
        Standard deviation of the Gaussian noise per feature, in the units of X.
    feature_scale : {"std", "iqr"}, array-like of shape (n_features,), dict or None, default=None
        What one unit of `sigma` and of radii means in each column, for tables with columns in
        unlike units. "std": the standard deviation of the column in the training data; "iqr": its
        interquartile range (where that is 0, the standard deviation). A dictionary gives numbers
        or these names for some columns; the others take "std". 0: the column gets no noise, and
        every statement is about inputs that do not change it. None: the units of X.
    n_prediction : int, default=10_000
        Outputs per row that make the answer.
    n_estimation : int, default=10_000
        Further outputs per row that certify it.
    alpha : float, default=0.001
        For each perturbed input, the probability, in (0, 0.5), that any bound of its answer is
        wrong. It is shared by the coordinates of the outputs.
    response_method : {"auto", "predict", "transform", "predict_proba"}, default="auto"
        Method of the base model; "auto": the first of these that it has.
    n_augment : int, default=10
        `fit` trains the base model on this many noisy copies of each row. 0: on X itself.
    batch_size : int or "auto", default="auto"
        Largest number of noisy rows per call of the base model.
    n_jobs : int, default=None
        Number of workers over rows, as in joblib: threads.
    random_state : int, RandomState instance or None, default=None
        Seed of the noise, fixed at `fit`. None takes fresh entropy at each call. Noise of answers
        is keyed by the row, as for :class:`CenterSmoothedRegressor`.
    verbose : int or bool, default=False
        Show a progress bar.

    Attributes
    ----------
    estimator_ : object
        Fitted base model.
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
    CenterSmoothedRegressor : For outputs of any kind.
    sksmooth.distances.farthest_box : What the bounds of a box prove about its overlap.

    References
    ----------
    .. [1] Chiang, P. et al. (2020). Detection as regression: certified object detection with
       median smoothing. NeurIPS 2020.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sksmooth import MedianSmoothedRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> smoother = MedianSmoothedRegressor(sigma=0.05, random_state=0).fit(X, y)
    >>> certificate = smoother.certify(X[:3], radius=0.02)
    >>> bool((certificate.lower < certificate.prediction).all())
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseOutputSmoother._parameter_constraints,
        "quantile": [Interval(Real, 0, 1, closed="neither")],
        "n_prediction": [Interval(Integral, 1, None, closed="left")],
        "n_estimation": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        estimator=None,
        *,
        quantile=0.5,
        sigma=0.25,
        feature_scale=None,
        n_prediction=10_000,
        n_estimation=10_000,
        alpha=0.001,
        response_method="auto",
        n_augment=10,
        batch_size="auto",
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.quantile = quantile
        self.sigma = sigma
        self.feature_scale = feature_scale
        self.n_prediction = n_prediction
        self.n_estimation = n_estimation
        self.alpha = alpha
        self.response_method = response_method
        self.n_augment = n_augment
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def predict(self, X):
        """Quantile of the outputs for `n_prediction` noisy copies of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        y : ndarray of shape (m, ...)
            Smoothed outputs: for n copies, the output of rank ``ceil(quantile * n)`` in each
            coordinate, where NaN ranks above all numbers and is returned as infinity.
        """
        return self._certifier(self._read(X)).answer()

    def certify(self, X, *, radius, of="prediction", store=None):
        """Bound the smoothed output for every input within a radius.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        radius : float or array-like of shape (m,)
            Size of the perturbation: l2 norm, in the units of X, or in scaled units where there is
            a `feature_scale`.
        of : {"prediction", "population"}, default="prediction"
            What is bounded: what :meth:`predict` returns for a perturbed input, or the quantile
            of the outputs that it estimates, which is known more tightly.
        store : None
            Results of this estimator cannot be written to a store yet.

        Returns
        -------
        certificate : RegressionCertificate
            With `lower` and `upper`, which are infinite where nothing is proven.

        Raises
        ------
        UnreachableRadiusError
            If the draws are too few to prove either bound for the radius.
        ValueError
            If X or a parameter cannot work; the message says which and what to do.
        """
        refuse_store(store, self)
        inputs = self._read(X)
        radii = check_radius(radius, len(inputs), positive=True)[None]
        return self._certified(self._certifier(inputs, of), inputs, radii)[0]

    def certify_curve(self, X, radii, *, of="prediction"):
        """Certify several sizes of the perturbation from one sample, so that all hold together.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        radii : array-like of shape (n_radii,)
            Sizes of the perturbation: l2 norm, in the units of X, or in scaled units.
        of : {"prediction", "population"}, default="prediction"
            As for :meth:`certify`.

        Returns
        -------
        certificates : list of RegressionCertificate
            One per radius; the level is shared by them (union bound).
        """
        inputs = self._read(X)
        radii = check_curve(radii, len(inputs))
        return self._certified(self._certifier(inputs, of, len(radii)), inputs, radii)

    def max_radius(self, *, of="prediction", n_radii=1):
        """Largest input radius for which the numbers of draws can prove a bound.

        Parameters
        ----------
        of : {"prediction", "population"}, default="prediction"
            What is bounded.
        n_radii : int, default=1
            Number of radii that :meth:`certify_curve` is asked for.

        Returns
        -------
        radius : float
            In the units of X, or in scaled units; beyond it neither the lower nor the upper bound
            is finite.
        """
        self._check_ready()
        check_n_radii(n_radii)
        return self._bounds(of, n_radii).max_radius(self.noise_.sigma)

    def _prepare(self, outputs):
        if outputs.dtype.kind not in "biuf":
            raise ValueError(
                f"Median smoothing bounds numbers; the outputs are of type {outputs.dtype}. Use "
                'CenterSmoothedRegressor(distance="discrete") for labels.'
            )

    def _error_distance(self):
        return Chebyshev()

    def _bounds(self, of, n_radii):
        return MedianBounds(
            quantile=self.quantile,
            n_prediction=int(self.n_prediction),
            n_estimation=int(self.n_estimation),
            budget=ErrorBudget(float(self.alpha), n_radii),
            n_values=math.prod(self.output_shape_),
            of=of,
            rounding=self._rounding(),
        )

    def _certifier(self, inputs, of="prediction", n_radii=1):
        return MedianCertifier(self._sampler(inputs), self._bounds(of, n_radii))
