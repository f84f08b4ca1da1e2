"""Results do not depend on the workers: one thread, several, or other processes of any kind."""

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor

from sksmooth import CenterSmoothedRegressor, MedianSmoothedRegressor, SmoothedClassifier

BACKENDS = ["threading", "loky", "multiprocessing"]
X = np.random.default_rng(0).normal(size=(40, 5))
NUMBERS, VECTORS = X[:, 0] * X[:, 1], X[:, :3] * X[:, 1:4]


def center(model, y, *, output_radius=1.0, **options):
    options = {"n_center": 60, "n_estimation": 200, "sigma": 0.5, "random_state": 0, **options}
    smoother = CenterSmoothedRegressor(model, n_augment=1, **options).fit(X, y)

    def results():
        curve = smoother.certify_curve(X[:5], [0.05, 0.1])
        reach = smoother.certify(X[:5], output_radius=output_radius)
        return [
            smoother.predict(X[:5]),
            *(certificate.output_radius for certificate in curve),
            curve[0].smoothing_error,
            reach.input_radius,
        ]

    return results


def median(model, y):
    options = {"n_prediction": 100, "n_estimation": 200, "sigma": 0.5, "random_state": 0}
    smoother = MedianSmoothedRegressor(model, n_augment=1, **options).fit(X, y)

    def results():
        certificate = smoother.certify(X[:5], radius=0.1)
        return [certificate.prediction, certificate.lower, certificate.upper]

    return results


CASES = {
    "center of numbers": lambda: center(Ridge(), NUMBERS),
    "center of vectors": lambda: center(
        KNeighborsRegressor(), VECTORS, distance="angular", output_radius=0.5
    ),
    "center by groups": lambda: center(Ridge(), VECTORS, center="sample", group_size=2),
    "median of numbers": lambda: median(Ridge(), NUMBERS),
    "median of vectors": lambda: median(KNeighborsRegressor(), VECTORS),
}


@pytest.mark.parametrize("case", CASES)
def test_every_backend_gives_the_same_bits(case):
    results = CASES[case]()
    alone = results()
    for backend in BACKENDS:
        with joblib.parallel_config(backend, n_jobs=2):
            for got, wanted in zip(results(), alone):
                np.testing.assert_array_equal(got, wanted, err_msg=backend)


@pytest.fixture(scope="module")
def classifiers(digits):
    X, y = digits
    options = {"sigma": 0.3, "n_selection": 50, "n_estimation": 400, "random_state": 0}
    made = [
        SmoothedClassifier(RandomForestClassifier(5), batch_size=700, **options),
        SmoothedClassifier(LogisticRegression(max_iter=300), n_augment=2, **options),
    ]
    return [smoother.fit(X[:300], y[:300]) for smoother in made]


@pytest.mark.parametrize(
    "backend", [*BACKENDS[:2], pytest.param(BACKENDS[2], marks=pytest.mark.slow)]
)
def test_votes_are_those_of_one_worker(backend, classifiers, digits, monkeypatch):
    monkeypatch.setattr("sksmooth.engine._parallel._FEW_VALUES", 0)  # also little work is sent
    images, _ = digits
    for smoother in classifiers:
        rows, radius = images[500:520], np.full(20, 0.2)
        smoother.set_params(n_jobs=1)
        expected, decided = smoother.certify(rows), smoother.certify(rows, radius=radius)
        smoother.set_params(n_jobs=2)
        with joblib.parallel_config(backend=backend):
            assert smoother.certify(rows) == expected
            assert smoother.certify(rows, radius=radius) == decided
