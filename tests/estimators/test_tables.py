"""Data frames with numbers and categories: what the model gets, and what is proven."""

import pickle
from typing import ClassVar

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.special import ndtr
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sksmooth import ClassificationCertificate, SmoothedClassifier, make_certified_scorer
from sksmooth.noise import CategoryNoise

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")

RNG = np.random.default_rng(0)
N = 300
FRAME = pd.DataFrame(
    {
        "age": RNG.normal(size=N),
        "colour": RNG.choice(["red", "green", "blue"], N),
        "income": RNG.normal(size=N) * 1000,
        "kind": pd.Categorical(RNG.choice(["u", "v"], N), categories=["u", "v", "w"]),
    }
)
Y = (FRAME["age"] + (FRAME["kind"] == "u") > 0.4).to_numpy()
OPTIONS = {"sigma": 0.3, "feature_scale": "std", "n_estimation": 500, "n_augment": 3}
OPTIONS["random_state"] = 0
NOISES = [CategoryNoise(0.9), CategoryNoise(0.8, "draw"), CategoryNoise(0.4, "token")]


def encoded():
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = ColumnTransformer([("names", encoder, ["colour", "kind"])], remainder="passthrough")
    return make_pipeline(columns, LogisticRegression(max_iter=5000))


class Recorder(ClassifierMixin, BaseEstimator):
    """Remembers what it was asked about."""

    def fit(self, X, y):
        self.classes_, self.seen_ = np.unique(y), [X]
        return self

    def predict(self, X):
        self.seen_.append(X)
        return np.zeros(len(X), bool)


@pytest.mark.parametrize("categorical", ["fixed", *NOISES], ids=str)
def test_the_model_gets_frames_as_they_were(categorical):
    clf = SmoothedClassifier(Recorder(), categorical=categorical, **OPTIONS).fit(FRAME, Y)
    clf.certify(FRAME[:3])
    kept = {"fixed": 1.0}.get(categorical) or categorical.keep
    for seen in clf.estimator_.seen_:
        assert (seen.dtypes == FRAME.dtypes).all()
        assert list(seen.columns) == list(FRAME.columns)
        assert seen["colour"].isin(["red", "green", "blue", None]).all()
    trained = clf.estimator_.seen_[0]
    assert len(trained) == 3 * N
    for label, k in (("colour", 3), ("kind", 3)):
        same = trained[label].astype(object).to_numpy() == np.tile(FRAME[label].astype(object), 3)
        drawn = kept + (1 - kept) / k * (getattr(categorical, "scheme", "") == "draw")
        assert same.mean() == pytest.approx(drawn, abs=0.06)
    assert not np.isin(trained["age"], FRAME["age"]).any()


class Thresholds(ClassifierMixin, BaseEstimator):
    """Class 1 where a number is beyond a threshold that depends on two categories."""

    classes_ = np.array([0, 1])
    limits: ClassVar[dict] = {"a": -2.0, "b": 0.5, "c": 3.0, None: 0.0}
    moves: ClassVar[dict] = {"x": 0.0, "y": 1.0, None: 0.5}

    def fit(self, X, y):
        return self

    def predict(self, X):
        return (X["number"].to_numpy() > self.limit(X["first"], X["second"])).astype(int)

    def limit(self, first, second):
        one = np.array([self.limits.get(v, self.limits[None]) for v in first])
        return one + np.array([self.moves.get(v, self.moves[None]) for v in second])


def outcomes(noise, level, levels):
    """Outcomes of a column under noise, with their probabilities."""
    rest = 1 - noise.keep
    law = {None: rest} if noise.scheme == "token" else {}
    if noise.scheme == "uniform":
        law = {other: rest / (len(levels) - 1) for other in levels if other != level}
    if noise.scheme == "draw":
        law = {other: rest / len(levels) for other in levels}
    law[level] = law.get(level, 0) + noise.keep
    return law.items()


def truth(noise, sigma, number, first, second):
    """Probability of class 1."""
    return sum(
        p * q * ndtr((number - Thresholds.limits[a] - Thresholds.moves[b]) / sigma)
        for a, p in outcomes(noise, first, "abc")
        for b, q in outcomes(noise, second, "xy")
    )


