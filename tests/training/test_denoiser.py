"""Denoised smoothing: a classifier that has never seen noise gets certificates."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline

from sksmooth import SmoothedClassifier, certified_accuracy_score
from sksmooth.noise import GaussianNoise, LaplaceNoise
from sksmooth.training import Denoiser

SIGMA, RADIUS = 0.5, 0.25


@pytest.fixture(scope="module")
def naive(digits):
    """Return a classifier that has never seen noise."""
    X, y = digits
    model = MLPClassifier((64,), alpha=1e-6, max_iter=300, random_state=0, tol=1e-3)
    return FrozenEstimator(model.fit(X[:1200], y[:1200]))


def certified(model, digits, n_rows=600, n_draws=500):
    X, y = digits
    clf = SmoothedClassifier(model, sigma=SIGMA, n_estimation=n_draws, random_state=0)
    certificate = clf.fit(X[:1200], y[:1200]).certify(X[-n_rows:])
    return certified_accuracy_score(y[-n_rows:], certificate, radius=RADIUS)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
@pytest.mark.parametrize("kind", [Ridge, MLPRegressor])
def test_a_denoiser_raises_certified_accuracy(kind, naive, digits):
    options = {"hidden_layer_sizes": (64,), "max_iter": 15, "tol": 1e-2, "random_state": 0}
    regressor = kind() if kind is Ridge else kind(**options)
    without = certified(naive, digits)
    with_one = certified(make_pipeline(Denoiser(regressor, n_augment=4), naive), digits)
    assert with_one > without + 0.05, (without, with_one)


def test_the_smoother_hands_its_noise_and_clean_rows_down(naive, digits):
    seen = []

    class Watching(Ridge):
        def fit(self, X, y):
            seen.append((X, y))
            return super().fit(X, y)

    X, y = digits[0][:300], digits[1][:300]
    pipeline = make_pipeline(Denoiser(Watching(), n_augment=3), naive)
    clf = SmoothedClassifier(pipeline, noise=LaplaceNoise(0.3), n_estimation=20, alpha=0.1)
    fitted = clf.fit(X, y).estimator_[0]
    assert repr(fitted.noise_) == repr(LaplaceNoise(0.3))
    ((noisy, clean),) = seen
    assert_array_equal(clean, np.tile(X, (3, 1)))
    assert abs(np.sqrt(np.mean((noisy - clean) ** 2)) - 0.3) < 0.01
    assert pipeline[0].sigma == 0.25


def test_same_seed_same_denoiser(digits):
    X = digits[0][:200]
    first, second = (Denoiser(random_state=seed).fit(X) for seed in (0, 0))
    other = Denoiser(random_state=1).fit(X)
    assert_array_equal(first.transform(X), second.transform(X))
    assert (first.transform(X) != other.transform(X)).any()


def test_no_seed_takes_fresh_entropy_and_leaves_the_shared_generator_alone(digits):
    X, found = digits[0][:50], []
    for _ in range(2):
        np.random.seed(0)  # noqa: NPY002 (the generator that all code shares)
        found.append(Denoiser().fit(X).transform(X))
        after = np.random.rand()  # noqa: NPY002
        np.random.seed(0)  # noqa: NPY002
        assert after == np.random.rand()  # noqa: NPY002
    assert (found[0] != found[1]).any()


def test_what_is_trained_is_used_as_it_is(digits):
    X = digits[0][:50].reshape(-1, 8, 8).astype(np.float32)
    halved = Denoiser(np.square, clip=(0, 0.5)).fit(X)
    assert_array_equal(halved.transform(X), np.minimum(X**2, 0.5))
    ridge = Ridge().fit(X.reshape(50, -1), X.reshape(50, -1))
    denoiser = Denoiser(FrozenEstimator(ridge), flatten=True).fit(X)
    expected = ridge.predict(X.reshape(50, -1)).reshape(X.shape)
    assert_array_equal(denoiser.transform(X), expected)
    assert denoiser.transform(X).dtype == np.float32
    assert_array_equal(clone(denoiser).fit(X).transform(X), expected)


def test_what_cannot_work_is_refused(digits):
    X = digits[0][:50]
    with pytest.raises(ValueError, match="one number per feature"):
        Denoiser(lambda rows: rows[:, :3]).fit(X).transform(X)
    with pytest.raises(ValueError, match=r"loss='stability' needs classifier=\.\.\."):
        Denoiser(loss="stability").fit(X)
    for params, message in (
        ({"sigma": -1.0}, "'sigma' parameter"),
        ({"noise": "gauss"}, "'noise' parameter"),
        ({"sigma": 0.5, "noise": GaussianNoise(0.3)}, "Set noise__sigma instead"),
    ):
        with pytest.raises(ValueError, match=message):
            Denoiser(**params).fit(X)
    for clip in ((1, 0), (0, 0), (0,), (0, np.nan), ("a", "b")):
        with pytest.raises(ValueError, match="must hold the least and then the largest value"):
            Denoiser(clip=clip).fit(X)
    with pytest.raises(ValueError, match=r"complex numbers.*return numpy.real\(outputs\)"):
        Denoiser(np.fft.fft).fit(X).transform(X)
    real = Denoiser(lambda rows: np.real(np.fft.fft(rows))).fit(X)  # the remedy
    assert_allclose(real.transform(X), np.fft.fft(X).real)


@pytest.fixture(scope="module")
def nets(digits):
    """Return a naive net, and a denoiser, in skorch."""
    import skorch
    import torch

    X, y = digits[0].astype(np.float32), digits[1].astype(np.int64)
    nn = torch.nn
    torch.manual_seed(0)
    common = {"verbose": 0, "train_split": None, "batch_size": 64}
    net = skorch.NeuralNetClassifier(
        nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)),
        criterion=nn.CrossEntropyLoss,
        lr=0.1,
        max_epochs=15,
        **common,
    )
    denoiser = skorch.NeuralNetRegressor(
        nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 64)),
        optimizer=torch.optim.Adam,
        lr=0.003,
        max_epochs=4,
        **common,
    )
    return net.fit(X[:1200], y[:1200]), denoiser, (X, y)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_nets_learn_pixels_answers_or_both(nets):
    net, regressor, data = nets
    weights = {name: value.clone() for name, value in net.module_.state_dict().items()}
    frozen, short = FrozenEstimator(net), (150, 150)
    found = {"without": certified(frozen, data, *short)}
    for loss in ("mse", "stability", "mse+stability"):
        denoiser = Denoiser(regressor, loss=loss, classifier=frozen, n_augment=4)
        found[loss] = certified(make_pipeline(denoiser, frozen), data, *short)
    without = found.pop("without")
    assert min(found.values()) > without + 0.1, (without, found)
    for name, value in net.module_.state_dict().items():
        assert (value == weights[name]).all(), name  # the classifier is left as it is
    assert not regressor.initialized_


def test_answers_are_learned_from_where_pixels_left_off(nets):
    """Each loss has the whole schedule of the regressor, and an optimizer of its own."""
    import skorch
    import torch

    net, regressor, (X, _) = nets
    rates, starts = [], []

    class Watching(skorch.NeuralNetRegressor):
        def on_train_begin(self, net, X=None, y=None, **kwargs):
            super().on_train_begin(net, X=X, y=y, **kwargs)
            starts.append({name: w.clone() for name, w in self.module_.state_dict().items()})

        def on_epoch_end(self, net, **kwargs):
            super().on_epoch_end(net, **kwargs)
            rates.append(self.optimizer_.param_groups[0]["lr"])
            starts[-1]["last"] = [w.clone() for w in self.module_.state_dict().values()]

    drop = skorch.callbacks.LRScheduler("StepLR", step_size=1, gamma=0.1)
    params = {name: regressor.get_params(deep=False)[name] for name in ("module", "optimizer")}
    watching = Watching(
        **params, lr=0.01, max_epochs=2, callbacks=[drop], verbose=0, train_split=None
    )
    frozen = FrozenEstimator(net)
    denoiser = Denoiser(watching, loss="mse+stability", classifier=frozen, n_augment=1).fit(X[:200])
    assert_allclose(rates, [0.01, 0.001, 0.01, 0.001])
    first, second = starts
    for name, left in zip(denoiser.regressor_.module_.state_dict(), first["last"], strict=True):
        assert torch.equal(second[name], left), name
    assert len(denoiser.regressor_.history) == 2
    assert not hasattr(watching, "module_")


def test_nets_are_called_without_their_loader(nets):
    _, regressor, (X, _) = nets
    denoiser = Denoiser(regressor, n_augment=1).fit(X[:200])
    assert_allclose(denoiser.transform(X), denoiser.regressor_.predict(X), atol=1e-5)
    doubling = clone(regressor).set_params(predict_nonlinearity=lambda outputs: 2 * outputs)
    denoiser = Denoiser(doubling, n_augment=1).fit(X[:200])
    assert_array_equal(denoiser.transform(X), denoiser.regressor_.predict(X))


def test_a_module_is_called_in_evaluation_mode(nets):
    import torch

    _, _, (X, _) = nets
    module = torch.nn.Sequential(torch.nn.Dropout(0.9), torch.nn.Flatten())
    denoiser = Denoiser(module).fit(X)
    assert_array_equal(denoiser.transform(X[:20]), X[:20])
    assert_array_equal(pickle.loads(pickle.dumps(denoiser)).transform(X[:20]), X[:20])
    assert module.training


def test_a_module_in_training_mode_is_steady_in_threads(nets):
    """Threads would switch the mode of one module under each other's feet."""
    import torch

    _, _, (X, _) = nets
    module = torch.nn.Sequential(torch.nn.Dropout(0.9), torch.nn.Linear(64, 64)).train()
    denoiser = Denoiser(module).fit(X[:20])
    expected = denoiser.transform(X[:20])
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(denoiser.transform, [X[:20]] * 100):
            assert_array_equal(found, expected)
    assert all(part.training for part in module.modules())
