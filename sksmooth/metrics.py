"""Scores of certificates, and scorers for model selection."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sksmooth.arguments._numbers import refuse_masked
from sksmooth.bounds import population_lower_bound
from sksmooth.certificates import ClassificationCertificate, PathCertificate
from sksmooth.estimators._certify import find_certifier
from sksmooth.exceptions import UnreachableRadiusError

__all__ = [
    "AccuracyInterval",
    "Certifier",
    "average_certified_radius",
    "certified_accuracy_curve",
    "certified_accuracy_interval",
    "certified_accuracy_score",
    "certified_range_curve",
    "make_certified_bound_scorer",
    "make_certified_scorer",
]


def certified_accuracy_score(
    y_true: ArrayLike,
    certificate: ClassificationCertificate | PathCertificate,
    *,
    radius: float = 0.0,
    average: str | None = "micro",
    sample_weight: ArrayLike | None = None,
) -> Any:
    """Share of rows that are right, and proven to stay right within a radius.

    Parameters
    ----------
    y_true : array-like of shape (m,)
        True labels.
    certificate : ClassificationCertificate or PathCertificate of length m
        Predictions and radii for the same rows.
    radius : float, default=0.0
        Radius, in the norm of the certificate and the units of X; of a PathCertificate the
        parameter of the transformation, to both sides.
    average : {"micro", "macro"} or None, default="micro"
        "micro": of all rows. "macro": the mean over the classes in `y_true`, each counting the
        same, as in :func:`sklearn.metrics.balanced_accuracy_score`. None: one score per class of
        the certificate, NaN for classes that no row has.
    sample_weight : array-like of shape (m,), default=None
        Weights of the rows.

    Returns
    -------
    score : float, or ndarray of shape (n_classes,)
        Proportion of rows whose prediction is the true label, did not abstain, and has at least
        this radius. In a certificate with `top_k`, of rows whose true label is one of those
        predicted, and is proven to stay among the `top_k` up to this radius.

    Raises
    ------
    ValueError
        If the lengths differ, there are no rows, or the radius is negative or not finite.

    Warns
    -----
    UserWarning
        If the radius is beyond what the draws can prove for any row, so that 0 says nothing of the
        model.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sksmooth import SmoothedClassifier, certified_accuracy_score
    >>> X, y = load_iris(return_X_y=True)
    >>> certificate = SmoothedClassifier(sigma=0.3, random_state=0).fit(X, y).certify(X)
    >>> certified_accuracy_score(y, certificate) > certified_accuracy_score(
    ...     y, certificate, radius=0.5
    ... )
    True
    """
    _check_radius(radius)
    radii = _radius_where_right(y_true, certificate)
    right = (radii > 0) & (radii >= radius)
    if not right.any() and radius > certificate.max_radius():
        warnings.warn(
            f"radius={radius:g} is beyond {certificate.max_radius():.4g}, the most that these "
            "draws can prove for any row: a score of 0 says nothing of the model. Take more draws "
            "(n_estimation) or a larger sigma.",
            UserWarning,
            stacklevel=2,
        )
    return _averaged(right, y_true, certificate.classes, average, sample_weight)


class AccuracyInterval(NamedTuple):
    """What certificates of a sample say of its population.

    Attributes
    ----------
    lower, upper : float
        Bounds of the part that is robust and right. Certificates give no upper bound but 1.
    confidence : float
        Probability, at least, that they hold, over rows and draws.
    method : str
        How certificates were taken to fail: "shared", "independent", "joint" or "exact".
    """

    lower: float
    upper: float
    confidence: float
    method: str


def certified_accuracy_interval(
    y_true: ArrayLike,
    certificate: ClassificationCertificate,
    *,
    radius: float = 0.0,
    beta: float = 0.05,
    independent: bool = False,
) -> AccuracyInterval:
    """Confidence interval of the part of the population that is truly robust and right.

    Rows are a sample of the population, and some of their certificates may be wrong. The certified
    accuracy of the sample allows for neither.

    Parameters
    ----------
    y_true : array-like of shape (m,)
        True labels.
    certificate : ClassificationCertificate of length m
        Of rows that were drawn independently, after the model was fixed. Joint certificates
        (`simultaneous`, or :meth:`~ClassificationCertificate.holm`) give the largest bounds.
    radius : float, default=0.0
        Radius, in the norm of the certificate. It is chosen before the votes are looked at.
    beta : float, default=0.05
        Probability that the interval fails, beside the `alpha` of joint certificates.
    independent : bool, default=False
        Whether each row had draws of its own. Certificates of one call share their draws, and
        then this is wrong: the interval would fail far more often than `beta`.

    Returns
    -------
    interval : AccuracyInterval
        Fields `lower`, `upper`, `confidence` and `method`.

    Raises
    ------
    ValueError
        If the lengths differ or an argument is out of range.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sksmooth import SmoothedClassifier, certified_accuracy_interval
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SmoothedClassifier(KNeighborsClassifier(), n_estimation=1000, random_state=0)
    >>> certificate = clf.fit(X[::2], y[::2]).certify(X[1::2])
    >>> interval = certified_accuracy_interval(y[1::2], certificate.holm(0.2), radius=0.2)
    >>> interval.method, round(interval.confidence, 3)
    ('joint', 0.949)
    """
    if not isinstance(independent, (bool, np.bool_)):
        raise ValueError(f"independent must be True or False, got {independent!r}.")
    _check_radius(radius)
    proven = _radius_where_right(y_true, certificate)
    certified = int(((proven > 0) & (proven >= radius)).sum())
    alpha, joint = certificate.alpha, certificate.n_simultaneous > 1
    method = "independent" if independent else "shared"
    if alpha is None or joint:
        method = "exact" if alpha is None else "joint"
    lower = population_lower_bound(
        certified, len(proven), alpha=0.5 if alpha is None else alpha, beta=beta, noise=method
    )
    failure = beta + (alpha or 0.0) if method == "joint" else beta
    return AccuracyInterval(float(lower), 1.0, 1.0 - failure, method)


def certified_accuracy_curve(
    y_true: ArrayLike, certificate: ClassificationCertificate | PathCertificate
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Certified accuracy at every radius where it changes.

    Parameters
    ----------
    y_true : array-like of shape (m,)
        True labels.
    certificate : ClassificationCertificate or PathCertificate of length m
        Predictions and radii for the same rows; of a PathCertificate the parameters that are
        certified to both sides (see :func:`certified_range_curve` for each side).

    Returns
    -------
    radii : ndarray of shape (n_steps,)
        0 and the distinct radii of the rows that are right, increasing.
    accuracy : ndarray of shape (n_steps,)
        Certified accuracy at each of them. Between two entries it equals the later one, beyond
        the last it is 0: a step function, continuous from the left.

    Raises
    ------
    ValueError
        If the lengths differ or there are no rows.
    """
    radii = np.sort(_radius_where_right(y_true, certificate))
    steps = np.unique(np.concatenate([[0.0], radii]))
    not_smaller = len(radii) - np.searchsorted(radii, steps, side="left")
    not_smaller[0] = np.count_nonzero(radii > 0)  # a radius of 0 is no certificate
    return steps, not_smaller / len(radii)


