"""Certificates from votes whose law is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.certificates import ClassificationCertificate
from sksmooth.certifiers.exact._base import Array, ExactVote, Proven
from sksmooth.engine._parallel import Workers, progress_bar
from sksmooth.inputs._containers import Inputs
from sksmooth.noise import Noise

# Rows that are worked on at a time hold about so many numbers: 4 MB of float64.
_VALUES_PER_TASK = 2**19


@dataclass(frozen=True)
class ExactCertifier:
    """Certifies the majority vote where its law is known: nothing is drawn, `alpha` is None.

    Attributes
    ----------
    vote : ExactVote
        Class probabilities and radii.
    inputs : Inputs of length m
        What is certified.
    classes : ndarray of shape (n_classes,)
        Labels.
    noise : Noise
        Distribution of the noise.
    n_jobs : int or None
        Number of workers, as in joblib.
    verbose : int or bool
        Whether progress is shown.
    """

    vote: ExactVote
    inputs: Inputs
    classes: NDArray[Any]
    noise: Noise
    n_jobs: int | None = None
    verbose: Any = False

    def probabilities(self) -> Array:
        """Class probabilities, shape (m, n_classes); the largest is the prediction."""
        parts = list(self._for_rows(_probabilities, "predicting"))
        return np.concatenate([np.empty((0, len(self.classes))), *parts])

    def certify(
        self, norm: float, *, top_k: int = 1, target: NDArray[np.float64] | None = None
    ) -> ClassificationCertificate:
        """Certificate of all inputs.

        Parameters
        ----------
        norm : float
            Norm of the radius.
        top_k : int, default=1
            Number of places that the predicted class may fall back to.
        target : ndarray of shape (m,), default=None
            Radius to decide on.
        """
        parts = list(self._for_rows(_prove, "certifying", float(norm), int(top_k)))
        none = np.empty((0, top_k))
        parts.append(Proven(none.astype(np.intp), np.empty(0), np.empty(0), none))
        proven = Proven(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))
        m, several = len(self.inputs), top_k > 1
        prediction = self.classes[proven.ranked]
        return ClassificationCertificate(
            prediction=prediction if several else prediction[:, 0],
            radius=proven.radius[:, 0],
            p_lower=proven.p_lower,
            p_upper=proven.p_upper,
            counts=np.zeros((m, len(self.classes)), np.int64),
            n_draws=np.zeros(m, np.int64),
            classes=self.classes,
            norm=norm,
            budget=None,
            noise=self.noise,
            n_features=self.inputs.n_features,
            target_radius=target,
            top_k=top_k,
            label_radius=proven.radius if several else None,
        )

    def _for_rows(self, work: Callable[..., Any], label: str, *options: Any) -> Iterator[Any]:
        """Do work for all rows, a block at a time."""
        m = len(self.inputs)
        step = max(1, _VALUES_PER_TASK // max(1, self.vote.values_per_row))
        tasks = (
            (self.vote, self.inputs[first : first + step].values.astype(float), *options)
            for first in range(0, m, step)
        )
        bar = progress_bar(m, label, " rows", shown=self.verbose)
        with Workers(self.n_jobs, m * self.vote.values_per_row) as workers, bar:
            for i, result in enumerate(workers.map(work, tasks, ordered=True)):
                bar.update(min(step, m - i * step))
                yield result


def _probabilities(vote: ExactVote, values: Array) -> Array:
    return vote.probabilities(values)


def _prove(vote: ExactVote, values: Array, norm: float, top_k: int) -> Proven:
    return vote.prove(values, norm, top_k)
