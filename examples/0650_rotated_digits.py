"""
By how much may a digit be turned?
==================================

A ball in which all pixels may change does not hold a rotation by a few degrees. A certificate for
the angle itself does: for every angle in an interval, bilinear interpolation included, the class is
proven to stay the same.
"""

# %%
# Handwritten digits: images of MNIST where they are at hand (in the folder that the environment
# variable ``SKSMOOTH_DATA`` names), else the small ones of scikit-learn.

import os
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from sksmooth import SmoothedClassifier, certify_path
from sksmooth.plotting import CertifiedRangeDisplay, draw_certified_images
from sksmooth.transformations import LowPass, Rotation, Vignette

warnings.filterwarnings("ignore", category=ConvergenceWarning)  # a few passes will do

file = Path(os.environ.get("SKSMOOTH_DATA", "")) / "images" / "mnist_train.npz"
if file.is_file():
    with np.load(file) as arrays:
        X, y = arrays["X"][:3150].reshape(3150, -1) / 255, arrays["y"][:3150].astype(int)
    sigma, filters = 0.5, (LowPass(1.0), Vignette(4.0))
else:
    X, y = load_digits(return_X_y=True)
    X, sigma, filters = X / 16, 0.25, (LowPass(0.5), Vignette(1.0))
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=50, random_state=0)

# %%
# A range cannot be wider than that in which the model is right. So the training data are turned by
# random angles, and the smoother adds its noise to them.

rng = np.random.default_rng(0)
angles = rng.uniform(-30, 30, (4, len(X_train)))
X_turned = np.concatenate([Rotation(30).apply(X_train, each) for each in angles])
y_turned = np.tile(y_train, 4)


def smoother(sigma):
    model = MLPClassifier((200,), max_iter=10, tol=0.01, n_iter_no_change=2, random_state=0)
    return SmoothedClassifier(
        model, sigma=sigma, n_augment=2, n_estimation=2000, alpha=0.001, random_state=0
    )


plain = smoother(sigma).fit(X_turned, y_turned)

# %%
# Detail moves most when an image is turned. A low pass and a vignette *before* the noise shorten
# the way that images go, more than it shortens the images: there are fewer anchors to vote on, and
# less noise will do. The attacked image is the one in front of them.

filtered = make_pipeline(*filters, smoother(0.8 * sigma)).fit(X_turned, y_turned)

# %%
# Certify all angles from -30 to 30 degrees. A row's interval ends where the votes prove no more.

certificates = {
    "pixels": certify_path(plain, X_test, Rotation(30)),
    "behind low pass and vignette": certify_path(filtered, X_test, Rotation(30)),
}
for certificate in certificates.values():
    print(certificate)
print(certificates["pixels"].statement)

# %%
# Certified accuracy against the angle, to both sides.

ax = plt.figure(layout="constrained").add_subplot()
for name, certificate in certificates.items():
    CertifiedRangeDisplay.from_certificate(y_test, certificate, name=name, ax=ax)
plt.show()

# %%
# What the ends of certified ranges look like: between the left and the right image nothing changes
# the class.

best = certificates["behind low pass and vignette"]
draw_certified_images(best, X_test, rows=np.argsort(-best.symmetric)[[0, 10, 20]])
plt.show()

# %%
# Is it true? Nothing in the interval changes the vote, on a fine sweep with other draws.

row = int(np.argsort(-best.symmetric)[20])
t = np.linspace(best.left[row], best.right[row], 200)
turned = Rotation(30).apply(np.repeat(X_test[[row]], len(t), axis=0), t)
print(np.unique(filtered.predict(turned)), best.prediction[row])
