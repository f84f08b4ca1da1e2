"""Activations, networks, torch modules and skorch nets."""

from itertools import pairwise

import numpy as np
import pytest
from case_names import name_of_case
from scipy.special import erfc
from smooth_models import MOONS, climb, largest_curvature, rows_like, torch_modules

from sksmooth.smooth_scores import smooth_score
from sksmooth.smooth_scores._activations import ELU, GELU, LOGISTIC, SILU, SOFTPLUS, TANH, power
from sksmooth.smooth_scores._networks import NetworkScore

ACTIVATIONS = [TANH, LOGISTIC, SOFTPLUS, ELU, GELU, SILU, power(2), power(3), power(4)]
SUPREMA = {  # of the second derivative, over all of space
    "tanh": 4 / (3 * 3**0.5),
    "logistic": 1 / (6 * 3**0.5),
    "softplus": 0.25,
    "ELU": 1.0,
    "GELU": 2 / (2 * np.pi) ** 0.5,
    "SiLU": 0.5,
}


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: a.name)
def test_derivatives_are_differences(activation):
    z = np.linspace(-4, 4, 401) + 1e-3
    h = 1e-5
    for function, derivative in (
        (activation.value, activation.first),
        (activation.first, activation.second),
    ):
        difference = (function(z + h) - function(z - h)) / (2 * h)
        np.testing.assert_allclose(derivative(z), difference, atol=1e-7, rtol=1e-7)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: a.name)
def test_ranges_hold_on_a_grid_and_are_attained(activation):
    rng = np.random.default_rng(0)
    for _ in range(200):
        low, high = np.sort(rng.normal(size=(2, 1)) * 4, axis=0)
        grid = np.linspace(low[0], high[0], 2001)
        smallest, largest = activation.range_of_second(low, high)
        second = activation.second(grid)
        assert smallest[0] <= second.min() + 1e-15
        assert largest[0] >= second.max() - 1e-15
        if activation is not ELU or low[0] > 0 or high[0] < 0:  # it jumps at 0
            scale = np.abs(second).max()
            assert smallest[0] == pytest.approx(second.min(), abs=1e-3 * scale)
            assert largest[0] == pytest.approx(second.max(), abs=1e-3 * scale)
        first = np.abs(activation.first(grid)).max()
        assert activation.largest_first(low, high)[0] == pytest.approx(first, rel=1e-3)
        assert activation.largest_first(low, high)[0] >= first * (1 - 1e-15)


@pytest.mark.parametrize("activation", ACTIVATIONS[:6], ids=lambda a: a.name)
def test_suprema_over_all_of_space(activation):
    everywhere = np.array([-np.inf]), np.array([np.inf])
    smallest, largest = activation.range_of_second(*everywhere)
    assert max(-smallest[0], largest[0]) == pytest.approx(SUPREMA[activation.name], rel=1e-14)
    assert np.isfinite(activation.largest_first(*everywhere)[0])


def test_gelu_has_no_steps_where_it_is_nearly_zero():
    z = np.linspace(-12, -3, 1001)
    np.testing.assert_allclose(GELU.value(z), z * erfc(-z / 2**0.5) / 2, rtol=1e-12)
    near = -8 + 1e-7 * np.arange(100)
    assert (np.diff(GELU.value(near)) < 0).all()


def test_derivative_of_tanh_does_not_cancel():
    assert TANH.first(np.array([30.0]))[0] == pytest.approx(4 * np.exp(-60.0), rel=1e-12)


def random_network(rng, sizes, activation):
    layers = [(rng.normal(size=(b, a)) / a**0.5, rng.normal(size=b)) for a, b in pairwise(sizes)]
    out = rng.normal(size=(1, sizes[-1]))
    return NetworkScore(layers, [activation] * len(layers), out, rng.normal(size=1))


@pytest.mark.parametrize("sizes", [(3, 5), (3, 4, 3), (2, 3, 3, 2)], ids=name_of_case)
@pytest.mark.parametrize("activation", [TANH, SOFTPLUS, ELU, GELU, SILU], ids=lambda a: a.name)
def test_no_attack_exceeds_the_constant_of_a_random_network(sizes, activation):
    rng = np.random.default_rng(len(sizes))
    for _ in range(3):
        score = random_network(rng, sizes, activation)
        for norm in (1, 2, np.inf):
            constant = score.lipschitz(np.ones(1), norm)
            reached = climb(
                lambda Z, score=score, norm=norm: largest_curvature(score, np.ones(1), Z, norm),
                3 * rng.normal(size=(80, sizes[0])),
                rng,
                scale=1.0,
                steps=30,
            ).max()
            assert constant / (10 if len(sizes) == 2 else 150) < reached <= constant * (1 + 1e-6)


def test_affine_maps_go_into_the_first_layer():
    rng = np.random.default_rng(0)
    score = random_network(rng, (3, 5, 4), TANH)
    matrix, offset, X = rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=(20, 2))
    np.testing.assert_allclose(
        score.after(matrix, offset).value(X), score.value(X @ matrix.T + offset), rtol=1e-12
    )


@pytest.fixture(params=["softplus", "elu, one logit", "gelu, three classes", "silu and tanh"])
def module(request):
    return torch_modules()[request.param].eval()


