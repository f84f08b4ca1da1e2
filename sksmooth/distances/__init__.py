"""Distances between outputs of a model, each with its triangle constant.

``NAMES`` maps the names that `distance` of an estimator takes to the classes.
"""

from sksmooth.distances._base import Distance
from sksmooth.distances._own import FunctionDistance, SymmetricDistance
from sksmooth.distances._sets import (
    Dice,
    Discrete,
    JaccardBoxes,
    JaccardMasks,
    WeightedJaccard,
    farthest_box,
)
from sksmooth.distances._vectors import (
    Angular,
    Chebyshev,
    Cosine,
    EarthMover,
    Euclidean,
    FeatureDistance,
    Manhattan,
    SquaredEuclidean,
    TotalVariation,
)

NAMES: dict[str, type[Distance]] = {
    "angular": Angular,
    "chebyshev": Chebyshev,
    "cosine": Cosine,
    "dice": Dice,
    "discrete": Discrete,
    "earth_mover": EarthMover,
    "euclidean": Euclidean,
    "jaccard_boxes": JaccardBoxes,
    "jaccard_masks": JaccardMasks,
    "l1": Manhattan,
    "l2": Euclidean,
    "linf": Chebyshev,
    "manhattan": Manhattan,
    "squared_euclidean": SquaredEuclidean,
    "total_variation": TotalVariation,
    "weighted_jaccard": WeightedJaccard,
}

__all__ = [
    "Angular",
    "Chebyshev",
    "Cosine",
    "Dice",
    "Discrete",
    "Distance",
    "EarthMover",
    "Euclidean",
    "FeatureDistance",
    "FunctionDistance",
    "JaccardBoxes",
    "JaccardMasks",
    "Manhattan",
    "SquaredEuclidean",
    "SymmetricDistance",
    "TotalVariation",
    "WeightedJaccard",
    "farthest_box",
]
