"""The estimators: models wrapped with fit, predict and certify."""

from sksmooth.estimators._ablated_classifier import AblatedClassifier
from sksmooth.estimators._center_smoothed_regressor import CenterSmoothedRegressor
from sksmooth.estimators._certify import certify
from sksmooth.estimators._certify_translation import certify_translation
from sksmooth.estimators._dssn_classifier import DSSNClassifier
from sksmooth.estimators._locally_biased_smoother import LocallyBiasedSmoother
from sksmooth.estimators._median_smoothed_regressor import MedianSmoothedRegressor
from sksmooth.estimators._multi_output_smoothed_classifier import MultiOutputSmoothedClassifier
from sksmooth.estimators._path import certify_path
from sksmooth.estimators._robust_conformal_classifier import RobustConformalClassifier
from sksmooth.estimators._robust_conformal_regressor import RobustConformalRegressor
from sksmooth.estimators._smoothed_classifier import SmoothedClassifier

__all__ = [
    "AblatedClassifier",
    "CenterSmoothedRegressor",
    "DSSNClassifier",
    "LocallyBiasedSmoother",
    "MedianSmoothedRegressor",
    "MultiOutputSmoothedClassifier",
    "RobustConformalClassifier",
    "RobustConformalRegressor",
    "SmoothedClassifier",
    "certify",
    "certify_path",
    "certify_translation",
]
