"""The picture shows the numbers of the curve."""

import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sksmooth import SmoothedClassifier, certified_accuracy_curve
from sksmooth.plotting import CertifiedAccuracyDisplay


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


def test_label_of_the_sup_norm(pyplot):
    display = CertifiedAccuracyDisplay(np.array([0.0]), np.array([0.5]), norm=np.inf).plot()
    assert display.ax_.get_xlabel() == r"Radius ($\ell_\infty$)"
    assert display.ax_.get_legend() is None


def test_without_matplotlib_the_error_comes_before_the_work(smoothed, monkeypatch):
    _, X, y = smoothed
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "sksmooth\[plot\]"'):
        CertifiedAccuracyDisplay.from_estimator(None, X, y)
