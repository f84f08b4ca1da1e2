"""Models that are no functions of one row are found, and all others pass."""

import numpy as np
import pytest
import skorch
import torch
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, scale
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from sksmooth import (
    CenterSmoothedRegressor,
    DSSNClassifier,
    LocallyBiasedSmoother,
    MedianSmoothedRegressor,
    SmoothedClassifier,
)
from sksmooth.base_models._one_row import (
    check_answers,
    check_function_of_one_row,
    comparable_answers,
    is_plain,
)
from sksmooth.inputs._containers import read_inputs
from sksmooth.nets import TorchExecution, as_classifier, as_regressor

X = np.random.default_rng(0).uniform(-1, 1, size=(60, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
INPUTS = read_inputs(X, owner=None)


def check(ask, inputs=INPUTS, **options):
    check_function_of_one_row(ask, inputs, **options)


def by_mean(rows):
    return rows[:, 0] > rows[:, 0].mean()


def by_position(rows):
    return np.arange(len(rows)) % 2


def by_call(rows, calls=iter(range(1000))):  # noqa: B008 (the calls are counted)
    return np.full(len(rows), next(calls))


@pytest.mark.parametrize(
    ("ask", "how"),
    [
        (by_call, "asked a second time, the same way"),
        (by_position, "asked in another order"),
        (lambda rows: np.full(len(rows), len(rows)), "asked about this row alone"),
        (by_mean, "asked about this row alone"),
        (lambda rows: rows - rows.mean(axis=0), "asked about this row alone"),
    ],
)
def test_what_depends_on_more_than_the_row_is_refused(ask, how):
    message = rf"^The base model answers .* for row \d+ of X, and .* when {how}. A certificate is"
    with pytest.raises(ValueError, match=message):
        check(ask)


def test_the_row_that_differs_is_named():
    last = X[-1, 0]
    with pytest.raises(ValueError, match=r"Its name answers 59 for row 59 of X, and 0 when"):
        check(lambda X: np.where(X[:, 0] == last, 59 * (len(X) > 1), 0), name="Its name")


def test_failing_on_one_row_is_depending_on_the_others():
    def ask(rows):
        if len(rows) == 1:
            raise RuntimeError("too few")
        return rows

    with pytest.raises(ValueError, match=r"fails on one of them alone \(too few\)"):
        check(ask)


@pytest.mark.parametrize(
    "ask",
    [
        lambda rows: rows[:, 0] > 0,
        lambda rows: np.where(rows[:, 0] > 0, "yes", "no"),
        lambda rows: np.full((len(rows), 3), np.nan),
        lambda rows: np.where(rows > 0, np.inf, rows),
        lambda rows: np.zeros((len(rows), 0)),
    ],
)
def test_functions_of_one_row_pass(ask):
    check(ask)
    check(ask, INPUTS[:1])
    check(ask, INPUTS[:0])


@pytest.mark.parametrize(
    ("dtype", "rounding", "passes", "fails"),
    [
        (np.float64, None, 1e-8, 1e-4),
        (np.float32, None, 1e-5, 1e-2),
        (np.float16, None, 1e-2, 0.2),
        (np.float64, 0.1, 1e-2, 0.5),
    ],
)
def test_numbers_may_differ_by_rounding(dtype, rounding, passes, fails):
    for size in (passes, fails):
        if size == passes:
            check(lambda rows, e=size: (rows + e * len(rows) / 8).astype(dtype), rounding=rounding)
        else:
            with pytest.raises(ValueError, match="asked about this row alone"):
                check(lambda rows, e=size: (rows + e * len(rows)).astype(dtype), rounding=rounding)


def test_rows_are_given_in_their_container_and_may_be_changed():
    import pandas

    frame = pandas.DataFrame(X, columns=list("abcd"))
    before = frame.copy()

    def ask(rows):
        answer = (rows["a"] > 0).to_numpy()
        rows.iloc[:, :] = 0.0
        return answer

    check(ask, read_inputs(frame, owner=None))
    assert_array_equal(frame, before)


def test_models_of_scikit_learn_can_be_checked():
    wide = read_inputs(X.astype(float), owner=None)
    tree = make_pipeline(FunctionTransformer(scale), DecisionTreeClassifier())
    with pytest.raises(ValueError, match="asked about this row alone"):
        check(tree.fit(wide.values, Y).predict, wide)
    steady = make_pipeline(StandardScaler(), LogisticRegression()).fit(wide.values, Y)
    check(steady.predict_proba, wide)


class Centred(nn.Module):
    def forward(self, X):
        X = X - X.mean(0)
        return torch.stack([-X[:, 0], X[:, 0]], dim=1)


class BatchNormed(nn.Module):
    """Over places, too, so that one row is enough for it."""

    def forward(self, X):
        X = nn.functional.batch_norm(X[:, None], None, None, training=True)[:, 0]
        return torch.stack([-X[:, 0], X[:, 0]], dim=1)


class Dropping(nn.Module):
    def forward(self, X):
        return nn.functional.dropout(torch.stack([-X[:, 0], X[:, 0]], dim=1), 0.5, training=True)


class Shifted(nn.Module):
    """One random number for all rows of a call."""

    def forward(self, X):
        score = X[:, 0] + 0.1 * torch.randn(())
        return torch.stack([-score, score], dim=1)


class Steady(nn.Module):
    def forward(self, X):
        return torch.stack([-X[:, 0], X[:, 0]], dim=1)


FAULTY = [Centred, BatchNormed, Dropping, Shifted]
OPTIONS = {"n_estimation": 200, "random_state": 0}


def skorch_net(module):
    last = nn.Linear(2, 2)  # skorch needs something to learn
    with torch.no_grad():
        last.weight.copy_(torch.eye(2))
        last.bias.zero_()
    settings = {"criterion": nn.CrossEntropyLoss, "verbose": 0, "train_split": None}
    net = skorch.NeuralNetClassifier(nn.Sequential(module, last), max_epochs=0, **settings)
    return FrozenEstimator(net.fit(X, Y))


MAKERS = {
    "module": lambda module: as_classifier(module.eval(), classes=[0, 1]),
    "skorch": skorch_net,
    "pipeline": lambda module: make_pipeline(
        StandardScaler(), as_classifier(module.eval(), classes=[0, 1])
    ),
}


@pytest.mark.parametrize("structure", ["auto", "off"])
@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("kind", FAULTY)
def test_modules_that_are_no_functions_of_one_row_are_refused(kind, maker, structure):
    clf = SmoothedClassifier(MAKERS[maker](kind()), structure=structure, **OPTIONS)
    with pytest.raises(ValueError, match="A certificate is about a function of one row"):
        clf.fit(X, Y)


@pytest.mark.parametrize("maker", MAKERS)
def test_steady_modules_pass(maker):
    clf = SmoothedClassifier(MAKERS[maker](Steady()), **OPTIONS).fit(X, Y)
    assert (clf.certify(X).prediction == Y).mean() > 0.8


@pytest.mark.parametrize("kind", [*FAULTY, Steady])
def test_in_every_smoother(kind):
    module = kind().eval()
    classifier, regressor = as_classifier(module, classes=[0, 1]), as_regressor(module)
    smoothers = [
        DSSNClassifier(classifier, n_steps=16, feature_range=(-1, 1), off_grid="round"),
        CenterSmoothedRegressor(regressor, n_center=100, n_estimation=800),
        MedianSmoothedRegressor(regressor, n_estimation=200),
    ]
    for smoother in smoothers:
        if kind is Steady:
            smoother.fit(X, Y)
        else:
            with pytest.raises(ValueError, match="A certificate is about a function of one row"):
                smoother.fit(X, Y)


def test_coarse_rounding_is_allowed_for_where_it_was_asked_for():
    torch.manual_seed(0)
    layers = [nn.Linear(4, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 2)]
    execution = TorchExecution(autocast=torch.bfloat16)
    module = nn.Sequential(*layers).eval()
    coarse = as_classifier(module, classes=[0, 1], execution=execution)
    _, rounding = comparable_answers(coarse)
    assert rounding > 2**-8
    y = coarse.predict(X)
    assert len(SmoothedClassifier(coarse, sigma=0.01, **OPTIONS).fit(X, y).certify(X[:3])) == 3


class Unsteady(ClassifierMixin, BaseEstimator):
    """A classifier of the user's own, which adds a number to the first feature and cuts at 0."""

    def __init__(self, added=None):
        self.added = added

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        added = 0.0 if self.added is None else self.added(X)
        return self.classes_[(np.asarray(X)[:, 0] + added > 0).astype(int)]


UNSTEADY = {
    "mean of the call": lambda X: -np.mean(X[:, 0]) + 0.5 * (len(X) > 1),
    "one random number": lambda X: np.random.default_rng().normal(),
    "a random number a row": lambda X: np.random.default_rng().normal(size=len(X)),
    "place in the call": lambda X: np.arange(len(X)) * 0.3 - 1.0,
}


def wrapped(model):
    """The same model by itself, and inside what scikit-learn puts around it."""
    yield model
    yield FrozenEstimator(model)
    yield make_pipeline(StandardScaler(), model)
    yield VotingClassifier([("a", model)])
    yield GridSearchCV(model, {"added": [model.added]}, cv=StratifiedGroupKFold(2))


@pytest.mark.parametrize("why", UNSTEADY)
def test_code_of_the_user_is_asked_at_fit(why):
    for model in wrapped(Unsteady(UNSTEADY[why]).fit(X, Y)):
        with pytest.raises(ValueError, match="A certificate is about a function of one row"):
            SmoothedClassifier(clone(model), **OPTIONS).fit(X, Y)
    for model in wrapped(Unsteady().fit(X, Y)):
        assert len(SmoothedClassifier(clone(model), **OPTIONS).fit(X, Y).certify(X[:2])) == 2


@pytest.mark.parametrize("how", ["certify", "predict"])
@pytest.mark.parametrize("why", UNSTEADY)
def test_code_of_the_user_is_asked_at_each_call(why, how):
    """Even of one row, and where `fit` had no data or the model was another one."""
    late = FrozenEstimator(Unsteady().fit(X, Y))
    smoothers = [
        SmoothedClassifier(late, **OPTIONS).fit(),
        SmoothedClassifier(late, **OPTIONS).fit(X, Y),
        CenterSmoothedRegressor(late, distance="discrete", n_estimation=800).fit(X, Y),
    ]
    for smoother in smoothers:
        smoother.estimator_.estimator.added = UNSTEADY[why]
        options = {"radius": 0.1} if how == "certify" else {}
        with pytest.raises(ValueError, match="A certificate is about a function of one row"):
            getattr(smoother, how)(X[:1], **options)
        smoother.estimator_.estimator.added = None
        getattr(smoother, how)(X[:1], **options)


def test_scale_of_the_call_in_a_pipeline():
    tree = make_pipeline(FunctionTransformer(scale), DecisionTreeClassifier(random_state=0))
    wide = X.astype(float)
    smoothers = [
        SmoothedClassifier(tree, **OPTIONS),
        LocallyBiasedSmoother(make_pipeline(FunctionTransformer(scale), LogisticRegression())),
        CenterSmoothedRegressor(tree, distance="discrete", n_estimation=800),
    ]
    for smoother in smoothers:
        with pytest.raises(ValueError, match="A certificate is about a function of one row"):
            smoother.fit(wide, Y)


def test_labels_on_a_tie_may_be_settled_by_rounding():
    """Scores 1e-17 apart may come out in another order when they are summed in a batch."""

    class Tied(Unsteady):
        def decision_function(self, X):
            return np.where(np.arange(len(X)) == 0, 1e-17, np.asarray(X)[:, 0])

        def predict(self, X):
            right = self.decision_function(X) > 1e-18 * (len(X) > 1) + 1e-17 * (len(X) == 1)
            return self.classes_[right.astype(int)]

    flat = np.vstack([np.zeros((1, 4)), X[1:]])
    model = Tied().fit(flat, Y)
    assert model.predict(flat)[0] != model.predict(flat[:1])[0]
    inputs = read_inputs(flat, owner=None)
    check_answers(model, inputs[:1], lambda rows, n: model.predict(rows))


class Bare:
    """No estimator of scikit-learn, but something that predicts."""

    def predict(self, X):
        return np.zeros(len(X))


@pytest.mark.parametrize(
    ("model", "plain"),
    [
        (LogisticRegression(), True),
        (make_pipeline(StandardScaler(), LogisticRegression()), True),
        (FrozenEstimator(DecisionTreeClassifier()), True),
        (GridSearchCV(LogisticRegression(), {"C": [1.0]}), True),
        (DummyClassifier(strategy="uniform"), False),
        (make_pipeline(FunctionTransformer(scale), LogisticRegression()), False),
        (KNeighborsClassifier(metric=lambda a, b: 0.0), False),
        (GridSearchCV(LogisticRegression(), {"C": [1.0]}, refit=len), False),
        (VotingClassifier([("a", Unsteady())]), False),
        (Unsteady(), False),
        (FrozenEstimator(Bare()), False),
        (GridSearchCV(LogisticRegression(), {"C": np.ones(1)}, cv=KFold(2)), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_which_models_are_only_asked_at_fit(model, plain):
    assert is_plain(model) is plain


def test_a_method_of_its_own_makes_a_model_unknown():
    model = LogisticRegression()
    model.predict = lambda X: np.zeros(len(X))
    assert not is_plain(model)


class ByRank(Unsteady):
    """Scores go by each row and are tied for some; labels go by the rest of the call."""

    def predict_proba(self, X):
        first = np.round(2 * np.asarray(X)[:, 0]) / 4 + 0.5
        return np.column_stack([1 - first, first])

    def predict(self, X):
        scores = self.predict_proba(X)[:, 1]
        return self.classes_[(scores >= np.quantile(scores, 0.6)).astype(int)]


def test_a_tie_of_one_row_excuses_no_other():
    model = ByRank().fit(X, Y)
    scores = model.predict_proba(X)
    assert (scores[:, 0] == scores[:, 1]).any()
    with pytest.raises(ValueError, match="A certificate is about a function of one row"):
        SmoothedClassifier(FrozenEstimator(model), **OPTIONS).fit(X, Y)
