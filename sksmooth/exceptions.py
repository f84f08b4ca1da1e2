"""Errors and warnings of their own kind.

::

    ValueError
     └── UnreachableRadiusError   no vote, however clear, can prove the radius asked for
    UserWarning
     ├── NoiseCollapseWarning     the smoothed model is useless, or far worse than its base
     └── UninformativeSetsWarning prediction sets or intervals hold everything
"""

__all__ = ["NoiseCollapseWarning", "UninformativeSetsWarning", "UnreachableRadiusError"]


class UnreachableRadiusError(ValueError):
    """The radius asked for is beyond what a unanimous vote of these draws can prove."""


class NoiseCollapseWarning(UserWarning):
    """The smoothed classifier is no better than chance, or far worse than its base model."""


class UninformativeSetsWarning(UserWarning):
    """Prediction sets or intervals hold everything: there are too few rows to calibrate them."""
