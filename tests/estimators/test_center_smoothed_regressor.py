"""CenterSmoothedRegressor as its users meet it."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sksmooth import (
    CenterSmoothedRegressor,
    MedianSmoothedRegressor,
    RegressionCertificate,
    make_certified_bound_scorer,
)
from sksmooth.distances import FunctionDistance, TotalVariation
from sksmooth.exceptions import UnreachableRadiusError
from sksmooth.nets import as_classifier, as_regressor

SMALL = {"n_center": 300, "n_estimation": 1000, "random_state": 0, "sigma": 0.5}


@pytest.fixture(scope="module")
def data():
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X), y


@pytest.fixture(scope="module")
def smoother(data):
    return CenterSmoothedRegressor(Ridge(), n_augment=1, **SMALL).fit(*data)


class Frozen(RegressorMixin, BaseEstimator):
    """A function as a fitted model."""

    def __init__(self, function):
        self.function = function

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return self.function(np.asarray(X))


def wrap(function, **options):
    model = FrozenEstimator(Frozen(function))
    return CenterSmoothedRegressor(model, **{**SMALL, **options})


def test_numbers(smoother, data):
    X, _ = data
    certificate = smoother.certify(X[:5], radius=0.25)
    assert isinstance(certificate, RegressionCertificate)
    assert (smoother.center_, smoother.beta_, smoother.group_size_) == ("shorth", 1.0, 0)
    np.testing.assert_array_equal(certificate.prediction, smoother.predict(X[:5]))
    np.testing.assert_array_equal(certificate.input_radius, 0.25)
    clean = smoother.estimator_.predict(X[:5])
    np.testing.assert_allclose(certificate.smoothing_error, np.abs(certificate.prediction - clean))
    assert np.isfinite(certificate.output_radius).all()
    assert not certificate.abstained.any()
    moved = 0.25 * np.linalg.norm(smoother.estimator_.coef_)
    assert (certificate.output_radius > moved).all()
    assert list(certificate.to_frame().columns[:5]) == [
        "prediction",
        "input_radius",
        "output_radius",
        "smoothing_error",
        "abstained",
    ]
    assert "RegressionCertificate: 5 rows" in repr(certificate)
    joined = RegressionCertificate.concatenate([certificate[:2], certificate[2:]])
    np.testing.assert_array_equal(joined.output_radius, certificate.output_radius)
    assert len(certificate[3]) == 1


def test_answers_at_the_worst_perturbation_are_within_the_bound(smoother, data):
    X, _ = data
    direction = smoother.estimator_.coef_ / np.linalg.norm(smoother.estimator_.coef_)
    certificate = smoother.certify(X[:20], radius=0.5)
    for sign in (-1, 1):
        moved = smoother.predict(X[:20] + sign * 0.5 * direction)
        assert (np.abs(moved - certificate.prediction) <= certificate.output_radius).all()


def test_results_do_not_depend_on_the_order_of_work(smoother, data):
    X, _ = data
    whole = smoother.certify(X[:6], radius=0.3)
    other = clone(smoother).set_params(n_jobs=2, batch_size=37).fit(*data)
    for got in (other.certify(X[[5, 0]], radius=0.3), smoother.certify(X[[5, 0]], radius=0.3)):
        np.testing.assert_allclose(got.prediction, whole.prediction[[5, 0]], rtol=1e-12)
        np.testing.assert_allclose(got.output_radius, whole.output_radius[[5, 0]], rtol=1e-9)


def test_noise_of_answers_is_keyed_by_the_row():
    """Equal rows have equal answers; different rows independent noise."""
    smoother = wrap(lambda X: X[:, 0]).fit(np.zeros((3, 1)), np.zeros(3))
    X = np.array([[0.0], [1.0], [0.0], [-0.0], [2.0]])
    error = smoother.predict(X) - X[:, 0]
    assert error[0] == error[2] == error[3]
    assert len({round(e, 9) for e in error}) == 3  # shared noise would make all errors equal
    fresh = clone(smoother).set_params(random_state=None).fit(X, X[:, 0])
    assert (fresh.predict(X) != fresh.predict(X)).all()


def test_more_radius_needs_more_draws(smoother, data):
    X, _ = data
    largest = smoother.max_radius()
    assert np.isfinite(smoother.certify(X[:1], radius=largest).output_radius).all()
    calls = []
    counting = wrap(lambda X: calls.append(len(X)) or X[:, 0]).fit(X, data[1])
    calls.clear()
    with pytest.raises(UnreachableRadiusError, match="the largest radius is"):
        counting.certify(X[:1], radius=largest * 1.001)
    assert sum(calls) < 300  # whether it is a function of one row, and no draws


def test_curve_and_inverse(smoother, data):
    X, _ = data
    radii = [0.1, 0.3, 0.6]
    curve = smoother.certify_curve(X[:4], radii)
    single = [smoother.certify(X[:4], radius=r) for r in radii]
    for joint, alone in zip(curve, single):
        assert (joint.output_radius >= alone.output_radius).all()
        assert joint.n_simultaneous == 3
    assert (np.diff([c.output_radius for c in curve], axis=0) > 0).all()
    back = smoother.certify(X[:4], output_radius=float(single[1].output_radius.max()))
    assert (back.input_radius > 0.25).all()
    assert back.input_radius.min() < 0.32
    nothing = smoother.certify(X[:4], output_radius=1e-6)
    assert nothing.abstained.all()


def test_integrated_alpha_proves_more(smoother, data):
    X, y = data
    integrated = clone(smoother).set_params(integrate_alpha=True).fit(X, y)
    less = integrated.certify(X[:4], radius=0.3).output_radius
    assert (less < smoother.certify(X[:4], radius=0.3).output_radius).all()
    assert integrated.max_radius() > smoother.max_radius()


def test_averaging_reduces_the_output_radius(smoother, data):
    X, y = data
    averaged = clone(smoother).set_params(n_average=16).fit(X, y)
    less = averaged.certify(X[:4], radius=0.1).output_radius
    assert (less < smoother.certify(X[:4], radius=0.1).output_radius).all()
    assert averaged.max_radius() == pytest.approx(smoother.max_radius() / 4, rel=1e-4)


def test_vectors_use_the_group_certificate(data):
    X, _ = data
    high = np.random.default_rng(0).normal(size=(10, 60))
    plain = wrap(lambda X: X @ high, group_size=0).fit(X)
    for size in (1, 2):
        grouped = wrap(lambda X: X @ high, group_size=size).fit(X)
        a = plain.certify(X[:2], radius=0.25).output_radius
        assert (grouped.certify(X[:2], radius=0.25).output_radius < a).all()
    assert wrap(lambda X: X @ high).fit(X).group_size_ == 1
    checked = wrap(lambda X: X @ high, beta=1.6).fit(X)
    certificate = checked.certify(X[:2], radius=0.25)
    _, abstained = checked.predict_or_abstain(X[:2])
    np.testing.assert_array_equal(certificate.abstained, abstained)
    np.testing.assert_array_equal(~certificate.guaranteed, abstained)
    assert (certificate.output_radius < a).all()


def test_transformers_pipelines_and_n_d_outputs(digits):
    X, _ = digits
    pipeline = make_pipeline(StandardScaler(with_std=False), PCA(3))
    reduced = CenterSmoothedRegressor(pipeline, distance="angular", n_augment=0, **SMALL).fit(X)
    assert reduced.response_method_ == "transform"
    assert reduced.certify(X[:2], radius=0.1).prediction.shape == (2, 3)

    images = X.reshape(-1, 8, 8)
    blur = CenterSmoothedRegressor(
        FrozenEstimator(Frozen(lambda X: (X + np.roll(X, 1, axis=1)) / 2)),
        distance=TotalVariation(),
        **SMALL,
    ).fit(images, images)
    certificate = blur.certify(images[:2], radius=0.1)
    assert certificate.prediction.shape == (2, 8, 8)
    assert certificate.smoothing_error.shape == (2,)
    assert "prediction_0" not in certificate.to_frame()


def test_classifiers_by_label_and_by_probability(digits):
    X, y = digits
    forest = RandomForestClassifier(10, random_state=0).fit(X, np.array(list("abcdefghij"))[y])
    options = {**SMALL, "sigma": 0.1}
    label = CenterSmoothedRegressor(FrozenEstimator(forest), distance="discrete", **options).fit(X)
    certificate = label.certify(X[:10], radius=0.02)
    assert label.center_ == "finite"
    assert set(np.unique(certificate.output_radius)) <= {0.0, 1.0}
    assert (certificate.output_radius == 0).any()
    assert set(certificate.prediction) <= set("abcdefghij")
    shares = CenterSmoothedRegressor(
        FrozenEstimator(forest), distance="l1", response_method="predict_proba", **options
    ).fit(X)
    assert shares.certify(X[:2], radius=0.02).prediction.shape == (2, 10)


def test_labels_are_not_taken_for_numbers(digits):
    X, y = digits
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    message = "labels, which are names"
    for model in (tree, DecisionTreeClassifier(), make_pipeline(StandardScaler(), tree)):
        with pytest.raises(ValueError, match=message):
            CenterSmoothedRegressor(FrozenEstimator(model), **SMALL).fit(X, y)
    with pytest.raises(ValueError, match=message):
        CenterSmoothedRegressor(DecisionTreeClassifier(), distance="linf", **SMALL).fit(X, y)
    with pytest.raises(ValueError, match=message):
        MedianSmoothedRegressor(FrozenEstimator(tree)).fit(X)
    for remedy in (
        CenterSmoothedRegressor(FrozenEstimator(tree), distance="discrete", **SMALL),
        CenterSmoothedRegressor(FrozenEstimator(tree), response_method="predict_proba", **SMALL),
        MedianSmoothedRegressor(FrozenEstimator(tree), response_method="predict_proba"),
        wrap(lambda X: tree.predict(X).astype(float)),
    ):
        remedy.fit(X)


def test_labels_of_the_logits_of_an_autoencoder_are_refused(digits):
    import torch

    module = torch.nn.Linear(64, 64).eval()
    model, X = as_classifier(module, classes=range(64)), digits[0].astype(np.float32)
    with pytest.raises(ValueError, match="as_regressor for a module that was passed"):
        CenterSmoothedRegressor(model, **SMALL).fit(X)
    remedy = CenterSmoothedRegressor(as_regressor(module), **SMALL).fit(X)
    assert remedy.certify(X[:2], radius=0.1).prediction.shape == (2, 64)


def test_what_labels_may_be_compared_by(digits):
    """By a function of one's own, or, where there are several of 0 and 1, as a mask or a vector."""
    X, y = digits
    several = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, np.c_[y > 3, y > 6])
    for distance in ("jaccard_masks", "l1"):
        smoother = CenterSmoothedRegressor(FrozenEstimator(several), distance=distance, **SMALL)
        assert smoother.fit(X).certify(X[:2], radius=0.1).prediction.shape == (2, 2)
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    steps = CenterSmoothedRegressor(FrozenEstimator(tree), distance=number_of_steps, **SMALL)
    assert steps.fit(X).certify(X[:2], radius=0.1).prediction.shape == (2,)


