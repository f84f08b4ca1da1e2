"""For which models and noise the law of the vote is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._additive import AdditiveScore
from sksmooth.base_models._boxes import Boxes
from sksmooth.certifiers.exact._additive import AdditiveVote
from sksmooth.certifiers.exact._base import ExactVote
from sksmooth.certifiers.exact._boxes import BoxVote
from sksmooth.certifiers.exact._linear import LinearVote
from sksmooth.engine._voter import Voter
from sksmooth.noise import Noise
from sksmooth.noise._marginals import marginal_of
from sksmooth.voters._gaussian_image import is_gaussian
from sksmooth.voters._linear import LinearScores


def exact_vote(
    voter: Voter | None,
    rule: Boxes | AdditiveScore | None,
    noise: Noise,
    shape: tuple[int, ...],
    noisy: NDArray[np.bool_] | None = None,
) -> ExactVote | None:
    """Vote whose law is known, if there is one.

    Parameters
    ----------
    voter : Voter or None
        What is known of how the base model sees noise.
    rule : Boxes or AdditiveScore or None
        What was read off the base model.
    noise : Noise
        Distribution of the noise.
    shape : tuple of int
        Shape of one input.
    noisy : ndarray of bool, default=None
        Columns that bear noise; None: all.

    Returns
    -------
    vote : ExactVote or None
        None: votes have to be drawn.
    """
    vote: ExactVote | None = None
    marginal = marginal_of(noise)
    if isinstance(voter, LinearScores) and len(voter.coef) == 1 and is_gaussian(noise):
        vote = LinearVote(voter, float(noise.sigma), noisy)
    elif marginal is None or noisy is not None:
        vote = None
    elif isinstance(rule, Boxes):
        vote = BoxVote(noise, rule, marginal)
    elif isinstance(rule, AdditiveScore):
        vote = AdditiveVote(noise, rule, marginal)
    return vote if vote is not None and vote.suits(shape) else None
