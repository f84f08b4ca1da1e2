"""Models inside others: frozen ones, and pipelines whose steps before the last are affine."""

from __future__ import annotations

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sksmooth.base_models._affine import affine_map
from sksmooth.voters._base import FastVoter, voter_of


@voter_of.register
def _(model: FrozenEstimator) -> FastVoter | None:
    return voter_of(model.estimator)


@voter_of.register
def _(model: Pipeline) -> FastVoter | None:
    voter = voter_of(model[-1])
    steps = [step for _, step in model.steps[:-1] if step not in (None, "passthrough")]
    for step in reversed(steps):
        step_map = None if voter is None else affine_map(step)
        if voter is None or step_map is None:
            return None
        voter = voter.after(*step_map)
    return voter
