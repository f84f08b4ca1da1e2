"""What does projected gradient descent do to biased and to voting classifiers?

Digit 8 against the rest, with a tanh network: accuracy on rows attacked through the base model, of
the base model, of the vote under Gaussian noise, and of the locally biased smoother; and of this on
rows that are moved towards reference points of the other class as well. Each certified row has to
survive; the benchmark checks it. With --mnist the images come from the folder that SKSMOOTH_DATA
names; without, they are the digits of scikit-learn.

    python -m benchmarks.attacked [--mnist]
"""

import argparse
import os
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from benchmarks._attacks import project, projected_gradient, towards_points
from benchmarks._tables import as_text, write_for_docs
from sksmooth import LocallyBiasedSmoother, SmoothedClassifier
from sksmooth.smooth_scores import smooth_score

RADII = {2: (0.0, 0.25, 0.5, 1.0, 1.5), np.inf: (0.0, 0.03, 0.06, 0.1, 0.15)}
ALPHA = {2: 1.0, np.inf: 0.1}
SIGMA = 0.25


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


def compare(mnist):
    """Yield rows of the table."""
    train, reference, (X, y) = data(mnist)
    model = MLPClassifier((32,), activation="tanh", alpha=0.1, max_iter=1000, random_state=0)
    frozen = FrozenEstimator(model.fit(*train))
    score = smooth_score(model)
    vote = SmoothedClassifier(frozen, sigma=SIGMA, random_state=0).fit(*reference)
    for norm, radii in RADII.items():
        biased = LocallyBiasedSmoother(frozen, alpha=ALPHA[norm], norm=norm).fit(*reference)
        certificate = biased.certify(X)
        for radius in radii:
            attacked = projected_gradient(
                lambda rows: score.gradient(rows)[:, 0], X, np.where(y == 1, 1, -1),
                radius=radius, norm=norm, box=(0, 1),
            )  # fmt: skip
            survived = survives(biased, certificate.prediction, X, attacked, radius, norm)
            assert survived[certificate.radius > radius].all(), "a certificate is broken"
            correct = certificate.prediction == y
            right = [np.mean(clf.predict(attacked) == y) for clf in (model, vote, biased)]
            right += [np.mean(correct & survived)]
            right += [np.mean(correct & (certificate.radius > radius))]
            name = "l2" if norm == 2 else "l-infinity"
            yield name, f"{radius:g}", *(f"{share:.3f}" for share in right)


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
    options = parser.parse_args(argv)
    header = (
        "Norm", "Radius", "Base model", "Vote under noise", "Locally biased",
        "Its neighbours attacked too", "Proven",
    )  # fmt: skip
    with threadpool_limits(limits=1):
        table = list(compare(options.mnist))
    print(as_text(header, table))
    write_for_docs("attacked_mnist" if options.mnist else "attacked", header, table)


if __name__ == "__main__":
    main()
