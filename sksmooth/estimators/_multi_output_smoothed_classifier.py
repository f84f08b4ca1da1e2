"""Randomized smoothing of classifiers with many outputs: labels, or the pixels of a mask."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_consistent_length

from sksmooth.arguments._numbers import read_count, refuse_masked
from sksmooth.base_models._names import name_of
from sksmooth.base_models._one_row import check_answers
from sksmooth.bounds._calibration import worst_case
from sksmooth.certificates import ErrorBudget
from sksmooth.certifiers._many_outputs import ManyOutputsCertifier
from sksmooth.certifiers._options import check_radius, refuse_too_few_draws
from sksmooth.engine._black_box import Responder
from sksmooth.engine._sampling import OutputSampler
from sksmooth.estimators._base import NORM_CONSTRAINT, BaseSmoother
from sksmooth.inputs._checks import refuse_out_of_range, warn_of_whole_numbers
from sksmooth.inputs._containers import read_inputs
from sksmooth.inputs._torch_containers import as_array
from sksmooth.noise import Noise, make_noise
from sksmooth.noise._make import FAMILIES
from sksmooth.voters._direct import directly


class MultiOutputSmoothedClassifier(BaseSmoother):
    """Classifier with many outputs, and certificates of as many of them as hold together.

    Each output of the base model, such as a label of several or a pixel of a mask, is decided by
    majority vote on noisy copies of the input. :meth:`certify` says of which outputs no
    perturbation within a radius can change the class, with one probability of any error for all
    outputs of a row.

    Parameters
    ----------
    estimator : object, default=None
        Base model whose `predict` returns an array of classes for each row. Wrap a model that is
        already fitted in :class:`sklearn.frozen.FrozenEstimator`: any other is trained again. None:
        a logistic regression for each output.
    noise : {"gaussian", "laplace", "uniform", "splitting"} or Noise, default="gaussian"
        Distribution of the noise.
    sigma : float, default=0.25
        Root mean square of the noise per feature, in the units of X.
    feature_scale : {"std", "iqr"}, array-like of shape (n_features,), dict or None, default=None
        What one unit of `sigma` and of radii means in each column, as for
        :class:`SmoothedClassifier`.
    norm : float, default=None
        Norm of the radius. None: the natural norm of the noise.
    n_selection : int, default=100
        Draws per row that select the classes.
    n_estimation : int, default=1000
        Further draws per row that certify them.
    alpha : float, default=0.001
        Probability, in (0, 0.5), that too many claims about one row are wrong.
    n_augment : int, default=10
        `fit` trains the base model on this many noisy copies of each row. 0: on X itself.
    batch_size : int or "auto", default="auto"
        Largest number of noisy rows per call of the base model.
    n_jobs : int, default=None
        Number of workers over rows, as in joblib: threads.
    random_state : int, RandomState instance or None, default=None
        Seed of the noise, fixed at `fit`. None takes fresh entropy at each call.
    verbose : int or bool, default=False
        Show a progress bar.

    Attributes
    ----------
    estimator_ : object
        Fitted base model.
    noise_ : Noise
        Distribution of the noise.
    output_shape_ : tuple of int
        Shape of the outputs of one row.
    feature_scale_ : ndarray of shape (n_features,) or None
        Scale of each column, fixed at `fit`.
    noise_step_ : float or None
        Step of the lattice that inputs and noise are rounded to before they are added.
    n_features_in_ : int
        Number of features, if the base model has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the base model has them.

    See Also
    --------
    MultiOutputCertificate : What `certify` returns.
    sksmooth.bounds.step_down_claims : How claims are made together.
    sksmooth.bounds.most_lost_outputs : How many outputs an adversary can change at once.

    References
    ----------
    .. [1] Fischer, M., Baader, M. and Vechev, M. (2021). Scalable certified segmentation via
       randomized smoothing. ICML 2021. Its levels for ``n_wrong > 1`` are too lenient; those of
       Lehmann and Romano (2005) are taken.

    Examples
    --------
    >>> import numpy as np
    >>> from sksmooth import MultiOutputSmoothedClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> Y = (X > 0).astype(int)  # three labels
    >>> clf = MultiOutputSmoothedClassifier(random_state=0).fit(X, Y)
    >>> certificate = clf.certify([[2.0, -2.0, 0.01]], radius=0.3)
    >>> certificate.certified
    array([[ True,  True, False]])
    """

    _PARAMETERS_OF_CALLS: ClassVar[frozenset[str]] = frozenset(
        {"alpha", "batch_size", "n_estimation", "n_jobs", "n_selection", "norm", "verbose"}
    )

    _parameter_constraints: ClassVar[dict] = {
        **BaseSmoother._parameter_constraints,
        "noise": [StrOptions(set(FAMILIES)), Noise],
        "norm": NORM_CONSTRAINT,
        "n_selection": [Interval(Integral, 1, None, closed="left")],
        "n_estimation": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 0.5, closed="neither")],
    }

    def __init__(
        self,
        estimator=None,
        *,
        noise="gaussian",
        sigma=0.25,
        feature_scale=None,
        norm=None,
        n_selection=100,
        n_estimation=1000,
        alpha=0.001,
        n_augment=10,
        batch_size="auto",
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.noise = noise
        self.sigma = sigma
        self.feature_scale = feature_scale
        self.norm = norm
        self.n_selection = n_selection
        self.n_estimation = n_estimation
        self.alpha = alpha
        self.n_augment = n_augment
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _default_estimator(self):
        return MultiOutputClassifier(LogisticRegression(max_iter=1000))

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **params):
        """Fit the base model on noisy copies of X.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Training inputs, as the base model takes them.
        y : array-like of shape (m, n_outputs) or (m, ...)
            Classes.
        sample_weight : array-like of shape (m,), default=None
            Weights of the rows, for base models that take them.
        **params : dict
            Passed to `fit` of the base model, as :class:`SmoothedClassifier` does.

        Returns
        -------
        self : MultiOutputSmoothedClassifier

        Raises
        ------
        ValueError
            If a parameter or X cannot work; the message says which and what to do.
        """
        X = as_array(X)
        rows = read_inputs(X, owner=self)
        y = self._read_classes(y, rows)
        rows = self._arranged_at_fit(rows)
        self.noise_ = make_noise(self.noise, sigma=self.sigma)
        self._refuse_transformations()
        self.noise_.trade_off(rows.n_features, self._wanted_norm())
        self._refuse_noise_on_some_columns(rows)
        self._lattice = self._lattice_for(rows)
        warn_of_whole_numbers(rows, stacklevel=3)
        self._begin_fit(rows)
        model = self._fit_base_model(X, rows, y, self._params_of_base_fit(sample_weight, params))
        some = rows[:1]
        responder = Responder(model, "predict")
        first = responder(some.to_container(some.values.astype(rows.dtype)), len(some))
        if first.dtype.kind == "f" and not np.isin(first, y).all():
            raise ValueError(
                f"{name_of(model)} returns numbers that are no classes of y. A classifier is "
                "needed; use MedianSmoothedRegressor for numbers."
            )
        self.estimator_, self.output_shape_ = model, first.shape[1:]
        check_answers(model, rows, responder)
        return self

    def _read_classes(self, y, rows):
        """Return y as an array, with one row of classes for each row of X."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        refuse_masked("y", y)
        y = check_array(y, ensure_2d=False, allow_nd=True, dtype=None, input_name="y")
        check_consistent_length(rows.values, y)
        return y

    def predict(self, X):
        """Class of every output with the most votes among `n_selection` noisy copies of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        y : ndarray of shape (m, ...)
            Classes.
        """
        return self._certifier(self._read(X)).predict()

    def score(self, X, y):
        """Proportion of outputs, of all rows, that are right.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        y : array-like of shape (m, ...)
            True classes.

        Returns
        -------
        score : float
        """
        return float(np.mean(self.predict(X) == np.asarray(y)))

    def certify(self, X, *, radius, n_wrong=1):
        """Say of which outputs no perturbation within a radius can change the class.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        radius : float
            Size of the perturbations, in the units of X, or in scaled units.
        n_wrong : int, default=1
            Number of wrong claims about one row that is too many. 1: none may be wrong; with more,
            more outputs are certified.

        Returns
        -------
        certificate : MultiOutputCertificate

        Raises
        ------
        ValueError
            If X or an option cannot work; the message says which and what to do.
        """
        n_wrong = read_count("n_wrong", n_wrong, 1)
        inputs = self._read(X)
        size = float(check_radius(radius, 1, positive=True)[0])
        refuse_too_few_draws(self.n_estimation, float(self.alpha))
        norm = self._wanted_norm() or self.noise_.norm
        worst = worst_case(
            self.noise_,
            self._covered_radius(inputs, size, norm),
            n_features=inputs.n_features,
            norm=norm,
            failure=self._rounding_of(inputs).failure,
        )
        certificate = self._certifier(inputs).certify(
            worst, ErrorBudget(float(self.alpha)), radius=size, norm=norm, n_wrong=n_wrong
        )
        return certificate.of_inputs(inputs)

    def _read(self, X):
        self._check_ready()
        inputs = self._read_inputs(X)
        refuse_out_of_range(inputs, self._lattice)
        self._refuse_unsteady_answers(self.estimator_, inputs, self._responder())
        return inputs

    def _responder(self):
        return Responder(directly(self.estimator_), "predict", self.output_shape_)

    def _certifier(self, inputs):
        sampler = OutputSampler(
            self._responder(), inputs, self._streams(), **self._engine_options()
        )
        return ManyOutputsCertifier(sampler, int(self.n_selection), int(self.n_estimation))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags
