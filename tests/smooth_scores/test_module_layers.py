"""Convolutions, pooling and other layers on images: read as torch applies them, and bounded."""

import numpy as np
import pytest
import torch
from case_names import name_of_case
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator

from sksmooth import LocallyBiasedSmoother
from sksmooth.attacks import project, projected_gradient, towards_points
from sksmooth.smooth_scores import _matrix_norms, smooth_score
from sksmooth.smooth_scores._matrix_norms import ScaledNorms
from sksmooth.smooth_scores._networks import NetworkScore

nn = torch.nn

NORMS = [1, 2, np.inf]
DUAL = {1: np.inf, 2: 2, np.inf: 1}


def normed(n_channels):
    layer = nn.BatchNorm2d(n_channels)
    layer.running_mean[:] = torch.randn(n_channels)
    layer.running_var[:] = torch.rand(n_channels) + 0.5
    return layer


def modules():
    """Modules, with the shape of their inputs."""
    torch.manual_seed(0)
    head = nn.Flatten(), nn.LazyLinear(2)
    return {
        "strides": ((1, 6, 6), [nn.Conv2d(1, 3, 3, stride=2), nn.Softplus(), *head]),
        "two convolutions": (
            (2, 5, 5),
            [
                nn.Conv2d(2, 4, 3, padding=1),
                nn.Tanh(),
                nn.Conv2d(4, 4, 3, groups=2, dilation=2, bias=False),
                nn.Softplus(beta=2),
                nn.Flatten(),
                nn.LazyLinear(3),
            ],
        ),
        "circular": (
            (1, 4, 5),
            [nn.Conv2d(1, 2, (3, 2), padding="same", padding_mode="circular"), nn.SiLU(), *head],
        ),
        "pooling": (
            (2, 6, 6),
            [
                nn.Conv2d(2, 3, 3, padding=1),
                normed(3),
                nn.Tanh(),
                nn.Dropout2d(),
                nn.AvgPool2d(3, stride=2, padding=1),
                nn.Conv2d(3, 2, 2),
                nn.GELU(),
                nn.AdaptiveAvgPool2d(2),
                nn.Flatten(),
                nn.LazyLinear(1),
                nn.Sigmoid(),
            ],
        ),
        "signals": (
            (2, 9),
            [
                nn.Conv1d(2, 3, 4, stride=2, padding=2, padding_mode="reflect"),
                nn.BatchNorm1d(3).eval(),
                nn.Tanh(),
                nn.AvgPool1d(2),
                nn.Linear(2, 2),
                nn.ELU(),
                *head,
                nn.Softmax(dim=1),
            ],
        ),
        "unflattened": (
            (16,),
            [nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 2, 2), nn.Tanh(), *head],
        ),
        "affine": ((1, 4, 4), [nn.AvgPool2d(2), nn.Conv2d(1, 2, 2), nn.Flatten()]),
    }


def made(name):
    shape, layers = modules()[name]
    module = nn.Sequential(*layers).eval()
    module(torch.zeros(1, *shape))  # sizes of lazy layers
    return module.double(), shape


NAMES = [*modules()]


def score_of_images(name):
    module, shape = made(name)
    return smooth_score(module).for_inputs(shape), module, shape


def margins_of_torch(module, X, shape):
    """Margin of two outputs, one logit, or all outputs."""
    layers = [layer for layer in module if not isinstance(layer, (nn.Softmax, nn.Sigmoid))]
    outputs = nn.Sequential(*layers)(X.reshape(-1, *shape)).reshape(len(X), -1)
    return outputs[:, 1:] - outputs[:, :1] if outputs.shape[1] == 2 else outputs


@pytest.mark.parametrize("name", NAMES)
def test_modules_are_read_as_torch_applies_them(name):
    score, module, shape = score_of_images(name)
    X = np.random.default_rng(0).normal(size=(20, int(np.prod(shape))))
    inputs = torch.as_tensor(X).requires_grad_(True)
    outputs = margins_of_torch(module, inputs, shape)
    error = np.abs(score.value(X) - outputs.detach().numpy())
    assert (error <= score.rounding(X) * 2).all()
    gradients = [
        torch.autograd.grad(column.sum(), inputs, retain_graph=True)[0].numpy()
        for column in outputs.unbind(dim=1)
    ]
    np.testing.assert_allclose(score.gradient(X), np.stack(gradients, axis=1), atol=1e-12)