def certified_range_curve(
    y_true: ArrayLike, certificate: PathCertificate
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Certified accuracy at every parameter of a transformation where it changes.

    Parameters
    ----------
    y_true : array-like of shape (m,)
        True labels.
    certificate : PathCertificate of length m
        Predictions and certified intervals for the same rows.

    Returns
    -------
    parameters : ndarray of shape (n_steps,)
        0 and the distinct ends of the intervals of the rows that are right, increasing.
    accuracy : ndarray of shape (n_steps,)
        Share of rows that are right and whose interval holds the parameter. Between two entries it
        equals that of the one farther from 0; beyond the first and the last it is 0.

    Raises
    ------
    ValueError
        If the lengths differ or there are no rows.
    TypeError
        If the certificate is about something else.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import SmoothedClassifier, certified_range_curve, certify_path
    >>> from sksmooth.transformations import Translation
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = X[y < 2] / 16.0, y[y < 2]
    >>> smoother = SmoothedClassifier(sigma=0.5, random_state=0).fit(X, y)
    >>> certificate = certify_path(smoother, X[:5], Translation(0.5))
    >>> parameters, accuracy = certified_range_curve(y[:5], certificate)
    >>> float(parameters[0]), float(parameters[-1]), float(accuracy.max())
    (-0.5, 0.5, 1.0)
    """
    if not isinstance(certificate, PathCertificate):
        raise TypeError(
            f"Ranges of transformations are certified by certify_path, got a "
            f"{type(certificate).__name__}. For radii there is certified_accuracy_curve."
        )
    right = _radius_where_right(y_true, certificate, certificate.right - certificate.left) > 0
    m, ends = len(right), (certificate.left[right], certificate.right[right])
    parameters = np.unique(np.concatenate([[0.0], *ends]))
    to_the_left = np.searchsorted(np.sort(ends[0]), parameters, side="right")
    to_the_right = len(ends[1]) - np.searchsorted(np.sort(ends[1]), parameters, side="left")
    return parameters, np.where(parameters < 0, to_the_left, to_the_right) / m


def average_certified_radius(
    y_true: ArrayLike,
    certificate: ClassificationCertificate | PathCertificate,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Mean certified radius; rows that are wrong or abstain count 0.

    Parameters
    ----------
    y_true : array-like of shape (m,)
        True labels.
    certificate : ClassificationCertificate or PathCertificate of length m
        Predictions and radii for the same rows.
    sample_weight : array-like of shape (m,), default=None
        Weights of the rows.

    Returns
    -------
    radius : float
        In the norm of the certificate and the units of X; of a PathCertificate in the unit of the
        parameter, to both sides. The area under the curve of
        certified accuracy against radius.

    Raises
    ------
    ValueError
        If the lengths differ or there are no rows.

    References
    ----------
    .. [1] Zhai, R. et al. (2020). MACER: Attack-free and scalable robust training via maximizing
       certified radius. ICLR 2020.
    """
    radii = _radius_where_right(y_true, certificate)
    return float(_averaged(radii, y_true, certificate.classes, "micro", sample_weight))


def make_certified_scorer(
    radius: float = 0.0, *, of: str = "accuracy", average: str = "micro"
) -> CertifiedScorer:
    """Certified accuracy at a radius, as a score for grid search and cross-validation.

    Parameters
    ----------
    radius : float, default=0.0
        Radius at which predictions have to be proven, in the norm of each candidate: scores of
        different norms are about different perturbations, and do not compare.
    of : {"accuracy", "radius"}, default="accuracy"
        "accuracy": certified accuracy at `radius`. "radius": the average certified radius, for
        which no radius is given.
    average : {"micro", "macro"}, default="micro"
        As for :func:`certified_accuracy_score`.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)``, larger is better. Where the estimator is a
        Pipeline that ends in a smoother, the steps before transform X, and the radius is in the
        units of what they return. Settings under which no row could reach the radius score 0. The
        noise is not that of `certify`: a model that was selected on some draws may fit them too
        well.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sksmooth import SmoothedClassifier, make_certified_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(
    ...     SmoothedClassifier(n_estimation=500, random_state=0),
    ...     {"sigma": [0.2, 0.4]},
    ...     scoring=make_certified_scorer(radius=0.5),
    ... )
    >>> search.fit(X, y).best_params_
    {'sigma': 0.4}
    """
    _check_radius(radius)
    if of not in ("accuracy", "radius"):
        raise ValueError(f'of must be "accuracy" or "radius", got {of!r}.')
    if of == "radius" and radius:
        raise ValueError(f"radius={radius:g} has no meaning with of='radius'. Leave it out.")
    _check_average(average)
    return CertifiedScorer(float(radius), of, average)


def make_certified_bound_scorer(
    radius: float | None = None, *, of: str = "output_radius"
) -> CertifiedBoundScorer:
    """Score smoothers of outputs by what they prove, or by what the smoothing costs.

    Parameters
    ----------
    radius : float, default=None
        Size of the perturbation of the inputs. Needed for "output_radius".
    of : {"output_radius", "smoothing_error", "prediction_error"}, default="output_radius"
        "output_radius": the certified output radius; half the width of the interval (the widest,
        for vectors) where a lower and an upper bound are certified. "smoothing_error": the
        distance between the smoothed output and that of the base model without noise.
        "prediction_error": the distance between the smoothed output and y. The last two need no
        certificate. A larger sigma makes the first smaller and the others larger.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y=None)``: minus the median over the rows, so that larger is better.
        Minus infinity where the draws cannot certify the radius. As for
        :func:`make_certified_scorer`, the noise is not that of `certify`.

    Raises
    ------
    ValueError
        If `of` is none of these, or the radius is missing or not positive.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sksmooth import CenterSmoothedRegressor, make_certified_bound_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = GridSearchCV(
    ...     CenterSmoothedRegressor(n_center=100, n_estimation=300, random_state=0),
    ...     {"sigma": [0.02, 0.04]},
    ...     scoring={
    ...         "bound": make_certified_bound_scorer(0.02),
    ...         "error": make_certified_bound_scorer(of="prediction_error"),
    ...     },
    ...     refit="error",
    ...     cv=2,
    ... )
    >>> search.fit(X[:100], y[:100]).best_params_["sigma"] in (0.02, 0.04)
    True
    """
    if of not in ("output_radius", "smoothing_error", "prediction_error"):
        raise ValueError(
            f'of must be "output_radius", "smoothing_error" or "prediction_error", got {of!r}.'
        )
    if of == "output_radius" and (radius is None or not 0 < radius < np.inf):
        raise ValueError(f"radius must be positive and finite, got {radius!r}.")
    return CertifiedBoundScorer(radius, of)


@dataclass(frozen=True)
class CertifiedBoundScorer:
    """Scorer made by :func:`make_certified_bound_scorer`.

    Attributes
    ----------
    radius : float or None
        Size of the perturbation.
    of : str
        What is scored.
    """

    radius: float | None
    of: str

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float:
        """Minus the median over the rows of X."""
        found, X = find_certifier(estimator, X)
        _refuse_other_task(found, "regressor", "make_certified_scorer")
        smoother: Any = certifier_for_scoring(found)
        if self.of == "smoothing_error":
            return -float(np.median(smoother.smoothing_error(X)))
        if self.of == "prediction_error":
            return -float(np.median(smoother.prediction_error(X, y)))
        try:
            certificate = smoother.certify(X, radius=self.radius)
        except UnreachableRadiusError:
            return -np.inf
        return -float(np.median(certificate.output_bound()))


@dataclass(frozen=True)
class CertifiedScorer:
    """Scorer made by :func:`make_certified_scorer`.

    Attributes
    ----------
    radius : float
        Radius at which predictions have to be proven.
    of : str
        What is scored.
    average : str
        How classes count.
    """

    radius: float = 0.0
    of: str = "accuracy"
    average: str = "micro"

    def __call__(
        self, estimator: Any, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Score a fitted estimator on X and y."""
        labels = _check_labels(y)
        found, inputs = find_certifier(estimator, X)
        _refuse_other_task(found, "classifier", "make_certified_bound_scorer")
        if isinstance(found, BaseEstimator):
            check_is_fitted(found)
        check_consistent_length(X, labels)
        _refuse_mixed_labels(labels, getattr(found, "classes_", labels))
        smoother = certifier_for_scoring(found)
        if self.of == "radius":
            certificate = smoother.certify(inputs)
            return average_certified_radius(labels, certificate, sample_weight=sample_weight)
        try:
            certificate = smoother.certify(inputs, radius=self.radius)
        except UnreachableRadiusError:
            return 0.0
        score: float = certified_accuracy_score(
            labels,
            certificate,
            radius=self.radius,
            average=self.average,
            sample_weight=sample_weight,
        )
        return score


class Certifier(Protocol):
    """What scorers and displays need of an object, of whatever origin.

    An object that draws noise should also have a method ``for_scoring()``, which returns a copy of
    it with other draws: scorers certify with that, so that a model which was selected by its score
    is not certified by the draws that it was chosen by. One that makes no draws needs none.
    """

    def certify(self, X: Any, *, radius: float | None = None) -> Any:
        """Return the certificate of the rows of X: for a radius, or of the largest ones."""


def certifier_for_scoring(certifier: Any) -> Certifier:
    """Return what certifies with other draws than those of `certify`, where there are draws."""
    other: Certifier = certifier.for_scoring() if hasattr(certifier, "for_scoring") else certifier
    return other


def _refuse_other_task(certifier: Any, kind: str, other: str) -> None:
    """Refuse, before any draw, what does another task than the scorer is for."""
    found = getattr(certifier, "_estimator_type", None)
    if found is None and hasattr(certifier, "__sklearn_tags__"):
        found = certifier.__sklearn_tags__().estimator_type
    if found not in (None, kind):
        raise TypeError(
            f"{type(certifier).__name__} is a {found}, and this scorer is for a {kind}; score it "
            f"with {other}."
        )


def _check_radius(radius: Any) -> None:
    if not (isinstance(radius, Real) and 0 <= float(radius) < np.inf):
        raise ValueError(f"radius must be finite and not negative, got {radius!r}.")


def _check_average(average: Any) -> None:
    if average not in ("micro", "macro"):
        raise ValueError(f'average must be "micro" or "macro", got {average!r}.')


def _averaged(
    values: NDArray[Any],
    y_true: ArrayLike,
    classes: NDArray[Any],
    average: str | None,
    sample_weight: ArrayLike | None,
) -> Any:
    """Mean of the values of rows, over all of them or class by class."""
    weights = _check_weights(sample_weight, len(values))
    if average == "micro":
        return float(np.average(values, weights=weights))
    if average is not None:
        _check_average(average)
    labels = np.asarray(y_true)
    known = classes if average is None else np.unique(labels)
    of_class = np.full(len(known), np.nan)
    for k, label in enumerate(known):
        rows = labels == label
        if weights[rows].sum() > 0:
            of_class[k] = np.average(values[rows], weights=weights[rows])
    return of_class if average is None else float(np.nanmean(of_class))


def _check_weights(sample_weight: ArrayLike | None, n_rows: int) -> NDArray[np.float64]:
    weights = np.ones(n_rows) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    valid = weights.shape == (n_rows,) and np.isfinite(weights).all() and (weights >= 0).all()
    if not valid or weights.sum() <= 0:
        raise ValueError(
            f"sample_weight must hold {n_rows} numbers, none negative and not all 0; got "
            f"{sample_weight!r}."
        )
    return weights


def _check_labels(y_true: ArrayLike) -> NDArray[Any]:
    """Return labels as an array, or say what is wrong with them."""
    refuse_masked("y_true", y_true)
    labels = np.asarray(y_true)
    if labels.ndim != 1:
        raise ValueError(
            f"y_true has shape {labels.shape}; one label per row is needed. Labels in columns of "
            "0 and 1 become such by numpy.argmax(y, axis=1)."
        )
    if not len(labels):
        raise ValueError("There are no rows to score.")
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError("y_true contains NaN.")
    return labels


def _refuse_mixed_labels(labels: NDArray[Any], classes: NDArray[Any]) -> None:
    if _is_text(labels) != _is_text(np.asarray(classes)):
        raise ValueError(
            "y_true and the certificate mix labels that are text with labels that are not: "
            f"{labels[:1].tolist()[0]!r} against {np.asarray(classes)[:1].tolist()[0]!r}."
        )


def _is_text(labels: NDArray[Any]) -> bool:
    return labels.dtype.kind in "US" or isinstance(labels[0], str)


def _radius_where_right(
    y_true: ArrayLike,
    certificate: ClassificationCertificate | PathCertificate,
    radius: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Radii of rows that are right, 0 of others; those of the certificate, or given ones."""
    if not isinstance(certificate, (ClassificationCertificate, PathCertificate)):
        swapped = isinstance(y_true, (ClassificationCertificate, PathCertificate))
        hint = " The arguments are y_true, certificate: they seem to be swapped." if swapped else ""
        raise TypeError(
            f"Certified accuracy is of classifiers, got a {type(certificate).__name__}.{hint} For "
            "bounds of outputs there are make_certified_bound_scorer and CertifiedBoundDisplay."
        )
    labels = _check_labels(y_true)
    if labels.shape != certificate.prediction.shape[:1]:
        raise ValueError(
            f"y_true has shape {labels.shape}, the certificate is of {len(certificate)} rows; "
            "one label per row is needed."
        )
    _refuse_mixed_labels(labels, certificate.classes)
    if isinstance(certificate, PathCertificate):
        radius = certificate.symmetric if radius is None else radius
        return np.where(certificate.prediction == labels, radius, 0.0)
    if certificate.label_radius is not None:
        right = certificate.prediction == labels[:, None]
        return np.where(right, certificate.label_radius, 0.0).max(axis=1)
    return np.where(certificate.prediction == labels, certificate.radius, 0.0)
