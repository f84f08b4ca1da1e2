"""The loop of a run: chunk after chunk is certified and written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates import ClassificationCertificate
from sksmooth.engine._parallel import progress_bar
from sksmooth.exceptions import OtherRunError, StoreError
from sksmooth.store._base import Addition, Store, as_json
from sksmooth.store._content import seed_commitment
from sksmooth.store._description import environment, refuse_other_run
from sksmooth.store._log import Call, Log, open_log, rows_of_call
from sksmooth.store._rows import statement_of, to_certificate, to_rows

# Certifies a range of rows with a seed, going on from a certificate where one is given.
Certify = Callable[[int, int, int, "ClassificationCertificate | None"], ClassificationCertificate]


@dataclass(frozen=True)
class Recorder:
    """Certifies ranges of rows and writes them to a store, until all that is asked for is there.

    Attributes
    ----------
    store : Store
        Where results go.
    description : dict
        What the run is of, without its seed.
    new_seed : callable
        Returns the seed of a run that is begun, and where it is from.
    own_seed : int or None
        Seed that the run has to have; None: whatever it was begun with.
    first, stop : int
        Range of rows.
    chunk_rows : int
        Rows that are written together.
    row_ids : ndarray of shape (n_rows, n_bytes)
        Digests of all rows.
    labels : list of str or None
        True labels of all rows, as JSON.
    certify : callable
        As `Certify`.
    fit_id : str or None
        Identifies the fit of the model.
    verbose : bool
        Whether progress is shown.
    """

    store: Store
    description: dict[str, Any]
    new_seed: Callable[[], tuple[int, str]]
    own_seed: int | None
    first: int
    stop: int
    chunk_rows: int
    row_ids: NDArray[np.uint8]
    labels: list[str] | None
    certify: Certify
    fit_id: str | None
    verbose: bool = False

    def record(self) -> ClassificationCertificate | None:
        """Do what is left; return the certificate of the range of rows, None for no rows."""
        log = self._begun()
        seed = self._seed_of(log)
        log = self._with_call(log, seed)
        call = log.call
        todo = list(call.missing(self.first, self.stop, self.chunk_rows))
        n_rows = self.stop - self.first
        n_done = n_rows - sum(stop - first for first, stop in todo)
        bar = progress_bar(n_rows, "certifying", " rows", shown=self.verbose)
        with bar, self._interrupts():
            bar.update(n_done)
            for first, stop in todo:
                log = self._chunk(log, seed, first, stop)
                bar.update(stop - first)
        if not log.sealed:
            self._seal(log, seed)
        self.store.close()
        return self.result()

    def result(self) -> ClassificationCertificate:
        """Return the certificate of the range of rows, which are there."""
        call = open_log(self.store).call
        assert call.statement is not None  # there are rows
        rows = rows_of_call(self.store, call, self.first, self.stop)
        return to_certificate(call.statement, rows, self.fit_id)

    def _begun(self) -> Log:
        entries = self.store.entries()
        if not entries:
            seed, source = self.new_seed()
            commitment = self._commitment(seed)
            run = {
                **self.description,
                "seed": {"commitment": commitment, "source": source},
                "environment": environment(),
                "begun": _now(),
            }
            entries = self.store.append([Addition("run", run)], last=None, secret=str(seed))
        log = Log.of(entries)
        refuse_other_run(self.store.name, log.description, self.description)
        return log

    def _seed_of(self, log: Log) -> int:
        """Return the seed of the run, which is bound to it."""
        known = self.store.secret()
        if known is None and log.seal is not None:
            known = log.seal["seed"]
        wanted = known if self.own_seed is None else str(self.own_seed)
        if wanted is None or self._commitment(int(wanted)) != log.description["seed"]["commitment"]:
            raise OtherRunError(
                f"{self.store.name} was begun with another seed. Go on with the random_state or "
                "seed that it was begun with, or choose another file."
            )
        return int(wanted)

    def _commitment(self, seed: int) -> str:
        data, model = self.description["data"]["fingerprint"], self.description["model"]
        return seed_commitment(str(seed), data, model)

    def _with_call(self, log: Log, seed: int) -> Log:
        """Begin another call where more draws, or another radius, are asked for."""
        wanted, call = self.description["call"], log.call
        if wanted == call.parameters:
            return log
        self._refuse_other_call(log, wanted)
        addition = Addition("call", {"number": call.number + 1, "parameters": wanted})
        self.store.append([addition], last=log.last, secret=str(seed))
        return open_log(self.store)

    def _refuse_other_call(self, log: Log, wanted: dict[str, Any]) -> None:
        call = log.call
        differs = ", ".join(
            f"{name} is {call.parameters[name]} there and {wanted[name]} here"
            for name in sorted(wanted)
            if wanted[name] != call.parameters[name]
        )
        if "largest" in (wanted["radius"], call.parameters["radius"]):
            raise OtherRunError(
                f"{self.store.name} holds another run: {differs}. Votes for the largest radius "
                "spend all of alpha on their number of draws, so that no others can follow. Go on "
                "with what it was begun with, or choose another file."
            )
        if not call.covers(self.first, self.stop) or not log.sealed:
            raise OtherRunError(
                f"{self.store.name} has not come to its end: {differs}. Give the command that it "
                "was begun with until it has, then this one."
            )

    def _chunk(self, log: Log, seed: int, first: int, stop: int) -> Log:
        """Certify a chunk and write it."""
        call, began = log.call, time.perf_counter()
        start = self._earlier(log, first, stop)
        with _naming(first, self.store.name):
            certificate = self.certify(seed, first, stop, start)
        additions, statement = [], statement_of(certificate)
        if call.statement is None:
            call.statement = statement
            additions.append(Addition("statement", {"call": call.number, "statement": statement}))
        elif as_json(call.statement) != as_json(statement):
            raise StoreError(
                f"The certificate of rows {first} to {stop - 1} is about something else than those "
                f"in {self.store.name}; were versions of packages changed in between?"
            )
        content = {
            "call": call.number,
            "first": first,
            "stop": stop,
            "seconds": round(time.perf_counter() - began, 3),
            "written": _now(),
        }
        if (here := environment()) != log.description["environment"]:
            content["environment"] = here
        labels = None if self.labels is None else self.labels[first:stop]
        rows = to_rows(certificate, first, self.row_ids[first:stop], labels)
        additions.append(Addition("chunk", content, rows))
        entries = self.store.append(additions, last=log.last, secret=str(seed))
        call.chunks.append({**content, "entry": entries[-1].number})
        return Log(log.description, log.calls, entries[-1], log.seal)

    def _earlier(self, log: Log, first: int, stop: int) -> ClassificationCertificate | None:
        """Return what an earlier call proved about rows, for another to go on from."""
        if log.call.number == 0:
            return None
        before: Call = log.calls[-2]
        if not before.covers(first, stop):
            raise OtherRunError(
                f"{self.store.name} went on with more draws, or another radius, for rows "
                f"{_in_words(before.done)}; rows {first} to {stop - 1} were not among them. "
                "Certify those into another file."
            )
        assert before.statement is not None
        rows = rows_of_call(self.store, before, first, stop)
        return to_certificate(before.statement, rows, self.fit_id)

    def _seal(self, log: Log, seed: int) -> None:
        """Close the log, and tell the seed."""
        content = {
            "call": log.call.number,
            "rows": [list(part) for part in log.call.done],
            "seed": str(seed),
            "written": _now(),
        }
        self.store.append([Addition("seal", content)], last=log.last, secret=None)

    @contextmanager
    def _interrupts(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt as interrupt:
            add_note(
                interrupt, f"What is done is kept in {self.store.name}; the same call goes on."
            )
            raise


@contextmanager
def _naming(first: int, store: str) -> Iterator[None]:
    """Add to an error where the rows that it names begin."""
    try:
        yield
    except Exception as error:
        where = f"Rows are counted from row {first} of X. " if first else ""
        add_note(error, f"{where}What was done before is kept in {store}.")
        raise


def add_note(error: BaseException, note: str) -> None:
    """Add a line to the message of an error."""
    if hasattr(error, "add_note"):
        error.add_note(note)
    elif error.args and isinstance(error.args[0], str):  # Python 3.10
        error.args = (f"{error.args[0]}\n{note}", *error.args[1:])


def _in_words(ranges: list[tuple[int, int]]) -> str:
    return ", ".join(f"{first} to {stop - 1}" for first, stop in ranges)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
