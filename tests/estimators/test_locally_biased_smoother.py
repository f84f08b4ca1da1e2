"""The locally biased smoother as an estimator."""

import pickle

import numpy as np
import pandas as pd
import pytest
from case_names import name_of_case
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris, make_moons
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from smooth_models import make_models, torch_modules, trained_modules

from sksmooth import LocallyBiasedSmoother, certified_accuracy_score, make_certified_scorer
from sksmooth.certifiers.local_bias._reference import merge_conflicts, split_off_reference
from sksmooth.estimators._base import BaseSmoother
from sksmooth.plotting import CertifiedAccuracyDisplay
from sksmooth.smooth_scores import smooth_score


@pytest.fixture(scope="module")
def moons():
    return make_moons(200, noise=0.15, random_state=0)


@pytest.fixture(scope="module")
def fitted(moons):
    return LocallyBiasedSmoother(SVC(gamma=2.0), alpha=0.2, random_state=0).fit(*moons)


@pytest.mark.parametrize("name", list(make_models()))
def test_every_family_fits_predicts_and_certifies(name):
    model, (X, y) = make_models()[name]
    labels = np.array(["no", "yes", "other"])[y]
    if name == "frozen":
        labels = y
    clf = LocallyBiasedSmoother(model, alpha=0.1, random_state=0).fit(X, labels)
    certificate = clf.certify(X)
    assert np.array_equal(certificate.prediction, clf.predict(X))
    assert clf.score(X, labels) > 0.75
    assert (certificate.radius > 0).mean() > 0.9
    assert certificate.alpha is None


def test_predictions_follow_the_decision_function(fitted, moons):
    decision = fitted.decision_function(moons[0])
    assert np.array_equal(fitted.classes_[(decision > 0).astype(int)], fitted.predict(moons[0]))
    X, y = load_iris(return_X_y=True)
    clf = LocallyBiasedSmoother(alpha=0.3, random_state=0).fit(X, y)
    assert np.array_equal(clf.decision_function(X).argmax(axis=1), clf.predict(X))


def test_the_decision_is_the_score_with_its_bias(fitted, moons):
    """Binary: the base model's score, pushed by alpha times the norm of its gradient."""
    X, model, h = moons[0][:50], fitted.estimator_, 1e-6
    gradient = [
        (model.decision_function(X + e) - model.decision_function(X - e)) / (2 * h)
        for e in h * np.eye(2)
    ]
    apart = np.linalg.norm(X[:, None] - fitted.reference_points_, axis=2)
    label = fitted.reference_labels_[apart.argmin(axis=1)]
    bias = 0.2 * np.linalg.norm(gradient, axis=0) * np.where(label == 1, 1, -1)
    np.testing.assert_allclose(
        fitted.decision_function(X), model.decision_function(X) + bias, rtol=1e-6, atol=1e-7
    )


def test_no_bias_is_the_base_model_and_infinite_bias_its_nearest_neighbour(moons):
    X, y = moons
    none = LocallyBiasedSmoother(SVC(gamma=2.0), alpha=0.0, random_state=0).fit(X, y)
    assert np.array_equal(none.predict(X), none.estimator_.predict(X))
    for n_neighbors in (1, 3):
        clf = LocallyBiasedSmoother(alpha=np.inf, n_neighbors=n_neighbors, random_state=0)
        clf.fit(X, y)
        neighbor = KNeighborsClassifier(n_neighbors)
        neighbor.fit(clf.reference_points_, clf.reference_labels_)
        assert np.array_equal(clf.predict(X), neighbor.predict(X))
        certificate = clf.certify(X)
        assert np.array_equal(certificate.prediction, clf.predict(X))
        assert (certificate.radius > 0).mean() > 0.9


