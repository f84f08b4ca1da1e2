"""Nets that train under noise: what is random, what is handed down, what is refused."""

import pickle
from threading import Barrier, Thread

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from robust_nets import QUICK, linear_net, ready
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import ProgressBar
from torch import nn
from torch.utils.data import TensorDataset

from sksmooth import (
    DSSNClassifier,
    SmoothedClassifier,
    average_certified_radius,
    make_certified_scorer,
)
from sksmooth.noise import (
    Blur,
    Brightness,
    Contrast,
    GaussianNoise,
    LaplaceNoise,
    SplittingNoise,
)
from sksmooth.training import RobustNetClassifier
from sksmooth.training._methods import METHODS
from sksmooth.voters._direct import directly


@pytest.mark.parametrize(
    "noise",
    [
        GaussianNoise(0.3, k=2),
        LaplaceNoise(0.3),
        SplittingNoise(0.3),
        Blur(0.3),
        Brightness(0.3, pixel_sigma=0.1),
        Contrast(0.3),
    ],
)
def test_noise_on_tensors_is_that_on_arrays(noise):
    net, _, _ = ready("gaussian", noise=noise, sigma=0.3)
    X = torch.rand(2000, 5)
    (draws,) = net.noises(X, 1)
    assert draws.dtype == torch.float32
    noisy = net.perturb(X.requires_grad_(), draws)
    assert_allclose(
        noisy.detach().numpy(), noise.apply(X.detach().numpy(), draws.numpy()), atol=1e-6
    )
    assert_array_equal(torch.autograd.grad(noisy.sum(), X)[0].numpy(), np.ones((2000, 5)))


def test_gaussian_noise_has_its_sigma_and_a_draw_for_every_row():
    net, _, _ = ready("gaussian", sigma=0.7)
    first, second = net.noises(torch.zeros(4000, 5), 2)
    assert abs(first.std() - 0.7) < 0.02
    assert abs(torch.corrcoef(torch.stack([first.ravel(), second.ravel()]))[0, 1]) < 0.03


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"method": "pgd"}, "method must be one of"),
        ({"method": "macer", "method__lbd": 3}, "no parameter lbd. It has: n_noise"),
        ({"method": "macer", "noise": "laplace"}, "maximizes the radius of Gaussian noise"),
        ({"method": "consistency", "method__n_noise": 1}, "method__n_noise must be at least 2"),
        ({"method": "smoothadv", "method__attack": "fgsm"}, "method__attack must be"),
        ({"method": "smoothmix", "method__from_step": 8}, "method__from_step must be"),
        ({"method": "stability", "method__weight": -1.0}, "method__weight must be at least 0"),
        ({"sigma": 0}, "'sigma' parameter"),
        ({"noise": "gauss"}, "'noise' parameter"),
        ({"criterion": nn.NLLLoss}, "criterion=torch.nn.CrossEntropyLoss"),
    ],
)
def test_what_cannot_work_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        linear_net(**params).fit(np.zeros((4, 5), np.float32), np.arange(4) % 3)


def test_whole_numbers_are_refused():
    with pytest.raises(ValueError, match="Noise is added to one array of float32"):
        linear_net().fit(np.zeros((4, 5), int), np.arange(4) % 3)


class ConvNet(nn.Module):
    def __init__(self, n_channels=8):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, n_channels, 3),
            nn.BatchNorm2d(n_channels),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(36 * n_channels, 10),
        )

    def forward(self, X):
        return self.layers(X)


def conv_net(method="gaussian", **params):
    settings = {"max_epochs": 6, "lr": 0.05, "optimizer__momentum": 0.9, "batch_size": 64}
    settings |= {"verbose": 0, "train_split": None, "random_state": 0}
    return RobustNetClassifier(ConvNet, method=method, **{**settings, **QUICK[method], **params})


@pytest.fixture(scope="module")
def images(digits):
    X, y = digits
    return X.reshape(-1, 1, 8, 8).astype(np.float32), y.astype(np.int64)


def smoothed(net, images, sigma=0.5, n_train=800, **params):
    clf = SmoothedClassifier(net, sigma=sigma, n_estimation=500, random_state=0, **params)
    return clf.fit(images[0][:n_train], images[1][:n_train])


def test_votes_are_taken_without_the_loader(images):
    X, y = images
    net = conv_net(max_epochs=1).fit(X[:200], y[:200])
    direct = directly(FrozenEstimator(net))
    assert type(direct) is not RobustNetClassifier
    assert_array_equal(direct.predict(X[:100]), net.predict(X[:100]))


