"""`certify(store=...)`: the results of an estimator are written chunk by chunk, and continued."""

from ast import literal_eval
from copy import copy
from functools import partial
from hashlib import sha256
from typing import ClassVar

import numpy as np

from sksmooth.certificates import ClassificationCertificate
from sksmooth.certifiers._options import check_radius
from sksmooth.exceptions import StoreError
from sksmooth.inputs._torch_containers import as_array
from sksmooth.store._base import COLUMNS
from sksmooth.store._content import (
    ROW_BYTES,
    content_fingerprint,
    labels_fingerprint,
    rows_fingerprint,
)
from sksmooth.store._description import refuse_other_run
from sksmooth.store._log import open_log, rows_of_call
from sksmooth.store._recorder import Recorder
from sksmooth.store._rows import to_rows
from sksmooth.store._run import Run

# Rows are read in blocks of about so many numbers: 32 MB.
_VALUES_PER_BLOCK = 2**22

# A chunk is about so many votes of a base model that is asked for each, and so many of one whose
# votes are known; so many rows at most.
_VOTES, _FAST_VOTES, _MOST_ROWS = 2**20, 2**24, 4096

# Parameters and attributes on which no result depends, or which are described apart.
_WITHOUT_EFFECT = {"batch_size", "estimator", "n_jobs", "random_state", "verbose"}
_OF_THE_OBJECT = {
    "_at_fit",
    "_examined",
    "_fit_id",
    "_n_joint",
    "_nested_at_fit",
    "_reference",
    "_seed",
}


