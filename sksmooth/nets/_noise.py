"""Noise where tensors live: drawn on their device, and added with gradients through it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from sksmooth.noise import GaussianNoise, LaplaceNoise, Noise, UniformNoise
from sksmooth.noise._base import is_added, rounded_up
from sksmooth.noise._lattice import Lattice


def draw_on(
    device: Any,
    noise: Noise,
    n_draws: int,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    seed: Any,
    lattice: Lattice | None = None,
) -> Any:
    """Draw noise on a device; families without a sampler there are drawn by numpy and moved.

    The device draws in double precision: single-precision samplers do not reach the tails of the
    law, which a certificate counts on.

    Parameters
    ----------
    device : torch.device
        Where the draws are made.
    noise : Noise
        Distribution.
    n_draws : int
        Number of independent draws.
    shape : tuple of int
        Shape of one draw.
    dtype : dtype
        float32 or float64.
    seed : numpy.random.SeedSequence
        What the draws depend on, beside the kind of the device.
    lattice : Lattice or None
        What draws are rounded to, in double precision; they are in its dtype then.

    Returns
    -------
    draws : torch.Tensor of shape (n_draws, ...)
    """
    draw = _SAMPLERS.get(type(noise))
    if draw is None or getattr(noise, "k", False) or device.type == "mps":  # which has no doubles
        rng = np.random.Generator(np.random.PCG64(seed))
        if lattice is None:
            return torch.from_numpy(noise.draw(n_draws, shape, rng, dtype)).to(device)
        exact = lattice.rounded_draws(noise.draw(n_draws, shape, rng, np.float64))
        return torch.from_numpy(exact).to(device)
    noise.check_parameters()
    generator = torch.Generator(device)
    generator.manual_seed(int(seed.generate_state(1, np.uint64)[0]) >> 1)
    empty = torch.empty((n_draws, *shape), dtype=torch.float64, device=device)
    wide = draw(empty, generator)
    if lattice is not None:
        wide = wide.mul_(_scale(noise)).clamp_(-lattice.reach, lattice.reach)
        wide = wide.div_(lattice.step).round_().mul_(lattice.step)
        return wide.to(torch_dtype(lattice.dtype))
    wide = wide.to(torch_dtype(dtype))
    return wide.mul_(float(rounded_up(_scale(noise), dtype)))


def draw_like(noise: Noise, X: Any, rng: np.random.Generator) -> Any:
    """Draw noise for every row of a tensor, on its device.

    Parameters
    ----------
    noise : Noise
        Distribution.
    X : torch.Tensor of shape (m, ...)
        Gives shape, dtype and device.
    rng : numpy.random.Generator
        Gives the seed.

    Returns
    -------
    draws : torch.Tensor of shape (m, ...)
        One independent draw per row.
    """
    dtype = np.dtype(str(X.dtype).removeprefix("torch."))
    seed = np.random.SeedSequence(int(rng.integers(2**63)))
    return draw_on(X.device, noise, len(X), tuple(X.shape[1:]), dtype, seed)


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
    if is_added(noise):
        return X + draws
    fixed = X.detach()
    noisy = torch.from_numpy(noise.apply(fixed.cpu().numpy(), draws.cpu().numpy())).to(X.device)
    return noisy + (X - fixed)


def _normal(empty: Any, generator: Any) -> Any:
    return empty.normal_(generator=generator)


def _laplace(empty: Any, generator: Any) -> Any:
    empty.exponential_(generator=generator)
    signs = torch.randint(
        0, 2, empty.shape, dtype=torch.int8, device=empty.device, generator=generator
    )
    return empty.mul_(2 * signs - 1)


def _uniform(empty: Any, generator: Any) -> Any:
    return empty.uniform_(-1.0, 1.0, generator=generator)


_SAMPLERS: dict[type, Callable[[Any, Any], Any]] = {
    GaussianNoise: _normal,
    LaplaceNoise: _laplace,
    UniformNoise: _uniform,
}


def _scale(noise: Any) -> float:
    """Return what the unit law is multiplied by."""
    factor = {LaplaceNoise: 1 / math.sqrt(2), UniformNoise: math.sqrt(3)}
    return float(noise.sigma) * factor.get(type(noise), 1.0)


def torch_dtype(dtype: np.dtype[Any]) -> Any:
    """Return the dtype of torch that is meant by one of numpy."""
    return torch.from_numpy(np.empty(0, dtype)).dtype
