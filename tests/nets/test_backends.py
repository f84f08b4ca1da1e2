"""The votes of modules are the same in threads, and in processes of every kind."""

import numpy as np
import pytest
import torch
from joblib import parallel_config
from numpy.testing import assert_array_equal
from torch import nn

from sksmooth import MedianSmoothedRegressor, SmoothedClassifier
from sksmooth.nets import as_classifier, as_regressor


def convolutions():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))


def layers():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.Tanh(), nn.Linear(20, 3))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).normal(size=(40, 1, 8, 8)).astype(np.float32)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
@pytest.mark.parametrize("structure", ["auto", "off"])
@pytest.mark.parametrize("make", [convolutions, layers])
def test_votes_are_those_of_one_worker(make, structure, backend, images):
    torch.manual_seed(0)
    net = make().eval()
    y = net(torch.from_numpy(images)).argmax(dim=1).numpy()
    options = {"sigma": 1.0, "n_estimation": 300, "batch_size": 64, "random_state": 0}
    model = as_classifier(net, classes=range(3))
    clf = SmoothedClassifier(model, structure=structure, **options).fit(images, y)
    expected = clf.certify(images[:12])
    assert expected.counts.min(axis=0).max() < 300  # the votes differ
    with parallel_config(backend=backend, n_jobs=2):
        certificate = clf.certify(images[:12])
    assert_array_equal(certificate.counts, expected.counts)
    assert_array_equal(certificate.radius, expected.radius)


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_outputs_are_those_of_one_worker(backend, images):
    torch.manual_seed(0)
    model = as_regressor(convolutions().eval())
    reg = MedianSmoothedRegressor(model, n_estimation=300, batch_size=64, random_state=0)
    expected = reg.fit(images).certify(images[:6], radius=0.1)
    with parallel_config(backend=backend, n_jobs=2):
        certificate = reg.certify(images[:6], radius=0.1)
    for name in ("prediction", "lower", "upper"):
        assert_array_equal(getattr(certificate, name), getattr(expected, name))