class Stored:
    """What estimators share that write their results to a store.

    A subclass has `certify`, and `_inputs_to_store` where that takes a store.
    """

    _PARAMETERS_OF_CALLS: ClassVar[frozenset[str]] = frozenset()
    _seed: int | None  # None: each call takes fresh entropy
    _fit_id: str

    # Number of rows that share alpha where `certify` is about some of them; None: those of X.
    _n_joint = None

    def _certify_into(self, store, X, call, options):
        """Certify X and write the results, or go on with what is there.

        Parameters
        ----------
        store : str, Path, Store or Run
            Where results go.
        X : array-like
            Inputs.
        call : dict
            What a later call may change: `n_estimation` and `radius`.
        options : dict
            Other options of `certify`.
        """
        run = Run.of(store)
        opened, rows = run.opened(), _Rows(self, X)
        first, stop = run.range_of(len(rows))
        size = run.size_of_chunks(rows.size_of_chunks(call.get("n_estimation")))
        labels = run.label_texts(len(rows))
        radius = call["radius"]
        check_radius(radius, len(rows))
        least = None if radius is None else float(np.min(radius))
        self._check_before_run(rows.first, len(rows), least, **options)
        new_seed, own_seed = partial(run.seed_of, self._seed), self._seed
        if run.seed is not None:
            own_seed = new_seed()[0]
        row_ids = rows.digests()
        recorder = Recorder(
            store=opened,
            description=self._described(rows, row_ids, labels, call, options),
            new_seed=new_seed,
            own_seed=own_seed,
            first=first,
            stop=stop,
            chunk_rows=size,
            row_ids=row_ids,
            labels=labels,
            certify=partial(self._certify_rows, rows, radius, options),
            fit_id=self._fit_id,
            verbose=bool(run.verbose or getattr(self, "verbose", False)),
        )
        return recorder.record().with_index(rows.index(first, stop))

    def _certify_rows(self, rows, radius, options, seed, first, stop, start):
        """Certify a range of rows as they would be among all."""
        smoother = copy(self)
        smoother._seed = seed
        smoother._n_joint = len(rows)
        if hasattr(smoother, "verbose"):
            smoother.verbose = False  # the bar is that of all rows
        given = dict(options)
        if radius is not None:
            given["radius"] = radius[first:stop] if np.ndim(radius) else radius
        if start is not None:
            given = {"radius": given["radius"], "start": start}
        certificate = smoother.certify(rows.part(first, stop), **given)
        if not isinstance(certificate, ClassificationCertificate):
            raise TypeError(f"{type(certificate).__name__}s cannot be written to a store yet.")
        return certificate

    def _replayed(self, log, store, X, labels, n_rows, random_state):
        """Take votes of some rows again, by the options of the run."""
        rows, options = _Rows(self, X), log.description["options"]
        options = {name: literal_eval(text) for name, text in options.items()}
        row_ids, texts = rows.digests(), Run(store, labels=labels).label_texts(len(rows))
        if texts is None and log.description["labels"] is not None:
            texts = [""] * len(rows)  # not given: what is there is believed
        described = self._described(rows, row_ids, texts, {"radius": None}, options)
        if labels is None:
            described["labels"] = log.description["labels"]
        refuse_other_run(store.name, log.description, described)
        done = np.concatenate([np.arange(first, stop) for first, stop in log.call.done])
        rng = np.random.default_rng(random_state)
        chosen = sorted(rng.choice(done, min(n_rows, len(done)), replace=False).tolist())
        problems = []
        for n in chosen:
            row, again = self._row_again(log, store, rows, options, n, row_ids)
            exact = log.call.statement["budget"] is None
            for name, old, new in zip(COLUMNS, row, again, strict=True):
                if name != "label" and not _agree(old, new, exact):
                    problems.append(f"Row {n}: {name} is {old!r}, and {new!r} in the replay.")
        return chosen, problems

    def _row_again(self, log, store, rows, options, n, row_ids):
        """Return a row as it is there, and as the calls of the run certify it again."""
        certificate, smoother, seed = None, copy(self), int(log.seal["seed"])
        for call in log.calls:
            row = rows_of_call(store, call, n, n + 1)[0]
            if "n_estimation" in call.parameters:
                smoother.n_estimation = call.parameters["n_estimation"]
            radius = row[list(COLUMNS).index("target_radius")]
            certificate = smoother._certify_rows(rows, radius, options, seed, n, n + 1, certificate)
        return row, to_rows(certificate, n, row_ids[n : n + 1], None)[0]

    def _described(self, rows, row_ids, labels, call, options):
        """Describe a run as JSON can hold it."""
        parameters = {
            name: _described(value)
            for name, value in self.get_params(deep=False).items()
            if name not in _WITHOUT_EFFECT | {"n_estimation"}
        }
        data = {
            "fingerprint": rows_fingerprint(row_ids, rows.shape, rows.dtype),
            "n_rows": len(rows),
            "shape": [int(n) for n in rows.shape],
            "dtype": np.dtype(rows.dtype).str,
        }
        return {
            "estimator": type(self).__name__,
            "base_model": repr(self.estimator_)[:1000],
            "model": self._model_fingerprint(),
            "data": data,
            "labels": None if labels is None else labels_fingerprint(labels),
            "parameters": parameters,
            "options": {name: _described(value) for name, value in options.items()},
            "call": {**call, "radius": _described_radius(call["radius"])},
        }

    def _model_fingerprint(self):
        """Return what tells the fitted model from any other."""
        aside = _WITHOUT_EFFECT | _OF_THE_OBJECT | self._PARAMETERS_OF_CALLS
        held = {name: value for name, value in vars(self).items() if name not in aside}
        return content_fingerprint(held, name=type(self.estimator_).__name__)

    def _inputs_to_store(self, X):
        """Check X, and return it as inputs."""
        raise NotImplementedError

    def _check_before_run(self, inputs, n_rows, radius, **options):
        """Refuse options of `certify` that cannot work; `inputs` are the first of the rows."""

    def _asks_for_each_vote(self, inputs):
        """Whether the base model is asked for every vote."""
        return True


