"""Randomized smoothing of a classifier."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y, check_consistent_length, check_is_fitted

from sksmooth._monte_carlo import Purpose, Voter, count_votes, name_of
from sksmooth._rows import read_rows
from sksmooth.estimators._base import BaseSmoother
from sksmooth.estimators._certification import (
    Certification,
    check_certify_options,
    check_radius,
    check_start,
    exact_certificate,
    is_exact,
    refuse_noise_below_resolution,
    refuse_too_few_draws,
)
from sksmooth.exceptions import NoiseCollapseWarning
from sksmooth.noise import GaussianNoise, Noise
from sksmooth.structure._hyperplane import exact_shares
from sksmooth.structure._use import agrees, count_structured, usable_structure

_FAMILIES = {"gaussian": GaussianNoise}

# The check for a collapse at fit: enough votes for a standard error of a few percent.
_COLLAPSE_ROWS, _COLLAPSE_DRAWS = 64, 16


class SmoothedClassifier(ClassifierMixin, BaseSmoother):
    """Classifier with certificates: the majority vote of a base model on noisy inputs.

    For an input x, the class that the base model gives most often to x plus noise is the answer
    of the smoothed classifier. If it wins by enough, no perturbation of x up to a certain size
    can change the answer, whatever the base model is. :meth:`certify` computes that size.

    Parameters
    ----------
    estimator : classifier, default=None
        Base model: anything with `fit` and `predict`. A model that is already fitted is wrapped
        in :class:`sklearn.frozen.FrozenEstimator`. None: logistic regression.
    noise : {"gaussian"} or Noise, default="gaussian"
        Distribution of the noise. A name takes its scale from `sigma`; an object of
        :mod:`sksmooth.noise` brings its own parameters (``noise__sigma`` is then tunable).
    sigma : float, default=0.25
        Root mean square of the noise per feature, in the units of X. Larger noise proves larger
        radii and costs accuracy.
    norm : float, default=None
        Norm p of the certified radius, from 1 to ``numpy.inf``. None: the natural norm of the
        noise (2 for "gaussian").
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
        many times faster. A linear classifier with two classes needs no noise: the certificate
        is exact (its `alpha` is None). "off": ask the base model for every vote.
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

    The noise and the base model are those of `fit`: after a change of `sigma` or `noise`, fit
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

    _parameter_constraints: ClassVar[dict] = {
        **BaseSmoother._parameter_constraints,
        "noise": [StrOptions(set(_FAMILIES)), Noise],
        "norm": [Interval(Real, 1, None, closed="left"), Options(Real, {np.inf}), None],
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
    def fit(self, X, y, **params):
        """Fit the base model on noisy copies of X.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Training inputs, as the base model takes them.
        y : array-like of shape (m,)
            Class labels.
        **params : dict
            Passed to `fit` of the base model. Entries with one value per row (such as
            `sample_weight`) are repeated for the noisy copies. Where metadata routing is
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
            If the base model is far worse on noisy rows than on clean ones.
        """
        refuse_too_few_draws(self.n_estimation, self.alpha)
        self._refuse_what_does_not_classify()
        rows = read_rows(X, owner=self)
        y = _check_y(y, estimator=self)
        check_consistent_length(rows.values, y)
        check_classification_targets(y)
        self.noise_ = self._make_noise()
        refuse_noise_below_resolution(self.noise_, rows)
        self._seed = self._draw_seed()
        model = self._fit_base_model(X, rows, y, self._params_of_base_fit(params))
        classes = _sorted_classes(model, y)
        _refuse_foreign_labels(model, classes, y)
        self.estimator_, self.classes_, self._is_known = model, classes, False
        self._examine_base_model(rows, y)
        return self

    def predict(self, X):
        """Class with the most votes among `n_selection` noisy copies of each row.

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
        shares = self._vote_shares(self._read(X))
        return self.classes_[shares.argmax(axis=1)]

    def predict_proba(self, X):
        """Vote shares among `n_selection` noisy copies of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        shares : ndarray of shape (m, n_classes)
            In the order of `classes_`. They are estimates, without a guarantee, except for a
            linear base model with two classes, where they are exact.
        """
        return self._vote_shares(self._read(X))

    def certify(self, X, *, radius=None, rtol=0.0, bilateral=False, simultaneous=False, start=None):
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
        rtol : float, default=0
            Accept radii that are smaller by this share, on average, than those that
            `n_estimation` draws would prove, and take as many draws as each row needs for it.
            0: `n_estimation` draws for every row.
        bilateral : bool, default=False
            Also bound the shares of the other classes, which proves more where the votes are
            spread over many classes and costs half of `alpha`.
        simultaneous : bool, default=False
            Make `alpha` the probability that any of the m certificates is wrong (union bound).
        start : ClassificationCertificate of length m, default=None
            Result of an earlier call with `radius` for the same rows: go on from its votes, with
            new draws, at the same level. `radius`, and `n_estimation` as the cap on all votes of
            a row, may have been raised. Its `bilateral` and `simultaneous` are kept.

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
        """
        rows = self._read(X)
        check_certify_options(rtol, radius, start, bilateral, simultaneous)
        target = check_radius(radius, len(rows))
        if start is not None:
            check_start(start, self, rows)
        structure = self._structure(rows)
        if is_exact(structure):
            return exact_certificate(self, structure, rows, target)
        if start is not None:
            return Certification.from_start(self, rows, target, start, structure).decide(start)
        run = Certification(
            self,
            rows,
            target,
            structure,
            bilateral=bilateral,
            n_joint=len(rows) if simultaneous else 1,
        )
        if target is not None:
            return run.decide()
        return run.within(rtol) if rtol else run.fixed()

    def _default_estimator(self):
        return LogisticRegression(max_iter=1000)

    def _refuse_what_does_not_classify(self):
        """Refuse, before it is trained, a base model that is meant for something else."""
        model, tags = self._base_model(), self._base_tags()
        kind = None if tags is None else tags.estimator_type
        if kind not in (None, "classifier"):
            raise ValueError(
                f"The base model has to be a classifier; {name_of(model)} is a {kind}."
            )
        if isinstance(model, FrozenEstimator) and not hasattr(model, "predict"):
            raise ValueError(
                f"The base model needs a predict method, which {name_of(model)} has not. Wrap it "
                "in a class whose predict returns one label per row."
            )

    def _make_noise(self):
        if isinstance(self.noise, Noise):
            noise = self.noise
            if self.sigma not in (type(self)().sigma, noise.sigma):
                raise ValueError(
                    f"sigma={self.sigma!r} has no effect: noise={noise!r} brings its own "
                    "parameters. Set noise__sigma instead."
                )
            noise.check_parameters()
            return clone(noise)
        return _FAMILIES[self.noise](sigma=self.sigma)

    def _read(self, X):
        """Check X, the parameters and the base model before any sampling."""
        check_is_fitted(self)
        self._validate_params()
        rows = read_rows(X, owner=self)
        refuse_noise_below_resolution(self.noise_, rows)
        first = rows[:1]
        self._voter()(first.as_given(first.values.astype(rows.dtype)), len(first))
        return rows

    def _voter(self):
        return Voter(self.estimator_, self.classes_)

    def _structure(self, rows):
        """Structure of the base model as it is now, where votes may be taken with it."""
        if self.structure == "off" or not self._is_known:
            return None
        return usable_structure(self.estimator_, self.classes_, self.noise_, rows)

    def _vote_shares(self, rows):
        structure = self._structure(rows)
        if is_exact(structure):
            return exact_shares(structure, rows, self.noise_.sigma)
        return self._selection_votes(rows, structure) / self.n_selection

    def _selection_votes(self, rows, structure):
        stream = self._stream(rows, Purpose.SELECTION)
        return self._count(rows, stream, self.n_selection, structure, progress="selecting")

    def _count(self, rows, stream, n_draws, structure, *, first_draw=0, progress=None):
        """Votes of the base model, through its structure where that is given."""
        options = {
            "first_draw": first_draw,
            "batch_size": None if self.batch_size == "auto" else self.batch_size,
            "n_jobs": self.n_jobs,
            "progress": progress if self.verbose else None,
        }
        if structure is None:
            return count_votes(self._voter(), rows, stream, n_draws, **options)
        return count_structured(structure, rows, stream, n_draws, **options)

    def _examine_base_model(self, rows, y):
        """Look for structure, and for a collapse under noise, on a sample of the training rows."""
        sample = np.unique(np.linspace(0, len(rows) - 1, _COLLAPSE_ROWS).astype(int))
        rows, truth = rows[sample], y[sample][:, None] == self.classes_
        clean_votes = self._voter()(rows.as_given(rows.values.astype(rows.dtype)), len(rows))
        structure = usable_structure(self.estimator_, self.classes_, self.noise_, rows)
        self._is_known = structure is not None and agrees(structure, rows, clean_votes)
        structure = self._structure(rows)
        clean = truth[np.arange(len(rows)), clean_votes].mean()
        if is_exact(structure):
            noisy = (exact_shares(structure, rows, self.noise_.sigma) * truth).sum() / len(rows)
        else:
            stream = self._stream(rows, Purpose.COLLAPSE_CHECK)
            votes = self._count(rows, stream, _COLLAPSE_DRAWS, structure)
            noisy = (votes * truth).sum() / votes.sum()
        chance = truth.mean(axis=0).max()
        if clean > chance and clean - noisy > max(0.2, (clean - chance) / 2):
            warnings.warn(
                f"The base model is right on {clean:.0%} of a sample of the training rows, but "
                f"only on {noisy:.0%} of their noisy copies ({self.noise_!r}), so its "
                "certificates will be small or none. Train it on noisy copies (n_augment > 0 "
                "and an estimator that is not frozen), use a smaller sigma, or check that sigma "
                "is in the units of X.",
                NoiseCollapseWarning,
                stacklevel=4,
            )


def _refuse_foreign_labels(model, classes, y):
    if not np.isin(y, classes).any():
        raise ValueError(
            f"None of the labels in y ({', '.join(map(str, np.unique(y)[:5]))}) is a class of "
            f"{name_of(model)} ({', '.join(map(str, classes[:5]))}). Pass y with its labels."
        )


def _sorted_classes(model, y):
    classes = getattr(model, "classes_", None)
    if classes is None:
        return np.unique(y)
    if isinstance(classes, list) and len(classes) and np.ndim(classes[0]) > 0:
        raise ValueError(f"{name_of(model)} has several outputs; smooth one classifier per output.")
    return np.unique(classes)
