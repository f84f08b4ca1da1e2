"""Scores of a fitted base model, and whether they are what the model itself says."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sksmooth._optional import import_extra
from sksmooth.base_models._answers import predicted_classes
from sksmooth.base_models._names import name_of
from sksmooth.smooth_scores._base import SmoothScore
from sksmooth.smooth_scores._modules import answers_of_module, asks_module
from sksmooth.smooth_scores._norms import Floats
from sksmooth.smooth_scores._user import GivenLipschitz, refuse_contradiction


def decision_of(model: Any) -> Callable[[Any], Any]:
    """Decision function of a model, for arrays, also where it was fitted to a DataFrame."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        decision: Callable[[Any], Any] = model.decision_function
        return decision
    return lambda X: model.decision_function(_with_names(X, names))


def examine(
    score: SmoothScore,
    model: Any,
    classes: NDArray[Any],
    points: Floats,
    shape: tuple[int, ...],
    norm: float,
) -> None:
    """Look at the scores of a model before they are used.

    Parameters
    ----------
    score : SmoothScore
        Read off the model, or from the user.
    model : object
        Fitted base model.
    classes : ndarray of shape (n_classes,)
        Its classes.
    points : ndarray of shape (m, n_features)
        Where to look.
    shape : tuple of int
        Of one input, as the model takes it.
    norm : {1, 2, inf}
        Of the certificate.

    Raises
    ------
    ValueError
        If there are too many or too few, if they are not smooth, if a constant of the user's is
        wrong, or if they give other classes than the model.

    Warns
    -----
    UserWarning
        If a constant is given for scores with kinks.
    """
    n_scores = 1 if len(classes) == 2 else len(classes)
    found = score.value(points[:1]).shape[1]
    if found != n_scores:
        raise ValueError(
            f"{name_of(model)} has {found} scores for {len(classes)} classes "
            f"({', '.join(map(str, classes[:5]))}); {n_scores} are needed."
        )
    score.lipschitz(np.eye(n_scores)[0], norm)  # refuses what has none
    if isinstance(score, GivenLipschitz):
        _examine_given(score, points, norm)
    if score.follows_predict:
        answers = _answers_of(model, points.reshape(-1, *shape), classes)
        _refuse_other_answers(score, points, answers, model)


def _examine_given(score: GivenLipschitz, points: Floats, norm: float) -> None:
    if why := getattr(score.score, "kinks", None):
        warnings.warn(
            f"{why}. gradient_lipschitz={score.constant} is taken at your word, "
            "but can hold at most where there are no kinks.",
            stacklevel=6,
        )
    refuse_contradiction(score, points, norm, np.random.default_rng(0))


def _refuse_other_answers(
    score: SmoothScore, points: Floats, answers: NDArray[np.intp], model: Any
) -> None:
    """Refuse scores that clearly give other classes than the model itself."""
    values, rounding = score.value(points), score.rounding(points)
    if values.shape[1] == 1:
        values, rounding = np.hstack([-values, values]) / 2, np.hstack([rounding, rounding])
    best, second = np.sort(values, axis=1)[:, :-3:-1].T
    clear = best - second > 1e-6 * np.abs(values).max(axis=1) + 2 * rounding.max(axis=1)
    other = clear & (answers != values.argmax(axis=1))
    if other.any():
        raise ValueError(
            f"The scores that are read off {name_of(model)} give another class than "
            f"it does itself for {np.count_nonzero(other)} of {len(points)} reference points "
            "(a threshold other than the middle, or layers of its own?). Certify it by "
            "SmoothedClassifier, which only needs its answers."
        )


def _answers_of(model: Any, X: Floats, classes: NDArray[Any]) -> NDArray[np.intp]:
    """Index of the class that a model, or a bare module, gives to each row."""
    while isinstance(model, FrozenEstimator):
        model = model.estimator
    if isinstance(model, Pipeline) and not hasattr(model, "predict"):
        return _answers_of(model[-1], model[:-1].transform(X), classes)
    if hasattr(model, "predict"):
        names = getattr(model, "feature_names_in_", None)
        X = X if names is None else _with_names(X, names)
        X = X.astype(np.float32) if asks_module(model) else X
        return predicted_classes(model, X, len(X), classes)
    return answers_of_module(model, X)


def _with_names(X: Floats, names: NDArray[Any]) -> Any:
    pandas = import_extra("pandas", extra="pandas", user="A model with feature names")
    return pandas.DataFrame(X, columns=names)
