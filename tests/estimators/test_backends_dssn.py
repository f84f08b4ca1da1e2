"""Votes of all shifts do not depend on the workers: threads, or other processes of any kind."""

import joblib
import pytest
from numpy.testing import assert_array_equal
from sklearn.ensemble import RandomForestClassifier

from sksmooth import DSSNClassifier

OPTIONS = {"n_steps": 16, "sigma": 1.0, "n_augment": 1, "random_state": 0}


@pytest.fixture(scope="module")
def smoothers(digits):
    X, y = digits
    made = [
        DSSNClassifier(RandomForestClassifier(5), batch_size=300, **OPTIONS),
        DSSNClassifier(RandomForestClassifier(5), vote="soft", **OPTIONS),
    ]
    return [smoother.fit(X[:300], y[:300]) for smoother in made]


@pytest.mark.parametrize(
    "backend", ["threading", "loky", pytest.param("multiprocessing", marks=pytest.mark.slow)]
)
def test_every_backend_gives_the_same_bits(backend, smoothers, digits, monkeypatch):
    monkeypatch.setattr("sksmooth.engine._parallel._FEW_VALUES", 0)  # also little work is sent
    rows = digits[0][500:540]
    for smoother in smoothers:
        smoother.set_params(n_jobs=1)
        expected, decided = smoother.certify(rows), smoother.certify(rows, radius=0.1)
        probabilities, prediction = smoother.predict_proba(rows), smoother.predict(rows)
        smoother.set_params(n_jobs=2)
        with joblib.parallel_config(backend=backend):
            assert smoother.certify(rows) == expected
            assert smoother.certify(rows, radius=0.1) == decided
            assert_array_equal(smoother.predict_proba(rows), probabilities)
            assert_array_equal(smoother.predict(rows), prediction)


def test_the_control_sees_other_votes(smoothers, digits):
    rows = digits[0][500:540]
    assert smoothers[0].certify(rows) != smoothers[0].certify(rows[::-1])
