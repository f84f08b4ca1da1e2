"""Models without a smooth score are refused with a reason and a remedy; anyone can add one."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import RBF, DotProduct, Matern
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from smooth_models import BLOBS, MOONS

from sksmooth.smooth_scores import smooth_score
from sksmooth.smooth_scores._linear import LinearScore
from sksmooth.smooth_scores._user import CallableScore, GivenLipschitz, refuse_contradiction

REFUSED = [
    (DecisionTreeClassifier(), MOONS, r"constant in pieces.*SmoothedClassifier"),
    (RandomForestClassifier(5), MOONS, r"constant in pieces.*SmoothedClassifier"),
    (HistGradientBoostingClassifier(max_iter=3), MOONS, r"constant in pieces"),
    (KNeighborsClassifier(), MOONS, r"alpha=numpy.inf"),
    (VotingClassifier([("a", LogisticRegression())]), MOONS, r"several models"),
    (CalibratedClassifierCV(LogisticRegression()), MOONS, r"classifier inside"),
    (SVC(), BLOBS, r"OneVsRestClassifier\(SVC\(\.\.\.\)\)"),
    (SVC(kernel=lambda a, b: a @ b.T), MOONS, r"gradient= and gradient_lipschitz="),
    (MLPClassifier((3,), max_iter=3000, activation="relu"), MOONS, r"activation='tanh'"),
    (GaussianProcessClassifier(Matern(nu=0.5), optimizer=None), MOONS, r"nu=1\.5"),
    (GaussianProcessClassifier(DotProduct(), optimizer=None), MOONS, r"Use RBF or"),
    (
        GaussianProcessClassifier(RBF(), optimizer=None, multi_class="one_vs_one"),
        BLOBS,
        r"one_vs_rest",
    ),
    (
        make_pipeline(PolynomialFeatures(), StandardScaler(), LogisticRegression()),
        MOONS,
        r"'polynomialfeatures'.*not known to be affine",
    ),
    (OneVsRestClassifier(DecisionTreeClassifier()), BLOBS, r"constant in pieces"),
]


@pytest.mark.parametrize(("model", "data", "message"), REFUSED, ids=lambda v: type(v).__name__)
def test_what_is_not_smooth_is_refused(model, data, message):
    if isinstance(model, MLPClassifier):
        model.set_params(solver="lbfgs", alpha=1.0)
    model.fit(*data)
    with pytest.raises(ValueError, match=message):
        smooth_score(model)


class Mine(ClassifierMixin, BaseEstimator):
    """A classifier that this library does not know."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self


def test_an_unknown_model_is_refused_until_it_is_registered():
    with pytest.raises(ValueError, match=r"Mine is not among.*register it"):
        smooth_score(Mine().fit(*MOONS))

    @smooth_score.register
    def _(model: Mine):
        return LinearScore(np.ones((1, 2)), np.zeros(1))

    assert smooth_score(Mine().fit(*MOONS)).lipschitz(np.ones(1), 2) == 0


def user_score(constant, gradient_error=0.0):
    """Scores sin(x_0) + x_1 whose gradient has constant 1."""

    def gradient(X):
        return np.column_stack([np.cos(X[:, 0]), np.ones(len(X)) + gradient_error])

    score = CallableScore(lambda X: np.sin(X[:, 0]) + X[:, 1], gradient, (2,))
    return GivenLipschitz(score, constant)


@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_a_true_constant_is_accepted_and_a_false_one_shows_two_points(norm):
    X = np.random.default_rng(0).normal(size=(300, 2)) * 3
    refuse_contradiction(user_score(1.0), X, norm, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"contradicted by two points: between \["):
        refuse_contradiction(user_score(0.7), X, norm, np.random.default_rng(0))
    with pytest.raises(ValueError, match="contradicted by the scores"):
        refuse_contradiction(user_score(1.0, 0.5), X, norm, np.random.default_rng(0))


def test_a_gradient_of_the_wrong_shape_is_refused():
    score = CallableScore(lambda X: X[:, 0], lambda X: X[:, 0], (2,))
    with pytest.raises(ValueError, match="one gradient per row and score"):
        score.gradient(np.zeros((3, 2)))
