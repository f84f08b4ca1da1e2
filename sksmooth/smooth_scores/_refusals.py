"""Models whose decision has kinks or jumps, refused with a word on what to use instead."""

from __future__ import annotations

from typing import Any, NoReturn

from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.multiclass import OneVsOneClassifier, OutputCodeClassifier
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid, RadiusNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from sksmooth.smooth_scores._registry import smooth_score


def _refuse(model: Any, why: str, what_to_do: str) -> NoReturn:
    raise ValueError(
        f"{type(model).__name__} {why}, so it has no smooth decision function. {what_to_do}"
    )


_SMOOTHED = "Certify it by SmoothedClassifier, which needs no gradient, or use a smooth base model."


@smooth_score.register(DecisionTreeClassifier)
@smooth_score.register(ExtraTreesClassifier)
@smooth_score.register(RandomForestClassifier)
@smooth_score.register(GradientBoostingClassifier)
@smooth_score.register(HistGradientBoostingClassifier)
@smooth_score.register(AdaBoostClassifier)
def _(model: Any) -> NoReturn:
    _refuse(model, "is constant in pieces that meet in jumps", _SMOOTHED)


@smooth_score.register(BaggingClassifier)
@smooth_score.register(VotingClassifier)
@smooth_score.register(StackingClassifier)
@smooth_score.register(OneVsOneClassifier)
@smooth_score.register(OutputCodeClassifier)
def _(model: Any) -> NoReturn:
    _refuse(
        model,
        "combines the answers of several models",
        "Use one of them, OneVsRestClassifier, or SmoothedClassifier, which needs no gradient.",
    )


@smooth_score.register(KNeighborsClassifier)
@smooth_score.register(RadiusNeighborsClassifier)
@smooth_score.register(NearestCentroid)
def _(model: Any) -> NoReturn:
    _refuse(
        model,
        "answers by comparing distances",
        "With alpha=numpy.inf the locally biased smoother itself is the nearest-neighbour "
        "classifier, with its certificate.",
    )


@smooth_score.register
def _(model: CalibratedClassifierCV) -> NoReturn:
    _refuse(
        model,
        "averages calibrated probabilities",
        "Use the classifier inside, where its own classes are what you want: calibration may move "
        "where two classes meet.",
    )
