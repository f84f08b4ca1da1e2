"""MedianSmoothedRegressor: coverage, and its conduct."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge

from sksmooth import CenterSmoothedRegressor, MedianSmoothedRegressor
from sksmooth.distances import farthest_box
from sksmooth.exceptions import UnreachableRadiusError

NOTHING = np.zeros((2, 1))


class Function(RegressorMixin, BaseEstimator):
    """A function as a fitted model."""

    def __init__(self, function):
        self.function = function

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return self.function(np.asarray(X))


def identity(X):
    return X[:, 0]


def wrap(function, **options):
    options = {"sigma": 1.0, "random_state": 0, **options}
    return MedianSmoothedRegressor(FrozenEstimator(Function(function)), **options).fit(NOTHING)


def test_golden_width_for_the_identity():
    """With alpha = 0.01 and 10,000 draws: 1.04 for the population, 1.08 for the estimate."""
    smoother = wrap(identity, alpha=0.01)
    for of, half in (("population", 1.040), ("prediction", 1.079)):
        certificate = smoother.certify([[0.0]], radius=1.0, of=of)
        width = (certificate.upper - certificate.lower)[0] / 2
        assert width == pytest.approx(half, abs=0.03)


def test_what_predict_returns_lies_between_the_bounds():
    X, y = load_diabetes(return_X_y=True)
    smoother = MedianSmoothedRegressor(Ridge(0.01), sigma=0.05, n_augment=1, random_state=0)
    smoother.fit(X, y)
    certificate = smoother.certify(X[:20], radius=0.03)
    direction = smoother.estimator_.coef_ / np.linalg.norm(smoother.estimator_.coef_)
    for sign in (-1, 0, 1):
        moved = smoother.predict(X[:20] + sign * 0.03 * direction)
        assert (certificate.lower <= moved).all()
        assert (moved <= certificate.upper).all()
    np.testing.assert_array_equal(certificate.prediction, smoother.predict(X[:20]))
    columns = list(certificate.to_frame().columns)
    assert columns[:4] == ["prediction", "lower", "upper", "input_radius"]
    assert not certificate.abstained.any()


def test_vectors_pay_for_their_coordinates():
    one = wrap(identity).certify([[0.0]], radius=0.5)
    two = wrap(lambda X: np.c_[X, X]).certify([[0.0]], radius=0.5)
    assert two.lower.shape == (1, 2)
    assert (two.lower < one.lower).all()
    assert (two.upper > one.upper).all()


def test_boxes_through_their_coordinates():
    smoother = wrap(lambda X: np.c_[X, X, X + 9, X + 9], sigma=0.1)
    certificate = smoother.certify([[0.0]], radius=0.05)
    bound = farthest_box(certificate.prediction, certificate.lower, certificate.upper)
    moved = smoother.predict([[0.05]])
    assert 0 < bound[0] < 0.1
    assert farthest_box(certificate.prediction, moved, moved)[0] <= bound[0]


def test_missing_outputs_widen_the_bounds():
    smoother = wrap(lambda X: np.where(X[:, 0] > 1, np.nan, X[:, 0]))
    plain = wrap(identity)
    bad, good = (s.certify([[0.0]], radius=0.2) for s in (smoother, plain))
    assert bad.lower[0] < good.lower[0]
    assert bad.upper[0] == good.upper[0]
    assert smoother.predict([[9.0]])[0] == np.inf


def test_the_largest_radius():
    smoother = wrap(identity, n_estimation=500, n_prediction=500)
    largest = smoother.max_radius()
    assert not smoother.certify([[0.0]], radius=largest * 0.999).abstained.any()
    with pytest.raises(UnreachableRadiusError, match=f"the largest radius is {largest:.6g}"):
        smoother.certify([[0.0]], radius=largest * 1.001)


@pytest.mark.parametrize(
    ("options", "message"), [({"of": "sample"}, "of must be"), ({"radius": -1}, "positive")]
)
def test_bad_calls(options, message):
    with pytest.raises(ValueError, match=message):
        wrap(identity).certify(NOTHING, **{"radius": 0.1, **options})


@pytest.mark.parametrize("changed", [{"quantile": 0.9}, {"n_prediction": 11}, {"sigma": 0.1}])
def test_what_belongs_to_fit_cannot_be_changed_after_it(changed):
    """A certificate bounds what predict returned for the parameters that it was made with."""
    smoother = wrap(identity)
    certificate = smoother.certify([[0.0]], radius=0.1)
    smoother.set_params(**changed)
    for ask in (
        lambda: smoother.predict([[0.1]]),
        lambda: smoother.certify([[0.0]], radius=0.1),
        lambda: smoother.max_radius(),
    ):
        with pytest.raises(ValueError, match=f"{next(iter(changed))} was .* Call fit again"):
            ask()
    again = smoother.set_params(quantile=0.5, n_prediction=10_000, sigma=1.0).predict([[0.1]])
    assert certificate.lower[0] <= again[0] <= certificate.upper[0]


def test_labels_are_refused():
    with pytest.raises(ValueError, match="discrete"):
        wrap(lambda X: np.full(len(X), "a"))


@pytest.mark.parametrize("kind", [CenterSmoothedRegressor, MedianSmoothedRegressor])
def test_questions_that_make_no_sense(kind):
    with pytest.raises(NotFittedError):
        kind().max_radius()
    X = np.random.default_rng(0).normal(size=(60, 2))
    smoother = kind(n_estimation=300).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="At least one radius"):
        smoother.certify_curve(X[:2], [])
    with pytest.raises(ValueError, match="At least one radius"):
        smoother.max_radius(n_radii=0)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint64])
def test_numbers_of_numpy_are_numbers_of_outputs(kind):
    X = np.random.default_rng(0).normal(size=(30, 2))

    def bounds(number):
        options = {"n_prediction": number(100), "n_estimation": number(120), "sigma": 0.5}
        smoother = MedianSmoothedRegressor(n_augment=number(2), random_state=0, **options)
        return smoother.fit(X, X[:, 0]).certify(X[:2], radius=0.05)

    assert bounds(kind) == bounds(int)
