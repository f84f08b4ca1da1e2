"""Transformations by a random parameter, through the estimator: no attack breaks a certificate."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

import sksmooth
from sksmooth import ClassificationCertificate, SmoothedClassifier, make_certified_scorer
from sksmooth.noise import (
    Blur,
    Brightness,
    BrightnessContrast,
    CategoryNoise,
    Contrast,
    Gamma,
    Shift,
)

FAMILIES = [
    Brightness(0.3),
    Brightness(0.3, "uniform"),
    Brightness(0.3, "laplace"),
    Brightness(0.3, pixel_sigma=0.1, tolerance="8bit"),
    Contrast(0.3, center=0.5),
    Contrast(0.3, "exponential"),
    BrightnessContrast(0.2, 0.2),
    Gamma(0.3),
    Blur(0.5),
    Shift(0.5, pixel_sigma=0.05, tolerance=0.02),
]

# The first parameter of each that the radius is about.
PARAMETERS = {Brightness: "brightness", BrightnessContrast: "brightness", Contrast: "log_factor"}
PARAMETERS |= {Gamma: "log_gamma", Blur: "variance", Shift: "shift_size"}


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    odd = np.pad(X[:400].reshape(-1, 8, 8) / 16, ((0, 0), (0, 1), (0, 1)))
    return odd.reshape(400, -1), y[:400]


def smoother(noise, model=None, **params):
    options = {"n_estimation": 500, "n_augment": 2, "random_state": 0, **params}
    if isinstance(noise, (Blur, Shift)):
        options = {"image_shape": (9, 9), **options}
    return SmoothedClassifier(model or LogisticRegression(max_iter=300), noise=noise, **options)


class Rule(ClassifierMixin, BaseEstimator):
    """A classifier that is a function of its rows."""

    def __init__(self, rule):
        self.rule = rule
        self.classes_ = np.array([0, 1])

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.rule(np.asarray(X, float)).astype(int)


def frozen(rule, noise, **params):
    model = FrozenEstimator(Rule(rule))
    return SmoothedClassifier(model, noise=noise, random_state=0, **params).fit()


@pytest.mark.parametrize("noise", FAMILIES, ids=repr)
def test_certificates_say_what_they_cover(digits, noise):
    X, y = digits
    clf = smoother(noise).fit(X[:300], y[:300])
    certificate = clf.certify(X[300:340])
    assert certificate.certified.mean() > 0.7
    assert (certificate.prediction == clf.predict(X[300:340])).all()
    assert "neither clipped nor rounded" in repr(certificate)
    assert "norm" not in repr(certificate)
    frame = certificate.to_frame()
    assert (frame["attack"] == clf.noise_.attack).all()
    name = PARAMETERS[type(noise)]
    assert (frame[f"{name}_high"] == certificate.radius).all()
    both_ways = noise.law != "exponential" and not isinstance(noise, Shift)
    assert (frame[f"{name}_low"] == -certificate.radius * both_ways).all()
    assert certificate.radius.max() <= certificate.max_radius()
    assert ClassificationCertificate.from_dict(certificate.to_dict()) == certificate
    for method in (certificate.column_budget, certificate.largest_box):
        with pytest.raises(ValueError, match="no ball of inputs"):
            method()
    with pytest.raises(ValueError, match="no ball of inputs"):
        certificate.raw_radius(2)


@pytest.mark.parametrize("noise", FAMILIES, ids=repr)
def test_every_kind_of_certificate(digits, noise):
    X, y = digits
    clf = smoother(noise).fit(X[:300], y[:300])
    rows = X[300:330]
    full = clf.certify(rows)
    assert (clf.certify(rows, simultaneous=True).radius <= full.radius).all()
    assert clf.certify(rows, bilateral=True).certified.mean() > 0.7
    assert clf.certify(rows, top_k=2).radius.max() > full.radius.max()
    assert (clf.certify(rows, rtol=0.2).radius > 0).mean() > 0.7
    decided = clf.certify(rows, radius=0.1)
    assert decided.certified.mean() > 0.6
    again = clf.set_params(n_estimation=1000).certify(rows, radius=0.15, start=decided)
    assert again.certified.mean() > 0.6
    assert (full.at(alpha=0.01).radius >= full.radius).all()


def test_rows_beyond_the_radius_change():
    """Control: a model that looks at the mean changes where the certificate ends."""
    noise = Brightness(0.5)
    clf = frozen(lambda X: X.mean(axis=1) > 0.5, noise, image_shape=(2, 2))
    clf.set_params(n_estimation=100_000, n_selection=20_000)
    rows = np.full((1, 4), 0.5) + 0.5 * 1.2816  # a probability of 0.9
    certificate = clf.certify(rows)
    assert 0.62 < certificate.radius[0] < 0.5 * 1.2816
    assert clf.predict(rows - certificate.radius) == certificate.prediction
    assert clf.predict(rows - 1.05 * certificate.radius) != certificate.prediction


def test_an_attack_that_is_clipped_is_not_covered():
    noise = Brightness(0.5)
    clf = frozen(lambda X: X[:, 1] - X[:, 0] > 0.2, noise, n_estimation=5000)
    x = np.array([[0.5, 0.9]])
    radius = clf.certify(x).radius[0]
    assert radius > 0.5
    assert clf.predict(noise.transform(x, 0.5)) == 1
    assert clf.predict(np.clip(noise.transform(x, 0.5), 0, 1)) == 0
    joint = Brightness(0.5, pixel_sigma=0.1, tolerance=0.41)  # clipping moves a pixel by 0.4
    covered = frozen(lambda X: X[:, 1] - X[:, 0] > 0.2, joint, n_estimation=5000)
    assert covered.certify(x).radius[0] < 0.5


def test_an_attack_that_is_rounded_is_not_covered():
    noise, x = Contrast(0.5), np.array([[100, 101]]) / 255
    clf = frozen(lambda X: X[:, 0] != X[:, 1], noise, n_estimation=5000)
    factor = 0.4
    assert clf.certify(x).radius[0] > -np.log(factor)
    assert clf.predict(noise.transform(x, np.log(factor))) == 1
    assert clf.predict(np.rint(noise.transform(x, np.log(factor)) * 255) / 255) == 0


def test_no_model_reads_the_offset_off_the_last_bits():
    """A model that knows the row by the differences of its pixels, to the last bit."""
    x = np.random.default_rng(0).integers(0, 256, (1, 20)) / 255
    noise = Brightness(0.5)
    known = np.diff(noise.perturb(x, np.zeros((1, 1)))[0, 0])
    clf = frozen(lambda X: (np.diff(X) == known).all(axis=1), noise)
    certificate = clf.certify(x)
    assert certificate.p_lower[0] > 0.999
    offsets = np.random.default_rng(1).uniform(-1, 1, 50)[:, None] * certificate.radius
    assert (clf.predict(x + offsets) == 1).all()
    plain = np.diff(x + offsets) == np.diff(x)  # control: sums as they are
    assert not plain.all(axis=1).any()


def test_float32_and_whole_numbers(digits):
    X, y = digits
    clf = smoother(Brightness(0.3)).fit(X[:300].astype(np.float32), y[:300])
    assert clf.certify(X[300:310].astype(np.float32)).certified.mean() > 0.7
    whole = smoother(Brightness(4.0)).fit((X[:300] * 16).astype(np.uint8), y[:300])
    assert whole.certify((X[300:310] * 16).astype(np.uint8)).certified.mean() > 0.7


def test_images_frames_pipelines_copies_and_searches(digits):
    X, y = digits
    flat = make_pipeline(
        FunctionTransformer(lambda Z: Z.reshape(len(Z), -1)), LogisticRegression(max_iter=300)
    )
    images = X.reshape(-1, 9, 9)
    clf = smoother(Contrast(0.3), flat).fit(images[:300], y[:300])
    assert clf.certify(images[300:310]).certified.mean() > 0.7
    frame = pd.DataFrame(X).rename(columns=str)
    in_frame = smoother(Contrast(0.3), image_shape=(9, 9)).fit(frame[:300], y[:300])
    assert in_frame.certify(frame[300:310]).index[0] == 300
    copy = pickle.loads(pickle.dumps(in_frame))
    assert copy.certify(frame[300:310]) == in_frame.certify(frame[300:310])
    assert clone(in_frame).noise.get_params() == Contrast(0.3).get_params()
    piped = make_pipeline(FunctionTransformer(np.sqrt), smoother(Contrast(0.3))).fit(X, y)
    assert sksmooth.certify(piped, X[:5], radius=0.1).certified.any()
    search = GridSearchCV(
        smoother(Brightness(), n_estimation=200),
        {"noise__sigma": [0.1, 0.3], "noise__law": ["gaussian", "uniform"]},
        scoring=make_certified_scorer(radius=0.15),
        cv=2,
    ).fit(X, y)
    assert search.best_params_["noise__sigma"] == 0.3
    assert search.best_score_ > 0.7


def test_the_same_votes_by_any_batch_size_and_order(digits):
    X, y = digits
    clf = smoother(Brightness(0.3, pixel_sigma=0.1)).fit(X[:300], y[:300])
    counts = clf.certify(X[300:320]).counts
    assert (clf.set_params(batch_size=7).certify(X[300:320]).counts == counts).all()
    assert (clf.set_params(batch_size=1000).certify(X[310:320]).counts == counts[10:]).all()


def test_what_has_no_meaning_is_refused(digits):
    X, y = digits
    with pytest.raises(ValueError, match="Leave out feature_scale"):
        smoother(Contrast(0.3), feature_scale=np.ones(81)).fit(X, y)
    table = pd.DataFrame({"a": [0.1, 0.9] * 20, "b": pd.Categorical(["u", "v"] * 20)})
    for categorical in ("fixed", CategoryNoise()):
        with pytest.raises(ValueError, match="Leave out categorical"):
            smoother(Contrast(0.3), categorical=categorical).fit(table, [0, 1] * 20)
    with pytest.raises(ValueError, match=r"image_shape=\(8, 7\) does not fit rows of shape \(81,"):
        smoother(Brightness(0.3), image_shape=(8, 7)).fit(X, y)
    with pytest.raises(ValueError, match="'law' parameter"):
        smoother(Brightness(0.3, law="normal")).fit(X, y)
    with pytest.raises(ValueError, match="norm"):
        smoother(Brightness(0.3), norm=0.5).fit(X, y)
    with pytest.raises(ValueError, match="noise__sigma"):
        smoother(Brightness(0.3), sigma=0.5).fit(X, y)
    clf = smoother(Brightness(0.3)).fit(X, y)
    with pytest.raises(ValueError, match=r"noise was changed to .*sigma=0.4"):
        clf.set_params(noise__sigma=0.4).certify(X[:2])
    with pytest.raises(ValueError, match=r"sigma=0\.3 is too small for X"):
        smoother(Brightness(0.3)).fit(X, y).certify(X[:2] * 1e9)


# A wave, and what each transformation has done to it: models that see nothing but the parameter
# are the worst there are.
WAVE = 0.5 + 0.4 * np.cos(2 * np.pi * np.arange(9) / 9)


def wave_of(X):
    """First Fourier coefficient of each row, over that of the wave itself."""
    return (X @ np.exp(-2j * np.pi * np.arange(9) / 9)) / (
        WAVE @ np.exp(-2j * np.pi * np.arange(9) / 9)
    )


READERS = {
    Brightness: lambda X: (X - WAVE).mean(axis=1),
    Contrast: lambda X: np.log(X / WAVE).mean(axis=1),
    Gamma: lambda X: np.log(np.log(X[:, 1]) / np.log(WAVE[1])),
    Blur: lambda X: -np.log(np.abs(wave_of(X))) / (1 - np.cos(2 * np.pi / 9)),
    Shift: lambda X: -np.angle(wave_of(X)) * 9 / (2 * np.pi),
}
WORST = [
    (Brightness(0.5), 0.64077578277230023),
    (Brightness(0.5, "uniform"), 0.69282032302755092),
    (Brightness(0.5, "exponential"), 0.80471895621705019),
    (Contrast(0.5, "laplace"), 0.56902223089043662),
    (Gamma(0.5), 0.64077578277230023),
    (Blur(0.5, boundary="wrap"), 0.80471895621705019),
    (Blur(0.5, "half-normal", boundary="wrap"), 0.60808538253890362),
    (Blur(0.5, "uniform", boundary="wrap"), 0.4),
    (Shift(0.5), 0.64077578277230023),
]


@pytest.mark.parametrize(("noise", "true_radius"), WORST, ids=lambda value: repr(value))
def test_worst_models_are_wrong_as_seldom_as_stated(noise, true_radius):
    """A model that reads the parameter, of a probability of 0.9: its radius is known."""
    drawn = noise.parameter_law.draw(200_000, (1,), np.random.default_rng(1), np.float64)
    border = np.quantile(drawn, 0.9)
    read = READERS[type(noise)]
    clf = frozen(lambda X: read(X) < border, noise, n_estimation=200, n_selection=20_000)
    clf.set_params(alpha=0.1)
    x = WAVE[None]
    # 0.02 beside the border is several standard errors of the quantile and of the votes
    within = clf.predict_proba(noise.transform(x, 0.95 * true_radius))[0, 1]
    beyond = clf.predict_proba(noise.transform(x, 1.05 * true_radius))[0, 1]
    assert within > 0.5 > beyond
    clf.set_params(n_selection=1)
    radii = []
    for seed in range(100):
        again = frozen(clf.estimator.estimator.rule, noise, n_estimation=200, n_selection=1)
        again.set_params(alpha=0.1, random_state=seed).fit()
        radii.append(again.certify(x).radius[0])
    radii, most = np.array(radii), 0.1 + 3 * np.sqrt(0.1 * 0.9 / 100)
    assert np.mean(radii > 1.01 * true_radius) < most
    assert np.mean(1.4 * radii > 1.01 * true_radius) > most  # control


def cells_of(law):
    """Distribution function of a law of the parameter."""
    sigma = law.sigma
    return {
        "GaussianNoise": stats.norm(scale=sigma),
        "LaplaceNoise": stats.laplace(scale=sigma / np.sqrt(2)),
        "UniformNoise": stats.uniform(-sigma * np.sqrt(3), 2 * sigma * np.sqrt(3)),
        "ExponentialLaw": stats.expon(scale=sigma),
        "HalfNormalLaw": stats.halfnorm(scale=sigma * np.sqrt(np.pi / 2)),
        "PositiveUniformLaw": stats.uniform(0, 2 * sigma),
    }[type(law).__name__].cdf


@pytest.mark.parametrize(
    "noise",
    [
        Brightness(0.3, "laplace"),
        Contrast(0.4, "gaussian", center=0.5),
        Contrast(0.4, "exponential"),
        Gamma(0.4, "uniform"),
        Blur(0.6, "exponential"),
        Blur(0.6, "half-normal", boundary="wrap"),
        Blur(0.6, "uniform"),
    ],
    ids=repr,
)
def test_no_parameter_within_the_radius_changes_the_answer_by_quadrature(digits, noise):
    """Class probabilities at every attack, from the answers of the model on a fine grid."""
    X, y = digits
    tree = DecisionTreeClassifier(max_depth=8, random_state=0)
    clf = smoother(noise, tree, n_estimation=2000).fit(X[:300], y[:300])
    rows = X[300:330]
    certificate = clf.certify(rows)
    assert certificate.certified.mean() > 0.5
    cdf, most = cells_of(noise.parameter_law), 2.5 * certificate.radius.max()
    low = 0.0 if noise.one_sided else -most - 12 * noise.sigma
    edges = np.linspace(low, most + 12 * noise.sigma, 1501)
    middles = (edges[1:] + edges[:-1]) / 2
    failing = 0
    for i in np.flatnonzero(certificate.certified):
        moved = clf.noise_.transform(np.repeat(rows[[i]], 1500, axis=0), middles)
        same = clf.estimator_.predict(moved) == certificate.prediction[i]
        first = 0.0 if noise.one_sided else -1.0
        for part in np.linspace(first, 1, 9):
            share = np.diff(cdf(edges - part * certificate.radius[i])) @ same
            assert share > 0.5 - 0.01  # of the grid: a cell of a few percent of sigma
        further = [np.diff(cdf(edges - s * 2.5 * certificate.radius[i])) @ same for s in (first, 1)]
        failing += min(further) < 0.5
    assert failing > 0  # control
