"""Certificates of classifiers that decide by a smooth score, by reference points, or by both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates import ClassificationCertificate
from sksmooth.certifiers.local_bias._bias import ROUND_DOWN, LocalBias
from sksmooth.certifiers.local_bias._neighbor_radii import ReferencePoints

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class NearestNeighbors:
    """An infinite bias: reference points alone decide.

    Attributes
    ----------
    reference : ReferencePoints
        Give labels.
    norm : {1, 2, inf}
        Norm of radii.
    method : {"nearest", "pairwise", "exact"}
        How far neighbours are known to keep their label.
    """

    reference: ReferencePoints
    norm: float
    method: str

    def decide(self, X: Floats) -> Floats:
        """Finite scores of the classes, of shape (m, n_classes); the largest wins."""
        return np.maximum(self.reference.support(X), np.finfo(float).min / 4)

    def certify(self, X: Floats) -> tuple[Codes, Floats]:
        """Winning classes, and radii, rounded down, within which they win."""
        neighbors = self.reference.radii(X, self.norm, self.method)
        safe = neighbors.certified()
        safe[np.arange(len(X)), neighbors.label] = np.inf
        return neighbors.label, safe.min(axis=1) * ROUND_DOWN


@dataclass(frozen=True)
class LocalCertifier:
    """Answers of a rule, and certificates of them.

    Attributes
    ----------
    rule : LocalBias or NearestNeighbors
        Decides.
    classes : ndarray of shape (n_classes,)
        Labels.
    """

    rule: LocalBias | NearestNeighbors
    classes: NDArray[Any]

    def decision(self, X: Floats) -> Floats:
        """Score of the second of two classes over the first, or scores of all."""
        decision = self.rule.decide(X)
        return decision[:, 1] - decision[:, 0] if len(self.classes) == 2 else decision

    def certify(self, X: Floats, target: Floats | None) -> ClassificationCertificate:
        """How far every row can move without a change of its class; `target` is asked about."""
        winner, radius = self.rule.certify(X)
        return ClassificationCertificate.without_votes(
            self.classes[winner],
            radius,
            classes=self.classes,
            norm=self.rule.norm,
            n_features=X.shape[1],
            target_radius=target,
        )