@pytest.mark.parametrize("n_neighbors", [3, 5, 9])
def test_votes_among_many_classes_are_those_of_the_nearest_neighbour_classifier(n_neighbors):
    """Ties of votes go to the first class, there as here."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 4)), np.array(list("cabd"))[rng.integers(4, size=300)]
    clf = LocallyBiasedSmoother(alpha=np.inf, n_neighbors=n_neighbors, random_state=0).fit(X, y)
    neighbors = KNeighborsClassifier(n_neighbors)
    neighbors.fit(clf.reference_points_, clf.reference_labels_)
    rows = rng.normal(size=(400, 4))
    assert np.array_equal(clf.predict(rows), neighbors.predict(rows))
    assert clf.decision_function(rows).sum(axis=1).tolist() == [n_neighbors] * 400
    certificate = clf.certify(rows)
    assert np.array_equal(certificate.prediction, clf.predict(rows))
    steps = rng.normal(size=(50, 400, 4))
    steps *= certificate.radius[:, None] / np.linalg.norm(steps, axis=2, keepdims=True)
    for factor, is_kept in ((1.0, True), (4.0, False)):
        moved = [clf.predict(rows + factor * step) == certificate.prediction for step in steps]
        assert np.all(moved) == is_kept


def test_infinite_bias_asks_nothing_of_the_base_model(moons):
    forest = RandomForestClassifier(3, random_state=0)
    clf = LocallyBiasedSmoother(forest, alpha=np.inf).fit(*moons)
    assert clf.certify(moons[0][:5]).radius.shape == (5,)
    with pytest.raises(ValueError, match="constant in pieces"):
        clf.set_params(alpha=1.0).predict(moons[0])


def test_bias_helps_a_linear_model_on_curved_data(moons):
    X, y = moons
    plain = LocallyBiasedSmoother(alpha=0.0, random_state=0).fit(X, y).score(X, y)
    biased = LocallyBiasedSmoother(alpha=2.0, random_state=0).fit(X, y).score(X, y)
    assert biased > plain + 0.05


def test_reference_points_are_kept_from_the_base_model(moons):
    X, y = moons
    seen = []

    class Spy(LogisticRegression):
        def fit(self, X, y):
            seen.append(X)
            return super().fit(X, y)

    smooth_score.register(Spy, smooth_score.registry[LogisticRegression])
    clf = LocallyBiasedSmoother(Spy(), reference_size=0.4, random_state=0).fit(X, y)
    rows = {row.tobytes() for row in X}
    trained = {row.tobytes() for row in seen[0]}
    reference = {row.tobytes() for row in clf.reference_points_}
    assert len(reference) == 80
    assert trained | reference == rows
    assert not trained & reference
    again = LocallyBiasedSmoother(Spy(), reference_size=80, random_state=0).fit(X, y)
    assert np.array_equal(again.reference_points_, clf.reference_points_)
    other = LocallyBiasedSmoother(Spy(), reference_size=80, random_state=1).fit(X, y)
    assert not np.array_equal(other.reference_points_, clf.reference_points_)


def test_all_rows_are_reference_for_a_frozen_model(moons):
    X, y = moons
    frozen = FrozenEstimator(SVC(gamma=2.0).fit(X, y))
    clf = LocallyBiasedSmoother(frozen).fit(X[:50], y[:50])
    assert len(clf.reference_points_) == 50
    assert clf.estimator_ is frozen


def test_split_keeps_shares_of_classes():
    labels = np.repeat([0, 1, 2, 3], [100, 10, 2, 1])
    training, reference = split_off_reference(labels, 0.25, np.random.default_rng(0))
    assert np.bincount(labels[reference], minlength=4).tolist() == [25, 2, 1, 0]
    assert sorted([*training, *reference]) == list(range(113))


def test_copies_with_other_labels_are_merged_by_majority():
    points = np.array([[0.0], [0.0], [-0.0], [1.0], [1.0], [2.0], [2.0]])
    labels = np.array([1, 1, 0, 1, 0, 0, 0])
    with pytest.warns(UserWarning, match="2 of 7 reference points are copies"):
        kept = merge_conflicts(points, labels)
    assert kept.tolist() == [0, 1, 4, 5, 6]
    X, y = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([0, 1, 1, 1])
    frozen = FrozenEstimator(LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
    with pytest.warns(UserWarning, match="1 of 4 reference points"):
        clf = LocallyBiasedSmoother(frozen, alpha=np.inf).fit(X, y)
    assert clf.certify([[0.1]]).radius[0] == pytest.approx(0.4)


def test_rows_without_weight_are_left_out(moons):
    X, y = moons
    weight = np.repeat([1.0, 0.0], 100)
    clf = LocallyBiasedSmoother(random_state=0).fit(X, y, sample_weight=weight)
    assert len(clf.reference_points_) == 25
    assert all((X[:100] == point).all(axis=1).any() for point in clf.reference_points_)


def test_certificate_decides_a_radius(fitted, moons):
    X = moons[0]
    certificate = fitted.certify(X, radius=0.2)
    assert np.array_equal(certificate.certified, certificate.radius >= 0.2)
    assert "without noise" in repr(certificate)
    columns = ["prediction", "radius", "certified", "abstained", "target_radius"]
    assert list(certificate.to_frame())[:5] == columns
    assert len(certificate[:5]) == 5
    assert len(certificate.concatenate([certificate[:5], certificate[5:]])) == len(X)
    with pytest.raises(ValueError, match="exact"):
        certificate.at(alpha=0.1)


def test_rows_do_not_depend_on_each_other(fitted, moons):
    X = moons[0]
    whole = fitted.certify(X).radius
    one_by_one = [fitted.certify(x[None]).radius[0] for x in X[:20]]
    np.testing.assert_allclose(whole[:20], one_by_one, rtol=1e-9)
    assert np.array_equal(fitted.certify(X[::-1]).prediction, fitted.certify(X).prediction[::-1])


def test_clones_and_pickles(fitted, moons):
    X = moons[0]
    loaded = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(loaded.certify(X).radius, fitted.certify(X).radius)
    again = clone(fitted).fit(*moons)
    assert np.array_equal(again.certify(X).radius, fitted.certify(X).radius)


def test_feature_names_are_kept(moons):
    X = pd.DataFrame(moons[0], columns=["length", "width"])
    clf = LocallyBiasedSmoother(SVC(), random_state=0).fit(X, moons[1])
    assert clf.feature_names_in_.tolist() == ["length", "width"]
    assert len(clf.certify(X)) == 200
    with pytest.raises(ValueError, match="feature names"):
        clf.predict(X.rename(columns={"width": "depth"}))


def test_it_has_no_noise_and_keeps_the_index_of_rows(moons):
    X = pd.DataFrame(moons[0], columns=["length", "width"]).iloc[::-1]
    clf = LocallyBiasedSmoother(random_state=0).fit(X, moons[1][::-1])
    assert not isinstance(clf, BaseSmoother)
    assert clf.for_scoring() is clf
    assert clf.certify(X).to_frame().index.equals(X.index)
    with pytest.raises(ValueError, match="reference_size was changed"):
        clf.set_params(reference_size=0.5).predict(X)


def test_grid_search_over_bias_and_norm(moons):
    search = GridSearchCV(
        LocallyBiasedSmoother(SVC(gamma=2.0), random_state=0),
        {"alpha": [0.0, 0.3, np.inf], "norm": [2, np.inf]},
        scoring=make_certified_scorer(radius=0.1),
        cv=2,
    ).fit(*moons)
    assert search.best_score_ > 0.7
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    certificate = search.best_estimator_.certify(moons[0])
    assert certified_accuracy_score(moons[1], certificate, radius=0.1) > 0.7


def test_scaler_inside_keeps_radii_in_units_of_the_inputs(moons):
    """Ten times the inputs are ten times the radii."""
    X, y = moons
    base = make_pipeline(StandardScaler(), SVC(gamma=1.0))
    small = LocallyBiasedSmoother(base, alpha=0.1, random_state=0).fit(X, y).certify(X)
    large = LocallyBiasedSmoother(base, alpha=1.0, random_state=0).fit(10 * X, y).certify(10 * X)
    np.testing.assert_allclose(large.radius, 10 * small.radius, rtol=5e-3)


@pytest.mark.parametrize("name", ["softplus", "elu, one logit", "gelu, three classes"])
def test_torch_modules(name):
    module = torch_modules()[name].eval()
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 2))
    y = np.arange(90) % (3 if "three" in name else 2)
    clf = LocallyBiasedSmoother(FrozenEstimator(module), alpha=0.1).fit(X, y)
    certificate = clf.certify(X[:20])
    assert np.array_equal(certificate.prediction, clf.predict(X[:20]))
    assert (certificate.radius > 0).all()


def test_skorch_net_with_images(moons):
    import skorch
    import torch

    nn = torch.nn
    torch.manual_seed(0)
    net = skorch.NeuralNetClassifier(
        nn.Sequential(nn.Flatten(), nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2)),
        criterion=nn.CrossEntropyLoss,
        lr=0.5,
        max_epochs=10,
        train_split=None,
        verbose=0,
    )
    X, y = moons[0].reshape(-1, 1, 2).astype(np.float32), moons[1]
    clf = LocallyBiasedSmoother(net, alpha=0.1, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.75
    assert (clf.certify(X[:10]).radius > 0).all()
    with pytest.raises(ValueError, match=r"inputs of shape \(2,\)"):
        clf.predict(moons[0])


class Sine(ClassifierMixin, BaseEstimator):
    """A model of the user's: sin(x_0) + x_1."""

    def fit(self, X, y):
        self.classes_, self.n_features_in_ = np.unique(y), X.shape[1]
        return self

    def decision_function(self, X):
        return np.sin(X[:, 0]) + X[:, 1]

    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


