"""What is said where a module fails on inputs; each remedy is followed."""

import numpy as np
import pytest
import skorch
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.preprocessing import LabelEncoder
from torch import nn

from sksmooth import SmoothedClassifier
from sksmooth.nets import TorchExecution, as_classifier, as_regressor

RNG = np.random.default_rng(0)


def classifier(*layers, **options):
    return as_classifier(nn.Sequential(*layers).eval(), classes=range(3), **options)


def images(*shape):
    return RNG.normal(size=(6, *shape)).astype(np.float32)


def on_images(n_channels=1):
    layers = nn.Conv2d(n_channels, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return classifier(*layers, nn.Linear(2, 3))


CASES = {
    "grey images without channels": (
        on_images(),
        images(8, 8),
        r"layer Conv2d \(layer 0\) takes inputs of shape \(1, height, width\): "
        r"pass X\[:, numpy.newaxis\]",
        lambda X: X[:, np.newaxis],
    ),
    "channels last": (
        on_images(3),
        images(8, 8, 3),
        r"shape \(3, height, width\): pass numpy.moveaxis\(X, -1, 1\)",
        lambda X: np.moveaxis(X, -1, 1),
    ),
    "flat images": (
        on_images(3),
        images(192),
        r"pass X.reshape\(len\(X\), 3, height, width\)",
        lambda X: X.reshape(len(X), 3, 8, 8),
    ),
    "sequences": (
        classifier(nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3)),
        images(6),
        r"shape \(1, length\): pass X.reshape\(len\(X\), 1, length\)",
        lambda X: X.reshape(len(X), 1, 6),
    ),
    "images for rows": (
        classifier(nn.Linear(64, 3)),
        images(1, 8, 8),
        r"takes 64 features per input: pass X.reshape\(len\(X\), -1\)",
        lambda X: X.reshape(len(X), -1),
    ),
    "double for single precision": (
        classifier(nn.Linear(4, 3)),
        images(4).astype(float),
        r"pass X.astype\(numpy.float32\)",
        lambda X: X.astype(np.float32),
    ),
    "single for double precision": (
        classifier(nn.Linear(4, 3).double()),
        images(4),
        r"pass X.astype\(numpy.float64\)",
        lambda X: X.astype(np.float64),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_to_do_is_said_and_helps(case):
    model, X, message, remedy = CASES[case]
    with pytest.raises(ValueError, match=rf"The module failed on inputs of float.*{message}"):
        model.predict(X)
    assert model.predict(remedy(X)).shape == (6,)


@pytest.mark.parametrize(
    ("model", "X", "message"),
    [
        (on_images(3), images(1, 8, 8), r"shape \(3, height, width\), and X has others"),
        (classifier(nn.Linear(4, 3)), images(5), "takes 4 features per input, and X has 5"),
    ],
)
def test_what_no_step_mends_is_said(model, X, message):
    with pytest.raises(ValueError, match=message):
        model.predict(X)


def test_half_precision():
    module, X = nn.Linear(4, 3).eval().half(), images(4)
    with pytest.raises(ValueError, match=r"float16.*call module.float\(\)") as caught:
        as_classifier(module, classes=range(3)).predict(X)
    assert "execution=TorchExecution(autocast=torch.float16)" in str(caught.value)
    execution = TorchExecution(autocast=torch.bfloat16)
    model = as_classifier(module.float(), classes=range(3), execution=execution)
    assert model.predict(X).shape == (6,)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.rest = nn.Embedding(10, 4), nn.Linear(4, 3)

    def forward(self, X):
        return self.rest(self.embedding(X).mean(dim=1))


class Rest(nn.Module):
    def __init__(self, tokens):
        super().__init__()
        self.rest = tokens.rest

    def forward(self, X):
        return self.rest(X.mean(dim=1))


def test_token_numbers_are_not_smoothed_but_embeddings_are():
    X, y = RNG.integers(10, size=(30, 5)), np.arange(30) % 3
    tokens = Tokens().eval()
    smoother = SmoothedClassifier(as_classifier(tokens, classes=range(3)), n_estimation=100)
    with pytest.raises(ValueError, match=r"tokens.*pass the embeddings as X"):
        smoother.fit(X, y)
    with torch.no_grad():
        embedded = tokens.embedding(torch.from_numpy(X)).numpy()
    smoother.set_params(estimator=as_classifier(Rest(tokens).eval(), classes=range(3)), sigma=0.01)
    y = smoother.estimator.predict(embedded)
    assert len(smoother.fit(embedded, y).certify(embedded)) == 30


def test_other_errors_are_left_as_they_are():
    class Failing(nn.Module):
        def forward(self, X):
            raise RuntimeError("of its own")

    with pytest.raises(RuntimeError, match="of its own"):
        as_regressor(Failing().eval()).predict(images(4))


def net(kind=skorch.NeuralNetClassifier, **params):
    criterion = nn.CrossEntropyLoss if kind is skorch.NeuralNetClassifier else nn.MSELoss
    settings = {"criterion": criterion, "max_epochs": 1, "verbose": 0, "train_split": None}
    return kind(nn.Sequential(nn.Linear(4, 3)), **settings, **params)


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array(["a", "b", "c"])[np.arange(30) % 3], "dtype <U1"),
        (np.arange(30) % 3 + 1, "Target 3 is out of bounds"),
        (np.arange(30) % 3 - 1, "y has the label -1"),
    ],
)
def test_labels_of_nets_of_skorch(y, message):
    X = images(4).repeat(5, axis=0)
    smoother = SmoothedClassifier(net(), n_augment=1, n_estimation=100, random_state=0)
    with pytest.raises(ValueError, match=rf"{message}.*LabelEncoder\(\).fit_transform\(y\)"):
        smoother.fit(X, y)
    assert len(smoother.fit(X, LabelEncoder().fit_transform(y)).certify(X[:2])) == 2


@pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")
@pytest.mark.parametrize("frozen", [False, True])
def test_precision_of_nets_of_skorch(frozen):
    X, y = images(4).repeat(5, axis=0), np.arange(30) % 3
    model = FrozenEstimator(net().fit(X, y)) if frozen else net()
    smoother = SmoothedClassifier(model, n_augment=1, n_estimation=100, random_state=0)
    with pytest.raises(ValueError, match=r"pass X.astype\(numpy.float32\)"):
        smoother.fit(X.astype(float), y)
    assert len(smoother.fit(X, y).certify(X[:2])) == 2
