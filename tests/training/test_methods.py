"""Losses of robust training against restated formulas."""

import math
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from robust_nets import QUICK, ready
from scipy.special import log_softmax, softmax
from scipy.stats import norm as normal

from sksmooth.training._methods import METHODS

AT_ONCE = {"method__n_steps": 4, "method__radius": 0.5, "method__warmup_epochs": 1}


def parts_and_noise(net, X, y):
    """Parts of the loss, and the noise that was drawn for them, as arrays."""
    drawn = []

    def recording(X, n_noise):
        drawn.extend(type(net).noises(net, X, n_noise))
        return drawn[-n_noise:]

    net.noises = recording
    parts, _ = net.method_loss(X, y)
    parts = {name: float(value.detach()) for name, value in parts.items()}
    return parts, np.stack([draws.numpy() for draws in drawn])


def array(X):
    return X.numpy() if isinstance(X, torch.Tensor) else X


def scores(net, X):
    weight, bias = (value.detach().numpy() for value in net.module_.parameters())
    return array(X) @ weight.T + bias


def cross_entropy(logits, y):
    return -np.take_along_axis(log_softmax(logits, -1), array(y)[:, None], 1).mean()


def test_gaussian_loss():
    net, X, y = ready("gaussian", method__n_noise=3)
    parts, noise = parts_and_noise(net, X, y)
    expected = np.mean([cross_entropy(scores(net, array(X) + z), y) for z in noise])
    assert_allclose(parts["class_loss"], expected)


def test_stability_loss():
    net, X, y = ready("stability")
    parts, (noise,) = parts_and_noise(net, X, y)
    clean, noisy = scores(net, X), scores(net, array(X) + noise)
    assert_allclose(parts["class_loss"], cross_entropy(clean, y))
    change = -(softmax(clean, 1) * log_softmax(noisy, 1)).sum(1).mean()
    assert_allclose(parts["stability_loss"], 2 * change)


def test_consistency_loss():
    net, X, y = ready("consistency", method__n_noise=3)
    parts, noise = parts_and_noise(net, X, y)
    p = softmax(np.stack([scores(net, array(X) + z) for z in noise]), -1)
    mean = p.mean(0)
    divergence = np.mean([(mean * np.log(mean / one)).sum(1) for one in p])
    entropy = -(mean * np.log(mean)).sum(1).mean()
    assert_allclose(parts["consistency_loss"], 10 * divergence)
    assert_allclose(parts["entropy_loss"], 0.5 * entropy)


@pytest.mark.parametrize("gamma", [8.0, 0.4])
def test_macer_loss(gamma):
    net, X, y = ready("macer", method__n_noise=6, method__beta=2.0, method__gamma=gamma, sigma=0.5)
    parts, noise = parts_and_noise(net, X, y)
    logits = np.stack([scores(net, array(X) + z) for z in noise])
    right = softmax(logits, -1).mean(0)[np.arange(20), y]
    assert_allclose(parts["class_loss"], -np.log(right).mean())
    lack = []
    for votes, label in zip(softmax(2.0 * logits, -1).mean(0), array(y), strict=True):
        second, first = np.sort(votes)[-2:]
        wins = votes.argmax() == label
        lack.append(wins * max(0, gamma - (normal.ppf(first) - normal.ppf(second))))
    assert 0 < np.count_nonzero(lack) < 20
    assert_allclose(parts["radius_loss"], 12 * 0.5 / 2 * np.mean(lack))


def test_macer_leaves_the_radius_out_at_first():
    net, X, y = ready("macer", method__n_noise=6, method__deferred_epochs=2)
    found = []
    for _ in range(4):
        net.history.new_epoch()
        parts, _ = net.method_loss(X, y)
        found.append((parts["class_loss"].item() > 0, parts["radius_loss"].item() > 0))
    assert found == [(True, False)] * 2 + [(True, True)] * 2


def ascent(net, X, y, noise, step, n_steps, radius=math.inf):
    """Restate the ascent for a linear net, with the gradient written out."""
    weight = net.module_.weight.detach().numpy()
    X, y, path = array(X), array(y), [array(X)]
    for _ in range(n_steps):
        p = softmax(np.stack([scores(net, path[-1] + z) for z in noise]), -1)
        right = p[:, np.arange(len(y)), y]
        of_log = weight[y][None] - p @ weight  # gradient of log p_y
        gradient = -(right[:, :, None] * of_log).mean(0) / right.mean(0)[:, None]
        ahead = path[-1] + step * gradient / np.linalg.norm(gradient, axis=1, keepdims=True)
        size = np.linalg.norm(ahead - X, axis=1, keepdims=True)
        path.append(X + (ahead - X) * np.minimum(1, radius / size))
    return path


