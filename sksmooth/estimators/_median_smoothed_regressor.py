"""Median smoothing: certified lower and upper bounds of numbers."""

import math
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy import special
from sklearn.base import clone
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from sksmooth.bounds import (
    clopper_pearson_lower,
    clopper_pearson_upper,
    lower_quantile_rank,
    upper_quantile_rank,
)
from sksmooth.certificates import ErrorBudget, RegressionCertificate
from sksmooth.certifiers._options import check_n_radii, check_radii
from sksmooth.distances import Chebyshev
from sksmooth.engine._parallel import for_each_row
from sksmooth.engine._sampling import outputs_of_row
from sksmooth.engine._streams import Purpose
from sksmooth.estimators._base_regressor import BaseOutputSmoother
from sksmooth.exceptions import UnreachableRadiusError

_SHIFT_UP = 1 + 1e-13


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
        return self._quantiles(self._read(X))

    def certify(self, X, *, radius, of="prediction"):
        """Bound the smoothed output for every input within a radius.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        radius : float or array-like of shape (m,)
            Size of the perturbation: l2 norm, in the units of X.
        of : {"prediction", "population"}, default="prediction"
            What is bounded: what :meth:`predict` returns for a perturbed input, or the quantile
            of the outputs that it estimates, which is known more tightly.

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
        rows = self._read(X)
        return self._certificates(rows, check_radii(radius, len(rows))[None], of)[0]

    def certify_curve(self, X, radii, *, of="prediction"):
        """Certify several sizes of the perturbation from one sample, so that all hold together.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        radii : array-like of shape (n_radii,)
            Sizes of the perturbation: l2 norm, in the units of X.
        of : {"prediction", "population"}, default="prediction"
            As for :meth:`certify`.

        Returns
        -------
        certificates : list of RegressionCertificate
            One per radius; the level is shared by them (union bound).
        """
        rows = self._read(X)
        radii = check_radii(radii, np.size(radii))
        check_n_radii(len(radii))
        repeated = np.repeat(radii[:, None], len(rows), axis=1)
        return self._certificates(rows, repeated, of)

    def _certificates(self, rows, radii, of):
        """One certificate for each line of radii, from one sample."""
        _check_kind(of)
        n_joint, sigma = len(radii), self.noise_.sigma
        ranks = {r: self._ranks(r / sigma * _SHIFT_UP, of, n_joint) for r in np.unique(radii)}
        self._refuse_unreachable(ranks, of, n_joint)
        stream = self._streams().of(Purpose.ESTIMATION, rows)
        prediction, clean = self._quantiles(rows), self._clean_outputs(rows)

        def bounds(i):
            outputs = self._outputs(rows[i : i + 1], stream, self.n_estimation)
            return [_order_statistics(outputs, *ranks[r]) for r in radii[:, i]]

        found = for_each_row(
            bounds, len(rows), n_jobs=self.n_jobs, progress=self._progress("certifying")
        )
        error = self._errors(prediction, clean)
        return [
            RegressionCertificate(
                prediction=prediction,
                input_radius=line.copy(),
                lower=np.stack([row[k][0] for row in found]),
                upper=np.stack([row[k][1] for row in found]),
                smoothing_error=error,
                budget=ErrorBudget(float(self.alpha), n_joint),
                noise=clone(self.noise_),
                distance=self._error_distance(),
                guaranteed=np.ones(len(rows), bool),
            )
            for k, line in enumerate(radii)
        ]

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
            In the units of X; beyond it neither the lower nor the upper bound is finite.
        """
        check_is_fitted(self)
        _check_kind(of)
        check_n_radii(n_radii)
        low, high, level = self._masses(of, n_radii)
        tail = special.ndtri(-math.expm1(math.log(level) / self.n_estimation))
        reach = max(special.ndtri(low) - tail, -tail - special.ndtri(high))
        return max(0.0, float(reach)) * self.noise_.sigma * (1 - 1e-9)

    def _prepare(self, outputs):
        if outputs.dtype.kind not in "biuf":
            raise ValueError(
                f"Median smoothing bounds numbers; the outputs are of type {outputs.dtype}. Use "
                'CenterSmoothedRegressor(distance="discrete") for labels.'
            )

    def _error_distance(self):
        return Chebyshev()

    def _masses(self, of, n_joint):
        """Quantiles at a perturbed input that enclose what is certified, and level of a bound."""
        size = max(1, math.prod(self.output_shape_)) * n_joint
        if of == "population":
            return self.quantile, self.quantile, self.alpha / 2 / size
        level, n = self.alpha / 4 / size, self.n_prediction
        rank = _rank(self.quantile, n)
        return (
            float(clopper_pearson_lower(rank, n, level)),
            float(clopper_pearson_upper(rank - 1, n, level)),
            level,
        )

    def _ranks(self, shift, of, n_joint=1):
        low, high, level = self._masses(of, n_joint)
        p_low = float(special.ndtr(special.ndtri(low) - shift)) * (1 - 1e-14)
        above = float(special.ndtr(-special.ndtri(high) - shift)) * (1 - 1e-14)
        return (
            lower_quantile_rank(self.n_estimation, p_low, level),
            upper_quantile_rank(self.n_estimation, above, level),
        )

    def _refuse_unreachable(self, ranks, of, n_joint):
        for radius, (low, high) in ranks.items():
            if low is None and high is None:
                largest = self.max_radius(of=of, n_radii=n_joint)
                raise UnreachableRadiusError(
                    f"radius={radius:g} cannot be certified with n_estimation="
                    f"{self.n_estimation}, alpha={self.alpha:g} and sigma={self.noise_.sigma:g}: "
                    f"the largest radius is {largest:.6g}. Take more draws or a larger sigma."
                )

    def _outputs(self, row, stream, n_draws):
        outputs = outputs_of_row(self._responder(), row, stream, n_draws, self._batch())
        return outputs.astype(float, copy=False)

    def _quantiles(self, rows):
        streams, rank = self._streams_of_rows(rows), _rank(self.quantile, self.n_prediction)

        def quantile(i):
            outputs = self._outputs(rows[i : i + 1], streams[i], self.n_prediction)
            outputs[np.isnan(outputs)] = np.inf
            return np.partition(outputs, rank - 1, axis=0)[rank - 1]

        return np.stack(
            for_each_row(
                quantile, len(rows), n_jobs=self.n_jobs, progress=self._progress("answering")
            )
        )


def _check_kind(of):
    if of not in ("prediction", "population"):
        raise ValueError(f'of must be "prediction" or "population", got {of!r}.')


def _rank(quantile, n):
    """Rank of a quantile among n samples; 0.3 * 10 is meant to be 3."""
    return min(n, max(1, math.ceil(quantile * n * (1 - 1e-12))))


def _order_statistics(outputs, low, high):
    """Return samples of two ranks; NaN is minus infinity for the lower, infinity for the upper.

    None, for a rank that does not exist, gives an infinite bound.
    """
    bad = np.isnan(outputs)
    lower = np.full(outputs.shape[1:], -np.inf)
    upper = np.full(outputs.shape[1:], np.inf)
    if low is not None:
        lower = np.partition(np.where(bad, -np.inf, outputs), low - 1, axis=0)[low - 1]
    if high is not None:
        upper = np.partition(np.where(bad, np.inf, outputs), high - 1, axis=0)[high - 1]
    return lower, upper
