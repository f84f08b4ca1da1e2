"""Scores of certificates, and scorers for model selection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from sksmooth.certificates import ClassificationCertificate, RegressionCertificate
from sksmooth.estimators._certify import find_certifier
from sksmooth.exceptions import UnreachableRadiusError

__all__ = [
    "Certifier",
    "average_certified_radius",
    "certified_accuracy_curve",
    "certified_accuracy_score",
    "make_certified_bound_scorer",
    "make_certified_scorer",
]


def certified_accuracy_score(
    y_true: ArrayLike, certificate: ClassificationCertificate, *, radius: float = 0.0
) -> float:
    """Share of rows that are right, and proven to stay right within a radius.

    Parameters
    ----------
    y_true : array-like of shape (m,)
        True labels.
    certificate : ClassificationCertificate of length m
        Predictions and radii for the same rows.
    radius : float, default=0.0
        Radius, in the norm of the certificate and the units of X.

    Returns
    -------
    score : float
        Share of rows whose prediction is the true label, did not abstain, and has at least this
        radius. In a certificate with `top_k`, share of rows whose true label is one of those
        predicted, and is proven to stay among the `top_k` up to this radius.

    Raises
    ------
    ValueError
        If the lengths differ, there are no rows, or the radius is negative or not finite.

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
    if not 0 <= radius < np.inf:
        raise ValueError(f"radius must be finite and not negative, got {radius!r}.")
    radii = _radius_where_right(y_true, certificate)
    return float(np.mean((radii > 0) & (radii >= radius)))


def certified_accuracy_curve(
    y_true: ArrayLike, certificate: ClassificationCertificate
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Certified accuracy at every radius where it changes.

    Parameters
    ----------
    y_true : array-like of shape (m,)
        True labels.
    certificate : ClassificationCertificate of length m
        Predictions and radii for the same rows.

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


def average_certified_radius(y_true: ArrayLike, certificate: ClassificationCertificate) -> float:
    """Mean certified radius; rows that are wrong or abstain count 0.

    Parameters
    ----------
    y_true : array-like of shape (m,)
        True labels.
    certificate : ClassificationCertificate of length m
        Predictions and radii for the same rows.

    Returns
    -------
    radius : float
        In the norm of the certificate and the units of X. The area under the curve of
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
    return float(np.mean(_radius_where_right(y_true, certificate)))


def make_certified_scorer(radius: float = 0.0) -> CertifiedScorer:
    """Certified accuracy at a radius, as a score for grid search and cross-validation.

    Parameters
    ----------
    radius : float, default=0.0
        Radius at which predictions have to be proven, in the norm of each candidate: scores of
        different norms are about different perturbations, and do not compare.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y)``, larger is better. Where the estimator is a Pipeline that
        ends in a smoother, the steps before transform X, and the radius is in the units of what
        they return. Settings under which no row could reach the radius score 0. The noise is not
        that of `certify`: a model that was selected on some draws may fit them too well.

    Raises
    ------
    ValueError
        If the radius is negative or not finite.

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
    if not 0 <= radius < np.inf:
        raise ValueError(f"radius must be finite and not negative, got {radius!r}.")
    return CertifiedScorer(radius)


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
        smoother: Any = certifier_for_scoring(found)
        if self.of == "smoothing_error":
            return -float(np.median(smoother.smoothing_error(X)))
        if self.of == "prediction_error":
            return -float(np.median(smoother.prediction_error(X, y)))
        try:
            certificate = smoother.certify(X, radius=self.radius)
        except UnreachableRadiusError:
            return -np.inf
        if not isinstance(certificate, RegressionCertificate):
            raise TypeError(
                f"{type(smoother).__name__} gives no bounds of outputs; score it with "
                "make_certified_scorer."
            )
        return -float(np.median(certificate.output_bound()))


@dataclass(frozen=True)
class CertifiedScorer:
    """Scorer made by :func:`make_certified_scorer`.

    Attributes
    ----------
    radius : float
        Radius at which predictions have to be proven.
    """

    radius: float

    def __call__(self, estimator: Any, X: Any, y: ArrayLike) -> float:
        """Certified accuracy of a fitted estimator on X and y."""
        smoother, X = find_certifier(estimator, X)
        check_is_fitted(smoother)
        try:
            certificate = certifier_for_scoring(smoother).certify(X, radius=self.radius)
        except UnreachableRadiusError:
            return 0.0
        return certified_accuracy_score(y, certificate, radius=self.radius)


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


def _is_text(labels: NDArray[Any]) -> bool:
    return labels.dtype.kind in "US" or isinstance(labels[0], str)


def _radius_where_right(
    y_true: ArrayLike, certificate: ClassificationCertificate
) -> NDArray[np.float64]:
    if not isinstance(certificate, ClassificationCertificate):
        raise TypeError(
            f"Certified accuracy is of classifiers, got a {type(certificate).__name__}. For bounds "
            "of outputs there are make_certified_bound_scorer and CertifiedBoundDisplay."
        )
    labels = np.asarray(y_true)
    if labels.shape != certificate.prediction.shape[:1]:
        raise ValueError(
            f"y_true has shape {labels.shape}, the certificate is of {len(certificate)} rows; "
            "one label per row is needed."
        )
    if not len(labels):
        raise ValueError("There are no rows to score.")
    if _is_text(labels) != _is_text(certificate.classes):
        raise ValueError(
            f"y_true and the certificate mix labels that are text with labels that are not: "
            f"{labels[0]!r} against {certificate.classes[0]!r}."
        )
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError("y_true contains NaN.")
    if certificate.label_radius is not None:
        right = certificate.prediction == labels[:, None]
        return np.where(right, certificate.label_radius, 0.0).max(axis=1)
    return np.where(certificate.prediction == labels, certificate.radius, 0.0)
