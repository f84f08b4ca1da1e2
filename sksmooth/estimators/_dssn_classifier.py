"""Deterministic smoothing with splitting noise."""

from dataclasses import replace
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from sksmooth.base_models._one_row import check_answers, comparable_answers, is_plain
from sksmooth.certifiers._options import check_radius
from sksmooth.certifiers.splits._enumeration import SplitCertifier
from sksmooth.certifiers.splits._grid import make_grid, refuse_off_grid
from sksmooth.certifiers.splits._radii import StepRadii
from sksmooth.certifiers.splits._shifts import ShiftStreams, Splits, count_shifts
from sksmooth.engine._black_box import ProbabilitySums
from sksmooth.engine._counting import VoteCounter
from sksmooth.engine._streams import Purpose
from sksmooth.estimators._base_classifier import BaseSmoothedClassifier, sorted_classes
from sksmooth.inputs._containers import read_inputs
from sksmooth.inputs._torch_containers import as_array


class DSSNClassifier(BaseSmoothedClassifier):
    """Classifier with exact l1 certificates, for features that live on levels.

    Each feature is cut in two or more pieces and the base model sees only which piece it lies
    in. All shifts of the cuts are tried, and the class with the most votes is the answer. A
    feature that moves by one level meets one cut, so it changes one vote: how many steps change
    nothing is read off the votes. Nothing is random after `fit`, so that `alpha` of the certificate
    is None.

    Parameters
    ----------
    estimator : classifier, default=None
        Base model: anything with `fit` and `predict`. Wrap a model that is already
        fitted in :class:`sklearn.frozen.FrozenEstimator`: any other is trained again. None:
        logistic regression.
    sigma : float, default=0.5
        Size of the noise, where the range of the features is 1: the cuts of a feature are
        ``2 * lam`` apart with ``lam = floor(2 * sigma * sqrt(3) * n_steps) / (2 * n_steps)``.
        No radius is larger than lam times the range.
    n_steps : int or "auto", default=255
        Number of steps between the levels of a feature. "auto": whole numbers are levels.
    feature_range : tuple of (low, high) or "auto", default=(0, 1)
        First and last level, in the units of X; arrays of the shape of one input give each
        feature its own. "auto": the smallest and largest value of the training data; 0 and 255 if
        they are uint8 and reach 128, as grey levels do and columns of 0 and 1 do not. "columns":
        the smallest and largest value of each feature in the training data.
    feature_scale : {"range"} or None, default=None
        What radii are in units of, for tables with columns in unlike units. "range": a radius R
        allows all perturbations d with ``sum(abs(d) / (high - low)) <= R``. None: the units of X,
        in which a step is counted as the shortest of all features.
    levels : array-like of shape (n_levels,), default=None
        Levels of all features, in increasing order, where their distances differ; `n_steps` and
        `feature_range` have no meaning then. A step counts as the shortest distance of two levels.
    off_grid : {"raise", "round"}, default="raise"
        What to do with values that are not levels: raise an error that names them, or round them
        to the nearest level (values out of range to the first or last).
    vote : {"hard", "soft"}, default="hard"
        Sum up labels, or probabilities of `predict_proba` (rounded down to multiples of 2**-40).
    n_augment : int, default=10
        `fit` trains the base model on this many split copies of each row. 0: on X itself.
    batch_size : int or "auto", default="auto"
        Largest number of split rows per call of the base model.
    n_jobs : int, default=None
        Number of parallel workers, as in :class:`SmoothedClassifier`.
    random_state : int, RandomState instance or None, default=None
        Seed of the offsets of the features and of the training copies, fixed at `fit`. A base
        model that leaves its own `random_state` at None is seeded too.
    verbose : int or bool, default=False
        Show a progress bar.

    Attributes
    ----------
    estimator_ : object
        Fitted base model.
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted. Ties go to the first.
    n_steps_ : int
        Number of steps between the levels.
    feature_range_ : tuple of (low, high)
        First and last level.
    feature_scale_ : ndarray of the shape of one input, or None
        Width of the range of each feature, with ``feature_scale="range"``.
    n_shifts_ : int
        Number of shifts, and of calls of the base model for each row: ``2 * lam * n_steps``.
    lam_ : float
        Half the distance of two cuts, where the range of the features is 1.
    noise_ : SplittingNoise
        What the shifts are all values of, where the range of the features is 1.
    offsets_ : ndarray of int of the shape of one input
        Where the cuts of each feature start, so that features are not all cut at one place.
    n_features_in_ : int
        Number of features, if the base model has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the base model has them.

    See Also
    --------
    SmoothedClassifier : With ``noise="splitting"``, the same noise drawn at random, for features
        that do not live on levels.

    Notes
    -----
    The classifier is the one with the offsets drawn at `fit`; an adversary may know them. The
    certificate is exact for a base model whose answer to a row depends on that row alone.

    References
    ----------
    .. [1] Levine, A. and Feizi, S. (2021). Improved, deterministic smoothing for l1 certified
       robustness. ICML 2021, Theorem 2.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sksmooth import DSSNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> forest = RandomForestClassifier(20)
    >>> clf = DSSNClassifier(forest, n_steps=16, feature_range=(0, 16), random_state=0)
    >>> certificate = clf.fit(X[:1000], y[:1000]).certify(X[1000:1003])
    >>> certificate.prediction
    array([1, 4, 0])
    >>> bool(certificate.radius.max() <= 16 * clf.lam_)
    True
    """

    _PARAMETERS_OF_CALLS: ClassVar[frozenset[str]] = frozenset(
        {"batch_size", "n_jobs", "off_grid", "verbose", "vote"}
    )

    _parameter_constraints: ClassVar[dict] = {
        **BaseSmoothedClassifier._parameter_constraints,
        "n_steps": [Interval(Integral, 1, 2**20, closed="both"), StrOptions({"auto"})],
        "feature_range": [tuple, list, StrOptions({"auto", "columns"})],
        "feature_scale": [StrOptions({"range"}), None],
        "levels": ["array-like", None],
        "off_grid": [StrOptions({"raise", "round"})],
        "vote": [StrOptions({"hard", "soft"})],
    }

    def __init__(
        self,
        estimator=None,
        *,
        sigma=0.5,
        n_steps=255,
        feature_range=(0, 1),
        feature_scale=None,
        levels=None,
        off_grid="raise",
        vote="hard",
        n_augment=10,
        batch_size="auto",
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.sigma = sigma
        self.n_steps = n_steps
        self.feature_range = feature_range
        self.feature_scale = feature_scale
        self.levels = levels
        self.off_grid = off_grid
        self.vote = vote
        self.n_augment = n_augment
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, **params):
        """Fit the base model on split copies of X.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Training inputs; every value is a level, unless ``off_grid="round"``.
        y : array-like of shape (m,)
            Class labels.
        sample_weight : array-like of shape (m,), default=None
            Weights of the rows, for base models that take them; each noisy copy has that of its
            row.
        **params : dict
            Passed to `fit` of the base model, as in :meth:`SmoothedClassifier.fit`.

        Returns
        -------
        self : DSSNClassifier

        Raises
        ------
        ValueError
            If a parameter or X cannot work; the message says which and what to do.
        """
        self._refuse_what_does_not_classify()
        X = as_array(X)
        rows = read_inputs(X, owner=self)
        y = self._check_labels(rows, y)
        grid = make_grid(rows.values, self.feature_range, self.n_steps, self.levels)
        self.feature_scale_ = self._scale_of(grid, rows)
        n_shifts = count_shifts(self.sigma, grid)
        levels = self._on_levels(rows, grid)
        self._begin_fit(rows)
        rng = np.random.default_rng(None if self._seed is None else [self._seed, Purpose.OFFSETS])
        self.offsets_ = rng.integers(n_shifts, size=rows.shape, dtype=np.int32)
        self._grid, self._dtype, self.n_shifts_ = grid, rows.dtype, n_shifts
        self.n_steps_, self.feature_range_ = grid.n_steps, (grid.low[()], grid.high[()])
        self.lam_, self.noise_ = self._splits.lam, self._splits.law
        model = self._fit_base_model(X, levels, y, self._params_of_base_fit(sample_weight, params))
        self.estimator_, self.classes_ = model, sorted_classes(model, y)
        check_answers(model, rows, self._black_box())
        return self

    def predict(self, X):
        """Class with the most votes among all shifts of each row.

        Exact. A row takes no more shifts once the others cannot change its class.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs, on the levels.

        Returns
        -------
        y : ndarray of shape (m,)
            Class labels.
        """
        levels, _ = self._read(X)
        return self._certifier(levels).predict()

    def predict_proba(self, X):
        """Exact proportions of the votes of all shifts of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs, on the levels.

        Returns
        -------
        probabilities : ndarray of shape (m, n_classes)
            In the order of `classes_`. With ``vote="soft"``, means of the probabilities.
        """
        levels, _ = self._read(X)
        return self._certifier(levels).probabilities()

    def certify(self, X, *, radius=None, perturbation="grid", store=None):
        """Return how far each row can move, in l1, without any change of its class.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs, on the levels.
        radius : float or array-like of shape (m,), default=None
            Only decide whether this radius holds; ``certificate.certified`` answers. A row takes
            no more shifts once it is decided. None: the largest radius.
        perturbation : {"grid", "real"}, default="grid"
            What an adversary may make of a row. "grid": any other row on the levels, as where
            images are saved with whole grey levels. "real": any row of real numbers, which is
            then rounded to the nearest levels; about half as far. Rows that are not on the levels
            (``off_grid="round"``) can only be asked for "real".
        store : str, Path, Store or Run, default=None
            File (or store of :mod:`sksmooth.store`) that results are written to, chunk by chunk.
            A call with the same file goes on where an earlier one was stopped. Another model, other
            data or parameters are refused.

        Returns
        -------
        certificate : ClassificationCertificate
            Exact (`alpha` is None), in the l1 norm and in the units of X (in parts of the range of
            each feature, with ``feature_scale="range"``); `perturbed` says what
            kind of perturbation it is about. Where features have ranges of their own, or levels
            differ in their distances, a step in the units of X is counted as the shortest of all.

        Raises
        ------
        ValueError
            If X or a parameter cannot work; the message says which and what to do.

        Notes
        -----
        With D steps that change nothing, the radius is D steps on the grid. A real perturbation
        moves a feature on a level to the next one after half a step, and to further ones after a
        whole step each. D + 1 such moves are needed, so the radius is ``(D + 1) / 2`` steps where
        there are more than D features; it holds for all smaller perturbations.
        """
        if perturbation not in ("grid", "real"):
            raise ValueError(f"perturbation must be 'grid' or 'real', got {perturbation!r}.")
        if store is not None:
            self._check_ready()
            return self._certify_into(store, X, {"radius": radius}, {"perturbation": perturbation})
        levels, rows = self._read(X)
        target = check_radius(radius, len(rows))
        in_ranges = self.feature_scale_ is not None
        radii = StepRadii(self._grid, rows, perturbation, most=self.n_shifts_, in_ranges=in_ranges)
        certificate = self._certifier(levels).certify(radii, target)
        scale = None if self.feature_scale_ is None else self.feature_scale_.ravel()
        return replace(certificate, index=rows.index, feature_scale=scale)

    def _scale_of(self, grid, rows):
        """Return the width of the range of each feature, where radii are in units of it."""
        if self.feature_scale is None:
            return None
        if grid.levels is not None:
            raise ValueError(
                "feature_scale='range' needs equal steps, and levels are given: leave one of the "
                "two out."
            )
        return np.broadcast_to(grid.high - grid.low, rows.shape).copy()

    @property
    def _splits(self):
        return Splits(self._grid, self.n_shifts_, self.offsets_, self._dtype)

    def _certifier(self, levels):
        voter, unit = self._black_box(), 1
        if self.vote == "soft":
            voter, unit = ProbabilitySums(voter.model, self.classes_), ProbabilitySums.UNIT
        counter = VoteCounter(voter, levels, self._streams(), **self._engine_options())
        return SplitCertifier(counter, self.classes_, unit)

    def _streams(self):
        return ShiftStreams(self._splits, self._entropy())

    def _inputs_to_store(self, X):
        return self._read(X)[1]

    def _read(self, X):
        """Check X, the parameters and the base model; return levels and rows as they were."""
        self._check_ready()
        rows = self._read_inputs(X)
        levels = self._on_levels(rows, self._grid)
        self._ask_about_first(rows)
        if not is_plain(self.estimator_) and comparable_answers(self.estimator_) is None:
            check_answers(self.estimator_, rows[:4], self._black_box())
        return levels, rows

    def _on_levels(self, rows, grid):
        """Return the rows as levels, which are split by whole numbers."""
        if self.off_grid == "raise":
            refuse_off_grid(rows, grid)
        return rows.with_values(grid.nearest(rows.values))