def number_of_steps(labels, label):
    return np.abs(labels - label)


@pytest.mark.parametrize(
    "changed",
    [
        {"sigma": 1.0},
        {"n_center": 30},
        {"n_average": 2},
        {"distance": "l1"},
        {"center": "sample"},
        {"random_state": 1},
        {"estimator": Ridge()},
        {"estimator__alpha": 2.0},
    ],
)
def test_what_belongs_to_fit_cannot_be_changed_after_it(changed, data):
    X, y = data
    smoother = CenterSmoothedRegressor(Ridge(), n_augment=1, **SMALL).fit(X, y)
    before = {name: smoother.get_params()[name] for name in changed}
    wanted = smoother.predict(X[:1])
    again = pickle.loads(pickle.dumps(smoother.set_params(**changed)))
    for ask in (
        lambda s: s.predict(X[:1]),
        lambda s: s.certify(X[:1], radius=0.1),
        lambda s: s.certify_curve(X[:1], [0.1]),
        lambda s: s.prediction_error(X[:1], y[:1]),
        lambda s: s.max_radius(),
    ):
        for one in (smoother, again):
            with pytest.raises(ValueError, match=f"{next(iter(changed))} was .* Call fit again"):
                ask(one)
    np.testing.assert_array_equal(smoother.set_params(**before).predict(X[:1]), wanted)
    smoother.set_params(**changed).fit(X, y).predict(X[:1])


