"""Certificates of images under a transformation, of whatever contains a smoother."""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sksmooth.base_models._affine import affine_map
from sksmooth.base_models._names import name_of
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise
from sksmooth.transformations import ImageFilter, Transformation
from sksmooth.transformations._attack import AttackedImages

# Default of rho, as a part of sigma: the fewest draws are spent between one half and 0.7.
_RHO = 0.5


def certify_path(fitted, X, transformation, *, tolerance=None, rho=None, simultaneous=False):
    """Prove by how much images may be rotated, zoomed, sheared or shifted.

    The transformed images of a row are a curve in pixel space. Balls around a few images on it,
    the anchors, cover the curve, and the smoothed classifier is certified at each anchor with the
    radius of its ball. The interpolation is part of the proof: nothing is left to sampling but the
    votes.

    Parameters
    ----------
    fitted : SmoothedClassifier, Pipeline or search
        Fitted, with Gaussian noise. In a Pipeline that ends in a smoother, the steps before it have
        to be linear, and known as such: :class:`~sksmooth.transformations.LowPass` and
        :class:`~sksmooth.transformations.Vignette`, which are recommended, and scalers. The model
        inside of the smoother may be anything.
    X : array-like of shape (m, height, width), (m, height, width, c), (m, c, height, width) \
            or (m, d)
        Images, as `fitted` takes them. For rows of numbers that are no square images the
        transformation has to be told their `image_shape`.
    transformation : Transformation
        What is done to images, and the range that is asked about, such as ``Rotation(30)``.
    tolerance : float or "8bit", default=None
        How far the attacked image may be from the transformed one besides, in l2 and in the units
        of X. "8bit": it may be clipped to the range of pixels and rounded to one of 256 values,
        where pixels are from 0 to 1, or whole numbers from 0 to 255 of an integer type. None: 0.
    rho : float, default=None
        Largest radius of a ball, in l2, where noise is added. None: half of sigma, and the
        tolerance. A smaller one proves more of rows whose votes are not clear, for more draws.
    simultaneous : bool, default=False
        Make `alpha` the probability that any of the m statements is wrong (union bound).

    Returns
    -------
    certificate : PathCertificate
        With `prediction`, and for each row the interval from `left` to `right` of parameters for
        which it is certified, in the unit of the transformation: with probability at least ``1 -
        alpha`` over the noise, no parameter in it changes the class. `statement` says in words what
        is covered.

    Raises
    ------
    UnreachableRadiusError
        If no vote of `n_estimation` draws could prove the radius of a ball.
    ValueError
        If the smoother has other noise, a `feature_scale` or categorical columns, if a step before
        it is not known to be linear, or if X or an argument cannot work.
    TypeError
        If there is no smoother in `fitted` that can do this.

    Notes
    -----
    A range ends before the first anchor, from the image outwards, that is not certified. As the
    order of anchors is fixed by the image alone, each is tested at the full level of its side,
    alpha / 2, and not at a part for each anchor (fixed-sequence testing).

    References
    ----------
    .. [1] Li, L. et al. (2021). TSS: Transformation-specific smoothing for robustness
       certification. CCS 2021 (differentially resolvable transformations).
    .. [2] Fischer, M., Baader, M. and Vechev, M. (2020). Certified defense to image transformations
       via randomized smoothing. NeurIPS 2020.
    .. [3] Maurer, W., Hothorn, L. and Lehmacher, W. (1995). Multiple comparisons in drug clinical
       trials and preclinical assays: a-priori ordered hypotheses. Biometrie in der
       chemisch-pharmazeutischen Industrie 6, 3-18.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import SmoothedClassifier, certify_path
    >>> from sksmooth.transformations import Rotation
    >>> X, y = load_digits(return_X_y=True)
    >>> X, zero_or_one = X / 16.0, y < 2
    >>> smoother = SmoothedClassifier(sigma=0.5, random_state=0)
    >>> smoother = smoother.fit(X[zero_or_one], y[zero_or_one])
    >>> certificate = certify_path(smoother, X[:2], Rotation(20))
    >>> certificate.prediction
    array([0, 1])
    >>> bool((certificate.right > 10).all())
    True
    """
    smoother, steps = _smoother_in(fitted)
    if not hasattr(smoother, "certify_path"):
        raise TypeError(
            f"{type(smoother).__name__} cannot certify paths of images. Use a SmoothedClassifier "
            "with noise='gaussian', or a Pipeline or a fitted search that ends in one."
        )
    options = {"tolerance": tolerance, "rho": rho, "simultaneous": simultaneous, "before": steps}
    return smoother.certify_path(X, transformation, **options)


