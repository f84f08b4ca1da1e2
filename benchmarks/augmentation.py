"""How many noisy copies of the training rows should `fit` make?

Certified accuracy on held-out rows against `n_augment`, for four base models on two data sets
that ship with scikit-learn. The default of `SmoothedClassifier` is chosen from this table.

    python -m benchmarks.augmentation
"""

import time

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sksmooth import SmoothedClassifier, average_certified_radius, certified_accuracy_score

N_AUGMENT = (0, 1, 2, 5, 10, 20)
SEEDS = range(3)
MODELS = {
    "logistic regression": lambda: LogisticRegression(max_iter=1000),
    "random forest": lambda: RandomForestClassifier(random_state=0, n_jobs=2),
    "MLP": lambda: MLPClassifier(random_state=0, max_iter=60, early_stopping=True),
    "SVC": lambda: SVC(),
}


def data_sets():
    """Return name, sigma, inputs and labels of each problem."""
    X, y = load_digits(return_X_y=True)
    yield "digits", 0.5, X / 16, y
    X, y = load_breast_cancer(return_X_y=True)
    yield "breast cancer", 1.0, StandardScaler().fit_transform(X), y


def measure(make_model, X, y, sigma, n_augment, seed):
    """Return certified accuracy at sigma / 2 and at sigma, average radius and seconds to fit."""
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=150, random_state=seed)
    smoother = SmoothedClassifier(
        make_model(), sigma=sigma, n_augment=n_augment, n_estimation=1000, random_state=seed
    )
    start = time.perf_counter()
    smoother.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    certificate = smoother.certify(X_test)
    return (
        certified_accuracy_score(y_test, certificate, radius=sigma / 2),
        certified_accuracy_score(y_test, certificate, radius=sigma),
        average_certified_radius(y_test, certificate),
        seconds,
    )


def main():
    header = f"{'data':14} {'model':20} {'n_augment':>9} {'at s/2':>7} {'at s':>7} {'radius':>7}"
    print(header + f" {'fit (s)':>8}", flush=True)
    for data, sigma, X, y in data_sets():
        for name, make_model in MODELS.items():
            for n_augment in N_AUGMENT:
                runs = [measure(make_model, X, y, sigma, n_augment, seed) for seed in SEEDS]
                half, full, radius, seconds = np.mean(runs, axis=0)
                print(
                    f"{data:14} {name:20} {n_augment:9d} {half:7.3f} {full:7.3f} {radius:7.3f}"
                    f" {seconds:8.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
