"""Nearest neighbours."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from sksmooth.voters import voter_of

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


def test_equal_points_of_different_classes_are_left_to_the_model():
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [-0.0, 0.0]])
    model = KNeighborsClassifier(1, algorithm="brute")
    assert voter_of(model.fit(X, [0, 0, 1, 1])) is None
    assert voter_of(model.fit(X, [0, 1, 1, 0])) is not None
