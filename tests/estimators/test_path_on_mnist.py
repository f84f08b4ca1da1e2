"""Certified angles of real images: how far, at what cost, and whether they hold."""

import time

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from sksmooth import SmoothedClassifier, certified_accuracy_score, certify_path
from sksmooth.transformations import LowPass, Rotation, Vignette

N_ROWS, N_STEPS = 50, 3000


def rotated(torch, images, angles):
    """Images turned by angles, for training."""
    turn = torch.zeros(len(images), 2, 3)
    turn[:, 0, 0], turn[:, 0, 1] = angles.cos(), -angles.sin()
    turn[:, 1, 0], turn[:, 1, 1] = angles.sin(), angles.cos()
    grid = torch.nn.functional.affine_grid(turn, images.shape, align_corners=True)
    return torch.nn.functional.grid_sample(images, grid, align_corners=True)


def trained(torch, X, y, sigma, before):
    """Small net, trained on rotated images with noise."""
    torch.manual_seed(0)
    nn = torch.nn
    net = nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 5, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(512, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.005, N_STEPS)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(N_STEPS):
        rows = torch.randint(0, len(X), (128,))
        images = rotated(torch, X[rows], (2 * torch.rand(128) - 1) * np.pi / 6)
        for step in before:
            images = torch.from_numpy(step.transform(images))
        noisy = images + sigma * torch.randn_like(images)
        loss = nn.functional.cross_entropy(net(noisy), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay.step()
    return net.eval()


@pytest.fixture(scope="module")
def mnist(real_data):
    found = []
    for part in ("train", "test"):
        with np.load(real_data / "images" / f"mnist_{part}.npz") as file:
            X = file["X"][:, None].astype(np.float32) / 255
            found += [X, file["y"].astype(np.int64)]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sigma", "rho", "filtered", "accuracy", "most_calls"),
    [(0.5, None, False, 0.7, 5500), (0.4, 0.24, True, 0.7, 3000)],
)
def test_angles_up_to_30_degrees(mnist, sigma, rho, filtered, accuracy, most_calls):
    import torch

    from sksmooth.nets import as_classifier

    X_train, y_train, X, y = mnist
    X, y = X[:: 10_000 // N_ROWS], y[:: 10_000 // N_ROWS]
    steps = [LowPass(1.0), Vignette()] if filtered else []
    before = [step.fit(X) for step in steps]
    model = as_classifier(trained(torch, X_train, y_train, sigma, before), classes=np.arange(10))
    smoother = SmoothedClassifier(FrozenEstimator(model), sigma=sigma, random_state=0).fit()
    fitted = make_pipeline(*before, smoother)
    began = time.process_time()
    found = certify_path(fitted, X, Rotation(30), rho=rho)
    seconds = (time.process_time() - began) / len(X)
    assert certified_accuracy_score(y, found, radius=30) >= accuracy
    assert np.median(found.n_draws) <= most_calls
    assert seconds <= 1.5  # a row, on one core
    # a dense sweep, with other draws
    other = make_pipeline(*before, smoother.for_scoring())
    for row in np.flatnonzero(~found.abstained):
        t = np.linspace(found.left[row], found.right[row], 41)
        images = Rotation(30).apply(np.repeat(X[[row]], len(t), axis=0), t)
        assert (other.predict(images) == found.prediction[row]).all()
