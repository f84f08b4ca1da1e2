"""One binary classifier per class: ties go where predict lets them go."""

import numpy as np
import pytest
from case_names import name_of_case
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from voter_cases import votes_on_the_same_noise

from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise
from sksmooth.voters import voter_of
from sksmooth.voters._one_vs_rest import LastOfEquals

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


@pytest.mark.parametrize(
    "model",
    [
        OneVsRestClassifier(SVC(gamma=10.0)),
        make_pipeline(StandardScaler(), OneVsRestClassifier(SVC(gamma=10.0))),
    ],
    ids=name_of_case,
)
def test_ties_that_only_rounding_makes_are_for_nobody(model):
    """Far from the data kernels underflow, and the model takes for equal what is not."""
    X, y = np.random.default_rng(0).normal(size=(90, 20)), np.repeat([0, 1, 2], 30)
    ours, _ = votes_on_the_same_noise(model.fit(X, y), X[:5], np.arange(3), sigma=30.0)
    assert_array_equal(ours, 0)


def test_ties_go_where_predict_lets_them_go():
    X, y = np.random.default_rng(0).normal(size=(90, 20)), np.repeat([0, 1, 2], 30)
    model = OneVsRestClassifier(LogisticRegression(C=1e-12)).fit(X, y)
    for part in model.estimators_:
        part.coef_, part.intercept_ = part.coef_ * 0, part.intercept_ * 0
    ours, theirs = votes_on_the_same_noise(model, X[:5], np.arange(3), sigma=30.0)
    assert_array_equal(ours, theirs)


def test_last_of_equals(digits):
    """Votes with the classes in the opposite order differ in ties only."""
    X, y = digits
    for estimator in (SVC(), SVC(kernel="poly"), LogisticRegression()):
        voter = voter_of(OneVsRestClassifier(estimator).fit(X[:300], y[:300]))
        voter = getattr(voter, "voter", voter)  # of scikit-learn 1.6
        rows = read_inputs(X[300:320], owner=None)
        draws = GaussianNoise(0.3).draw(60, rows.shape, np.random.default_rng(0), rows.dtype)
        other = LastOfEquals(voter)
        expected = voter.count_votes(voter.embed(rows), None, voter.embed_noise(draws))
        assert_array_equal(
            other.count_votes(other.embed(rows), None, other.embed_noise(draws)), expected
        )
        assert other.n_classes == 10
