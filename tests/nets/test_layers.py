"""Networks in skorch: votes with their first layer apart are those of their predict."""

import numpy as np
import pytest
import skorch
import torch
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import SmoothedClassifier
from sksmooth.engine._black_box import BlackBoxVoter
from sksmooth.engine._streams import DrawStream, Purpose
from sksmooth.inputs._containers import read_inputs
from sksmooth.nets import as_classifier
from sksmooth.nets._layers import TorchLayers
from sksmooth.noise import GaussianNoise
from sksmooth.voters import voter_of

nn = torch.nn


def net(*layers, **params):
    torch.manual_seed(0)
    params = {"criterion": nn.CrossEntropyLoss, "max_epochs": 3, "lr": 0.1, **params}
    return skorch.NeuralNetClassifier(nn.Sequential(*layers), verbose=0, train_split=None, **params)


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 10)

    def forward(self, X):
        return self.layer(torch.tanh(X))


def conv():
    return net(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(384, 10))


NETS = {
    "linear": lambda: net(nn.Linear(64, 80), nn.ReLU(), nn.Linear(80, 10)),
    "linear with much after it": lambda: net(
        nn.Linear(64, 70), nn.BatchNorm1d(70), nn.ReLU(), nn.Dropout(), nn.Linear(70, 10)
    ),
    "linear of images": lambda: net(nn.Flatten(), nn.Linear(64, 64, bias=False), nn.Linear(64, 10)),
    "convolution": conv,
    "no linear layer first": lambda: net(
        nn.Unflatten(1, (1, 8, 8)), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 10)
    ),
    "a module of its own": lambda: net(Own()),
    "probabilities": lambda: net(
        nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10), nn.LogSoftmax(1), criterion=nn.NLLLoss
    ),
}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X[:600] / 16).astype(np.float32), y[:600]


def shaped(X, name):
    return X.reshape(-1, 1, 8, 8) if name in ("convolution", "linear of images") else X


@pytest.mark.parametrize("name", NETS)
def test_votes_are_those_of_predict(name, digits):
    X, y = shaped(digits[0], name), digits[1]
    model = NETS[name]().fit(X[:400], y[:400])
    assert votes_agree(model, X[400::8]) <= 2  # sums are rounded in another order


def votes_agree(model, X):
    """Return how many votes differ between the voter of a model and its predict."""
    rows, noise = read_inputs(X, owner=None), GaussianNoise(0.5)
    draws = noise.draw(100, rows.shape, np.random.default_rng(0), rows.dtype)
    voter = voter_of(model)
    assert voter.suits(rows)
    ours = voter.count_votes(voter.embed(rows), noise, voter.embed_noise(draws))
    theirs = BlackBoxVoter(model, np.arange(10)).count_votes(rows, noise, draws)
    assert (theirs.max(axis=1) < 100).sum() > 2
    return np.abs(ours - theirs).sum()


