"""Displays: pictures of certificates. matplotlib is imported only to draw."""

import numpy as np
from sklearn.utils import check_consistent_length

from sksmooth._optional import import_extra
from sksmooth.estimators._certify import find_certifier
from sksmooth.metrics import certified_accuracy_curve, certified_range_curve

__all__ = [
    "CertifiedAccuracyDisplay",
    "CertifiedBoundDisplay",
    "CertifiedRadiusDisplay",
    "CertifiedRangeDisplay",
    "draw_certified_images",
]


class CertifiedAccuracyDisplay:
    """Certified accuracy against radius, as a step curve.

    Make one with :meth:`from_certificate` or :meth:`from_estimator`.

    Parameters
    ----------
    radii : ndarray of shape (n_steps,)
        Radii at which the accuracy changes, increasing.
    accuracy : ndarray of shape (n_steps,)
        Certified accuracy at each of them.
    max_radius : float, default=None
        Largest radius that the draws could have proven.
    norm : float, default=2
        Norm of the radius, for the label of the axis.
    name : str, default=None
        Name of the curve in the legend.
    scaled : bool, default=False
        Whether radii are in scaled units (`feature_scale`), for the label of the axis.
    radius_of : str, default=None
        What radii are the size of (`radius_of` of a certificate) instead of the norm, for the label
        of the axis.

    Attributes
    ----------
    line_ : matplotlib.lines.Line2D
        The curve.
    ceiling_ : matplotlib.lines.Line2D or None
        Faint line at `max_radius`.
    ax_ : matplotlib.axes.Axes
        Axes of the picture.
    figure_ : matplotlib.figure.Figure
        Figure of the picture.

    See Also
    --------
    certified_accuracy_curve : The numbers behind the picture.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.plotting import CertifiedAccuracyDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SmoothedClassifier(sigma=0.3, random_state=0).fit(X, y)
    >>> display = CertifiedAccuracyDisplay.from_estimator(clf, X, y)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self, radii, accuracy, *, max_radius=None, norm=2, name=None, scaled=False, radius_of=None
    ):
        self.radii = radii
        self.accuracy = accuracy
        self.max_radius = max_radius
        self.norm = norm
        self.name = name
        self.scaled = scaled
        self.radius_of = radius_of

    @classmethod
    def from_certificate(cls, y_true, certificate, *, of_class=None, name=None, ax=None, **kwargs):
        """Draw the curve of a certificate.

        Parameters
        ----------
        y_true : array-like of shape (m,)
            True labels.
        certificate : ClassificationCertificate of length m
            Certificate of the same rows.
        of_class : label, default=None
            Only rows with this true label count. None: all.
        name : str, default=None
            Name of the curve. None: the noise.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; several curves can share one. None: a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : CertifiedAccuracyDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If no row has the class, or if the axes show radii in another norm: these are about
            other perturbations.
        """
        radii, accuracy = certified_accuracy_curve(*_of_class(y_true, certificate, of_class))
        name = _name_of(certificate, of_class) if name is None else name
        display = cls(
            radii,
            accuracy,
            max_radius=certificate.max_radius(),
            norm=certificate.norm,
            name=name,
            scaled=certificate.feature_scale is not None,
            radius_of=certificate.radius_of,
        )
        return display.plot(ax=ax, **kwargs)

    @classmethod
    def from_estimator(cls, estimator, X, y, *, name=None, ax=None, **kwargs):
        """Certify the rows of X and draw the curve.

        Parameters
        ----------
        estimator : SmoothedClassifier or Pipeline that ends in one
            Fitted.
        X : array-like of shape (m, ...)
            Inputs.
        y : array-like of shape (m,)
            True labels.
        name : str, default=None
            Name of the curve. None: the noise.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; several curves can share one. None: a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : CertifiedAccuracyDisplay
        """
        _axes(ax, make=False)  # before the long work
        check_consistent_length(X, y)
        smoother, X = find_certifier(estimator, X)
        return cls.from_certificate(y, smoother.certify(X), name=name, ax=ax, **kwargs)

    def plot(self, *, ax=None, name=None, **kwargs):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.
        name : str, default=None
            Name of the curve. None: the one given at construction.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        self : CertifiedAccuracyDisplay
        """
        self.ax_ = ax = _axes(ax)
        self.figure_ = ax.figure
        _label_radius(ax, self.norm, self.scaled, self.radius_of)
        style = {"drawstyle": "steps-pre", "label": self.name if name is None else name, **kwargs}
        (self.line_,) = ax.plot(*self._with_last_drop(), **style)
        self.ceiling_ = self._plot_ceiling()
        ax.set_ylabel("Certified accuracy")
        ax.set_ylim(-0.02, 1.02)
        ax.set_xlim(left=0, auto=True)  # later curves may widen the axis
        if style["label"] is not None:
            ax.legend()
        return self

    def _with_last_drop(self):
        """Radii and accuracy with the fall to zero behind the largest radius."""
        return np.append(self.radii, self.radii[-1]), np.append(self.accuracy, 0.0)

    def _plot_ceiling(self):
        if self.max_radius is None or not np.isfinite(self.max_radius):
            return None
        return self.ax_.axvline(
            self.max_radius, color=self.line_.get_color(), linestyle=":", linewidth=1, alpha=0.5
        )