def scores_of_torch(module, X):
    """Scores by torch, in float64: margin of two outputs, one logit, or all."""
    import torch

    layers = [layer for layer in module if type(layer).__name__ not in ("Softmax", "Sigmoid")]
    outputs = torch.nn.Sequential(*layers).double()(torch.as_tensor(X)).detach().numpy()
    return outputs[:, 1:] - outputs[:, :1] if outputs.shape[1] == 2 else outputs


def test_modules_are_read_into_networks(module):
    X = rows_like(MOONS[0], 100)
    score = smooth_score(module)
    assert isinstance(score, NetworkScore)
    np.testing.assert_allclose(score.value(X), scores_of_torch(module, X), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_no_attack_exceeds_the_constant_of_a_module(module, norm):
    score, rng = smooth_score(module), np.random.default_rng(0)
    weights = np.zeros(score.value(np.zeros((1, 2))).shape[1])
    weights[:2] = [1.0, -1.0][: len(weights)]
    reached = climb(
        lambda Z: largest_curvature(score, weights, Z, norm),
        rows_like(MOONS[0], 60, spread=3.0),
        rng,
        scale=1.0,
        steps=30,
    ).max()
    constant = score.lipschitz(weights, norm)
    assert constant / 30 < reached <= constant * (1 + 1e-6)


def test_a_module_of_another_kind_is_differentiated_automatically():
    import torch

    class Residual(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.last = torch.nn.Linear(2, 2), torch.nn.Linear(2, 3)

        def forward(self, x):
            return self.last(x.reshape(len(x), 2) + torch.tanh(self.inner(x.reshape(len(x), 2))))

    torch.manual_seed(0)
    module = Residual()
    score = smooth_score(module).for_inputs((1, 2))
    X, step = rows_like(MOONS[0], 20), 1e-6
    differences = [(score.value(X + e) - score.value(X - e)) / (2 * step) for e in step * np.eye(2)]
    np.testing.assert_allclose(score.gradient(X), np.stack(differences, 2), atol=1e-8)
    assert score.value(X).shape == (20, 3)
    assert next(module.parameters()).dtype == torch.float32  # the user's module is left alone
    with pytest.raises(ValueError, match="gradient_lipschitz="):
        score.lipschitz(np.ones(3), 2)


def test_kinks_and_coupled_rows_are_named():
    import torch

    nn = torch.nn
    relu = smooth_score(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)))
    with pytest.raises(ValueError, match=r"ReLU has kinks.*use Tanh, Softplus"):
        relu.lipschitz(np.ones(1), 2)
    batch = nn.BatchNorm1d(3, track_running_stats=False)
    coupled = smooth_score(nn.Sequential(nn.Linear(2, 3), batch, nn.Tanh(), nn.Linear(3, 2)))
    with pytest.raises(ValueError, match="couples the rows"):
        coupled.lipschitz(np.ones(1), 2)
    convolution = smooth_score(nn.Sequential(nn.Conv1d(1, 2, 2), nn.Tanh()))
    with pytest.raises(ValueError, match="Conv1d needs the shape of its inputs"):
        convolution.lipschitz(np.ones(1), 2)


def test_a_fitted_net_is_read():
    import skorch
    import torch

    X, y = MOONS
    nn = torch.nn
    net = skorch.NeuralNetClassifier(
        nn.Sequential(nn.Linear(2, 8), nn.Softplus(), nn.Linear(8, 2)),
        criterion=nn.CrossEntropyLoss,
        max_epochs=3,
        verbose=0,
    ).fit(X.astype(np.float32), y)
    score = smooth_score(net)
    assert isinstance(score, NetworkScore)
    assert np.array_equal(score.value(X)[:, 0] > 0, net.predict(X.astype(np.float32)) == 1)


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long double is double here")
def test_rounding_bounds_the_error_of_a_network_against_long_double():
    """Weights that are large, so that errors of the first layer matter."""
    rng = np.random.default_rng(0)
    first, bias, second = 30 * rng.normal(size=(8, 3)), rng.normal(size=8), rng.normal(size=(6, 8))
    layers = [(first, bias), (second, np.zeros(6))]
    score = NetworkScore(layers, [TANH, TANH], rng.normal(size=(1, 6)), np.zeros(1))
    X = rng.normal(size=(200, 3))
    z = X @ first.T.astype(np.longdouble) + bias
    last = np.tanh(z) @ second.T.astype(np.longdouble)
    value = np.tanh(last) @ score.out[0].astype(np.longdouble)
    back = (score.out[0] / np.cosh(last) ** 2) @ second.astype(np.longdouble)
    gradient = (back / np.cosh(z) ** 2) @ first.astype(np.longdouble)
    error = np.abs(score.value(X)[:, 0] - value).astype(float)
    of_gradient = np.abs(score.gradient(X)[:, 0] - gradient).sum(axis=1).astype(float)
    assert (error <= score.rounding(X)[:, 0]).all()
    assert (of_gradient <= score.gradient_rounding(X)[:, 0]).all()
    assert error.max() > 1e-5 * score.rounding(X).max()  # there is an error to bound
