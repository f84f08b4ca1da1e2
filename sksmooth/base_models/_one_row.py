"""Whether the answer of a base model for a row depends on that row alone.

Every certificate is about a function of one input. A model that standardizes the rows of a call by
their own mean, or that draws at random when it is asked, is no such function, and votes that were
counted in one batch say nothing about another one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sksmooth.base_models._failures import explained
from sksmooth.base_models._names import name_of
from sksmooth.base_models._registry import Registry, own_methods
from sksmooth.inputs._containers import Inputs

# How far numbers may be apart, as a part of their range, for the rounding of sums in another order.
_ROUNDING = {"float64": 1e-6, "float32": 1e-3}
_COARSE_ROUNDING = 0.05

# Scores of code that is not known here may be sums of half precision.
_UNKNOWN_ROUNDING = 0.01

# Classes of scikit-learn that call a function on all rows, draw at random when they are asked, or
# stop where all rows of a call have converged.
_BY_CALL = {"FunctionTransformer", "DummyClassifier", "IterativeImputer", "NMF", "MiniBatchNMF"}

# Where the types of numbers, texts, arrays and generators are at home.
_DATA = {"builtins", "numpy", "scipy", "pandas"}

_REMEDY = (
    "A certificate is about a function of one row, so none holds for this model. Learn at fit what "
    "it computes from other rows (scalers as steps of a Pipeline, batch normalization with running "
    "statistics, module.eval()), and switch off what is drawn at random when it is asked."
)


def check_function_of_one_row(
    ask: Callable[[Any], Any],
    inputs: Inputs,
    *,
    rounding: float | None = None,
    n_rows: int = 64,
    n_alone: int = 8,
    n_noisy: int = 0,
    untold: NDArray[np.bool_] | None = None,
    name: str = "The base model",
) -> None:
    """Ask about a sample of rows together, again, in another order and one by one.

    What is drawn at random only now and then, what depends on rows without changing the answers of
    this sample, and what depends on earlier calls in a way that comes out the same, is not found.

    Parameters
    ----------
    ask : callable
        From rows, in the container of the user's X, to an array of one answer for each: labels,
        which have to be the same, or numbers, which may differ by rounding.
    inputs : Inputs
        Where the sample is taken from.
    rounding : float, default=None
        Largest difference between two numbers, as a part of the range of all. None: by their dtype.
    n_rows : int, default=64
        Size of the sample.
    n_alone : int, default=8
        How many of it are asked about one by one.
    n_noisy : int, default=0
        How many of the inputs, at their end, are changed copies of the first.
    untold : ndarray of bool, default=None
        Inputs whose answers may differ. None: no input.
    name : str, default="The base model"
        Subject of the message.

    Raises
    ------
    ValueError
        If an answer differs, with its row, and what to do.
    """
    if not len(inputs):
        return
    chosen, alone = _spread(n_rows, len(inputs)), _spread(n_alone, min(n_rows, len(inputs)))
    sample = inputs.choose(chosen)[:]
    values = sample.values.astype(sample.dtype)

    def answers(rows: NDArray[Any]) -> NDArray[Any]:  # a model may work on its rows in place
        return np.asarray(ask(sample.to_container(rows.copy())))

    def where(row: int) -> str:
        return f"row {row}" if row < len(inputs) - n_noisy else "a changed copy of row 0"

    together = answers(values)
    everywhere = np.arange(len(together))
    for how, which, others in (
        ("asked a second time, the same way", everywhere, answers(values)),
        ("asked in another order", everywhere, answers(values[::-1])[::-1]),
        ("asked about this row alone", alone, _one_by_one(answers, values[alone], name)),
    ):
        differs = _differ(together[which], others, rounding)
        if untold is not None:
            differs &= ~untold[chosen[which]]
        if differs.any():
            i = int(np.flatnonzero(differs)[0])
            raise ValueError(
                f"{name} answers {_shown(together[which[i]])} for {where(chosen[which[i]])} of X, "
                f"and {_shown(others[i])} when {how}. {_REMEDY}"
            )


def _spread(n: int, size: int) -> NDArray[np.intp]:
    """Return at most n positions that are spread over so many."""
    return np.unique(np.linspace(0, size - 1, min(n, size)).astype(np.intp))


def _one_by_one(ask: Callable[[Any], NDArray[Any]], rows: NDArray[Any], name: str) -> NDArray[Any]:
    try:
        return np.concatenate([ask(rows[i : i + 1]) for i in range(len(rows))])
    except Exception as error:
        raise ValueError(
            f"{name} answers for {len(rows)} rows, and fails on one of them alone ({error}). "
            f"{_REMEDY}"
        ) from error


def _differ(ours: NDArray[Any], theirs: NDArray[Any], rounding: float | None) -> NDArray[np.bool_]:
    """Whether answers differ by more than rounding, row by row."""
    if ours.shape != theirs.shape:
        return np.ones(len(ours), bool)
    unlike: NDArray[np.bool_] = np.not_equal(ours, theirs)
    if ours.dtype.kind == theirs.dtype.kind == "f":
        finite = ours[np.isfinite(ours)]
        if rounding is None:
            rounding = _ROUNDING.get(str(ours.dtype), _COARSE_ROUNDING)
        most = rounding * (np.ptp(finite) if finite.size else 0.0)
        unlike &= ~np.isclose(ours, theirs, rtol=rounding, atol=most, equal_nan=True)
    return np.any(unlike.reshape(len(ours), -1), axis=1)


def _shown(answer: Any) -> str:
    return np.array2string(np.asarray(answer), threshold=10, precision=6).replace("\n", "")


Asked = tuple[Callable[[Any], Any], float | None]


@Registry
def comparable_answers(model: Any) -> Asked | None:
    """Return what is compared between calls of a fitted model, and its rounding; None: nothing.

    For models whose code may do anything with the rows of a call.
    """
    return None


@comparable_answers.register
def _(model: FrozenEstimator) -> Asked | None:
    return comparable_answers(model.estimator)


@comparable_answers.register
def _(model: Pipeline) -> Asked | None:
    of_last = comparable_answers(model.steps[-1][1])
    return None if of_last is None else (getattr(model, of_last[0].__name__), of_last[1])


def check_answers(
    model: Any, inputs: Inputs, ask: Callable[[Any, int], Any], n_noisy: int = 0
) -> None:
    """Check that a fitted model is a function of one row.

    Parameters
    ----------
    model : object
        Fitted model.
    inputs : Inputs
        Where rows are taken from.
    ask : callable
        From rows, in the container of X, and their number to what is counted or measured.
    n_noisy : int, default=0
        How many of the inputs, at their end, are noisy copies of the first.
    """
    options: dict[str, Any] = {"n_noisy": n_noisy, "name": name_of(model)}
    known = comparable_answers(model)
    with explained(model, inputs[:1].values.astype(inputs.dtype)):
        if known is not None:
            check_function_of_one_row(known[0], inputs, rounding=known[1], **options)
            return
        scores = _scores_of(model, inputs)
        if scores is not None:
            check_function_of_one_row(scores, inputs, rounding=_UNKNOWN_ROUNDING, **options)
        if scores is not None:
            options["untold"] = _tied(scores, inputs)
        check_function_of_one_row(lambda X: ask(X, len(X)), inputs, **options)


def _scores_of(model: Any, inputs: Inputs) -> Callable[[Any], Any] | None:
    """Return the method of a classifier that has its scores, if it has one and it works."""
    if not hasattr(model, "classes_"):
        return None
    for name in ("decision_function", "predict_proba"):
        scores = getattr(model, name, None)
        if callable(scores):
            with suppress(Exception):  # of whatever kind: the method is offered and does not work
                if isinstance(scores(_container(inputs[:1])), np.ndarray):
                    return scores
    return None


def _tied(scores: Callable[[Any], Any], inputs: Inputs) -> NDArray[np.bool_]:
    """Whether the scores of each input are so near to a tie that rounding may settle its label."""
    values = np.asarray(scores(_container(inputs)), float)
    if values.ndim == 1:
        values = np.stack([values, np.zeros_like(values)], axis=1)
    if values.shape[1] < 2:
        return np.zeros(len(values), bool)
    ordered = np.sort(values, axis=1)
    tied: NDArray[np.bool_] = ordered[:, -1] - ordered[:, -2] <= 1e-5 * np.ptp(values)
    return tied


def _container(inputs: Inputs) -> Any:
    return inputs.to_container(inputs.values.astype(inputs.dtype))


def is_plain(model: Any) -> bool:
    """Whether a model is made of classes of scikit-learn whose answers go by each row alone.

    All that a caller may have put into it counts.
    """
    if isinstance(model, (list, tuple, set)):
        return all(map(is_plain, model))
    if isinstance(model, dict):
        return all(map(is_plain, model.values()))
    package = type(model).__module__.partition(".")[0]
    if isinstance(model, type) or (package in _DATA and not callable(model)):
        return True
    if package != "sklearn" or type(model).__name__ in _BY_CALL or own_methods(model):
        return False
    params = model.get_params(deep=False) if hasattr(model, "get_params") else {}
    return all(map(is_plain, params.values()))
