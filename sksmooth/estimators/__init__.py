"""The estimators: models wrapped with fit, predict and certify."""

from sksmooth.estimators._smoothed_classifier import SmoothedClassifier

__all__ = ["SmoothedClassifier"]
