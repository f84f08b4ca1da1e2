"""Prediction intervals of numbers that cover under perturbations."""

from typing import ClassVar

from sklearn.base import RegressorMixin, _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_y, check_consistent_length

from sksmooth.arguments._numbers import refuse_masked
from sksmooth.base_models._names import name_of
from sksmooth.base_models._one_row import check_answers
from sksmooth.certifiers.conformal._interval_scores import INTERVALS, IntervalOutputs
from sksmooth.certifiers.conformal._number_intervals import NumberIntervals
from sksmooth.estimators._base_conformal import BaseConformal
from sksmooth.inputs._checks import warn_of_whole_numbers
from sksmooth.inputs._torch_containers import as_array
from sksmooth.voters._direct import directly


class RobustConformalRegressor(RegressorMixin, BaseConformal):
    """Regressor with prediction intervals whose coverage holds under perturbations in a radius.

    The interval of a row holds its true number with a probability of at least `confidence_level`,
    also where an adversary, who sees the model and the calibration rows, moves the row by up to
    `radius`. It is what enough of the intervals of noisy copies of the row share; by how much these
    grow comes from rows with known numbers that are given to :meth:`conformalize`.

    Parameters
    ----------
    estimator : regressor, default=None
        Base model: anything with `fit` and `predict`. Wrap a model that is already fitted in
        :class:`sklearn.frozen.FrozenEstimator`: any other is trained again. None: ridge regression.
    noise : {"gaussian", "laplace", "uniform", "splitting"} or Noise, default="gaussian"
        Distribution of the noise. A name takes its scale from `sigma`; an object of
        :mod:`sksmooth.noise` brings its own parameters (``noise__sigma`` is then tunable).
    sigma : float, default=0.25
        Root mean square of the noise per feature, in the units of X.
    radius : float, default=0.125
        Largest size of a perturbation of a test row, in the units of X, or in scaled units where
        there is a `feature_scale`. 0: none.
    norm : float, default=None
        Norm of the radius, from 1 to ``numpy.inf``. None: the natural norm of the noise (2 for
        "gaussian", 1 for the others).
    categorical : "refuse", "fixed" or CategoryNoise, default="refuse"
        What to do with categorical columns of a data frame, as for :class:`SmoothedClassifier`.
    changes : int, default=0
        With :class:`~sksmooth.noise.CategoryNoise`: the number of categorical columns that a
        perturbation may change, besides moving numbers within the radius.
    confidence_level : float or array-like of shape (n_levels,), default=0.9
        Least probability of coverage. Several levels share their draws.
    conformity_score : {"absolute", "cqr"} or callable, default="absolute"
        How well a number fits. "absolute": its distance from the output; "cqr": its distance from
        an interval between two quantiles, which the base model returns in two columns. A function
        gets what `predict` returns and returns lower ends, upper ends and, if intervals are to grow
        by unlike amounts, their scales, each of shape (n_rows,).
    n_draws : int, default=30
        Noisy copies of each row, in calibration and in prediction. More make smaller intervals;
        beyond a hundred they hardly do.
    k : int, default=None
        Rank, from the largest, of the score of a calibration row among those of its copies. None:
        chosen, with the rank for test rows, by the noise and the radius alone.
    n_poisoned : int, default=0
        Number of calibration rows that an adversary may have replaced by any other.
    pac_delta : float, default=None
        Make coverage hold for the calibration rows at hand, but for this probability, if rows are
        independent. None: coverage is meant on average over calibration rows.
    feature_scale : {"std", "iqr"}, array-like of shape (n_features,), dict or None, default=None
        What one unit of `sigma` and of `radius` means in each column, as for
        :class:`MedianSmoothedRegressor`.
    n_augment : int, default=10
        `fit` trains the base model on this many noisy copies of each row. 0: on X itself.
    batch_size : int or "auto", default="auto"
        Largest number of noisy rows per call of the base model.
    n_jobs : int, default=None
        Number of parallel workers, as in joblib: threads, unless
        :class:`joblib.parallel_config` asks for another backend.
    random_state : int, RandomState instance or None, default=None
        Seed of the noise, fixed at `fit`. None takes fresh entropy at each call. An adversary who
        knows the seed before choosing the input voids the guarantee.
    verbose : int or bool, default=False
        Show a progress bar.

    Attributes
    ----------
    estimator_ : object
        Fitted base model.
    noise_ : Noise
        Distribution of the noise.
    lambda_ : ndarray of shape (n_levels,)
        Thresholds of scores: minus what intervals grow by. Minus infinity: every interval is the
        whole line.
    k_, k_test_ : ndarray of int of shape (n_levels,)
        Ranks, from the largest, of the scores of calibration rows and of test rows among those of
        their `n_draws` copies.
    calibration_level_ : ndarray of shape (n_levels,)
        Probability that a clean row scores below the threshold, at the most; see
        :func:`sksmooth.bounds.calibration_level`.
    feature_scale_ : ndarray of shape (n_features,) or None
        Scale of each column, fixed at `fit`.
    noise_step_ : float or None
        Step, a power of two, of the lattice that inputs and noise are rounded to before they are
        added, so that their sum is exact.
    n_features_in_ : int
        Number of features, if the base model has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the base model has them.

    See Also
    --------
    RobustConformalClassifier : Sets of labels, with notes and references.
    MedianSmoothedRegressor : Bounds of the smoothed output itself.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import train_test_split
    >>> from sksmooth import RobustConformalRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> X, X_calibration, y, y_calibration = train_test_split(X, y, random_state=0)
    >>> regressor = RobustConformalRegressor(sigma=0.05, radius=0.02, random_state=0)
    >>> regressor = regressor.fit(X, y).conformalize(X_calibration, y_calibration)
    >>> y_pred, intervals = regressor.predict_interval(X[:2])
    >>> intervals.shape
    (2, 2, 1)
    """

    _WHAT: ClassVar[str] = "interval"
    _EVERYTHING: ClassVar[str] = "every number"

    _parameter_constraints: ClassVar[dict] = {
        **BaseConformal._parameter_constraints,
        "conformity_score": [StrOptions(set(INTERVALS)), callable],
    }

    def __init__(
        self,
        estimator=None,
        *,
        noise="gaussian",
        sigma=0.25,
        radius=0.125,
        norm=None,
        categorical="refuse",
        changes=0,
        confidence_level=0.9,
        conformity_score="absolute",
        n_draws=30,
        k=None,
        n_poisoned=0,
        pac_delta=None,
        feature_scale=None,
        n_augment=10,
        batch_size="auto",
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.noise = noise
        self.sigma = sigma
        self.radius = radius
        self.norm = norm
        self.categorical = categorical
        self.changes = changes
        self.confidence_level = confidence_level
        self.conformity_score = conformity_score
        self.n_draws = n_draws
        self.k = k
        self.n_poisoned = n_poisoned
        self.pac_delta = pac_delta
        self.feature_scale = feature_scale
        self.n_augment = n_augment
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _default_estimator(self):
        return Ridge()

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X=None, y=None, sample_weight=None, **params):
        """Fit the base model on noisy copies of X.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Training inputs, as the base model takes them. A frozen model needs no data.
        y : array-like of shape (m,)
            Numbers.
        sample_weight : array-like of shape (m,), default=None
            Weights of the rows, for base models that take them; each noisy copy has that of its
            row.
        **params : dict
            Passed to `fit` of the base model, as :class:`SmoothedClassifier` does.

        Returns
        -------
        self : RobustConformalRegressor

        Raises
        ------
        ValueError
            If a parameter or X cannot work; the message says which and what to do.
        """
        self._check_levels()
        self._refuse_classifiers()
        if X is None:
            return self._fit_without_data()
        X = as_array(X)
        rows = self._read_training(X)
        y = self._check_numbers(rows, y)
        self._prepare_noise(rows)
        warn_of_whole_numbers(rows, stacklevel=3)
        self._begin_fit(rows)
        model = self._fit_base_model(X, rows, y, self._params_of_base_fit(sample_weight, params))
        self.estimator_ = model
        some = rows[:1]  # what the score cannot take, it says now
        self._respond()(some.to_container(some.values.astype(some.dtype)), len(some))
        check_answers(model, rows, self._respond())
        return self

    def _fit_without_data(self):
        """Take a frozen model as it is."""
        model = clone(self._base_model())
        if not isinstance(model, FrozenEstimator):
            raise ValueError(
                "fit needs X and y. Only a trained model needs none: pass it as "
                "sklearn.frozen.FrozenEstimator(model)."
            )
        self._arranged_without_data()
        self._prepare_noise(None)
        self._begin_fit()
        self.estimator_ = model
        return self

    def _refuse_classifiers(self):
        model, tags = self._base_model(), self._base_tags()
        if (None if tags is None else tags.estimator_type) in ("classifier", "clusterer"):
            raise ValueError(
                f"The base model has to be a regressor; {name_of(model)} is a "
                f"{tags.estimator_type}. Use RobustConformalClassifier for labels."
            )

    def _check_numbers(self, rows, y):
        """Return y as an array, where it holds one number per row."""
        refuse_masked("y", y)
        y = _check_y(y, y_numeric=True, estimator=self)
        check_consistent_length(rows.values, y)
        return y

    def conformalize(self, X, y):
        """Calibrate the intervals by rows that the base model was not trained on.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs, exchangeable with those of :meth:`predict_interval` before any perturbation.
        y : array-like of shape (m,)
            Their numbers.

        Returns
        -------
        self : RobustConformalRegressor

        Raises
        ------
        ValueError
            If X, y or a parameter cannot work; the message says which and what to do.

        Warns
        -----
        UninformativeSetsWarning
            If there are too few rows, so that every interval is the whole line; it says how many
            are needed.
        """
        inputs = self._read(X)
        y = self._check_numbers(inputs, y).astype(float)
        rule = self._begin_calibration(inputs)
        intervals = NumberIntervals(self._intervals_of(inputs), rule)
        self._keep(rule, intervals.calibrate(y), {"rows": len(y)})
        return self

    def predict_interval(self, X, random_state=None):
        """Predict numbers, and intervals that cover within the radius.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        random_state : int, RandomState instance or None, default=None
            Seed of the noise of this call. None: that of the estimator, which is fresh at each
            call if it is None.

        Returns
        -------
        y_pred : ndarray of shape (m,)
            Median, over the noisy copies, of the output, or of the middle of the interval.
        intervals : ndarray of shape (m, 2, n_levels)
            Lower and upper ends. What is covered may be in several pieces: the interval is their
            hull. NaN: there is no number that fits as well as those of nearly all calibration rows.
        """
        self._check_calibrated()
        sampler = self._intervals_of(self._read(X), random_state)
        return NumberIntervals(sampler, self._rule).predict(self.lambda_)

    def predict(self, X):
        """Median, over the noisy copies of each row, of the output or the middle of its interval.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        y : ndarray of shape (m,)
            That of :meth:`predict_interval`.
        """
        return NumberIntervals(self._intervals_of(self._read(X)), None).middles()

    def _respond(self):
        score = self.conformity_score
        intervals = INTERVALS[score] if isinstance(score, str) else score
        return IntervalOutputs(directly(self.estimator_), intervals)

    def _intervals_of(self, inputs, random_state=None):
        """Return what samples intervals."""
        return self._sampler(self._respond(), inputs, random_state, n_values=3)
