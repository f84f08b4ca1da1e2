"""Displays: pictures of certificates. matplotlib is imported only to draw."""

import numpy as np
from sklearn.utils import check_consistent_length

from sksmooth._extras import import_extra
from sksmooth.metrics import certified_accuracy_curve, find_smoother

__all__ = ["CertifiedAccuracyDisplay"]


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

    def __init__(self, radii, accuracy, *, max_radius=None, norm=2, name=None):
        self.radii = radii
        self.accuracy = accuracy
        self.max_radius = max_radius
        self.norm = norm
        self.name = name

    @classmethod
    def from_certificate(cls, y_true, certificate, *, name=None, ax=None, **kwargs):
        """Draw the curve of a certificate.

        Parameters
        ----------
        y_true : array-like of shape (m,)
            True labels.
        certificate : ClassificationCertificate of length m
            Certificate of the same rows.
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
        """
        radii, accuracy = certified_accuracy_curve(y_true, certificate)
        display = cls(
            radii,
            accuracy,
            max_radius=certificate.max_radius(),
            norm=certificate.norm,
            name=str(certificate.noise or "without noise") if name is None else name,
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
        import_extra("matplotlib", extra="plot", user=cls.__name__)  # before the long work
        check_consistent_length(X, y)
        smoother, X = find_smoother(estimator, X)
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
        if ax is None:
            _, ax = _pyplot().subplots()
        self.ax_, self.figure_ = ax, ax.figure
        style = {"drawstyle": "steps-pre", "label": self.name if name is None else name, **kwargs}
        (self.line_,) = ax.plot(*self._with_last_drop(), **style)
        self.ceiling_ = self._plot_ceiling()
        ax.set_xlabel(f"Radius ({_norm_name(self.norm)})")
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


def _pyplot():
    return import_extra("matplotlib.pyplot", extra="plot", user="CertifiedAccuracyDisplay.plot")


def _norm_name(norm):
    return r"$\ell_\infty$" if np.isinf(norm) else rf"$\ell_{{{norm:g}}}$"
