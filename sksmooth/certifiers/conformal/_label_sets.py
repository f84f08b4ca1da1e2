"""Sets of labels that cover under perturbations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certifiers.conformal._rank_rule import RankRule
from sksmooth.engine._copies import CopySampler


@dataclass(frozen=True)
class LabelSets:
    """Calibrates thresholds, and predicts sets of labels.

    Attributes
    ----------
    sampler : CopySampler
        Of the scores of all labels.
    rule : RankRule
        Ranks and levels.
    """

    sampler: CopySampler
    rule: RankRule

    def calibrate(
        self, labels: NDArray[np.intp], n_classes: int, *, by_class: bool
    ) -> NDArray[np.float64]:
        """Return thresholds from labelled inputs.

        Parameters
        ----------
        labels : ndarray of int of shape (m,)
            Positions of the labels among the classes.
        n_classes : int
            Number of classes.
        by_class : bool
            Whether each class gets thresholds of its own.

        Returns
        -------
        thresholds : ndarray of shape (n_levels,), or (n_levels, n_classes)
        """
        work = partial(_of_label, self.rule)
        scores = np.concatenate(self.sampler.by_position(work, labels))
        if not by_class:
            return self.rule.thresholds(scores)
        of_each = [self.rule.thresholds(scores[labels == c]) for c in range(n_classes)]
        return np.stack(of_each, axis=1)

    def predict(self, thresholds: NDArray[np.float64]) -> tuple[Any, NDArray[np.bool_]]:
        """Return the likeliest labels, and sets.

        Parameters
        ----------
        thresholds : ndarray
            Of :meth:`calibrate`.

        Returns
        -------
        labels : ndarray of int of shape (m,)
            Positions of the labels with the largest mean scores.
        sets : ndarray of bool of shape (m, n_classes, n_levels)
        """
        limits = thresholds if thresholds.ndim == 2 else thresholds[:, None]
        parts = self.sampler.by_content(partial(_set_of, self.rule, limits))
        labels, sets = (np.concatenate(some) for some in zip(*parts, strict=True))
        return labels, sets

    def likeliest(self) -> NDArray[np.intp]:
        """Positions of the labels with the largest mean scores."""
        return np.concatenate(self.sampler.by_content(_likeliest))


def _of_label(
    rule: RankRule, scores: NDArray[np.float64], labels: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Scores of the true labels, one for each level."""
    own = np.take_along_axis(scores, labels[:, None, None], axis=2)[:, :, 0]
    return rule.clean_scores(own)


def _set_of(
    rule: RankRule, limits: NDArray[np.float64], scores: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    inside = rule.test_scores(scores) >= limits
    return _likeliest(scores), np.moveaxis(inside, 1, 2)


def _likeliest(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    with np.errstate(invalid="ignore"):
        means = scores.mean(axis=1)
    return np.asarray(np.where(np.isnan(means), -np.inf, means).argmax(axis=1))