def _smoother_in(fitted):
    """Return the smoother, and the transformers before it."""
    if isinstance(fitted, Pipeline):
        check_is_fitted(fitted)
        smoother, steps = _smoother_in(fitted[-1])
        return smoother, [*_transformers(fitted[:-1]), *steps]
    if hasattr(fitted, "best_estimator_"):  # a fitted search
        return _smoother_in(fitted.best_estimator_)
    return fitted, []


def _transformers(steps):
    """Return the transformers of steps, those in Pipelines within a Pipeline included."""
    found = []
    for _, step in steps.steps if isinstance(steps, Pipeline) else [("", steps)]:
        is_sampler = hasattr(step, "fit_resample") and not hasattr(step, "transform")
        if step in (None, "passthrough") or is_sampler:
            continue
        found += _transformers(step) if isinstance(step, Pipeline) else [step]
    return found


@dataclass(frozen=True)
class LinearSteps:
    """Linear transformers that images go through before noise is added.

    Attributes
    ----------
    steps : list of transformer
        Fitted, in their order.
    """

    steps: list

    def __call__(self, X: Any) -> Any:
        """Return what the smoother is given for images."""
        for step in self.steps:
            X = step.transform(X)
        return X

    def numbers(self, X):
        """Return the numbers that the smoother is given for images."""
        return read_inputs(self(X), owner=None).values

    def stretch(self):
        """Bound of the factor by which distances between images grow, or a refusal."""
        product = 1.0
        for step in self.steps:
            product *= _norm_of(step)
        return product

    def __str__(self):
        return ", ".join(map(repr, self.steps))


def _norm_of(step):
    """Bound of the spectral norm of a linear transformer."""
    if isinstance(step, ImageFilter):
        return 1.0
    linear = affine_map(step)
    if linear is None:
        raise ValueError(
            f"{name_of(step)} stands before the smoother, where noise is added, and is not known "
            "to be linear, so that nobody can tell how far images move behind it. Put it into the "
            "model that is smoothed: SmoothedClassifier(make_pipeline(step, model)). LowPass, "
            "Vignette and scalers may stay before it."
        )
    matrix = np.asarray(linear[0])
    norm = np.abs(matrix).max() if matrix.ndim < 2 else np.linalg.norm(matrix, 2)
    return float(norm) * (1 + 1e-9)


def attacked_images(transformation, steps, given, seen):
    """Return images under attack, or say why they are none."""
    if not isinstance(transformation, Transformation):
        raise TypeError(
            "transformation must be an object of sksmooth.transformations, such as Rotation(30); "
            f"got {transformation!r}."
        )
    transformation = clone(transformation)  # the certificate owns it
    transformation.layout(given.shape), transformation.largest
    if not steps.steps:
        return AttackedImages(transformation, given, given)
    return AttackedImages(transformation, given, seen, steps.numbers, steps.stretch())


def refuse_what_has_no_path(noise, inputs):
    """Refuse noise and columns for which a ball in the units of X proves nothing."""
    if not isinstance(noise, GaussianNoise):
        raise ValueError(
            f"certify_path needs radii in l2, and this smoother has {noise!r}. Fit it with "
            "noise='gaussian'."
        )
    if inputs.layout is not None:
        raise ValueError(
            "certify_path is about images, all of whose pixels bear the same noise; this smoother "
            "was fitted with a feature_scale or categorical columns. Leave both at their defaults."
        )


def read_tolerance(tolerance, inputs):
    """Return the l2 distance that a tolerance stands for."""
    if tolerance is None:
        return 0.0
    if isinstance(tolerance, str):
        if tolerance != "8bit":
            raise ValueError(f"tolerance must be a number, '8bit' or None, got {tolerance!r}.")
        return _half_step_of_8_bits(inputs) * float(np.sqrt(np.prod(inputs.shape))) * (1 + 1e-9)
    return _positive("tolerance", tolerance, zero=True)


def _half_step_of_8_bits(inputs):
    """Half of the distance between pixel values, where images have a range that says it."""
    values = inputs.values
    of_integers = values.dtype.kind in "iu"
    most = 255 if of_integers else 1.0
    if values.min() < 0 or values.max() > most:
        raise ValueError(
            f"tolerance='8bit' needs pixels from 0 to {most:g}, and X of type {values.dtype} has "
            f"some from {values.min():g} to {values.max():g}. Scale X, or pass the l2 distance, "
            "which is sqrt(d) / 2 times the step of pixel values for d pixels."
        )
    return 0.5 if of_integers else 1.0 / 510.0


def read_rho(rho, sigma, tolerance):
    """Return the radius of balls, for a tolerance where noise is added."""
    return _RHO * sigma + tolerance if rho is None else _positive("rho", rho)


def _positive(name, value, zero=False):
    right = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(value)
    if not right or value < 0 or (value == 0 and not zero):
        kind = "not negative" if zero else "positive"
        raise ValueError(f"{name} must be a finite number that is {kind}, got {value!r}.")
    return float(value)
