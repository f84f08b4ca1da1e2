"""The same votes under every backend of joblib."""

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from sksmooth import SmoothedClassifier


@pytest.fixture(scope="module")
def smoothers(digits):
    X, y = digits
    options = {"sigma": 0.3, "n_selection": 50, "n_estimation": 400, "random_state": 0}
    made = [
        SmoothedClassifier(RandomForestClassifier(5), batch_size=700, **options),
        SmoothedClassifier(LogisticRegression(max_iter=300), n_augment=2, **options),
    ]
    return [smoother.fit(X[:300], y[:300]) for smoother in made]


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_votes_are_those_of_one_worker(backend, smoothers, digits):
    X, _ = digits
    for smoother in smoothers:
        smoother.set_params(n_jobs=1)
        expected = smoother.certify(X[500:520])
        radius = np.full(20, 0.2)
        decided = smoother.certify(X[500:520], radius=radius)
        smoother.set_params(n_jobs=2)
        with parallel_config(backend=backend):
            got = smoother.certify(X[500:520])
            assert_array_equal(got.counts, expected.counts)
            assert_array_equal(got.radius, expected.radius)
            again = smoother.certify(X[500:520], radius=radius)
            assert_array_equal(again.counts, decided.counts)
