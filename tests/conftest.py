"""One thread for each numerical library, and fixtures that tests share."""

import os
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

# Threads that wait for cores which others use make the suite many times slower. Libraries that are
# imported from here on, also by processes that tests start, read the environment.
for library in ("BLIS", "MKL", "OMP", "OPENBLAS"):
    os.environ[f"{library}_NUM_THREADS"] = "1"
os.environ["VECLIB_MAXIMUM_THREADS"] = "1"
threadpool_limits(limits=1)  # those that are imported already


@pytest.fixture(scope="session")
def digits():
    """Handwritten digits with pixels in [0, 1]."""
    from sklearn.datasets import load_digits

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
