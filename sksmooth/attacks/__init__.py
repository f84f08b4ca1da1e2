"""Attacks: they look for inputs within a radius that change an answer.

What an attack finds bounds the robust accuracy from above, as certificates do from below. Those on
nets need torch, which is imported where they are asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sksmooth._optional import import_extra
from sksmooth.attacks._arrays import project, projected_gradient, towards_points

__all__ = ["attack_smoothed", "project", "projected_gradient", "towards_points"]


def __getattr__(name: str) -> Any:
    if name != "attack_smoothed":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_extra("torch", extra="torch", user=f"sksmooth.attacks.{name}")
    return import_module("sksmooth.attacks._smoothed_nets").attack_smoothed
