"""Trained modules whose outputs are numbers."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import is_regressor
from torch import nn

from sksmooth import CenterSmoothedRegressor, MedianSmoothedRegressor
from sksmooth.nets import TorchExecution, as_classifier, as_regressor
from sksmooth.nets._layouts import BlockedChain
from sksmooth.nets._module_regressor import in_evaluation_mode
from sksmooth.voters._direct import directly


@pytest.fixture(scope="module")
def images(digits):
    return digits[0].reshape(-1, 1, 8, 8).astype(np.float32)[:300]


@pytest.fixture(scope="module")
def autoencoder():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1), nn.Sigmoid()
    ).eval()


def outputs(module, X):
    with torch.no_grad():
        return module(torch.from_numpy(X)).numpy()


def test_outputs_are_those_of_the_module(autoencoder, images):
    model = as_regressor(autoencoder)
    assert is_regressor(model)
    assert_allclose(model.predict(images), outputs(autoencoder, images), rtol=1e-5, atol=1e-6)
    direct = directly(model)
    assert isinstance(direct.module, BlockedChain)
    assert_allclose(direct.predict(images), model.predict(images), rtol=1e-5, atol=1e-6)


def test_images_are_certified_by_center_smoothing(autoencoder, images):
    reg = CenterSmoothedRegressor(
        as_regressor(autoencoder), n_center=100, n_estimation=800, sigma=0.1, random_state=0
    )
    certificate = reg.fit(images).certify(images[:3], radius=0.05)
    assert certificate.prediction.shape == (3, 1, 8, 8)
    moved = images[:3] + np.float32(0.05 / 8)  # as far as the radius
    apart = np.linalg.norm((reg.predict(moved) - certificate.prediction).reshape(3, -1), axis=1)
    assert (apart <= certificate.output_radius).all()


def test_numbers_are_certified_by_median_smoothing():
    module = nn.Linear(3, 2).eval()
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    reg = MedianSmoothedRegressor(as_regressor(module), n_estimation=500, random_state=0).fit(X)
    certificate = reg.certify(X, radius=0.1)
    assert (certificate.lower <= outputs(module, X)).all()
    assert (certificate.upper >= outputs(module, X)).all()


class Returning(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, X):
        return self.function(X)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda X: (X, X), "returned a tuple; one tensor of outputs is needed"),
        (torch.sum, "one number for all rows"),
        (torch.fft.fft, "complex numbers"),
    ],
)
def test_what_is_no_array_of_real_numbers_is_refused(function, message):
    model = as_regressor(Returning(function).eval())
    with pytest.raises(ValueError, match=message):
        model.predict(np.ones((3, 2), np.float32))


def test_the_remedies_for_tuples_and_complex_numbers_work():
    X = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    first = Returning(lambda X: (2 * X, X)[0]).eval()
    assert_array_equal(as_regressor(first).predict(X), 2 * X)
    pairs = Returning(lambda X: torch.view_as_real(torch.fft.fft(X))).eval()
    assert as_regressor(pairs).predict(X).shape == (3, 4, 2)


def test_coarse_outputs_become_numbers_of_numpy(autoencoder, images):
    execution = TorchExecution(autocast=torch.bfloat16)
    coarse = as_regressor(autoencoder, device="cpu", execution=execution).predict(images[:9])
    assert coarse.dtype == np.float32
    assert_allclose(coarse, outputs(autoencoder, images[:9]), atol=0.05)


def test_what_is_refused_as_for_classifiers(autoencoder):
    with pytest.raises(TypeError, match=r"must be a torch.nn.Module, got function"):
        as_regressor(lambda X: X)
    with pytest.raises(ValueError, match=r"Call module.eval\(\) first"):
        as_regressor(nn.Sequential(nn.Dropout()).train())
    with pytest.raises(TypeError, match="must be a TorchExecution"):
        as_regressor(autoencoder, execution="fast")


def test_a_module_in_training_mode_is_copied():
    module = nn.Sequential(nn.Dropout(0.9), nn.Linear(2, 2)).train()
    model = in_evaluation_mode(module)
    assert module.training
    X = np.ones((5, 2), np.float32)
    assert_array_equal(model.predict(X), model.predict(X))
    still = module.eval()
    assert in_evaluation_mode(still).module is still


def test_an_output_that_is_not_a_number_is_returned():
    module, X = Returning(lambda X: torch.log(X).expand(-1, 2)).eval(), np.array([[1.0], [-1.0]])
    assert np.isnan(as_regressor(module).predict(X)[1]).all()
    with pytest.raises(ValueError, match="NaN for row 1"):  # which no class has won
        as_classifier(module, classes=[0, 1]).predict(X)