# A small net, trained for seconds, needs less of what keeps its answers steady than published.
SHORT = {
    "gaussian": {},
    "stability": {},
    "consistency": {"method__weight": 3.0},
    "smoothadv": {"method__n_noise": 2, "method__n_steps": 3, "method__radius": 0.5},
    "smoothmix": {"method__n_steps": 3, "method__step": 0.3},
}


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_training_makes_certificates_larger(digits):
    """Methods beat training without noise, and consistency beats noise alone.

    MACER needs longer training than there is time for here; its loss is tested above.
    """
    X, y = digits[0].astype(np.float32), digits[1].astype(np.int64)

    def net(method, **params):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        settings = {"lr": 0.1, "optimizer__momentum": 0.9, "batch_size": 64, "verbose": 0}
        settings |= {"max_epochs": 30, "train_split": None, "random_state": 1}
        return RobustNetClassifier(module, method=method, **settings, **params)

    def radius_of(base):
        clf = SmoothedClassifier(base, sigma=0.5, n_estimation=1000, random_state=0)
        certificate = clf.fit(X[:1200], y[:1200]).certify(X[1200:])
        return average_certified_radius(y[1200:], certificate)

    plain = radius_of(FrozenEstimator(net("gaussian", sigma=1e-4).fit(X[:1200], y[:1200])))
    methods = sorted(set(METHODS) - {"macer"})
    found = {method: radius_of(net(method, **SHORT[method])) for method in methods}
    assert min(found.values()) > plain + 0.03, (plain, found)
    assert found["gaussian"] > plain + 0.08, (plain, found)
    assert found["consistency"] > found["gaussian"] + 0.01, found


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_one_sigma_moves_both_and_nothing_is_added_twice(images):
    seen = []

    class Watching(RobustNetClassifier):
        def train_step_single(self, batch, **fit_params):
            seen.append(batch[0])
            return super().train_step_single(batch, **fit_params)

    net = Watching(
        ConvNet, verbose=0, train_split=None, max_epochs=1, iterator_train__shuffle=False
    )
    clf = smoothed(net, images, sigma=0.3, n_train=100)
    assert repr(clf.estimator_.noise_) == repr(clf.noise_) == "GaussianNoise(k=0, sigma=0.3)"
    assert clf.estimator_.sigma == 0.3
    assert_array_equal(torch.cat(seen).numpy(), images[0][:100])
    assert net.sigma == 0.25  # the net that was passed in is left alone
    search = GridSearchCV(
        SmoothedClassifier(conv_net(max_epochs=1), n_estimation=100, random_state=0),
        {"sigma": [0.1, 0.3], "estimator__method": ["gaussian", "stability"]},
        scoring=make_certified_scorer(0.05),
        cv=2,
    )
    best = search.fit(images[0][:200], images[1][:200]).best_estimator_
    assert best.estimator_.noise_.sigma == best.sigma == search.best_params_["sigma"]
    assert best.estimator_.method == search.best_params_["estimator__method"]


def test_noise_that_would_be_added_twice_is_refused(images):
    X, y = images[0][:60].reshape(60, -1), images[1][:60]
    with pytest.raises(ValueError, match="Put the scaling into the module"):
        SmoothedClassifier(make_pipeline(StandardScaler(), linear_net())).fit(X, y)
    with pytest.raises(ValueError, match="cannot be trained on splits of levels"):
        DSSNClassifier(linear_net(), n_steps=16).fit(X, y)


def test_same_seed_same_net_and_torch_is_left_alone(images):
    X, y = images[0][:200], images[1][:200]
    torch.manual_seed(5)
    first = conv_net("consistency", max_epochs=2).fit(X, y)
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.rand(1) == after
    second = clone(first).fit(X, y)
    other = clone(first).set_params(random_state=1).fit(X, y)
    weights = [torch.cat([*map(torch.ravel, net.module_.parameters())]) for net in (first, second)]
    assert torch.equal(*weights)
    assert not torch.equal(first.module_.layers[0].weight, other.module_.layers[0].weight)


def test_history_has_a_column_for_every_part(images):
    net = conv_net("consistency", max_epochs=2).fit(images[0][:200], images[1][:200])
    columns = ["train_class_loss", "train_consistency_loss", "train_entropy_loss"]
    sums = [sum(net.history[epoch, column] for column in columns) for epoch in range(2)]
    assert_allclose(sums, net.history[:, "train_loss"], rtol=1e-4)


