"""Training that makes certificates large: robust nets, and denoisers.

Nets need torch and skorch, which are imported only where a net is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sksmooth._optional import import_extra
from sksmooth.training._denoiser import Denoiser

__all__ = ["Denoiser", "RobustNetClassifier"]


def __getattr__(name: str) -> Any:
    if name != "RobustNetClassifier":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    for package in ("torch", "skorch"):
        import_extra(package, extra="torch", user=f"sksmooth.training.{name}")
    return import_module("sksmooth.training._net").RobustNetClassifier
