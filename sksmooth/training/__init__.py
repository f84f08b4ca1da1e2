"""Training that makes certificates large: robust nets, denoisers, and an attack to compare with.

Nets need torch and skorch, which are imported only where a net is asked for.
"""

from __future__ import annotations

from typing import Any

from sksmooth._optional import import_extra
from sksmooth.training._denoiser import Denoiser

_OF_NETS = {
    "RobustNetClassifier": "sksmooth.training._net",
}

__all__ = ["Denoiser", "RobustNetClassifier"]


def __getattr__(name: str) -> Any:
    if name not in _OF_NETS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_extra("skorch", extra="torch", user=f"sksmooth.training.{name}")
    return getattr(import_extra(_OF_NETS[name], extra="torch", user=name), name)
