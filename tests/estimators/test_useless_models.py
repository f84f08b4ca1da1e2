"""A model that is of no use does not look perfect, and a fit that was changed is not certified."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from torch import nn

import sksmooth
from sksmooth import LocallyBiasedSmoother, SmoothedClassifier
from sksmooth.exceptions import NoiseCollapseWarning
from sksmooth.nets import as_classifier
from sksmooth.noise import GaussianNoise

CODES, ANSWERS = np.tile([[0.0], [1.0]], (50, 1)), np.tile([0, 1], 50)


def encoded(encoder):
    return make_pipeline(encoder, LogisticRegression())


def shuffled_module():
    """Return a net that gives every row its right class, under the wrong name."""
    module = nn.Linear(4, 3)
    X, y = load_iris(return_X_y=True)
    line = LogisticRegression(max_iter=1000).fit(X, y)
    module.weight.data[:] = module.weight.new_tensor(line.coef_)
    module.bias.data[:] = module.bias.new_tensor(line.intercept_)
    return as_classifier(module.eval(), classes=[1, 2, 0])


@pytest.mark.parametrize(
    ("model", "sigma", "data", "message"),
    [
        (
            encoded(OneHotEncoder(handle_unknown="ignore")),
            0.1,
            (CODES, ANSWERS),
            "one class to all.*OneHotEncoder inside the base model does not know",
        ),
        (
            encoded(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
            0.1,
            (CODES, ANSWERS),
            "OrdinalEncoder inside the base model does not know",
        ),
        (
            encoded(TargetEncoder(cv=2)),
            0.1,
            (CODES, ANSWERS),
            "TargetEncoder inside the base model does not know",
        ),
        (
            encoded(
                make_column_transformer(
                    (OneHotEncoder(handle_unknown="ignore", sparse_output=False), [0])
                )
            ),
            0.1,
            (CODES, ANSWERS),
            "OneHotEncoder inside the base model does not know",
        ),
        (DummyClassifier(), 0.1, "iris", "one class to all of 64 training rows"),
        (shuffled_module(), 0.1, "iris32", "no better than always giving the most frequent class"),
        (FrozenEstimator(LogisticRegression()), 50.0, "digits", "the standard deviation of a typ"),
        (LogisticRegression(max_iter=50), 100.0, "unlike", "unlike units|standard deviation"),
    ],
    ids=["one-hot", "ordinal", "target", "columns", "dummy", "names", "sigma", "units"],
)
def test_a_useless_model_is_told_from_a_perfect_one(model, sigma, data, message):
    X, y = given(data)
    if isinstance(model, FrozenEstimator) and isinstance(model.estimator, LogisticRegression):
        model = FrozenEstimator(LogisticRegression(max_iter=300).fit(X, y))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf = SmoothedClassifier(model, sigma=sigma, n_augment=0, random_state=0).fit(X, y)
    ours = [w for w in caught if issubclass(w.category, NoiseCollapseWarning)]
    assert len(ours) == 1
    assert ours[0].filename == __file__
    assert __import__("re").search(message, str(ours[0].message)), str(ours[0].message)
    certificate = clf.certify(X[:20])
    assert f"predicts {certificate.n_predicted} of" in repr(certificate)


def given(data):
    if data == "digits":
        X, y = load_digits(return_X_y=True)
        return X / 16, y
    if isinstance(data, str):
        X, y = load_iris(return_X_y=True)
        if data == "unlike":
            rng = np.random.default_rng(0)
            return np.c_[X[:, 2] / 100, 1e5 * rng.normal(size=150)], y
        return X.astype(np.float32 if data == "iris32" else float), y
    return data


def test_good_models_are_not_warned_of():
    X, y = load_iris(return_X_y=True)
    for model in (LogisticRegression(max_iter=500), make_pipeline(StandardScaler(), SVC())):
        SmoothedClassifier(model, sigma=0.2, random_state=0).fit(X, y)
    one_hot = make_pipeline(OneHotEncoder(), LogisticRegression())
    codes = np.tile([[0.0], [1.0]], (50, 1))
    fixed = FrozenEstimator(one_hot.fit(codes, ANSWERS))
    with pytest.raises(ValueError, match="Found unknown categories"):  # says it by itself
        SmoothedClassifier(fixed, sigma=0.1, random_state=0).fit(codes, ANSWERS)


def test_the_remedies_that_are_named_help():
    X, y = given("digits")
    small = FrozenEstimator(LogisticRegression(max_iter=300).fit(X, y))
    SmoothedClassifier(small, sigma=X.std(axis=0).mean() / 4, random_state=0).fit(X, y)
    X, y = given("unlike")
    SmoothedClassifier(sigma=0.2, random_state=0).fit(StandardScaler().fit_transform(X), y)
    numeric = np.c_[CODES, ANSWERS + 0.01]
    SmoothedClassifier(sigma=0.1, random_state=0).fit(numeric[:, 1:], ANSWERS)


CHANGES = {
    "sigma": ({"sigma": 0.9}, "sigma was changed to 0.9 after fit"),
    "noise": ({"noise": "laplace"}, "noise was changed to 'laplace' after fit"),
    "k": ({"k": 1}, "k was changed to 1 after fit"),
    "n_augment": ({"n_augment": 3}, "n_augment was changed to 3"),
    "base model": ({"estimator": SVC()}, "estimator was changed to SVC"),
    "inside": ({"estimator__C": 7.0}, "estimator__C was changed to 7.0"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_belongs_to_fit_is_not_changed_after_it(name):
    X, y = load_iris(return_X_y=True)
    change, message = CHANGES[name]
    clf = SmoothedClassifier(LogisticRegression(max_iter=500), random_state=0).fit(X, y)
    before = clf.get_params()
    for call in (clf.set_params(**change).certify, clf.predict, clf.predict_proba):
        with pytest.raises(ValueError, match=message):
            call(X[:3])
    clf.set_params(**{key: before[key] for key in change})
    assert len(clf.certify(X[:3])) == 3
    clf.set_params(**change)
    assert len(clf.fit(X, y).certify(X[:3])) == 3


def test_what_belongs_to_a_call_may_be_changed():
    X, y = load_iris(return_X_y=True)
    clf = SmoothedClassifier(random_state=0).fit(X, y)
    clf.set_params(alpha=0.01, n_estimation=200, n_selection=20, norm=np.inf, batch_size=64)
    clf.set_params(n_jobs=1, structure="off", verbose=0)
    assert clf.certify(X[:3]).alpha == 0.01


def test_parameters_of_a_noise_object_belong_to_fit():
    X, y = load_iris(return_X_y=True)
    clf = SmoothedClassifier(noise=GaussianNoise(0.3), random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="was changed to"):
        clf.set_params(noise__sigma=0.5).certify(X[:3])
    assert clf.fit(X, y).certify(X[:3]).noise.sigma == 0.5


def test_a_trained_model_needs_no_data():
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(X, y)
    with_data = SmoothedClassifier(FrozenEstimator(model), random_state=0).fit(X, y)
    without = SmoothedClassifier(FrozenEstimator(model), random_state=0).fit()
    assert without.certify(X[::10]) == with_data.certify(X[::10])
    assert_array_equal(without.predict(X), with_data.predict(X))
    net = MLPClassifier((5,), max_iter=50, random_state=0)
    tree = DecisionTreeClassifier(random_state=0)
    for other in (net, tree):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frozen = FrozenEstimator(other.fit(X, y))
            expected = SmoothedClassifier(frozen, random_state=0).fit(X, y).certify(X[::30])
        assert SmoothedClassifier(frozen, random_state=0).fit().certify(X[::30]) == expected
    with pytest.raises(ValueError, match=r"fit needs X and y.*FrozenEstimator"):
        SmoothedClassifier(model).fit()


def test_classes_in_another_order_without_data():
    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)
    module = as_classifier(shuffled_module().estimator.module, classes=[2, 0, 1])
    clf = SmoothedClassifier(module, sigma=0.1, random_state=0).fit()
    assert clf.classes_.tolist() == [0, 1, 2]
    labels = np.array([2, 0, 1])[y]
    assert (clf.predict(X) == labels).mean() > 0.9
    assert (clf.certify(X[::10]).prediction == labels[::10]).mean() > 0.9


def test_a_fast_voter_that_differs_is_refused_without_data(monkeypatch):
    X, y = load_iris(return_X_y=True)
    model = FrozenEstimator(LogisticRegression(max_iter=500).fit(X, y))
    clf = SmoothedClassifier(model, random_state=0).fit()
    monkeypatch.setattr("sksmooth.estimators._smoothed_classifier.agrees", lambda *_: False)
    with pytest.raises(ValueError, match=r"other answers .* Set structure='off', or call fit with"):
        clf.certify(X[:5])
    remedies = clf.fit(X, y).certify(X[:5]), clf.set_params(structure="off").fit().certify(X[:5])
    assert_array_equal(remedies[0].counts, remedies[1].counts)


class OnlyPredicts:
    def predict(self, X):
        return (np.asarray(X)[:, 0] > 0.5).astype(int)


def test_objects_that_only_predict_are_taken_when_frozen():
    with pytest.raises(ValueError, match=r"without fit. Pass .*FrozenEstimator\(model\)"):
        SmoothedClassifier(OnlyPredicts()).fit(CODES, ANSWERS)
    clf = SmoothedClassifier(FrozenEstimator(OnlyPredicts()), sigma=0.1, random_state=0)
    assert_array_equal(clf.fit(CODES, ANSWERS).predict(CODES), ANSWERS)


def test_not_fitted_names_the_way_for_trained_models():
    with pytest.raises(NotFittedError, match=r"SmoothedClassifier\(sklearn.frozen.FrozenEstim"):
        SmoothedClassifier().certify(CODES)


def test_a_fitted_model_is_not_trained_again_in_silence():
    X, y = load_iris(return_X_y=True)
    model = LogisticRegression(max_iter=500).fit(X, y)
    with pytest.warns(UserWarning, match=r"LogisticRegression is fitted already.*FrozenEstimator"):
        SmoothedClassifier(model, random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match=r"LogisticRegression is fitted already.*FrozenEstimator"):
        LocallyBiasedSmoother(model, random_state=0).fit(X, y)
    for kind in (SmoothedClassifier, LocallyBiasedSmoother):
        kind(FrozenEstimator(model), random_state=0).fit(X, y)
        kind(LogisticRegression(max_iter=500), random_state=0).fit(X, y)


def test_certify_goes_through_pipelines_and_searches():
    from sklearn.model_selection import GridSearchCV

    X, y = load_iris(return_X_y=True)
    smoother = SmoothedClassifier(sigma=0.3, n_estimation=200, random_state=0)
    pipeline = make_pipeline(StandardScaler(), smoother).fit(X, y)
    expected = pipeline[-1].certify(pipeline[:-1].transform(X), radius=0.2)
    assert sksmooth.certify(pipeline, X, radius=0.2) == expected
    search = GridSearchCV(pipeline, {"smoothedclassifier__sigma": [0.3]}, cv=2).fit(X, y)
    assert sksmooth.certify(search, X, radius=0.2) == expected
    assert sksmooth.certify(pipeline[-1], StandardScaler().fit_transform(X)).n_predicted == 3
    with pytest.raises(TypeError, match="LogisticRegression has no certify"):
        sksmooth.certify(LogisticRegression(), X)
    with pytest.raises(NotFittedError):
        sksmooth.certify(make_pipeline(StandardScaler(), smoother), X)


class Sampler:
    """As in imbalanced-learn: it changes which rows are trained on, and no others."""

    def fit_resample(self, X, y):
        return X, y


def test_certify_skips_samplers():
    X, y = load_iris(return_X_y=True)
    smoother = SmoothedClassifier(sigma=0.3, n_estimation=200, random_state=0).fit(X, y)
    pipeline = make_pipeline("passthrough", smoother)
    pipeline.steps.insert(0, ("sampler", Sampler()))
    assert sksmooth.certify(pipeline, X) == smoother.certify(X)


def test_a_column_per_class_is_no_label():
    X, y = load_iris(return_X_y=True)
    for kind in (SmoothedClassifier, LocallyBiasedSmoother):
        with pytest.raises(ValueError, match=r"shape \(150, 3\).*argmax\(y, axis=1"):
            kind(random_state=0).fit(X, np.eye(3)[y])
        kind(random_state=0).fit(X, np.argmax(np.eye(3)[y], axis=1))
        with pytest.warns(DataConversionWarning):
            kind(random_state=0).fit(X, y[:, None])
