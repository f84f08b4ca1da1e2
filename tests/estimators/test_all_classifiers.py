"""Every classifier of scikit-learn can be smoothed, or is named here with the reason why not."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators

from sksmooth import SmoothedClassifier

# What the constructors need.
ARGUMENTS = {
    "FixedThresholdClassifier": {"estimator": LogisticRegression()},
    "OneVsOneClassifier": {"estimator": LogisticRegression()},
    "OneVsRestClassifier": {"estimator": LogisticRegression()},
    "OutputCodeClassifier": {"estimator": LogisticRegression(), "random_state": 0},
    "SelfTrainingClassifier": {"estimator": GaussianNB()},
    "StackingClassifier": {
        "estimators": [("lda", LinearDiscriminantAnalysis()), ("tree", DecisionTreeClassifier())]
    },
    "TunedThresholdClassifierCV": {"estimator": LogisticRegression()},
    "VotingClassifier": {
        "estimators": [("lda", LinearDiscriminantAnalysis()), ("nb", GaussianNB())]
    },
    "NuSVC": {"nu": 0.1},
    "QuadraticDiscriminantAnalysis": {"reg_param": 0.1},
    "RadiusNeighborsClassifier": {"radius": 4.0, "outlier_label": "most_frequent"},
}
CANNOT = {
    "CategoricalNB": "takes category codes, which noise turns into values between them",
    "ClassifierChain": "has several outputs",
    "ComplementNB": "takes counts, which noise makes negative",
    "MultiOutputClassifier": "has several outputs",
    "MultinomialNB": "takes counts, which noise makes negative",
}
CLASSIFIERS = dict(all_estimators("classifier"))


@pytest.fixture(scope="module")
def problem():
    return make_blobs(n_samples=90, centers=2, n_features=3, cluster_std=0.7, random_state=3)


def fit(name, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.filterwarnings("ignore", "y contains no unlabeled samples")
        estimator = CLASSIFIERS[name](**ARGUMENTS.get(name, {}))
        return SmoothedClassifier(
            estimator, sigma=0.3, n_augment=1, n_estimation=100, random_state=0
        ).fit(X, y)


@pytest.mark.parametrize("name", sorted(set(CLASSIFIERS) - set(CANNOT)))
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_can_be_smoothed(name, problem):
    X, y = problem
    labels = np.array(["left", "right"], dtype=object)[y]
    clf = fit(name, X, labels)
    certificate = clf.certify(X[:10])
    if name != "DummyClassifier":
        assert (certificate.prediction == labels[:10]).mean() >= 0.9
        assert certificate.certified.mean() >= 0.7


@pytest.mark.parametrize("name", sorted(CANNOT))
def test_cannot_be_smoothed(name, problem):
    """Keeps the list honest: what starts to work has to be taken off it."""
    X, y = problem
    counts = np.abs(X).round()
    with pytest.raises((TypeError, ValueError, IndexError)):
        fit(name, counts, y)


def test_list_has_no_strangers():
    assert set(CANNOT) <= set(CLASSIFIERS)
    assert set(ARGUMENTS) <= set(CLASSIFIERS)
