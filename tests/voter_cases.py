"""Base models whose votes are taken fast, and what their votes are compared with."""

import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC, NuSVC

from sksmooth import SmoothedClassifier
from sksmooth.engine._black_box import BlackBoxVoter
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise
from sksmooth.voters import voter_of

LINEAR = [
    LogisticRegression(max_iter=300),
    LogisticRegressionCV(Cs=2, cv=2, max_iter=300),
    LinearSVC(),
    SGDClassifier(random_state=0),
    Perceptron(random_state=0),
    RidgeClassifier(),
    RidgeClassifierCV(),
    LinearDiscriminantAnalysis(),
]

AFFINE = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    StandardScaler(with_mean=False, with_std=False),
    MinMaxScaler((-1, 2)),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False, with_scaling=False),
    PCA(3),
    TruncatedSVD(3, random_state=0),
    SimpleImputer(),
]


def mlp(**params):
    return MLPClassifier(**{"hidden_layer_sizes": 20, "max_iter": 30, "random_state": 0, **params})


MODELS = {
    "mlp": mlp(),
    "mlp wide": mlp(hidden_layer_sizes=70),
    "mlp tanh": mlp(activation="tanh"),
    "mlp logistic": mlp(activation="logistic"),
    "mlp identity": mlp(activation="identity"),
    "mlp deep": mlp(hidden_layer_sizes=(20, 10, 5), max_iter=60),
    "mlp behind scaler": make_pipeline(StandardScaler(), mlp(hidden_layer_sizes=64)),
    "mlp behind pca": make_pipeline(MinMaxScaler((-1, 2)), PCA(10), mlp()),
    "svc": SVC(),
    "svc of ovo scores": SVC(decision_function_shape="ovo"),
    "nu svc": NuSVC(nu=0.2),
    "svc degree 2": SVC(kernel="poly", degree=2, coef0=1.0),
    "svc degree 3": SVC(kernel="poly"),
    "svc linear": SVC(kernel="linear"),
    "svc behind pca": make_pipeline(StandardScaler(), PCA(10), SVC()),
    "svc that is narrow": SVC(gamma=0.5),
    "one svc per class": OneVsRestClassifier(SVC()),
    "one cubic svc per class": OneVsRestClassifier(SVC(kernel="poly")),
    "one line per class": OneVsRestClassifier(LogisticRegression()),
    "nearest": KNeighborsClassifier(1, algorithm="brute"),
    "5 nearest": KNeighborsClassifier(5, algorithm="brute"),
    "5 nearest behind pca": make_pipeline(
        MinMaxScaler(), PCA(10), KNeighborsClassifier(5, algorithm="brute")
    ),
}


def votes_on_the_same_noise(model, X, classes, sigma=0.3):
    """Votes through the voter, and through predict, on one block of draws."""
    rows = read_inputs(X, owner=None)
    noise = GaussianNoise(sigma)
    draws = noise.draw(150, rows.shape, np.random.default_rng(0), rows.dtype)
    voter = voter_of(model)
    assert voter.suits(rows)
    ours = voter.count_votes(voter.embed(rows), noise, voter.embed_noise(draws))
    return ours, BlackBoxVoter(model, classes).count_votes(rows, noise, draws)


def largest_z(counts, others):
    """Largest difference of two tables of 20,000 votes a row, in standard errors."""
    proportions = (counts + others) / 40_000
    spread = np.sqrt(2 * 20_000 * proportions * (1 - proportions))
    return np.abs((counts - others)[proportions > 0.001] / spread[proportions > 0.001]).max()


def smoother(estimator, **params):
    return SmoothedClassifier(
        estimator, **{"sigma": 0.5, "n_estimation": 20_000, "random_state": 0, **params}
    )