def fitted_thresholds(noise):
    grid = pd.DataFrame(
        [(x, a, b) for x in np.linspace(-6, 8, 29) for a in "abc" for b in "xy"],
        columns=["number", "first", "second"],
    )
    model = Thresholds()
    options = {"sigma": 1.0, "n_estimation": 4000, "random_state": 3, "categorical": noise}
    clf = SmoothedClassifier(FrozenEstimator(model), **options)
    return clf.fit(grid, model.predict(grid)), grid


@pytest.mark.parametrize("noise", NOISES, ids=str)
def test_nothing_within_a_joint_radius_has_another_class(noise):
    """By exact probabilities of every row that is reached; the plain radius is the control."""
    clf, grid = fitted_thresholds(noise)
    certificate = clf.certify(grid)
    broken, n_proven = {True: 0, False: 0}, 0
    for s in (1, 2):
        joint, plain = certificate.radius_after(s), certificate.radius
        n_proven += (joint > 0.05).sum()
        for i, (number, first, second) in enumerate(grid.itertuples(index=False)):
            for radius, is_joint in ((joint[i], True), (plain[i], False)):
                if radius <= 0:
                    continue
                sign = 1 - 2 * certificate.prediction[i]
                lowest = min(
                    abs(
                        1
                        - certificate.prediction[i]
                        - truth(noise, 1.0, number + sign * radius, a, b)
                    )
                    for a in "abc"
                    for b in "xy"
                    if (a != first) + (b != second) <= s
                )
                broken[is_joint] += lowest < 0.5
    assert n_proven > 20
    assert broken[True] == 0
    assert broken[False] > 10


def test_radii_after_changes_are_those_of_the_noise_itself():
    noise = CategoryNoise(0.9)
    clf, grid = fitted_thresholds(noise)
    certificate = clf.certify(grid[:40])
    direct = noise.radius_after(clf.noise_, certificate.p_lower, changes=1, n_levels=[3, 2])
    np.testing.assert_allclose(certificate.radius_after(1), direct, atol=1e-4)
    assert (certificate.radius_after(0) == certificate.radius).all()
    assert (certificate.radius_after(2) <= certificate.radius_after(1)).all()


def test_a_decision_is_about_radius_and_changes():
    clf, grid = fitted_thresholds(CategoryNoise(0.9))
    whole, decided = clf.certify(grid), clf.certify(grid, radius=0.3, changes=1)
    assert decided.changes == 1
    assert 0.1 < decided.certified.mean() < 0.9
    assert decided.n_draws.mean() < 0.5 * 4000
    clear = np.abs(whole.radius_after(1) - 0.3) > 0.25
    assert (decided.certified == (whole.radius_after(1) >= 0.3))[clear].mean() > 0.97
    assert (decided.to_frame()["changes"] == 1).all()
    plain = clf.certify(grid, radius=0.3)
    assert plain.certified.sum() > decided.certified.sum()


@pytest.mark.parametrize("noise", NOISES, ids=str)
def test_pipelines_with_encoders_and_native_categories(noise):
    frame = FRAME.astype({"colour": "category"})
    native = HistGradientBoostingClassifier(max_iter=20, categorical_features="from_dtype")
    for model, X in ((encoded(), FRAME), (native, frame)):
        clf = SmoothedClassifier(model, categorical=noise, **OPTIONS).fit(X, Y)
        certificate = clf.certify(X[:30])
        assert (certificate.prediction == Y[:30]).mean() > 0.75
        assert (certificate.column_budget()[:, [1, 3]] == 0).all()
        assert "changes of 2 categorical columns" in repr(certificate)
        again = ClassificationCertificate.from_dict(certificate.to_dict())
        assert again == certificate
        assert (again.radius_after(1) == certificate.radius_after(1)).all()
        parts = ClassificationCertificate.concatenate([certificate[:10], certificate[10:]])
        assert (parts.radius_after(1) == certificate.radius_after(1)).all()
        assert (certificate.at(alpha=0.01).radius_after(1) >= certificate.radius_after(1)).all()


