"""Shifts by whole pixels, from the answers for all of them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from sksmooth import ClassificationCertificate, certified_accuracy_score, certify_translation


@pytest.fixture(scope="module")
def shifted_digits():
    """Digits in a larger frame, and a model that has seen them shifted."""
    X, y = load_digits(return_X_y=True)
    framed = np.pad(X.reshape(-1, 8, 8)[:300] / 16, ((0, 0), (2, 3), (2, 2)))  # 13 x 12
    moves = [(a, b) for a in (-2, -1, 0, 1, 2) for b in (-1, 0, 1)]
    train = np.concatenate([np.roll(framed[:200], move, (1, 2)) for move in moves])
    model = DecisionTreeClassifier(random_state=0, max_depth=12)
    model.fit(train.reshape(len(train), -1), np.tile(y[:200], len(moves)))
    return model, framed, y[:300]


def moved(x, shift, wrap):
    """An image shifted by a copy into a larger frame: no numpy.roll."""
    out = np.zeros_like(x)
    h, w = x.shape
    for i in range(h):
        for j in range(w):
            k, m = i - shift[0], j - shift[1]
            if wrap:
                out[i, j] = x[k % h, m % w]
            elif 0 <= k < h and 0 <= m < w:
                out[i, j] = x[k, m]
    return out


@pytest.mark.parametrize("wrap", [True, False])
def test_every_shift_within_the_radius_keeps_the_answer_and_one_beyond_does_not(
    shifted_digits, wrap
):
    model, images, _ = shifted_digits
    rows = images[:8]
    certificate = certify_translation(
        model, rows.reshape(8, -1), image_shape=(13, 12), padding="wrap" if wrap else "zeros"
    )
    assert certificate.alpha is None
    assert certificate.radius.max() >= 1
    shifts = [(a, b) for a in range(-5, 6) for b in range(-5, 6)]
    norms = np.array([np.hypot(*shift) for shift in shifts])
    for i, x in enumerate(rows):
        answers = model.predict([moved(x, shift, wrap).ravel() for shift in shifts])
        same = answers == certificate.prediction[i]
        assert same[norms <= certificate.radius[i]].all()
        changes = norms[~same].min()
        assert certificate.radius[i] < changes
        between = (norms > certificate.radius[i]) & (norms < changes)
        assert not between.any()  # the radius is the largest


@pytest.mark.parametrize("wrap", [True, False])
def test_the_average_over_shifts_is_certified_by_its_exact_probabilities(shifted_digits, wrap):
    model, images, _ = shifted_digits
    rows, sigma = images[:6], 0.6
    reach = 6 if wrap else 3  # of four deviations: rounded up
    certificate = certify_translation(
        model,
        rows.reshape(6, -1),
        image_shape=(13, 12),
        padding="wrap" if wrap else "zeros",
        sigma=sigma,
    )
    assert certificate.radius.max() >= 1
    steps = np.arange(-reach, reach + 1)
    if wrap:  # once around: 13 rows and 12 columns
        weights = [
            np.exp(-(np.arange(-6, 7) ** 2) / (2 * sigma**2)),
            np.exp(-(np.arange(-5, 7) ** 2) / (2 * sigma**2)),
        ]
        ranges = [np.arange(-6, 7), np.arange(-5, 7)]
    else:
        ranges, weights = [steps, steps], [np.exp(-(steps**2) / (2 * sigma**2))] * 2
    law = np.outer(*weights)
    law /= law.sum()
    for i, x in enumerate(rows):
        for attack in ((0, 0), (1, 0), (0, -1), (-1, 1)):
            if np.hypot(*attack) > certificate.radius[i]:
                continue
            z = moved(x, attack, wrap)
            answers = model.predict(
                [moved(z, (a, b), wrap).ravel() for a in ranges[0] for b in ranges[1]]
            ).reshape(law.shape)
            shares = [law[answers == c].sum() for c in model.classes_]
            assert model.classes_[np.argmax(shares)] == certificate.prediction[i]
            if attack == (0, 0):
                np.testing.assert_allclose(max(shares), certificate.p_lower[i], atol=1e-12)
                np.testing.assert_allclose(np.sort(shares)[-2], certificate.p_upper[i], atol=1e-12)


def test_zeros_with_an_average_end_where_content_leaves():
    class Constant(ClassifierMixin, BaseEstimator):
        classes_ = np.array([0, 1])

        def predict(self, X):
            return np.zeros(len(X), int)

    full = np.ones((1, 5, 5))
    for x, expected in ((full, 0.0), (np.pad(full, ((0, 0), (2, 3), (2, 2))), np.sqrt(8))):
        certificate = certify_translation(Constant(), x, padding="zeros", sigma=1.0)
        assert certificate.radius[0] == pytest.approx(expected)
    everywhere = certify_translation(Constant(), full, padding="zeros")
    assert everywhere.radius[0] == pytest.approx(np.hypot(5, 5))
    assert certify_translation(Constant(), full, max_shift=1).radius[0] == pytest.approx(np.sqrt(2))
    assert certify_translation(Constant(), full, max_shift=2).radius[0] == pytest.approx(np.sqrt(8))


def test_series_frames_channels_workers_and_files(shifted_digits, tmp_path):
    model, images, y = shifted_digits
    flat = images[:5].reshape(5, -1)
    plain = certify_translation(model, flat, image_shape=(13, 12))
    frame = pd.DataFrame(flat, index=list("abcde"))
    named = certify_translation(
        DecisionTreeClassifier(random_state=0).fit(frame, y[:5]), frame, image_shape=(13, 12)
    )
    assert list(named.to_frame().index) == list("abcde")
    for options in ({"n_jobs": 2}, {"batch_size": 7}):
        assert certify_translation(model, flat, image_shape=(13, 12), **options) == plain
    assert plain[:2] == certify_translation(model, flat[:2], image_shape=(13, 12))
    columns = certify_translation(model, flat, image_shape=(13, 12), axes=(1,))
    assert (columns.radius >= np.floor(plain.radius)).all()
    series = certify_translation(model, flat, max_shift=2)  # rows as series of 156
    assert series.radius.max() <= 2
    plain.save(tmp_path / "c.json")
    assert ClassificationCertificate.load(tmp_path / "c.json") == plain
    assert 0 <= certified_accuracy_score(y[:5], plain, radius=1.0) <= 1
    assert "exact" in repr(plain)
    assert "comes in on the other" in plain.to_frame()["attack"].iloc[0]
    with pytest.raises(ValueError, match="no ball of inputs"):
        plain.raw_radius(2)
    averaged = certify_translation(model, flat[:1], image_shape=(13, 12), sigma=0.5)
    assert "averaged over whole shifts, sigma=0.5" in repr(averaged)
    assert averaged.to_frame()["shift_sigma"].iloc[0] == 0.5


def test_what_cannot_work_is_refused(shifted_digits):
    model, images, _ = shifted_digits
    flat = images[:2].reshape(2, -1)
    with pytest.raises(ValueError, match="padding must be one of wrap, zeros"):
        certify_translation(model, flat, padding="black")
    for sigma in (0, -1.0, np.inf, True, "wide"):
        with pytest.raises(ValueError, match="sigma must be None or a positive"):
            certify_translation(model, flat, sigma=sigma)
    with pytest.raises(ValueError, match="max_shift must be at least 1"):
        certify_translation(model, flat, max_shift=0)
    with pytest.raises(ValueError, match="does not fit rows"):
        certify_translation(model, flat, image_shape=(13, 13))
    with pytest.raises(ValueError, match="not fitted"):
        certify_translation(LogisticRegression(), flat)

    class Nameless(BaseEstimator):
        def fit(self, X, y):
            return self

        def predict(self, X):
            return np.zeros(len(X), int)

        def __sklearn_is_fitted__(self):
            return True

    with pytest.raises(ValueError, match="has no classes_"):
        certify_translation(Nameless(), flat)


class OfTheCall:
    """A model that is no estimator of scikit-learn, and whose labels depend on the other rows."""

    classes_ = np.array([0, 1])

    def predict(self, X):
        first = np.asarray(X).reshape(len(X), -1)[:, :3].sum(axis=1)
        return (first > first.mean()).astype(int)


class ByChance(OfTheCall):
    def predict(self, X):
        return np.random.default_rng().integers(0, 2, len(X))


class OfTheRow(OfTheCall):
    def predict(self, X):
        return (np.asarray(X).reshape(len(X), -1)[:, :3].sum(axis=1) > 1.5).astype(int)


@pytest.mark.parametrize("kind", [OfTheCall, ByChance])
@pytest.mark.parametrize("m", [1, 30])
def test_models_that_are_no_functions_of_one_row_are_refused(kind, m):
    X = np.random.default_rng(0).random((m, 5, 7))
    with pytest.raises(ValueError, match="A certificate is about a function of one row"):
        certify_translation(kind(), X)
    assert len(certify_translation(OfTheRow(), X)) == m
