"""Linear classifiers of images: the smoothed classifier is the classifier, and its truth known."""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from sksmooth import SmoothedClassifier


def linear_model(weights, offset):
    """Class 1 where ``weights @ x + offset > 0``."""
    model = LogisticRegression()
    model.coef_ = np.array([weights], dtype=float)
    model.intercept_ = np.array([float(offset)])
    model.classes_ = np.array([0, 1])
    model.n_features_in_ = len(weights)
    return model


def smoothed(model, **options):
    """Smoother of a trained model that was given no data."""
    options = {"sigma": 0.5, "random_state": 0, "n_estimation": 2000, **options}
    return SmoothedClassifier(FrozenEstimator(model), **options).fit()


def aimed_at(point, anchor, part):
    """Classifier whose border is at a part of the way from an anchor to a point, across it."""
    way = (point - anchor).ravel()
    length = np.linalg.norm(way)
    weights = -way / length
    return linear_model(weights, part * length - weights @ anchor.ravel())


def true_ends(model, transformation, image, n=4001):
    """First parameters to the left and right at which the class is another, on a fine sweep."""
    found = []
    for side in (-1, 1):
        t = np.linspace(0.0, side * transformation.largest, n)
        images = transformation.moved(image[None], t).reshape(n, -1)
        other = model.predict(images) != model.predict(images[:1])
        found.append(t[other.argmax()] if other.any() else side * np.inf)
    return found
