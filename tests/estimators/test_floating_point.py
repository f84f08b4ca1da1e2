"""No model that reads the last bits of its input gets a wrong certificate.

The plain sum of input and noise, which a private switch brings back, is the negative control.
"""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.frozen import FrozenEstimator

from sksmooth import CenterSmoothedRegressor, MedianSmoothedRegressor, SmoothedClassifier
from sksmooth.noise import (
    GaussianNoise,
    LaplaceNoise,
    MixedNormNoise,
    SupNormNoise,
    UniformNoise,
)

UNITS = {np.float32: 2.0**-24, np.float64: 2.0**-53}


class Multiples(ClassifierMixin, BaseEstimator):
    """Says 1 where coordinates are multiples of a unit."""

    def __init__(self, unit, of=np.all):
        self.unit = unit
        self.of = of
        self.classes_ = np.array([0, 1])

    def fit(self, X, y):
        return self

    def predict(self, X):
        X = np.asarray(X)
        parts = X / X.dtype.type(self.unit)
        return self.of(parts == np.rint(parts), axis=1).astype(int)


class Knows(ClassifierMixin, BaseEstimator):
    """Knows one input by the rounding of its sum with noise."""

    def __init__(self, row, n_wrong=3):
        self.row = row
        self.n_wrong = n_wrong
        self.classes_ = np.array([0, 1])

    def fit(self, X, y):
        return self

    def predict(self, X):
        X = np.asarray(X)
        row = self.row.astype(X.dtype)
        return ((row + (X - row) != X).sum(axis=1) <= self.n_wrong).astype(int)


def smoothed(model, noise, X, *, rounded=True, n=2000):
    options = {"noise": noise, "n_estimation": n, "n_augment": 0, "random_state": 0}
    clf = SmoothedClassifier(FrozenEstimator(model), **options)
    clf.fit(X, np.arange(len(X)) % 2)
    if not rounded:
        clf._lattice = None
    return clf


def slowly(value):
    return pytest.param(value, marks=pytest.mark.slow)


NOISES = [
    GaussianNoise(0.5),
    LaplaceNoise(0.5),
    UniformNoise(0.5),
    GaussianNoise(0.5, k=0.5),
    LaplaceNoise(0.5, k=0.5),
]


@pytest.mark.parametrize("dtype", UNITS)
@pytest.mark.parametrize("noise", NOISES, ids=repr)
@pytest.mark.parametrize("d", [1, slowly(4), 64])
@pytest.mark.parametrize("of", [np.all, np.any])
@pytest.mark.parametrize("x", [1.0, slowly(0.75), 1 / 3, 100.0, slowly(-1.0)])
def test_multiples_of_a_unit(x, of, d, noise, dtype):
    """Inputs of a larger binade leave no odd multiples; near 0 half of the sums are none."""
    unit = UNITS[dtype] if abs(x) >= 1 else UNITS[dtype] / 2
    row = np.full(d, x, dtype)
    others = np.stack([np.full(d, v, dtype) for v in (0.0, 0.5, 2.0**-10)])
    others = np.concatenate([others, np.nextafter(row, dtype(np.inf))[None]])
    clf = smoothed(Multiples(unit, of), noise, np.concatenate([row[None], others]))
    here, there = clf.certify(row[None]), clf.certify(others)
    assert (there.counts == here.counts).all()  # the same answer for the same noise
    assert here.counts[0, 1] == 2000  # every sum is a multiple of the step


@pytest.mark.parametrize("dtype", UNITS)
@pytest.mark.parametrize("noise", NOISES[:3], ids=repr)
def test_plain_sums_would_be_wrong(noise, dtype):
    """The smallest case: a radius above 1.2 where the vote one unit away is about even."""
    X = np.array([[1.0], [0.0]], dtype)
    clf = smoothed(Multiples(UNITS[dtype]), noise, X, rounded=False, n=10_000)
    certificate = clf.certify(X)
    assert certificate.counts[0].tolist() == [0, 10_000]
    assert 3000 < certificate.counts[1, 1] < 7000
    reach = 0.8 if isinstance(noise, UniformNoise) else 1.5
    assert certificate.radius[0] > reach
    assert certificate.radius[1] < 0.3 * reach
    clf = smoothed(Multiples(UNITS[dtype]), noise, X, n=10_000)
    assert (clf.certify(X).counts == [0, 10_000]).all()


@pytest.mark.parametrize("dtype", UNITS)
@pytest.mark.parametrize(
    "noise",
    [
        GaussianNoise(0.25),
        LaplaceNoise(0.25),
        UniformNoise(0.25),
        GaussianNoise(0.25, k=400),
        LaplaceNoise(0.25, k=400),
        MixedNormNoise(0.25, k=200),
        SupNormNoise(0.25),
    ],
    ids=repr,
)
@pytest.mark.parametrize("base", [None, 0.0])
def test_model_that_knows_an_image(base, noise, dtype):
    """784 pixels on 1/255 levels, or at 0, each moved by one unit in the last place."""
    levels = np.random.default_rng(0).integers(0, 256, size=784) / 255
    row = (levels if base is None else np.full(784, base)).astype(dtype)
    moved = np.nextafter(row, dtype(2.0))
    rows = np.stack([row, moved])
    clf = smoothed(Knows(row), noise, rows, n=500)
    certificate = clf.certify(rows)
    assert (certificate.counts[0] == certificate.counts[1]).all()
    assert certificate.prediction[0] == certificate.prediction[1]
    if base is None:  # the negative control
        plain = smoothed(Knows(row), noise, rows, n=500, rounded=False).certify(rows)
        assert plain.counts[0, 1] == 500
        assert plain.counts[1, 1] == 0
        assert plain.radius[0] > 100 * np.linalg.norm(moved - row, plain.norm)


