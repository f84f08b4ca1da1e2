"""What does projected gradient descent do to biased and to voting classifiers?

Digit 8 against the rest, with a tanh network or a smooth convolutional net: accuracy on rows that
are attacked through the base model, of this, of the vote under Gaussian noise (attacked through the
mean gradient under noise as well), and of the locally biased smoother; and of this on rows that are
moved towards reference points of the other class as well. Each certified row has to survive; the
benchmark checks it. With --mnist the images come from the folder that SKSMOOTH_DATA names; without,
they are the digits of scikit-learn.

    python -m benchmarks.attacked [--mnist] [--cnn]
"""

import argparse
import os
from copy import deepcopy
from pathlib import Path

import numpy as np
import skorch
import torch
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits
from torch import nn

from benchmarks._tables import as_text, write_for_docs
from sksmooth import LocallyBiasedSmoother, SmoothedClassifier
from sksmooth.attacks import project, projected_gradient, towards_points
from sksmooth.smooth_scores import smooth_score
from sksmooth.smooth_scores._modules import ModuleScore

RADII = {2: (0.0, 0.25, 0.5, 1.0, 1.5), np.inf: (0.0, 0.03, 0.06, 0.1, 0.15)}
ALPHA = {2: 1.0, np.inf: 0.1}
SIGMA = 0.25

# Noisy copies over which the gradient of an attack on the vote is averaged.
N_COPIES = 8


def data(mnist):
    """Return training rows, reference rows and rows to attack, with labels."""
    if mnist:
        with np.load(Path(os.environ["SKSMOOTH_DATA"]) / "images" / "mnist_train.npz") as images:
            X, y = images["X"][:6000].reshape(6000, -1) / 255, images["y"][:6000]
    else:
        X, y = load_digits(return_X_y=True)
        X = X / 16
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order], (y[order] == 8).astype(int)
    n = (len(X) - 300) // 3
    return (X[n:-300], y[n:-300]), (X[:n], y[:n]), (X[-300:], y[-300:])


def smooth_cnn(X, y):
    """Train two convolutions with softplus, for rows of pixels."""
    torch.manual_seed(0)
    side = round(X.shape[1] ** 0.5)
    size = 4 if side == 28 else 2
    layers = nn.Sequential(
        nn.Unflatten(1, (1, side, side)),
        nn.Conv2d(1, 8, size, stride=2),
        nn.Softplus(),
        nn.Conv2d(8, 16, size, stride=2),
        nn.Softplus(),
        nn.Flatten(),
        nn.LazyLinear(2),
    )
    layers(torch.zeros(1, X.shape[1]))
    net = skorch.NeuralNetClassifier(
        layers,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=2e-3,
        lr=1e-3,
        batch_size=64,
        max_epochs=15 if side == 28 else 60,
        train_split=None,
        verbose=0,
    )
    return net.fit(X.astype(np.float32), y)


def tanh_network(X, y):
    """Train one hidden layer."""
    model = MLPClassifier((32,), activation="tanh", alpha=0.1, max_iter=1000, random_state=0)
    return model.fit(X, y)


def gradient_of(model):
    """Gradient of the score, as a function; of a net by torch, which need not write it out."""
    if isinstance(model, skorch.NeuralNetClassifier):
        score = ModuleScore(deepcopy(model.module_).double().eval(), None, "")
    else:
        score = smooth_score(model)
    return lambda rows: score.gradient(rows)[:, 0]


def under_noise(gradient, n_features):
    """Return the mean of a gradient over copies with noise, always the same."""
    noise = SIGMA * np.random.default_rng(0).normal(size=(N_COPIES, 1, n_features))
    return lambda rows: np.mean([gradient(rows + z) for z in noise], axis=0)


def compare(mnist, cnn):
    """Yield rows of the table."""
    train, reference, (X, y) = data(mnist)
    model = smooth_cnn(*train) if cnn else tanh_network(*train)
    frozen, gradient = FrozenEstimator(model), gradient_of(model)
    vote = SmoothedClassifier(frozen, sigma=SIGMA, random_state=0)
    vote.fit(reference[0].astype(np.float32), reference[1])
    for norm, radii in RADII.items():
        biased = LocallyBiasedSmoother(frozen, alpha=ALPHA[norm], norm=norm).fit(*reference)
        certificate = biased.certify(X)
        correct = certificate.prediction == y
        for radius in radii:
            options = {"radius": radius, "norm": norm, "bounds": (0, 1)}
            signs = np.where(y == 1, 1, -1)
            attacked = projected_gradient(gradient, X, signs, **options)
            mean = under_noise(gradient, X.shape[1])
            by_noise = projected_gradient(mean, X, signs, n_steps=20, **options)
            survived = survives(biased, certificate.prediction, X, attacked, radius, norm)
            assert survived[certificate.radius > radius].all(), "a certificate is broken"
            right = [
                predicted(model, attacked) == y,
                (predicted(vote, attacked) == y) & (predicted(vote, by_noise) == y),
                biased.predict(attacked) == y,
                correct & survived,
                correct & (certificate.radius > radius),
            ]
            name = "l2" if norm == 2 else "l-infinity"
            yield name, f"{radius:g}", *(f"{np.mean(rows):.3f}" for rows in right)


def predicted(clf, X):
    """Predictions for rows in single precision, as nets take them."""
    return clf.predict(X.astype(np.float32))


def survives(biased, prediction, X, attacked, radius, norm):
    """Whether rows keep their prediction also when they are moved towards other neighbours."""
    survived = biased.predict(attacked) == prediction
    for moved in towards_points(
        X, biased.reference_points_, prediction, biased.reference_labels_, radius=radius, norm=norm
    ):
        between = X + project((moved - X) + (attacked - X), radius, norm)
        for rows in (moved, between):
            survived &= biased.predict(np.clip(rows, 0, 1)) == prediction
    return survived


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", action="store_true")
    parser.add_argument("--cnn", action="store_true", help="a convolutional net as base model")
    options = parser.parse_args(argv)
    header = (
        "Norm", "Radius", "Base model", "Vote under noise", "Locally biased",
        "Its neighbours attacked too", "Proven",
    )  # fmt: skip
    torch.set_num_threads(1)
    with threadpool_limits(limits=1):
        table = list(compare(options.mnist, options.cnn))
    print(as_text(header, table))
    name = "attacked" + "_mnist" * options.mnist + "_cnn" * options.cnn
    write_for_docs(name, header, table)


if __name__ == "__main__":
    main()
