"""Fixtures shared by all tests."""

import os
from pathlib import Path

import one_thread  # noqa: F401  (before numpy)
import pytest
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def digits():
    """Handwritten digits with pixels in [0, 1]."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@pytest.fixture(scope="session")
def iris():
    """Three kinds of flowers."""
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True)


@pytest.fixture(scope="session")
def two_classes(iris):
    """Return the two kinds of flowers that overlap."""
    X, y = iris
    return X[50:], y[50:]


@pytest.fixture(scope="session")
def real_data():
    """Folder of real data that is not part of the repository."""
    folder = os.environ.get("SKSMOOTH_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SKSMOOTH_DATA does not name the folder of real data")
    return Path(folder)


@pytest.fixture
def pyplot():
    """Return matplotlib without a screen; figures are closed afterwards."""
    from matplotlib import pyplot as plt

    plt.switch_backend("agg")
    yield plt
    plt.close("all")
