"""Certified robustness for any fitted model, as scikit-learn estimators."""

from sksmooth.certificates import (
    ClassificationCertificate,
    MultiOutputCertificate,
    PatchCertificate,
    PathCertificate,
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
    certify_path,
    certify_translation,
)
from sksmooth.metrics import (
    average_certified_radius,
    certified_accuracy_curve,
    certified_accuracy_interval,
    certified_accuracy_score,
    certified_range_curve,
    make_certified_bound_scorer,
    make_certified_scorer,
)
from sksmooth.reports._versions import show_versions

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
    "PathCertificate",
    "RegressionCertificate",
    "RobustConformalClassifier",
    "RobustConformalRegressor",
    "SmoothedClassifier",
    "average_certified_radius",
    "certified_accuracy_curve",
    "certified_accuracy_interval",
    "certified_accuracy_score",
    "certified_range_curve",
    "certify",
    "certify_path",
    "certify_translation",
    "make_certified_bound_scorer",
    "make_certified_scorer",
    "show_versions",
]
__version__ = "0.1.0.dev0"
