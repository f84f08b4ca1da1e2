"""
Tables: units, exposed columns, changed categories
==================================================

Columns of a table are in unlike units. Noise of one size for all of them proves less than noise in
units of each column, and a radius in such units says how far each single column may move.
"""

# %%
# Thirty measurements of cells, from thousandths to thousands. Boosted stumps need no sampling: what
# is compared here are exact probabilities, with isotropic noise and with noise per column. Sizes
# are chosen such that the smoothed models are about as accurate.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sksmooth import SmoothedClassifier
from sksmooth.metrics import certified_accuracy_score
from sksmooth.noise import CategoryNoise

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)

certificates = {}
for name, sigma, scale in [("one size", 10.0, None), ("per column", 0.5, "std")]:
    stumps = GradientBoostingClassifier(max_depth=1, random_state=0)
    clf = SmoothedClassifier(stumps, sigma=sigma, feature_scale=scale, random_state=0)
    certificates[name] = clf.fit(X_train, y_train).certify(X_test)
    print(f"{name}: accuracy {certified_accuracy_score(y_test, certificates[name], radius=0):.3f}")
spread = X_train.std()

# %%
# How far may one column alone move, in its standard deviations? Ten columns with the smallest
# budgets: those that an adversary would choose.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
budgets = {
    name: np.median(certificate.column_budget(), axis=0) / spread
    for name, certificate in certificates.items()
}
exposed = budgets["one size"].sort_values().index[:10]
places = np.arange(len(exposed))
for shift, (name, budget) in zip((-0.2, 0.2), budgets.items(), strict=True):
    left.barh(places + shift, budget[exposed], height=0.4, label=name)
for name in budgets:
    least = budgets[name].min()
    print(f"{name}: the most exposed column may move by {least:.3g} of its standard deviation")
left.set(
    xscale="log",
    yticks=places,
    yticklabels=exposed,
    xlabel="median budget of the column alone\n(standard deviations)",
)
left.legend(loc="lower right")

# %%
# Isotropic noise proves much for columns with small numbers, whose standard deviation it exceeds by
# far: the model does not see them any more. What is left are the columns with large numbers, the
# areas, and these may hardly move.
#
# Categories cannot bear such noise. In a table with both kinds, each changed category takes a part
# of the radius that is proven for the numbers.

rng = np.random.default_rng(0)
clients = pd.DataFrame(
    {
        "age": rng.normal(40, 10, 1500),
        "income": rng.normal(3000, 900, 1500),
        "region": rng.choice(["north", "south", "west"], 1500),
        "trade": rng.choice(["farm", "shop", "office", "none"], 1500),
    }
)
score = clients["income"] + 40 * clients["age"] + 300 * (clients["region"] == "west")
label = (score + 300 * (clients["trade"] == "office") > 4800).astype(int)

encoder = ColumnTransformer(
    [("categories", OneHotEncoder(handle_unknown="ignore"), ["region", "trade"])],
    remainder="passthrough",
)
model = make_pipeline(encoder, LogisticRegression(max_iter=10_000))
mixed = SmoothedClassifier(
    model,
    sigma=0.5,
    feature_scale="std",
    categorical=CategoryNoise(keep=0.2, scheme="token"),
    random_state=0,
).fit(clients[:1000], label[:1000])
certificate = mixed.certify(clients[1000:1200])
right_class = certificate.prediction == label[1000:1200].to_numpy()
radii = np.linspace(0, 1.2, 50)
for changes in range(3):
    proven = np.where(right_class, certificate.radius_after(changes), -1.0)
    curve = [(proven > radius).mean() for radius in radii]
    right.plot(radii, curve, label=f"{changes} categories changed")
right.set(
    xlabel="radius of the numbers (standard deviations)", ylabel="certified accuracy", ylim=(0, 1)
)
right.legend()
plt.show()
