"""Trained torch modules as base models."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksmooth import DSSNClassifier, SmoothedClassifier

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
    assert not clf._is_known  # its votes are those of the execution that was asked for


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
