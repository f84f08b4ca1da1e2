"""Results do not depend on the workers: one thread, several, or other processes of any kind."""

import joblib
import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor

from sksmooth import CenterSmoothedRegressor, MedianSmoothedRegressor

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
