"""Randomness in training: a state of its own for code that draws from what torch holds for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import torch

# Torch has one default generator for each device, common to all threads. Layers such as dropout,
# and the initialization of weights, draw from it and from nothing else, so those who want their
# draws to be their own take turns.
_TURN = RLock()


class OwnRandomness:
    """A state of torch's default generators that nobody else moves.

    Threads whose code runs in `used` of any such object take turns. Draws that other code takes
    meanwhile, in a thread that knows nothing of this, are taken from the same generators.

    Parameters
    ----------
    seed : int
        What the draws depend on.
    device : str or torch.device or None
        Whose generator is meant, besides that of the processor.
    """

    def __init__(self, seed: int, device: Any) -> None:
        wanted = torch.device("cpu" if device is None else device)
        self._devices = [str(wanted)] if wanted.type == "cuda" else []
        self._states = [
            torch.Generator(name).manual_seed(seed % 2**63).get_state()
            for name in ("cpu", *self._devices)
        ]

    @contextmanager
    def used(self) -> Iterator[None]:
        """Let code draw from this state; torch's own is left as it was."""
        with _TURN, torch.random.fork_rng([torch.device(name) for name in self._devices]):
            torch.set_rng_state(self._states[0])
            for name, state in zip(self._devices, self._states[1:], strict=True):
                torch.cuda.set_rng_state(state, name)
            try:
                yield
            finally:
                here = [torch.cuda.get_rng_state(name) for name in self._devices]
                self._states = [torch.get_rng_state(), *here]

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same with this state."""

        def with_own(*args: Any, **kwargs: Any) -> Any:
            with self.used():
                return function(*args, **kwargs)

        return with_own

    def each(self, iterable: Iterable[Any]) -> Iterator[Any]:
        """Yield what an iterable yields, each entry made with this state."""
        following = self.around(iter)(iterable)
        step = self.around(next)
        end = object()
        while (entry := step(following, end)) is not end:
            yield entry
