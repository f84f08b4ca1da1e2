"""Nets of skorch that are asked without their loader give the same answers."""

import numpy as np
import pytest
import skorch
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sksmooth import (
    CenterSmoothedRegressor,
    DSSNClassifier,
    MedianSmoothedRegressor,
    SmoothedClassifier,
)
from sksmooth.voters._direct import directly

nn = torch.nn

OPTIONS = {"max_epochs": 3, "lr": 0.1, "verbose": 0, "train_split": None}


def classifier(*more, criterion=nn.CrossEntropyLoss, **params):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(64, 20), nn.ReLU(), nn.Dropout(), nn.Linear(20, 10), *more)
    return skorch.NeuralNetClassifier(module, criterion=criterion, **OPTIONS, **params)


def regressor(**params):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(64, 20), nn.Tanh(), nn.Linear(20, 2))
    return skorch.NeuralNetRegressor(module, **OPTIONS, **params)


class LoaderUsedError(Exception):
    pass


@pytest.fixture
def forbid_loader(monkeypatch):
    def refuse(self):
        raise LoaderUsedError

    return lambda: monkeypatch.setattr(torch.utils.data.DataLoader, "__iter__", refuse)


@pytest.fixture(scope="module")
def data(digits):
    return digits[0][:400].astype(np.float32), digits[1][:400]


@pytest.mark.parametrize(
    "model",
    [
        classifier(),
        classifier(nn.Softmax(1), criterion=nn.NLLLoss),
        classifier(predict_nonlinearity=None),
    ],
    ids=["logits", "probabilities", "no nonlinearity"],
)
def test_answers_of_classifiers(model, data):
    X, y = data
    model.fit(X, y)
    direct = directly(FrozenEstimator(model))
    assert direct is not model
    assert_array_equal(direct.predict(X), model.predict(X))
    assert_allclose(direct.predict_proba(X), model.predict_proba(X), rtol=1e-5, atol=1e-6)
    assert_array_equal(direct.classes_, model.classes_)


def test_answers_of_regressors_and_pipelines(data):
    X, y = data
    targets = np.eye(10, dtype=np.float32)[y][:, :2]
    model = regressor().fit(X, targets)
    assert_allclose(directly(model).predict(X), model.predict(X), rtol=1e-5, atol=1e-6)
    double = FunctionTransformer(lambda X: 2 * X)
    pipeline = make_pipeline(double, FrozenEstimator(classifier().fit(X, y))).fit(X, y)
    assert directly(pipeline) is not pipeline
    assert_array_equal(directly(pipeline).predict(X), pipeline.predict(X))


class Columns(nn.Module):
    """Gets the columns of a DataFrame by their names, and would take an array for the first."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, a, b=None):
        return self.layer(a if b is None else torch.cat([b, a], 1))


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")  # of skorch, on pandas
def test_columns_of_a_data_frame_go_to_the_module_by_name():
    import pandas

    numbers = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    X, y = pandas.DataFrame(numbers, columns=["a", "b"]), (numbers[:, 0] > 0).astype(int)
    torch.manual_seed(0)
    model = skorch.NeuralNetClassifier(Columns, criterion=nn.CrossEntropyLoss, **OPTIONS).fit(X, y)
    expected = model.predict(X)
    assert_array_equal(directly(model).predict(X), expected)
    assert (directly(model).predict(numbers) != expected).any()  # the control


def test_what_skorch_makes_of_the_outputs_for_a_criterion(data):
    X, y = data
    module = nn.Sequential(nn.Linear(64, 1), nn.Flatten(0))
    model = skorch.NeuralNetRegressor(module, criterion=nn.BCEWithLogitsLoss, **OPTIONS)
    model.fit(X, (y > 4).astype(np.float32))
    assert model.predict(X).shape == (400, 2)  # probabilities of two classes
    assert_allclose(directly(model).predict(X), model.predict(X), rtol=1e-5, atol=1e-6)


class Doubled(skorch.dataset.Dataset):
    def transform(self, X, y):
        return super().transform(2 * X, y)


class Other(skorch.NeuralNetClassifier):
    def predict(self, X):
        return super().predict(-X)


def test_what_may_answer_otherwise_is_asked_itself(data):
    X, y = data
    changed = classifier(dataset=Doubled).fit(X, y)
    assert directly(changed) is changed
    module = nn.Sequential(nn.Linear(64, 10))
    subclass = Other(module, criterion=nn.CrossEntropyLoss, **OPTIONS).fit(X, y)
    assert directly(subclass) is subclass
    own = classifier().fit(X, y)
    own.predict = lambda X: np.zeros(len(X), int)
    assert directly(own) is own
    own = classifier().fit(X, y)
    own.predict_proba = lambda X: np.eye(10)[np.zeros(len(X), int)]  # which predict asks
    assert directly(own) is own
    outputs = regressor(predict_nonlinearity=torch.neg).fit(X, np.eye(10, dtype="f4")[y][:, :2])
    assert directly(outputs) is outputs


def test_no_smoother_uses_the_loader(data, forbid_loader):
    X, y = data
    targets = np.eye(10, dtype=np.float32)[y][:, :2]
    net = FrozenEstimator(classifier().fit(X, y))
    numbers = FrozenEstimator(regressor().fit(X, targets))
    dssn = DSSNClassifier(net, n_steps=16, sigma=0.25).fit(X, y)
    soft = DSSNClassifier(net, n_steps=16, sigma=0.25, vote="soft").fit(X, y)
    center = CenterSmoothedRegressor(numbers, n_center=50, n_estimation=800, random_state=0)
    median = MedianSmoothedRegressor(numbers, n_estimation=200, random_state=0)
    center, median = center.fit(X, targets), median.fit(X, targets)
    off = SmoothedClassifier(net, structure="off", n_estimation=100, random_state=0).fit(X, y)
    expected = dssn.certify(X[:3]).counts
    forbid_loader()
    assert_array_equal(dssn.certify(X[:3]).counts, expected)
    assert soft.certify(X[:3]).radius.shape == (3,)
    assert len(center.certify(X[:2], radius=0.1)) == 2
    assert len(median.certify(X[:2], radius=0.1)) == 2
    with pytest.raises(LoaderUsedError):  # the control: the model is asked as it is
        off.certify(X[:3])
