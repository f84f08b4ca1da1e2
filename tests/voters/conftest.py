"""Fixtures of the tests of voters."""

import pytest
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def digits():
    """Some handwritten digits with pixels in [0, 1]."""
    X, y = load_digits(return_X_y=True)
    return X[:600] / 16, y[:600]
