"""Attacks that look for inputs within a radius that change an answer.

Those on nets need torch, which is imported only where they are asked for.
"""

from __future__ import annotations

from typing import Any

from sksmooth._optional import import_extra

_OF_NETS = {"attack_smoothed": "sksmooth.attacks._smoothed_nets"}

__all__ = ["attack_smoothed"]


def __getattr__(name: str) -> Any:
    if name not in _OF_NETS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_extra("torch", extra="torch", user=f"sksmooth.attacks.{name}")
    return getattr(import_extra(_OF_NETS[name], extra="torch", user=name), name)
