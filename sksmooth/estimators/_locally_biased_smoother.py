"""Classifier that leans towards its nearest reference points, with certificates in closed form."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import Interval, Options, RealNotInt, StrOptions
from sklearn.utils.validation import (
    _check_method_params,
)

from sksmooth.arguments._numbers import NORMS, read_norm
from sksmooth.base_models._answers import class_indices
from sksmooth.base_models._names import name_of
from sksmooth.base_models._one_row import check_answers, comparable_answers, is_plain
from sksmooth.certifiers._options import check_radius
from sksmooth.certifiers.local_bias._bias import LocalBias
from sksmooth.certifiers.local_bias._certifier import LocalCertifier, NearestNeighbors
from sksmooth.certifiers.local_bias._neighbor_radii import ReferencePoints
from sksmooth.certifiers.local_bias._reference import merge_conflicts, split_off_reference
from sksmooth.estimators._base_classifier import BaseClassifier, sorted_classes
from sksmooth.inputs._checks import refuse_overflowing_squares
from sksmooth.inputs._containers import read_inputs
from sksmooth.smooth_scores._checks import decision_of, examine
from sksmooth.smooth_scores._registry import smooth_score
from sksmooth.smooth_scores._user import CallableScore, GivenLipschitz

# Rows at which scores are compared with the model, and a constant of the user's is tested.
_ROWS_FOR_CHECK = 256


class LocallyBiasedSmoother(BaseClassifier):
    """Classifier that leans towards the class of the nearest reference point.

    The decision function of a smooth base model is pushed towards the class of the nearest
    reference point by ``alpha`` times the dual norm of its own gradient. No noise is drawn:
    certificates are exact, in closed form, and hold in the l1, l2 or l-infinity norm.

    Parameters
    ----------
    estimator : classifier, default=None
        Base model with a smooth decision function: linear models, SVC (with two classes; use
        OneVsRestClassifier for more), GaussianProcessClassifier, MLPClassifier with "tanh" or
        "logistic", QuadraticDiscriminantAnalysis, GaussianNB, OneVsRestClassifier of these, skorch
        nets with smooth activations, also with convolutions (X in the shape of the images); any of
        them in a Pipeline behind scalers, PCA and other affine steps. Wrap a model that is already
        fitted, or a torch module, in :class:`sklearn.frozen.FrozenEstimator`: any other is
        trained again. Its own answers on reference points are compared with what is
        known of it. None: logistic regression.
    alpha : float, default=1.0
        Size of the bias, in the units of X and the norm of the certificate: how far towards
        the neighbour's class the decision is moved. 0 leaves the base model as it is, ``numpy.inf``
        is the nearest-neighbour classifier.
    norm : {1, 2, numpy.inf}, default=2
        Norm of the certified radius. Neighbours are always the nearest in the l2 norm.
    gradient : callable, default=None
        Gradient of the `decision_function` of a base model that is not among the above: X of
        shape (m, n_features) to an array of that shape for two classes, of shape
        (m, n_classes, n_features) for more. Needs `gradient_lipschitz` as a number.
    gradient_lipschitz : {"auto", "global"} or float, default="auto"
        Lipschitz constant of the gradients of the margins between classes, from `norm` to its
        dual. "auto": derived from the base model, near each row where that is possible; "global":
        one for all of space, which is faster and proves less. A number is taken at your word,
        after a check at random pairs of points.
    n_neighbors : int, default=1
        Odd number of reference points that vote on the class. Of classes with equally many votes
        the first wins; the certificate counts a tie as lost.
    neighbor_certificate : {"nearest", "pairwise", "exact"}, default="pairwise"
        How far an input can move before its neighbours give another class. "nearest": the formula
        of [1]_, from the nearest reference point; "pairwise": from the best of several, nearly as
        fast; "exact": the distance to the Voronoi cells of the other classes, for one neighbour, by
        a small program for one or two cells per row.
    reference_size : float or int, default=0.25
        Share or number of the training rows that are kept from the base model to be reference
        points, drawn within each class. With a FrozenEstimator all rows are reference points.
    random_state : int, RandomState instance or None, default=None
        Seed of that choice; a base model that leaves its own `random_state` at None is seeded too.

    Attributes
    ----------
    estimator_ : object
        Fitted base model.
    classes_ : ndarray of shape (n_classes,)
        Class labels, sorted.
    reference_points_ : ndarray of shape (n_points, n_features)
        Reference points, flat.
    reference_labels_ : ndarray of shape (n_points,)
        Their classes.
    n_features_in_ : int
        Number of features, if the base model has it.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if the base model has them.

    See Also
    --------
    SmoothedClassifier : Certificates for any classifier, by sampling.

    Notes
    -----
    The certificate is larger than that of [1]_ everywhere: it uses that a change of the
    neighbour's class helps where the neighbour disagrees, the integral form of Taylor's
    remainder, Lipschitz constants with signs and near the row, and more than one neighbour.
    See the user guide for the proof.

    References
    ----------
    .. [1] Anderson, B. G. and Sojoudi, S. (2022). Certified robustness via locally biased
       randomized smoothing. L4DC 2022, theorems 6 and 8.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sklearn.svm import SVC
    >>> from sksmooth import LocallyBiasedSmoother
    >>> X, y = make_moons(200, noise=0.1, random_state=0)
    >>> clf = LocallyBiasedSmoother(SVC(gamma=2.0), alpha=0.1, random_state=0).fit(X, y)
    >>> certificate = clf.certify(X[:3])
    >>> certificate.prediction
    array([0, 1, 1])
    >>> bool((certificate.radius > 0.1).all())
    True
    """

    _PARAMETERS_OF_CALLS: ClassVar[frozenset[str]] = frozenset(
        {
            "alpha",
            "gradient",
            "gradient_lipschitz",
            "n_neighbors",
            "neighbor_certificate",
            "norm",
        }
    )

    _parameter_constraints: ClassVar[dict] = {
        **BaseClassifier._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left"), Options(Real, {np.inf})],
        "norm": [Options(Real, {1, 2, np.inf}), StrOptions(set(NORMS))],
        "gradient": [callable, None],
        "gradient_lipschitz": [
            StrOptions({"auto", "global"}),
            Interval(Real, 0, None, closed="left"),
        ],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "neighbor_certificate": [StrOptions({"nearest", "pairwise", "exact"})],
        "reference_size": [
            Interval(RealNotInt, 0, 1, closed="neither"),
            Interval(Integral, 1, None, closed="left"),
        ],
    }

    def __init__(
        self,
        estimator=None,
        *,
        alpha=1.0,
        norm=2,
        gradient=None,
        gradient_lipschitz="auto",
        n_neighbors=1,
        neighbor_certificate="pairwise",
        reference_size=0.25,
        random_state=None,
    ):
        self.estimator = estimator
        self.alpha = alpha
        self.norm = norm
        self.gradient = gradient
        self.gradient_lipschitz = gradient_lipschitz
        self.n_neighbors = n_neighbors
        self.neighbor_certificate = neighbor_certificate
        self.reference_size = reference_size
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, **params):
        """Fit the base model on some of the rows, and keep the others as reference points.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Training inputs, as the base model takes them.
        y : array-like of shape (m,)
            Class labels.
        **params : dict
            Passed to `fit` of the base model; of entries with one value per row (such as
            `sample_weight`), those of its rows. Where metadata routing is enabled, only what
            the base model requests is passed. Rows with a `sample_weight` of 0 are left out;
            other weights do not change what a reference point counts.

        Returns
        -------
        self : LocallyBiasedSmoother

        Raises
        ------
        ValueError
            If a parameter, X or the base model cannot work; the message says which and what to do.

        Warns
        -----
        UserWarning
            If equal reference points have different labels.
        """
        self._refuse_options_that_do_not_go_together()
        self._refuse_what_does_not_classify()
        rows = read_inputs(X, owner=self)
        y = self._check_labels(rows, y)
        self._begin_fit(rows)
        self._shape = rows.shape
        if isinstance(self._base_model(), FrozenEstimator):
            model, reference = clone(self.estimator), np.arange(len(rows))
            _refuse_one_class(y, "")
        else:
            self._say_that_it_is_trained_again(stacklevel=3)
            model, reference = self._fit_on_the_rest(X, rows, y, params)
        classes = sorted_classes(model, y)
        labels = _positions_of(y[reference], classes, model)
        points = _flat(rows)[reference]
        kept = merge_conflicts(points, labels)
        self.estimator_, self.classes_ = model, classes
        self._refuse_unsteady_scores(rows)
        self.reference_points_, self.reference_labels_ = points[kept], classes[labels[kept]]
        self._reference, self._examined = None, None
        self._certifier()  # refuses what cannot be certified
        return self

    def decision_function(self, X):
        """Scores of the classes, after the bias.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        scores : ndarray of shape (m,) or (m, n_classes)
            With two classes, positive where the second is predicted; else the largest wins.
            For ``alpha=numpy.inf`` they compare distances to the nearest points of each class, or
            count the votes of more than one neighbour for more than two classes.
        """
        rows = self._read(X)
        return self._certifier().decision(_flat(rows))

    def predict(self, X):
        """Class with the largest score.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.

        Returns
        -------
        y : ndarray of shape (m,)
            Class labels; what ``certify(X).prediction`` holds.
        """
        decision = self.decision_function(X)
        winner = decision > 0 if decision.ndim == 1 else decision.argmax(axis=1)
        return self.classes_[winner.astype(int)]

    def certify(self, X, *, radius=None, store=None):
        """Prove how far each row can move before the prediction may change.

        Parameters
        ----------
        X : array-like or DataFrame of shape (m, n_features) or (m, ...)
            Inputs.
        radius : float or array-like of shape (m,), default=None
            Radius to decide on; ``certificate.certified`` answers.
        store : str, Path, Store or Run, default=None
            File (or store of :mod:`sksmooth.store`) that results are written to, chunk by chunk.
            A call with the same file goes on where an earlier one was stopped. Another model, other
            data or parameters are refused.

        Returns
        -------
        certificate : ClassificationCertificate
            For each row: every input nearer than `radius` to it, in `norm`, has the class
            `prediction`. The statement is exact: the `alpha` of the certificate is None.

        Raises
        ------
        ValueError
            If X or a parameter cannot work; the message says which and what to do.
        """
        if store is not None:
            self._check_ready()
            return self._certify_into(store, X, {"radius": radius}, {})
        rows = self._read(X)
        target = check_radius(radius, len(rows))
        return self._certifier().certify(_flat(rows), target).with_index(rows.index)

    def _certifier(self):
        if np.isfinite(self.alpha):
            rule = self._local_bias()
        else:
            norm = read_norm(self.norm)
            rule = NearestNeighbors(self._neighbors(), norm, self.neighbor_certificate)
        return LocalCertifier(rule, self.classes_)

    def _neighbors(self):
        """Return reference points that vote as `n_neighbors` says now."""
        if self._reference is None or self._reference.n_neighbors != self.n_neighbors:
            points = self.reference_points_
            self._refuse_too_many_neighbors(len(points))
            labels = np.searchsorted(self.classes_, self.reference_labels_)
            self._reference = ReferencePoints(
                points, labels, len(self.classes_), int(self.n_neighbors)
            )
        return self._reference

    def _fit_on_the_rest(self, X, rows, y, params):
        """Fit the base model on the rows that are not reference points."""
        params = self._params_of_base_fit(None, params)
        used = _rows_with_weight(params.get("sample_weight"), len(y))
        labels = np.unique(y[used], return_inverse=True)[1]
        trimmed = " among the rows with a positive sample_weight" if len(used) < len(y) else ""
        _refuse_one_class(labels, trimmed)
        rng = np.random.default_rng(self._seed)
        training, reference = split_off_reference(labels, self.reference_size, rng)
        training = used[training]
        inputs = _safe_indexing(X, training) if hasattr(X, "columns") else rows.values[training]
        model = clone(self._base_model())
        self._seed_base_model(model)
        params = _check_method_params(rows.values, params, indices=training)
        return model.fit(inputs, y[training], **params), used[reference]

    def _inputs_to_store(self, X):
        return self._read(X)

    def _read(self, X):
        """Check X and the parameters."""
        self._check_ready()
        self._refuse_options_that_do_not_go_together()
        rows = self._read_inputs(X)
        refuse_overflowing_squares(rows)
        if not is_plain(self.estimator_) and comparable_answers(self.estimator_) is None:
            self._refuse_unsteady_scores(rows[:_ROWS_FOR_CHECK])
        return rows

    def _refuse_unsteady_scores(self, rows):
        """Refuse scores that are no function of one row; without scores none are used."""
        if np.isfinite(self.alpha) and hasattr(self.estimator_, "decision_function"):
            scores = decision_of(self.estimator_)
            check_answers(self.estimator_, rows, lambda X, n: scores(X))

    def _local_bias(self):
        norm = read_norm(self.norm)
        score, said = self._score(), (norm, self.gradient, self.gradient_lipschitz)
        if self._examined != said:
            points = self.reference_points_[:_ROWS_FOR_CHECK]
            examine(score, self.estimator_, self.classes_, points, self._shape, norm)
            self._examined = said
        return LocalBias(
            score,
            self._neighbors(),
            float(self.alpha),
            norm,
            self.neighbor_certificate,
            is_local=self.gradient_lipschitz == "auto",
        )

    def _score(self):
        """Smooth score of the base model as it is now."""
        model = self.estimator_
        if self.gradient is None:
            score = smooth_score(model).for_inputs(self._shape)
        else:
            score = CallableScore(decision_of(model), self.gradient, self._shape)
        if isinstance(self.gradient_lipschitz, str):
            return score
        return GivenLipschitz(score, float(self.gradient_lipschitz))

    def _refuse_options_that_do_not_go_together(self):
        if np.isnan(self.alpha):
            raise ValueError("alpha must be a number that is not negative, or numpy.inf; got nan.")
        if self.n_neighbors % 2 == 0:
            raise ValueError(
                f"n_neighbors={self.n_neighbors} can vote to a tie. Use an odd number."
            )
        if self.n_neighbors > 1 and self.neighbor_certificate == "exact":
            raise ValueError(
                "neighbor_certificate='exact' is for one neighbour. Use 'pairwise' with "
                f"n_neighbors={self.n_neighbors}."
            )
        if self.gradient is not None and isinstance(self.gradient_lipschitz, str):
            raise ValueError(
                "gradient= needs gradient_lipschitz= as a number: a Lipschitz constant of it from "
                "the norm of the certificate to its dual."
            )

    def _refuse_too_many_neighbors(self, n_points):
        if self.n_neighbors > n_points:
            raise ValueError(
                f"n_neighbors={self.n_neighbors} is more than the {n_points} reference points. "
                "Use fewer neighbours, a larger reference_size, or more rows."
            )


def _refuse_one_class(labels, where):
    if len(np.unique(labels)) < 2:
        raise ValueError(f"y holds one class only{where}; a classifier needs two or more classes.")


def _rows_with_weight(weights, n_rows):
    """Positions of the rows whose weight is not 0; the others are as if they were not there."""
    if weights is None or np.shape(weights) != (n_rows,):
        return np.arange(n_rows)
    return np.flatnonzero(np.asarray(weights) != 0)


def _flat(rows):
    """Rows as vectors in float64."""
    return rows.values.reshape(len(rows), -1).astype(float)


def _positions_of(labels, classes, model):
    """Positions of labels among the classes of the model."""
    positions = class_indices(labels, classes)
    if positions is None:
        foreign = labels[~np.isin(labels, classes)][0]
        raise ValueError(
            f"y contains {foreign!r}, which is not a class of {name_of(model)} "
            f"({', '.join(map(str, classes[:5]))}). Pass y with its labels."
        )
    return positions
