"""Randomized smoothing of a classifier."""

from dataclasses import replace
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils._param_validation import Hidden, Interval, StrOptions

from sksmooth.base_models._answers import classes_of
from sksmooth.base_models._names import name_of
from sksmooth.base_models._one_row import check_answers, is_plain
from sksmooth.base_models._rules import rule_of
from sksmooth.certificates import ErrorBudget
from sksmooth.certifiers._options import (
    check_certify_options,
    check_changes,
    check_radius,
    check_start,
    refuse_too_few_draws,
)
from sksmooth.certifiers._path import JudgeByLaw, JudgeByVotes, PathCertifier
from sksmooth.certifiers._votes import VoteCertifier
from sksmooth.certifiers.exact._base import ExactVote
from sksmooth.certifiers.exact._certifier import ExactCertifier
from sksmooth.certifiers.exact._choice import exact_vote
from sksmooth.engine._black_box import BlackBoxVoter
from sksmooth.engine._counting import VoteCounter, proportions
from sksmooth.engine._streams import Purpose
from sksmooth.estimators._base import NORM_CONSTRAINT
from sksmooth.estimators._base_classifier import BaseSmoothedClassifier, sorted_classes
from sksmooth.estimators._examination import N_DRAWS, N_ROWS, Examination
from sksmooth.estimators._path import (
    LinearSteps,
    attacked_images,
    read_rho,
    read_tolerance,
    refuse_what_has_no_path,
)
from sksmooth.estimators._stored import refuse_with_store
from sksmooth.inputs._checks import refuse_out_of_range, warn_of_whole_numbers
from sksmooth.inputs._containers import read_inputs
from sksmooth.inputs._table import read_table
from sksmooth.inputs._torch_containers import as_array
from sksmooth.noise import CategoryNoise, Noise, make_noise
from sksmooth.noise._images import in_images
from sksmooth.noise._make import FAMILIES
from sksmooth.voters._choice import agrees, fast_voter