def test_what_may_be_changed_after_fit(data):
    X, y = data
    smoother = CenterSmoothedRegressor(Ridge(), n_augment=1, **SMALL).fit(X, y)
    wanted = smoother.predict(X[:1])
    smoother.set_params(n_estimation=2000, alpha=0.05, n_jobs=2, batch_size=50)
    smoother.set_params(integrate_alpha=True, verbose=0)
    np.testing.assert_allclose(smoother.predict(X[:1]), wanted, rtol=1e-12)
    assert smoother.certify(X[:1], radius=0.1).alpha == 0.05


def test_boxes_and_missing_boxes():
    def detect(X):
        boxes = np.c_[X[:, :2], X[:, :2] + 4]
        boxes[X[:, 2] > 1.5] = np.nan
        return boxes

    X = np.array([[0.0, 0, 0], [0, 0, 9]])
    smoother = wrap(detect, distance="jaccard_boxes", sigma=0.2).fit(X)
    certificate = smoother.certify(X, radius=0.1)
    assert 0 < certificate.output_radius[0] < 1
    assert certificate.output_radius[1] == 0  # no box, provably
    assert smoother.predict(X).shape == (2, 4)


def test_outputs_with_nan_give_an_infinite_bound_and_no_nan():
    X = np.array([[0.0], [5.0]])
    smoother = wrap(lambda X: np.where(X[:, 0] > 3, np.nan, X[:, 0])).fit(X)
    with np.errstate(invalid="ignore"):
        certificate = smoother.certify(X, radius=0.1)
    assert np.isfinite(certificate.output_radius[0])
    assert certificate.output_radius[1] == np.inf
    assert list(certificate.abstained) == [False, True]


