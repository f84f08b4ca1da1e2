"""The way that nets on a device take, walked on the CPU: noise drawn, and votes counted, there."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import stats
from sklearn.frozen import FrozenEstimator
from torch import nn

from sksmooth import SmoothedClassifier
from sksmooth.engine._black_box import BlackBoxVoter
from sksmooth.engine._streams import DrawStream, Purpose
from sksmooth.inputs._containers import read_inputs
from sksmooth.nets import TorchExecution, as_classifier
from sksmooth.nets._draws import DeviceStream
from sksmooth.nets._layers import TorchLayers
from sksmooth.noise import GaussianNoise, LaplaceNoise, MixedNormNoise, UniformNoise
from sksmooth.noise._lattice import Lattice
from sksmooth.voters._choice import fast_voter

FAMILIES = [
    GaussianNoise(0.5),
    GaussianNoise(0.5, k=3),
    LaplaceNoise(0.5),
    UniformNoise(0.5),
    MixedNormNoise(0.5, k=2),
]
OPTIONS = {"n_estimation": 400, "random_state": 0}


def whole(shape):
    return TorchLayers(nn.Sequential(), nn.Identity(), nn.Linear(*shape).eval(), shape[1])


def stream_of(noise, shape=(16,), dtype=np.float32):
    return DeviceStream(
        DrawStream(noise, 7, Purpose.ESTIMATION, shape, np.dtype(dtype)), whole((16, 3))
    )


@pytest.mark.parametrize("noise", FAMILIES, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws_have_the_law_of_the_family(noise, dtype):
    draws = stream_of(noise, dtype=dtype).take(0, 20_000).numpy()
    assert draws.dtype == dtype
    expected = noise.draw(20_000, (16,), np.random.default_rng(1), dtype)
    for summary in (lambda z: z[:, 0], lambda z: np.abs(z).max(axis=1), lambda z: z @ np.ones(16)):
        assert stats.ks_2samp(summary(draws), summary(expected)).pvalue > 1e-3
        assert stats.ks_2samp(summary(draws), 1.1 * summary(expected)).pvalue < 0.01  # control


@pytest.mark.parametrize("noise", FAMILIES, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws_are_rounded_to_the_lattice_in_double_precision(noise, dtype):
    lattice = Lattice.of(noise, 1.0, 16, dtype)
    stream = stream_of(noise, dtype=dtype)
    stream = replace(stream, stream=replace(stream.stream, lattice=lattice))
    draws = stream.take(0, 2000).numpy()
    assert draws.dtype == lattice.dtype
    steps = draws.astype(float) / lattice.step
    assert (steps == np.rint(steps)).all()
    wide = replace(stream, stream=replace(stream.stream, lattice=None, dtype=np.dtype(float)))
    assert np.abs(draws - wide.take(0, 2000).numpy()).max() <= lattice.step / 2


class LastBits(nn.Module):
    """Scores 1 for the class that says whether all values are multiples of a unit."""

    def forward(self, X):
        parts = X / 2.0**-24
        known = (parts == parts.round()).all(dim=1)
        return torch.stack([~known, known], dim=1).to(X.dtype)


@pytest.mark.parametrize("on_cpu", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_net_that_reads_the_last_bits(dtype, on_cpu, monkeypatch):
    """Autocast and other precisions come after the exact sum."""
    monkeypatch.setattr(TorchLayers, "_is_on_cpu", property(lambda self: on_cpu))
    execution = TorchExecution(autocast=None if dtype == torch.float32 else dtype)
    model = as_classifier(LastBits().eval(), classes=[0, 1], execution=execution)
    X = np.array([[1.0], [0.0]], np.float32)
    clf = SmoothedClassifier(FrozenEstimator(model), sigma=0.5, **OPTIONS).fit(X, [1, 1])
    assert clf.certify(X).counts.tolist() == [[0, 400], [0, 400]]
    far = np.array([[1e5], [0.0]], np.float32)  # sums are formed in float64
    wide = clf.fit(far, [1, 1])
    assert wide._lattice.dtype == np.float64
    assert (wide.certify(far).counts[:, 1] == 400).all()
    wide._lattice = None  # the negative control
    assert (clf.fit(X, [1, 1]).certify(X).counts[:, 1] == 400).all()
    clf._lattice = None
    assert 100 < clf.certify(X).counts[1, 1] < 300


@pytest.mark.parametrize("noise", FAMILIES, ids=repr)
def test_a_draw_depends_on_its_number_alone(noise):
    n = DeviceStream(stream_of(noise).stream, whole((16, 3))).block_size + 50
    at_once = stream_of(noise).take(0, n)
    in_parts = stream_of(noise)
    parts = [in_parts.take(a, b) for a, b in ((0, 3), (3, 2000), (2000, n))]
    assert_array_equal(torch.cat(parts), at_once)
    assert len(np.unique(at_once.numpy()[:, 0])) > 0.99 * n  # no block is drawn twice
    other = DeviceStream(
        DrawStream(noise, 7, Purpose.SELECTION, (16,), np.dtype("f4")), whole((16, 3))
    )
    assert not torch.equal(other.take(0, 5), at_once[:5])


@pytest.fixture
def as_on_a_device(monkeypatch):
    monkeypatch.setattr(TorchLayers, "_is_on_cpu", property(lambda self: False))


@pytest.fixture(scope="module")
def data(digits):
    return digits[0].reshape(-1, 1, 8, 8).astype(np.float32), digits[1]


@pytest.fixture(scope="module")
def module(data):
    X, y = torch.from_numpy(data[0][:1000]), torch.from_numpy(data[1][:1000])
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X + 0.25 * torch.randn_like(X)), y).backward()
        optimizer.step()
    return net.eval()


@pytest.mark.usefixtures("as_on_a_device")
@pytest.mark.parametrize("noise", [GaussianNoise(0.4), LaplaceNoise(0.4)], ids=repr)
def test_votes_are_those_of_the_module_on_the_same_noise(noise, module, data):
    X, y = data
    model = as_classifier(module, classes=range(10))
    clf = SmoothedClassifier(model, noise=noise, **OPTIONS).fit(X[:100], y[:100])
    rows = read_inputs(X[1000:1020], owner=clf)
    voter = fast_voter(clf.estimator_, clf.classes_, clf.noise_, rows)
    stream = DrawStream(clf.noise_, 0, Purpose.ESTIMATION, rows.shape, rows.dtype)
    plain = DeviceStream(stream, TorchLayers(nn.Sequential(), nn.Identity(), module, 10))
    draws = plain.take(0, 400).numpy()
    expected = BlackBoxVoter(FrozenEstimator(model), np.arange(10)).count_votes(
        rows, clf.noise_, draws
    )
    seen = voter.embed(rows)
    assert isinstance(seen.values, torch.Tensor)
    votes = voter.count_votes(seen, clf.noise_, voter.embed_stream(stream).take(0, 400))
    assert np.abs(votes - expected).sum() <= 2  # sums are rounded in another order
    assert np.abs(clf.certify(X[1000:1020]).counts - expected).sum() <= 2


@pytest.mark.usefixtures("as_on_a_device")
def test_counts_do_not_depend_on_how_the_work_is_cut(module, data):
    X, y = data
    model = as_classifier(module, classes=range(10))
    clf = SmoothedClassifier(model, sigma=0.4, **OPTIONS).fit(X[:100], y[:100])
    counts = clf.certify(X[1000:1030]).counts
    assert_array_equal(clf.certify(X[1010:1015]).counts, counts[10:15])
    assert_array_equal(clf.set_params(n_jobs=2).certify(X[1000:1030]).counts, counts)


@pytest.mark.usefixtures("as_on_a_device")
def test_decisions_and_their_continuation(module, data):
    X, y = data
    model = as_classifier(module, classes=range(10))
    clf = SmoothedClassifier(model, sigma=0.4, **OPTIONS).fit(X[:100], y[:100])
    first = clf.certify(X[1000:1040], radius=0.3)
    assert 0 < first.certified.mean() < 1
    more = clf.set_params(n_estimation=5000).certify(X[1000:1040], radius=0.3, start=first)
    assert (more.n_draws >= first.n_draws).all()
    assert more.certified.sum() >= first.certified.sum()


def test_other_numbers_than_those_of_numpy_with_the_same_law(module, data, monkeypatch):
    X, y = data
    options = {**OPTIONS, "sigma": 0.4, "n_estimation": 4000}
    clf = SmoothedClassifier(as_classifier(module, classes=range(10)), **options)
    clf.fit(X[:100], y[:100])
    on_cpu = clf.certify(X[1000:1030]).counts
    monkeypatch.setattr(TorchLayers, "_is_on_cpu", property(lambda self: False))
    on_device = clf.certify(X[1000:1030]).counts
    assert (on_cpu != on_device).any()
    proportions = (on_cpu + on_device) / 8000
    spread = np.sqrt(2 * 4000 * proportions * (1 - proportions))
    common = (proportions > 0.005) & (proportions < 0.995)
    assert np.abs((on_cpu - on_device)[common] / spread[common]).max() < 4.5
