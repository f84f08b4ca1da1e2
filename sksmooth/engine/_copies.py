"""Seeds to noise to noisy copies to the base model to outputs, where no two inputs share a draw.

What is calibrated has to be exchangeable with what is predicted: scores of rows that share their
noise are not, however many rows there are. So the copies of each input have noise of their own,
addressed by its position where equal inputs are to differ, too, or keyed by its content where the
outputs for an input are not to depend on the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sksmooth.engine._batch_size import default_batch_size
from sksmooth.engine._parallel import Workers, naming, progress_bar
from sksmooth.engine._streams import DrawStream, Purpose, Streams
from sksmooth.inputs._containers import Inputs
from sksmooth.noise import Noise

# Numbers of the outputs of one call, in float64: 16 MB.
_VALUES_PER_CALL = 2**21


class _Source(Protocol):
    """Draws of some neighbouring inputs."""

    def take(self, start: int, stop: int) -> NDArray[Any]:
        """Draws `start` to `stop` - 1 of each input, of shape (n_inputs, stop - start, ...)."""


@dataclass(frozen=True)
class _ByPosition:
    """Input i has the draws numbered i n to (i + 1) n - 1 of one stream."""

    stream: DrawStream
    first: int
    n_inputs: int
    n_copies: int

    def take(self, start: int, stop: int) -> NDArray[Any]:
        if (start, stop) == (0, self.n_copies):  # all at once: blocks of draws are made once
            last = self.first + self.n_inputs
            draws = self.stream.take(self.first * stop, last * stop)
            return draws.reshape(self.n_inputs, stop, *draws.shape[1:])
        begins = (self.first + np.arange(self.n_inputs)) * self.n_copies
        return np.stack([self.stream.take(i + start, i + stop) for i in begins.tolist()])


@dataclass(frozen=True)
class _ByContent:
    """Every input has a stream of its own."""

    streams: tuple[DrawStream, ...]

    def take(self, start: int, stop: int) -> NDArray[Any]:
        return np.stack([stream.take(start, stop) for stream in self.streams])


@dataclass(frozen=True)
class _Given:
    """All inputs have the same draws, which are given."""

    draws: NDArray[Any]
    n_inputs: int

    def take(self, start: int, stop: int) -> NDArray[Any]:
        some = self.draws[start:stop]
        return np.broadcast_to(some, (self.n_inputs, *some.shape))


@dataclass(frozen=True)
class CopySampler:
    """Samples outputs of the base model for noisy copies of inputs, each with noise of its own.

    Attributes
    ----------
    respond : callable
        From inputs, as the base model takes them, and their number, to one output for each.
    inputs : Inputs of length m
        What is perturbed.
    streams : Streams
        Noise and seed.
    n_copies : int
        Noisy copies of each input.
    n_values : int
        Numbers in one output.
    batch_size : int or None
        Largest number of noisy inputs per call; None: a default.
    n_jobs : int or None
        Number of workers, as in joblib; threads unless `joblib.parallel_config` says otherwise.
    verbose : int or bool
        Whether progress is shown.
    """

    respond: Callable[[Any, int], NDArray[Any]]
    inputs: Inputs
    streams: Streams
    n_copies: int
    n_values: int = 1
    batch_size: int | None = None
    n_jobs: int | None = None
    verbose: Any = False

    def by_position(self, work: Callable[..., Any], *given: NDArray[Any]) -> list[Any]:
        """Do some work on the outputs for calibration: equal inputs have different noise, too.

        Parameters
        ----------
        work : callable
            Called with outputs of shape (n_inputs, n_copies, ...) of some neighbouring inputs, and
            with what is given for them. It is sent to other processes where the workers are such.
        *given : ndarray of length m
            One entry per input.

        Returns
        -------
        results : list
            In the order of the inputs.
        """
        stream = self.streams.of(Purpose.CALIBRATION, self.inputs)

        def source(first: int, last: int) -> _Source:
            return _ByPosition(stream, first, last - first, self.n_copies)

        return self._in_chunks(work, source, given, "calibrating")

    def by_content(self, work: Callable[..., Any]) -> list[Any]:
        """Do some work on the outputs for prediction: those for an input depend on no other.

        Parameters
        ----------
        work : callable
            As for :meth:`by_position`.

        Returns
        -------
        results : list
            In the order of the inputs.
        """
        streams = [
            replace(stream, most_per_block=min(stream.most_per_block, self.n_copies))
            for stream in self.streams.of_each(Purpose.PREDICTION_SETS, self.inputs)
        ]

        def source(first: int, last: int) -> _Source:
            return _ByContent(tuple(streams[first:last]))

        return self._in_chunks(work, source, (), "predicting")

    def of_draws(self, work: Callable[..., Any], draws: NDArray[Any]) -> list[Any]:
        """Do some work on the outputs for given draws, all of which every input has.

        Parameters
        ----------
        work : callable
            As for :meth:`by_position`.
        draws : ndarray of shape (n_copies, ...)
            As the noise takes them.

        Returns
        -------
        results : list
            In the order of the inputs.
        """

        def source(first: int, last: int) -> _Source:
            return _Given(draws, last - first)

        return self._in_chunks(work, source, (), "voting")

    def _in_chunks(
        self,
        work: Callable[..., Any],
        source: Callable[[int, int], _Source],
        given: Iterable[NDArray[Any]],
        label: str,
    ) -> list[Any]:
        m, n, given = len(self.inputs), self.n_copies, tuple(given)
        most = max(1, _VALUES_PER_CALL // self.n_values)
        per_call = self.batch_size or min(default_batch_size(self.inputs), most)
        step = max(1, per_call // n)

        def tasks() -> Iterable[tuple[Any, ...]]:
            for first in range(0, m, step):
                last = min(first + step, m)
                some = self.inputs[first:last].on(self.streams.lattice)
                numbers = self.inputs.numbers(slice(first, last))
                asked = _Asked(self.respond, some, (numbers[0], numbers[-1]), self.streams.noise)
                more = tuple(values[first:last] for values in given)
                yield work, asked, source(first, last), n, per_call, more

        results = []
        with (
            Workers(self.n_jobs, m * n * self.inputs.n_features) as workers,
            progress_bar(m, label, " rows", shown=self.verbose) as bar,
        ):
            for n_done, result in workers.map(_do, tasks(), ordered=True):
                results.append(result)
                bar.update(n_done)
        return results


@dataclass(frozen=True)
class _Asked:
    """Some inputs, and what is asked about noisy copies of them."""

    respond: Callable[[Any, int], NDArray[Any]]
    inputs: Inputs
    numbers: tuple[int, int]
    noise: Noise

    def outputs(self, draws: NDArray[Any]) -> NDArray[Any]:
        """Return outputs for every input with draws of its own."""
        inputs, (n_inputs, n_draws) = self.inputs, draws.shape[:2]
        noisy = self.noise.apply(inputs.values[:, None], draws)
        noisy = noisy.reshape(-1, *inputs.shape).astype(inputs.dtype, copy=False)
        with naming(f"noisy copies of rows {self.numbers[0]} to {self.numbers[1]} of X"):
            found = self.respond(inputs.to_container(noisy), len(noisy))
        return found.reshape(n_inputs, n_draws, *found.shape[1:])


def _do(
    work: Callable[..., Any],
    asked: _Asked,
    source: _Source,
    n_copies: int,
    per_call: int,
    given: tuple[NDArray[Any], ...],
) -> tuple[int, Any]:
    """Do the work on some inputs: in one call, or in several where one input has many copies."""
    step = min(n_copies, max(1, per_call // len(asked.inputs)))
    calls = [
        asked.outputs(source.take(start, min(start + step, n_copies)))
        for start in range(0, n_copies, step)
    ]
    outputs = calls[0] if len(calls) == 1 else np.concatenate(calls, axis=1)
    return len(asked.inputs), work(outputs, *given)
