"""Errors and warnings of their own kind.

::

    ValueError
     └── UnreachableRadiusError   no vote, however clear, can prove the radius asked for
    UserWarning
     └── NoiseCollapseWarning     the base model fails on noisy inputs
"""

__all__ = ["NoiseCollapseWarning", "UnreachableRadiusError"]


class UnreachableRadiusError(ValueError):
    """The radius asked for is beyond what a unanimous vote of these draws can prove."""


class NoiseCollapseWarning(UserWarning):
    """The base model is right on clean inputs and wrong on noisy ones."""