def test_grid_search_over_sigma(data):
    X, y = data
    search = GridSearchCV(
        CenterSmoothedRegressor(Ridge(), n_center=100, n_estimation=300, random_state=0),
        {"sigma": [0.1, 0.5]},
        scoring=make_certified_bound_scorer(0.1),
        cv=2,
    ).fit(X[:60], y[:60])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    piped = make_pipeline(StandardScaler(), search.best_estimator_).fit(X, y)
    assert make_certified_bound_scorer(0.1)(piped, X[:5]) < 0


def test_neural_networks_from_image_to_image(digits):
    import skorch
    import torch

    images = digits[0][:200].reshape(-1, 1, 8, 8).astype(np.float32)
    torch.manual_seed(0)
    layers = torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(4, 1, 1)
    net = skorch.NeuralNetRegressor(
        torch.nn.Sequential(*layers), max_epochs=2, lr=0.05, verbose=0, train_split=None
    )
    smoother = CenterSmoothedRegressor(
        net, distance=TotalVariation(channel_axis=0), n_augment=1, **SMALL
    ).fit(images, images)
    certificate = smoother.certify(images[:2], radius=0.1)
    assert certificate.prediction.shape == (2, 1, 8, 8)
    assert np.isfinite(certificate.output_radius).all()
    again = smoother.certify(images[:2], radius=0.1)
    np.testing.assert_array_equal(again.output_radius, certificate.output_radius)


