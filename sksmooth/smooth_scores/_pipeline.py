"""Models behind affine steps, and models that are frozen."""

from __future__ import annotations

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sksmooth.base_models._affine import affine_map
from sksmooth.smooth_scores._affine import after_affine
from sksmooth.smooth_scores._base import SmoothScore
from sksmooth.smooth_scores._registry import smooth_score


@smooth_score.register
def _(model: FrozenEstimator) -> SmoothScore:
    return smooth_score(model.estimator)


@smooth_score.register
def _(model: Pipeline) -> SmoothScore:
    score = smooth_score(model[-1])
    for name, step in reversed(model.steps[:-1]):
        if step in (None, "passthrough"):
            continue
        step_map = affine_map(step)
        if step_map is None:
            raise ValueError(
                f"Step {name!r} of the Pipeline, {type(step).__name__}, is not known to be affine, "
                "so the gradient cannot be taken through it. Transform X before this estimator, "
                "and read the radius in the units of the transformed X."
            )
        matrix, offset = (np.asarray(part, dtype=float) for part in step_map)
        score = after_affine(score, matrix, offset)
    return score