class CertifiedRadiusDisplay:
    """Histogram of certified radii, of rows that are right beside those that are not.

    Make one with :meth:`from_certificate`.

    Parameters
    ----------
    radii : ndarray of shape (m,)
        Radii; 0 where abstained.
    right : ndarray of bool of shape (m,) or None
        Rows whose prediction is right, where labels are known.
    norm : float, default=2
        Norm of the radii.
    scaled : bool, default=False
        Whether radii are in scaled units (`feature_scale`), for the label of the axis.
    radius_of : str, default=None
        What radii are the size of (`radius_of` of a certificate) instead of the norm, for the label
        of the axis.

    Attributes
    ----------
    bars_ : list of matplotlib.container.BarContainer
        One for each group of rows.
    ax_ : matplotlib.axes.Axes
        Axes of the picture.
    figure_ : matplotlib.figure.Figure
        Figure of the picture.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_iris
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.plotting import CertifiedRadiusDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> certificate = SmoothedClassifier(sigma=0.3, random_state=0).fit(X, y).certify(X)
    >>> display = CertifiedRadiusDisplay.from_certificate(certificate, y)
    >>> plt.close(display.figure_)
    """

    def __init__(self, radii, right=None, *, norm=2, scaled=False, radius_of=None):
        self.radii = radii
        self.right = right
        self.norm = norm
        self.scaled = scaled
        self.radius_of = radius_of

    @classmethod
    def from_certificate(cls, certificate, y_true=None, *, ax=None, **kwargs):
        """Draw the radii of a certificate.

        Parameters
        ----------
        certificate : ClassificationCertificate of length m
            Radii and predictions.
        y_true : array-like of shape (m,), default=None
            True labels; None: rows are not told apart.
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.hist`, such as `bins`.

        Returns
        -------
        display : CertifiedRadiusDisplay
        """
        right = None
        if y_true is not None:
            first = certificate.prediction.reshape(len(certificate), -1)[:, 0]
            right = first == np.asarray(y_true)
        scaled = certificate.feature_scale is not None
        units = {"scaled": scaled, "radius_of": certificate.radius_of}
        display = cls(certificate.radius, right, norm=certificate.norm, **units)
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, **kwargs):
        """Draw the histogram.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.hist`, such as `bins`.

        Returns
        -------
        self : CertifiedRadiusDisplay
        """
        self.ax_ = ax = _axes(ax)
        self.figure_ = ax.figure
        _label_radius(ax, self.norm, self.scaled, self.radius_of)
        finite = np.isfinite(self.radii)
        groups, labels = [self.radii[finite]], [None]
        if self.right is not None:
            groups = [self.radii[finite & self.right], self.radii[finite & ~self.right]]
            labels = ["right", "wrong"]
        _, _, bars = ax.hist(groups, **{"bins": 20, "stacked": True, "label": labels, **kwargs})
        self.bars_ = list(bars) if len(groups) > 1 else [bars]
        ax.set_ylabel("Rows")
        if self.right is not None:
            ax.legend()
        return self


