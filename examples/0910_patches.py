"""
Patches
=======

An adversary may change a few pixels, anywhere, to anything. A classifier that sees one band or one
block of pixels at a time, and votes, cannot be fooled by them: how much accuracy does it cost?
"""

# %%
# Handwritten digits of 8 by 8 pixels. The same network votes on bands of columns and on blocks, of
# several sizes.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from sksmooth import AblatedClassifier
from sksmooth.noise import AblationNoise

X, y = load_digits(return_X_y=True)
X = X / 16
X_train, y_train, X_test, y_test = X[:1000], y[:1000], X[1000:], y[1000:]
warnings.simplefilter("ignore", ConvergenceWarning)  # a few epochs are enough


def fitted(kind, size):
    clf = AblatedClassifier(
        MLPClassifier((128,), max_iter=20, random_state=0),
        noise=AblationNoise(kind, size=size),
        image_shape=(8, 8),
        random_state=0,
    )
    return clf.fit(X_train, y_train)


ablations = [("columns", 2), ("columns", 3), ("blocks", 4), ("blocks", 5)]
classifiers = {(kind, size): fitted(kind, size) for kind, size in ablations}

# %%
# What a block keeps of a digit; grey pixels are absent. The network is told so by two channels.

noise = AblationNoise("blocks", size=4)
masks = noise.masks((8, 8))
fig, axes = plt.subplots(1, 6, figsize=(8, 1.6))
for ax, mask in zip(axes, masks[:: len(masks) // 6], strict=False):
    ax.imshow(np.full((8, 8), 0.5), cmap="gray_r", vmin=0, vmax=1)
    shown = np.ma.masked_where(~mask, X_test[0].reshape(8, 8))
    ax.imshow(shown, cmap="gray_r", vmin=0, vmax=1)
    ax.set_axis_off()
plt.show()

# %%
# Certified accuracy against square patches of several widths; 0 is the accuracy without a patch.
# Small bands and blocks are met by a patch less often, and prove more; large ones are more
# accurate.

fig, ax = plt.subplots()
widths = np.arange(5)
for (kind, size), clf in classifiers.items():
    accuracy = [clf.score(X_test, y_test)]
    accuracy += [clf.certify(X_test, patch=int(w)).certified_accuracy(y_test) for w in widths[1:]]
    print(f"{kind:8} of {size}: " + "  ".join(f"{a:.3f}" for a in accuracy))
    ax.plot(widths, accuracy, "o-", label=f"{kind} of {size}")
ax.set(xlabel="width of the patch in pixels", ylabel="certified accuracy", xticks=widths)
ax.legend()
plt.show()
