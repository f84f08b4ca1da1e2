"""Exact certificates of trees and additive models beside sampled ones, on the same fitted models.

SKSMOOTH_DATA=... python -m benchmarks.trees [--rows 60]
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
)
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from benchmarks._tables import as_text, write_for_docs
from benchmarks._timing import seconds_of
from sksmooth import SmoothedClassifier, average_certified_radius, certified_accuracy_score

SIGMA, ALPHA, N_AUGMENT = 0.5, 0.001, 5
RADII = (0.5, 1.0, 2.0)  # in units of sigma

MODELS = {
    "tree, 16 leaves": DecisionTreeClassifier(max_leaf_nodes=16, random_state=0),
    "AdaBoost": AdaBoostClassifier(n_estimators=100, random_state=0),
    "boosted stumps": GradientBoostingClassifier(max_depth=1, random_state=0),
    "HGB, no interactions": HistGradientBoostingClassifier(
        interaction_cst="no_interactions", max_leaf_nodes=8, random_state=0
    ),
}


@dataclass(frozen=True)
class Case:
    """One data set and model."""

    data: str
    model: str


CASES = [
    Case(data, model) for data in ("breast cancer", "spambase", "phishing") for model in MODELS
] + [Case("digits", "tree, 16 leaves")]

HEADER = (
    "Data, model",
    "How",
    "Accuracy",
    "Average radius",
    *(f"Certified at {r:g} sigma" for r in RADII),
    "ms per row",
)


def data(name):
    """Return distinct rows with standardized columns, for training and for testing."""
    if name == "breast cancer":
        X, y = load_breast_cancer(return_X_y=True)
    elif name == "digits":
        X, y = load_digits(return_X_y=True)
    else:
        file = {"phishing": "phishing_websites"}.get(name, name)
        with np.load(Path(os.environ["SKSMOOTH_DATA"]) / "tabular" / f"{file}.npz") as arrays:
            X, y = arrays["X"].astype(float), arrays["y"]
    _, first = np.unique(np.column_stack([X, y]), axis=0, return_index=True)
    X, y = X[np.sort(first)], y[np.sort(first)]
    train, test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    scaler = StandardScaler().fit(train)
    return scaler.transform(train), scaler.transform(test), y_train, y_test


def measure(case, n_rows):
    """Lines of the table for one case."""
    train, test, y_train, y_test = data(case.data)
    rows, truth = test[:n_rows], y_test[:n_rows]
    options = {"sigma": SIGMA, "alpha": ALPHA, "n_augment": N_AUGMENT, "random_state": 0}
    clf = SmoothedClassifier(MODELS[case.model], **options).fit(train, y_train)
    lines = []
    for how, settings in (
        ("exact", {"structure": "auto"}),
        ("10,000 draws", {"structure": "off", "n_estimation": 10_000}),
        ("100,000 draws", {"structure": "off", "n_estimation": 100_000}),
    ):
        clf.set_params(**settings)
        found = []
        seconds = seconds_of(lambda: found.append(clf.certify(rows)))  # noqa: B023
        certificate = found[0]
        at = [certified_accuracy_score(truth, certificate, radius=r * SIGMA) for r in RADII]
        lines.append(
            (
                f"{case.data}, {case.model}",
                how,
                f"{np.mean(certificate.prediction == truth):.3f}",
                f"{average_certified_radius(truth, certificate):.3f}",
                *(f"{value:.2f}" for value in at),
                f"{1e3 * seconds / n_rows:.2f}",
            )
        )
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=60, help="test rows of each data set")
    options = parser.parse_args()
    lines = []
    for case in CASES:
        lines += measure(case, options.rows)
        print(as_text(HEADER, lines[-3:]), flush=True)
    write_for_docs("trees", HEADER, lines)


if __name__ == "__main__":
    main()