def gradient_of_sine(X):
    return np.column_stack([np.cos(X[:, 0]), np.ones(len(X))])


def test_gradient_of_the_user():
    X = np.random.default_rng(0).normal(size=(100, 2)) * 2
    y = Sine().fit(X, np.arange(100) % 2).predict(X)
    clf = LocallyBiasedSmoother(
        Sine(), alpha=0.0, gradient=gradient_of_sine, gradient_lipschitz=1.0
    )
    certificate = clf.fit(X, y).certify(X)
    assert np.array_equal(certificate.prediction, y)
    along = np.stack([np.linspace(-9, 9, 2001), -np.sin(np.linspace(-9, 9, 2001))], axis=1)
    distance = np.linalg.norm(X[:, None] - along, axis=2).min(axis=1)
    assert (certificate.radius <= distance).all()
    assert certificate.radius.mean() > 0.6 * distance.mean()
    with pytest.raises(ValueError, match=r"gradient_lipschitz=0\.4 is contradicted by two points"):
        clf.set_params(gradient_lipschitz=0.4).fit(X, y)


def test_gradient_of_the_user_with_feature_names(moons):
    X = pd.DataFrame(moons[0], columns=["length", "width"])
    known = LocallyBiasedSmoother(LogisticRegression(), alpha=0.1, random_state=0).fit(X, moons[1])

    def gradient(X):
        return np.broadcast_to(known.estimator_.coef_[0], X.shape)

    clf = clone(known).set_params(gradient=gradient, gradient_lipschitz=0.0).fit(X, moons[1])
    np.testing.assert_allclose(clf.certify(X).radius, known.certify(X).radius, rtol=1e-6, atol=1e-8)


