"""The picture shows the numbers of the curve."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sksmooth import (
    CenterSmoothedRegressor,
    ClassificationCertificate,
    MedianSmoothedRegressor,
    SmoothedClassifier,
    certified_accuracy_curve,
    certified_range_curve,
    certify_path,
)
from sksmooth.noise import Brightness
from sksmooth.plotting import (
    CertifiedAccuracyDisplay,
    CertifiedBoundDisplay,
    CertifiedRadiusDisplay,
    CertifiedRangeDisplay,
    draw_certified_images,
)
from sksmooth.transformations import Rotation, Zoom


@pytest.fixture(scope="module")
def smoothed(digits):
    X, y = digits
    clf = SmoothedClassifier(sigma=0.3, n_estimation=200, random_state=0).fit(X[:400], y[:400])
    return clf, X[400:450], y[400:450]


def test_line_shows_the_curve_and_its_end(smoothed, pyplot):
    clf, X, y = smoothed
    certificate = clf.certify(X)
    display = CertifiedAccuracyDisplay.from_certificate(y, certificate)
    radii, accuracy = certified_accuracy_curve(y, certificate)
    assert_array_equal(display.line_.get_xdata()[:-1], radii)
    assert_array_equal(display.line_.get_ydata(), [*accuracy, 0])
    assert display.line_.get_drawstyle() == "steps-pre"
    assert display.line_.get_label() == "GaussianNoise(k=0, sigma=0.3)"
    assert_array_equal(display.ceiling_.get_xdata(), [certificate.max_radius()] * 2)
    assert display.ax_.get_xlabel() == r"Radius ($\ell_{2}$)"
    assert display.figure_ is display.ax_.figure


def test_from_estimator_certifies(smoothed, pyplot):
    clf, X, y = smoothed
    one = CertifiedAccuracyDisplay.from_estimator(clf, X, y)
    two = CertifiedAccuracyDisplay.from_certificate(y, clf.certify(X))
    assert_array_equal(one.line_.get_xydata(), two.line_.get_xydata())


def test_from_a_pipeline(smoothed, digits, pyplot):
    X, y = digits
    pipe = make_pipeline(MaxAbsScaler(), SmoothedClassifier(n_estimation=100, random_state=0))
    pipe.fit(X[:300], y[:300])
    assert CertifiedAccuracyDisplay.from_estimator(pipe, X[:20], y[:20]).accuracy[0] > 0.5


def test_several_curves_share_an_axis_that_shows_all_of_them(smoothed, pyplot):
    clf, X, y = smoothed
    certificate = clf.certify(X)
    short = CertifiedAccuracyDisplay(np.array([0, 0.1]), np.array([1, 1]), name="short").plot()
    long = CertifiedAccuracyDisplay.from_certificate(
        y, certificate, name="long", ax=short.ax_, linestyle="--"
    )
    assert long.ax_ is short.ax_
    assert short.ceiling_ is None
    left, right = long.ax_.get_xlim()
    assert left == 0
    assert right >= certificate.max_radius()
    assert [text.get_text() for text in long.ax_.get_legend().get_texts()] == ["short", "long"]
    assert long.line_.get_linestyle() == "--"


def test_label_of_a_transformation(pyplot):
    noise = Brightness(0.3)
    votes, classes = np.array([[90, 10]]), np.array([0, 1])
    certificate = ClassificationCertificate.from_counts(
        np.array([0]), votes, classes=classes, noise=noise, n_features=4, alpha=0.01
    )
    for display in (
        CertifiedAccuracyDisplay.from_certificate([0], certificate),
        CertifiedRadiusDisplay.from_certificate(certificate),
    ):
        assert display.ax_.get_xlabel() == "Radius (brightness, units of X)"


def test_label_of_the_sup_norm(pyplot):
    display = CertifiedAccuracyDisplay(np.array([0.0]), np.array([0.5]), norm=np.inf).plot()
    assert display.ax_.get_xlabel() == r"Radius ($\ell_\infty$)"
    assert display.ax_.get_legend() is None


def test_without_matplotlib_the_error_comes_before_the_work(smoothed, monkeypatch):
    _, X, y = smoothed
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "sksmooth\[plot\]"'):
        CertifiedAccuracyDisplay.from_estimator(None, X, y)


@pytest.mark.parametrize("kind", [CenterSmoothedRegressor, MedianSmoothedRegressor])
def test_bounds_show_medians_and_quartiles(kind, digits, pyplot):
    X, _ = digits
    smoother = kind(sigma=0.3, n_estimation=300, random_state=0, n_augment=1)
    smoother.fit(X[:300], X[:300, 20])
    radii = [0.3, 0.1]
    display = CertifiedBoundDisplay.from_estimator(smoother, X[:9], radii, name="some")
    curve = smoother.certify_curve(X[:9], sorted(radii))
    wanted = [np.median(c.output_bound()) for c in curve]
    assert_array_equal(display.line_.get_xydata(), np.c_[sorted(radii), wanted])
    assert display.line_.get_label() == "some"
    assert display.error_line_.get_ydata()[0] == np.median(curve[0].smoothing_error)
    quartile = np.quantile(curve[0].output_bound(), 0.25)
    assert display.band_.get_paths()[0].vertices[:, 1].min() == quartile
    two = CertifiedBoundDisplay.from_certificates(curve, ax=display.ax_)
    assert two.ax_ is display.ax_
    with pytest.raises(ValueError, match="one input radius"):
        CertifiedBoundDisplay.from_certificates([smoother.certify(X[:2], radius=radii)])
    with pytest.raises(ValueError, match="At least one"):
        CertifiedBoundDisplay.from_certificates([])


def test_rows_without_a_bound_are_drawn_as_far_as_they_go(digits, pyplot):
    X, _ = digits
    smoother = MedianSmoothedRegressor(sigma=0.3, n_estimation=300, random_state=0, n_augment=1)
    smoother.fit(X[:300], X[:300, 20])
    one = smoother.certify(X[:4], radius=0.1)
    half = replace(one, upper=np.where(np.arange(4) < 2, np.inf, one.upper))
    display = CertifiedBoundDisplay.from_certificates([half])
    assert np.isinf(display.line_.get_ydata()).all()
    both = replace(one, upper=np.full(4, np.inf), lower=np.full(4, np.inf))
    assert np.isinf(both.output_bound()).all()
    assert len(one[[]].abstained) == 0


def test_norms_are_not_mixed_on_one_axis(smoothed, pyplot):
    clf, X, y = smoothed
    l2 = clf.certify(X)
    display = CertifiedAccuracyDisplay.from_certificate(y, l2)
    CertifiedAccuracyDisplay.from_certificate(y, l2.at(top_k=2), ax=display.ax_)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["GaussianNoise(k=0, sigma=0.3)", "GaussianNoise(k=0, sigma=0.3), top 2"]
    with pytest.raises(ValueError, match="draw it on axes of its own"):
        CertifiedAccuracyDisplay.from_certificate(y, l2.at(norm=np.inf), ax=display.ax_)
    assert CertifiedAccuracyDisplay.from_certificate(y, l2.at(norm=np.inf)).norm == np.inf


def test_curve_of_one_class(smoothed, pyplot):
    clf, X, y = smoothed
    certificate = clf.certify(X)
    display = CertifiedAccuracyDisplay.from_certificate(y, certificate, of_class=3)
    _, accuracy = certified_accuracy_curve(y[y == 3], certificate[y == 3])
    assert_array_equal(display.line_.get_ydata(), [*accuracy, 0])
    assert display.line_.get_label().endswith("class 3")
    with pytest.raises(ValueError, match="No row has the class of_class=77"):
        CertifiedAccuracyDisplay.from_certificate(y, certificate, of_class=77)


def test_histogram_counts_every_row(smoothed, pyplot):
    clf, X, y = smoothed
    certificate = clf.certify(X)
    right, wrong = CertifiedRadiusDisplay.from_certificate(certificate, y, bins=7).bars_
    is_right = certificate.prediction == y
    assert sum(bar.get_height() for bar in right) == is_right.sum()
    assert sum(bar.get_height() for bar in wrong) == (~is_right).sum()
    (bars,) = CertifiedRadiusDisplay.from_certificate(certificate).bars_
    assert sum(bar.get_height() for bar in bars) == len(certificate)


def test_axes_are_checked_before_anything_is_certified(smoothed, pyplot):
    clf, X, y = smoothed
    _, axes = pyplot.subplots(1, 2)
    with pytest.raises(TypeError, match="ax must be matplotlib axes, got ndarray"):
        CertifiedAccuracyDisplay.from_estimator(None, X, y, ax=axes)
    with pytest.raises(TypeError, match="ax must be matplotlib axes, got ndarray"):
        CertifiedBoundDisplay.from_estimator(None, X, [0.1], ax=axes)
    CertifiedAccuracyDisplay.from_estimator(clf, X, y, ax=axes[0])


def test_bounds_of_different_rows_are_not_one_curve(pyplot):
    X = np.linspace(0, 1, 20)[:, None]
    smoother = MedianSmoothedRegressor(n_prediction=100, n_estimation=200, random_state=0)
    smoother.fit(X, X[:, 0] ** 2)
    one, two = smoother.certify_curve(X[:5], [0.01, 0.02])
    CertifiedBoundDisplay.from_certificates([one, two])
    for other in (smoother.certify(X[5:10], radius=0.02), two[:3]):
        with pytest.raises(ValueError, match="certificates are of different rows"):
            CertifiedBoundDisplay.from_certificates([one, other])


@pytest.fixture(scope="module")
def ranges(digits):
    """Certified ranges of two digits, some of which are short."""
    X, y = digits
    X, y = X[y < 2], y[y < 2]
    clf = SmoothedClassifier(sigma=0.1 * X.max(), random_state=0).fit(X, y)
    return certify_path(clf, X[:12], Rotation(60)), X[:12], np.where(np.arange(12) == 3, 7, y[:12])


def test_ranges_show_their_curve_to_both_sides(ranges, pyplot):
    certificate, _, y = ranges
    display = CertifiedRangeDisplay.from_certificate(y, certificate)
    parameters, accuracy = certified_range_curve(y, certificate)
    x, drawn = display.line_.get_data()
    assert (np.diff(x) >= 0).all()
    assert (x[0], x[-1]) == (-60.0, 60.0)
    for t in np.setdiff1d(np.linspace(-59.9, 59.9, 60), parameters):
        # only level and vertical parts: the last corner before has the height
        height = drawn[np.flatnonzero(x < t)[-1]]
        assert height == ((certificate.left <= t) & (certificate.right >= t) & (y < 2)).mean()
    assert accuracy.max() == 11 / 12
    assert display.ax_.get_xlabel() == "Rotation (degrees)"
    assert display.line_.get_label() == "Rotation, " + repr(certificate.noise)


def test_ranges_of_other_transformations_are_not_mixed(ranges, pyplot):
    certificate, _, y = ranges
    display = CertifiedRangeDisplay.from_certificate(y, certificate, name="a")
    CertifiedRangeDisplay.from_certificate(y, certificate[:12], name="b", ax=display.ax_)
    assert len(display.ax_.lines) == 2
    other = replace(certificate, transformation=Zoom(1))
    with pytest.raises(ValueError, match="axes of its own"):
        CertifiedRangeDisplay.from_certificate(y, other, ax=display.ax_)


def test_images_at_the_ends_of_ranges(ranges, pyplot):
    certificate, X, _ = ranges
    axes = draw_certified_images(certificate, X, rows=[0, 3])
    assert axes.shape == (2, 3)
    images = Rotation(60).apply(X[[3]], certificate.right[3]).reshape(8, 8)
    assert_array_equal(axes[1, 2].images[0].get_array(), images)
    assert_array_equal(axes[1, 1].images[0].get_array(), X[3].reshape(8, 8))
    assert axes[1, 1].get_title() == str(certificate.prediction[3])
    assert "degrees" in axes[0, 0].get_title()
    color = np.clip(np.random.default_rng(0).random((1, 6, 6, 3)), 0, 1)
    of_color = replace(certificate[:1], shape=(6, 6, 3))
    drawn = draw_certified_images(of_color, color, rows=[0])
    assert drawn[0, 1].images[0].get_array().shape == (6, 6, 3)
    with pytest.raises(ValueError, match="rows that were certified"):
        draw_certified_images(certificate, X[:3])
    with pytest.raises(ValueError, match="axes must have shape"):
        draw_certified_images(certificate, X, rows=[0], axes=axes)
