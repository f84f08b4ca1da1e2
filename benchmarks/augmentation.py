"""How many noisy copies of the training rows should `fit` make?

Certified accuracy on held-out rows against `n_augment`, for four base models on two data sets
that ship with scikit-learn; about half an hour on two cores. The default of
`SmoothedClassifier` is chosen from this table.

    python -m benchmarks.augmentation
"""

import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks._tables import as_text, write_for_docs
from sksmooth import SmoothedClassifier, average_certified_radius, certified_accuracy_score
from sksmooth.exceptions import NoiseCollapseWarning

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
    """Return certified accuracy at sigma / 2 and at sigma, and the average certified radius."""
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=150, random_state=seed)
    smoother = SmoothedClassifier(
        make_model(), sigma=sigma, n_augment=n_augment, n_estimation=1000, random_state=seed
    )
    certificate = smoother.fit(X_train, y_train).certify(X_test)
    return (
        certified_accuracy_score(y_test, certificate, radius=sigma / 2),
        certified_accuracy_score(y_test, certificate, radius=sigma),
        average_certified_radius(y_test, certificate),
    )


def main():
    warnings.simplefilter("ignore", NoiseCollapseWarning)  # expected without augmentation
    header = ("Data", "Base model", "Copies", "At sigma / 2", "At sigma", "Average radius")
    table = []
    for data, sigma, X, y in data_sets():
        for name, make_model in MODELS.items():
            for n_augment in N_AUGMENT:
                runs = [measure(make_model, X, y, sigma, n_augment, seed) for seed in SEEDS]
                figures = [f"{figure:.3f}" for figure in np.mean(runs, axis=0)]
                table.append((data, name, n_augment, *figures))
                print(*table[-1], flush=True)
    print(as_text(header, table))
    write_for_docs("augmentation", header, table)


if __name__ == "__main__":
    main()
