"""Neural networks enter through skorch, as base models like any other."""

import numpy as np
import pytest
import skorch
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV

from sksmooth import MedianSmoothedRegressor, SmoothedClassifier, make_certified_scorer


class SmallConvNet(torch.nn.Module):
    """Two layers on 8 by 8 pixels."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(1, 8, 3, stride=2),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
            torch.nn.Linear(72, 10),
        )

    def forward(self, X):
        assert X.dtype == torch.float32
        return self.layers(X)


def net():
    torch.manual_seed(0)
    return skorch.NeuralNetClassifier(
        SmallConvNet,
        criterion=torch.nn.CrossEntropyLoss,
        max_epochs=4,
        lr=0.1,
        batch_size=64,
        verbose=0,
        train_split=None,
    )


@pytest.fixture(scope="module")
def images(digits):
    X, y = digits
    return X.reshape(-1, 1, 8, 8).astype(np.float32), y.astype(np.int64)


@pytest.fixture(scope="module")
def trained(images):
    X, y = images
    clf = SmoothedClassifier(net(), sigma=0.25, n_augment=2, n_estimation=300, random_state=0)
    return clf.fit(X[:1200], y[:1200])


def test_net_is_trained_on_noisy_images_and_certified(trained, images):
    X, y = images
    certificate = trained.certify(X[1200:1300])
    assert certificate.n_features == 64
    assert (certificate.prediction == y[1200:1300]).mean() > 0.7
    assert certificate.certified.mean() > 0.5


def test_counts_do_not_depend_on_how_the_work_is_cut(trained, images):
    X, _ = images
    whole = trained.certify(X[1200:1210])
    other = clone(trained).set_params(estimator=FrozenEstimator(trained.estimator_))
    other.set_params(n_jobs=2, batch_size=64).fit(X[:50], images[1][:50])
    assert_array_equal(other.certify(X[1200:1210]).counts, whole.counts)


def test_grid_search_over_sigma_and_the_net(images):
    X, y = images
    search = GridSearchCV(
        SmoothedClassifier(net(), n_augment=1, n_estimation=100, random_state=0),
        {"sigma": [0.01, 0.25], "estimator__lr": [0.1]},
        scoring=make_certified_scorer(0.1),
        cv=2,
    )
    assert search.fit(X[:600], y[:600]).best_params_["sigma"] == 0.25


def test_data_set_and_loader_as_inputs(trained, images):
    X, y = (torch.from_numpy(values[1200:1240]) for values in images)
    expected = trained.certify(images[0][1200:1240])
    data_set = torch.utils.data.TensorDataset(X, y)
    for given in (data_set, torch.utils.data.DataLoader(data_set, batch_size=16)):
        assert_array_equal(trained.certify(given).counts, expected.counts)
        assert_array_equal(trained.predict(given), expected.prediction)


@pytest.mark.parametrize("smoother", [SmoothedClassifier, MedianSmoothedRegressor])
def test_loader_at_fit_without_noisy_copies(smoother, images):
    X, y = images[0][:200], images[1][:200]
    rows = torch.utils.data.TensorDataset(torch.from_numpy(X))
    loader = torch.utils.data.DataLoader(rows, batch_size=50)
    model = net()
    if smoother is MedianSmoothedRegressor:
        model = skorch.NeuralNetRegressor(SmallConvNet, verbose=0, train_split=None, max_epochs=1)
        y = np.eye(10, dtype=np.float32)[y]
    clf = smoother(model, n_augment=0, n_estimation=100, random_state=0).fit(loader, y)
    few = torch.utils.data.DataLoader(torch.utils.data.Subset(rows, range(4)), batch_size=2)
    assert_array_equal(clf.predict(few), clf.predict(X[:4]))
    if smoother is MedianSmoothedRegressor:
        assert_array_equal(clf.prediction_error(few, y[:4]), clf.prediction_error(X[:4], y[:4]))
