"""Trained torch modules as base models."""

import pickle
import shutil

import numpy as np
import pytest
from joblib import parallel_config
from numpy.testing import assert_allclose, assert_array_equal

from sksmooth import DSSNClassifier, SmoothedClassifier
from sksmooth._rows import read_rows

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")
nn = torch.nn

from sksmooth.modules import TorchExecution, as_classifier  # noqa: E402


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
    assert clf._is_known
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
    shares = half.predict_proba(X[:200])
    difference = np.abs(shares - plain.predict_proba(X[:200])).max()
    assert 0 < difference < 0.05
    clf = SmoothedClassifier(half, **OPTIONS).fit(X[:100], y[:100])
    votes = clf.certify(X[1000:1020]).counts
    expected = clf.set_params(structure="off").certify(X[1000:1020]).counts
    assert np.abs(votes - expected).sum() <= 20  # calls of other sizes round otherwise
    exact = SmoothedClassifier(plain, **OPTIONS).fit(X[:100], y[:100]).certify(X[1000:1020]).counts
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
    structure = two._structure(read_rows(X[1000:1020], owner=two))
    assert len(structure.layers) == 2
    assert structure.layers[0].first.weight is not structure.layers[1].first.weight
    expected = one.certify(X[1000:1020]).counts
    assert_array_equal(two.certify(X[1000:1020]).counts, expected)
    with parallel_config(backend="loky", n_jobs=2):
        assert_array_equal(two.set_params(n_jobs=None).certify(X[1000:1020]).counts, expected)


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