def steepest(vectors, norm):
    """Unit vectors of l`norm` along which products with these vectors are largest."""
    if norm == np.inf:
        return np.where(vectors >= 0, 1.0, -1.0)
    if norm == 2:
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.eye(vectors.shape[-1])[np.abs(vectors).argmax(axis=-1)]


def largest_curvature(score, weights, X, norm, rng, n_steps=8, h=1e-4):
    """From below: by the power iteration for the Hessian of a margin, at each row."""
    steps = steepest(rng.normal(size=X.shape), norm)
    best = np.zeros(len(X))
    for _ in range(n_steps):
        ahead, behind = score.gradient(X + h * steps), score.gradient(X - h * steps)
        bent = np.einsum("s,msd->md", weights, ahead - behind) / (2 * h)
        best = np.maximum(best, np.linalg.norm(bent, DUAL[norm], axis=1))
        steps = steepest(bent, norm)
    return best


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("name", NAMES[:-1])
def test_no_hessian_exceeds_its_bound(name, is_large, norm, monkeypatch):
    """For all of space and in balls, with norms of matrices computed and bounded."""
    if is_large:
        monkeypatch.setattr(_matrix_norms, "MOST_ENTRIES", 0)
    score, _, shape = score_of_images(name)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, int(np.prod(shape))))
    weights = np.zeros(score.value(X[:1]).shape[1])
    weights[:2] = [1.0, -1.0][: len(weights)]
    constant, reached = score.lipschitz(weights, norm), np.zeros(len(X))
    for spread in (0.3, 1.0, 3.0):
        reached = np.maximum(reached, largest_curvature(score, weights, spread * X, norm, rng))
    assert reached.max() <= constant * (1 + 1e-5)
    assert reached.max() > constant / 200
    radius = np.full(len(X), 0.05)
    local = score.local_bound(X).lipschitz(weights, norm, radius)
    assert (local <= constant * (1 + 1e-12)).all()
    for _ in range(3):
        steps = steepest(rng.normal(size=X.shape), norm) * rng.uniform(size=(len(X), 1)) * 0.05
        assert (largest_curvature(score, weights, X + steps, norm, rng) <= local * (1 + 1e-5)).all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("shape", [(30, 12), (12, 30)], ids=name_of_case)
def test_norms_of_scaled_matrices_are_bounded(norm, shape, monkeypatch):
    """Where all is scaled alike, exactly; else no more than a factor above the norm itself."""
    rng = np.random.default_rng(0)
    weights = rng.normal(size=shape)
    left, right = rng.uniform(size=(40, shape[0])), rng.uniform(size=(40, shape[1]))
    exact = ScaledNorms(weights).bound(left, right, norm)
    monkeypatch.setattr(_matrix_norms, "MOST_ENTRIES", 0)
    norms = ScaledNorms(weights)
    bound = norms.bound(left, right, norm)
    steps = steepest(rng.normal(size=right.shape), norm)
    reached = np.zeros(40)
    for _ in range(200):
        images = left * ((right * steps) @ weights.T)
        reached = np.maximum(reached, np.linalg.norm(images, axis=1))
        steps = steepest(right * ((left * images) @ weights), norm)
    assert (reached <= bound * (1 + 1e-12)).all()
    assert (reached <= exact * (1 + 1e-12)).all()
    assert (bound <= 2.5 * exact).all()
    if norm == 2:
        assert (0.99 * exact < reached).sum() > 30  # a bound slightly too small would be caught
    if norm == 2:
        plain = norms.plain(None, 2, 3)
        np.testing.assert_allclose(plain, np.linalg.norm(weights, 2), rtol=1e-12)
        assert (plain >= np.linalg.norm(weights, 2) * (1 - 1e-15)).all()


