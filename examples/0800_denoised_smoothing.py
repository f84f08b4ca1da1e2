"""
A net that was trained without noise, behind a denoiser
=======================================================

A model that is already trained, and may not be trained again, falls apart under noise and gets
hardly any certificate. A regressor that takes the noise off again, in front of it, changes that.
The certificate holds whatever the regressor does, because it is a part of the base model.
"""

# %%
# A neural net for handwritten digits, trained on clean images and then frozen.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline

from sksmooth import SmoothedClassifier, average_certified_radius
from sksmooth.exceptions import NoiseCollapseWarning
from sksmooth.plotting import CertifiedAccuracyDisplay
from sksmooth.training import Denoiser

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=200, random_state=0)
net = MLPClassifier((64,), max_iter=300, tol=1e-3, random_state=0)
net = FrozenEstimator(net.fit(X_train, y_train))

# %%
# Noise of sigma 0.5 is half the range of a pixel. The denoiser learns from noisy copies of the
# training images; the smoother tells it which noise.

regressor = MLPRegressor(hidden_layer_sizes=(128,), max_iter=30, tol=1e-3, random_state=0)
models = {
    "as it is": net,
    "behind a denoiser": make_pipeline(Denoiser(regressor, n_augment=5, clip=(0, 1)), net),
}
fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
for name, model in models.items():
    clf = SmoothedClassifier(model, sigma=0.5, n_estimation=1000, random_state=0)
    with warnings.catch_warnings():  # without the denoiser, that is the point
        warnings.simplefilter("ignore", NoiseCollapseWarning)
        certificate = clf.fit(X_train, y_train).certify(X_test)
    CertifiedAccuracyDisplay.from_certificate(y_test, certificate, name=name, ax=ax)
    print(f"{name}: average radius {average_certified_radius(y_test, certificate):.3f}")
plt.show()

# %%
# What the net sees: digits, noisy copies, and what the denoiser makes of them.

denoiser = clf.estimator_[0]
noisy = X_test[:6] + 0.5 * np.random.default_rng(0).standard_normal((6, 64))
fig, axes = plt.subplots(3, 6, figsize=(7, 3.6), layout="constrained")
for row, images in zip(axes, (X_test[:6], noisy, denoiser.transform(noisy))):
    for place, image in zip(row, images):
        place.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        place.set_axis_off()
plt.show()
