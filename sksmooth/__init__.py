"""Certified robustness for any fitted model, as scikit-learn estimators."""

from sksmooth.certificates import (
    ClassificationCertificate,
    MultiOutputCertificate,
    PatchCertificate,
    RegressionCertificate,
)
from sksmooth.estimators import (
    AblatedClassifier,
    CenterSmoothedRegressor,
    DSSNClassifier,
    LocallyBiasedSmoother,
    MedianSmoothedRegressor,
    MultiOutputSmoothedClassifier,
    RobustConformalClassifier,
    RobustConformalRegressor,
    SmoothedClassifier,
    certify,
)
from sksmooth.metrics import (
    average_certified_radius,
    certified_accuracy_curve,
    certified_accuracy_score,
    make_certified_bound_scorer,
    make_certified_scorer,
)

__all__ = [
    "AblatedClassifier",
    "CenterSmoothedRegressor",
    "ClassificationCertificate",
    "DSSNClassifier",
    "LocallyBiasedSmoother",
    "MedianSmoothedRegressor",
    "MultiOutputCertificate",
    "MultiOutputSmoothedClassifier",
    "PatchCertificate",
    "RegressionCertificate",
    "RobustConformalClassifier",
    "RobustConformalRegressor",
    "SmoothedClassifier",
    "average_certified_radius",
    "certified_accuracy_curve",
    "certified_accuracy_score",
    "certify",
    "make_certified_bound_scorer",
    "make_certified_scorer",
]
__version__ = "0.1.0.dev0"
