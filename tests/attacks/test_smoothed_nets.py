"""The attack on smoothed nets: it stays in its ball, finds what there is, and breaks no proof."""

import numpy as np
import pytest
import skorch
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import binom
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from torch import nn

from sksmooth import DSSNClassifier, LocallyBiasedSmoother, SmoothedClassifier
from sksmooth.attacks import attack_smoothed
from sksmooth.nets import as_classifier
from sksmooth.noise import LaplaceNoise, SplittingNoise
from sksmooth.training import RobustNetClassifier

WEIGHTS = np.array([[1.0, -2.0, 0.5, 0.0], [-1.0, 1.0, 0.3, 3.0]], np.float32)


def linear_module():
    module = nn.Linear(4, 2).eval()
    with torch.no_grad():
        module.weight.copy_(torch.as_tensor(WEIGHTS))
        module.bias.zero_()
    return module


def linear_smoother(classes=(0, 1), **params):
    X, y = np.zeros((4, 4), np.float32), np.resize(classes, 4)
    clf = SmoothedClassifier(as_classifier(linear_module(), classes=classes), **params)
    return clf.fit(X, y)


def rows(m=20):
    return np.random.default_rng(0).uniform(0.2, 0.8, size=(m, 4)).astype(np.float32)


def sizes(attacked, X, norm):
    return np.linalg.norm((attacked.astype(float) - X).reshape(len(X), -1), norm, axis=1)


@pytest.mark.parametrize("norm", [2, np.inf])
@pytest.mark.parametrize("noise", ["gaussian", LaplaceNoise(0.25), SplittingNoise(0.25)])
def test_a_linear_score_is_lowered_as_far_as_can_be(norm, noise):
    X, y = rows(), np.resize([0, 1], 20)
    attacked = attack_smoothed(linear_smoother(noise=noise), X, y, radius=0.3, norm=norm)
    down = np.where(y == 0, 1, -1)[:, None] * (WEIGHTS[1] - WEIGHTS[0])
    best = np.sign(down) if norm == np.inf else down / np.linalg.norm(down, axis=1, keepdims=True)
    assert_allclose(attacked - X, 0.3 * best, atol=1e-5)