class CertifiedRangeDisplay:
    """Certified accuracy against the parameter of a transformation, to both sides.

    Make one with :meth:`from_certificate`; several can share an axis.

    Parameters
    ----------
    parameters : ndarray of shape (n_steps,)
        Parameters at which the accuracy changes, increasing.
    accuracy : ndarray of shape (n_steps,)
        Certified accuracy at each of them.
    largest : float
        Largest parameter that was asked about.
    unit : str
        Unit of the parameter, for the label of the axis.
    name : str, default=None
        Name of the curve in the legend.

    Attributes
    ----------
    line_ : matplotlib.lines.Line2D
        The curve.
    ax_ : matplotlib.axes.Axes
        Axes of the picture.
    figure_ : matplotlib.figure.Figure
        Figure of the picture.

    See Also
    --------
    certified_range_curve : The numbers behind the picture.
    draw_certified_images : What the ends of certified ranges look like.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import SmoothedClassifier, certify_path
    >>> from sksmooth.plotting import CertifiedRangeDisplay
    >>> from sksmooth.transformations import Rotation
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = X[y < 2] / 16.0, y[y < 2]
    >>> smoother = SmoothedClassifier(sigma=0.5, random_state=0).fit(X, y)
    >>> certificate = certify_path(smoother, X[:10], Rotation(30))
    >>> display = CertifiedRangeDisplay.from_certificate(y[:10], certificate)
    >>> plt.close(display.figure_)
    """

    def __init__(self, parameters, accuracy, *, largest, unit, name=None):
        self.parameters = parameters
        self.accuracy = accuracy
        self.largest = largest
        self.unit = unit
        self.name = name

    @classmethod
    def from_certificate(cls, y_true, certificate, *, name=None, ax=None, **kwargs):
        """Draw the curve of a certificate.

        Parameters
        ----------
        y_true : array-like of shape (m,)
            True labels.
        certificate : PathCertificate of length m
            Certificate of the same rows.
        name : str, default=None
            Name of the curve. None: the transformation and the noise.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; several curves can share one. None: a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : CertifiedRangeDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If the axes show the parameter of another transformation.
        """
        parameters, accuracy = certified_range_curve(y_true, certificate)
        transformation = certificate.transformation
        what = f"{type(transformation).__name__}, {certificate.noise!r}"
        display = cls(
            parameters,
            accuracy,
            largest=transformation.largest,
            unit=f"{type(transformation).__name__} ({transformation.unit})",
            name=what if name is None else name,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, *, ax=None, name=None, **kwargs):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.
        name : str, default=None
            Name of the curve. None: the one given at construction.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        self : CertifiedRangeDisplay
        """
        self.ax_ = ax = _axes(ax)
        self.figure_ = ax.figure
        if ax.get_xlabel() not in ("", self.unit):
            raise ValueError(
                f"These axes show {ax.get_xlabel()}, and this curve is about {self.unit}: draw it "
                "on axes of its own."
            )
        style = {"label": self.name if name is None else name, **kwargs}
        (self.line_,) = ax.plot(*self._steps(), **style)
        ax.set_xlabel(self.unit)
        ax.set_ylabel("Certified accuracy")
        ax.set_ylim(-0.02, 1.02)
        if style["label"] is not None:
            ax.legend()
        return self

    def _steps(self):
        """Corners of the curve, which steps up at entries on the left, and down behind others."""
        parameters = np.concatenate([[-self.largest], self.parameters, [self.largest]])
        accuracy = np.concatenate([[0.0], self.accuracy, [0.0]])
        left = parameters < 0
        rising, falling = np.repeat(accuracy[left], 2), np.repeat(accuracy[~left], 2)
        x = [np.repeat(parameters[left], 2), [0.0], np.repeat(parameters[~left], 2)]
        return np.concatenate(x), np.concatenate([[0.0], rising, falling[1:], [0.0]])


def draw_certified_images(certificate, X, rows=(0, 1, 2), *, axes=None, **kwargs):
    """Draw images as they are, and at both ends of their certified ranges.

    Parameters
    ----------
    certificate : PathCertificate of length m
        Certificate of the rows of X.
    X : array-like of shape (m, ...)
        Images that were certified.
    rows : sequence of int, default=(0, 1, 2)
        Rows that are drawn.
    axes : array of matplotlib.axes.Axes of shape (n_rows, 3), default=None
        Where to draw. None: a new figure.
    **kwargs : dict
        Passed to :meth:`matplotlib.axes.Axes.imshow`.

    Returns
    -------
    axes : ndarray of matplotlib.axes.Axes of shape (n_rows, 3)
        From the left: the left end, the image, the right end.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If X has another number of rows than the certificate, or `axes` another shape.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sksmooth import SmoothedClassifier, certify_path
    >>> from sksmooth.plotting import draw_certified_images
    >>> from sksmooth.transformations import Rotation
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = X[y < 2] / 16.0, y[y < 2]
    >>> smoother = SmoothedClassifier(sigma=0.5, random_state=0).fit(X, y)
    >>> certificate = certify_path(smoother, X[:3], Rotation(30))
    >>> axes = draw_certified_images(certificate, X[:3])
    >>> plt.close(axes[0, 0].figure)
    """
    X = np.asarray(X)
    if len(X) != len(certificate):
        raise ValueError(
            f"X has {len(X)} rows and the certificate {len(certificate)}; pass the rows that were "
            "certified."
        )
    rows, transformation = list(rows), certificate.transformation
    if axes is None:
        size = {"figsize": (4.5, 1.6 * len(rows)), "layout": "constrained"}
        _, axes = _pyplot().subplots(len(rows), 3, squeeze=False, **size)
    if np.shape(axes) != (len(rows), 3):
        raise ValueError(f"axes must have shape ({len(rows)}, 3), got {np.shape(axes)}.")
    layout = transformation.layout(certificate.shape)
    for row, line in zip(rows, axes, strict=True):
        label, ends = certificate.prediction[row], (certificate.left[row], certificate.right[row])
        for ax, t in zip(line, (ends[0], 0.0, ends[1]), strict=True):
            image = layout.images(transformation.apply(X[[row]], t))[0]
            shown = image[0] if len(image) != 3 else np.clip(np.moveaxis(image, 0, 2), 0, 1)
            ax.imshow(shown, **{"cmap": "gray", **kwargs})
            ax.set_title(f"{label}" if not t else f"{t:.3g} {transformation.unit}", fontsize=8)
            ax.set_axis_off()
    return axes


class CertifiedBoundDisplay:
    """Certified output radius against input radius: median and quartiles over the rows.

    Make one with :meth:`from_certificates` or :meth:`from_estimator`; several share an axis, for
    instance one for each sigma. A dashed line is the median smoothing error, the price paid.

    Parameters
    ----------
    radii : ndarray of shape (n_radii,)
        Input radii, increasing.
    bounds : ndarray of shape (n_radii, m)
        Bound of the output of each row.
    smoothing_error : ndarray of shape (m,)
        Distance between the smoothed output and that of the base model.
    name : str, default=None
        Name of the curve in the legend.
    distance : str, default=None
        Name of the distance, for the label of the axis.
    scaled : bool, default=False
        Whether radii are in scaled units (`feature_scale`), for the label of the axis.

    Attributes
    ----------
    line_ : matplotlib.lines.Line2D
        Medians.
    band_ : matplotlib.collections.PolyCollection
        From the lower to the upper quartile.
    error_line_ : matplotlib.lines.Line2D
        Median smoothing error.
    ax_ : matplotlib.axes.Axes
        Axes of the picture.
    figure_ : matplotlib.figure.Figure
        Figure of the picture.

    See Also
    --------
    CenterSmoothedRegressor.certify_curve : The numbers behind the picture.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_diabetes
    >>> from sksmooth import CenterSmoothedRegressor
    >>> from sksmooth.plotting import CertifiedBoundDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> smoother = CenterSmoothedRegressor(sigma=0.05, n_center=500, random_state=0).fit(X, y)
    >>> display = CertifiedBoundDisplay.from_estimator(smoother, X[:20], [0.01, 0.03, 0.06])
    >>> plt.close(display.figure_)
    """

    def __init__(self, radii, bounds, smoothing_error, *, name=None, distance=None, scaled=False):
        self.radii = radii
        self.bounds = bounds
        self.smoothing_error = smoothing_error
        self.name = name
        self.distance = distance
        self.scaled = scaled

    @classmethod
    def from_certificates(cls, certificates, *, name=None, ax=None, **kwargs):
        """Draw the curve of several certificates of the same rows.

        Parameters
        ----------
        certificates : list of RegressionCertificate
            One per input radius.
        name : str, default=None
            Name of the curve. None: the noise.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; several curves can share one. None: a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : CertifiedBoundDisplay

        Raises
        ------
        ValueError
            If there are no certificates or rows, or one has several input radii.
        ImportError
            If matplotlib is not installed.
        """
        certificates = list(certificates)
        if not certificates or not all(len(c) for c in certificates):
            raise ValueError("At least one certificate with at least one row is needed.")
        if any(np.ptp(c.input_radius) > 0 for c in certificates):
            raise ValueError("The rows of a certificate need one input radius; see certify_curve.")
        certificates.sort(key=lambda c: c.input_radius[0])
        if any(len(c) != len(certificates[0]) for c in certificates) or any(
            not np.array_equal(c.smoothing_error, certificates[0].smoothing_error)
            for c in certificates
        ):
            raise ValueError(
                "The certificates are of different rows; one curve is of the same rows at several "
                "input radii, as certify_curve makes them."
            )
        first = certificates[0]
        display = cls(
            np.array([c.input_radius[0] for c in certificates]),
            np.array([c.output_bound() for c in certificates]),
            first.smoothing_error,
            name=repr(first.noise) if name is None else name,
            distance=type(first.distance).__name__,
            scaled=first.feature_scale is not None,
        )
        return display.plot(ax=ax, **kwargs)

    @classmethod
    def from_estimator(cls, estimator, X, radii, *, name=None, ax=None, **kwargs):
        """Certify the rows of X for several input radii and draw the curve.

        Parameters
        ----------
        estimator : CenterSmoothedRegressor, MedianSmoothedRegressor or Pipeline that ends in one
            Fitted.
        X : array-like of shape (m, ...)
            Inputs.
        radii : array-like of shape (n_radii,)
            Input radii.
        name : str, default=None
            Name of the curve. None: the noise.
        ax : matplotlib.axes.Axes, default=None
            Where to draw; several curves can share one. None: a new figure.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : CertifiedBoundDisplay
        """
        _axes(ax, make=False)  # before the long work
        smoother, X = find_certifier(estimator, X)
        certificates = smoother.certify_curve(X, radii)
        return cls.from_certificates(certificates, name=name, ax=ax, **kwargs)

    def plot(self, *, ax=None, name=None, **kwargs):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.
        name : str, default=None
            Name of the curve. None: the one given at construction.
        **kwargs : dict
            Passed to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        self : CertifiedBoundDisplay
        """
        self.ax_ = ax = _axes(ax)
        self.figure_ = ax.figure
        low, middle, high = np.quantile(self.bounds, [0.25, 0.5, 0.75], axis=1, method="higher")
        style = {"marker": ".", "label": self.name if name is None else name, **kwargs}
        (self.line_,) = ax.plot(self.radii, middle, **style)
        color = self.line_.get_color()
        self.band_ = ax.fill_between(self.radii, low, high, color=color, alpha=0.2, linewidth=0)
        self.error_line_ = ax.axhline(
            np.median(self.smoothing_error), color=color, linestyle="--", linewidth=1, alpha=0.7
        )
        ax.set_xlabel(rf"Input radius ($\ell_{{2}}${', scaled units' * self.scaled})")
        metric = "" if self.distance is None else f" ({self.distance})"
        ax.set_ylabel(f"Certified output radius{metric}\n(dashed: smoothing error)")
        ax.set_ylim(bottom=0, auto=True)
        if style["label"] is not None:
            ax.legend()
        return self


