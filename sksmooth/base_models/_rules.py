"""Rules that are read off fitted models, whose law under noise is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sksmooth.base_models import _forests as _forests
from sksmooth.base_models._additive import AdditiveScore, additive_score, binned_linear_score
from sksmooth.base_models._boxes import Boxes
from sksmooth.base_models._column_maps import column_map
from sksmooth.base_models._registry import Registry
from sksmooth.base_models._trees import boxes_of


def rule_of(model: Any, classes: NDArray[Any]) -> Boxes | AdditiveScore | None:
    """Read the rule of a fitted classifier, for classes in a given order; None: not known."""
    own: Any = getattr(model, "classes_", None)
    if len(classes) < 2 or not np.array_equal(own, classes):
        return None
    return rule_within(model)


@Registry
def rule_within(model: Any) -> Boxes | AdditiveScore | None:
    """Return the rule of a fitted classifier, or of the one inside it, or None."""
    boxes = boxes_of(model)
    if boxes is not None:
        return boxes
    return additive_score(model) if len(model.classes_) == 2 else None


@rule_within.register
def _(model: FrozenEstimator) -> Boxes | AdditiveScore | None:
    return rule_within(model.estimator)


@rule_within.register
def _(model: Pipeline) -> Boxes | AdditiveScore | None:
    *steps, last = (step for _, step in model.steps if step not in (None, "passthrough"))
    rule: Boxes | AdditiveScore | None = None
    if steps:
        rule = binned_linear_score(steps[-1], last)
    if rule is None:
        rule = rule_within(last)
    else:
        steps.pop()
    for step in reversed(steps):
        step_map = None if rule is None else column_map(step)
        if rule is None or step_map is None:
            return None
        rule = rule.behind(step_map)
    return rule
