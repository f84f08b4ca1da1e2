"""Models inside others: frozen ones, and pipelines whose steps before the last are affine."""

from __future__ import annotations

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sksmooth.structure._affine import known_map
from sksmooth.structure._base import Structure, known_structure, structure_of


@structure_of.register
def _(model: FrozenEstimator) -> Structure | None:
    return known_structure(model.estimator)


@structure_of.register
def _(model: Pipeline) -> Structure | None:
    structure = known_structure(model[-1])
    steps = [step for _, step in model.steps[:-1] if step not in (None, "passthrough")]
    for step in reversed(steps):
        step_map = None if structure is None else known_map(step)
        if structure is None or step_map is None:
            return None
        structure = structure.after(*step_map)
    return structure