def _pyplot():
    import_extra("matplotlib", extra="plot", user="A display of sksmooth.plotting")
    return import_extra("matplotlib.pyplot", extra="plot", user="A display of sksmooth.plotting")


def _axes(ax, make=True):
    """Return the axes to draw on; refuse what is none."""
    pyplot = _pyplot()
    if ax is None:
        return pyplot.subplots()[1] if make else None
    if not hasattr(ax, "plot"):
        raise TypeError(
            f"ax must be matplotlib axes, got {type(ax).__name__}. Of an array of axes choose one."
        )
    return ax


def _label_radius(ax, norm, scaled, radius_of):
    """Label the axis of radii, unless it shows those of another norm or in other units."""
    label = f"Radius ({radius_of or _norm_name(norm)}{', scaled units' * scaled})"
    before = ax.get_xlabel()
    if before.startswith("Radius (") and before != label:
        raise ValueError(
            f"These axes show {before}, and {label} is about other perturbations: draw it on axes "
            "of its own."
        )
    ax.set_xlabel(label)


def _of_class(y_true, certificate, label):
    """Return the labels and the certificate of the rows of a class."""
    if label is None:
        return y_true, certificate
    rows = np.flatnonzero(np.asarray(y_true) == label)
    if not len(rows):
        raise ValueError(f"No row has the class of_class={label!r}.")
    return np.asarray(y_true)[rows], certificate[rows]


def _name_of(certificate, of_class):
    """Name of a curve: what it is about."""
    top = f", top {certificate.top_k}" if certificate.top_k > 1 else ""
    which = "" if of_class is None else f", class {of_class}"
    return f"{certificate.noise or 'without noise'}{top}{which}"


def _norm_name(norm):
    return r"$\ell_\infty$" if np.isinf(norm) else rf"$\ell_{{{norm:g}}}$"
