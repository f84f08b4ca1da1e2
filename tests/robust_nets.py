"""Small nets that are about to train, for the tests of training."""

import numpy as np
import torch
from torch import nn

from sksmooth.training import RobustNetClassifier

# Parameters of the methods with which they are quick.
QUICK = {
    "gaussian": {},
    "stability": {},
    "consistency": {},
    "macer": {"method__n_noise": 4},
    "smoothadv": {"method__n_noise": 2, "method__n_steps": 3, "method__warmup_epochs": 1},
    "smoothmix": {"method__n_steps": 3},
}


def linear_net(method="gaussian", **params):
    torch.manual_seed(0)
    params = {"train_split": None, "verbose": 0, "max_epochs": 1, "random_state": 0, **params}
    return RobustNetClassifier(nn.Linear(5, 3), method=method, **params)


def ready(method, dtype=torch.float64, **params):
    """Return a net that is about to train, and a batch."""
    net = linear_net(method, **params).initialize()
    net.module_.to(dtype)
    net.check_training_readiness()
    rng = np.random.default_rng(0)
    X = torch.as_tensor(rng.normal(size=(20, 5)), dtype=dtype)
    return net, X, torch.as_tensor(rng.integers(3, size=20))
