"""Certifying needs little memory beyond the model and X, whatever the number of draws."""

import subprocess
import sys
import textwrap

import pytest

JOB = """
    import sys, warnings
    from pathlib import Path
    import numpy as np
    from sklearn.frozen import FrozenEstimator
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC
    from sksmooth import SmoothedClassifier

    def kilobytes(entry):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(entry)).split()[1])

    warnings.simplefilter("ignore")
    name, structure = sys.argv[1:3]
    n_rows, n_features, n_draws, *batch_size = map(int, sys.argv[3:])
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n_rows, n_features)), np.arange(n_rows) % 3
    if name == "net":
        from torch import nn
        from sksmooth.nets import as_classifier

        X = X.astype(np.float32)
        layers = nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2)
        layers = nn.Unflatten(1, (1, 28, 28)), *layers, nn.Flatten(), nn.Linear(4608, 3)
        model = as_classifier(nn.Sequential(*layers).eval(), classes=range(3))
    else:
        model = {
            "logistic": LogisticRegression(max_iter=2),
            "mlp": MLPClassifier((100,), max_iter=2),
            "svc": SVC(gamma=1e-3),
            "knn": KNeighborsClassifier(),
        }[name].fit(X[:300], y[:300])
    clf = SmoothedClassifier(
        FrozenEstimator(model), structure=structure, sigma=0.5, n_estimation=n_draws
    ).fit(X[:300], y[:300])
    clf.set_params(n_estimation=1000).certify(X[:2])  # libraries take their own memory first
    model.predict(X[:20])
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of what came before
    before = kilobytes("VmRSS")
    if batch_size:
        clf.set_params(batch_size=batch_size[0])
    clf.set_params(n_estimation=n_draws).certify(X)
    print((kilobytes("VmHWM") - before) / 1024)
"""


def megabytes(*job):
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(JOB), *map(str, job)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(run.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    "job",
    [
        ("logistic", "auto", 2000, 784, 20_000),
        ("logistic", "off", 500, 784, 1000),
        ("mlp", "auto", 300, 3072, 10_000),
        ("mlp", "off", 300, 3072, 200),
        ("svc", "auto", 300, 784, 1000),
        ("knn", "auto", 300, 784, 1000),
        ("net", "auto", 300, 784, 100),
        pytest.param(("net", "off", 300, 784, 40), marks=pytest.mark.slow),
    ],
    ids=lambda job: "-".join(map(str, job)),
)
def test_memory_beyond_model_and_rows(job):
    assert megabytes(*job) < 64


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_measurement_notices_large_calls():
    assert megabytes("logistic", "off", 500, 784, 1000, 50_000) > 64
