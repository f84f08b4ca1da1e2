"""Chance in torch: noise drawn where tensors live, with gradients through it, and seeds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state

from sksmooth.noise import GaussianNoise, Noise


def draw_like(noise: Noise, X: Any, rng: np.random.Generator) -> Any:
    """Draw noise for every row of a tensor, on its device.

    Parameters
    ----------
    noise : Noise
        Distribution.
    X : torch.Tensor of shape (m, ...)
        Gives shape, dtype and device.
    rng : numpy.random.Generator
        Source of randomness; Gaussian noise takes a seed from it for a generator of the device.

    Returns
    -------
    draws : torch.Tensor of shape (m, ...)
        One independent draw per row.
    """
    if type(noise) is GaussianNoise and not noise.k:
        generator = torch.Generator(X.device).manual_seed(int(rng.integers(2**63)))
        draws = torch.randn(X.shape, generator=generator, dtype=X.dtype, device=X.device)
        return draws * noise.sigma
    kind = np.dtype(str(X.dtype).removeprefix("torch."))
    return torch.from_numpy(noise.draw(len(X), tuple(X.shape[1:]), rng, kind)).to(X.device)


def perturb(noise: Noise, X: Any, draws: Any) -> Any:
    """Perturb each row of a tensor by a draw of its own.

    Gradients pass through noise that is added, and straight past noise that replaces values
    (Bengio, Leonard and Courville 2013), which has none of its own.

    Parameters
    ----------
    noise : Noise
        Distribution of the draws.
    X : torch.Tensor of shape (m, ...)
        Inputs.
    draws : torch.Tensor of shape (m, ...)
        Of `draw_like`.

    Returns
    -------
    noisy : torch.Tensor of shape (m, ...)
    """
    if type(noise).apply is Noise.apply:
        return X + draws
    fixed = X.detach()
    noisy = torch.from_numpy(noise.apply(fixed.cpu().numpy(), draws.cpu().numpy())).to(X.device)
    return noisy + (X - fixed)


@contextmanager
def torch_seeded(random_state: Any, device: Any) -> Iterator[None]:
    """Seed torch for a while, and leave its generators as they were.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        None: torch's generators decide, and move on.
    device : str or torch.device
        Whose generator is seeded, besides that of the processor.
    """
    if random_state is None:
        yield
        return
    seed = random_state
    if not isinstance(seed, (int, np.integer)):
        seed = check_random_state(seed).randint(np.iinfo(np.int32).max)
    device = torch.device(device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(seed))
        yield
