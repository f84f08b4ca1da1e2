"""Median smoothing holds a bounded number of outputs, however large they are and however many."""

import subprocess
import sys
import textwrap

import pytest

JOB = """
    import sys
    from pathlib import Path

    import numpy as np
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.frozen import FrozenEstimator

    from sksmooth import MedianSmoothedRegressor

    class Wide(RegressorMixin, BaseEstimator):
        def fit(self, X, y=None):
            return self

        def __sklearn_is_fitted__(self):
            return True

        def predict(self, X):
            return X[:, :1] * np.linspace(-1, 1, 6000)

    def kilobytes(entry):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(entry)).split()[1])

    X, n = np.zeros((2, 3)), 6000
    smoother = MedianSmoothedRegressor(FrozenEstimator(Wide()), sigma=1.0, n_prediction=n)
    smoother.set_params(n_estimation=n, random_state=0).fit(X)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of what came before
    before = kilobytes("VmRSS")
    if sys.argv[1] == "hold":
        sampler = smoother._sampler(smoother._read(X))
        sampler.answer(lambda outputs: outputs.take(n).sum())
    else:
        smoother.certify(X, radius=0.3)
    print((kilobytes("VmHWM") - before) / 1024)
"""


def megabytes(job):
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(JOB), job],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(run.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_does_not_grow_with_the_outputs():
    """All outputs of one input are 275 MB; the control holds them."""
    assert megabytes("certify") < 200 < megabytes("hold")
