"""Who gets which part of alpha."""

from __future__ import annotations


def alpha_of_one_bound(
    alpha: float, n_simultaneous: int, bilateral: bool, top_k: int, n_classes: int
) -> float:
    """Error probability of one confidence bound, where several of several rows share alpha."""
    n_bounds = n_classes if top_k > 1 else 2 if bilateral else 1
    return alpha / n_simultaneous / n_bounds
