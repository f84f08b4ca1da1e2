"""Trained torch modules as base models."""

import pickle
import shutil
import warnings

import numpy as np
import pytest
import torch
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn
from torch.nn.utils import prune

from sksmooth import DSSNClassifier, SmoothedClassifier
from sksmooth.inputs._containers import read_inputs
from sksmooth.nets import TorchExecution, as_classifier
from sksmooth.voters._choice import fast_voter


@pytest.fixture(scope="module")
def data(digits):
    return digits[0].reshape(-1, 1, 8, 8).astype(np.float32), digits[1]


@pytest.fixture(scope="module")
def module(data):
    X, y = torch.from_numpy(data[0][:1000]), torch.from_numpy(data[1][:1000])
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10)
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X + 0.25 * torch.randn_like(X)), y).backward()
        optimizer.step()
    return net.eval()


OPTIONS = {"sigma": 0.25, "n_estimation": 200, "random_state": 0}


def test_votes_are_those_of_the_module(module, data):
    X, y = data
    clf = SmoothedClassifier(as_classifier(module, classes=range(10)), **OPTIONS)
    clf.fit(X[:100], y[:100])
    assert clf.fast_votes_
    certificate = clf.certify(X[1000:1020])
    off = clf.set_params(structure="off", batch_size=300).certify(X[1000:1020])
    assert np.abs(certificate.counts - off.counts).sum() <= 4
    assert (certificate.prediction == y[1000:1020]).mean() > 0.8
    other = clf.set_params(batch_size=64, n_jobs=2).certify(X[1000:1020])
    assert_array_equal(other.counts, off.counts)


def test_names_in_another_order(module, data):
    """Labels go by the order of the logits, whatever their order as names."""
    X, y = data
    names = np.array([f"digit {9 - label}" for label in range(10)])
    model = as_classifier(module, classes=names)
    expected = names[module(torch.from_numpy(X[:50])).argmax(1)]
    assert_array_equal(model.predict(X[:50]), expected)
    clf = SmoothedClassifier(model, **OPTIONS).fit(X[:100], names[y[:100]])
    assert_array_equal(clf.classes_, np.sort(names))
    plain = SmoothedClassifier(as_classifier(module, classes=range(10)), **OPTIONS)
    plain.set_params(structure="off").fit(X[:100], y[:100])
    counts = clf.certify(X[:20]).counts
    assert_array_equal(counts[:, ::-1], plain.certify(X[:20]).counts)


def test_training_mode_is_refused(module, data):
    X, y = data
    model = as_classifier(module, classes=range(10))
    clf = SmoothedClassifier(model, **OPTIONS).fit(X[:100], y[:100])
    module.train()
    try:
        with pytest.raises(ValueError, match=r"BatchNorm2d \(layer 1\)"):
            as_classifier(module, classes=range(10))
        for call in (model.predict, clf.estimator_.predict_proba, clf.certify):
            with pytest.raises(ValueError, match=r"Call module.eval\(\) first"):
                call(X[:2])
    finally:
        module.eval()
    with pytest.raises(ValueError, match="LSTM"):
        as_classifier(nn.LSTM(3, 3, 2, dropout=0.5), classes=range(3))
    as_classifier(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).train(), classes=range(10))


class FunctionalDropout(nn.Module):
    def forward(self, X):
        return nn.functional.dropout(X.flatten(1)[:, :10], 0.5, self.training)


@pytest.mark.parametrize(
    "kind",
    [
        FunctionalDropout,
        lambda: nn.InstanceNorm2d(1, track_running_stats=True),
        lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(8, 8)),
    ],
)
def test_what_may_change_in_training_mode_is_refused(kind):
    module = nn.Sequential(kind()).train()
    with pytest.raises(ValueError, match=r"\(layer 0.*Call module.eval\(\) first"):
        as_classifier(module, classes=range(10))
    as_classifier(module.eval(), classes=range(10))


def test_answers_that_go_by_the_batch_are_refused():
    module = nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False)).eval()
    with pytest.raises(ValueError, match="no running statistics"):
        as_classifier(module, classes=range(10))


