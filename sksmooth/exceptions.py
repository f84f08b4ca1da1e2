"""Errors and warnings of their own kind.

::

    RuntimeError
     └── StoreError               the results of a run cannot be written or read
    ValueError
     ├── OtherRunError            a store holds a run with another model, data or parameter
     └── UnreachableRadiusError   no vote, however clear, can prove the radius asked for
    UserWarning
     ├── NoiseCollapseWarning     the smoothed model is useless, or far worse than its base
     └── UninformativeSetsWarning prediction sets or intervals hold everything
"""

__all__ = [
    "NoiseCollapseWarning",
    "OtherRunError",
    "StoreError",
    "UninformativeSetsWarning",
    "UnreachableRadiusError",
]


class StoreError(RuntimeError):
    """The results of a run cannot be written or read; what was written before is whole."""


class OtherRunError(ValueError):
    """A store holds a run with another model, other data or other parameters."""


class UnreachableRadiusError(ValueError):
    """The radius asked for is beyond what a unanimous vote of these draws can prove."""


class NoiseCollapseWarning(UserWarning):
    """The smoothed classifier is no better than chance, or far worse than its base model."""


class UninformativeSetsWarning(UserWarning):
    """Prediction sets or intervals hold everything: there are too few rows to calibrate them."""