def test_a_row_does_not_depend_on_the_others():
    clf = SmoothedClassifier(encoded(), categorical=CategoryNoise(0.9), **OPTIONS).fit(FRAME, Y)
    whole, one = clf.certify(FRAME[:20]), clf.certify(FRAME[7:8])
    assert (whole.counts[7] == one.counts[0]).all()
    loaded = pickle.loads(pickle.dumps(clf))
    assert (loaded.certify(FRAME[7:8]).counts == one.counts).all()


def test_polars_frames():
    frame = pl.DataFrame(
        {
            "age": FRAME["age"].tolist(),
            "colour": FRAME["colour"].tolist(),
            "kind": pl.Series(FRAME["kind"].tolist(), dtype=pl.Enum(["u", "v", "w"])),
        }
    )
    clf = SmoothedClassifier(Recorder(), categorical=CategoryNoise(0.7), **OPTIONS).fit(frame, Y)
    clf.certify(frame[:2])
    for seen in clf.estimator_.seen_:
        assert seen.schema == frame.schema


def test_model_selection_and_files(tmp_path):
    clf = SmoothedClassifier(encoded(), categorical=CategoryNoise(0.9), **OPTIONS)
    clf.set_params(n_estimation=200)
    grid = {"sigma": [0.2, 0.5], "categorical__keep": [0.8, 0.95]}
    search = GridSearchCV(clf, grid, scoring=make_certified_scorer(0.1), cv=2).fit(FRAME, Y)
    assert search.best_score_ > 0.3
    assert len(cross_validate(clf, FRAME, Y, cv=2)["test_score"]) == 2
    joblib.dump(search.best_estimator_, tmp_path / "clf.joblib")
    loaded = joblib.load(tmp_path / "clf.joblib")
    assert (loaded.predict(FRAME[:9]) == search.predict(FRAME[:9])).all()


def test_refusals_name_columns_and_remedies():
    with pytest.raises(ValueError, match=r"colour, kind.*categorical='fixed'.*CategoryNoise"):
        SmoothedClassifier(encoded(), **OPTIONS).fit(FRAME, Y)
    clf = SmoothedClassifier(encoded(), categorical=CategoryNoise(0.9), **OPTIONS).fit(FRAME, Y)
    unseen = FRAME[:2].assign(colour=["red", "pink"])
    with pytest.raises(ValueError, match=r"'colour' holds 'pink'.*scheme='token'"):
        clf.certify(unseen)
    token = clone(clf).set_params(categorical=CategoryNoise(0.4, "token")).fit(FRAME, Y)
    token.certify(unseen)
    with pytest.raises(ValueError, match="feature names should match"):
        clf.certify(FRAME[:2].rename(columns={"age": "years"}))
    with pytest.raises(ValueError, match="Pass a data frame"):
        clf.certify(FRAME[["age", "income"]].to_numpy())
    with pytest.raises(ValueError, match="pass the radius"):
        clf.certify(FRAME[:2], changes=1)
    with pytest.raises(ValueError, match="whole number"):
        clf.certify(FRAME[:2], radius=0.1, changes=0.5)
    with pytest.raises(ValueError, match="whole number"):
        clf.certify(FRAME[:2]).radius_after(-1)
    fixed = SmoothedClassifier(encoded(), categorical="fixed", **OPTIONS).fit(FRAME, Y)
    with pytest.raises(ValueError, match="categorical columns under noise"):
        fixed.certify(FRAME[:2], radius=0.1, changes=1)
    with pytest.raises(ValueError, match="no noise on categories"):
        fixed.certify(FRAME[:2]).radius_after(1)
    with pytest.raises(ValueError, match=r"GaussianNoise\(k=0.5.*Use GaussianNoise"):
        clone(clf).set_params(k=0.5).fit(FRAME, Y)
    with pytest.raises(ValueError, match="below 1/3"):
        clone(clf).set_params(categorical=CategoryNoise(0.2)).fit(FRAME, Y)
    model = FrozenEstimator(clf.estimator_)
    with pytest.raises(ValueError, match="needs the levels of training data"):
        SmoothedClassifier(model, categorical="fixed").fit()


