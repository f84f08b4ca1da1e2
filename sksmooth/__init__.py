"""Certified robustness for any fitted model, as scikit-learn estimators."""

from sksmooth.certificates import ClassificationCertificate
from sksmooth.estimators import DSSNClassifier, LocallyBiasedSmoother, SmoothedClassifier
from sksmooth.metrics import (
    average_certified_radius,
    certified_accuracy_curve,
    certified_accuracy_score,
    make_certified_scorer,
)

__all__ = [
    "ClassificationCertificate",
    "DSSNClassifier",
    "LocallyBiasedSmoother",
    "SmoothedClassifier",
    "average_certified_radius",
    "certified_accuracy_curve",
    "certified_accuracy_score",
    "make_certified_scorer",
]
__version__ = "0.1.0.dev0"
