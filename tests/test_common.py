"""scikit-learn's own checks, whole."""

from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from sksmooth import SmoothedClassifier
from sksmooth.noise import GaussianNoise


@parametrize_with_checks(
    [
        SmoothedClassifier(),
        SmoothedClassifier(LogisticRegression(), n_augment=0),
        SmoothedClassifier(DecisionTreeClassifier(), noise=GaussianNoise(0.1)),
        SmoothedClassifier(DecisionTreeClassifier(), noise="laplace"),
    ]
)
def test_sklearn_checks(estimator, check):
    check(estimator)
