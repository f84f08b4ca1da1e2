"""Prediction sets of labels that cover under perturbations."""

from typing import ClassVar

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import StrOptions

from sksmooth.base_models._answers import class_indices, classes_of
from sksmooth.base_models._names import name_of
from sksmooth.base_models._one_row import check_answers
from sksmooth.certifiers.conformal._label_scores import SCORES, LabelScores, method_for_scores
from sksmooth.certifiers.conformal._label_sets import LabelSets
from sksmooth.estimators._base_classifier import BaseClassifier, sorted_classes
from sksmooth.estimators._base_conformal import BaseConformal
from sksmooth.inputs._checks import warn_of_whole_numbers
from sksmooth.inputs._torch_containers import as_array
from sksmooth.voters._direct import directly


class RobustConformalClassifier(BaseClassifier, BaseConformal):
    """Classifier with prediction sets whose coverage holds under every perturbation in a radius.

    The set of a row holds its true label with a probability of at least `confidence_level`, also
    where an adversary, who sees the model and the calibration rows, moves the row by up to
    `radius`. Labels are scored on noisy copies of the row; the threshold for the scores comes from
    rows with labels that are given to :meth:`conformalize`.

    Parameters
    ----------
    estimator : classifier, default=None
        Base model: anything with `fit` and one of `predict_proba` and `decision_function`. Wrap a
        model that is already fitted in :class:`sklearn.frozen.FrozenEstimator`: any other is
        trained again. None: logistic regression.
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
    conformity_score : {"lac", "aps"} or callable, default="lac"
        How well a label fits. "lac": its probability, for the smallest sets on average; "aps":
        minus the probability of all labels above it, for sets that adapt to the row. A function
        gets the answers of `predict_proba`, or else of `decision_function`, of shape
        (n_rows, n_classes), and returns scores of that shape, larger ones for labels that fit
        better.
    n_draws : int, default=30
        Noisy copies of each row, in calibration and in prediction. More make smaller sets; beyond
        a hundred they hardly do.
    k : int, default=None
        Rank, from the largest, of the score of a calibration row among those of its copies. None:
        chosen, with the rank for test rows, by the noise and the radius alone.
    by_class : bool, default=False
        A threshold for each class: rows of each class are covered with the probability
        `confidence_level`. Each class needs its own rows for calibration.
    n_poisoned : int, default=0
        Number of calibration rows that an adversary may have replaced by any other.
    pac_delta : float, default=None
        Make coverage hold for the calibration rows at hand, but for this probability, if rows are
        independent. None: coverage is meant on average over calibration rows.
    feature_scale : {"std", "iqr"}, array-like of shape (n_features,), dict or None, default=None
        What one unit of `sigma` and of `radius` means in each column, as for
        :class:`SmoothedClassifier`.
    n_augment : int, default=10
        `fit` trains the base model on this many noisy copies of each row. 0: on X itself. A base
        model that has not seen noise makes large sets.
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
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    noise_ : Noise
        Distribution of the noise.
    lambda_ : ndarray of shape (n_levels,), or (n_levels, n_classes) with `by_class`
        Thresholds: a label is in the set where its score is no smaller. Minus infinity: every set
        holds it.
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
    RobustConformalRegressor : Intervals for numbers.
    SmoothedClassifier : One label, and the radius within which it stays.
    sksmooth.bounds.calibration_level : The theorem behind it.

    Notes
    -----
    Coverage is meant over calibration rows, the test row and the noise; the rows have to be
    exchangeable, and the base model trained on others. Picking the best of many answers for one
    row voids it.

    References
    ----------
    .. [1] Gendler, A., Weng, T.-W., Daniel, L. and Romano, Y. (2022). Adversarially robust
       conformal prediction. ICLR 2022.
    .. [2] Zargarbashi, S. H. and Bojchevski, A. (2025). One sample is enough to make conformal
       prediction robust (the special case ``n_draws=1``).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import train_test_split
    >>> from sksmooth import RobustConformalClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> X, X_calibration, y, y_calibration = train_test_split(X, y, random_state=0)
    >>> clf = RobustConformalClassifier(
    ...     LogisticRegression(max_iter=500), sigma=0.5, radius=0.2, random_state=0
    ... )
    >>> clf = clf.fit(X, y).conformalize(X_calibration, y_calibration)
    >>> y_pred, sets = clf.predict_set([[5.0, 3.4, 1.5, 0.2], [6.1, 2.9, 4.9, 1.7]])
    >>> y_pred
    array([0, 2])
    >>> sets[:, :, 0]
    array([[ True, False, False],
           [False,  True,  True]])
    """

    _parameter_constraints: ClassVar[dict] = {
        **BaseConformal._parameter_constraints,
        **BaseClassifier._parameter_constraints,
        "conformity_score": [StrOptions(set(SCORES)), callable],
        "by_class": ["boolean"],
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
        conformity_score="lac",
        n_draws=30,
        k=None,
        by_class=False,
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
        self.by_class = by_class
        self.n_poisoned = n_poisoned
        self.pac_delta = pac_delta
        self.feature_scale = feature_scale
        self.n_augment = n_augment
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X=None, y=None, sample_weight=None, **params):
        """Fit the base model on noisy copies of X.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Training inputs, as the base model takes them. A frozen model with `classes_` needs no
            data.
        y : array-like of shape (m,)
            Class labels.
        sample_weight : array-like of shape (m,), default=None
            Weights of the rows, for base models that take them; each noisy copy has that of its
            row.
        **params : dict
            Passed to `fit` of the base model, as :class:`SmoothedClassifier` does.

        Returns
        -------
        self : RobustConformalClassifier

        Raises
        ------
        ValueError
            If a parameter or X cannot work; the message says which and what to do.
        """
        self._check_levels()
        self._refuse_what_does_not_classify()
        if X is None:
            return self._fit_without_data()
        X = as_array(X)
        rows = self._read_training(X)
        y = self._check_labels(rows, y)
        self._prepare_noise(rows)
        warn_of_whole_numbers(rows, stacklevel=3)
        self._begin_fit(rows)
        model = self._fit_base_model(X, rows, y, self._params_of_base_fit(sample_weight, params))
        method_for_scores(model, self.conformity_score)  # says what a model lacks
        self.estimator_, self.classes_ = model, sorted_classes(model, y)
        check_answers(model, rows, self._respond())
        return self

    def _fit_without_data(self):
        """Take a frozen model as it is."""
        model = clone(self._base_model())
        if not isinstance(model, FrozenEstimator) or not hasattr(model, "classes_"):
            raise ValueError(
                "fit needs X and y. Only a trained model that knows its classes_ needs none: pass "
                "it as sklearn.frozen.FrozenEstimator(model)."
            )
        method_for_scores(model, self.conformity_score)
        self._arranged_without_data()
        self._prepare_noise(None)
        self._begin_fit()
        self.estimator_, self.classes_ = model, classes_of(model, None)
        return self

    def conformalize(self, X, y):
        """Calibrate the sets by rows that the base model was not trained on.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs, exchangeable with those of :meth:`predict_set` before any perturbation.
        y : array-like of shape (m,)
            Their labels.

        Returns
        -------
        self : RobustConformalClassifier

        Raises
        ------
        ValueError
            If X, y or a parameter cannot work; the message says which and what to do.

        Warns
        -----
        UninformativeSetsWarning
            If there are too few rows, so that every set holds every label; it says how many are
            needed.
        """
        inputs = self._read(X)
        labels = self._positions(self._check_labels(inputs, y))
        rule = self._begin_calibration(inputs)
        n_classes = len(self.classes_)
        sets = LabelSets(self._scores_of(inputs), rule)
        thresholds = sets.calibrate(labels, n_classes, by_class=self.by_class)
        if self.by_class:
            counts = np.bincount(labels, minlength=n_classes).tolist()
            sizes = {f"rows of class {c}": n for c, n in zip(self.classes_, counts, strict=True)}
        else:
            sizes = {"rows": len(labels)}
        self._keep(rule, thresholds, sizes)
        return self

    def predict_set(self, X, random_state=None):
        """Predict labels, and sets that cover within the radius.

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
            The label with the largest mean score over the noisy copies.
        sets : ndarray of bool of shape (m, n_classes, n_levels)
            Whether a label, in the order of `classes_`, is in the set. A set may be empty: no label
            fits as well as those of nearly all calibration rows.
        """
        self._check_calibrated()
        inputs = self._read(X)
        sampler = self._scores_of(inputs, random_state)
        positions, sets = LabelSets(sampler, self._rule).predict(self.lambda_)
        return self.classes_[positions], sets

    def predict(self, X):
        """Label with the largest mean score over the noisy copies of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        y : ndarray of shape (m,)
            Class labels; that of :meth:`predict_set`.
        """
        sampler = self._scores_of(self._read(X))
        return self.classes_[LabelSets(sampler, None).likeliest()]

    def _positions(self, y):
        """Positions of labels among the classes, or which of them is none."""
        positions = class_indices(y, self.classes_)
        if positions is None:
            foreign = sorted(set(map(str, y)) - set(map(str, self.classes_)))[:5]
            raise ValueError(
                f"y holds labels that are no classes of {name_of(self.estimator_)}: "
                f"{', '.join(foreign)}. Known classes: "
                f"{', '.join(map(str, self.classes_[:10]))}. Leave these rows out only if such "
                "labels do not come up in prediction either."
            )
        return positions

    def _respond(self):
        """Return the base model as a function from inputs to the scores of all labels."""
        method = method_for_scores(self.estimator_, self.conformity_score)
        score = (
            SCORES.get(self.conformity_score) if isinstance(self.conformity_score, str) else None
        )
        return LabelScores(
            directly(self.estimator_),
            self.classes_,
            self.conformity_score if score is None else score,
            method,
        )

    def _scores_of(self, inputs, random_state=None):
        """Return what samples the scores of all labels."""
        return self._sampler(self._respond(), inputs, random_state, n_values=len(self.classes_))
