"""The way of X through `certify` goes down: seldom does a room call one above it."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

import sksmooth
from sksmooth import (
    CenterSmoothedRegressor,
    DSSNClassifier,
    LocallyBiasedSmoother,
    MedianSmoothedRegressor,
    RobustConformalClassifier,
    RobustConformalRegressor,
    SmoothedClassifier,
    certify_path,
)
from sksmooth.transformations import Rotation

ROOT = Path(sksmooth.__file__).parent
MOST_CLIMBS = 2

# What is called from below by contract: a voter by the engine, which knows `Voter` alone, a
# registered reader of a model by the registry, and the task of a certifier by the parallel loop.
EXPECTED = {
    ("base_models", "voters"),
    ("base_models", "smooth_scores"),
    ("engine", "voters"),
    ("engine", "certifiers"),
}


def layers():
    with (ROOT.parent / "docs" / "rooms.csv").open(newline="") as file:
        rooms = csv.DictReader(file)
        return {room["room"].strip("`").rstrip("/"): int(room["layer"]) for room in rooms}


def room_of(frame):
    """Room of the code that runs in a frame, or in the next one that is of this package."""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if ROOT in path.parents:
            return path.relative_to(ROOT).parts[0]
        frame = frame.f_back
    return None


def climbs(call):
    """Pairs of rooms of which the first called into the second, which is above it."""
    above, found = layers(), set()

    def look(frame, event, _):
        if event == "call" and ROOT in Path(frame.f_code.co_filename).parents:
            caller, callee = room_of(frame.f_back), room_of(frame)
            if caller and above[callee] > above[caller]:
                found.add((caller, callee))

    sys.setprofile(look)
    try:
        call()
    finally:
        sys.setprofile(None)
    return found


SMALL = {"sigma": 0.5, "n_estimation": 50, "random_state": 0}
WAYS = {
    "forest": SmoothedClassifier(RandomForestClassifier(3, random_state=0), **SMALL),
    "fast votes": SmoothedClassifier(KNeighborsClassifier(), **SMALL),
    "exact": SmoothedClassifier(LogisticRegression(), **SMALL),
    "tree": SmoothedClassifier(DecisionTreeClassifier(), **SMALL),
    "center": CenterSmoothedRegressor(Ridge(), n_center=30, **SMALL),
    "median": MedianSmoothedRegressor(Ridge(), **SMALL),
    "splits": DSSNClassifier(
        RandomForestClassifier(3, random_state=0), sigma=2, n_steps=4, feature_range=(0, 4)
    ),
    "local bias": LocallyBiasedSmoother(LogisticRegression()),
}
OPTIONS = {"center": {"radius": 0.1}, "median": {"radius": 0.1}}


@pytest.mark.parametrize("way", WAYS)
def test_rows_climb_at_most_twice(way):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 5, (60, 4)).astype(float)
    y = X.sum(axis=1) if way in ("center", "median") else (X[:, 0] > 1).astype(int)
    smoother = WAYS[way].fit(X, y)
    found = climbs(lambda: smoother.certify(X[:2], **OPTIONS.get(way, {})))
    assert found <= EXPECTED
    assert len(found) <= MOST_CLIMBS


def test_images_climb_at_most_twice():
    X = np.random.default_rng(0).random((40, 16))
    model = RandomForestClassifier(3, random_state=0)
    smoother = SmoothedClassifier(model, **SMALL).fit(X, (X[:, 0] > 0.5).astype(int))
    found = climbs(lambda: certify_path(smoother, X[:2], Rotation(5)))
    assert found <= EXPECTED
    assert len(found) <= MOST_CLIMBS


@pytest.mark.parametrize("cls", [RobustConformalClassifier, RobustConformalRegressor])
def test_rows_of_prediction_sets_climb_at_most_twice(cls):
    X = np.random.default_rng(0).normal(size=(60, 4))
    predictor = cls(sigma=0.5, random_state=0).fit(X, (X[:, 0] > 0).astype(int))
    found = climbs(lambda: predictor.conformalize(X, (X[:, 0] > 0).astype(int)))
    predict = predictor.predict_set if hasattr(predictor, "predict_set") else None
    found |= climbs(lambda: (predict or predictor.predict_interval)(X[:2]))
    assert found <= EXPECTED
    assert len(found) <= MOST_CLIMBS


class Climbing(RandomForestClassifier):
    """A base model that uses this package, so that the engine calls far above itself."""

    def predict(self, X):
        SmoothedClassifier(self).get_params()
        return super().predict(X)


def test_a_climb_is_seen():
    X = np.random.default_rng(0).normal(size=(40, 2))
    model = Climbing(3, random_state=0)
    smoother = SmoothedClassifier(model, **SMALL).fit(X, (X[:, 0] > 0).astype(int))
    assert not climbs(lambda: smoother.certify(X[:2])) <= EXPECTED