def test_a_given_constant_holds_behind_a_scaler(moons):
    """In the units of the inputs, for a module whose constant is not known."""
    import torch

    class Residual(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.classes_ = torch.nn.Linear(2, 2), np.array([0, 1])

        def forward(self, x):
            return x + torch.tanh(self.inner(x))

    torch.manual_seed(0)
    scaler = StandardScaler().fit(moons[0])
    frozen = FrozenEstimator(Pipeline([("scale", scaler), ("net", Residual())]))
    with pytest.raises(ValueError, match="Residual is not known"):
        LocallyBiasedSmoother(frozen).fit(*moons)
    clf = LocallyBiasedSmoother(frozen, alpha=0.1, gradient_lipschitz=20.0).fit(*moons)
    assert (clf.certify(moons[0]).radius > 0).mean() > 0.9


def test_kinks_with_a_given_constant_are_warned_of(moons):
    import torch

    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    frozen = FrozenEstimator(module)
    with pytest.raises(ValueError, match="ReLU has kinks"):
        LocallyBiasedSmoother(frozen).fit(*moons)
    with pytest.warns(UserWarning, match="taken at your word"):
        LocallyBiasedSmoother(frozen, gradient_lipschitz=1e6).fit(*moons)


BAD = [
    ({"alpha": -1.0}, "alpha"),
    ({"alpha": np.nan}, "alpha"),
    ({"norm": 3}, "norm"),
    ({"n_neighbors": 2}, "odd number"),
    ({"n_neighbors": 3, "neighbor_certificate": "exact"}, "for one neighbour"),
    ({"n_neighbors": 999}, "more than the 50 reference points"),
    ({"reference_size": 1.0}, "reference_size"),
    ({"reference_size": 200}, "leaves none of the 200 rows"),
    ({"gradient": gradient_of_sine}, "gradient_lipschitz= as a number"),
    ({"gradient_lipschitz": -1.0}, "gradient_lipschitz"),
    ({"estimator": RandomForestClassifier(2)}, "SmoothedClassifier"),
    ({"estimator": LinearRegression()}, "has to be a classifier; LinearRegression is a regressor"),
    ({"estimator": MLPClassifier((2,), max_iter=2000)}, "activation='tanh'"),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("options", "message"), BAD, ids=name_of_case)
def test_what_cannot_work_is_refused(moons, options, message):
    with pytest.raises(ValueError, match=message):
        LocallyBiasedSmoother(**options).fit(*moons)


def test_number_of_neighbours_may_be_set_after_fit(fitted, moons):
    later = clone(fitted).fit(*moons).set_params(n_neighbors=3)
    early = clone(fitted).set_params(n_neighbors=3).fit(*moons)
    assert np.array_equal(later.certify(moons[0]).radius, early.certify(moons[0]).radius)
    assert not np.array_equal(later.certify(moons[0]).radius, fitted.certify(moons[0]).radius)
    with pytest.raises(ValueError, match="more than the 50 reference points"):
        later.set_params(n_neighbors=51).predict(moons[0])


def test_a_module_as_classifier(moons):
    import torch

    from sksmooth.nets import TorchExecution, as_classifier

    module, X, y = trained_modules()["softplus"]
    plain = frozen(module, X, y, alpha=0.1).certify(X)
    model = as_classifier(module.eval(), classes=["a", "b"])
    named = frozen(model, X, np.array(["a", "b"])[y], alpha=0.1).certify(X)
    assert np.array_equal(named.radius, plain.radius)
    assert np.array_equal(named.prediction, np.array(["a", "b"])[plain.prediction])
    with pytest.raises(ValueError, match="not sorted"):
        frozen(as_classifier(module, classes=[1, 0]), X, y)
    half = TorchExecution(autocast=torch.bfloat16)
    with pytest.raises(ValueError, match="autocast"):
        frozen(as_classifier(module, classes=[0, 1], execution=half), X, y)
    with pytest.raises(ValueError, match=r"Sequential without fit.*FrozenEstimator"):
        LocallyBiasedSmoother(module).fit(X, y)


def test_one_class_and_unknown_ones_are_refused(moons):
    known = FrozenEstimator(LogisticRegression().fit(*moons))
    with pytest.raises(ValueError, match="one class only"):
        LocallyBiasedSmoother(known).fit(moons[0], np.zeros(200, int))
    with pytest.raises(ValueError, match="one class only"):
        LocallyBiasedSmoother().fit(moons[0], np.zeros(200, int))
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="OneVsRestClassifier"):
        LocallyBiasedSmoother(SVC()).fit(X, y)
    frozen = FrozenEstimator(LogisticRegression(max_iter=500).fit(X, y))
    with pytest.raises(ValueError, match="which is not a class of LogisticRegression"):
        LocallyBiasedSmoother(frozen).fit(X, y + 1)
    with pytest.raises(NotFittedError):
        LocallyBiasedSmoother().certify(X)


