"""Scores of labels: the larger, the better a label fits an input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._answers import class_probabilities, decision_values
from sksmooth.base_models._names import name_of


def least_ambiguous(answers: NDArray[Any]) -> NDArray[Any]:
    """Score a label by its probability; sets are as small as they can be on average."""
    return answers


def adaptive(answers: NDArray[Any]) -> NDArray[Any]:
    """Score a label by minus the probability of all labels above it; sets adapt to the input."""
    order = np.argsort(-answers, axis=1, kind="stable")
    above = np.cumsum(np.take_along_axis(answers, order, axis=1), axis=1)
    scores = np.zeros(answers.shape)
    np.put_along_axis(scores, order[:, 1:], -above[:, :-1], axis=1)
    return scores


SCORES: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "aps": adaptive,
    "lac": least_ambiguous,
}


@dataclass(frozen=True)
class LabelScores:
    """A classifier as a function from inputs to the scores of all labels.

    Attributes
    ----------
    model : object with predict_proba or decision_function
        Fitted base model.
    classes : ndarray of shape (n_classes,)
        Its labels, sorted.
    score : callable
        From what the model answers, of shape (n_rows, n_classes), to scores of the same shape.
    method : {"predict_proba", "decision_function"}
        What the model is asked.
    """

    model: Any
    classes: NDArray[Any]
    score: Callable[[NDArray[Any]], Any]
    method: str

    def __call__(self, X: Any, n_rows: int) -> NDArray[np.float64]:
        """Return the scores for the `n_rows` rows of X; NaN counts as the worst."""
        ask = class_probabilities if self.method == "predict_proba" else decision_values
        scores = np.asarray(self.score(ask(self.model, X, n_rows, self.classes)), dtype=float)
        if scores.shape != (n_rows, len(self.classes)):
            raise ValueError(
                f"conformity_score returned an array of shape {scores.shape} for {n_rows} rows and "
                f"{len(self.classes)} classes; one score per label is needed."
            )
        return np.where(np.isnan(scores), -np.inf, scores)


def method_for_scores(model: Any, conformity_score: Any) -> str:
    """Return what a fitted model is asked for a score, or say what it lacks."""
    if hasattr(model, "predict_proba"):
        return "predict_proba"
    if conformity_score != "aps" and hasattr(model, "decision_function"):
        return "decision_function"
    others = "" if conformity_score == "aps" else " or decision_function"
    raise ValueError(
        f"conformity_score={conformity_score!r} needs a base model with predict_proba{others}, "
        f"which {name_of(model)} has not. Put it into sklearn.calibration.CalibratedClassifierCV."
    )
