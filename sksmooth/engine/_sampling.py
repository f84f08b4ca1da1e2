"""Seeds to noise to noisy inputs to the base model to outputs, which are not counted.

Draw number i of a stream depends on the seed, the purpose and i alone (and on the content of the
input, where its stream is its own). So the outputs for an input depend neither on the other inputs
nor on how the work is cut into calls and spread over workers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.engine._batch_size import default_batch_size
from sksmooth.engine._black_box import Responder, noisy_copies
from sksmooth.engine._parallel import Workers, naming, progress_bar
from sksmooth.engine._streams import DrawStream, Purpose, Streams
from sksmooth.inputs._containers import Inputs

# Numbers of the outputs of one call, in float64: 16 MB.
_VALUES_PER_CALL = 2**21


@dataclass(frozen=True)
class NoisyOutputs:
    """The outputs of the base model for noisy copies of one input; it is asked when they are taken.

    Attributes
    ----------
    responder : Responder
        Base model.
    input : Inputs of length 1
        What is perturbed.
    number : int
        Its row in X, for messages.
    stream : DrawStream
        Source of the noise.
    batch_size : int or None
        Largest number of noisy copies per call; None: a default.
    """

    responder: Responder
    input: Inputs
    number: int
    stream: DrawStream
    batch_size: int | None = None

    def take(self, n_draws: int, *, first_draw: int = 0) -> NDArray[Any]:
        """Return the outputs for some draws, as an array of shape (n_draws, ...)."""
        return gathered(self.batches(n_draws, first_draw=first_draw), n_draws)

    def batches(
        self, n_draws: int, *, first_draw: int = 0, unit: int = 1
    ) -> Iterator[NDArray[Any]]:
        """Yield the outputs for some draws in batches, each of a multiple of `unit` draws."""
        per_call = self.batch_size or _batch_size(self.input, self.responder)
        step = max(1, per_call // unit) * unit
        end = first_draw + n_draws
        for start in range(first_draw, end, step):
            stop = min(start + step, end)
            calls = [
                self._call(first, min(first + per_call, stop))
                for first in range(start, stop, per_call)
            ]
            yield calls[0] if len(calls) == 1 else np.concatenate(calls)

    def _call(self, start: int, stop: int) -> NDArray[Any]:
        draws = self.stream.take(start, stop)
        noisy = noisy_copies(self.input, self.stream.noise, draws)
        with naming(f"noisy copies of row {self.number} of X (draws {start} to {stop - 1})"):
            return self.responder(self.input.to_container(noisy), len(noisy))


@dataclass(frozen=True)
class OutputSampler:
    """Samples outputs of the base model for noisy copies of inputs, one input after the other.

    Attributes
    ----------
    responder : Responder
        Base model.
    inputs : Inputs of length m
        What is perturbed.
    streams : Streams
        Noise and seed.
    batch_size : int or None
        Largest number of noisy inputs per call; None: a default.
    n_jobs : int or None
        Number of workers, as in joblib; threads unless `joblib.parallel_config` says otherwise.
    verbose : int or bool
        Whether progress is shown.
    """

    responder: Responder
    inputs: Inputs
    streams: Streams
    batch_size: int | None = None
    n_jobs: int | None = None
    verbose: Any = False

    def clean(self) -> NDArray[Any]:
        """Return the outputs for the inputs themselves, without noise."""
        m, step = len(self.inputs), _batch_size(self.inputs, self.responder)
        return gathered((self._clean(i, min(i + step, m)) for i in range(0, m, step)), m)

    def _clean(self, start: int, stop: int) -> NDArray[Any]:
        some = self.inputs[start:stop]
        with naming(f"rows {start} to {stop - 1} of X, without noise"):
            return self.responder(some.to_container(some.values.astype(some.dtype)), len(some))

    def answer(self, work: Callable[[NoisyOutputs], Any]) -> list[Any]:
        """Do some work on the outputs that make the answer for each input.

        Their noise is keyed by the content of the input, so that answers for different inputs
        share nothing and those for equal inputs are equal.

        Parameters
        ----------
        work : callable
            Called with the :class:`NoisyOutputs` of one input. It is sent to other processes
            where the workers are such, so it should hold little.

        Returns
        -------
        results : list of length m
        """
        streams = self.streams.of_each(Purpose.SELECTION, self.inputs)
        return self._for_each(work, streams, repeat(()), label="answering")

    def certify(self, work: Callable[..., Any], *given: Iterable[Any]) -> list[Any]:
        """Do some work on further outputs of each input, whose noise all inputs share.

        Parameters
        ----------
        work : callable
            As for :meth:`answer`; also called with what is given for the input.
        *given : iterable of length m
            One entry per input.

        Returns
        -------
        results : list of length m
        """
        stream = self.streams.of(Purpose.ESTIMATION, self.inputs)
        more = zip(*given, strict=True) if given else repeat(())
        return self._for_each(work, repeat(stream), more, label="certifying")

    def _for_each(
        self,
        work: Callable[..., Any],
        streams: Iterable[DrawStream],
        given: Iterable[tuple[Any, ...]],
        *,
        label: str,
    ) -> list[Any]:
        numbered = zip(range(len(self.inputs)), streams, given, strict=False)
        tasks = ((self.outputs_for(i, stream), *more) for i, stream, more in numbered)
        results = []
        bar = progress_bar(len(self.inputs), label, " rows", shown=self.verbose)
        with Workers(self.n_jobs) as workers, bar:
            for result in workers.map(work, tasks, ordered=True):
                results.append(result)
                bar.update()
        return results

    def outputs_for(self, i: int, stream: DrawStream) -> NoisyOutputs:
        """Return the outputs for one input, with noise of a stream."""
        one = slice(i, i + 1)
        number = self.inputs.numbers(one)[0]
        row = self.inputs[one].on(self.streams.lattice)
        return NoisyOutputs(self.responder, row, number, stream, self.batch_size)


def gathered(batches: Iterable[NDArray[Any]], n: int) -> NDArray[Any]:
    """Join batches of n outputs in all, each of which is given up once it is copied."""
    joined, filled = None, 0
    for batch in batches:
        if joined is None:
            joined = np.empty((n, *batch.shape[1:]), batch.dtype)
        joined = joined.astype(np.result_type(joined, batch), copy=False)
        joined[filled : filled + len(batch)] = batch
        filled += len(batch)
    assert joined is not None
    return joined


def _batch_size(inputs: Inputs, responder: Responder) -> int:
    """Find so many inputs per call as suit most models, and whose outputs can be held."""
    n_values = max(1, math.prod(responder.shape or ()))
    return min(default_batch_size(inputs), max(1, _VALUES_PER_CALL // n_values))