class _Rows:
    """Rows of X that are read in blocks, so that a file may be larger than the memory."""

    def __init__(self, owner, X):
        self._owner, self._X = owner, as_array(X)
        if not hasattr(self._X, "shape"):
            self._X = owner._inputs_to_store(self._X).values
        if not len(np.shape(self._X)) or not self._X.shape[0]:
            owner._inputs_to_store(self._X)  # refuses it
        inputs = owner._inputs_to_store(self.part(0, 1))
        self.shape, self.dtype = inputs.shape, inputs.dtype
        self.first = inputs

    def __len__(self):
        return int(self._X.shape[0])

    def part(self, first, stop):
        """Rows of a range, in the container of X."""
        return self._X.iloc[first:stop] if hasattr(self._X, "iloc") else self._X[first:stop]

    def index(self, first, stop):
        """Index of rows of a range, where X has one."""
        return getattr(self.part(first, stop), "index", None) if hasattr(self._X, "iloc") else None

    def digests(self):
        """Digests of all rows, which are checked on the way, before any is certified."""
        size = max(1, _VALUES_PER_BLOCK // max(1, int(np.prod(self.shape))))
        found = np.empty((len(self), ROW_BYTES), np.uint8)
        for first in range(0, len(self), size):
            stop = min(first + size, len(self))
            try:
                inputs = self._owner._inputs_to_store(self.part(first, stop))
            except ValueError as error:
                raise self._located(error, first) from error
            found[first:stop] = inputs.digests()
        return found

    def _located(self, error, first):
        if not first or not error.args or not isinstance(error.args[0], str):
            return error
        return type(error)(f"{error.args[0]}\nRows are counted from row {first} of X.")

    def size_of_chunks(self, n_draws):
        """Return how many rows make a chunk; no function of speed, so that any run has the same."""
        votes = _VOTES if self._owner._asks_for_each_vote(self.first) else _FAST_VOTES
        return int(np.clip(votes // max(1, int(n_draws or 1)), 1, _MOST_ROWS))


def replay(smoother, X, store, *, n_rows=20, labels=None, random_state=None):
    """Take votes of some rows again, and compare all that a finished run says of them.

    Parameters
    ----------
    smoother : estimator
        Fitted smoother of the run.
    X : array-like
        Inputs of the run.
    store : Store
        Results.
    n_rows : int, default=20
        Number of rows, chosen at random.
    labels : array-like of shape (m,), default=None
        Labels of the run.
    random_state : int, default=None
        Seed of the choice.

    Returns
    -------
    rows : list of int
        Rows that were replayed.
    problems : list of str
        What differs; the rows are named.
    """
    log = open_log(store)
    if log.seal is None:
        raise StoreError(f"{store.name} is not finished: its seed is not told yet.")
    return smoother._replayed(log, store, X, labels, n_rows, random_state)


def refuse_with_store(**options):
    """Refuse options that say in another way where to begin."""
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                f"{name} cannot be combined with store: the store knows where to go on. Leave one "
                "of the two out."
            )


def refuse_store(store, owner):
    """Refuse a store where results cannot be written to one."""
    if store is not None:
        raise ValueError(
            f"{type(owner).__name__} cannot write its results to a store yet. Leave store out, and "
            "keep the certificate with its method save."
        )


def _agree(old, new, exact):
    """Whether values are the same; where nothing was drawn, up to the order of sums."""
    if exact and isinstance(old, float) and isinstance(new, float):
        return bool(np.isclose(old, new, rtol=1e-9, atol=1e-12))
    return old == new


def _described(value):
    """Return a parameter as text, without addresses of functions."""
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, np.generic):
        value = value.item()
    return repr(value.tolist() if isinstance(value, np.ndarray) else value)


def _described_radius(radius):
    if radius is None:
        return "largest"
    if np.ndim(radius) == 0:
        return float(radius)
    values = np.asarray(radius, dtype=float)
    return "of each row, " + sha256(values.tobytes()).hexdigest()[:32]
