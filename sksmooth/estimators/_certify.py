"""Certificates of whatever contains a smoother: a Pipeline, a search."""

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def certify(fitted, X, **options):
    """Certify the rows of X by a fitted smoother, or one inside a Pipeline or a search.

    Parameters
    ----------
    fitted : estimator
        A smoother; a Pipeline that ends in one (steps before it transform X, samplers of
        imbalanced-learn are skipped, as in `predict`); or a search whose best estimator is one.
    X : array-like or DataFrame of shape (m, n_features) or (m, ...)
        Inputs of `fitted`.
    **options : dict
        Passed to `certify` of the smoother, such as `radius`.

    Returns
    -------
    certificate : ClassificationCertificate or RegressionCertificate
        What `certify` of the smoother returns. Where steps of a Pipeline come before it, radii are
        in the units of what they return.

    Raises
    ------
    TypeError
        If nothing in `fitted` certifies.

    Examples
    --------
    >>> import sksmooth
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> smoother = sksmooth.SmoothedClassifier(sigma=0.3, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), smoother).fit(X, y)
    >>> len(sksmooth.certify(pipeline, X[:5], radius=0.1))
    5
    """
    certifier, inputs = find_certifier(fitted, X)
    return certifier.certify(inputs, **options)


def find_certifier(fitted, X):
    """Find what certifies, and what it is given of X.

    Parameters
    ----------
    fitted : estimator, Pipeline or search
        As for :func:`certify`.
    X : array-like
        Its inputs.

    Returns
    -------
    certifier : object with certify
    X : array-like
        Its inputs.

    Raises
    ------
    TypeError
        If nothing in `fitted` certifies.
    """
    if isinstance(fitted, Pipeline):
        check_is_fitted(fitted)
        return find_certifier(fitted[-1], _through_steps(fitted.steps[:-1], X))
    if hasattr(fitted, "best_estimator_"):  # a fitted search
        return find_certifier(fitted.best_estimator_, X)
    if not hasattr(fitted, "certify"):
        raise TypeError(
            f"{type(fitted).__name__} has no certify method. Wrap it, for instance in "
            "SmoothedClassifier; a search has to be fitted, with refit=True."
        )
    return fitted, X


def _through_steps(steps, X):
    for _, step in steps:
        is_sampler = hasattr(step, "fit_resample") and not hasattr(step, "transform")
        if step not in (None, "passthrough") and not is_sampler:
            X = step.transform(X)
    return X