def test_categories_alone():
    frame = FRAME[["colour", "kind"]]
    y = (FRAME["kind"] == "u").to_numpy()
    model = make_pipeline(OneHotEncoder(), LogisticRegression())
    options = OPTIONS | {"feature_scale": None}
    clf = SmoothedClassifier(model, categorical=CategoryNoise(0.2, "token"), **options)
    certificate = clf.fit(frame, y).certify(frame[:20], radius=0, changes=1)
    assert certificate.certified.mean() > 0.3
    assert (certificate.column_budget() == 0).all()


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_category_is_a_level(missing):
    frame = FRAME.assign(colour=FRAME["colour"].astype(object))
    frame.loc[::4, "colour"] = missing
    clf = SmoothedClassifier(Recorder(), categorical=CategoryNoise(0.9), **OPTIONS).fit(frame, Y)
    clf.certify(frame[:4])
    share = clf.estimator_.seen_[0]["colour"].isna().mean()
    assert share == pytest.approx(0.25 * 0.9 + 0.75 * 0.1 / 3, abs=0.05)
    with pytest.raises(ValueError, match="has not seen"):
        SmoothedClassifier(Recorder(), categorical=CategoryNoise(0.9), **OPTIONS).fit(
            FRAME, Y
        ).certify(frame[:4])


@pytest.mark.parametrize(("scale", "said"), [(None, False), ("std", True)])
def test_units_are_named_where_they_are_not_those_of_the_table(scale, said):
    options = {**OPTIONS, "feature_scale": scale}
    clf = SmoothedClassifier(encoded(), categorical="fixed", **options).fit(FRAME, Y)
    assert ("scaled units" in repr(clf.certify(FRAME[:2]))) == said


def test_a_decision_is_not_continued_for_another_level_that_fit_has_not_seen():
    """Both are new, and have the same number in their call; the votes were on the first."""
    noise = CategoryNoise(0.4, "token")
    clf = SmoothedClassifier(encoded(), categorical=noise, **OPTIONS).fit(FRAME, Y)
    frame = FRAME[["age", "colour", "income", "kind"]][:1]
    pink, teal = (frame.assign(colour=[colour]) for colour in ("pink", "teal"))
    start = clf.certify(pink, radius=0.05)
    with pytest.raises(ValueError, match="start"):
        clf.certify(teal, radius=0.05, start=start)
    assert len(clf.certify(pink, radius=0.05, start=start)) == 1


class LevelsBeyond(ClassifierMixin, BaseEstimator):
    classes_ = np.array([0, 1])

    def fit(self, X, y):
        return self

    def predict(self, X):
        return (X["level"].astype(int) >= 2**20).to_numpy().astype(int)


def test_columns_of_a_million_levels_keep_their_levels():
    kind = pd.CategoricalDtype([str(i) for i in range(2**20 + 10)])
    levels = pd.Series(["1", str(2**20 + 1)], dtype=kind)
    frame = pd.DataFrame({"x": [0.1, 0.2], "level": levels})
    model = FrozenEstimator(LevelsBeyond())
    clf = SmoothedClassifier(model, categorical="fixed", n_estimation=100, random_state=0)
    assert list(clf.fit(frame, [0, 1]).certify(frame).prediction) == [0, 1]


@pytest.mark.parametrize("absent", [None, np.nan, pd.NA], ids=repr)
@pytest.mark.parametrize("categorical", ["fixed", *NOISES], ids=str)
def test_missing_levels_stay_what_they_are(categorical, absent):
    """Models tell None and NaN apart."""
    levels = [absent if i % 3 == 0 else "red" for i in range(N)]
    frame = FRAME.assign(colour=pd.Series(levels, dtype=object))
    clf = SmoothedClassifier(Recorder(), categorical=categorical, **OPTIONS).fit(frame, Y)
    clf.certify(frame[:3])
    kinds = {type(entry) for seen in clf.estimator_.seen_ for entry in seen["colour"]}
    assert kinds == {str, type(absent)}
