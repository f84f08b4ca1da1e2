"""
What a model can read off the last bits
=======================================

Floats near 1 are farther apart than floats near 0. So a sum of an input and noise tells by its last
bits where it came from, and a certificate from such sums may be wrong. Inputs and noise that are
rounded to one grid first give nothing away.
"""

# %%
# Noise of standard deviation one half in single precision, added to 1 and to 0. How fine is each
# sum: which is the last bit that it uses?

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator

from sksmooth import SmoothedClassifier

sigma = 0.5
noise = np.random.default_rng(0).normal(scale=sigma, size=10_000).astype(np.float32)


def last_bit(values):
    """Exponent of the last bit that each number uses."""
    whole = np.rint(values.astype(float) * 2.0**60).astype(np.int64)
    lowest = whole & -whole  # the lowest bit that is set
    return np.log2(np.maximum(lowest, 1).astype(float)) - 60


# %%
# A model that says 1 where its input is a multiple of two to the minus 24.


class LastBits(ClassifierMixin, BaseEstimator):
    classes_ = np.array([0, 1])

    def fit(self, X, y):
        return self

    def predict(self, X):
        return (last_bit(X[:, 0]) >= -24).astype(int)


model = LastBits()
for x in (1.0, 0.0):
    votes = model.predict((np.float32(x) + noise)[:, None])
    print(f"plain sums at x = {x:g}: {votes.sum()} of {len(votes)} votes for 1")

# %%
# All votes at 1, and a certificate of radius 1.6 would follow; but half of the votes at 0. The
# smoother rounds inputs and noise to one step before it adds them: the votes are the same.

X = np.array([[1.0], [0.0]], np.float32)
smoothed = SmoothedClassifier(FrozenEstimator(model), sigma=sigma, random_state=0).fit(X, [1, 1])
print(smoothed.certify(X).to_frame()[["prediction", "radius", "votes_0", "votes_1", "noise_step"]])

# %%
# Left: the last bits of plain sums. Right: those of sums on the grid, which are the same at both
# places.

step = smoothed.noise_step_
on_grid = (np.rint(noise / step) * step).astype(np.float32)
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained", sharey=True)
for ax, z, title in zip(axes, (noise, on_grid), ("Plain sums", "Sums on the grid")):
    bins = np.arange(-36.5, -8)
    for x, style in ((1.0, {"alpha": 0.5}), (0.0, {"histtype": "step", "linewidth": 2})):
        ax.hist(last_bit(np.float32(x) + z), bins, label=f"x = {x:g}", **style)
    ax.axvline(-24.5, color="0.4", linestyle="--")
    ax.set(title=title, xlabel="exponent of the last bit of x + z")
axes[0].set_ylabel("noisy copies")
axes[0].legend()
plt.show()