def test_what_is_no_module_or_has_no_list_of_labels(module):
    with pytest.raises(TypeError, match=r"must be a torch.nn.Module, got function"):
        as_classifier(lambda X: X, classes=range(10))
    for classes in (10, [0, 0, 1], [[0], [1]]):
        with pytest.raises(ValueError, match="one label per logit, each once"):
            as_classifier(module, classes=classes)
    with pytest.raises(TypeError, match="must be a TorchExecution"):
        as_classifier(module, classes=range(10), execution={"compile": True})


def test_inputs_of_another_precision(module, data):
    X, y = data
    model = as_classifier(module, classes=range(10))
    clf = SmoothedClassifier(model, **OPTIONS).fit(X[:100], y[:100])
    for call in (model.predict, clf.certify):
        with pytest.raises(ValueError, match=r"pass X.astype\(numpy.float32\)"):
            call(X[:3].astype(float))


class ByGradient(nn.Module):
    """Moves its input along a gradient, and keeps something of the call."""

    def __init__(self, module):
        super().__init__()
        self.module, self.kept = module, None

    def forward(self, X):
        if self.kept is None:
            self.kept = 2 * torch.ones_like(X[:1])
        with torch.enable_grad():
            moved = X.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.module(moved).logsumexp(1).sum(), moved)
            return self.module(X + 0.1 * gradient) * self.kept.mean()


def test_modules_that_take_gradients(module, data):
    X, y = data
    net = ByGradient(module).eval()
    model = as_classifier(net, classes=range(10))
    assert_array_equal(model.predict(X[:50]), net(torch.from_numpy(X[:50])).argmax(1))
    clf = SmoothedClassifier(model, **OPTIONS).fit(X[:100], y[:100])
    assert clf.certify(X[:5]).counts.sum() == 1000
    assert not net.kept.is_inference()  # it could not be trained with


def test_inputs_are_left_as_they_are(module, data):
    net = nn.Sequential(nn.Threshold(0.5, 0.0, inplace=True), *module).eval()
    X = data[0][:50].copy()
    X.flags.writeable = False  # which torch warns of
    model = as_classifier(net, classes=range(10))
    labels = model.predict(X)
    assert_array_equal(X, data[0][:50])
    X = X.copy()
    assert_array_equal(model.predict(X), labels)
    assert_array_equal(X, data[0][:50])
    assert model.predict(X[:0]).shape == (0,)


class Tight(nn.Module):
    """Room for 16 rows."""

    def __init__(self, module, room=16):
        super().__init__()
        self.module, self.room, self.sizes = module, room, []

    def forward(self, X):
        if len(X) > self.room:
            raise torch.cuda.OutOfMemoryError("no room")
        self.sizes.append(len(X))
        return self.module(X)


def test_calls_that_do_not_fit_are_halved(module, data):
    X = data[0][:100]
    tight = Tight(module).eval()
    model = as_classifier(tight, classes=range(10))
    assert_array_equal(model.predict(X), as_classifier(module, classes=range(10)).predict(X))
    assert sum(tight.sizes) == 100
    assert max(tight.sizes) <= 16
    clf = SmoothedClassifier(model, **OPTIONS).fit(X, data[1][:100])
    roomy = SmoothedClassifier(as_classifier(module, classes=range(10)), **OPTIONS)
    roomy.fit(X, data[1][:100])
    assert_array_equal(clf.certify(X[:7]).counts, roomy.certify(X[:7]).counts)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        as_classifier(Tight(module, 0).eval(), classes=range(10)).predict(X)


