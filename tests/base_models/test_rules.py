"""Rules of models inside others: frozen, and behind steps that map each column by itself."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from sksmooth import SmoothedClassifier
from sksmooth.base_models._rules import rule_of

X, Y = load_breast_cancer(return_X_y=True)
X = X[:, :8]

BINS = {"n_bins": 6, "quantile_method": "averaged_inverted_cdf"}
MODELS = [
    DecisionTreeClassifier(max_leaf_nodes=9),
    make_pipeline(StandardScaler(), DecisionTreeClassifier(max_leaf_nodes=9)),
    make_pipeline(
        ColumnTransformer(
            [("rank", QuantileTransformer(n_quantiles=40), [5, 2, 0])], remainder="passthrough"
        ),
        GradientBoostingClassifier(max_depth=1, n_estimators=30),
    ),
    make_pipeline(
        SimpleImputer(), PowerTransformer(), HistGradientBoostingClassifier(max_depth=1, max_iter=9)
    ),
    make_pipeline(KBinsDiscretizer(encode="onehot", **BINS), LogisticRegression(max_iter=500)),
    make_pipeline(
        StandardScaler(), KBinsDiscretizer(encode="onehot-dense", **BINS), LogisticRegression()
    ),
    make_pipeline(KBinsDiscretizer(encode="ordinal", **BINS), DecisionTreeClassifier(max_depth=3)),
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_rules_give_the_answers_of_the_model(model, dtype):
    model = clone(model).fit(X.astype(dtype), Y)
    rule = rule_of(FrozenEstimator(model), model.classes_)
    noisy = X + 0.5 * X.std(axis=0) * np.random.default_rng(0).normal(size=(20, *X.shape))
    noisy = noisy.reshape(-1, 8).astype(dtype)
    differ = rule.classify(noisy) != model.predict(noisy)
    assert differ.mean() < 1e-4  # what rounding to single precision moves across
    assert rule_of(model, model.classes_[::-1]) is None


@pytest.mark.parametrize("model", MODELS[1:], ids=str)
def test_pipelines_are_certified_as_they_vote(model):
    sigma = 0.2
    scaled = X / X.std(axis=0)
    options = {"sigma": sigma, "n_augment": 2, "random_state": 0, "n_selection": 5000}
    clf = SmoothedClassifier(clone(model), n_estimation=20_000, **options).fit(scaled, Y)
    exact, p = clf.certify(scaled[:80]), clf.predict_proba(scaled[:80])[:, 1]
    assert exact.alpha is None
    sampled = clf.set_params(structure="off").certify(scaled[:80])
    error = np.sqrt(np.maximum(p * (1 - p), 1e-5) / 20_000)
    assert (np.abs(sampled.counts[:, 1] / 20_000 - p) < 4.5 * error + 1e-3).all()
    same = exact.prediction == sampled.prediction
    assert same.mean() > 0.95
    assert (exact.radius >= sampled.radius)[same].mean() > 0.97


def test_missing_values_are_filled_before_the_rule():
    filled = X.copy()
    filled[::3, 2] = np.nan
    for last in (DecisionTreeClassifier(max_depth=4), MODELS[3][-1]):
        model = make_pipeline(SimpleImputer(), last).fit(filled, Y)
        rule = rule_of(model, model.classes_)
        rows = filled.astype(np.float32).astype(float)
        assert (rule.classify(rows) != model.predict(rows)).mean() < 0.01


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(PCA(2), DecisionTreeClassifier(max_depth=2)),
        make_pipeline(
            ColumnTransformer(
                [("a", StandardScaler(), [0]), ("b", QuantileTransformer(n_quantiles=9), [0])]
            ),
            DecisionTreeClassifier(max_features=1, random_state=0),
        ),
        LogisticRegression(max_iter=2000),
    ],
    ids=str,
)
def test_other_models_have_no_rule(model):
    model.fit(StandardScaler().fit_transform(X), Y)
    assert rule_of(model, model.classes_) is None