def test_a_curve_can_be_drawn(pyplot, fitted, moons):
    display = CertifiedAccuracyDisplay.from_estimator(fitted, *moons)
    display.plot()
    assert display.name == "without noise"


def test_one_vs_rest_of_support_vector_machines():
    X, y = load_iris(return_X_y=True)
    model = OneVsRestClassifier(SVC(gamma=0.5))
    clf = LocallyBiasedSmoother(model, alpha=0.1, random_state=0).fit(X, y)
    assert clf.score(X, y) > 0.9
    assert clf.certify(X).certified.mean() > 0.9


# --------------------------------------------------------- models that are not what they look like


def frozen(model, X, y, **params):
    return LocallyBiasedSmoother(FrozenEstimator(model), **{"alpha": 0.0, **params}).fit(X, y)


def disguised_nets():
    import torch

    nn = torch.nn
    torch.manual_seed(0)

    class Tanh(nn.Module):
        def forward(self, X):
            return X**3

    twice = nn.Tanh()
    hooked = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 2))
    hooked[1].register_forward_hook(lambda module, inputs, output: output**2)
    return {
        "one layer twice": nn.Sequential(
            nn.Linear(2, 6), twice, nn.Linear(6, 6), twice, nn.Linear(6, 2)
        ),
        "a hook": hooked,
        "a name of torch": nn.Sequential(nn.Linear(2, 6), Tanh(), nn.Linear(6, 2)),
        "a kink": nn.Sequential(nn.Linear(2, 6), nn.Softplus(threshold=1.0), nn.Linear(6, 2)),
    }


