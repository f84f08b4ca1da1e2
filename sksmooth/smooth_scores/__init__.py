"""Smooth scores: decision functions with gradients, and how fast these change."""

from sksmooth.smooth_scores import (  # noqa: F401  (families register themselves)
    _gaussian_process,
    _modules,
    _networks,
    _one_vs_rest,
    _pipeline,
    _quadratic,
    _refusals,
    _svm,
)
from sksmooth.smooth_scores._base import LocalLipschitzBound, SmoothScore
from sksmooth.smooth_scores._registry import smooth_score

__all__ = ["LocalLipschitzBound", "SmoothScore", "smooth_score"]