def test_data_frames(data):
    import pandas

    X, y = data
    frame = pandas.DataFrame(X).add_prefix("x")
    smoother = CenterSmoothedRegressor(Ridge(), n_augment=1, **SMALL).fit(frame, y)
    assert list(smoother.feature_names_in_) == list(frame.columns)
    assert len(smoother.certify(frame[:2], radius=0.1)) == 2


def test_pickle_and_clone(smoother, data):
    X, _ = data
    again = pickle.loads(pickle.dumps(smoother))
    np.testing.assert_array_equal(again.predict(X[:2]), smoother.predict(X[:2]))
    certificate = pickle.loads(pickle.dumps(smoother.certify(X[:2], radius=0.1)))
    assert len(certificate) == 2
    assert clone(smoother).get_params()["sigma"] == 0.5


def change_shape():
    state = {"calls": 0}

    def model(X):
        state["calls"] += 1
        return np.zeros((len(X), 5 if state["calls"] > 1 else 6))

    return model


BAD_DISTANCES = {
    "negative": lambda A, b: -np.abs(A - b),
    "not symmetric": lambda A, b: np.maximum(A - b, 0),
    "triangle constant": lambda A, b: (A - b) ** 2,
    "itself": lambda A, b: np.abs(A - b) + 1,
}


@pytest.mark.parametrize("message", BAD_DISTANCES)
def test_bad_distances_are_refused_at_fit(message, data):
    with pytest.raises(ValueError, match=message):
        wrap(lambda X: X[:, 0], distance=BAD_DISTANCES[message]).fit(*data)


def test_a_squared_distance_with_its_constant_is_accepted(data):
    own = FunctionDistance(BAD_DISTANCES["triangle constant"], gamma=2.0)
    smoother = wrap(lambda X: X[:, 0], distance=own).fit(*data)
    assert smoother.beta_ == 4.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"center": "shorth", "distance": "angular"}, "shorth"),
        ({"group_size": 2, "distance": "discrete"}, "no average"),
        ({"n_average": 2, "distance": "discrete"}, "no average"),
        ({"group_size": 1}, 'needs center="sample"'),
        ({"integrate_alpha": True, "group_size": 1}, "exclude"),
        ({"center": "sample", "group_size": 1, "n_candidates": 9}, "all candidates"),
        ({"center": "sample", "n_candidates": 2}, "leaves nothing"),
        ({"beta": 1.5, "center": "shorth"}, "guarantee"),
        ({"beta": 0.5}, "beta"),
        ({"distance": "nonsense"}, "distance"),
    ],
)
def test_what_cannot_work_is_refused_at_fit(options, message, data):
    with pytest.raises(ValueError, match=message):
        wrap(lambda X: X[:, 0], **options).fit(*data)


def test_bad_calls(smoother, data):
    X, _ = data
    for options, message in (
        ({}, "either"),
        ({"radius": 0.1, "output_radius": 1}, "either"),
        ({"radius": 0}, "positive"),
        ({"radius": [0.1, 0.2, 0.3]}, "one number per row.*certify_curve"),
        ({"radius": np.nan}, "positive"),
        ({"output_radius": -1}, "positive"),
    ):
        with pytest.raises(ValueError, match=message):
            smoother.certify(X[:2], **options)
    with pytest.raises(ValueError, match="when asked a second time"):
        wrap(change_shape()).fit(X).predict(X[:1])
    with pytest.raises(ValueError, match="y"):
        CenterSmoothedRegressor(LinearRegression()).fit(X)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint64])
@pytest.mark.parametrize(
    ("name", "value"), [("n_average", 3), ("group_size", 3), ("n_candidates", 30)]
)
def test_numbers_of_numpy_are_numbers_of_outputs(kind, name, value):
    X = np.random.default_rng(0).normal(size=(30, 2))

    def moved(number):
        options = {"n_center": number(100), "n_estimation": number(120), name: number(value)}
        if name != "n_average":
            options["center"] = "sample"
        smoother = CenterSmoothedRegressor(sigma=0.5, random_state=0, n_augment=2, **options)
        return smoother.fit(X, X[:, 0]).certify(X[:2], radius=0.05)

    assert moved(kind) == moved(int)
