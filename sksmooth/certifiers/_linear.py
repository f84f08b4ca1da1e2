"""Linear classifiers with two classes: the smoothed classifier is the classifier itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sksmooth.certificates import ClassificationCertificate
from sksmooth.engine._voter import Voter
from sksmooth.inputs._containers import Inputs
from sksmooth.noise import Noise
from sksmooth.voters._gaussian_image import is_gaussian
from sksmooth.voters._linear import LinearScores

_EPS = np.finfo(np.float64).eps


def exact_margin(
    scores: LinearScores, rows: Inputs, norm: float, sigma: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Distance of every row to the hyperplane of a classifier with two classes.

    Parameters
    ----------
    scores : LinearScores
        With one score.
    rows : Inputs of length m
        Inputs.
    norm : float
        Norm p of the distance.
    sigma : float
        Standard deviation of the noise.

    Returns
    -------
    second : ndarray of bool of shape (m,)
        Rows of the second class.
    distance : ndarray of shape (m,)
        In the given norm, rounded down by more than the rounding of the scores.
    p_lower : ndarray of shape (m,)
        Class probability under noise, rounded down.

    Notes
    -----
    By Hoelder's inequality the distance is ``|w @ x + b|`` over the dual norm of w.
    """
    second, score, uncertain = _side(scores, rows)
    margin = np.maximum(np.abs(score) - uncertain, 0.0)
    p_lower = special.ndtr(_distance(scores, rows, margin, 2) / sigma)
    distance = _distance(scores, rows, margin, norm)
    return second, distance, np.maximum(np.nextafter(p_lower, 0.0), 0.5)


def exact_probabilities(scores: LinearScores, rows: Inputs, sigma: float) -> NDArray[np.float64]:
    """Class probabilities under noise; the larger is that of the class which `predict` gives."""
    second, score, _ = _side(scores, rows)
    probability = special.ndtr(np.abs(_distance(scores, rows, np.abs(score), 2)) / sigma)
    winner = np.where(probability > 0.5, probability, np.nextafter(0.5, 1.0))
    return np.where(second[:, None] == [False, True], winner[:, None], 1.0 - winner[:, None])


def _scale(scores: LinearScores) -> float:
    """Largest coefficient: in its units no score or norm over- or underflows."""
    return float(np.abs(scores.coef[0]).max()) or 1.0


def _side(
    scores: LinearScores, rows: Inputs
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Rows of the second class, their scores, and a bound of the rounding error of these.

    The scores are in units of the largest coefficient; one that is not finite is 0 and proves
    nothing.
    """
    unit = _scale(scores)
    with np.errstate(over="ignore", invalid="ignore"):
        score = rows.values @ (scores.coef[0] / unit) + scores.intercept[0] / unit
        size = np.abs(rows.values) @ (scores.coef_size[0] / unit) + scores.intercept_size[0] / unit
    known = np.isfinite(score) & np.isfinite(size)
    score, size = np.where(known, score, 0.0), np.where(known, size, 0.0)
    return score > 0, score, _rounding(scores) * size


def _rounding(scores: LinearScores) -> float:
    """Relative rounding error of a score, with room to spare."""
    return float(8 * (scores.coef.shape[1] + 8) * _EPS)


def _distance(
    scores: LinearScores, rows: Inputs, margin: NDArray[np.float64], norm: float
) -> NDArray[np.float64]:
    """Distance to the hyperplane, rounded down, for a margin in units of the largest coefficient.

    Columns without noise do not change. Infinite where the model ignores all others and the
    margin is not 0.
    """
    noisy: Any = slice(None) if rows.noisy is None else rows.noisy
    unit, rounding = _scale(scores), _rounding(scores)
    dual = np.inf if norm == 1 else 1.0 / (1.0 - 1.0 / norm)
    length = np.linalg.norm(scores.coef[0, noisy] / unit, dual)
    length += rounding * np.linalg.norm(scores.coef_size[0, noisy] / unit, dual)
    if length == 0:
        return np.where(margin == 0, 0.0, np.inf)
    return margin / length * (1 - rounding)


def is_exact(voter: Voter, noise: Noise) -> bool:
    """Whether the law of a single linear score is known, so that no vote is needed."""
    return isinstance(voter, LinearScores) and len(voter.coef) == 1 and is_gaussian(noise)


def exact_certificate(
    scores: LinearScores,
    inputs: Inputs,
    *,
    classes: NDArray[Any],
    noise: Noise,
    norm: float,
    target: NDArray[np.float64] | None,
) -> ClassificationCertificate:
    """Certificate of a linear classifier with two classes: the distance to its hyperplane."""
    second, distance, p_lower = exact_margin(scores, inputs, norm, noise.sigma)
    m = len(inputs)
    return ClassificationCertificate(
        prediction=classes[second.astype(int)],
        radius=distance,
        p_lower=p_lower,
        p_upper=1.0 - p_lower,
        counts=np.zeros((m, 2), np.int64),
        n_draws=np.zeros(m, np.int64),
        classes=classes,
        norm=norm,
        budget=None,
        noise=noise,
        n_features=inputs.n_features,
        target_radius=target,
    )
