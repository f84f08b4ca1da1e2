"""Rules that are read off fitted models, whose law under noise is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sksmooth.base_models._boxes import Boxes
from sksmooth.base_models._trees import boxes_of


def rule_of(model: Any, classes: NDArray[Any]) -> Boxes | None:
    """Read the rule of a fitted classifier, for classes in a given order; None: not known."""
    own: Any = getattr(model, "classes_", None)
    if len(classes) < 2 or not np.array_equal(own, classes):
        return None
    return boxes_of(model)
