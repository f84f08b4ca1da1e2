"""
Certified reconstruction from measurements
==========================================

An instrument takes 256 random linear measurements of an image of 576 pixels, and a model
reconstructs the image. The perturbation is an error of the instrument: noise lives in the space of
the measurements, and the certificate says how much the reconstruction can change.
"""

# %%
# Digits on a grid of 24 by 24, measured by a Gaussian matrix, reconstructed by ridge regression
# from examples (fit on noisy measurements, as `n_augment` asks for).

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import zoom
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

from sksmooth import CenterSmoothedRegressor

images = zoom(load_digits().images / 16, (1, 3, 3), order=1).reshape(-1, 576)
matrix = np.random.default_rng(0).normal(size=(576, 256)) / 16
measured = images @ matrix
train, test = slice(0, 1500), slice(1500, 1504)

# %%
# Outputs have 576 coordinates, so a sampled output is far from the best centre, and the guarantee
# of twice the best radius would be wasteful. A guarantee of 1.2 is checked for every answer; the
# default uses distances between pairs of outputs instead.

draws = {"n_center": 600, "n_estimation": 3000, "n_augment": 2, "random_state": 0}
settings = {
    "default": {},
    "guarantee": {"beta": 1.2},
    "average of 16": {"n_average": 16, "beta": 1.2},
}
for name, options in settings.items():
    smoother = CenterSmoothedRegressor(Ridge(1.0), sigma=0.4, **options, **draws)
    smoother.fit(measured[train], images[train])
    certificate = smoother.certify(measured[test], radius=0.1)
    print(f"{name:14} output radius {np.round(certificate.output_radius, 2)}")

# %%
# What was measured, what is reconstructed with certainty.

fig, axes = plt.subplots(2, 4, figsize=(8, 4.2), layout="constrained")
for k in range(4):
    axes[0, k].imshow(images[test][k].reshape(24, 24), cmap="gray")
    axes[1, k].imshow(certificate.prediction[k].reshape(24, 24), cmap="gray")
    axes[1, k].set_title(f"moves by at most {certificate.output_radius[k]:.2f}", fontsize=9)
for ax in axes.flat:
    ax.set_axis_off()
plt.show()