def test_smoothadv_loss():
    net, X, y = ready("smoothadv", **AT_ONCE, method__n_noise=3)
    parts, noise = parts_and_noise(net, X, y)
    attacked = ascent(net, X, y, noise, 2 * 0.5 / 4, 4, radius=0.5)[-1]
    assert np.abs(np.linalg.norm(attacked - array(X), axis=1) - 0.5).max() < 1e-9
    expected = np.mean([cross_entropy(scores(net, attacked + z), y) for z in noise])
    assert_allclose(parts["class_loss"], expected)


def test_smoothadv_radius_grows_over_the_first_epochs():
    net, X, y = ready("smoothadv", method__warmup_epochs=4, method__radius=2.0)
    with torch.no_grad():
        found = net.method_.search(net, X, y, net.noises(X, 2))
    assert_allclose((found - X).norm(dim=1).numpy(), 0.5)


def test_ddn_finds_smaller_perturbations_than_the_ball():
    params = {"method__radius": 3.0, "method__n_steps": 60, "method__n_noise": 1, "sigma": 1e-9}
    params |= {"method__warmup_epochs": 1, "method__init_norm": 1.0}
    net, X, y = ready("smoothadv", method__attack="ddn", **params)
    found = net.method_.search(net, X, y, net.noises(X, 1))
    weight, values = net.module_.weight.detach().numpy(), scores(net, X)
    labels = array(y)
    lead = np.take_along_axis(values, labels[:, None], 1) - values
    others = np.linalg.norm(weight[labels][:, None] - weight[None], axis=-1)
    others[np.arange(20), labels] = np.inf
    lead[np.arange(20), labels] = np.inf
    distance = np.maximum(lead / np.where(np.isinf(others), 1, others), 0).min(1)
    size = (found - X).norm(dim=1).numpy()
    near = (distance > 0.1) & (distance < 2)
    assert near.sum() > 3
    assert (size[near] >= distance[near] * (1 - 1e-6)).all()  # no perturbation is smaller
    assert (size[near] < 1.25 * distance[near] + 0.1).all()
    assert_allclose(size[distance == 0], 0)


def test_smoothmix_loss():
    net, X, y = ready("smoothmix", method__n_steps=3, method__step=0.4, method__warmup_epochs=2)
    drawn = []
    net.uniform = lambda n, X: drawn.append(type(net).uniform(net, n, X)) or drawn[-1]
    parts, noise = parts_and_noise(net, X, y)
    end = ascent(net, X, y, noise, 0.4, 3)[-1]
    weight = np.asarray(drawn[0])[:, None] / 2
    mean = softmax(np.stack([scores(net, array(X) + z) for z in noise]), -1).mean(0)
    target = (1 - weight) * mean + weight / 3
    mixed = (1 - weight) * array(X) + weight * end
    divergence = np.mean(
        [
            (mean.argmax(1) == array(y))
            * (target * (np.log(target) - log_softmax(scores(net, mixed + z), -1))).sum(1)
            for z in noise
        ]
    )
    assert_allclose(parts["mix_loss"], 5 * 0.5 * divergence)
    expected = np.mean([cross_entropy(scores(net, array(X) + z), y) for z in noise])
    assert_allclose(parts["class_loss"], expected)


@pytest.mark.parametrize("sigma", [0.25, 0.5])
def test_smoothmix_takes_steps_of_twice_sigma(sigma):
    """As the published runs for CIFAR-10 do."""
    net, X, y = ready("smoothmix", sigma=sigma)
    noises = net.noises(X, 2)
    path = ascent(net, X, y, [draws.numpy() for draws in noises], 2 * sigma, 4)
    assert_allclose(net.method_._ends(net, X, y, noises, 1.0)[1].numpy(), path[-1])


@pytest.mark.parametrize("method", METHODS)
def test_gradient_of_the_step_is_that_of_the_loss(method):
    """A search for inputs leaves no gradient behind, and turns the net back to training."""
    net, X, y = ready(method, **QUICK[method])
    rng = pickle.dumps(net.noise_rng_)
    step = net.train_step_single((X, y))
    assert net.module_.training
    assert_allclose(step["loss"].item(), sum(value.item() for value in step["parts"].values()))
    assert step["y_pred"].shape == (20, 3)
    assert tuple(step["parts"]) == net.method_.columns
    if method == "smoothadv" or method == "smoothmix":
        return  # where inputs move with the weights, which no gradient follows
    index = net.module_.bias.detach().numpy().size - 1
    change = 1e-6
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            net.module_.bias[index] += sign * change
        net.noise_rng_ = pickle.loads(rng)
        values.append(sum(net.method_loss(X, y)[0].values()).item())
        with torch.no_grad():
            net.module_.bias[index] -= sign * change
    derivative = (values[0] - values[1]) / (2 * change)
    assert_allclose(net.module_.bias.grad[index].item(), derivative, rtol=1e-4, atol=1e-7)
