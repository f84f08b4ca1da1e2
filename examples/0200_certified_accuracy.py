"""
Choosing sigma by certified accuracy
====================================

More noise proves larger radii and costs accuracy. The curve of certified accuracy against radius
shows the exchange, for any base model.
"""

# %%
# Handwritten digits with pixels in [0, 1], and a random forest that is trained on noisy copies.

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from sksmooth import SmoothedClassifier, average_certified_radius
from sksmooth.plotting import CertifiedAccuracyDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=150, random_state=0)

# %%
# One curve per sigma, on one axis. The dotted lines are the largest radii that 1,000 draws can
# prove: for the smallest sigma it is the number of draws that ends the curve.

fig, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
for sigma in (0.1, 0.25, 0.5):
    forest = RandomForestClassifier(50, min_samples_leaf=2)
    clf = SmoothedClassifier(forest, sigma=sigma, n_estimation=1000, random_state=0)
    certificate = clf.fit(X_train, y_train).certify(X_test)
    CertifiedAccuracyDisplay.from_certificate(y_test, certificate, name=f"sigma = {sigma}", ax=ax)
    print(f"sigma = {sigma}: average radius {average_certified_radius(y_test, certificate):.3f}")
plt.show()

# %%
# The same votes prove other radii at other levels, without another call of the model.

for alpha in (0.1, 0.01, 0.001):
    radius = average_certified_radius(y_test, certificate.at(alpha=alpha))
    print(f"alpha = {alpha}: average radius {radius:.3f}")
