"""Certificates of many outputs at one radius, all of which hold together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.bounds import step_down_claims
from sksmooth.bounds._calibration import WorstCaseMiss, largest_below
from sksmooth.bounds._many_outputs import vote_p_values
from sksmooth.certificates import ErrorBudget, MultiOutputCertificate
from sksmooth.engine._sampling import NoisyOutputs, OutputSampler


@dataclass(frozen=True)
class ManyOutputsCertifier:
    """Votes on every output, and which of them stay within a radius.

    Attributes
    ----------
    sampler : OutputSampler
        Of the outputs.
    n_selection, n_estimation : int
        Draws that select classes, and draws that certify them.
    """

    sampler: OutputSampler
    n_selection: int
    n_estimation: int

    def predict(self) -> NDArray[Any]:
        """Classes with the most votes; of equals, the first."""
        return np.stack(self.sampler.answer(partial(_most_frequent, self.n_selection)))

    def certify(
        self, worst: WorstCaseMiss, budget: ErrorBudget, *, radius: float, norm: float, n_wrong: int
    ) -> MultiOutputCertificate:
        """Certify as many outputs of each input as the votes prove together.

        Parameters
        ----------
        worst : WorstCaseMiss
            Of the noise, at the distance that is covered.
        budget : ErrorBudget
            Probability that `n_wrong` or more claims about one input are wrong.
        radius, norm : float
            What is certified.
        n_wrong : int
            Number of wrong claims about one input that is too many.
        """
        prediction = self.predict()
        votes = np.stack(
            self.sampler.certify(partial(_agreeing, self.n_estimation), list(prediction))
        )
        # a class with more than this is left with more than one half
        needed = float(np.nextafter(1.0 - largest_below(0.5, worst), 2.0))
        certified = np.zeros(votes.shape, bool)
        if needed < 1.0:
            p_values = vote_p_values(votes, self.n_estimation, needed).reshape(len(votes), -1)
            made = step_down_claims(p_values, float(budget.of_one_bound), n_wrong=n_wrong)
            certified = made.reshape(votes.shape)
        lattice = self.sampler.streams.lattice
        return MultiOutputCertificate(
            prediction,
            certified,
            votes,
            radius=radius,
            norm=norm,
            n_draws=self.n_estimation,
            n_wrong=n_wrong,
            budget=budget,
            noise=self.sampler.streams.noise,
            noise_step=None if lattice is None else float(lattice.step),
        )


def _most_frequent(n_draws: int, outputs: NoisyOutputs) -> NDArray[Any]:
    """Most frequent class of every output."""
    found = outputs.take(n_draws)
    classes, positions = np.unique(found, return_inverse=True)
    positions = positions.reshape(found.shape)
    counts = np.stack([(positions == c).sum(axis=0) for c in range(len(classes))])
    return np.asarray(classes[counts.argmax(axis=0)])


def _agreeing(n_draws: int, outputs: NoisyOutputs, prediction: NDArray[Any]) -> NDArray[np.int64]:
    """Count the votes for the predicted class of every output."""
    votes = np.zeros(prediction.shape, np.int64)
    for batch in outputs.batches(n_draws):
        votes += (batch == prediction).sum(axis=0)
    return votes