def test_execution(module, data):
    X, y = data
    plain = as_classifier(module, classes=range(10))
    channels = as_classifier(
        module, classes=range(10), device="cpu", execution=TorchExecution(channels_last=True)
    )
    assert_allclose(channels.predict_proba(X[:50]), plain.predict_proba(X[:50]), atol=1e-5)
    execution = TorchExecution(autocast=torch.bfloat16)
    half = as_classifier(module, classes=range(10), execution=execution)
    probabilities = half.predict_proba(X[:200])
    difference = np.abs(probabilities - plain.predict_proba(X[:200])).max()
    assert 0 < difference < 0.05
    clf = SmoothedClassifier(half, **OPTIONS).fit(X[:100], y[:100])
    votes = clf.certify(X[1000:1100]).counts
    expected = clf.set_params(structure="off").certify(X[1000:1100]).counts
    assert np.abs(votes - expected).sum() <= 20  # calls of other sizes round otherwise
    exact = SmoothedClassifier(plain, **OPTIONS).fit(X[:100], y[:100]).certify(X[1000:1100]).counts
    assert (votes != exact).any()  # the control: the precision that was asked for is used


class Branch(nn.Module):
    """Two ways that are added, one through batch normalisation."""

    def __init__(self, layers):
        super().__init__()
        self.conv, self.norm, self.rest = layers[0], layers[1], layers[2:]

    def forward(self, X):
        seen = self.conv(X)
        return self.rest(self.norm(seen) + 0 * seen)


class Twice(nn.Module):
    """One convolution that is called twice, the second time without batch normalisation."""

    def __init__(self, layers):
        super().__init__()
        self.conv, self.norm, self.rest = layers[0], layers[1], layers[2:]

    def forward(self, X):
        return self.rest(self.norm(self.conv(X))) + self.rest(self.conv(X))


def test_batch_normalisation_is_folded(module, data):
    execution = TorchExecution(fold_batch_norm=True, channels_last=True)
    folded = as_classifier(module, classes=range(10), execution=execution)
    parts = [type(part) for part in folded.estimator.module.modules()]
    assert nn.BatchNorm2d not in parts
    plain = as_classifier(module, classes=range(10))
    assert_allclose(
        folded.predict_proba(data[0][:50]), plain.predict_proba(data[0][:50]), atol=1e-5
    )
    kept = as_classifier(Branch(module).eval(), classes=range(10), execution=execution)
    assert_allclose(kept.predict_proba(data[0][:50]), plain.predict_proba(data[0][:50]), atol=1e-5)


class Random(nn.Module):
    def forward(self, X):
        return X[:, :10] + torch.randn(10)


class Choosing(nn.Module):
    def forward(self, X):
        return X if X.sum() > 0 else -X


@pytest.mark.parametrize(("kind", "message"), [(Random, "would be frozen"), (Choosing, "trace")])
def test_what_cannot_be_folded_is_refused(kind, message):
    with pytest.raises(ValueError, match=message):
        as_classifier(
            kind().eval(), classes=range(10), execution=TorchExecution(fold_batch_norm=True)
        )


def named(conv, norm):
    """Return a chain with a convolution and what normalises it."""
    torch.manual_seed(0)
    net = nn.Sequential(conv, norm, nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    with torch.no_grad():
        net(3 * torch.randn(64, 1, 8, 8) + 1)
    return net.eval()


def with_hook():
    norm = nn.BatchNorm2d(4)
    norm.register_forward_hook(lambda layer, args, output: -output)
    return named(nn.Conv2d(1, 4, 3), norm)


def normalised():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        net = named(nn.utils.weight_norm(nn.Conv2d(1, 4, 3)), nn.BatchNorm2d(4))
    net(torch.randn(2, 1, 8, 8)).sum().backward()  # the weight is now a result of others
    return net


class ReadTwice(nn.Module):
    """Calls a convolution, and uses its weight besides."""

    def __init__(self):
        super().__init__()
        self.layers = named(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))

    def forward(self, X):
        layers = self.layers
        seen = layers[1](layers[0](X)) + nn.functional.conv2d(X, layers[0].weight)
        return layers[4](seen.flatten(1))


FOLDED = {
    "hook": with_hook,
    "computed weight": normalised,
    "pruned": lambda: named(
        prune.l1_unstructured(nn.Conv2d(1, 4, 3), "weight", 0.5), nn.BatchNorm2d(4)
    ),
    "weight read elsewhere": lambda: ReadTwice().eval(),
    "by the batch": lambda: named(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)),
}


