"""Whether the answer of a base model for a row depends on that row alone.

Every certificate is about a function of one input. A model that standardizes the rows of a call by
their own mean, or that draws at random when it is asked, is no such function, and votes that were
counted in one batch say nothing about another one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sksmooth.base_models._failures import explained
from sksmooth.base_models._names import name_of
from sksmooth.base_models._registry import Registry
from sksmooth.inputs._containers import Inputs

# How far numbers may be apart, as a part of their range, for the rounding of sums in another order.
_ROUNDING = {"float64": 1e-6, "float32": 1e-3}
_COARSE_ROUNDING = 0.05

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
    n_rows: int = 8,
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
    n_rows : int, default=8
        Size of the sample.
    name : str, default="The base model"
        Subject of the message.

    Raises
    ------
    ValueError
        If an answer differs, with its row, and what to do.
    """
    if not len(inputs):
        return
    chosen = np.unique(np.linspace(0, len(inputs) - 1, n_rows).astype(int))
    sample = inputs.choose(chosen)[:]
    values = sample.values.astype(sample.dtype)

    def answers(rows: NDArray[Any]) -> NDArray[Any]:  # a model may work on its rows in place
        return np.asarray(ask(sample.to_container(rows.copy())))

    def alone() -> NDArray[Any]:
        try:
            return np.concatenate([answers(values[i : i + 1]) for i in range(len(values))])
        except Exception as error:
            raise ValueError(
                f"{name} answers for {len(values)} rows, and fails on one of them alone ({error}). "
                f"{_REMEDY}"
            ) from error

    together = answers(values)
    for how, others in (
        ("asked a second time, the same way", answers(values)),
        ("asked in another order", answers(values[::-1])[::-1]),
        ("asked about this row alone", alone()),
    ):
        differs = _differ(together, others, rounding)
        if differs.any():
            i = int(np.flatnonzero(differs)[0])
            raise ValueError(
                f"{name} answers {_shown(together[i])} for row {chosen[i]} of X, and "
                f"{_shown(others[i])} when {how}. {_REMEDY}"
            )


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


def check_answers(model: Any, inputs: Inputs) -> None:
    """Check that a fitted model is a function of one row, if its class is registered for that."""
    asked = comparable_answers(model)
    if asked is None:
        return
    with explained(model, inputs[:1].values.astype(inputs.dtype)):
        check_function_of_one_row(asked[0], inputs, rounding=asked[1], name=name_of(model))