class SmoothedClassifier(BaseSmoothedClassifier):
    """Classifier with certificates: the majority vote of a base model on noisy inputs.

    For an input x, the class that the base model gives most often to x plus noise is the answer
    of the smoothed classifier. If it wins by enough, no perturbation of x up to a certain size
    can change the answer, whatever the base model is. :meth:`certify` computes that size.

    Parameters
    ----------
    estimator : classifier, default=None
        Base model: anything with `fit` and `predict`. Wrap a model that is already
        fitted in :class:`sklearn.frozen.FrozenEstimator`: any other is trained again. None:
        logistic regression.
    noise : {"gaussian", "laplace", "uniform", "splitting"} or Noise, default="gaussian"
        Distribution of the noise. A name takes its scale from `sigma`; an object of
        :mod:`sksmooth.noise` brings its own parameters (``noise__sigma`` is then tunable).
    sigma : float, default=0.25
        Root mean square of the noise per feature, in the units of X. Larger noise proves larger
        radii and costs accuracy.
    image_shape : tuple of int, default=None
        Shape of the image or series that each row of X holds, where rows are flat: ``(h, w)``,
        ``(h, w, channels)`` or ``(channels, h, w)``. Noise that moves pixels to other places, such
        as :class:`~sksmooth.noise.Shift`, needs it. None: the shape of the rows.
    feature_scale : {"std", "iqr"}, array-like of shape (n_features,), dict or None, default=None
        What one unit of `sigma` and of radii means in each column, for tables with columns in
        unlike units. "std": the standard deviation of the column in the training data; "iqr": its
        interquartile range (where that is 0, the standard deviation). A dictionary gives numbers
        or these names for some columns; the others take "std". 0: the column gets no noise, and
        every statement is about inputs that do not change it. None: the units of X.
    categorical : "refuse", "fixed" or CategoryNoise, default="refuse"
        What to do with categorical columns of a data frame (pandas: category, object, string;
        polars: Categorical, Enum, String). "refuse": raise an error that names them. "fixed": the
        base model gets them as they are, and every statement is about inputs that do not change
        them. :class:`~sksmooth.noise.CategoryNoise`: they bear noise, and the certificate also says
        how far numbers can move after some of them have changed (``radius_after``). The base model
        gets data frames with the dtypes and categories of training.
    k : float, default=0
        How much denser the centre of "gaussian" and "laplace" noise is, from 0 to below the
        number of features. At a fixed `sigma` it hardly matters in high dimension; see the user
        guide.
    norm : float, default=None
        Norm p of the certified radius, from 1 to ``numpy.inf``. None: the natural norm of the
        noise (2 for "gaussian", 1 for the others). "gaussian" and "laplace" certify in every
        norm, "uniform" in 1 and ``numpy.inf``, "splitting" in 1. "gaussian" with ``k > 0`` and
        the norm ``numpy.inf`` is :class:`~sksmooth.noise.MixedNormNoise`.
    n_selection : int, default=100
        Draws per row that select the predicted class.
    n_estimation : int, default=10_000
        Further draws per row that certify it; at most so many where `certify` only decides a
        radius. The largest radius that can be proven grows with their logarithm.
    alpha : float, default=0.001
        Probability, in (0, 0.5), that the certificate of one row is wrong.
    structure : {"auto", "off"}, default="auto"
        Use what is known of the base model. "auto": votes of linear classifiers, multi-layer
        perceptrons, support vector machines and nearest neighbours, also behind scalers and the
        like in a Pipeline, are taken from products with the noise that all rows share, which is
        many times faster. Linear classifiers with two classes, decision trees, small
        forests, and boosted trees with two classes that look at one feature each need no votes:
        their class probabilities under noise are known, and the certificate is exact (its `alpha`
        is None).
        "off": ask the base model for every vote.
    n_augment : int, default=10
        `fit` trains the base model on this many noisy copies of each row. 0: on X itself. A base
        model that has not seen noise gets certificates near zero.
    batch_size : int or "auto", default="auto"
        Largest number of noisy rows per call of the base model. Memory is bounded by it. "auto"
        times a few sizes first where there is enough work ahead.
    n_jobs : int, default=None
        Number of parallel workers, as in joblib: threads, unless
        :class:`joblib.parallel_config` asks for another backend.
    random_state : int, RandomState instance or None, default=None
        Seed of the noise, fixed at `fit`; a base model that leaves its own `random_state` at
        None is seeded too. None takes fresh entropy at each call. Every row sees the same
        draws. An adversary who knows the seed before choosing the input voids the guarantee.
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
    feature_scale_ : ndarray of shape (n_features,) or None
        Scale of each column, fixed at `fit`.
    noise_step_ : float or None
        Step, a power of two, of the lattice that inputs and noise are rounded to before they are
        added, so that their sum is exact; from `sigma` and the range of the training data. None
        for noise that is not added to features.
    fast_votes_ : bool or None
        Whether votes are taken from what is known of the base model (see `structure`). None: `fit`
        had no data to compare them with the model's own answers on; each call does that.
    n_features_in_ : int
        Number of features, if the base model has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the base model has them.

    See Also
    --------
    ClassificationCertificate : What `certify` returns.
    make_certified_scorer : Certified accuracy as a score for grid search.

    Notes
    -----
    Counts are the same for any `n_jobs`, any `batch_size` and any order or subset of the rows.

    The noise and the base model are those of `fit`: after a change of `sigma`, `k` or `noise`, fit
    again. `alpha`, `n_estimation`, `norm`, `batch_size` and `n_jobs` may change between calls of
    `certify`.

    References
    ----------
    .. [1] Cohen, J., Rosenfeld, E. and Kolter, Z. (2019). Certified adversarial robustness via
       randomized smoothing. ICML 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sksmooth import SmoothedClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SmoothedClassifier(LogisticRegression(max_iter=500), sigma=0.5, random_state=0)
    >>> certificate = clf.fit(X, y).certify(X[[0, 60, 140]])
    >>> certificate.prediction
    array([0, 1, 2])
    >>> certificate.radius.round(1)
    array([1.4, 1. , 1. ])
    """

    _PARAMETERS_OF_CALLS: ClassVar[frozenset[str]] = frozenset(
        {
            "alpha",
            "batch_size",
            "n_estimation",
            "n_jobs",
            "n_selection",
            "norm",
            "structure",
            "verbose",
        }
    )

    _parameter_constraints: ClassVar[dict] = {
        **BaseSmoothedClassifier._parameter_constraints,
        "noise": [StrOptions(set(FAMILIES)), Noise, Hidden(CategoryNoise)],
        "categorical": [StrOptions({"refuse", "fixed"}), CategoryNoise],
        "image_shape": [tuple, list, None],
        "k": [Interval(Real, 0, None, closed="left")],
        "norm": NORM_CONSTRAINT,
        "n_selection": [Interval(Integral, 1, None, closed="left")],
        "n_estimation": [Interval(Integral, 1, None, closed="left")],
        "alpha": [Interval(Real, 0, 0.5, closed="neither")],
        "structure": [StrOptions({"auto", "off"})],
    }

    def __init__(
        self,
        estimator=None,
        *,
        noise="gaussian",
        sigma=0.25,
        image_shape=None,
        feature_scale=None,
        categorical="refuse",
        k=0,
        norm=None,
        n_selection=100,
        n_estimation=10_000,
        alpha=0.001,
        structure="auto",
        n_augment=10,
        batch_size="auto",
        n_jobs=None,
        random_state=None,
        verbose=False,
    ):
        self.estimator = estimator
        self.noise = noise
        self.sigma = sigma
        self.image_shape = image_shape
        self.feature_scale = feature_scale
        self.categorical = categorical
        self.k = k
        self.norm = norm
        self.n_selection = n_selection
        self.n_estimation = n_estimation
        self.alpha = alpha
        self.structure = structure
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
            data; with some, it is looked at for faults.
        y : array-like of shape (m,)
            Class labels.
        sample_weight : array-like of shape (m,), default=None
            Weights of the rows, for base models that take them; each noisy copy has that of its
            row.
        **params : dict
            Passed to `fit` of the base model. Entries with one value per row are repeated for
            the noisy copies. Where metadata routing is
            enabled, only what the base model requests is passed.

        Returns
        -------
        self : SmoothedClassifier

        Raises
        ------
        ValueError
            If a parameter or X cannot work; the message says which and what to do.

        Warns
        -----
        NoiseCollapseWarning
            If the smoothed classifier is no better than chance on a sample of the training rows,
            gives one class to all, or is far worse than the base model on the rows themselves; it
            says what seems to be the cause.
        """
        refuse_too_few_draws(self.n_estimation, self.alpha)
        self._refuse_what_does_not_classify()
        if X is None:
            return self._fit_without_data()
        X = as_array(X)
        table = self._table_of(X)
        rows = read_inputs(X, owner=self) if table is None else read_table(X, table, owner=self)
        y = self._check_labels(rows, y)
        rows = self._arranged_at_fit(rows, table)
        self.noise_ = self._made_noise(rows.shape)
        self._refuse_noise_on_some_columns(rows)
        self.noise_.check_inputs(rows.values)
        # refuses norms that it cannot certify
        self.noise_.trade_off(rows.n_features, self._wanted_norm())
        self._lattice = self._lattice_for(rows)
        warn_of_whole_numbers(rows, stacklevel=3)
        self._begin_fit(rows)
        model = self._fit_base_model(X, rows, y, self._params_of_base_fit(sample_weight, params))
        self._take(model, sorted_classes(model, y))
        check_answers(model, rows, self._black_box())
        self._examine_base_model(rows, y)
        return self

    def _made_noise(self, shape=None):
        """Return the noise, for rows of a shape where there are some."""
        made = make_noise(self.noise, sigma=self.sigma, k=self.k, norm=self._wanted_norm())
        return in_images(made, shape, self.image_shape)

    def _fit_without_data(self):
        """Take a frozen model as it is."""
        model = clone(self._base_model())
        if not isinstance(model, FrozenEstimator) or not hasattr(model, "classes_"):
            raise ValueError(
                "fit needs X and y. Only a trained model that knows its classes_ needs none: pass "
                "it as sklearn.frozen.FrozenEstimator(model)."
            )
        if self.categorical != "refuse":
            raise ValueError(
                f"categorical={self.categorical!r} needs the levels of training data: call fit "
                "with X and y."
            )
        self._arranged_without_data()
        self.noise_ = self._made_noise()
        self._refuse_noise_on_some_columns()
        self._lattice = self._lattice_for(None)
        self._begin_fit()
        self._take(model, classes_of(model, None))
        self._has_asked = False
        self.fast_votes_ = None
        return self

    def _take(self, model, classes):
        """Keep the fitted base model, and what can be read off it once and for all."""
        self.estimator_, self.classes_ = model, classes
        self._rule = rule_of(model, classes) if self.structure == "auto" else None

    def predict(self, X):
        """Class with the most votes among `n_selection` noisy copies of each row.

        Where class probabilities are known exactly (see `structure`), the most probable one.

        Never abstains. With an integer `random_state` it is what ``certify(X).prediction`` holds;
        with None each call votes with fresh noise, and rows on the border may differ.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        y : ndarray of shape (m,)
            Class labels.
        """
        probabilities = self._class_probabilities(self._read(X))
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X):
        """Vote proportions among `n_selection` noisy copies of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        probabilities : ndarray of shape (m, n_classes)
            In the order of `classes_`. They are estimates, without a guarantee, except where they
            are known exactly (see `structure`).
        """
        return self._class_probabilities(self._read(X))

    def certify(
        self,
        X,
        *,
        radius=None,
        changes=None,
        rtol=0.0,
        top_k=1,
        bilateral=False,
        simultaneous=False,
        start=None,
        store=None,
    ):
        """Prove how far each row can move before the prediction may change.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        radius : float or array-like of shape (m,), default=None
            Only decide whether this radius holds; ``certificate.certified`` answers. A row is
            given no more draws once it is decided either way, and `n_estimation` at most: tens
            of times fewer than for the largest radius. None: the largest radius that the votes
            prove.
        changes : int, default=None
            With `radius`: decide whether it holds after this many categorical columns have
            changed as well. ``certificate.certified`` answers.
        rtol : float, default=0
            Accept radii that are smaller by this fraction, on average, than those that
            `n_estimation` draws would prove, and take as many draws as each row needs for it (for
            the radius of every class of the prediction, with `top_k`). 0: `n_estimation` draws
            for every row.
        top_k : int, default=1
            Prove that the predicted class stays among this many classes with the most votes.
            ``certificate.prediction`` holds the `top_k` classes in the order of their votes, and
            ``certificate.label_radius`` a radius for each. It proves more than one place does
            where classes are hard to tell apart, and splits alpha among all classes.
        bilateral : bool, default=False
            Also bound the probabilities of the other classes, which proves more where the votes
            are spread over many classes and costs half of `alpha`. With `top_k` above 1 they are
            bounded in any case, and this changes nothing.
        simultaneous : bool or "holm", default=False
            Make `alpha` the probability that any of the m certificates is wrong (union bound).
            "holm", with `radius`: by the step-down method of Holm, which certifies more rows; every
            row takes `n_estimation` draws.
        start : ClassificationCertificate of length m, default=None
            Result of an earlier call with `radius` for the same rows: go on from its votes, with
            new draws, at the same level. `radius`, and `n_estimation` as the cap on all votes of
            a row, may have been raised. Its `bilateral`, `simultaneous` and `top_k` are kept.
        store : str, Path, Store or Run, default=None
            File (or store of :mod:`sksmooth.store`) that results are written to, chunk by chunk. A
            call with the same file goes on where an earlier one was stopped, for whatever reason;
            one with a larger `n_estimation` or another `radius` goes on with a decision. Another
            model, other data or parameters are refused. With ``random_state=None`` the file keeps
            the seed.

        Returns
        -------
        certificate : ClassificationCertificate
            For each row: with probability at least ``1 - alpha`` over the noise, the class that
            the smoothed classifier gives to every input within `radius` of the row is
            `prediction`.

        Raises
        ------
        UnreachableRadiusError
            If no vote of `n_estimation` draws could prove the radius asked for.
        ValueError
            If X or a parameter cannot work; the message says which and what to do.

        References
        ----------
        .. [1] Cohen, J., Rosenfeld, E. and Kolter, Z. (2019). Certified adversarial robustness via
           randomized smoothing. ICML 2019, Theorem 1.
        .. [2] Jennison, C. and Turnbull, B. W. (1999). Group sequential methods with applications
           to clinical trials. Chapman and Hall (for `radius`).
        .. [3] Jia, J. et al. (2020). Certified robustness for top-k predictions against
           adversarial perturbations via randomized smoothing. ICLR 2020 (for `top_k`).
        """
        self._check_ready()
        options, n_classes = {"top_k": top_k, "bilateral": bilateral}, len(self.classes_)
        options["simultaneous"] = simultaneous
        check_certify_options(rtol, radius, start, n_classes=n_classes, **options)
        if store is not None:
            refuse_with_store(start=start)
            if simultaneous == "holm":
                raise ValueError(
                    "simultaneous='holm' compares all rows, and a store takes them one by one: "
                    "certify into the store without radius, then ask its certificate holm(radius)."
                )
            options |= {"changes": changes, "rtol": rtol}
            return self._certify_into(store, X, self._call_of(radius), options)
        inputs = self._read(X)
        if start is not None:
            law = {"noise": self.noise_, "classes": self.classes_, "fit_id": self._fit_id}
            n_estimation, step = self.n_estimation, self.noise_step_
            check_start(start, inputs, n_estimation=n_estimation, noise_step=step, **law)
        if simultaneous == "holm":
            return self._certify_by_holm(inputs, radius, changes, options)
        certifier = self._certifier(inputs, radius, changes, start, **options)
        if isinstance(certifier, ExactCertifier):
            norm, target = self._norm, check_radius(radius, len(inputs))
            certificate = certifier.certify(norm, top_k=top_k, target=target)
        elif radius is not None:
            certificate = certifier.decide(start)
        else:
            certificate = certifier.within(rtol) if rtol else certifier.fixed()
        return certificate.of_inputs(inputs)

    def _certify_by_holm(self, inputs, radius, changes, options):
        target = check_radius(radius, len(inputs), positive=True)
        if changes is not None:
            raise ValueError("simultaneous='holm' cannot be combined with changes. Leave one out.")
        options = {**options, "simultaneous": True}
        certifier = self._certifier(inputs, None, None, None, **options)
        if isinstance(certifier, ExactCertifier):
            return certifier.certify(self._norm, target=target).of_inputs(inputs)
        return certifier.fixed().of_inputs(inputs).holm(target)

    @property
    def _norm(self):
        return self._wanted_norm() or self.noise_.norm

    def _certifier(self, inputs, radius, changes, start, *, top_k, bilateral, simultaneous):
        """Return what certifies inputs: by votes, or by class probabilities that are known."""
        target = check_radius(radius, len(inputs))
        check_changes(changes, radius, inputs)
        voter = self._voter(inputs)
        if isinstance(voter, ExactVote):
            return self._exact_certifier(voter, inputs)
        n_joint = len(inputs) if self._n_joint is None else self._n_joint
        budget = ErrorBudget(float(self.alpha), n_joint if simultaneous else 1)
        if start is not None:
            budget, bilateral, top_k = start.budget, start.bilateral, start.top_k
        return VoteCertifier(
            self._counter(voter, inputs),
            classes=self.classes_,
            budget=budget,
            norm=self._norm,
            n_selection=int(self.n_selection),
            n_estimation=int(self.n_estimation),
            bilateral=bilateral,
            top_k=top_k,
            target=target,
            fit_id=self._fit_id,
            changes=None if changes is None else int(changes),
            is_checked=self._n_joint is not None,
        )

    def _call_of(self, radius):
        """Return what a later call with the same store may change."""
        return {"n_estimation": int(self.n_estimation), "radius": radius}

    def _asks_for_each_vote(self, inputs):
        voter = self._voter(inputs)
        return not isinstance(voter, ExactVote) and voter.draws_per_call(inputs) is None

    def _check_before_run(self, inputs, n_rows, radius, *, rtol, changes, **options):
        certifier = self._certifier(inputs, radius, changes, None, **options)
        if isinstance(certifier, VoteCertifier):
            n_joint = n_rows if options["simultaneous"] else 1
            replace(certifier, budget=ErrorBudget(float(self.alpha), n_joint)).check()

    def _inputs_to_store(self, X):
        return self._read(X)

    def certify_path(
        self, X, transformation, *, tolerance=None, rho=None, simultaneous=False, before=()
    ):
        """Prove by how much images may be rotated, zoomed, sheared or shifted.

        See :func:`sksmooth.certify_path`, which takes Pipelines too.

        Parameters
        ----------
        X : array-like of shape (m, height, width), (m, height, width, c), (m, c, height, width) \
                or (m, d)
            Images, as they are transformed.
        transformation : Transformation
            What is done to images, and the range that is asked about.
        tolerance : float or "8bit", default=None
            How far the attacked image may be from the transformed one besides, in l2.
        rho : float, default=None
            Largest radius of a ball around an anchor, in l2.
        simultaneous : bool, default=False
            Make `alpha` the probability that any of the m statements is wrong (union bound).
        before : sequence of transformer, default=()
            Fitted linear transformers that images go through before they get here.

        Returns
        -------
        certificate : PathCertificate
        """
        steps = LinearSteps(list(before))
        given = read_inputs(X, owner=self) if steps.steps else self._read_inputs(X)
        inputs = self._read(steps(X))
        refuse_what_has_no_path(self.noise_, inputs)
        images = attacked_images(transformation, steps, given, inputs)
        tolerance = read_tolerance(tolerance, given)
        if not isinstance(simultaneous, (bool, np.bool_)):
            raise ValueError(f"simultaneous must be True or False, got {simultaneous!r}.")
        budget = ErrorBudget(float(self.alpha), len(inputs) if simultaneous else 1, n_bounds=2)
        judge = self._judge(inputs, budget)
        certifier = PathCertifier(
            images,
            judge,
            classes=self.classes_,
            noise=self.noise_,
            budget=None if isinstance(judge, JudgeByLaw) else budget,
            rho=read_rho(rho, float(self.noise_.sigma), images.stretch * tolerance),
            tolerance=tolerance,
            before=str(steps) if steps.steps else None,
            verbose=self.verbose,
        )
        return certifier.certify().with_index(given.index)

    def _judge(self, inputs, budget):
        """Return what decides whether a radius holds at an input."""
        voter = self._voter(inputs)
        if isinstance(voter, ExactVote):
            return JudgeByLaw(voter, self.classes_, self.noise_, self.n_jobs)
        return JudgeByVotes(
            self._counter(voter, inputs),
            self.classes_,
            replace(budget, n_statements=budget.n_statements * budget.n_bounds, n_bounds=1),
            int(self.n_selection),
            int(self.n_estimation),
        )

    def _read(self, X):
        """Check X, the parameters and the base model before any sampling."""
        self._check_ready()
        rows = self._read_inputs(X)
        self.noise_.check_inputs(rows.values)
        self.noise_.trade_off(rows.n_features, self._wanted_norm())
        refuse_out_of_range(rows, self._lattice)
        return rows

    def _voter(self, inputs):
        """Return what votes: an exact vote or a fast voter of the base model where there is one."""
        voter = None
        if self.fast_votes_ is not False:
            voter = self._known_voter(inputs)
        if voter is not None and self.fast_votes_ is None:
            self._refuse_other_answers(voter, inputs[:N_ROWS])
        if voter is None or not is_plain(self.estimator_):
            self._ask_about_first(inputs)  # what it cannot take it says before any sampling
            self._refuse_unsteady_answers(self.estimator_, inputs, self._black_box())
        return self._black_box() if voter is None else voter

    def _known_voter(self, inputs):
        """Return what is known of how the base model votes, or None."""
        if self.structure == "off":
            return None
        voter = fast_voter(self.estimator_, self.classes_, self.noise_, inputs)
        rule = None if self._rounds_to_single(inputs) else self._rule
        if rule is not None and inputs.layout is not None:
            rule = rule.in_units(inputs.layout.units)
        exact = exact_vote(voter, rule, self.noise_, inputs.shape, inputs.noisy)
        return voter if exact is None else exact

    def _rounds_to_single(self, inputs):
        """Whether the model gets sums that are rounded from float64, and is no rule of the sum."""
        single = np.dtype(np.float32)
        return self._lattice is not None and inputs.dtype == single != self._lattice.dtype

    def _refuse_other_answers(self, voter, inputs):
        """Refuse a fast voter that `fit` had no data to compare with its model, and that differs.

        To ask the model instead would make the votes of a row depend on the other rows of a call.
        """
        if not _agrees(voter, inputs, self._clean_classes(inputs)):
            raise ValueError(
                f"{name_of(self.estimator_)} gives other answers than those that are read off it. "
                "Set structure='off', or call fit with some data to settle it there."
            )

    def _clean_classes(self, inputs):
        """Positions of the classes that the base model gives to the inputs themselves."""
        own = BlackBoxVoter(self.estimator_, self.classes_)
        return own(inputs.to_container(inputs.values.astype(inputs.dtype)), len(inputs))

    def _black_box(self):
        if self.structure == "off":
            return BlackBoxVoter(self.estimator_, self.classes_)
        return super()._black_box()

    def _counter(self, voter, inputs):
        return VoteCounter(voter, inputs, self._streams(), **self._engine_options())

    def _exact_certifier(self, vote, inputs):
        options = {"n_jobs": self.n_jobs, "verbose": self.verbose}
        return ExactCertifier(vote, inputs, self.classes_, self.noise_, **options)

    def _class_probabilities(self, inputs):
        """Exact probabilities where they are known, else proportions of the selection votes."""
        voter = self._voter(inputs)
        if isinstance(voter, ExactVote):
            return self._exact_certifier(voter, inputs).probabilities()
        counter = self._counter(voter, inputs)
        votes = counter.count(Purpose.SELECTION, self.n_selection, label="selecting")
        return proportions(votes, self.n_selection)

    def _examine_base_model(self, inputs, y):
        """Compare a fast voter with its model, and warn of a useless one, on a sample."""
        sample = np.unique(np.linspace(0, len(inputs) - 1, N_ROWS).astype(int))
        inputs, truth = inputs[sample], y[sample][:, None] == self.classes_
        clean = self._clean_classes(inputs)
        voter = self._known_voter(inputs)
        self.fast_votes_ = voter is not None and _agrees(voter, inputs, clean)
        voter = self._voter(inputs)
        if isinstance(voter, ExactVote):
            probabilities = voter.probabilities(inputs.values.astype(float))
        else:
            counter = replace(self._counter(voter, inputs), verbose=False)
            votes = counter.count(Purpose.COLLAPSE_CHECK, N_DRAWS)
            probabilities = proportions(votes, N_DRAWS)
        seen = Examination(self.estimator_, self.noise_, inputs, truth, clean, probabilities)
        seen.warn(stacklevel=4)


def _agrees(voter, inputs, classes):
    """Whether a voter gives inputs, without noise, the classes that the base model gives them."""
    if isinstance(voter, ExactVote):
        return np.array_equal(voter.classify(inputs.values.astype(float)), classes)
    return agrees(voter, inputs, classes)
