"""
Prediction sets under attack
============================

A set of labels that holds the true one with a probability of 90 %: conformal prediction gives it
for any model, until somebody moves the test rows. How large must the sets be to cover under attack?
"""

# %%
# Handwritten digits. A network is trained under noise, some rows calibrate the sets, and the rest
# is attacked.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier

from sksmooth import RobustConformalClassifier
from sksmooth.attacks import projected_gradient

X, y = load_digits(return_X_y=True)
X = X / 16
train, calibration, test = np.split(np.random.default_rng(0).permutation(len(X)), [800, 1300])

warnings.simplefilter("ignore", ConvergenceWarning)  # 60 epochs are enough
SIGMA, RADIUS = 0.5, 0.5
mlp = MLPClassifier((128,), max_iter=60, random_state=0)
trained = RobustConformalClassifier(mlp, sigma=SIGMA, random_state=0).fit(X[train], y[train])
model = FrozenEstimator(trained.estimator_)

# %%
# Three predictors from the same network. The first one is conformal prediction as it is: no noise
# to speak of, and no radius. The second scores labels under noise, but its threshold knows of no
# attack. The third is calibrated for every perturbation up to the radius.


def calibrated(sigma, radius, n_draws):
    clf = RobustConformalClassifier(
        model, sigma=sigma, radius=radius, n_draws=n_draws, random_state=0
    )
    return clf.fit().conformalize(X[calibration], y[calibration])


predictors = {
    "conformal": calibrated(1e-3, 0.0, 1),
    "under noise": calibrated(SIGMA, 0.0, 30),
    "robust": calibrated(SIGMA, RADIUS, 30),
}

# %%
# The attack walks down the logarithm of the probability of the true label, averaged over noisy
# copies of the row: 20 steps within the ball. The noise of the attacker is not that of the
# predictor.

rng = np.random.default_rng(1)


def gradient(rows, labels, sigma, n_copies=8):
    weights, biases = trained.estimator_.coefs_, trained.estimator_.intercepts_
    total = np.zeros_like(rows)
    for _ in range(n_copies):
        noisy = rows + sigma * rng.normal(size=rows.shape)
        hidden = np.maximum(noisy @ weights[0] + biases[0], 0)
        answers = softmax(hidden @ weights[1] + biases[1], axis=1)
        rest = (labels[:, None] == trained.classes_) - answers
        total += ((rest @ weights[1].T) * (hidden > 0)) @ weights[0].T
    return total


def attacked(sigma):
    return projected_gradient(
        lambda rows: gradient(rows, y[test], sigma),
        X[test],
        np.ones(len(test)),
        radius=RADIUS,
        n_steps=20,
    )


# %%
# Coverage and size, without and with the attack. Conformal prediction covers what it says until it
# is attacked; only the robust sets cover more than 90 % then.

print(f"{'':12}  clean: coverage, size  attacked: coverage, size")
moved = {}
for name, clf in predictors.items():
    moved[name] = attacked(0.0 if name == "conformal" else SIGMA)
    line = f"{name:12}"
    for rows in (X[test], moved[name]):
        sets = clf.predict_set(rows)[1][:, :, 0]
        line += (
            f"  {sets[np.arange(len(test)), y[test]].mean():14.3f}  {sets.sum(axis=1).mean():5.2f}"
        )
    print(line)

# %%
# Six digits after the attack, with their sets: the true label is missing in red ones.

shown = np.arange(6)
fig, axes = plt.subplots(2, len(shown), figsize=(8, 3.4))
for row, name in zip(axes, ("conformal", "robust"), strict=True):
    sets = predictors[name].predict_set(moved[name][shown])[1][:, :, 0]
    for i, ax in zip(shown, row, strict=True):
        ax.imshow(moved[name][i].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        labels = ", ".join(map(str, np.flatnonzero(sets[i])))
        ax.set_title(f"{{{labels}}}", color="k" if sets[i, y[test][i]] else "r")
    row[0].set_ylabel(name)
fig.tight_layout()
plt.show()

# %%
# More draws make smaller sets, and soon there is nothing more to win.

for n_draws in (1, 5, 10, 30, 100):
    sets = calibrated(SIGMA, RADIUS, n_draws).predict_set(X[test])[1]
    print(f"{n_draws:4} draws: {sets.sum(axis=1).mean():.2f} labels")
