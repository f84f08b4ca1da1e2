"""What does each step beyond the published certificate prove?

Mean radius of the locally biased classifier, for the same classifier each time: the formula of the
paper (Anderson and Sojoudi 2022, theorem 8) with the plain Lipschitz constant of a kernel sum; with
Taylor's remainder in integral form; with a Lipschitz constant that minds the signs; by labels; and
what the library gives, with constants near each row and with exact neighbours. A second table
repeats the paper's experiment with a linear classifier on two spirals.

    python -m benchmarks.locally_biased
"""

import numpy as np
from sklearn.datasets import load_breast_cancer, make_moons
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from benchmarks._tables import as_text, write_for_docs
from sksmooth import LocallyBiasedSmoother
from sksmooth.certifiers.local_bias._neighbor_radii import ReferencePoints
from sksmooth.smooth_scores import smooth_score

DUAL = {1: np.inf, 2: 2, np.inf: 1}


def spirals(n, rng):
    """Two arms."""
    labels = rng.integers(2, size=n)
    angle = np.sqrt(rng.uniform(0.05, 1, n)) * 3 * np.pi
    arm = angle + np.pi * labels
    points = np.column_stack([angle * np.cos(arm), angle * np.sin(arm)])
    return points + 0.4 * rng.normal(size=(n, 2)), labels


def data_sets():
    """Yield name, base model, norms, biases, training rows and rows to certify."""
    rng = np.random.default_rng(0)
    X, y = spirals(700, rng)
    yield "spirals, SVC", SVC(gamma=2.0, C=10.0), (2,), (0.0, 0.5, 10.0), X, y
    X, y = make_moons(700, noise=0.1, random_state=0)
    yield "moons, SVC", SVC(gamma=2.0, C=10.0), (2, np.inf), (0.0, 0.5), X, y
    X, y = load_breast_cancer(return_X_y=True)
    order = rng.permutation(len(X))
    X, y = StandardScaler().fit_transform(X)[order], y[order]
    mlp = MLPClassifier((16,), activation="tanh", alpha=1.0, solver="lbfgs", max_iter=2000)
    yield "breast cancer, tanh MLP", mlp, (1, 2, np.inf), (0.3,), X, y


def paper_radius(clf, X, curvature, *, remainder):
    """Theorem 8: the smaller of a neighbour's radius and one to the boundary.

    `remainder` is the factor of ``curvature * r ** 2`` that bounds the change of the score: 1 in
    the paper, 1/2 by Taylor's remainder in integral form.
    """
    labels = np.searchsorted(clf.classes_, clf.reference_labels_)
    reference, score = (
        ReferencePoints(clf.reference_points_, labels, 2),
        smooth_score(clf.estimator_),
    )
    label = reference.support(X).argmax(axis=1)
    away = reference.radii(X, clf.norm, "nearest").radius.max(axis=1)
    gradient_norm = np.linalg.norm(score.gradient(X)[:, 0], DUAL[clf.norm], axis=1)
    biased = score.value(X)[:, 0] + clf.alpha * gradient_norm * np.where(label == 1, 1, -1)
    a = clf.alpha * curvature + gradient_norm
    with np.errstate(invalid="ignore", divide="ignore"):
        radius = (
            2 * np.abs(biased) / (a + np.sqrt(a**2 + 4 * remainder * curvature * np.abs(biased)))
        )
    return np.minimum(away, radius)


def plain_constant(clf, n_features):
    """Sum of absolute coefficients times the largest eigenvalue of one kernel."""
    model = clf.estimator_
    if not isinstance(model, SVC):
        return None
    constant = 2 * model.gamma * np.abs(model.dual_coef_).sum()
    return constant * (n_features if clf.norm == np.inf else 1)


def ladder(clf, X):
    """Mean radii, one step after another."""
    signed = smooth_score(clf.estimator_).lipschitz(np.ones(1), clf.norm)
    plain = plain_constant(clf, X.shape[1]) or signed
    radii = [
        paper_radius(clf, X, plain, remainder=1.0),
        paper_radius(clf, X, plain, remainder=0.5),
        paper_radius(clf, X, signed, remainder=0.5),
    ]
    for options in (("global", "nearest"), ("auto", "pairwise"), ("auto", "exact")):
        clf.set_params(gradient_lipschitz=options[0], neighbor_certificate=options[1])
        radii.append(clf.certify(X).radius)
    return [f"{r.mean():.3f}" for r in radii]


def distance_to_boundary(clf, X, n_angles=180):
    """Distance at which the prediction first changes, along rays in the plane, up to 15."""
    angles = np.linspace(0, 2 * np.pi, n_angles, endpoint=False)
    rays = np.column_stack([np.cos(angles), np.sin(angles)])
    prediction, distance = clf.predict(X), np.full(len(X), 15.0)
    for r in np.linspace(0.05, 15, 300)[::-1]:
        moved = (X[:, None] + r * rays).reshape(-1, 2)
        changed = (clf.predict(moved).reshape(len(X), -1) != prediction[:, None]).any(axis=1)
        distance[changed] = r
    return distance


def spiral_table():
    """Linear support vector machine on two spirals: accuracy, certified and attacked radii.

    Means over rows of which those that are wrong count 0.
    """
    X, y = spirals(600, np.random.default_rng(0))
    model = FrozenEstimator(LinearSVC(random_state=0).fit(X[:300], y[:300]))
    rows, labels = X[400:], y[400:]
    for alpha in (0.0, 1.0, 2.0, 4.0, 10.0):
        clf = LocallyBiasedSmoother(model, alpha=alpha, neighbor_certificate="exact")
        certificate = clf.fit(X[300:400], y[300:400]).certify(rows)
        right = certificate.prediction == labels
        attacked = distance_to_boundary(clf, rows)
        assert (certificate.radius <= attacked).all()
        paper = paper_radius(clf, rows, 0.0, remainder=0.5)
        means = [(r * right).mean() for r in (paper, certificate.radius, attacked)]
        yield f"{alpha:g}", f"{right.mean():.3f}", *(f"{mean:.2f}" for mean in means)


def main():
    header = (
        "Data and base model", "Norm", "Bias", "Paper", "Remainder", "Signs", "By labels",
        "Near the row, pairwise", "Exact neighbours",
    )  # fmt: skip
    table = []
    for name, model, norms, biases, X, y in data_sets():
        train, test = slice(0, 400), slice(400, 560)
        for norm in norms:
            for alpha in biases:
                clf = LocallyBiasedSmoother(model, alpha=alpha, norm=norm, random_state=0)
                clf.fit(X[train], y[train])
                label = {1: "l1", 2: "l2"}.get(norm, "l-infinity")
                table.append((name, label, alpha, *ladder(clf, X[test])))
                print(*table[-1], flush=True)
    print(as_text(header, table))
    write_for_docs("locally_biased", header, table)
    header = ("Bias", "Accuracy", "Paper", "This library", "Attack")
    table = list(spiral_table())
    print(as_text(header, table))
    write_for_docs("spirals", header, table)


if __name__ == "__main__":
    main()
