"""Layers of nets, read without importing what they are made of."""

from __future__ import annotations

from typing import Any


def is_plain(layer: Any) -> bool:
    """Whether calling a layer of torch does what its class does, and nothing else."""
    return not (layer._forward_hooks or layer._forward_pre_hooks or "forward" in vars(layer))
