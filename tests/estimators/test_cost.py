"""A fit that copies make expensive says so before it begins, and no other."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sksmooth import SmoothedClassifier
from sksmooth.estimators._cost import warn_of_costly_fit
from sksmooth.inputs._containers import read_inputs


def rows(m, d=1, dtype=np.uint8):
    """Rows that take no memory by themselves."""
    return read_inputs(np.broadcast_to(np.zeros((1, d), dtype), (m, d)), owner=None)


@pytest.mark.parametrize("model", [GaussianProcessClassifier(), SVC()], ids=repr)
def test_kernel_machines(model):
    for inner in (model, make_pipeline(StandardScaler(), model)):
        with pytest.warns(UserWarning, match="10 noisy copies of 6000 rows.* 100 times as much"):
            warn_of_costly_fit(inner, rows(6000), 10, stacklevel=1)
        warn_of_costly_fit(inner, rows(6000), 1, stacklevel=1)
        warn_of_costly_fit(inner, rows(900), 10, stacklevel=1)
    warn_of_costly_fit(LogisticRegression(), rows(60_000), 10, stacklevel=1)


def test_memory_of_the_copies():
    model = LogisticRegression()
    message = "60000 rows.* They take 3.5 GiB in float64, half of that for X in float32"
    with pytest.warns(UserWarning, match=message):
        warn_of_costly_fit(model, rows(60_000, 784), 10, stacklevel=1)
    warn_of_costly_fit(model, rows(60_000, 784, np.float32), 10, stacklevel=1)
    warn_of_costly_fit(model, rows(60_000, 784), 5, stacklevel=1)
    with pytest.warns(UserWarning, match=r"They take 3.5 GiB in float32\. Use a smaller n_aug"):
        warn_of_costly_fit(model, rows(60_000, 784, np.float32), 20, stacklevel=1)


def test_it_is_said_before_the_fit():
    class Untrainable(GaussianProcessClassifier):
        def fit(self, X, y):
            raise RuntimeError("fit has begun")

    X, y = np.arange(1200.0)[:, None], np.arange(1200) % 2
    Untrainable.__name__ = "GaussianProcessClassifier"
    with (
        pytest.warns(UserWarning, match="GaussianProcessClassifier takes memory or time"),
        pytest.raises(RuntimeError, match="fit has begun"),
    ):
        SmoothedClassifier(Untrainable()).fit(X, y)
