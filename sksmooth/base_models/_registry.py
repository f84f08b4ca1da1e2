"""What is known of the very class of a model."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Packages that need not be installed: what is known of their models is imported where one is met.
_ROOMS_OF_PACKAGES = {"skorch": ("sksmooth.nets._skorch", "sksmooth.nets._direct")}


def is_known(model: Any, registry: Any) -> bool:
    """Whether the very class of a model is registered, and its methods are those of the class."""
    for room in _ROOMS_OF_PACKAGES.get(type(model).__module__.partition(".")[0], ()):
        import_module(room)
    if type(model) not in registry.registry:
        return False
    return not any(callable(getattr(type(model), name, None)) for name in vars(model))