def test_a_progress_bar_moves_with_every_batch(images):
    """The callback of skorch: it shows how far an epoch is, and the losses of the last batch."""
    shown = []

    class Watched(ProgressBar):
        def on_batch_end(self, net, **kwargs):
            super().on_batch_end(net, **kwargs)
            shown.append((self.pbar_.n, self.pbar_.postfix))

    bar = Watched(postfix_keys=["train_class_loss", "train_stability_loss"], batches_per_epoch=4)
    net = conv_net("stability", max_epochs=1, callbacks=[("bar", bar)])
    net.fit(images[0][:200], images[1][:200])
    assert [n for n, _ in shown] == [1, 2, 3, 4]
    assert all("train_stability_loss" in losses for _, losses in shown[1:])


def test_validation_is_under_noise(images):
    """Noise hides the digits, so the net can only guess."""
    net = conv_net(sigma=100.0, train_split=RobustNetClassifier(ConvNet).train_split, max_epochs=3)
    net.fit(images[0][:600], images[1][:600])
    assert max(net.history[:, "valid_acc"]) < 0.3
    assert net.train_split is not None


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
@pytest.mark.parametrize("structure", ["auto", "off"])
@pytest.mark.parametrize("noise", ["gaussian", SplittingNoise(0.3), LaplaceNoise(0.3), Blur(0.3)])
def test_float32_is_kept_from_training_to_certificates(images, structure, noise):
    seen = set()

    class Watching(ConvNet):
        def forward(self, X):
            seen.add((X.dtype, self.training))
            return super().forward(X)

    net = RobustNetClassifier(Watching, max_epochs=1, verbose=0, train_split=None)
    sigma = 0.25 if noise == "gaussian" else 0.3
    clf = smoothed(net, images, n_train=100, sigma=sigma, noise=noise, structure=structure)
    clf.certify(images[0][:2])
    clf.predict(images[0][:2])
    assert seen == {(torch.float32, True), (torch.float32, False)}


def test_a_pickled_smoother_gives_the_same_certificate(images):
    clf = smoothed(conv_net("consistency", max_epochs=1), images, n_train=200)
    copy = pickle.loads(pickle.dumps(clf))
    assert_array_equal(copy.certify(images[0][:5]).counts, clf.certify(images[0][:5]).counts)
    assert repr(clone(clf)) == repr(clf)


def test_pickle_partial_fit_and_warm_start(images):
    X, y = images[0][:200], images[1][:200]
    net = conv_net("smoothadv", max_epochs=1).fit(X, y)
    copy = pickle.loads(pickle.dumps(net))
    assert_array_equal(copy.predict_proba(X), net.predict_proba(X))
    for model in (net, copy):
        model.partial_fit(X, y)
        assert len(model.history) == 2
    assert_array_equal(copy.predict_proba(X), net.predict_proba(X))
    net.set_params(warm_start=True, method="smoothmix", method__n_noise=3).fit(X, y)
    assert len(net.history) == 3
    assert net.method_.n_noise == 3


def test_layers_are_called_without_the_loader(images):
    clf = smoothed(conv_net(max_epochs=1), images, n_train=200)
    assert clf.fast_votes_
    off = SmoothedClassifier(FrozenEstimator(clf.estimator_), structure="off", sigma=0.5)
    off.set_params(n_estimation=500, random_state=0).fit(images[0][:200], images[1][:200])
    counts = clf.certify(images[0][:10]).counts
    assert np.abs(counts - off.certify(images[0][:10]).counts).sum() <= 4