@pytest.mark.parametrize("norm", [2, np.inf])
@pytest.mark.parametrize("radius", [0.0, 1e-9, 0.01, 0.37, 5.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_row_leaves_its_ball_by_a_single_digit(norm, radius, dtype):
    X = 100 * rows(200).astype(dtype)  # rounded to 4e-6 in float32
    before, y = X.copy(), np.resize([0, 1], 200)
    attacked = attack_smoothed(linear_smoother(), X, y, radius=radius, norm=norm)
    assert attacked.dtype == dtype
    assert sizes(attacked, X, norm).max() <= radius
    assert_array_equal(X, before)
    if radius >= 0.01:
        assert sizes(attacked, X, norm).max() > 0.99 * radius


@pytest.mark.parametrize("norm", [2, np.inf])
def test_bounds_hold(norm):
    X, y = rows(), np.resize([0, 1], 20)
    attacked = attack_smoothed(
        linear_smoother(), X, y, radius=1.0, norm=norm, bounds=(0.1, 0.8), n_noise=2
    )
    assert attacked.min() == np.float32(0.1)
    assert attacked.max() == np.float32(0.8)
    assert sizes(attacked, X, norm).max() <= 1.0


def test_labels_are_those_of_the_module():
    """The same rows and module, with names for the outputs that are not in order."""
    X, y = rows(), np.resize([0, 1], 20)
    plain = attack_smoothed(linear_smoother(), X, y, radius=0.3, random_state=0)
    names = np.array(["b", "a"])
    named = attack_smoothed(linear_smoother(names), X, names[y], radius=0.3, random_state=0)
    assert_array_equal(plain, named)


@pytest.fixture(scope="module")
def digit_smoother(digits):
    """Return a smoothed net, and rows that it has not seen."""
    X, y = digits[0].astype(np.float32), digits[1].astype(np.int64)
    torch.manual_seed(0)
    net = RobustNetClassifier(
        nn.Sequential(nn.Linear(64, 32), nn.Dropout(0.1), nn.ReLU(), nn.Linear(32, 10)),
        method="consistency",
        method__weight=3.0,
        lr=0.1,
        optimizer__momentum=0.9,
        max_epochs=15,
        train_split=None,
        verbose=0,
        random_state=0,
    )
    clf = SmoothedClassifier(net, sigma=0.5, n_estimation=2000, random_state=0)
    return clf.fit(X[:1200], y[:1200]), X[1200:1500], y[1200:1500]


def n_refuted(clf, certificate, X, radius):
    """Inputs, certified at a radius, whose attack moves the majority beyond chance.

    Fresh draws count how often the certified label loses; a label that has the majority loses as
    often with a probability below one in a million.
    """
    held = certificate.radius >= radius
    attacked = attack_smoothed(
        clf, X[held], certificate.prediction[held], radius=radius, random_state=1
    )
    draws = np.random.default_rng(5).standard_normal((len(attacked), 400, 64), np.float32)
    noisy = attacked[:, None] + 0.5 * draws
    votes = clf.estimator_.predict(noisy.reshape(-1, 64)).reshape(len(attacked), 400)
    kept = (votes == certificate.prediction[held][:, None]).sum(axis=1)
    return held.sum(), (binom.cdf(kept, 400, 0.5) < 1e-6).sum()


def test_no_proof_is_broken_and_beyond_the_proof_much_is(digit_smoother):
    clf, X, _ = digit_smoother
    certificate = clf.certify(X)
    for radius in (0.2, 0.5):
        n_certified, refuted = n_refuted(clf, certificate, X, radius)
        assert n_certified > 50, radius
        assert refuted == 0, radius
    # control: the same count, for radii that were not proven
    too_large = type(certificate)(**{**vars(certificate), "radius": 4 * certificate.radius})
    n_certified, refuted = n_refuted(clf, too_large, X, 1.5)
    assert refuted > 0.3 * n_certified > 30


def test_the_smoothed_net_falls_further_than_under_chance(digit_smoother):
    clf, X, y = digit_smoother
    attacked = attack_smoothed(clf, X, y, radius=1.0, random_state=0)
    step = np.random.default_rng(0).standard_normal(X.shape).astype(np.float32)
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    right = [np.mean(clf.predict(rows) == y) for rows in (X, X + step, attacked)]
    assert right[0] > 0.8
    assert right[1] > right[0] - 0.1
    assert right[2] < right[0] - 0.4


def test_no_seed_takes_fresh_entropy_and_leaves_shared_generators_alone(digit_smoother):
    clf, X, y = digit_smoother
    found = []
    for _ in range(2):
        np.random.seed(3)  # noqa: NPY002 (the generator that all code shares)
        torch.manual_seed(3)
        found.append(attack_smoothed(clf, X[:9], y[:9], radius=0.3, n_noise=1, n_steps=1))
        numbers = np.random.rand(), float(torch.rand(1))  # noqa: NPY002
        np.random.seed(3)  # noqa: NPY002
        torch.manual_seed(3)
        assert numbers == (np.random.rand(), float(torch.rand(1)))  # noqa: NPY002
    assert (found[0] != found[1]).any()


def test_same_seed_same_rows_and_nothing_else_moves(digit_smoother):
    clf, X, y = digit_smoother
    module = clf.estimator_.module_.train()
    weights = [weight.clone() for weight in module.parameters()]
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second, other = (
        attack_smoothed(clf, X[:70], y[:70], radius=0.5, n_noise=4, n_steps=3, random_state=seed)
        for seed in (0, 0, 1)
    )
    assert torch.rand(1) == expected
    assert_array_equal(first, second)  # so dropout is off
    assert (first != other).any()
    assert module.training
    for weight, before in zip(module.parameters(), weights, strict=True):
        assert torch.equal(weight, before)


def test_nets_whose_module_gives_probabilities(digits):
    """In skorch that is the default; the attack sees the same probabilities as `predict_proba`."""
    X, y = digits[0][:300].astype(np.float32), digits[1][:300].astype(np.int64)
    net = skorch.NeuralNetClassifier(
        nn.Sequential(nn.Linear(64, 10), nn.Softmax(dim=-1)), verbose=0, train_split=None, lr=0.1
    )
    clf = SmoothedClassifier(net, sigma=0.1, n_estimation=100, random_state=0).fit(X, y)
    attacked = attack_smoothed(clf, X, y, radius=0.5, n_noise=4, n_steps=5, random_state=0)
    before, after = (
        clf.estimator_.predict_proba(rows)[np.arange(300), y] for rows in (X, attacked)
    )
    assert np.mean(after < before) > 0.99


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"radius": -1.0}, "radius must be finite and not negative"),
        ({"radius": np.inf}, "radius must be finite and not negative"),
        ({"norm": 1}, "norm must be 2 or numpy.inf"),
        ({"n_steps": 0}, "n_steps must be a whole number"),
        ({"n_noise": 2.5}, "n_noise must be a whole number"),
        ({"batch_size": 0}, "batch_size must be a whole number"),
        ({"bounds": (0.5, 1.0)}, "X has values outside of bounds"),
        ({"y": [7] * 20}, "labels that the net does not know"),
        ({"y": [0, 1]}, "inconsistent numbers of samples"),
    ],
)
def test_what_cannot_work_is_refused(params, message):
    params = {"radius": 0.5, "y": np.resize([0, 1], 20), **params}
    with pytest.raises(ValueError, match=message):
        attack_smoothed(linear_smoother(), rows(), **params)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_models_without_gradients_are_refused(digits):
    X, y = digits[0][:200], digits[1][:200]
    clf = SmoothedClassifier(LogisticRegression(max_iter=50, tol=0.1), n_augment=1).fit(X, y)
    with pytest.raises(ValueError, match="Wrap a torch module by as_classifier"):
        attack_smoothed(clf, X, y, radius=0.1)
    with pytest.raises(ValueError, match="indices of classes"):
        attack_smoothed(_skorch_smoother(X, y), X.astype(np.float32), y.astype(str), radius=0.1)


def _skorch_smoother(X, y):
    net = RobustNetClassifier(nn.Linear(64, 10), verbose=0, train_split=None, max_epochs=1)
    return SmoothedClassifier(net).fit(X.astype(np.float32), y.astype(np.int64))


@pytest.mark.parametrize("kind", [DSSNClassifier, LocallyBiasedSmoother])
def test_smoothers_without_random_noise_are_refused(kind):
    X, y = np.round(rows() * 255) / 255, np.resize([0, 1], 20)
    smoother = kind(as_classifier(linear_module(), classes=[0, 1])).fit(X, y)
    with pytest.raises(ValueError, match=r'which \w+ does not.*noise="splitting"'):
        attack_smoothed(smoother, X, y, radius=0.1)
    with pytest.raises(NotFittedError):
        attack_smoothed(kind(), X, y, radius=0.1)
