"""scikit-learn's own checks, whole."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from sksmooth import (
    AblatedClassifier,
    CenterSmoothedRegressor,
    DSSNClassifier,
    LocallyBiasedSmoother,
    MedianSmoothedRegressor,
    MultiOutputSmoothedClassifier,
    RobustConformalClassifier,
    RobustConformalRegressor,
    SmoothedClassifier,
)
from sksmooth.noise import Contrast, GaussianNoise
from sksmooth.training import Denoiser

NOISE_BY_POSITION = (
    "a row of weight 2 is trained on with the noise of one row, a repeated row with that of two"
)


def expected_to_fail(estimator):
    """Checks that training on noise cannot pass, as for any estimator that draws at random."""
    if getattr(estimator, "n_augment", 0) == 0:
        return {}
    return {"check_sample_weight_equivalence_on_dense_data": NOISE_BY_POSITION}


@parametrize_with_checks(
    [
        SmoothedClassifier(),
        SmoothedClassifier(LogisticRegression(), n_augment=0),
        SmoothedClassifier(DecisionTreeClassifier(), noise=GaussianNoise(0.1)),
        SmoothedClassifier(noise=Contrast(0.1)),
        CenterSmoothedRegressor(n_center=200),
        MedianSmoothedRegressor(n_prediction=200),
        CenterSmoothedRegressor(DecisionTreeRegressor(), n_center=200, n_augment=0),
        DSSNClassifier(sigma=0.1, n_steps=64, feature_range="auto", off_grid="round"),
        SmoothedClassifier(DecisionTreeClassifier(), noise="laplace", structure="off"),
        LocallyBiasedSmoother(),
        LocallyBiasedSmoother(OneVsRestClassifier(SVC()), alpha=0.5, norm=np.inf),
        LocallyBiasedSmoother(alpha=np.inf, neighbor_certificate="exact"),
        Denoiser(random_state=0),
        AblatedClassifier(n_augment=0),
        MultiOutputSmoothedClassifier(DecisionTreeClassifier(), n_selection=20),
        AblatedClassifier(DecisionTreeClassifier(), random_state=0),
        RobustConformalClassifier(n_draws=5, n_augment=0),
        RobustConformalRegressor(n_draws=5),
    ],
    expected_failed_checks=expected_to_fail,
)
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_sklearn_checks(estimator, check):
    check(estimator)
