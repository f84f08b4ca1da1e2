"""
Certified boxes of a face detector
==================================

A face detector answers with a box, and its code is anybody's guess: here OpenCV's cascade of 2001,
which no gradient has ever passed through. Center smoothing proves how far the box can move.
"""

# %%
# The detector as a model: an image in, one box ``(left, top, right, bottom)`` out. Where it finds
# nothing the box is NaN, which the Jaccard distance takes as an answer of its own.

import cv2
import matplotlib.pyplot as plt
import numpy as np
from skimage import color, data, transform
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

from sksmooth import CenterSmoothedRegressor, MedianSmoothedRegressor
from sksmooth.distances import farthest_box
from sksmooth.plotting import CertifiedBoundDisplay


class FaceDetector(BaseEstimator):
    """The largest face in each image."""

    def fit(self, X=None, y=None):
        self.file_ = cv2.data.haarcascades + "haarcascade_frontalface_default.xml"
        return self

    def predict(self, X):
        cascade = cv2.CascadeClassifier(self.file_)
        boxes = np.full((len(X), 4), np.nan)
        for i, image in enumerate(np.clip(255 * np.asarray(X), 0, 255).astype(np.uint8)):
            found = cascade.detectMultiScale(image, 1.1, 3, minSize=(24, 24))
            if len(found):
                left, top, width, height = max(found, key=lambda box: box[2])
                boxes[i] = left, top, left + width, top + height
        return boxes


image = color.rgb2gray(data.astronaut())[:256, 96:352]
image = transform.resize(image, (96, 96), anti_aliasing=True)
X = image[None]
detector = FrozenEstimator(FaceDetector().fit())
print("box without noise:", detector.predict(X)[0])

# %%
# The smoothed detector, and how far its box can move for growing perturbations of the image. One
# sample serves all radii.

options = {"n_center": 400, "n_estimation": 1500, "alpha": 0.05, "random_state": 0}
smoother = CenterSmoothedRegressor(detector, distance="jaccard_boxes", sigma=0.05, **options)
smoother.fit(X)
print(f"centre by {smoother.center_!r}; largest radius {smoother.max_radius():.3f}")
radii = [0.02, 0.05, 0.08, 0.1]
curve = smoother.certify_curve(X, radii)
box = curve[0].prediction[0]

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
left.imshow(image, cmap="gray")
left.add_patch(plt.Rectangle(box[:2], *(box[2:] - box[:2]), fill=False, color="tab:orange", lw=2))
left.set_title("Box of the smoothed detector")
left.set_axis_off()
CertifiedBoundDisplay.from_certificates(curve, name="sigma = 0.05", ax=right)
plt.show()

# %%
# A single box has four numbers, so median smoothing can bound each of them; the worst box within
# the bounds is a vertex. For the same number of noisy images:

median = MedianSmoothedRegressor(
    detector, sigma=0.05, n_prediction=400, n_estimation=1500, alpha=0.05, random_state=0
).fit(X)
for radius, center, bounds in zip(radii, curve, median.certify_curve(X, radii)):
    moved = farthest_box(bounds.prediction, bounds.lower, bounds.upper)[0]
    print(f"radius {radius}: center {center.output_radius[0]:.2f}, median {moved:.2f}")
