"""Parts of a run, made by several processes or machines, put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

from sksmooth.exceptions import OtherRunError, StoreError
from sksmooth.store._base import Addition, Entry, Store, as_json
from sksmooth.store._description import refuse_other_run
from sksmooth.store._log import Log, open_log
from sksmooth.store._run import read_store
from sksmooth.store._sqlite import SQLiteStore
from sksmooth.store.checker import check


def merge(target: Any, parts: Sequence[Any]) -> Store:
    """Put the parts of a run together.

    Parameters
    ----------
    target : str, Path or Store
        Where the whole goes; a file that is not there yet, or an empty store.
    parts : sequence of str, Path or Store
        Finished parts of one run: the same model, data, parameters and seed, other rows. They are
        only read.

    Returns
    -------
    store : Store
        The whole, with a log of its own that names the logs of its parts.

    Raises
    ------
    OtherRunError
        If they are of different runs, or are about the same rows.
    StoreError
        If a part is not finished or is damaged, or if the target holds something.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sksmooth import SmoothedClassifier
    >>> from sksmooth.store import MemoryStore, Run, merge
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SmoothedClassifier(n_estimation=200, random_state=0).fit(X, y)
    >>> parts = [MemoryStore(), MemoryStore()]
    >>> for store, rows in zip(parts, [(0, 3), (3, 6)]):
    ...     certificate = clf.certify(X[:6], store=Run(store, rows=rows))
    >>> whole = merge(MemoryStore(), parts)
    >>> clf.certify(X[:6], store=whole) == clf.certify(X[:6])
    True
    """
    if not parts:
        raise StoreError("There are no parts to put together.")
    whole = SQLiteStore(target) if isinstance(target, (str, Path)) else target
    if whole.entries():
        raise StoreError(f"{whole.name} holds something already. Choose another file.")
    stores = [read_store(part) for part in parts]
    logs = [_checked(store) for store in stores]
    first = logs[0]
    for store, log in zip(stores[1:], logs[1:], strict=True):
        _refuse_other_part(store.name, first, log)
    _refuse_shared_rows(stores, logs)
    _write(whole, stores, logs)
    whole.close()
    return whole


def _checked(store: Store) -> Log:
    """Return the log of a part, which has to be finished and whole."""
    if isinstance(store, SQLiteStore):
        problems = check(str(store.path)).problems
        if problems:
            raise StoreError(f"{store.name} is refused: {problems[0]}")
    log = open_log(store)
    if not log.sealed:
        raise StoreError(
            f"{store.name} is not finished. Give the command that it was begun with until it is."
        )
    return log


def _refuse_other_part(name: str, first: Log, log: Log) -> None:
    refuse_other_run(name, first.description, log.description)
    if first.description["seed"]["commitment"] != log.description["seed"]["commitment"]:
        raise OtherRunError(
            f"{name} was made with another seed than the other parts: its draws are others. Give "
            "all parts one seed (random_state of the estimator, or --seed)."
        )
    calls = [[call.parameters for call in each.calls] for each in (first, log)]
    statements = [[as_json(call.statement) for call in each.calls] for each in (first, log)]
    if calls[0] != calls[1] or statements[0] != statements[1]:
        raise OtherRunError(f"{name} was asked for other draws or another radius than the others.")


def _refuse_shared_rows(stores: list[Store], logs: list[Log]) -> None:
    parts = sorted(
        (first, stop, store.name)
        for store, log in zip(stores, logs, strict=True)
        for first, stop in log.call.done
    )
    for (_, stop, one), (first, _, other) in pairwise(parts):
        if first < stop:
            raise OtherRunError(f"{one} and {other} are both about row {first}. Leave one out.")


def _write(whole: Store, stores: list[Store], logs: list[Log]) -> None:
    first = logs[0]
    assert first.seal is not None
    seed = first.seal["seed"]
    last = whole.append([Addition("run", first.description)], last=None, secret=seed)[-1]
    for number, call in enumerate(first.calls):
        if number:
            content = {"number": number, "parameters": call.parameters}
            last = whole.append([Addition("call", content)], last=last, secret=seed)[-1]
        content = {"call": number, "statement": call.statement}
        last = whole.append([Addition("statement", content)], last=last, secret=seed)[-1]
        last = _copy_chunks(whole, stores, logs, number, last, seed)
    content = {"logs": [[log.last.digest, log.call.done] for log in logs]}
    done = sorted(list(part) for log in logs for part in log.call.done)
    seal = {
        "call": len(first.calls) - 1,
        "rows": done,
        "seed": seed,
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    whole.append([Addition("merge", content), Addition("seal", seal)], last=last, secret=None)


def _copy_chunks(
    whole: Store, stores: list[Store], logs: list[Log], number: int, last: Entry, seed: str
) -> Entry:
    for store, log in zip(stores, logs, strict=True):
        for chunk in log.calls[number].chunks:
            content = {key: value for key, value in chunk.items() if key != "entry"}
            rows = store.rows(chunk["entry"])
            last = whole.append([Addition("chunk", content, rows)], last=last, secret=seed)[-1]
    return last