@pytest.mark.parametrize("name", FOLDED)
def test_batch_normalisation_that_cannot_be_folded_is_kept(name):
    net, X = FOLDED[name](), torch.randn(20, 1, 8, 8)
    for execution in (TorchExecution(fold_batch_norm=True), TorchExecution(channels_last=True)):
        with torch.no_grad():
            assert_allclose(execution.prepared(net)(X), net(X), rtol=1e-4, atol=1e-5)


def test_channels_last_leaves_filters_of_volumes():
    flat = nn.Flatten(2), nn.Unflatten(2, (2, 4))
    net = nn.Sequential(nn.Conv3d(1, 2, 3), *flat, nn.Conv2d(2, 2, 2))
    prepared = TorchExecution(channels_last=True).prepared(net.eval())
    X = torch.randn(3, 1, 4, 4, 4)
    with torch.no_grad():
        assert_allclose(prepared(X), net(X), rtol=1e-5, atol=1e-6)
    assert prepared[3].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")
def test_compiled(module, data):
    X, y = data
    plain = SmoothedClassifier(as_classifier(module, classes=range(10)), **OPTIONS)
    execution = TorchExecution(compile=True)
    fast = SmoothedClassifier(
        as_classifier(module, classes=range(10), execution=execution), **OPTIONS
    )
    certificates = [clf.fit(X[:100], y[:100]).certify(X[1000:1020]) for clf in (plain, fast)]
    assert np.abs(certificates[0].counts - certificates[1].counts).sum() <= 4


def test_copies_on_several_devices(module, data):
    X, y = data
    one = SmoothedClassifier(as_classifier(module, classes=range(10)), **OPTIONS)
    two = SmoothedClassifier(
        as_classifier(module, classes=range(10), device=["cpu", "cpu"]), n_jobs=2, **OPTIONS
    )
    one, two = one.fit(X[:100], y[:100]), two.fit(X[:100], y[:100])
    voter = fast_voter(
        two.estimator_, two.classes_, two.noise_, read_inputs(X[1000:1020], owner=two)
    )
    assert len(voter.layers) == 2
    assert voter.layers[0].first.weight is not voter.layers[1].first.weight
    expected = one.certify(X[1000:1020]).counts
    assert_array_equal(two.certify(X[1000:1020]).counts, expected)
    with parallel_config(backend="loky", n_jobs=2):
        assert_array_equal(two.set_params(n_jobs=None).certify(X[1000:1020]).counts, expected)


def test_convolutions_in_other_processes():
    """Blocks stay here: what is sent are the layers."""
    torch.manual_seed(0)
    X, y = np.random.default_rng(0).normal(size=(40, 1, 8, 8)).astype(np.float32), np.arange(40) % 3
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten())
    net = nn.Sequential(net, nn.Linear(64, 3)).eval()
    options = {**OPTIONS, "sigma": 2.0}
    clf = SmoothedClassifier(as_classifier(net, classes=range(3)), **options).fit(X, y)
    expected = clf.certify(X).counts
    with parallel_config(backend="loky", n_jobs=2):
        assert_array_equal(clf.certify(X).counts, expected)
        assert clf.set_params(structure="off").certify(X[:3]).counts.sum() == 600


def test_in_other_smoothers_and_pickled(module, data):
    X, y = data
    model = as_classifier(module, classes=range(10))
    dssn = DSSNClassifier(model, n_steps=16, sigma=0.25).fit(X[:50], y[:50])
    assert dssn.certify(X[:5]).counts.sum() == 5 * dssn.n_shifts_
    again = pickle.loads(pickle.dumps(dssn))
    assert_array_equal(again.certify(X[:5]).counts, dssn.certify(X[:5]).counts)


def test_outputs_of_another_shape_are_refused(data):
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 9))
    with pytest.raises(ValueError, match="one logit per row and class"):
        as_classifier(module, classes=range(10)).predict(data[0][:3])


@pytest.mark.parametrize("smoother", [SmoothedClassifier, DSSNClassifier])
def test_bare_module_as_estimator(smoother, module, data):
    with pytest.raises(ValueError, match=r"Sequential without fit.*as_classifier"):
        smoother(module).fit(data[0][:50], data[1][:50])
