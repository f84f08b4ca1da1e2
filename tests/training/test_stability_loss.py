"""The loss of denoisers that keep the answers of a classifier."""

import numpy as np
import pytest
import skorch
import torch
from numpy.testing import assert_allclose
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from torch import nn

from sksmooth.noise import GaussianNoise
from sksmooth.training._stability_loss import StabilityLoss


@pytest.fixture(scope="module")
def net(digits):
    """Return a net, and rows."""
    X, y = digits[0].astype(np.float32), digits[1].astype(np.int64)
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    settings = {"criterion": nn.CrossEntropyLoss, "lr": 0.1, "verbose": 0, "train_split": None}
    return skorch.NeuralNetClassifier(layers, max_epochs=5, **settings).fit(X[:600], y[:600]), X


def test_loss_of_answers_is_restated(net):
    net, X = net
    loss = StabilityLoss(FrozenEstimator(net))
    assert list(loss.parameters()) == []
    clean = X[:40]
    noisy = clean + GaussianNoise(0.5).draw(40, (64,), np.random.default_rng(0), np.float32)
    net.module_.train()
    ours = loss(torch.as_tensor(noisy), torch.as_tensor(clean)).item()
    assert net.module_.training
    probabilities = net.predict_proba(noisy)[np.arange(40), net.predict(clean)]
    assert_allclose(ours, -np.log(probabilities).mean(), rtol=1e-5)


def test_what_has_no_gradients_is_refused():
    with pytest.raises(ValueError, match="gradients of a classifier in torch"):
        StabilityLoss(Ridge())


def test_layers_that_were_frozen_stay_frozen():
    """The classifier is put into evaluation mode for a while, and then back layer by layer."""
    classifier = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 2)).train()
    classifier[0].eval()
    StabilityLoss(classifier)(torch.ones(3, 4), torch.zeros(3, 4))
    assert [part.training for part in classifier.modules()] == [True, False, True]
