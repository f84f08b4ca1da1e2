"""
What smoothing does
===================

A decision tree draws ragged regions in the plane. Its vote on noisy copies of an input draws
smooth ones, and every input comes with a ball in which the vote is proven not to change.
"""

# %%
# Two interleaved half-moons, and a tree that fits them too closely.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier

X, y = make_moons(300, noise=0.25, random_state=0)
tree = DecisionTreeClassifier(random_state=0).fit(X, y)

# %%
# The tree is wrapped as it is; nothing is trained again.

sigma = 0.3
smoothed = SmoothedClassifier(FrozenEstimator(tree), sigma=sigma, random_state=0).fit(X, y)

# %%
# Certify a few inputs. The radius is large where the vote is clear.

inputs = np.array([[-0.9, 0.4], [0.0, 0.8], [0.6, 0.3], [1.0, -0.7], [2.0, 0.1], [0.2, -0.25]])
certificate = smoothed.certify(inputs)
print(certificate.to_frame()[["prediction", "radius", "abstained", "p_lower"]].round(3))

# %%
# Left: the noisy copies of one input, on the regions of the tree. Right: the regions of the
# smoothed classifier, and the certified balls; a cross marks an input that was abstained on.

fig, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained", sharey=True)
for ax, model, title in zip(axes, (tree, smoothed), ("Base model", "Smoothed classifier")):
    DecisionBoundaryDisplay.from_estimator(
        model, X, ax=ax, grid_resolution=120, response_method="predict", alpha=0.3, cmap="coolwarm"
    )
    ax.set(title=title, aspect="equal", xlabel="", ylabel="")
cloud = inputs[1] + np.random.default_rng(0).normal(scale=sigma, size=(300, 2))
axes[0].scatter(*cloud.T, s=5, color="0.3")
axes[0].scatter(*inputs[1], s=60, color="k")
for point, radius, abstained in zip(inputs, certificate.radius, certificate.abstained):
    axes[1].plot(*point, "kx" if abstained else "k.", markersize=8)
    axes[1].add_patch(plt.Circle(point, radius, fill=False, linewidth=1.5))
plt.show()