@pytest.fixture(scope="module")
def digits_cnn():
    """A small net for digits below 5 against the others, with its data."""
    X, y = load_digits(return_X_y=True)
    X, y = X.reshape(-1, 1, 8, 8) / 16, (y >= 5).astype(int)
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1),
        nn.Softplus(),
        nn.Conv2d(4, 8, 2),
        nn.Softplus(),
        nn.Flatten(),
        nn.Linear(72, 2),
    )
    inputs, labels = torch.as_tensor(X[:600], dtype=torch.float32), torch.as_tensor(y[:600])
    optimizer = torch.optim.LBFGS(net.parameters(), max_iter=80, line_search_fn="strong_wolfe")

    def loss():
        optimizer.zero_grad()
        size = sum((weights**2).sum() for weights in net.parameters())
        value = nn.functional.cross_entropy(net(inputs), labels) + 1e-3 * size
        value.backward()
        return value

    optimizer.step(loss)
    return net.eval(), X, y


@pytest.mark.parametrize(("norm", "alpha"), [(2, 0.0), (2, 0.3), (np.inf, 0.0), (np.inf, 0.03)])
def test_no_gradient_attack_breaks_the_certificate_of_a_convolutional_net(digits_cnn, norm, alpha):
    net, images, y = digits_cnn
    clf = LocallyBiasedSmoother(FrozenEstimator(net), alpha=alpha, norm=norm)
    clf.fit(images[600:1200], y[600:1200])
    rows = images[1200:1280]
    assert clf.score(rows, y[1200:1280]) > 0.85
    certificate = clf.certify(rows)
    assert (certificate.radius > (0.03 if norm == 2 else 0.003)).mean() > 0.9
    score = smooth_score(clf.estimator_).for_inputs(images.shape[1:])
    signs = np.where(certificate.prediction == 1, 1, -1)
    assert isinstance(score, NetworkScore)
    flat = rows.reshape(len(rows), -1)
    attacks = []
    for inflation in (1.0, 3.0):
        radius = inflation * certificate.radius[:, None]
        moved = projected_gradient(
            lambda Z: score.gradient(Z)[:, 0], flat, signs, radius=radius, norm=norm
        )
        kept = clf.predict(moved.reshape(rows.shape)) == certificate.prediction
        args = clf.reference_points_, certificate.prediction, clf.reference_labels_
        for towards in towards_points(flat, *args, radius=radius, norm=norm, n_points=3):
            between = flat + project((towards - flat) + (moved - flat), radius, norm)
            for Z in (towards, between):
                kept &= clf.predict(Z.reshape(rows.shape)) == certificate.prediction
        attacks.append(kept.mean())
    assert attacks[0] == 1
    assert attacks[1] < 0.6  # the control: larger radii do not hold


def refusals():
    reshaped = nn.Sequential(nn.Flatten(0), nn.Linear(32, 2))
    changed = nn.Sequential(nn.Linear(2, 2))
    changed[0].forward = lambda X: X**2
    return [
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh()), None, "needs the shape of its inputs"),
        (nn.Sequential(nn.Conv1d(4, 1, 1), nn.Tanh()), (8,), "needs inputs with channels"),
        (nn.Sequential(nn.Conv2d(3, 2, 3)), (1, 8, 8), "does not take inputs of shape"),
        (nn.Sequential(nn.Conv2d(3, 64, 3)), (3, 99, 99), "too many for a matrix"),
        (nn.Sequential(nn.Conv2d(1, 2, 2), nn.MaxPool2d(2)), (1, 8, 8), "MaxPool2d has kinks"),
        (nn.Sequential(nn.Conv2d(1, 2, 2), nn.Softmax(dim=0)), (1, 2, 2), "Softmax is not among"),
        (nn.Sequential(normed(3), nn.Flatten()), (4, 2, 2), "for 3 channels gets"),
        (reshaped, (4, 4), "mixes the rows"),
        (changed, None, "a forward of its own"),
        (nn.Sequential(nn.Flatten()), (2, 2), "no linear layer"),
    ]


@pytest.mark.parametrize(("module", "shape", "message"), refusals(), ids=lambda v: str(v)[:40])
def test_what_cannot_be_read_is_refused(module, shape, message):
    score = smooth_score(module.eval())
    if shape is not None:
        score = score.for_inputs(shape)
    with pytest.raises(ValueError, match=message):
        score.lipschitz(np.ones(1), 2)