class WithDropout(nn.Module):
    """Weights, batches and dropout are random."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, 30), nn.ReLU(), nn.Dropout(0.3), nn.Linear(30, 10)
        )

    def forward(self, X):
        return self.layers(X)


def random_net(seed, **params):
    settings = {"max_epochs": 3, "batch_size": 32, "verbose": 0, "iterator_train__shuffle": True}
    settings |= {"train_split": None, "random_state": seed, "method": "consistency", **params}
    return RobustNetClassifier(WithDropout, **settings)


def weights_of(net):
    return torch.cat([weight.detach().ravel() for weight in net.module_.parameters()])


def trained_in_threads(nets, X, y):
    """Train nets at the same time."""
    together = Barrier(len(nets))

    def train(net):
        together.wait()
        net.fit(X, y)

    threads = [Thread(target=train, args=(net,)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_nets_trained_in_threads_are_those_trained_alone(digits):
    X, y = digits[0][:400].astype(np.float32), digits[1][:400].astype(np.int64)
    alone = [weights_of(random_net(seed).fit(X, y)) for seed in (0, 1)]
    assert not torch.equal(*alone)
    nets = [random_net(seed) for seed in (0, 1, 0)]
    trained_in_threads(nets, X, y)
    for net, seed in zip(nets, (0, 1, 0), strict=True):
        assert torch.equal(weights_of(net), alone[seed])


def test_dropout_of_plain_nets_is_mixed_up_by_threads(digits):
    """The control: without turns, threads draw from one generator."""
    X, y = digits[0][:400].astype(np.float32), digits[1][:400].astype(np.int64)

    class Seeded(NeuralNetClassifier):
        def on_train_begin(self, net, X=None, y=None, **kwargs):
            super().on_train_begin(net, X=X, y=y, **kwargs)
            torch.manual_seed(0)

    def net():
        settings = {"criterion": nn.CrossEntropyLoss, "train_split": None, "verbose": 0}
        torch.manual_seed(0)
        return Seeded(WithDropout(), max_epochs=10, batch_size=8, **settings)

    alone = weights_of(net().fit(X, y))
    assert torch.equal(weights_of(net().fit(X, y)), alone)
    nets = [net(), net()]
    trained_in_threads(nets, X, y)
    assert not all(torch.equal(weights_of(net), alone) for net in nets)


def test_without_a_seed_nothing_that_others_draw_from_matters_or_moves(digits):
    X, y = digits[0][:100].astype(np.float32), digits[1][:100].astype(np.int64)
    found = []
    for _ in range(2):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002 (the generator that all code shares)
        found.append(weights_of(random_net(None, max_epochs=1).fit(X, y)))
        after = float(torch.rand(1)), np.random.rand()  # noqa: NPY002
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        assert after == (float(torch.rand(1)), np.random.rand())  # noqa: NPY002
    assert not torch.equal(*found)


def test_training_goes_on_with_other_draws(digits):
    """What is random in the second half of training is not what was in the first."""
    X, y = digits[0][:100].astype(np.float32), digits[1][:100].astype(np.int64)
    net = random_net(0, lr=0.0, max_epochs=1).fit(X, y)
    first = net.history[-1, "train_loss"]
    assert net.partial_fit(X, y).history[-1, "train_loss"] != first
    assert random_net(0, lr=0.0, max_epochs=1).fit(X, y).history[-1, "train_loss"] == first


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_missing_values_are_refused_with_their_row(kind, digits):
    X, y = digits[0][:50].astype(np.float32), digits[1][:50].astype(np.int64)
    X[7, 3] = np.nan
    with pytest.raises(ValueError, match="X contains NaN at row 7, column 3"):
        linear_net().fit(kind(X), y)
    in_a_set = TensorDataset(torch.as_tensor(X), torch.as_tensor(y))
    with pytest.raises(ValueError, match="NaN or infinity, in this batch at row 7"):
        random_net(0, iterator_train__shuffle=False).fit(in_a_set, None)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array(["a", "b"])[np.arange(20) % 2], "y has shape .* and dtype <U1"),
        (np.arange(20) / 2, "y has shape .* and dtype float64"),
        (np.eye(3, dtype=int)[np.arange(20) % 3], r"y has shape \(20, 3\)"),
        (np.arange(20) % 3 - 1, "y has the label -1"),
        (np.arange(20) % 3 + 1, "y has the label 3, and the module has 3 outputs"),
    ],
)
def test_labels_that_are_no_numbers_of_outputs_are_refused(labels, message):
    X = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    with pytest.raises(ValueError, match=rf"{message}.*LabelEncoder\(\).fit_transform\(y\)"):
        linear_net().fit(X, labels)
    if labels.ndim == 1 and message != "y has shape .* and dtype float64":
        y = LabelEncoder().fit_transform(labels)  # the remedy
        assert linear_net().fit(X, y).predict(X).shape == (20,)


def test_half_precision_is_refused():
    X, y = np.zeros((4, 5), np.float16), np.arange(4) % 3
    with pytest.raises(ValueError, match=r"float32 or float64 per batch.*float16"):
        linear_net().fit(X, y)


@pytest.mark.parametrize("method", ["gaussian", "smoothadv"])
def test_rows_that_the_module_cannot_take_are_explained(method):
    """The remedies work."""
    rng = np.random.default_rng(0)
    X, y = rng.uniform(size=(40, 5)), rng.integers(0, 2, 40)
    net = linear_net(method)
    with pytest.raises(ValueError, match=r"float64 .*pass X\.astype\(numpy\.float32\)"):
        clone(net).fit(X, y)
    single = X.astype(np.float32)
    with pytest.raises(
        ValueError, match=r"takes 5 features per input: pass X\.reshape\(len\(X\), -1"
    ):
        clone(net).fit(single.reshape(40, 1, 5, 1), y)
    clone(net).fit(single, y)
