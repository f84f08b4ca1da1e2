"""A convolutional autoencoder on real images, as in the experiments of the paper."""

import numpy as np
import pytest

from sksmooth import CenterSmoothedRegressor
from sksmooth.distances import TotalVariation


@pytest.mark.slow
@pytest.mark.parametrize("distance", ["angular", TotalVariation(channel_axis=0)])
def test_an_autoencoder_of_mnist(real_data, distance):
    import skorch
    import torch

    with np.load(real_data / "images" / "mnist_train.npz") as mnist:
        images = mnist["X"][:2000].reshape(-1, 1, 28, 28).astype(np.float32) / 255
    torch.manual_seed(0)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 4, stride=4),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(392, 16),
        torch.nn.Linear(16, 392),
        torch.nn.ReLU(),
        torch.nn.Unflatten(1, (8, 7, 7)),
        torch.nn.ConvTranspose2d(8, 1, 4, stride=4),
    )
    net = skorch.NeuralNetRegressor(
        layers,
        max_epochs=8,
        optimizer=torch.optim.Adam,
        lr=0.003,
        verbose=0,
        train_split=None,
    )
    smoother = CenterSmoothedRegressor(
        net,
        distance=distance,
        sigma=0.2,
        n_center=500,
        n_estimation=2000,
        n_augment=1,
        random_state=0,
    ).fit(images, images)
    test = images[:4]
    certificate = smoother.certify(test, radius=0.2)
    rng = np.random.default_rng(0)
    for _ in range(3):
        step = rng.normal(size=test.shape).astype(np.float32)
        step *= 0.2 / np.linalg.norm(step.reshape(len(test), -1), axis=1)[:, None, None, None]
        moved = smoother.predict(test + step)
        for before, after, bound in zip(certificate.prediction, moved, certificate.output_radius):
            assert smoother.distance_(after[None], before)[0] <= bound
    apart = smoother.distance_(certificate.prediction[1:], certificate.prediction[0])
    assert np.median(certificate.output_radius) < np.median(apart)