@pytest.mark.parametrize("name", ["one layer twice", "a hook", "a name of torch", "a kink"])
def test_nets_are_read_as_they_are_or_not_at_all(name):
    import torch

    net = disguised_nets()[name].eval()
    X = np.random.default_rng(0).normal(size=(40, 2))
    with torch.no_grad():
        outputs = net(torch.as_tensor(X, dtype=torch.float32)).numpy()
    score = smooth_score(net)
    np.testing.assert_allclose(score.value(X)[:, 0], outputs[:, 1] - outputs[:, 0], atol=1e-5)
    if name != "one layer twice":
        with pytest.raises(ValueError, match="gradient_lipschitz="):
            score.lipschitz(np.ones(1), 2)


def test_subclass_is_not_taken_for_its_parent(moons):
    class Shifted(LogisticRegression):
        def decision_function(self, X):
            return super().decision_function(X) - 2

    model = Shifted().fit(*moons)
    with pytest.raises(ValueError, match="Shifted is a subclass"):
        frozen(model, *moons)
    plain = LogisticRegression().fit(*moons)
    plain.decision_function = lambda X: -np.ones(len(X))
    with pytest.raises(ValueError, match="decision_function of its own"):
        frozen(plain, *moons)


def test_scores_that_do_not_decide_as_the_model_does(moons):
    class Halved(LogisticRegression):
        def predict(self, X):
            return (self.predict_proba(X)[:, 1] > 0.8).astype(int)

    smooth_score.register(Halved, smooth_score.registry[LogisticRegression])
    with pytest.raises(ValueError, match="give another class than it does itself"):
        frozen(Halved().fit(*moons), *moons)


class Bowls(ClassifierMixin, BaseEstimator):
    """Three scores; the first two differ by twice the square of the distance to 0."""

    def fit(self, X, y):
        self.classes_ = np.arange(3)
        return self

    def decision_function(self, X):
        bowl = (X**2).sum(axis=1) / 2
        return np.column_stack([1 - bowl, bowl - 1, np.full(len(X), -99.0)])

    def predict(self, X):
        return self.decision_function(X).argmax(axis=1)


def gradients_of_bowls(X):
    return np.stack([-X, X, np.zeros_like(X)], axis=1)


def test_constant_has_to_hold_for_margins():
    X = np.random.default_rng(0).normal(size=(200, 2))
    model = Bowls().fit(X, None)
    options = {"gradient": gradients_of_bowls, "alpha": 0.0}
    y = np.arange(200) % 3
    with pytest.raises(ValueError, match="contradicted"):
        frozen(model, X, y, gradient_lipschitz=1.0, **options)
    clf = frozen(model, X, y, gradient_lipschitz=2.0, **options)
    assert clf.certify(np.zeros((1, 2))).radius[0] <= np.sqrt(2)


@pytest.mark.parametrize("change", [{"alpha": 0.0}, {"gradient_lipschitz": 1e-9, "alpha": 0.0}])
def test_what_is_set_after_fit_is_examined(moons, change):
    start = {"alpha": np.inf, "gradient_lipschitz": 1e-9}
    clf = LocallyBiasedSmoother(SVC(gamma=2.0), random_state=0, **start).fit(*moons)
    with pytest.raises(ValueError, match="contradicted by two points"):
        clf.set_params(**change).certify(moons[0])


@pytest.mark.parametrize("value", [1e151, -1e200, 1e308])
def test_numbers_whose_squares_overflow_are_refused(value, moons):
    X, y = moons
    clf = LocallyBiasedSmoother(LogisticRegression(), random_state=0).fit(X, y)
    far = X[:3].copy()
    far[1, 0] = value
    for ask in (clf.certify, clf.predict):
        with pytest.raises(
            ValueError, match=r"X holds .* at row 1, and squares .* Scale or clip X"
        ):
            ask(far)
    assert len(clf.certify(np.clip(far, -10, 10))) == 3  # the remedy


def test_scores_that_overflow_prove_nothing(moons):
    X, y = moons
    model = LogisticRegression().fit(X, y)
    model.coef_ = model.coef_ * 1e200
    clf = LocallyBiasedSmoother(FrozenEstimator(model), random_state=0).fit(X, y)
    far = np.full((1, 2), 1e140)
    with pytest.raises(ValueError, match="scores of the base model at row 0 of X are not finite"):
        clf.certify(far)
