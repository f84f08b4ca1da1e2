"""
A biased and a voting classifier under attack
=============================================

An attacker who knows the gradient of a model walks down its score, step by step. What is left of
the model's accuracy, of that of a vote under noise, and of that of the locally biased smoother? And
how much of it is proven?
"""

# %%
# Is it an 8? Digits of scikit-learn; MNIST, if the environment variable ``SKSMOOTH_DATA`` names a
# folder that has it. A third of the rows are reference points, a third train a small network with a
# smooth activation, and some of the rest are attacked.

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier

from sksmooth import LocallyBiasedSmoother, SmoothedClassifier
from sksmooth.attacks import project, projected_gradient, towards_points
from sksmooth.smooth_scores import smooth_score

if "SKSMOOTH_DATA" in os.environ:
    with np.load(Path(os.environ["SKSMOOTH_DATA"]) / "images" / "mnist_train.npz") as images:
        X, y = images["X"][:6000].reshape(6000, -1) / 255, images["y"][:6000] == 8
else:
    X, y = load_digits(return_X_y=True)
    X, y = X / 16, y == 8
train, reference, test = np.array_split(np.random.default_rng(0).permutation(len(X)), 3)
X_test, y_test = X[test[:200]], y[test[:200]]

mlp = MLPClassifier((32,), activation="tanh", alpha=0.1, max_iter=1000, random_state=0)
model = FrozenEstimator(mlp.fit(X[train], y[train]))

# %%
# Projected gradient descent: 40 steps down the score of the model, each time back into the ball and
# into the range of pixels.

score = smooth_score(mlp)


def attacked(X, y, radius, norm):
    return projected_gradient(
        lambda rows: score.gradient(rows)[:, 0],
        X,
        np.where(y, 1, -1),
        radius=radius,
        norm=norm,
        bounds=(0, 1),
    )


# %%
# The locally biased smoother has reference points as well, and they can be attacked too: rows are
# moved towards their nearest reference points of the other class, half of the way or all of it, on
# top of the above. What survives all of that is counted.


def attacked_to_neighbors(smoother, X, y, radius, norm):
    down = attacked(X, y, radius, norm)
    yield down
    points, labels = smoother.reference_points_, smoother.reference_labels_
    for moved in towards_points(X, points, y, labels, radius=radius, norm=norm, n_points=5):
        yield np.clip(moved, 0, 1)
        yield np.clip(X + project((moved - X) + (down - X), radius, norm), 0, 1)


# %%
# One panel for each norm. Solid lines are what attacks leave, the dashed line is what is proven: no
# attack, this one or a better one, gets below it.

vote = SmoothedClassifier(model, sigma=0.25, random_state=0).fit(X[reference], y[reference])
fig, axes = plt.subplots(1, 2, figsize=(11, 4.3), layout="constrained", sharey=True)
for ax, norm, alpha, largest in zip(axes, (2, np.inf), (1.0, 0.1), (1.5, 0.15)):
    smoother = LocallyBiasedSmoother(model, alpha=alpha, norm=norm)
    smoother.fit(X[reference], y[reference])
    certificate = smoother.certify(X_test)
    radii, accuracy = np.linspace(0, largest, 9), []
    for radius in radii:
        down = attacked(X_test, y_test, radius, norm)
        by_all = attacked_to_neighbors(smoother, X_test, y_test, radius, norm)
        right = [clf.predict(down) == y_test for clf in (model, vote, smoother)]
        right.append(np.all([smoother.predict(moved) == y_test for moved in by_all], axis=0))
        right.append((certificate.prediction == y_test) & (certificate.radius > radius))
        accuracy.append(np.mean(right, axis=1))
    names = ("base model", "vote under noise", "locally biased", "its neighbours attacked too")
    for name, line in zip(names, np.transpose(accuracy)):
        ax.plot(radii, line, label=name)
    ax.plot(radii, np.transpose(accuracy)[-1], "k--", label="locally biased, proven")
    ax.set(xlabel=f"Radius ({'l2' if norm == 2 else 'l-infinity'})", ylim=(0, 1.02))
    ax.set_title(f"alpha={alpha:g}")
    print(f"l{norm}: median radius {np.median(certificate.radius):.3f}")
axes[0].set_ylabel("Accuracy")
axes[1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
plt.show()

# %%
# The bias takes the attacker's gradient away where it matters, and a look at the attack of the base
# model alone would be far too optimistic: the neighbours give way before that. The proven
# line is the one to rely on. The vote gives here about what its base model has: noise of this size
# leaves the model's decisions where they are.
