"""
Brightness and contrast
=======================

A photograph that is taken a little later is brighter or flatter, and far away in every lp norm. The
random quantity here is not noise of the pixels but the brightness itself, or the contrast: votes on
the image at many of them prove a range in which the answer stays, whatever the number of pixels.

Photographs are crops of CIFAR-10, animals or vehicles, where the environment variable
``SKSMOOTH_DATA`` names a folder with them; else digits of scikit-learn.
"""

# %%
# Images, and a model that is trained at random brightness and contrast
# ----------------------------------------------------------------------
# The colours of small patches, and a linear model on top of them. ``fit`` draws the noise for
# training, too.

import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import SmoothedClassifier
from sksmooth.noise import Brightness, BrightnessContrast, Contrast
from sksmooth.plotting import CertifiedAccuracyDisplay

file = Path(os.environ.get("SKSMOOTH_DATA", "")) / "images" / "cifar10_train_1.npz"
if "SKSMOOTH_DATA" in os.environ and file.exists():
    with np.load(file) as images:
        X, y = images["X"][:4000, 4:28, 4:28] / 255, np.isin(images["y"][:4000], [0, 1, 8, 9])
    X = X.reshape(-1, 8, 3, 8, 3, 3).mean(axis=(2, 4))  # 8 x 8 patches of 3 x 3 pixels
    y, shape, n_train = np.where(y, "vehicle", "animal"), (8, 8, 3), 3500
    model = MLPClassifier((64,), early_stopping=True, n_iter_no_change=3, tol=1e-3, random_state=0)
else:
    X, y = load_digits(return_X_y=True)
    X, shape, n_train = X / 16, (8, 8), 1200
    model = LogisticRegression(max_iter=500)
X = X.reshape(len(X), -1)
model = make_pipeline(StandardScaler(), model)
rows, labels = X[n_train : n_train + 200], y[n_train : n_train + 200]

# %%
# What is proven
# --------------
# The radius of brightness is in the units of the pixels, where 1 is from black to white. That of
# contrast is a logarithm, around grey: 1 covers factors from 0.37 to 2.7.

fig, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained", sharey=True)
for ax, family in zip(axes, (Brightness, lambda s: Contrast(s, center=0.5))):
    for sigma in (0.2, 0.6):
        clf = SmoothedClassifier(
            model,
            noise=family(sigma),
            image_shape=shape,
            n_augment=3,
            n_estimation=2000,
            random_state=0,
        ).fit(X[:n_train], y[:n_train])
        certificate = clf.certify(rows)
        CertifiedAccuracyDisplay.from_certificate(labels, certificate, name=f"sigma={sigma}", ax=ax)
print(certificate)

# %%
# One row
# -------
# The ends of its certified range of contrast. Values below 0 or above 1 are part of what the
# certificate is about, and are clipped here only to be shown.

best = int(certificate.radius.argmax())
low, high = certificate.ranges["log_factor"][best]
fig, axes = plt.subplots(1, 3, figsize=(6, 2.3), layout="constrained")
for ax, k in zip(axes, (low, 0.0, high)):
    image = clf.noise_.transform(rows[[best]], k)[0].reshape(shape)
    ax.imshow(np.clip(image, 0, 1), cmap="gray", vmin=0, vmax=1)
    ax.set(xticks=[], yticks=[], title=f"contrast x {np.exp(k):.2f}")

# %%
# Both at once
# ------------
# A factor and an offset: the region of pairs that leave a class a majority, by quadrature, for
# three class probabilities. The square in it is what ``radius`` states. The ellipse of two
# independent normal shifts (dotted) would claim too much.

noise = BrightnessContrast(sigma=0.3, contrast_sigma=0.3)
k, b = np.meshgrid(np.linspace(-0.8, 0.8, 81), np.linspace(-0.8, 0.8, 81))
fig, ax = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
for p, colour in ((0.8, "C0"), (0.95, "C1"), (0.99, "C2")):
    least = noise.least_probability(p, contrast=k, brightness=b)
    ax.contour(k, b, least, levels=[0.5], colors=colour)
    radius = float(noise.radius(p))
    ax.plot(radius * np.array([-1, 1, 1, -1, -1]), radius * np.array([-1, -1, 1, 1, -1]), colour)
    angle = np.linspace(0, 2 * np.pi, 200)
    reach = float(Contrast(0.3).radius(p))
    ax.plot(reach * np.cos(angle), reach * np.sin(angle), f"{colour}:")
ax.set(xlabel="logarithm of the factor", ylabel="offset", aspect="equal")
plt.show()