@pytest.mark.parametrize("name", ["linear", "convolution"])
def test_counts_are_those_of_the_black_box(name, digits):
    X, y = shaped(digits[0], name), digits[1]
    options = {"sigma": 0.3, "n_estimation": 200, "n_augment": 1, "random_state": 0}
    auto = SmoothedClassifier(NETS[name](), **options).fit(X[:300], y[:300])
    assert auto.fast_votes_
    off = SmoothedClassifier(FrozenEstimator(auto.estimator_), structure="off", **options)
    counts = auto.certify(X[300:330]).counts
    expected = off.fit(X[:300], y[:300]).certify(X[300:330]).counts
    assert np.abs(counts - expected).sum() <= 2
    assert_array_equal(auto.set_params(n_jobs=2).certify(X[300:330]).counts, counts)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_fewer_units_than_features(digits):
    """The noise is drawn on the units: not the same votes, but the same law."""
    X, y = digits
    options = {"sigma": 0.5, "n_estimation": 4000, "n_augment": 1, "random_state": 0}
    model = net(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    auto = SmoothedClassifier(model, **options).fit(X[:300], y[:300])
    off = SmoothedClassifier(FrozenEstimator(auto.estimator_), structure="off", **options)
    counts = auto.certify(X[300:320]).counts
    expected = off.fit(X[:300], y[:300]).certify(X[300:320]).counts
    assert (counts != expected).any()
    proportions = (counts + expected) / 8000
    spread = np.sqrt(2 * 4000 * proportions * (1 - proportions))
    assert (
        np.abs((counts - expected)[proportions > 0.005] / spread[proportions > 0.005]).max() < 4.5
    )


def test_layers_behind_a_scaler(digits):
    X, y = digits
    model = make_pipeline(StandardScaler(), NETS["linear"]()).fit(X[:400], y[:400])
    assert votes_agree(model, X[400::8]) <= 2


@pytest.mark.parametrize("shape", [(8, 8), (1, 64), (64, 1)])
@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
def test_linear_layer_for_each_place_of_a_sequence(shape, digits):
    """Each place has noise of its own, also where the layer has fewer units than features."""
    X, y = digits[0].reshape(-1, *shape), digits[1]
    units = max(1, shape[1] // 2)
    layers = nn.Linear(shape[1], units), nn.ReLU(), nn.Flatten(), nn.Linear(shape[0] * units, 10)
    options = {"sigma": 0.3, "n_estimation": 200, "n_augment": 1, "random_state": 0}
    auto = SmoothedClassifier(net(*layers), **options).fit(X[:300], y[:300])
    assert auto.fast_votes_
    off = SmoothedClassifier(FrozenEstimator(auto.estimator_), structure="off", **options)
    expected = off.fit(X[:300], y[:300]).certify(X[300:320]).counts
    assert np.abs(auto.certify(X[300:320]).counts - expected).sum() <= 2


def test_answers_that_go_by_the_batch_are_refused(digits):
    X, y = digits
    norm = nn.BatchNorm1d(20, track_running_stats=False)
    model = net(nn.Linear(64, 20), norm, nn.ReLU(), nn.Linear(20, 10)).fit(X[:100], y[:100])
    with pytest.raises(ValueError, match=r"BatchNorm1d \(layer 1\) has no running statistics"):
        SmoothedClassifier(FrozenEstimator(model), n_estimation=200).fit(X[:100], y[:100])


class Doubled(skorch.dataset.Dataset):
    def transform(self, X, y):
        return super().transform(2 * X, y)


@pytest.mark.parametrize(
    "model",
    [
        net(nn.Linear(64, 10), dataset=Doubled),
        net(nn.Linear(64, 10), predict_nonlinearity=torch.neg),
    ],
    ids=["data are changed", "outputs are changed"],
)
def test_what_is_not_known_is_left_to_the_model(model, digits):
    X, y = digits
    assert voter_of(model.fit(X[:100], y[:100])) is None


def test_net_of_another_precision_or_with_other_outputs(digits):
    X, y = digits
    rows = read_inputs(X, owner=None)
    model = net(nn.Linear(64, 12)).fit(X[:100], y[:100])
    assert not voter_of(model).suits(rows)
    model = NETS["linear"]().fit(X[:100], y[:100])
    assert voter_of(model).suits(rows)
    assert not voter_of(model).suits(read_inputs(X.astype(float), owner=None))


@pytest.mark.parametrize("place", [0, 1])
def test_hooks_are_called(place, digits):
    X, y = digits
    model = NETS["linear"]().fit(X[:100], y[:100])
    model.module_[place].register_forward_hook(lambda module, args, output: -output)
    voter = voter_of(model)
    assert (type(voter.first) is nn.Identity) == (place == 0)
    assert votes_agree(model, X[400::8]) <= 2


@pytest.mark.parametrize("structure", ["auto", "off"])
def test_whole_numbers_for_a_net_in_double_precision(structure):
    X, y = np.random.default_rng(0).integers(0, 10, size=(60, 6)), np.arange(60) % 2
    model = net(nn.Linear(6, 4).double(), nn.ReLU(), nn.Linear(4, 2).double())
    clf = SmoothedClassifier(model, structure=structure, n_estimation=200, random_state=0)
    assert len(clf.fit(X, y).certify(X[:5])) == 5


class Root(nn.Module):
    def forward(self, X):
        return torch.sqrt(X - 2.0)  # not a number below 2


@pytest.mark.parametrize("on_cpu", [True, False])
def test_scores_that_are_not_numbers_are_refused_with_their_row(on_cpu, monkeypatch):
    monkeypatch.setattr(TorchLayers, "_is_on_cpu", property(lambda self: on_cpu))
    voter = TorchLayers(nn.Sequential(), nn.Linear(2, 3).eval(), Root(), 3)
    with torch.no_grad():
        voter.first.weight.copy_(torch.tensor([[2.0], [1.5], [1.0]]).expand(3, 2))
        voter.first.bias.zero_()
    noise = GaussianNoise(0.1)
    inputs = read_inputs(np.array([[9.0, 9.0], [0.5, 0.5], [9.0, 0.0]], np.float32), owner=None)
    stream = DrawStream(noise, 0, Purpose.ESTIMATION, (2,), np.dtype(np.float32))
    draws = voter.embed_stream(stream).take(0, 50)
    with pytest.raises(ValueError, match=r"NaN for row 1 of its inputs \(1 such rows in all\)"):
        voter.count_votes(voter.embed(inputs), noise, draws)
    votes = voter.count_votes(voter.embed(inputs[:1]), noise, draws)
    assert votes.shape == (1, 3)
    assert votes.sum() == 50
    infinite = TorchLayers(nn.Sequential(), voter.first, Infinite(), 3)
    assert_array_equal(infinite.count_votes(voter.embed(inputs), noise, draws)[:, 1], [50] * 3)


class Infinite(nn.Module):
    """Scores without bounds are no fault."""

    def forward(self, X):
        return torch.tensor([-torch.inf, torch.inf, 0.0]).expand(len(X), 3)


@pytest.mark.parametrize("kind", ["skorch", "module"])
def test_no_certificate_for_scores_that_are_not_numbers(kind, digits):
    X, y = digits
    model = net(nn.Linear(64, 10)).fit(X[:100], y[:100])
    with torch.no_grad():
        model.module_[0].bias[3] = np.nan
    if kind == "module":
        model = as_classifier(model.module_.eval(), classes=range(10)).estimator
    with pytest.raises(ValueError, match="answers NaN for row 0"):
        SmoothedClassifier(FrozenEstimator(model), n_estimation=100).fit(X[:100], y[:100])
