"""Certificates of shifts by whole pixels, for any fitted classifier."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sksmooth.arguments._numbers import read_count
from sksmooth.base_models._answers import classes_of
from sksmooth.base_models._names import name_of
from sksmooth.base_models._one_row import check_answers
from sksmooth.certifiers.translation._certifier import TranslationCertifier
from sksmooth.certifiers.translation._shifts import shifted
from sksmooth.engine._black_box import BlackBoxVoter
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise._images import read_axes, read_shape, refuse_other_size
from sksmooth.voters._direct import directly

# Images, and shifts of the first of them, that a model is asked about before it is enumerated.
_N_WHOLE, _N_SHIFTED = 48, 16

PADDINGS = ("wrap", "zeros")


def certify_translation(
    model,
    X,
    *,
    image_shape=None,
    axes=None,
    padding="wrap",
    sigma=None,
    max_shift=None,
    batch_size=None,
    n_jobs=None,
    verbose=False,
):
    """Certify a fitted classifier against shifts by whole pixels, by asking about all of them.

    No noise and no chance: the model answers for every shift of a row, and the certificate is
    exact. With `sigma` it is about the model's answers averaged over shifts, which changes less.

    Parameters
    ----------
    model : classifier
        Fitted, with `predict` and `classes_`. Its answer for a row must depend on that row alone.
    X : array-like or DataFrame of shape (m, n_features) or (m, ...)
        Inputs.
    image_shape : tuple of int, default=None
        Shape of the image or series in each row, where rows are flat. None: that of the rows.
    axes : sequence of int, default=None
        Axes of it that are shifted along. None: all, except for one of channels (up to 4, first or
        last of three). For series of several channels, ``axes=(-1,)``.
    padding : {"wrap", "zeros"}, default="wrap"
        What comes in: what leaves on the other side, or zeros.
    sigma : float, default=None
        Certify the class with the largest average over random whole shifts instead, of
        normal weights with this standard deviation along each axis (with zeros, up to four of
        them). None: the answer of the model itself.
    max_shift : int, default=None
        Largest shift along each axis that is looked at; with `padding` "wrap" and `sigma` all are
        asked about anyway. None: all that differ, which is ``h * w`` calls per row around a circle
        and ``(2 h + 1) * (2 w + 1)`` with zeros.
    batch_size : int, default=None
        Largest number of shifted rows per call of the model.
    n_jobs : int, default=None
        Number of parallel workers, as in joblib.
    verbose : int or bool, default=False
        Show a progress bar.

    Returns
    -------
    certificate : ClassificationCertificate
        Exact: its `alpha` is None. `radius` is the length, in pixels, of the longest shift such
        that neither it nor any that is as long or shorter changes `prediction`; around a circle
        the length of a shift is that of its shortest way. With zeros and `sigma`, shifts that move
        content out of the frame are not covered. `p_lower` and `p_upper` are exact probabilities
        of the class and of the next one where there is a `sigma`.

    Raises
    ------
    ValueError
        If the model does not tell its classes, or X or a parameter cannot work.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sksmooth import certify_translation
    >>> X, y = load_digits(return_X_y=True)
    >>> images = np.pad(X.reshape(-1, 8, 8), ((0, 0), (2, 2), (2, 2))).reshape(-1, 144)
    >>> model = KNeighborsClassifier(1).fit(images[:1000], y[:1000])
    >>> certify_translation(model, images[1000:1005], image_shape=(12, 12), max_shift=2).radius
    array([0., 0., 0., 0., 1.])
    """
    if isinstance(model, BaseEstimator) and hasattr(model, "fit"):
        check_is_fitted(model)
    if getattr(model, "classes_", None) is None:
        raise ValueError(
            f"{name_of(model)} has no classes_. Pass a fitted classifier that knows its labels, or "
            "set this attribute to them."
        )
    inputs = read_inputs(X, owner=model)
    shape = inputs.shape if image_shape is None else read_shape(image_shape)
    refuse_other_size(shape, inputs.shape)
    _check_options(padding, sigma)
    axes, wrap = read_axes(axes, shape), padding == "wrap"
    voter = BlackBoxVoter(directly(model), classes_of(model, None))
    _refuse_unsteady_answers(model, voter, inputs, shape, axes, wrap)
    certifier = TranslationCertifier(
        voter,
        image_shape=shape,
        axes=axes,
        wrap=wrap,
        sigma=None if sigma is None else float(sigma),
        max_shift=None if max_shift is None else read_count("max_shift", max_shift, 1),
        batch_size=None if batch_size is None else read_count("batch_size", batch_size, 1),
        n_jobs=n_jobs,
        verbose=verbose,
    )
    return certifier.certify(inputs).of_inputs(inputs)


def _refuse_unsteady_answers(model, voter, inputs, shape, axes, wrap):
    """Refuse a model whose answer for a shifted image depends on more than this image."""
    first = inputs[:_N_WHOLE]
    image = first.values[0].reshape(shape)
    shifts = [(i,) * len(axes) for i in range(1, _N_SHIFTED + 1)]
    moved = np.stack([shifted(image, shift, axes, wrap) for shift in shifts])
    values = np.concatenate([first.values, moved.reshape(-1, *inputs.shape)])
    check_answers(model, first.with_values(values), voter, n_noisy=_N_SHIFTED)


def _check_options(padding, sigma):
    if padding not in PADDINGS:
        raise ValueError(f"padding must be one of {', '.join(PADDINGS)}, got {padding!r}.")
    is_number = isinstance(sigma, Real) and not isinstance(sigma, bool)
    if sigma is not None and not (is_number and 0 < sigma < np.inf):
        raise ValueError(
            f"sigma must be None or a positive finite number, in pixels, got {sigma!r}."
        )