@pytest.mark.parametrize("family", [GaussianNoise, LaplaceNoise, UniformNoise])
def test_radius_takes_the_way_to_the_lattice_into_account(family):
    """A row off the lattice gets less than its lattice point, by what it was moved."""
    X = np.array([[0.5, 0.25], [0.5 + 1e-6, 0.25 - 2e-6]])
    clf = smoothed(Multiples(2.0**-30), family(0.5), X)
    certificate = clf.certify(X)
    norm = clf.noise_.norm
    lattice = clf._lattice
    assert (lattice.rounded(X)[0] == X[0]).all()
    assert (lattice.rounded(X)[1] == X[0]).all()
    lost = certificate.radius[0] - certificate.radius[1]
    assert lost == pytest.approx(np.linalg.norm(X[1] - X[0], norm), rel=1e-6)
    assert certificate.moved[1, int(norm) - 1] >= np.linalg.norm(X[1] - X[0], norm)


def test_every_sequential_and_pilot_draw_is_on_the_lattice():
    X = np.array([[1.0], [0.0]], np.float32)
    clf = smoothed(Multiples(UNITS[np.float32]), GaussianNoise(0.5), X)
    assert clf.certify(X, radius=1.0).certified.all()
    assert clf.certify(X, rtol=0.1).certified.all()
    assert (clf.predict(X) == 1).all()
    assert (clf.predict_proba(X)[:, 1] == 1).all()


def test_no_data_at_fit():
    model = FrozenEstimator(Multiples(UNITS[np.float64]))
    clf = SmoothedClassifier(model, sigma=0.5, random_state=0, n_estimation=500).fit()
    certificate = clf.certify([[1.0], [0.0]])
    assert (certificate.counts[:, 1] == 500).all()
    single = clf.certify(np.array([[1.0], [0.0]], np.float32))  # the sum is rounded afterwards
    assert (single.counts[:, 1] == 500).all()
    assert clf.noise_step_ == 2.0**-17


def test_start_without_the_same_step_is_refused():
    X = np.array([[1.0], [0.0]])
    clf = smoothed(Multiples(UNITS[np.float64]), GaussianNoise(0.5), X)
    start = clf.certify(X, radius=0.1)
    assert clf.certify(X, radius=0.2, start=start).certified.all()
    older = replace(start, noise_step=None, moved=None)
    with pytest.raises(ValueError, match=r"start was made with the noise step None.*Start again"):
        clf.certify(X, radius=0.2, start=older)


class LastBits(RegressorMixin, BaseEstimator):
    """Returns whether the input is a multiple of a unit, as a number."""

    def __init__(self, unit):
        self.unit = unit

    def fit(self, X, y=None):
        return self

    def predict(self, X):
        X = np.asarray(X)[:, 0]
        parts = X / X.dtype.type(self.unit)
        return (parts == np.rint(parts)).astype(float)


@pytest.mark.parametrize("dtype", UNITS)
@pytest.mark.parametrize("kind", [MedianSmoothedRegressor, CenterSmoothedRegressor])
def test_smoothers_of_outputs(kind, dtype):
    X = np.array([[1.0], [0.0]], dtype)
    options = {"sigma": 0.5, "n_estimation": 1000, "random_state": 0, "n_augment": 0}
    draws = "n_center" if kind is CenterSmoothedRegressor else "n_prediction"
    model = FrozenEstimator(LastBits(UNITS[dtype]))
    smoother = kind(model, **{draws: 500}, **options).fit(X, [0.0, 1.0])
    certificate = smoother.certify(X, radius=0.1)
    assert (certificate.prediction == 1).all()
    assert certificate.noise_step == smoother.noise_step_ == 2.0**-17
    smoother._lattice = None  # the negative control: the answer is not bounded as certified
    plain = smoother.certify(X, radius=0.1)
    wide = plain.output_bound()
    assert wide[0] == 0
    assert wide[1] > 0


@pytest.mark.parametrize("kind", [MedianSmoothedRegressor, CenterSmoothedRegressor])
def test_bounds_of_outputs_allow_for_the_way_to_the_lattice(kind):
    X = np.random.default_rng(0).normal(size=(20, 3))
    smoother = kind(sigma=0.5, random_state=0, n_estimation=1000).fit(X, X[:, 0])
    rounded, step = smoother.max_radius(), smoother.noise_step_
    smoother._lattice = None
    plain = smoother.max_radius()
    assert step * np.sqrt(3) <= plain - rounded < 2 * step * np.sqrt(3)
