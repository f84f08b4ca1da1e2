"""
Certified dimensionality reduction
==================================

A transformer is a model too: its output is a code. How far can the code of an image turn, and how
much can the image that is restored from it change, when the image is perturbed?
"""

# %%
# Handwritten digits with pixels in [0, 1], reduced to five principal components. The base model is
# asked through its ``transform``, and codes are compared by their angle.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from sksmooth import CenterSmoothedRegressor
from sksmooth.distances import TotalVariation
from sksmooth.plotting import CertifiedBoundDisplay

X, _ = load_digits(return_X_y=True)
X = X / 16
X_train, X_test = X[:1500], X[1500:1515]
radii = [0.02, 0.05, 0.1, 0.15, 0.2]
draws = {"n_center": 1000, "n_estimation": 5000, "n_augment": 1, "random_state": 0}

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for sigma in (0.1, 0.2):
    codes = CenterSmoothedRegressor(PCA(5), distance="angular", sigma=sigma, **draws).fit(X_train)
    CertifiedBoundDisplay.from_estimator(codes, X_test, radii, name=f"sigma = {sigma}", ax=left)
left.set_title("Angle of the code")

# %%
# An autoencoder answers with an image: reduce, then restore. Images are compared by the total
# variation of their difference. Outputs with 64 coordinates gain from smoothing averages.


class Restored(TransformerMixin, BaseEstimator):
    """Principal components, there and back."""

    def __init__(self, n_components=5):
        self.n_components = n_components

    def fit(self, X, y=None):
        self.pca_ = PCA(self.n_components).fit(X)
        return self

    def transform(self, X):
        return self.pca_.inverse_transform(self.pca_.transform(X)).reshape(-1, 8, 8)


for n_average in (1, 4):
    images = CenterSmoothedRegressor(
        make_pipeline(Restored()),
        distance=TotalVariation(),
        sigma=0.2,
        n_average=n_average,
        **draws,
    ).fit(X_train)
    name = f"average of {n_average}"
    CertifiedBoundDisplay.from_estimator(images, X_test, radii, name=name, ax=right)
right.set_title("Total variation of the image")
plt.show()

# %%
# For scale: the total variation between two different digits.

print(f"between digits: {np.median(TotalVariation((8, 8))(X_test[1:], X_test[0])):.1f}")
